package supervisorconf

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func added(t *testing.T, list ...Definition) string {
	t.Helper()
	f := &File{}
	for _, d := range list {
		s, err := f.Add(d)
		require.NoError(t, err)
		require.Same(t, f, s.File())
	}
	return string(f.Bytes())
}

// TestOracleFlatten has Supervisor read what Flatten writes of the
// configurations that it accepts: it holds the same. That takes all typed
// values through text and back.
func TestOracleFlatten(t *testing.T) {
	oracle := testenv.Shared(t, "oracle/supervisor/supervisor_oracle.py")
	generator := testenv.Shared(t, "oracle/supervisor/supervisor_cases.py")
	py := testenv.Python(t)
	seed, n := testenv.Size(t, 300)
	lines := runLines(t, nil, py, generator, strconv.Itoa(n), "--seed", strconv.FormatUint(seed, 10))
	if os.Getenv("ORACLE_CASES") == "" {
		lines = lines[len(lines)-n:]
	}
	for _, c := range realCases(t) {
		if c.Env != nil {
			line, err := json.Marshal(c)
			require.NoError(t, err)
			lines = append(lines, line)
		}
	}
	var in []byte
	var wanted []map[string]any
	var texts []string
	refused := map[string]int{}
	for _, line := range lines {
		var c oracleCase
		require.NoError(t, json.Unmarshal(line, &c))
		cfg := c.load(t, "4.2.5")
		if cfg.Refusal() != "" {
			continue
		}
		f, err := cfg.Flatten()
		if err != nil {
			refused[err.Error()]++
			continue
		}
		for name := range c.Files {
			if d := path.Dir(name); d != "." && d != oracleRoot {
				c.Dirs = append(c.Dirs, d)
			}
		}
		c.Files, c.B64, c.Main = map[string]string{"supervisord.conf": string(f.Bytes())}, nil, ""
		text, err := json.Marshal(c)
		require.NoError(t, err)
		in = append(append(in, text...), '\n')
		texts = append(texts, string(f.Bytes()))
		text, err = json.Marshal(cfg.Resolved())
		require.NoError(t, err)
		wanted = append(wanted, document(t, text))
	}
	answers := runLines(t, in, py, oracle, "--jsonl")
	require.Len(t, answers, len(wanted))
	for i, want := range wanted {
		got := document(t, answers[i])
		if message, _ := got["error"].(string); noDirectory.MatchString(message) { // a stand-in's answer
			continue
		}
		for _, m := range []map[string]any{got, want} {
			delete(m, "infos")
			delete(m, "warnings")
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: %v %s\n%s", seed, got["error"], difference(got, want), texts[i])
			if i > 100 {
				break
			}
		}
	}
	count := 0
	for message, k := range refused {
		count += k
		t.Logf("%d: %s", k, message)
		require.Regexp(t, `white space|process_name|names of all|Invalid name|cannot hold the value|logging level|would read something else`, message, "no other reasons")
	}
	require.Less(t, count*20, len(wanted))
	t.Logf("%d configurations written and read back equal, %d cannot be written", len(wanted), count)
}

