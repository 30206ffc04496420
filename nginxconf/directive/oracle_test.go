package directive

import (
	"cmp"
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// A judge is the installed nginx with all the modules that it can load.
type judge struct {
	path, dir string
	load      string // load_module directives
	table     *Table // what we take it to know
}

// newJudge finds nginx, or ends the test. ORACLE_MODULES may name directories
// with further modules, joined by ":".
func newJudge(t *testing.T) *judge {
	t.Helper()
	path := testenv.Program(t, "nginx")
	out, err := exec.Command(path, "-V").CombinedOutput()
	require.NoError(t, err, "%s", out)
	about := string(out)
	j := &judge{path: path, dir: t.TempDir()}

	var files []string
	dirs := filepath.SplitList(os.Getenv("ORACLE_MODULES"))
	if m := regexp.MustCompile(`--modules-path=(\S+)`).FindStringSubmatch(about); m != nil {
		dirs = append(dirs, m[1])
	}
	for _, dir := range dirs {
		found, err := filepath.Glob(filepath.Join(dir, "*.so"))
		require.NoError(t, err)
		files = append(files, found...)
	}
	needed := func(file string) bool { // by other modules
		return slices.Contains([]string{"ndk_http_module.so", "ngx_stream_module.so", "ngx_mail_module.so"}, filepath.Base(file))
	}
	slices.SortStableFunc(files, func(a, b string) int {
		return cmp.Compare(map[bool]int{false: 1}[needed(a)], map[bool]int{false: 1}[needed(b)])
	})
	loaded := make(map[string]bool)
	for _, file := range files {
		line := "load_module " + file + ";\n"
		if said := j.ask(t, "load.conf", line+"events{}"); said != "" {
			t.Logf("cannot be loaded: %s", said)
			continue
		}
		j.load += line
		lib, err := elf.Open(file)
		require.NoError(t, err)
		symbols, err := lib.DynamicSymbols()
		require.NoError(t, err)
		for _, s := range symbols {
			if s.Section != elf.SHN_UNDEF {
				loaded[s.Name] = true
			}
		}
		require.NoError(t, lib.Close())
	}

	table, err := Nginx(packageVersion(t, about))
	require.NoError(t, err)
	for m := range table.Own().Built(strings.ReplaceAll(about, "=dynamic", "=later")).Modules() {
		loaded[m] = true
	}
	var names []string
	for m := range table.Modules() {
		if loaded[m] {
			names = append(names, m)
		}
	}
	j.table = table.Only(names...)
	t.Logf("nginx %s with %d modules that have directives, %d files loaded", j.table.Version(), len(names), len(files))
	return j
}

// packageVersion returns the version of Debian's package, or else of nginx.
func packageVersion(t *testing.T, about string) string {
	t.Helper()
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", "nginx").Output()
	if err == nil && len(out) > 0 {
		return string(out)
	}
	m := regexp.MustCompile(`nginx version: nginx/([0-9.]+)`).FindStringSubmatch(about)
	require.NotNil(t, m, "%s", about)
	return m[1]
}

// around is what has to stand around a directive in each context.
var around = map[Context][2]string{
	Main:            {"events{}\n", "\n"},
	Events:          {"events{\n", "\n}"},
	HTTP:            {"events{}http{\n", "\n}"},
	HTTPServer:      {"events{}http{server{\n", "\n}}"},
	HTTPLocation:    {"events{}http{server{location /{\n", "\n}}}"},
	HTTPUpstream:    {"events{}http{upstream u{\n", "\nserver 127.0.0.1;}}"},
	HTTPServerIf:    {"events{}http{server{if ($host){\n", "\n}}}"},
	HTTPLocationIf:  {"events{}http{server{location /{if ($host){\n", "\n}}}}"},
	HTTPLimitExcept: {"events{}http{server{location /{limit_except GET{\n", "\n}}}}"},
	Mail:            {"events{}mail{auth_http http://127.0.0.1/;\n", "\n}"},
	MailServer:      {"events{}mail{auth_http http://127.0.0.1/;server{listen 25;protocol smtp;\n", "\n}}"},
	Stream:          {"events{}stream{\n", "\n}"},
	StreamServer:    {"events{}stream{server{listen 127.0.0.1:9;\n", "\nreturn x;}}"},
	StreamUpstream:  {"events{}stream{upstream u{\n", "\nserver 127.0.0.1:1;}}"},
	RTMP:            {"events{}rtmp{\n", "\n}"},
	RTMPServer:      {"events{}rtmp{server{\n", "\n}}"},
	RTMPApplication: {"events{}rtmp{server{application a{\n", "\n}}}"},
	RTMPRecorder:    {"events{}rtmp{server{application a{recorder r{\n", "\n}}}}"},
}

// ask returns the first error in a configuration, "" if there is none.
func (j *judge) ask(t *testing.T, name, src string) string {
	t.Helper()
	file := filepath.Join(j.dir, name)
	require.NoError(t, os.WriteFile(file, []byte(j.load+src), 0o600))
	out, err := exec.Command(j.path, "-t", "-q", "-p", j.dir, "-c", file, "-e", "stderr", "-g", "pid nginx.pid;").CombinedOutput()
	if err == nil {
		return ""
	}
	if m := emerg.FindSubmatch(out); m != nil {
		return string(m[1])
	}
	return string(out)
}

var emerg = regexp.MustCompile(`\[emerg\] \d+#\d+: (.*?)(?: in \S+:\d+)?\n`)

// answer is what the table makes nginx say of a directive before it looks at
// the arguments: ngx_conf_handler, in its words. It is "" if there is nothing.
func answer(forms []Form, name string, c Context, args int, opened bool) string {
	if forms == nil {
		return fmt.Sprintf("unknown directive %q", name)
	}
	for _, f := range forms {
		switch {
		case f.Contexts&c == 0:
			continue
		case !f.Block && opened:
			return fmt.Sprintf(`directive %q is not terminated by ";"`, name)
		case f.Block && !opened:
			return fmt.Sprintf(`directive %q has no opening "{"`, name)
		case !f.Args.Takes(args):
			return fmt.Sprintf("invalid number of arguments in %q directive", name)
		}
		return ""
	}
	return fmt.Sprintf("%q directive is not allowed here", name)
}

var general = regexp.MustCompile(`^(unknown directive ".*"|directive ".*" (is not terminated by ";"|has no opening "\{")|invalid number of arguments in ".*" directive|".*" directive is not allowed here)$`)

// newer are directives of modules whose Debian 12 package is older than the
// sources that the table was made from.
var newer = regexp.MustCompile(`^(balancer_keepalive|lua_ssl_(certificate|certificate_key|key_log)|lua_upstream_skip_openssl_default_verify|precontent_by_.*|` +
	`proxy_ssl_(certificate|verify)_by_.*|js_.*|cache_purge_.*|fancyindex_case_sensitive|nchan_redis_server)$`)

// TestOracleForms asks the installed nginx about the directives of its version:
// in a random context, with a random number of arguments and a random end. It
// says of each what the table says. Of ORACLE_CASES questions, the first ones
// are about each directive once.
func TestOracleForms(t *testing.T) {
	j := newJudge(t)
	seed, cases := testenv.Size(t, 400)
	r := rand.New(rand.NewPCG(seed, 0))

	var names []string
	for name := range All().eachName() {
		if newer.MatchString(name) && j.table.Lookup(name) != nil {
			continue
		}
		names = append(names, name)
	}
	var contexts []Context
	for c := range around {
		if c&(RTMP|RTMPServer|RTMPApplication|RTMPRecorder) == 0 || j.table.Lookup("rtmp") != nil {
			contexts = append(contexts, c)
		}
	}
	slices.Sort(contexts)

	type question struct {
		name, text string
		context    Context
		want       string
	}
	ask := func(name string) question {
		forms := j.table.Lookup(name)
		c := contexts[r.IntN(len(contexts))]
		var fitting Context
		for _, f := range forms {
			fitting |= f.Contexts
		}
		if r.IntN(3) > 0 && fitting != 0 { // most of the mistakes that are possible need the right place
			for c&fitting == 0 {
				c = contexts[r.IntN(len(contexts))]
			}
		}
		args, opened := r.IntN(10), r.IntN(4) == 0
		if args > 5 {
			args = r.IntN(3) // the ones that are near the border
		}
		text := name + strings.Repeat(" x", args)
		if opened {
			text += " {}"
		} else {
			text += ";"
		}
		return question{name, around[c][0] + text + around[c][1], c, answer(forms, name, c, args, opened)}
	}

	var questions []question
	order := r.Perm(len(names))
	for i := range int(cases) {
		questions = append(questions, ask(names[order[i%len(order)]]))
	}

	var mu sync.Mutex
	var wg sync.WaitGroup
	next := 0
	for worker := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(questions) {
					return
				}
				q := questions[i]
				got := j.ask(t, fmt.Sprintf("asked%d.conf", worker), q.text)
				if !general.MatchString(got) {
					got = "" // it has come to the arguments
				}
				assert.Equal(t, q.want, got, "%s in %s:\n%s", q.name, q.context, q.text)
			}
		})
	}
	wg.Wait()
}

