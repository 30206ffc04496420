package validate_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// The nginx that gave the verdicts of the corpus.
const corpusVersion = "1.22.1-9+deb12u11"

// A verdict is a configuration and what nginx -t said of it.
type verdict struct {
	Name, Seed, Unit, Entry string
	Config                  string
	Config64                string `json:"config_b64"`
	Aux                     map[string]string
	OK                      bool `json:"nginx_ok"`
	Class, Message          string
	Warnings                []string
}

func (v *verdict) text(t *testing.T) []byte {
	if v.Config64 == "" {
		return []byte(v.Config)
	}
	b, err := base64.StdEncoding.DecodeString(v.Config64)
	require.NoError(t, err)
	return b
}

func readVerdicts(t *testing.T, name string) []*verdict {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	var vs []*verdict
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		v := &verdict{}
		require.NoError(t, json.Unmarshal(lines.Bytes(), v))
		vs = append(vs, v)
	}
	require.NoError(t, lines.Err())
	return vs
}

// A judge loads configurations as the corpus's nginx saw them.
type judge struct {
	dir   string              // of the corpus
	seeds map[string]*verdict // by name
	units map[string]fstest.MapFS
}

const testDir = "tmp/nginx-testdir"

func (j *judge) unit(t *testing.T, unit string) fstest.MapFS {
	if m, ok := j.units[unit]; ok {
		return m
	}
	m := fstest.MapFS{}
	if unit != "" {
		root := filepath.Join(j.dir, unit)
		require.NoError(t, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, p)
			m[path.Join(testDir, filepath.ToSlash(rel))] = &fstest.MapFile{Data: b}
			return nil
		}))
	}
	j.units[unit] = m
	return m
}

// provisioned are files that the corpus's nginx found, or was given, wherever
// a configuration named them.
var provisioned = map[string]bool{"mime.types": true, "fastcgi_params": true, "uwsgi_params": true, "scgi_params": true, "fastcgi.conf": true, "proxy_params": true}

// A host is the file system of one verdict.
type host struct {
	files fstest.MapFS
	dist  string // where the provisioned files are
}

func (h host) Open(name string) (fs.File, error) {
	f, err := h.files.Open(name)
	if err != nil && provisioned[path.Base(name)] {
		if g, err := os.Open(filepath.Join(h.dist, path.Base(name))); err == nil {
			return g, nil
		}
		return fstest.MapFS{name: {}}.Open(name)
	}
	return f, err
}

func (j *judge) load(t *testing.T, v *verdict) *nginxconf.Config {
	about := v
	if v.Seed != "" {
		about = j.seeds[v.Seed]
		require.NotNil(t, about, v.Seed)
	}
	m := fstest.MapFS{}
	for name, f := range j.unit(t, about.Unit) {
		m[name] = f
	}
	for name, text := range about.Aux {
		m[path.Join(testDir, name)] = &fstest.MapFile{Data: []byte(text)}
	}
	entry := path.Join(testDir, about.Entry)
	m[entry] = &fstest.MapFile{Data: v.text(t)}
	c, _ := nginxconf.Load(host{m, filepath.Join(j.dir, "units", "nginx-dist", "conf")}, entry, &nginxconf.LoadOptions{Prefix: "/" + testDir})
	require.NotNil(t, c, v.Name)
	return c
}

// A score is how often we said what nginx said.
type score struct {
	rows, agree, refused, falseRefusals, falseAccepts, line, message int
	byClass                                                          map[string][2]int // of nginx's refusals: seen, all
	disagree                                                         []string
	warnings, warningsOurs, warningsBoth                             int // of accepted configurations
}

var said = regexp.MustCompile(`(?s)^(.*?)(?: in (\S*):(\d+))?$`)

// judge compares what we say of the rows with what nginx said.
func (j *judge) judge(t *testing.T, rows []*verdict, o *validate.Options) *score {
	s := &score{byClass: map[string][2]int{}}
	for _, v := range rows {
		if strings.HasPrefix(v.Class, "env:") {
			continue
		}
		s.rows++
		var first *nginxconf.Diagnostic
		warned := map[string]int{}
		for _, d := range validate.Config(j.load(t, v), o) {
			if d.Level == slog.LevelError {
				first = d
				break
			}
			warned[recorded(d.Message)]++
		}
		if v.OK {
			for _, n := range warned {
				s.warningsOurs += n
			}
			for _, w := range v.Warnings {
				s.warnings++
				m := said.FindStringSubmatch(w)
				if warned[m[1]] > 0 {
					warned[m[1]]--
					s.warningsBoth++
				} else {
					s.disagree = append(s.disagree, fmt.Sprintf("no warning %s: %s", v.Name, w))
				}
			}
			if first == nil {
				s.agree++
			} else {
				s.falseRefusals++
				s.disagree = append(s.disagree, fmt.Sprintf("FALSE REFUSAL %s: %v", v.Name, first))
			}
			continue
		}
		s.refused++
		n := s.byClass[v.Class]
		n[1]++
		if first == nil {
			s.falseAccepts++
			s.disagree = append(s.disagree, fmt.Sprintf("accepted %s (%s): %s", v.Name, v.Class, v.Message))
		} else {
			s.agree++
			n[0]++
			m := said.FindStringSubmatch(v.Message)
			sameLine := m[3] == "" || m[3] == strconv.Itoa(first.Start.Line)
			sameMessage := m[1] == recorded(first.Message)
			if sameLine {
				s.line++
			}
			if sameMessage {
				s.message++
			}
			if !sameLine || !sameMessage {
				s.disagree = append(s.disagree, fmt.Sprintf("other %s (%s): %s\n      ours: %v", v.Name, v.Class, v.Message, first))
			}
		}
		s.byClass[v.Class] = n
	}
	return s
}