// buildable makes a program at random, with any values at all.
func buildable(r *rand.Rand) *Program {
	text := func(most int) string {
		parts := []string{"a", "b c", "%", "%%", "%(x)s", ";", "#", " ", "\t", "\n", `"`, "'", `\`, "é", "\u00a0", "$HOME", "=", ",", ":", "/", "~", "[x]", "0", "12", "\r", "\xff", "\x00", "𝄞"}
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	number := func() int { return []int{0, 1, 7, -3, 30, 999, math.MaxInt, math.MinInt}[r.IntN(8)] }
	maybe := func() bool { return r.IntN(6) == 0 }
	p := NewProgram("p", "run")
	if maybe() {
		p.Name += text(1)
	}
	for range r.IntN(3) {
		n := len(p.Processes)
		p.Processes[0].Name, p.Processes[0].Command = "p_0", "run --port=8000 -v"
		p.AddProcess(fmt.Sprintf("p_%d", n), fmt.Sprintf("run --port=80%02d -v", n))
	}
	if maybe() {
		p.Processes[0].Command = text(4)
	}
	for _, o := range []struct {
		set func()
	}{
		{func() { p.Priority = number() }}, {func() { p.Autostart = false }}, {func() { p.Autorestart = Autorestart(r.IntN(3)) }},
		{func() { p.StartSecs = number() }}, {func() { p.StartRetries = number() }}, {func() { p.ExitCodes = []int{0, 2, 255}[:r.IntN(4)] }},
		{func() { p.StopSignal = Signal(r.IntN(40)) }}, {func() { p.StopWaitSecs = number() }},
		{func() { p.StopAsGroup = true }}, {func() { p.KillAsGroup = true }}, {func() { p.User = &User{text(2), 33, 33} }}, {func() { p.Umask = r.IntN(512) }},
		{func() { p.RedirectStderr, p.Processes[0].Stderr.File = true, LogNone }}, {func() { p.ServerURL = text(2) }},
	} {
		if maybe() {
			o.set()
		}
	}
	if p.StopAsGroup {
		p.KillAsGroup = true
	}
	for _, q := range p.Processes {
		if p.RedirectStderr {
			q.Stderr.File = LogNone
		}
		q.Stdout.MaxBytes = []int64{0, 1, 1 << 10, 50 << 20, 3 << 30}[len(p.Name)%5]
		q.Stderr.CaptureMaxBytes = int64(len(p.Name) % 3 << 20)
	}
	if q := p.Processes[0]; len(p.Processes) == 1 {
		if maybe() {
			q.Directory = text(3)
		}
		if maybe() {
			q.Stdout.File = LogFile("/" + text(3))
		}
		if maybe() {
			q.Environment = map[string]string{"A": text(3), "B_" + text(1): "x"}
		}
	}
	return p
}

// What can be written is read back equal, and written again it is the same
// text; what cannot be is refused, and nothing is written then.
func TestProgramsReadBackEqual(t *testing.T) {
	seed, _ := testenv.Size(t, 3000)
	r := rand.New(rand.NewPCG(seed, 2))
	written, refused := 0, map[string]int{}
	for range 3000 {
		p := buildable(r)
		f := &File{}
		if _, err := f.Add(p); err != nil {
			require.Empty(t, f.Bytes())
			refused[err.Error()]++
			continue
		}
		written++
		for _, version := range []string{"4.2.5", ""} {
			c, err := Load(host(main, "[supervisord]\n"+string(f.Bytes())), main, &LoadOptions{Version: version, IsDir: func(string) bool { return true },
				User: func(string) (int, int, error) { return 33, 33, nil }})
			require.NoError(t, err, "seed %d\n%s", seed, f.Bytes())
			require.Len(t, c.Programs, 1)
			q := c.Programs[0]
			require.Equal(t, p.Name, q.Name)
			require.Len(t, q.Processes, len(p.Processes))
			for i := range q.Processes {
				require.Equal(t, p.Processes[i].Name, q.Processes[i].Name)
				require.Equal(t, p.Processes[i].Number, q.Processes[i].Number)
				want := p.Processes[i].settings()
				for k, s := range q.Processes[i].settings() {
					require.True(t, s.equal(want[k]), "seed %d: %s: %v, want %v\n%s", seed, s.option, s.value, want[k].value, f.Bytes())
				}
			}
			again := &File{}
			_, err = again.Add(q)
			require.NoError(t, err)
			require.Equal(t, string(f.Bytes()), string(again.Bytes()))
		}
	}
	t.Logf("%d written, %d refused in %d ways", written, 3000-written, len(refused))
	require.Greater(t, written, 1000)
}

func TestAddWritesOnlyWhatIsNotTheDefault(t *testing.T) {
	web := NewProgram("web", `gunicorn --log="%h" app`)
	web.Processes[0].Environment = map[string]string{"LANG": "C.UTF-8", "RATE": "5%", "JSON": `{"a": 1}`}
	web.Processes[0].Stdout = Log{File: "/var/log/100%.log", MaxBytes: 1 << 20}
	web.RedirectStderr, web.Processes[0].Stderr.File = true, LogNone
	web.User, web.Umask, web.StopSignal, web.ExitCodes = &User{"www-data", 33, 33}, 0o27, 3, []int{0, 2}
	workers := NewProgram("worker", "")
	workers.Processes = nil
	for i := range 3 {
		workers.NumProcsStart = 8
		workers.AddProcess(fmt.Sprintf("worker-%d", 8+i), fmt.Sprintf("work --port=80%02d --of=3", 8+i))
	}
	group := NewGroup("all", web, workers)
	group.Priority = 5
	listener := NewEventListener("mail", "crashmail -a", "PROCESS_STATE_EXITED", "TICK_60")
	listener.BufferSize = 100
	fcgi := NewFastCGI("php", "php-cgi", "unix:///run/php.sock")
	fcgi.Processes[0].Program.User = &User{"www-data", 33, 33}
	fcgi.Socket.Mode = 0o770
	inet := NewInetServer("127.0.0.1", 9001)
	inet.Username, inet.Password = "admin", "50%"
	unix := NewUnixServer("/run/supervisor.sock")
	unix.Owner = User{"root:adm", 0, 4}
	sd := DefaultSupervisord()
	sd.LogLevel, sd.NoDaemon = LogWarn, true
	ctl := &Supervisorctl{ServerURL: "unix:///run/supervisor.sock", Prompt: "supervisor"}
	rpc := &RPCInterface{Name: "supervisor", Factory: "supervisor.rpcinterface:make_main_rpcinterface"}
	plugin := &CtlPlugin{Name: "cache", Factory: "cache:make", Options: map[string]string{"size": "5"}}

	assert.Equal(t, `[supervisord]
loglevel=warn
nodaemon=true

[inet_http_server]
username=admin
password=50%%
port=127.0.0.1:9001

[unix_http_server]
file=/run/supervisor.sock
chown=root:adm

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix:///run/supervisor.sock

[ctlplugin:cache]
supervisor.ctl_factory=cache:make
size=5

[program:web]
command=gunicorn --log="%%h" app
environment=
    JSON='{"a": 1}',
    LANG="C.UTF-8",
    RATE="5%%"
user=www-data
umask=027
exitcodes=0,2
stopsignal=QUIT
redirect_stderr=true
stdout_logfile=/var/log/100%%%%.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=0

[program:worker]
command=work --port=80%(process_num)02d --of=3
numprocs=3
numprocs_start=8
process_name=%(program_name)s-%(process_num)d

[group:all]
programs=web,worker
priority=5

[eventlistener:mail]
events=PROCESS_STATE_EXITED,TICK_60
buffer_size=100
command=crashmail -a

[fcgi-program:php]
socket=unix:///run/php.sock
socket_mode=0770
command=php-cgi
user=www-data
`, added(t, sd, inet, unix, rpc, ctl, plugin, web, workers, group, listener, fcgi))
}

func TestAddRefusesWhatNoFileCanHold(t *testing.T) {
	program := func(change func(p *Program, q *Process)) *Program {
		p := NewProgram("a", "x")
		change(p, p.Processes[0])
		return p
	}
	several := program(func(p *Program, q *Process) { p.AddProcess("b", "y") })
	percent := DefaultSupervisord()
	percent.Environment = map[string]string{"A": "50%"} // doubled for 4.4, twice that before
	full := &File{}
	_, err := full.Add(NewProgram("a", "x"))
	require.NoError(t, err)
	for _, c := range []struct {
		d   Definition
		why string
	}{
		{program(func(_ *Program, q *Process) { q.Command = "sh -c 'a ; b'" }), `[program:a] cannot be written: the value of command cannot be written: white space before ";" or "#" starts a comment`},
		{program(func(_ *Program, q *Process) { q.Environment = map[string]string{"A": `'"`} }), `environment cannot hold the value of "A"`},
		{program(func(_ *Program, q *Process) { q.Environment = map[string]string{"A": "x ;y"} }), "white space before"},
		{program(func(p *Program, _ *Process) { p.StopSignal = 40 }), "value '40' is not a valid signal number"},
		{program(func(p *Program, _ *Process) { p.ExitCodes = []int{256} }), "not a valid list of exit codes"},
		{program(func(p *Program, _ *Process) { p.StopAsGroup = true }), "Cannot set stopasgroup=true and killasgroup=false"},
		{program(func(p *Program, _ *Process) { p.Name = "a b" }), "Invalid name: 'a b' because of character: ' '"},
		{program(func(_ *Program, q *Process) { q.Stdout.File = "~/x" }), "supervisord replaces the ~ of stdout_logfile by a home directory"},
		{program(func(_ *Program, q *Process) { q.Stdout.File = "none" }), "no file can hold this value of stdout_logfile"},
		{program(func(p *Program, _ *Process) { p.ServerURL = "auto" }), "no file can hold this value of serverurl"},
		{several, "no one text gives the command of all processes of a"},
		{program(func(p *Program, q *Process) { p.AddProcess("a", "x").Number = 7 }), "not numbered one after the other"},
		{percent, "badly formatted"},
		{&Supervisord{}, "bad logging level name"},
		{NewUnixServer("run/x.sock"), "no file can hold this value of file"},
		{NewInetServer("HOST", 1), "no file can hold this value of port"},
		{NewInetServer("", 70000), "70000 is above upper bound (65535)"},
		{NewEventListener("l", "x"), `section requires an "events" line`},
		{NewFastCGI("f", "x", "unix://rel"), "is not an absolute path"},
		{NewGroup("g", NewProgram("a,b", "x")), "unknown program"},
		{&Group{Kind: KindFCGIProgram, Name: "f"}, "the group f has 0 programs and not one"},
		{&Program{Kind: KindFCGIProgram}, "is written with its Group"},
		{&RPCInterface{Name: "x", Factory: "a:b", Options: map[string]string{"Upper": "1"}}, "no file can hold this value of Upper"},
		{&CtlPlugin{Name: "x"}, ""},
		{&Supervisorctl{ServerURL: "unix://~/x"}, "replaces the ~ of serverurl"},
	} {
		f := &File{}
		_, err := f.Add(c.d)
		if assert.ErrorContains(t, err, c.why) {
			assert.Empty(t, f.Bytes())
		}
	}
	_, err = full.Add(NewProgram("a", "y"))
	assert.EqualError(t, err, "supervisorconf: there is a section [program:a] already")
	_, err = FormatEnvironment(map[string]string{"SECRET": `'x"`})
	assert.EqualError(t, err, `supervisorconf: environment cannot hold the value of "SECRET"`)
}

func TestFlattenShowsWhatAConfigurationComesTo(t *testing.T) {
	c := loads(t, `environment = LANG="C"
[program:web]
command = run --n=%(process_num)02d --in=%(here)s ; why
process_name = %(program_name)s_%(process_num)02d
numprocs = 2
startsecs = 1
environment = A="%(program_name)s"
[program:job]
command = %(group_name)s
numprocs = 0
[group:g]
programs = web, job
[include]
files = nothing
`, nil)
	f, err := c.Flatten()
	require.NoError(t, err)
	assert.Equal(t, `[supervisord]
environment=LANG="C"

[program:web]
command=run --n=%(process_num)02d --in=/etc
environment=A="web"
numprocs=2
process_name=%(program_name)s_%(process_num)02d

[program:job]
numprocs=0

[group:g]
programs=web,job
`, string(f.Bytes()))

	c = loads(t, "[program:a]\ncommand=%(group_name)s\n[group:g]\nprograms=a\n[group:h]\nprograms=a\n", nil)
	_, err = c.Flatten()
	assert.EqualError(t, err, "supervisorconf: the program a is not the same in all its groups")
}

func TestFormatEnvironment(t *testing.T) {
	text, err := FormatEnvironment(map[string]string{"B": `it's "x"`[:4], "A": `C:\x`})
	require.NoError(t, err)
	assert.Equal(t, "\nA='C:\\x',\nB=\"it's\"", text)
	text, err = FormatEnvironment(nil)
	require.NoError(t, err)
	assert.Empty(t, text)
	assert.Equal(t, "50%% %%(x)s", Escape("50% %(x)s"))
}
