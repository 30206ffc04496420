package supervisorconf

import (
	"encoding"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// host builds a root directory out of names and texts.
func host(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{"tmp": {Mode: fs.ModeDir | 0o755}, "var/log": {Mode: fs.ModeDir | 0o755}}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

const main = "etc/supervisord.conf"

// loads loads one file and requires that supervisord starts.
func loads(t *testing.T, text string, o *LoadOptions) *Config {
	t.Helper()
	c, err := Load(host(main, "[supervisord]\n"+text), main, o)
	require.NoError(t, err)
	return c
}

// refused loads one file and returns what is wrong with it.
func refused(t *testing.T, text string, o *LoadOptions) (*Config, []string) {
	t.Helper()
	c, err := Load(host(main, "[supervisord]\n"+text), main, o)
	require.Error(t, err)
	require.NotNil(t, c)
	require.NotEmpty(t, c.Refusal())
	var ds Diagnostics
	require.True(t, errors.As(err, &ds))
	var all []string
	for _, d := range ds {
		assert.Equal(t, slog.LevelError, d.Level)
		all = append(all, d.Error())
	}
	return c, all
}

func TestProcessesOfAProgram(t *testing.T) {
	c := loads(t, `environment = A="1",B="2"
[program:web]
command = run --n=%(process_num)02d --of=%(numprocs)d "a b"
process_name = %(program_name)s_%(process_num)d
numprocs = 3
numprocs_start = 9
environment = B="%(process_num)d"
stdout_logfile = /var/log/%(group_name)s.%(process_num)d.log
stdout_logfile_maxbytes = 1MB
stderr_logfile = NONE
startsecs = 5
exitcodes = 0,2
stopsignal = quit
autorestart = true
user = www-data
umask = 022
`, nil)
	require.Len(t, c.Programs, 1)
	p := c.Programs[0]
	assert.Equal(t, "web", p.Name)
	assert.Equal(t, "web", p.Group)
	assert.Equal(t, []int{0, 2}, p.ExitCodes)
	assert.Equal(t, "QUIT", p.StopSignal.String())
	assert.Equal(t, AutorestartAlways, p.Autorestart)
	assert.Equal(t, 5, p.StartSecs)
	assert.Equal(t, 0o22, p.Umask)
	assert.Equal(t, &User{"www-data", -1, -1}, p.User, "nobody was asked for the number")
	assert.Equal(t, "etc/supervisord.conf:12:13", p.Option("startsecs").ValuePos().String())
	assert.Nil(t, p.Option("priority"), "it has its default")
	assert.Equal(t, 999, p.Priority)

	require.Len(t, p.Processes, 3)
	var names []string
	for g, proc := range c.Processes() {
		names = append(names, g.Name+":"+proc.Name)
	}
	assert.Equal(t, []string{"web:web_10", "web:web_11", "web:web_9"}, names, "sorted as text")
	first := p.Processes[0]
	args, err := first.Args()
	require.NoError(t, err)
	assert.Equal(t, []string{"run", "--n=10", "--of=3", "a b"}, args)
	assert.Equal(t, map[string]string{"A": "1", "B": "10"}, first.Environment)
	assert.Equal(t, Log{File: "/var/log/web.10.log", MaxBytes: 1 << 20, Backups: 10}, first.Stdout)
	assert.Equal(t, LogNone, first.Stderr.File)
}

func TestDefaultsAreSupervisors(t *testing.T) {
	c := loads(t, "[program:a]\ncommand=x\n", nil)
	p := c.Programs[0]
	p.Processes, p.section, p.config = nil, nil, nil
	assert.Equal(t, &Program{
		Name: "a", Group: "a", NumProcs: 1, Priority: 999, Autostart: true, StartSecs: 1, StartRetries: 3, ExitCodes: []int{0},
		StopSignal: 15, StopWaitSecs: 10, Umask: -1,
	}, p)
	assert.Equal(t, Supervisord{
		MinFDs: 1024, MinProcs: 200, Umask: 0o22, LogFile: "supervisord.log", LogFileMaxBytes: 50 << 20, LogFileBackups: 10,
		LogLevel: LogInfo, PIDFile: "supervisord.pid", Identifier: "supervisor", ChildLogDir: "/tmp", Environment: map[string]string{},
		LogPath: "/supervisord.log", PIDPath: "/supervisord.pid",
	}, c.Supervisord)
}

func TestAllErrorsAtOnceAndSupervisorsFirst(t *testing.T) {
	c, all := refused(t, `minfds=x
[inet_http_server]
port=http
[program:a]
user=root
autostart=maybe
stopsignal=FOO
stdout_logfile=/no/such/x.log
[program:b]
command=%(nope)s
[group:g]
programs=a,c
`, nil)
	assert.Equal(t, []string{
		`etc/supervisord.conf:2:8: invalid literal for int() with base 10: 'x' [invalid-value]`,
		`etc/supervisord.conf:4:6: not a valid port number: 'http'  [invalid-value]`,
		`etc/supervisord.conf:5:1: program section program:a does not specify a command in section 'program:a' (file: '/etc/supervisord.conf') [missing-option]`,
		`etc/supervisord.conf:7:11: not a valid boolean value: 'maybe' in section 'program:a' (file: '/etc/supervisord.conf') [invalid-value]`,
		`etc/supervisord.conf:8:12: value 'FOO' is not a valid signal name in section 'program:a' (file: '/etc/supervisord.conf') [invalid-value]`,
		`etc/supervisord.conf:9:16: The directory named as part of the path /no/such/x.log does not exist in section 'program:a' (file: '/etc/supervisord.conf') [invalid-value]`,
		`etc/supervisord.conf:11:9: Format string '%(nope)s' for 'program:b.command' contains names ('nope') which cannot be expanded. Available names: group_name, here, host_node_name, numprocs, process_num, program_name in section 'program:b' (file: '/etc/supervisord.conf') [unknown-name]`,
		`etc/supervisord.conf:13:10: [program:a] names unknown program or fcgi-program c [unknown-program]`,
	}, all)
	assert.Equal(t, "invalid literal for int() with base 10: 'x'", c.Refusal(), "where supervisord stops")
	assert.Equal(t, `{"ok":false,"error":"invalid literal for int() with base 10: 'x'","kind":"usage"}`, marshal(t, c.Resolved()))
}

func TestErrorsThatFollowFromAnotherAreNotReported(t *testing.T) {
	_, all := refused(t, "environment=A=\n[program:a]\ncommand=%(ENV_A)s\nnumprocs=x\n", nil)
	assert.Equal(t, []string{
		"etc/supervisord.conf:2:13: Unexpected end of key/value pairs in value 'A=' [invalid-environment]",
		"etc/supervisord.conf:5:10: invalid literal for int() with base 10: 'x' in section 'program:a' (file: '/etc/supervisord.conf') [invalid-value]",
	}, all)
	_, all = refused(t, "[program:a]\ncommand x\n", nil)
	assert.Len(t, all, 1, "the command may be in the line that cannot be read")
	_, all = refused(t, "[program:a]\ncommand=x\nnumprocs=9\nprocess_name=%(process_num)d%(nope)s\n", nil)
	assert.Len(t, all, 1, "once, not for each process")
}

func TestIncludes(t *testing.T) {
	c, err := Load(host(
		main, "[include]\nfiles = conf.d/*.conf /srv/x.ini no/such ../etc/conf.d/a.conf\n[program:a]\ncommand=a %(here)s %%(here)s\nuser=0\n",
		"etc/conf.d/b.conf", "[program:b]\ncommand=%(here)s/b\n[include]\nfiles=c\n",
		"etc/conf.d/a.conf", "[program:a]\ncommand=over\n",
		"etc/conf.d/.hidden.conf", "[program:h]\ncommand=h\n",
		"srv/x.ini", "[supervisord]\n",
	), main, nil)
	require.NoError(t, err)
	var names, warnings []string
	for f := range c.Files() {
		names = append(names, f.Name)
	}
	assert.Equal(t, []string{main, "etc/conf.d/a.conf", "etc/conf.d/b.conf", "srv/x.ini"}, names)
	assert.Equal(t, "over", c.Group("a").Processes[0].Command)
	assert.Equal(t, "/etc/conf.d/b", c.Group("b").Processes[0].Command)
	assert.Equal(t, "etc/conf.d/a.conf:2:9", c.Option("program:a", "command").ValuePos().String())
	assert.Nil(t, c.Group("h"))
	for _, d := range c.Warnings {
		warnings = append(warnings, d.Error())
	}
	assert.Equal(t, []string{
		`etc/conf.d/b.conf:3:1: supervisord ignores [include] in an included file [nested-include]`,
		`etc/supervisord.conf:2:9: No file matches via include "/etc/no/such" [no-include]`,
		`etc/supervisord.conf:4:1: supervisord takes the command of [program:a] from etc/conf.d/a.conf:2:1 [overridden-option]`,
		`etc/supervisord.conf:4:9: because of [include], supervisord replaces %(here)s even behind a %: the value of command has a % before the path [corrupted-here]`,
	}, warnings)
	assert.NotNil(t, c.File("srv/x.ini"))
	assert.Nil(t, c.File("nope"))
}

// %%(here)s is an escaped percent sign, but with an [include] Supervisor
// replaces the text %(here)s in it first.
func TestHereIsReplacedEvenWhereEscaped(t *testing.T) {
	text := "[program:a]\ncommand=%%(here)s\n"
	assert.Equal(t, "%(here)s", loads(t, text, nil).Group("a").Processes[0].Command)
	_, all := refused(t, "[include]\nfiles=x\n"+text, nil)
	assert.Contains(t, all[0], "Format string '%/etc' for 'program:a.command' is badly formatted: unsupported format character '/' (0x2f) at index 1")
}

func TestErrorsInIncludedFilesNameThem(t *testing.T) {
	c, err := Load(host(main, "[supervisord]\n[include]\nfiles=a.conf b.conf\n", "etc/a.conf", "oops\n", "etc/b.conf", "[program:b]\ncommand=b\npriority=x\n"), main, nil)
	assert.EqualError(t, err, "etc/a.conf:1:1: File contains no section headers. file: '/etc/a.conf', line: 1 'oops\\n' [missing-section-header]\n"+
		"etc/b.conf:3:10: invalid literal for int() with base 10: 'x' [invalid-value]")
	assert.Equal(t, "File contains no section headers.\nfile: '/etc/a.conf', line: 1\n'oops\\n'", c.Refusal())
}

func TestUnreadable(t *testing.T) {
	c, err := Load(host(), main, nil)
	assert.Nil(t, c)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Load(host(), "tmp", nil)
	assert.ErrorContains(t, err, "is a directory")
	_, err = LoadFile(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Load(host(main, ""), main, &LoadOptions{Version: "3.4"})
	assert.ErrorContains(t, err, "Supervisor 3.4 is not known")
	_, err = Load(host(main, ""), main, &LoadOptions{Version: "four"})
	assert.ErrorContains(t, err, `"four" is no version`)

	// Supervisor passes over an included file that it cannot read.
	c, err = Load(host(main, "[supervisord]\n[include]\nfiles=/tmp\n"), main, nil)
	require.NoError(t, err)
	assert.Contains(t, c.Warnings[0].Message, "skips the included file /tmp")
}

func TestLoadFileReadsAsThisHostWould(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ONEHOST_TEST", "from the environment")
	name := filepath.Join(dir, "s.conf")
	require.NoError(t, os.WriteFile(name, []byte("[supervisord]\nuser=0\n[program:a]\ncommand=%(ENV_ONEHOST_TEST)s\nstdout_logfile=%(here)s/x\n"), 0o644))
	c, err := LoadFile(name)
	if _, _, unknown := hostUser("0"); unknown != nil { // Windows
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	assert.Equal(t, 0, c.Supervisord.User.UID)
	p := c.Group("a").Processes[0]
	assert.Equal(t, "from the environment", p.Command)
	assert.Equal(t, LogFile(dir+"/x"), p.Stdout.File)
	assert.Equal(t, name+":1:1", c.Root.Section("supervisord", "").Pos().String())
}

func TestEnvironmentIsReadAsTheVersionDoes(t *testing.T) {
	text := "[program:a]\ncommand=x\nenvironment=A=\"x\\\"y\"\n"
	assert.Equal(t, map[string]string{"A": `x"y`}, loads(t, text, nil).Programs[0].Processes[0].Environment)
	assert.Equal(t, map[string]string{"A": `x\`}, loads(t, text, &LoadOptions{Version: "4.2.5"}).Programs[0].Processes[0].Environment)
	text = "environment=A=\"50%%\"\n"
	assert.Equal(t, map[string]string{"A": "50%"}, loads(t, text, &LoadOptions{Version: "4.4.0.dev0"}).Supervisord.Environment)
	_, all := refused(t, text, &LoadOptions{Version: "4.3.0"})
	assert.Contains(t, all[0], "badly formatted", "expanded twice")
}

func TestHooksDecide(t *testing.T) {
	no := errors.New("no")
	o := &LoadOptions{
		Version: "4.2.5", Dir: "/srv", Here: "/elsewhere", HostNodeName: "h1", Environ: []string{"X=1", "X=2", "HOME=/home/me"},
		IsDir: func(p string) bool { return p == "/srv/logs" || p == "/home/me" },
		User: func(name string) (int, int, error) {
			return 7, 8, map[bool]error{false: no}[name == "me" || name == "7"]
		},
		Group:  func(name string) (int, error) { return 9, map[bool]error{false: no}[name == "us"] },
		Plugin: func(spec string) error { return map[bool]error{false: no}[spec == "a:b"] },
	}
	c := loads(t, "user=me\n[program:p]\ncommand=%(here)s %(host_node_name)s %(ENV_X)s\nstdout_logfile=logs/x\nstderr_logfile=~/y\nuser=7\n"+
		"[unix_http_server]\nfile=s.sock\nchown=me:us\n[rpcinterface:r]\nsupervisor.rpcinterface_factory=a:b\n", o)
	p := c.Programs[0]
	assert.Equal(t, "/elsewhere h1 1", p.Processes[0].Command)
	assert.Equal(t, LogFile("/home/me/y"), p.Processes[0].Stderr.File)
	assert.Equal(t, &User{"7", 7, 8}, p.User)
	assert.Equal(t, User{"me:us", 7, 9}, c.Servers[0].Owner)
	assert.Equal(t, "/srv/s.sock", c.Servers[0].Path)
	assert.Equal(t, "unix:///srv/s.sock", c.Supervisord.ServerURL)

	_, all := refused(t, "user=you\n[program:p]\ncommand=x\nuser=4711\nstdout_logfile=logs/no/x\n[unix_http_server]\nfile=s\nchown=me:them\n[rpcinterface:r]\nsupervisor.rpcinterface_factory=c:d\n", o)
	for i, want := range []string{"Invalid user name you", "Invalid user id 4711 in section", "The directory named as part of the path logs/no/x", "Invalid sockchown value me:them", "c:d cannot be resolved within [rpcinterface:r]"} {
		assert.Contains(t, all[i], want)
	}
}

func TestGroupsListenersAndFastCGI(t *testing.T) {
	c := loads(t, `[program:b]
command=b
[program:a]
command=a
priority=5
[group:g]
programs=b, a
priority=1
[eventlistener:l]
command=l
events=TICK_5,process_state
[fcgi-program:f]
command=f
socket=unix:///run/%(program_name)s.sock
user=33
[inet_http_server]
port=*:9001
username=u
password=p
`, nil)
	var names []string
	for g, p := range c.Processes() {
		names = append(names, g.Kind.String()+" "+g.Name+":"+p.Name)
	}
	assert.Equal(t, []string{"eventlistener l:l", "program g:b", "program g:a", "fcgi-program f:f"}, names)
	assert.Equal(t, []string{"TICK_5", "PROCESS_STATE"}, c.Group("l").Events)
	assert.Equal(t, &Socket{URL: "unix:///run/f.sock", Path: "/run/f.sock", Mode: 0o700, Owner: &User{"33", 33, -1}}, c.Group("f").Socket)
	assert.Equal(t, "http://localhost:9001", c.Supervisord.ServerURL)
	assert.Equal(t, "group:g", c.Group("g").Section().Header())
	assert.Nil(t, c.Group("a"))
}

func TestWhatIsDroppedInSilence(t *testing.T) {
	c := loads(t, `stdout_logfile=/x
[program:a]
command=x
autorestrat=true
Startsec=5
dependent_startup=true
frobnicate=1
[progam:b]
command=b
[program b]
[nonsense]
[Supervisorctl]
[group:a]
programs=a
[program:c]
[program:d
command=x
`, nil)
	var got []string
	for _, d := range c.Warnings {
		assert.Equal(t, slog.LevelWarn, d.Level)
		s := strings.TrimPrefix(d.Error(), main+":")
		for _, f := range d.Fixes {
			s += " -> " + f.Edits[0].NewText
		}
		got = append(got, s)
	}
	assert.Equal(t, []string{
		"2:1: supervisord ignores the option stdout_logfile in [supervisord]; it belongs into [program:x] [unknown-option]",
		"5:1: supervisord ignores the option autorestrat in [program:a]; did you mean autorestart? [unknown-option] -> autorestart",
		"6:1: supervisord ignores the option Startsec in [program:a]; did you mean startsecs? [unknown-option] -> startsecs",
		"8:1: supervisord ignores the option frobnicate in [program:a] [unknown-option]",
		"9:1: supervisord ignores the section [progam:b]; did you mean [program:b]? [unknown-section] -> [program:b]",
		"11:1: supervisord ignores the section [program b]; did you mean [program:b]? [unknown-section] -> [program:b]",
		"12:1: supervisord ignores the section [nonsense] [unknown-section]",
		"13:1: supervisord ignores the section [Supervisorctl]; did you mean [supervisorctl]? [unknown-section] -> [supervisorctl]",
		`17:1: supervisord reads this as an option of [program:c]: the header lacks its "]" [unclosed-header] -> ]`,
	}, got)
}

func TestDuplicateGroupIsDropped(t *testing.T) {
	c := loads(t, "[program:a]\ncommand=a\n[program:b]\ncommand=b\n[group:a]\nprograms=b\n", nil)
	require.Len(t, c.Warnings, 1)
	assert.Equal(t, "etc/supervisord.conf:2:1: supervisord drops this group: [group:a] makes another of the name a [duplicate-group]", c.Warnings[0].Error())
	assert.Len(t, c.Diagnostics(), 1)
}

// The resolver asks for exactly the options that are called known.
func TestKnownOptionsAreThoseThatAreRead(t *testing.T) {
	for typ, options := range map[string]string{
		"supervisord": "", "program:x": "command=x", "eventlistener:x": "command=x\nevents=TICK", "fcgi-program:x": "command=x\nsocket=unix:///x",
		"group:x": "", "inet_http_server": "port=1", "unix_http_server": "file=/x",
	} {
		read := map[string]bool{}
		for _, info := range KnownOptions(typeOf(typ)) {
			key := info.Name
			// A value that no option takes, if it is looked at.
			text := "[" + typ + "]\n" + options + "\n" + key + "=%(looked_at)s\n"
			if typ != "supervisord" {
				text = "[supervisord]\n" + text
			}
			c, err := Load(host(main, text), main, nil)
			require.NotNil(t, c)
			if assert.ErrorContains(t, err, "looked_at", "%s in [%s]", key, typ) {
				read[key] = true
			}
		}
		assert.NotEmpty(t, read)
	}
}

func TestSecretsStayOutOfMessagesAndJSON(t *testing.T) {
	c, all := refused(t, "environment=DB_PASSWORD=hu$nter2,x\n[inet_http_server]\nport=1\nusername=u\npassword=hunter2%\n[program:a]\ncommand=run --token=hunter2 %(x)s\n", nil)
	assert.Len(t, all, 3)
	for _, text := range append(all, c.Refusal(), marshal(t, c)) {
		assert.NotContains(t, text, "nter2")
	}
	assert.Contains(t, all[1], "Format string '***' for 'inet_http_server.password' is badly formatted")

	c = loads(t, "[inet_http_server]\nport=1\nusername=u\npassword=hunter2\n[program:a]\ncommand=run --db=postgres://u:hunter2@h/ --api-key hunt\nenvironment=SECRET_KEY=\"hunter2\",A=\"1\"\n", nil)
	assert.NotContains(t, marshal(t, c), "hunter2")
	assert.Contains(t, marshal(t, c), `"A":"1"`)
	assert.Contains(t, marshal(t, c.Resolved()), `"password":"hunter2"`)
	_, err := (&Process{Command: `x --password=hunter2 "`}).Args()
	assert.EqualError(t, err, `supervisorconf: can't parse command 'x --password=***': No closing quotation`)
	_, err = (&Process{}).Args()
	assert.EqualError(t, err, "supervisorconf: command is empty")
}

func TestLimits(t *testing.T) {
	_, all := refused(t, "[program:a]\ncommand=x\nnumprocs=1000000000\nprocess_name=%(process_num)d\n", nil)
	assert.Contains(t, all[0], "more than 100000 processes")
	_, all = refused(t, "[program:a]\ncommand=x\n[group:g]\nprograms=a"+strings.Repeat(",a", maxProcesses+1)+"\n", nil)
	assert.Contains(t, all[0], "more than 100000 processes")
	_, all = refused(t, "[program:a]\ncommand=%(program_name)99999999d\n", nil)
	assert.Contains(t, all[0], "width too big")
	_, all = refused(t, "[program:a]\ncommand=%(process_num)999999d\nnumprocs=1000\nprocess_name=%(process_num)d\n", nil)
	assert.Contains(t, all[0], "expanded, the values are longer")
	// The other implementation in Go expands this without end.
	c := loads(t, "[program:a]\ncommand=%(ENV_PATH)s\nenvironment=PATH=\"/x:%(ENV_PATH)s\"\n", &LoadOptions{Environ: []string{"PATH=%(ENV_PATH)s"}})
	assert.Equal(t, "/x:%(ENV_PATH)s", c.Programs[0].Processes[0].Command)
	// An include that matches the file itself reads it once more, and no more.
	c = loads(t, "[include]\nfiles=*.conf\n", nil)
	assert.Len(t, slices.Collect(c.Files()), 1)
}

func TestBigIntegersAreExactInResolved(t *testing.T) {
	c := loads(t, "logfile_maxbytes=99999999999999GB\n[program:a]\ncommand=%(process_num)d\nstartsecs=99999999999999999999\nnumprocs_start=-99999999999999999999\n", nil)
	assert.Equal(t, int(^uint(0)>>1), c.Programs[0].StartSecs)
	doc := marshal(t, c.Resolved())
	assert.Contains(t, doc, `"startsecs":99999999999999999999`)
	assert.Contains(t, doc, `"logfile_maxbytes":107374182399998926258176`)
	assert.Contains(t, doc, `"command":"-99999999999999999999"`)
}

func TestLoadWritesNothingAndReadsNoEnvironment(t *testing.T) {
	t.Setenv("ONEHOST_TEST", "1")
	o := &LoadOptions{}
	_, all := refused(t, "[program:a]\ncommand=%(ENV_ONEHOST_TEST)s\n", o)
	assert.Contains(t, all[0], "cannot be expanded")
	assert.Equal(t, LoadOptions{}, *o)
}

func TestEnumerations(t *testing.T) {
	for _, v := range []encoding.TextMarshaler{
		KindProgram, KindFCGIProgram, KindEventListener, AutorestartUnexpected, AutorestartAlways, AutorestartNever, FamilyInet, FamilyUnix,
		LogBlather, LogTrace, LogDebug, LogInfo, LogWarn, LogError, LogCritical, Signal(0), Signal(15), Signal(64),
	} {
		text, err := v.MarshalText()
		require.NoError(t, err)
		var back encoding.TextUnmarshaler
		switch v.(type) {
		case Kind:
			back = new(Kind)
		case Autorestart:
			back = new(Autorestart)
		case Family:
			back = new(Family)
		case LogLevel:
			back = new(LogLevel)
		case Signal:
			back = new(Signal)
		}
		require.NoError(t, back.UnmarshalText(text))
		assert.EqualValues(t, v, deref(back))
		assert.Error(t, back.UnmarshalText([]byte("always")))
	}
	assert.Equal(t, "Kind(9)", Kind(9).String())
	_, err := Autorestart(9).MarshalText()
	assert.Error(t, err)
	_, err = LogLevel(9).MarshalText()
	assert.Error(t, err)
	var s Signal
	require.NoError(t, s.UnmarshalText([]byte(" sigusr1 ")))
	assert.Equal(t, Signal(10), s)
}

func deref(v any) any {
	switch v := v.(type) {
	case *Kind:
		return *v
	case *Autorestart:
		return *v
	case *Family:
		return *v
	case *LogLevel:
		return *v
	}
	return *v.(*Signal)
}

func TestFnmatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.conf", "a.conf", true}, {"*.conf", "a.conf.bak", false}, {"?.conf", "é.conf", true}, {"[a-c]x", "bx", true}, {"[!a-c]x", "bx", false},
		{"[]]", "]", true}, {"[", "[", true}, {"[!]x", "[!]x", true}, {"[c-a]", "b", false}, {"a*b*c", "aXbYbZc", true}, {"**", "", true},
		{"[a-]", "-", true}, {"{a,b}", "a", false}, {strings.Repeat("*a", 50), strings.Repeat("a", 49), false},
	} {
		assert.Equal(t, c.want, fnmatch(c.pattern, c.name), "%s %s", c.pattern, c.name)
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
