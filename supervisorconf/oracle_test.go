package supervisorconf

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// An oracleCase is a case as the oracle reads it: files below oracleRoot, on a
// machine with the accounts and directories below.
type oracleCase struct {
	Name  string            `json:"name"`
	Files map[string]string `json:"files"`
	B64   map[string]string `json:"b64,omitempty"`
	Env   map[string]string `json:"env,omitempty"`
	Main  string            `json:"main,omitempty"`
	Dirs  []string          `json:"dirs,omitempty"`
	FS    string            `json:"fs,omitempty"`
}

const oracleRoot = "/srv/sup/oracle-root"

var (
	oracleDirs = strings.Fields(`/ /bin /dev /dev/fd /etc /etc/supervisor /etc/supervisor/conf.d /home /home/oracle /opt
		/proc /proc/self/fd /proc/1/fd /run /srv /srv/sup /tmp /usr /usr/bin /usr/local /usr/local/bin /var /var/lib
		/var/log /var/log/supervisor /var/run /var/tmp`)
	oracleUsers  = map[string][2]int{"root": {0, 0}, "daemon": {1, 1}, "www-data": {33, 33}, "app": {1000, 1000}, "oracle": {1001, 1001}, "nobody": {65534, 65534}}
	oracleGroups = map[string]int{"root": 0, "daemon": 1, "adm": 4, "www-data": 33, "app": 1000, "oracle": 1001, "nogroup": 65534}
)

// load loads the case as the oracle does.
func (c *oracleCase) load(t *testing.T, version string) *Config {
	t.Helper()
	lenient := c.FS == "lenient"
	fsys := fstest.MapFS{}
	var passwd strings.Builder
	for _, name := range slices.Sorted(maps.Keys(oracleUsers)) {
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:/bin/sh\n", name, oracleUsers[name][0], oracleUsers[name][1], map[bool]string{true: "/root", false: "/home/" + name}[name == "root"])
	}
	fsys["etc/passwd"] = &fstest.MapFile{Data: []byte(passwd.String())}
	add := func(name string, data []byte, mode fs.FileMode) {
		name = strings.TrimPrefix(name, oracleRoot+"/")
		fsys[path.Join(oracleRoot, name)[1:]] = &fstest.MapFile{Data: data, Mode: mode}
	}
	for _, d := range c.Dirs {
		add(d, nil, fs.ModeDir|0o755)
	}
	for name, text := range c.Files {
		add(name, []byte(text), 0o644)
	}
	for name, text := range c.B64 {
		data, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		add(name, data, 0o644)
	}
	environ := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/oracle", "LANG=C.UTF-8"}
	for _, k := range slices.Sorted(maps.Keys(c.Env)) {
		same := func(kv string) bool { return strings.HasPrefix(kv, k+"=") }
		if i := slices.IndexFunc(environ, same); i >= 0 {
			environ[i] = k + "=" + c.Env[k]
		} else {
			environ = append(environ, k+"="+c.Env[k])
		}
	}
	synthetic := func(name string) int { return 1000 + int(crc32.ChecksumIEEE([]byte(name))%50000) }
	unknown := errors.New("not found")
	o := &LoadOptions{
		Version: version, Environ: environ, Dir: oracleRoot, HostNodeName: "oracle-host",
		IsDir: func(p string) bool {
			if lenient || slices.Contains(oracleDirs, p) {
				return true
			}
			info, err := fs.Stat(fsys, cmp.Or(p[1:], "."))
			return err == nil && info.IsDir() && (p == oracleRoot || strings.HasPrefix(p, oracleRoot+"/"))
		},
		User: func(name string) (int, int, error) {
			if n, err := strconv.Atoi(name); err == nil {
				for _, u := range oracleUsers {
					if u[0] == n {
						return u[0], u[1], nil
					}
				}
				if lenient && n >= 0 {
					return n, n, nil
				}
				return 0, 0, unknown
			}
			if u, ok := oracleUsers[name]; ok {
				return u[0], u[1], nil
			}
			if lenient && name != "" && !strings.Contains(name, ":") {
				return synthetic(name), synthetic(name), nil
			}
			return 0, 0, unknown
		},
		Group: func(name string) (int, error) {
			if n, err := strconv.Atoi(name); err == nil {
				for _, g := range oracleGroups {
					if g == n {
						return g, nil
					}
				}
				if lenient && n >= 0 {
					return n, nil
				}
				return 0, unknown
			}
			if g, ok := oracleGroups[name]; ok {
				return g, nil
			}
			if lenient && name != "" {
				return synthetic(name), nil
			}
			return 0, unknown
		},
		Plugin: func(spec string) error {
			switch module, attribute, _ := strings.Cut(spec, ":"); {
			case slices.Contains([]string{"supervisor.rpcinterface:make_main_rpcinterface", "supervisor.dispatchers:default_handler", "supervisor.supervisorctl:DefaultControllerPlugin"}, spec):
				return nil
			case module == "supervisor.rpcinterface", module == "supervisor.dispatchers":
				return fmt.Errorf("module '%s' has no attribute '%s'", module, attribute)
			case strings.HasPrefix(module, "supervisor."):
				return fmt.Errorf("No module named '%s'", module)
			case lenient:
				return nil
			default:
				first, _, _ := strings.Cut(strings.TrimSpace(module), ".")
				return fmt.Errorf("No module named %s", repr(first))
			}
		},
	}
	cfg, err := Load(caseFS{fsys}, path.Join(oracleRoot, cmp.Or(c.Main, "supervisord.conf"))[1:], o)
	require.NotNil(t, cfg, "%s: %v", c.Name, err)
	require.Equal(t, err != nil, cfg.Refusal() != "", "%s: the error says whether supervisord refuses", c.Name)
	for f := range cfg.Files() {
		require.False(t, f.Changed(), c.Name)
	}
	return cfg
}