// recorded returns a message as the corpus has it: bytes that are no UTF-8
// became U+FFFD, and it ends where Python ends a line.
func recorded(message string) string {
	message = string([]rune(message))
	if i := strings.IndexAny(message, "\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"); i >= 0 {
		message = message[:i]
	}
	return message
}

func (s *score) log(t *testing.T) {
	t.Logf("%d configurations: agree %.2f %%, false refusals %d, false accepts %d of %d; of those refused: line %.2f %%, message %.2f %%",
		s.rows, percent(s.agree, s.rows), s.falseRefusals, s.falseAccepts, s.refused,
		percent(s.line, s.refused-s.falseAccepts), percent(s.message, s.refused-s.falseAccepts))
	t.Logf("warnings about what is accepted: nginx %d, ours %d, both %d", s.warnings, s.warningsOurs, s.warningsBoth)
	classes := []string{}
	for c, n := range s.byClass {
		classes = append(classes, fmt.Sprintf("%s %d/%d", c, n[0], n[1]))
	}
	sort.Strings(classes)
	t.Log(strings.Join(classes, ", "))
	if os.Getenv("ORACLE_VERBOSE") != "" {
		for _, d := range s.disagree {
			fmt.Println(d)
		}
	}
}

func percent(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

func newJudge(t *testing.T) (j *judge, configs []*verdict) {
	j = &judge{dir: testenv.Shared(t, "corpus", "nginx"), seeds: map[string]*verdict{}, units: map[string]fstest.MapFS{}}
	configs = readVerdicts(t, filepath.Join(j.dir, "configs.jsonl"))
	for _, v := range configs {
		j.seeds[v.Name] = v
	}
	return j, configs
}

// The floors of what was reached, so that it stays: figures are in percent.
const (
	floorAgree   = 99.5
	floorLine    = 99.0
	floorMessage = 95.0
)

func (s *score) require(t *testing.T) {
	t.Helper()
	require.Zero(t, s.falseRefusals)
	require.GreaterOrEqual(t, percent(s.agree, s.rows), floorAgree)
	require.Equal(t, s.warnings, s.warningsBoth)
	require.Equal(t, s.warnings, s.warningsOurs)
	require.GreaterOrEqual(t, percent(s.line, s.refused-s.falseAccepts), floorLine)
	require.GreaterOrEqual(t, percent(s.message, s.refused-s.falseAccepts), floorMessage)
}

// TestOracleAgreement compares with what nginx said of real configurations and
// of mutants of them.
func TestOracleAgreement(t *testing.T) {
	j, configs := newJudge(t)
	o := &validate.Options{Version: corpusVersion}
	mutants := readVerdicts(t, filepath.Join(j.dir, "mutants.jsonl"))
	if name := os.Getenv("ORACLE_VERDICTS"); name != "" { // of another run
		mutants = readVerdicts(t, name)
	}
	for _, rows := range [][]*verdict{configs, mutants} {
		s := j.judge(t, rows, o)
		s.log(t)
		s.require(t)
	}
}

// TestOracleFreshMutants has 2,000 new mutants made of the seed, and asks the
// installed nginx about them: half a minute.
func TestOracleFreshMutants(t *testing.T) {
	j, _ := newJudge(t)
	u := newUpstream(t)
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seed := os.Getenv("ORACLE_SEED")
	if seed == "" {
		seed = "2"
	}
	if os.Getuid() != 0 {
		t.Skip("only root can have mounts of its own")
	}
	out := filepath.Join(t.TempDir(), "verdicts.jsonl")
	cmd := exec.Command("bash", testenv.Shared(t, "oracle", "nginx", "verdicts.sh"), seed, out)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	s := j.judge(t, readVerdicts(t, out), &validate.Options{Version: u.version})
	s.log(t)
	s.require(t)
}