// TestOracleVariables asks the installed nginx which variables it has, and which
// of them "set" may define.
func TestOracleVariables(t *testing.T) {
	j := newJudge(t)
	inHTTP := func(s string) string { return "events{} http { server { location / { " + s + " } } }" }
	inStream := func(s string) string { return "events{} stream { server { listen 9; " + s + " return x; } }" }

	var reads, sets [2]strings.Builder
	type question struct{ src, want string }
	var questions []question
	for v := range All().Variables() {
		area, in := 0, inHTTP
		if v.Area == Stream {
			area, in = 1, inStream
		}
		known, ok := j.table.Variable(v.Name)
		ok = ok && known.Name == v.Name && known.Area&v.Area != 0
		switch {
		case !ok && !v.Addon && !v.Prefix:
			if _, family := j.table.Variable(v.Name); !family {
				questions = append(questions, question{in("set $x $" + v.Name + ";"), fmt.Sprintf("unknown %q variable", v.Name)})
			}
		case !ok:
		default:
			fmt.Fprintf(&reads[area], "set $x $%s; set $x $%s;", v.Name, strings.ToUpper(v.Name))
			if v.Changeable || v.Prefix {
				fmt.Fprintf(&sets[area], "set $%s x;", v.Name)
			} else {
				questions = append(questions, question{in("set $" + v.Name + " x;"), fmt.Sprintf("the duplicate %q variable", v.Name)})
			}
		}
	}
	for _, list := range [][2]strings.Builder{reads, sets} {
		assert.Empty(t, j.ask(t, "variables.conf", inHTTP(list[0].String())))
		assert.Empty(t, j.ask(t, "variables.conf", inStream(list[1].String())))
	}
	seed, cases := testenv.Size(t, 50)
	r := rand.New(rand.NewPCG(seed, 0))
	order := r.Perm(len(questions))
	for _, i := range order[:min(len(order), cases)] {
		assert.Equal(t, questions[i].want, j.ask(t, "variables.conf", questions[i].src), questions[i].src)
	}
}