// A caseFS hides from include patterns what is not a file of the case, as the
// oracle does.
type caseFS struct{ fstest.MapFS }

func (f caseFS) Lstat(name string) (fs.FileInfo, error) {
	if !strings.HasPrefix("/"+name, oracleRoot+"/") {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	return fs.Stat(f.MapFS, name)
}

func (f caseFS) ReadLink(name string) (string, error) { return fs.ReadLink(f.MapFS, name) }

// An agreement counts how often Supervisor and the package say the same.
type agreement struct {
	cases, verdicts, documents, refusals, messages int
	clients                                        int
	standIns, shown                                int
}

// A stand-in is an answer of the oracle's own making, not of Supervisor's. Its
// files stand elsewhere than they say, so that it knows no directory above them,
// and a message that Python cuts in the middle of their place shows where;
// it finds no plug-ins but Supervisor's own, without parsing their names; and
// what is no function it shows in its own way.
func standIn(got, want map[string]any) bool {
	theirs, _ := want["error"].(string)
	factories, _ := json.Marshal(want["rpcinterfaces"])
	return noDirectory.MatchString(theirs) || strings.Contains(theirs, "/dev/shm/") || noPlugin.MatchString(theirs) && !strings.HasPrefix(theirs, "supervisor.") ||
		bytes.Contains(factories, []byte(`"\u003cmodule '`))
}

var (
	noDirectory = regexp.MustCompile(`^The directory named as part of the path ` + oracleRoot + `[^/ ]* does not exist`)
	noPlugin    = regexp.MustCompile(`(?s)^.* cannot be resolved within \[`)
)

// compare compares what the oracle says with what we do.
func (a *agreement) compare(t *testing.T, c *oracleCase, cfg *Config, answer []byte) {
	t.Helper()
	a.cases++
	ours, err := json.Marshal(cfg.Resolved())
	require.NoError(t, err)
	got, want := document(t, ours), document(t, answer)
	a.compareClient(t, c, cfg, answer)
	show := func(what string) {
		if a.shown++; a.shown <= 10 {
			t.Logf("%s: %s\nfiles %q\nenv %q\n got %s\nwant %s", c.Name, what, c.Files, c.Env, ours, answer)
		}
	}
	if standIn(got, want) && !reflect.DeepEqual(got, want) {
		a.standIns++
		t.Logf("%s: a stand-in's answer\n got %.200s\nwant %.200s", c.Name, ours, answer)
		return
	}
	if got["ok"] != want["ok"] {
		show("one accepts what the other refuses")
		return
	}
	a.verdicts++
	if want["ok"] == false {
		a.refusals++
		if sameMessage(got["error"].(string), want["error"].(string)) {
			a.messages++
		} else {
			show("another message")
		}
		return
	}
	if reflect.DeepEqual(got, want) {
		a.documents++
		return
	}
	show("other values: " + difference(got, want))
}

// compareClient does the same with what supervisorctl says of the main file.
func (a *agreement) compareClient(t *testing.T, c *oracleCase, cfg *Config, answer []byte) {
	t.Helper()
	var theirs struct{ Ctl json.RawMessage }
	require.NoError(t, json.Unmarshal(answer, &theirs))
	ours, err := json.Marshal(cfg.Supervisorctl.Resolved())
	require.NoError(t, err)
	got, want := document(t, ours), document(t, theirs.Ctl)
	if message, ok := got["error"].(string); ok && want["error"] != nil && sameMessage(message, want["error"].(string)) {
		got["error"] = want["error"]
	}
	if reflect.DeepEqual(got, want) || standIn(got, want) {
		a.clients++
		return
	}
	if a.shown++; a.shown <= 10 {
		t.Logf("%s: supervisorctl\nfiles %q\n got %s\nwant %s", c.Name, c.Files, ours, theirs.Ctl)
	}
}

func document(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&m), "%s", text)
	for _, k := range []string{"name", "raw", "ctl"} {
		delete(m, k)
	}
	return m
}

var unknownEvent = regexp.MustCompile(`(?s)^Unknown event type .*? in \[`)

// sameMessage compares messages. Secrets are masked in ours: where it says ***,
// any text will do. Of several unknown events, Supervisor names the first of a
// Python set, which has no order.
func sameMessage(got, want string) bool {
	if got == want || unknownEvent.MatchString(got) && unknownEvent.ReplaceAllString(got, "") == unknownEvent.ReplaceAllString(want, "") {
		return true
	}
	parts := strings.Split(got, masked)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return len(parts) > 1 && regexp.MustCompile(`(?s)^`+strings.Join(parts, ".*")+`$`).MatchString(want)
}

// difference names the first place in which two documents differ.
func difference(a, b any) string {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok {
		for _, k := range slices.Sorted(maps.Keys(bm)) {
			if !reflect.DeepEqual(am[k], bm[k]) {
				return k + "." + difference(am[k], bm[k])
			}
		}
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			if !reflect.DeepEqual(al[i], bl[i]) {
				return strconv.Itoa(i) + "." + difference(al[i], bl[i])
			}
		}
	}
	return fmt.Sprintf(" got %v, want %v", a, b)
}

// lines runs a program with lines on its input and returns those of its output.
func runLines(t *testing.T, in []byte, name string, args ...string) [][]byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.Bytes())
	var lines [][]byte
	s := bufio.NewScanner(bytes.NewReader(out))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		lines = append(lines, bytes.Clone(s.Bytes()))
	}
	require.NoError(t, s.Err())
	return lines
}

// compareAll asks the oracle about all cases and compares.
func compareAll(t *testing.T, cases [][]byte) agreement {
	oracle := testenv.Shared(t, "oracle/supervisor/supervisor_oracle.py")
	py := testenv.Python(t)
	var version struct{ Supervisor string }
	require.NoError(t, json.Unmarshal(runLines(t, nil, py, oracle, "--version")[0], &version))
	answers := runLines(t, bytes.Join(cases, []byte("\n")), py, oracle, "--jsonl", "--ctl")
	require.Len(t, answers, len(cases))
	var a agreement
	for i, line := range cases {
		var c oracleCase
		require.NoError(t, json.Unmarshal(line, &c))
		a.compare(t, &c, c.load(t, version.Supervisor), answers[i])
	}
	t.Logf("Supervisor %s: %+v", version.Supervisor, a)
	return a
}

// TestOracleGeneratedCases compares accept or refuse, every value and every
// message with Supervisor's own, on ORACLE_CASES generated cases and on the
// hand-made edge cases: all of them if ORACLE_CASES is set, else one in eight.
// All kinds of case take part.
func TestOracleGeneratedCases(t *testing.T) {
	generator := testenv.Shared(t, "oracle/supervisor/supervisor_cases.py")
	py := testenv.Python(t)
	seed, n := testenv.Size(t, 200)
	cases := runLines(t, nil, py, generator, strconv.Itoa(n), "--seed", strconv.FormatUint(seed, 10))
	if os.Getenv("ORACLE_CASES") == "" {
		edges := uint64(0)
		cases = slices.DeleteFunc(cases, func(line []byte) bool {
			if !bytes.Contains(line, []byte(`"name": "edge-`)) {
				return false
			}
			edges++
			return (edges+seed)%8 != 0
		})
	}
	a := compareAll(t, cases)
	require.Equal(t, a.cases-a.standIns, a.documents+a.messages, "seed %d", seed)
	require.Equal(t, a.cases, a.clients, "seed %d", seed)
	require.LessOrEqual(t, a.standIns, 2+a.cases/500, "seed %d", seed)
}