// TestOracleOnce asks the installed nginx which directives may stand twice at
// one level.
func TestOracleOnce(t *testing.T) {
	j := newJudge(t)
	samples := map[Type]string{
		Flag: " on", String: " x", Size: " 1", Number: " 1", TimeMS: " 1s", TimeS: " 1s", Offset: " 1", Complex: " x",
		Predicate: " x", KeyVal: " a b", Buffers: " 4 8k", ComplexSize: " 1", Path: " x", Access: " user:rw",
	}
	custom := map[string]string{ // arguments that pass
		"aio": " off", "alias": " /x", "auth_request": " /x", "charset": " utf-8", "directio": " 1m", "disable_symlinks": " off",
		"error_page": " 404 /x", "expires": " off", "fastcgi_bind": " off", "index": " x", "internal": "", "keepalive": " 3",
		"keepalive_timeout": " 5", "limit_except": " GET {}", "open_file_cache": " off", "open_log_file_cache": " off",
		"proxy_cache": " off", "proxy_cache_key": " x", "proxy_pass": " http://127.0.0.1", "proxy_store": " off",
		"real_ip_header": " X", "resolver": " 127.0.0.1", "root": " /x", "ssl_ocsp_cache": " off", "try_files": " /a /b",
		"use": " epoll", "user": " root", "userid_mark": " off", "worker_processes": " 1", "worker_connections": " 9",
		"worker_priority": " 1", "allow": " all", "add_header": " a b", "access_log": " off", "starttls": " off",
		"geo": " $g {}", "set_real_ip_from": " unix:", "types": " {}", "js_content": " f", "lua_package_path": " x",
		"server_name": " x", "error_log": " stderr", "env": " X", "http": " {}", "sub_filter": " a b", "empty_gif": "",
	}
	var questions []Form
	for f := range j.table.Forms() {
		_, plain := samples[f.Type]
		_, ours := custom[f.Name]
		if plain || ours && f.Type == Custom || f.Type == Enum || f.Type == Bitmask {
			questions = append(questions, f)
		}
	}
	seed, cases := testenv.Size(t, 80)
	r := rand.New(rand.NewPCG(seed, 0))
	order := r.Perm(len(questions))
	passed := 0
	for _, i := range order[:min(len(order), cases)] {
		f := questions[i]
		line := f.Name
		switch {
		case f.Type == Custom:
			line += custom[f.Name]
		case len(f.Values) > 0:
			line += " " + f.Values[0]
		default:
			line += samples[f.Type]
		}
		if !strings.HasSuffix(line, "}") {
			line += ";"
		}
		var in [2]string
		for c, text := range around { // any: it is the same everywhere
			if f.Contexts&c != 0 {
				in = text
			}
		}
		got := j.ask(t, "once.conf", in[0]+line+"\n"+line+in[1])
		duplicate := fmt.Sprintf("%q directive is duplicate", f.Name)
		switch {
		case f.Repeats():
			assert.NotEqual(t, duplicate, got, line)
		case got == duplicate:
			passed++
		default: // the value was wrong, or a limit is: at any rate, not twice
			assert.NotEmpty(t, got, "%s stands twice", line)
		}
	}
	t.Logf("%d are duplicates", passed)
}