// realCases are real files: each by itself, and, since most are fragments,
// included by a main file on a machine that has all users and directories,
// without and with the variables that it asks for.
func realCases(t *testing.T) []oracleCase {
	dir := testenv.Shared(t, "corpus/supervisor/real")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	variable := regexp.MustCompile(`%\(ENV_(\w+)\)`)
	var cases []oracleCase
	for _, f := range files {
		if f.Name() == "README.md" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		data := base64.StdEncoding.EncodeToString(text)
		env := map[string]string{}
		for _, m := range variable.FindAllSubmatch(text, -1) {
			env[string(m[1])] = "1"
		}
		main := map[string]string{"supervisord.conf": "[supervisord]\n[include]\nfiles = real.conf\n"}
		cases = append(cases,
			oracleCase{Name: "alone " + f.Name(), Files: map[string]string{}, B64: map[string]string{"supervisord.conf": data}},
			oracleCase{Name: "included " + f.Name(), Files: main, B64: map[string]string{"real.conf": data}, FS: "lenient"},
			oracleCase{Name: "with variables " + f.Name(), Files: main, B64: map[string]string{"real.conf": data}, FS: "lenient", Env: env})
	}
	return cases
}

// TestOracleRealFiles compares the same of real files.
func TestOracleRealFiles(t *testing.T) {
	var cases [][]byte
	for _, c := range realCases(t) {
		line, err := json.Marshal(c)
		require.NoError(t, err)
		cases = append(cases, line)
	}
	a := compareAll(t, cases)
	require.Equal(t, a.cases-a.standIns, a.documents+a.messages)
	require.Equal(t, a.cases, a.clients)
	require.LessOrEqual(t, a.standIns, 2)
}

// TestOracleSupervisorctl compares what supervisorctl takes from a file.
func TestOracleSupervisorctl(t *testing.T) {
	var cases [][]byte
	for _, text := range []string{
		"[supervisorctl]\nserverurl=unix:///run/../x.sock\nprompt=%%\nusername=\npassword=p ; c\nhistory_file=h",
		"[supervisorctl]\nserverurl=unix://~/x\nhistory_file=~root/h",
		"[supervisorctl]\nserverurl=unix://\nhistory_file=",
		"[supervisorctl]\nserverurl=%(here)s %(ENV_X)s %(host_node_name)s",
		"[supervisorctl]\nhistory_file=%(here)s/%(ENV_X)s",
		"[supervisorctl]\nprompt=%(here)s",
		"[supervisorctl]\nusername=%(ENV_Y)s",
		"environment=Y=\"1\"\n[supervisorctl]\nusername=%(ENV_Y)s",
		"[supervisorctl]\nprompt=a\n[supervisorctl]\nPrompt=b\n[DEFAULT]\nusername=u",
		"[Supervisorctl]\n",
		"[supervisorctl]\n[include]\nfiles=%%(here)s\n[DEFAULT]\nprompt=%(here)s",
		"[supervisorctl]\n[ctlplugin:a]\nx=1",
		"[supervisorctl]\n[ctlplugin:a:b]\nsupervisor.ctl_factory=supervisor.supervisorctl:DefaultControllerPlugin\nx=%(ENV_X)s\n[DEFAULT]\ny=%%",
		"[supervisorctl]\n[ctlplugin:a]\nsupervisor.ctl_factory=nowhere:x",
		"[supervisorctl]\n[ctlplugin:a]\nsupervisor.ctl_factory=a b",
		"[supervisorctl]\nnonsense\n",
		"[supervisorctl]\nprompt=caf\xe9\n",
	} {
		line, err := json.Marshal(oracleCase{Name: "ctl", Files: map[string]string{}, Env: map[string]string{"X": "%y"},
			B64: map[string]string{"supervisord.conf": base64.StdEncoding.EncodeToString([]byte("[supervisord]\n" + text))}})
		require.NoError(t, err)
		cases = append(cases, line)
	}
	cases = append(cases, []byte(`{"files":{"supervisord.conf":"[include]\nfiles=a","a":"[supervisord]\n[supervisorctl]\n"}}`), []byte(`{"files":{"supervisord.conf":"x\n[supervisord]"}}`))
	a := compareAll(t, cases)
	require.Equal(t, a.cases, a.clients)
}