// TestOracleDefaults writes the documented defaults down: the installed nginx
// takes them as they are.
func TestOracleDefaults(t *testing.T) {
	j := newJudge(t)
	require.NoError(t, os.Mkdir(filepath.Join(j.dir, "logs"), 0o700))
	var src [2]strings.Builder // in http and in stream
	for name := range j.table.Own().eachName() {
		switch name {
		case "listen", "proxy_redirect": // need a free port, a proxy_pass
			continue
		}
		for i, c := range []Context{HTTP, Stream} {
			if d, ok := j.table.Describe(name, c); ok && d.Default != "" {
				fmt.Fprintf(&src[i], "%s %s;\n", name, d.Default)
			}
		}
	}
	for i, c := range []Context{HTTP, Stream} {
		text := around[c][0] + src[i].String() + around[c][1]
		assert.Empty(t, j.ask(t, "defaults.conf", text), text)
	}
}

// TestOracleReplacements compares the advice of the installed nginx on
// directives that are deprecated with ours.
func TestOracleReplacements(t *testing.T) {
	j := newJudge(t)
	advice := regexp.MustCompile(`\[warn\] .*?the "(\w+)" directive is (?:deprecated|obsolete), use the "([^"]+)" directive instead`)
	asked := 0
	for f := range j.table.Forms() {
		if !f.Deprecated || f.Addon {
			continue
		}
		asked++
		var in [2]string
		for c, text := range around {
			if f.Contexts&c != 0 {
				in = text
			}
		}
		value := map[bool]string{true: "on", false: "1"}[f.Type == Flag]
		file := filepath.Join(j.dir, "deprecated.conf")
		require.NoError(t, os.WriteFile(file, []byte(j.load+in[0]+f.Name+" "+value+";"+in[1]), 0o600))
		out, _ := exec.Command(j.path, "-t", "-p", j.dir, "-c", file, "-e", "stderr", "-g", "pid nginx.pid;").CombinedOutput()
		m := advice.FindSubmatch(out)
		require.NotNil(t, m, "%s: %s", f.Name, out)
		found := false
		for _, r := range Replacements(f.Name) {
			instead := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(r.Instead, ";"), "…", "..."), " ...", "")
			found = found || instead == strings.ReplaceAll(string(m[2]), " ...", "")
			assert.True(t, r.Due(j.table.Version()))
		}
		assert.True(t, found, "%s", m[0])
	}
	assert.NotZero(t, asked)
}
