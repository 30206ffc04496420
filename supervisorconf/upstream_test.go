package supervisorconf

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// upstreamCases are read by the installed Supervisor and by Load, from real
// files: the forms that are easily got wrong, one a line. Each text follows
// "[supervisord]", and a form feed starts another file, with its name.
var upstreamCases = []string{
	"[program:a]\ncommand=x ; c\n  y\n\n  z # d\nuser=root",
	"[program:a]\ncommand=a;b ;c #d\nstdout_logfile=/tmp/%%%%x\nstderr_logfile=NONE",
	"[program:a]\ncommand=%(program_name)s %(group_name)s %(process_num)03d/%(numprocs)s %(ENV_A)s %%\nnumprocs=3\nnumprocs_start=8\nprocess_name=%(program_name)s_%(process_num)d",
	"[program:a]\ncommand=c\nenvironment=A=\"1\",B='x,y',C=a#b\n[group:g]\nprograms=a",
	"[program:a]\ncommand=%s",
	"[program:a]\ncommand=x %(nope)s",
	"[program:a]\ncommand=date +%Y",
	"[program:a]\nnumprocs=2\ncommand=x",
	"[program:a]\nautostart=true",
	"[program:a b]\ncommand=x",
	"[program:a]\ncommand=x\nuser=no-such-user-here",
	"[program:a]\ncommand=x\nstopasgroup=true\nkillasgroup=false",
	"[program:a]\ncommand=x\nstartsecs=99999999999999999999\nexitcodes=0, 2\nstopsignal=usr1\numask=022\nautorestart=yes\npriority=-1",
	"[program:a]\ncommand=x\nstdout_logfile_maxbytes=50M",
	"[program:a]\ncommand=x\nstdout_logfile=/no/such/directory/x",
	"[program:a]\ncommand=x\nstdout_logfile=syslog\nstderr_logfile=/tmp/e\nredirect_stderr=on",
	"[program:a]\ncommand=x\nstdout_logfile_maxbytes=0",
	"environment=Q=\"%(here)s\"\nidentifier=%(ENV_A)s\n[program:a]\ncommand=%(ENV_Q)s",
	"[DEFAULT]\nuser=0\n[program:a]\ncommand=x\n[program:a]\nCOMMAND=y",
	"[program:b]\ncommand=b\n[program:a]\ncommand=a\npriority=5\n[program:Z]\ncommand=z",
	"[program:a]\ncommand=a\n[program:b]\ncommand=b\n[group:g]\nprograms=b,a,c",
	"[eventlistener:l]\ncommand=l\nevents=tick_5,PROCESS_STATE\nbuffer_size=3",
	"[eventlistener:l]\ncommand=l\nevents=NOPE",
	"[fcgi-program:f]\ncommand=f\nsocket=tcp://localhost:70000",
	"[inet_http_server]\nport=*:9001\nusername=u\npassword=p\n[unix_http_server]\nfile=%(here)s/../s.sock\nchmod=0770",
	"[inet_http_server]\nport=127.0.0.1\n",
	"[inet_http_server]\nport=1\nusername=u",
	"[rpcinterface:x]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface [extra]\nretries=1",
	"[rpcinterface:x]\nsupervisor.rpcinterface_factory=a b c",
	"[rpcinterface:x]\nsupervisor.rpcinterface_factory==supervisor.rpcinterface:make_main_rpcinterface",
	"[rpcinterface:x]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface: make_main_rpcinterface\n [a, b-c]",
	"[rpcinterface:x]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface [a:b]",
	"[rpcinterface:x]\nsupervisor.rpcinterface_factory=",
	"[rpcinterface:x]\n",
	"[include]\nfiles=conf.d/*.conf other.conf\n\fconf.d/b.conf\n[program:b]\ncommand=%(here)s %(here)r\n\fconf.d/a.conf\n[program:a]\ncommand=a\n\fconf.d/.c.conf\n[program:c]\ncommand=c\n",
	"[include]\nfiles=conf.d/[!b]?.c*\n\fconf.d/ab.conf\n[program:a]\nuser=no-such-user-here\n\fconf.d/bb.conf\n[program:b]\n",
	"[include]\nfiles=x.conf\n\fx.conf\noops\n[program:a]\nworse\n",
	"[include]\n",
	"command=x\n  [program:a]\nbad line\n",
	"loglevel=loud",
	"user=no-such-user-here\n[program:a]",
}

// TestOracleRandomText compares the functions below Load with Python's, on
// ORACLE_CASES pieces of text for each, put together from what they know.
func TestOracleRandomText(t *testing.T) {
	py := testenv.Python(t)
	script, err := filepath.Abs("testdata/ask.py")
	require.NoError(t, err)
	seed, n := testenv.Size(t, 500)
	r := rand.New(rand.NewPCG(seed, 0))
	soup := func(most int, parts ...string) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	pick := func(parts ...string) string { return parts[r.IntN(len(parts))] }

	type question map[string]any
	var questions []question
	var ours []func(release) any
	ask := func(q question, answer func(release) any) {
		questions = append(questions, q)
		ours = append(ours, answer)
	}
	failed := func(message string, v any) any {
		if message != "" {
			return map[string]any{"error": message}
		}
		return v
	}
	for range n {
		text := pick("[z]\n", "[z]\n", "[z]\r\n", "[z] ", "") + soup(14, "[a]", "[b:c]", "[DEFAULT]", "[", "k=v", "k=", "=", ":",
			"x y", " ", "  ", "\t", "\n", "\n", "\n", "\n ", "\n  ", "\r", "\r\n", ";", "#", " ;", " #", "; c", "#d", ";e #f", "a;b ;c #d",
			"\x1c", "\u00a0", "\u2003", "\x85", "\u2028", "é", "İ", "Σ", "AΣ", "K=w", "\\", `"`, "'", "]", "[]", "[x] y", "\x0b", "\x0c", "\x00",
			"\ufeff", "key = value", "\n[s]\n", "\nopt=1\n")
		if r.IntN(20) == 0 {
			i := r.IntN(len(text) + 1)
			text = text[:i] + pick("\xe9", "\xff", "\xe4\xbd", "\xf0\x9f\x98", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90", "\xed\xa0") + text[i:]
		}
		ask(question{"text": []byte(text)}, func(release) any {
			f, _ := Parse("s.conf", []byte(text))
			all := values(f)
			if all["DEFAULT"] == nil {
				all["DEFAULT"] = map[string]string{}
			}
			return failed(f.faults.refusal("s.conf"), all)
		})

		format := soup(2, "", "a", "é", "%%") + pick("%", "%(here)", "%(process_num)", "%(process_num)", "%(ENV_A)", "%(no)", "%(", "%()") +
			soup(2, "-", "+", " ", "#", "0") + pick("", "", "", "5", "12", "*", "0", "007") + pick("", "", "", ".", ".3", ".0", ".*", ".12") +
			pick("", "", "", "h", "l", "ll") + pick(strings.Split("s r a d i u o x X e E f F g G c % z é s d d x g", " ")...) + pick("", "|", "%%", "%s")
		number := []int64{0, 1, 7, -3, 12345, 1000000, 123456789, -1e18, 65, 0x10ffff, 0x110000}[r.IntN(11)]
		ask(question{"expand": format, "number": number}, func(release) any {
			env, fixed := &table{}, &table{}
			env.set("ENV_A", value{str: "aé"})
			fixed.set("here", value{str: "/x"})
			fixed.set("process_num", value{num: small(number), isInt: true})
			s, err := (&scope{env: env, fixed: fixed}).expand(format, "o", false)
			if err != nil {
				return failed(err.Error(), nil)
			}
			return s
		})

		shell := []string{"A", "B", "=", "=", ",", `"`, "'", `\`, "#", " ", "\n", "x", "é", "ß", "你", "/", "-", "(", ";", "$", "1", "\t", "%",
			`"x"`, "'y'", `A="1"`, ",B=2", "\u00a0", "×"}
		pairs, command := soup(12, shell...), soup(12, shell...)
		ask(question{"pairs": pairs}, func(v release) any {
			list, message := toPairs(pairs, v.posix)
			m := map[string]string{}
			for _, p := range list {
				m[p.key] = p.value
			}
			return failed(message, m)
		})
		ask(question{"split": command}, func(release) any {
			list, message := splitCommand(command)
			return failed(message, append([]string{}, list...))
		})
		size := soup(6, "1", "0", "7", "9", "_", "-", "+", " ", "\t", "\x1c", "\u0663", "\u00a0", "x", "o", "8", "İ", "é", "\x7f", "kb", "MB", "m", "GB")
		ask(question{"size": size}, func(release) any {
			n, message := toBytes(size)
			return failed(message, n.String())
		})
	}

	var in bytes.Buffer
	for _, q := range questions {
		line, err := json.Marshal(q)
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	answers := runLines(t, in.Bytes(), py, script, t.TempDir())
	require.Len(t, answers, len(questions)+1)
	var host struct{ Version string }
	require.NoError(t, json.Unmarshal(answers[0], &host))
	version, err := releaseOf(host.Version)
	require.NoError(t, err)
	for i, q := range questions {
		text, err := json.Marshal(ours[i](version))
		require.NoError(t, err)
		require.JSONEq(t, string(answers[i+1]), string(text), "seed %d: %q", seed, q)
	}
}

func TestOracleInstalledSupervisor(t *testing.T) {
	py := testenv.Python(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	script, err := filepath.Abs("testdata/ask.py")
	require.NoError(t, err)

	type question struct {
		Files map[string]string `json:"files"`
		Env   map[string]string `json:"env"`
	}
	env := map[string]string{"PATH": "/bin", "HOME": "/root", "A": "%(here)s"}
	var questions []question
	var in bytes.Buffer
	for _, text := range upstreamCases {
		parts := strings.Split("[supervisord]\n"+text, "\f")
		q := question{Files: map[string]string{"s.conf": parts[0]}, Env: env}
		for _, p := range parts[1:] {
			name, text, _ := strings.Cut(p, "\n")
			q.Files[name] = text
		}
		questions = append(questions, q)
		line, err := json.Marshal(q)
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	answers := runLines(t, in.Bytes(), py, script, root)
	require.Len(t, answers, len(questions)+1)
	var host struct{ Version, Node string }
	require.NoError(t, json.Unmarshal(answers[0], &host))

	for i, q := range questions {
		for name, text := range q.Files {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
		}
		o := &LoadOptions{Version: host.Version, Dir: root, HostNodeName: host.Node, User: hostUser, Group: hostGroup,
			// The order of the environment shows in "%s".
			Environ: []string{"PATH=/bin", "HOME=/root", "A=%(here)s"}}
		// json.Marshal sorts, and Python keeps that order.
		slices.Sort(o.Environ)
		cfg, err := Load(os.DirFS("/"), filepath.Join(root, "s.conf")[1:], o)
		require.NotNil(t, cfg, "%v", err)
		var want any
		require.NoError(t, json.Unmarshal(answers[i+1], &want))
		assert.Equal(t, want, plain(t, cfg), "%s", q.Files["s.conf"])
		for name := range q.Files {
			require.NoError(t, os.Remove(filepath.Join(root, name)))
		}
	}
}

// plain writes a Config as ask.py writes what Supervisor holds.
func plain(t *testing.T, c *Config) any {
	t.Helper()
	if c.Refusal() != "" {
		return map[string]any{"error": c.Refusal()}
	}
	optional := func(v any, set bool) any {
		if set {
			return v
		}
		return nil
	}
	groups := []any{}
	for _, g := range c.Groups {
		processes := []any{}
		for _, p := range g.Processes {
			o := p.Program
			m := map[string]any{
				"name": p.Name, "command": p.Command, "priority": o.Priority, "environment": p.Environment,
				"directory": optional(p.Directory, o.Option("directory") != nil), "umask": optional(o.Umask, o.Umask != -1),
				"autostart": o.Autostart, "autorestart": o.Autorestart.String(), "startsecs": o.StartSecs, "startretries": o.StartRetries,
				"stopsignal": int(o.StopSignal), "stopwaitsecs": o.StopWaitSecs, "stopasgroup": o.StopAsGroup, "killasgroup": o.KillAsGroup,
				"exitcodes": o.ExitCodes, "redirect_stderr": o.RedirectStderr, "serverurl": optional(o.ServerURL, o.ServerURL != ""), "uid": nil,
			}
			if n, big := o.big["startsecs"]; big {
				m["startsecs"] = json.Number(n)
			}
			if o.Autorestart == AutorestartNever {
				m["autorestart"] = false
			}
			if o.User != nil {
				m["uid"] = o.User.UID
			}
			for out, l := range map[string]Log{"stdout": p.Stdout, "stderr": p.Stderr} {
				m[out+"_logfile"] = optional(l.File, l.File != LogNone)
				m[out+"_logfile_maxbytes"], m[out+"_logfile_backups"] = l.MaxBytes, l.Backups
				m[out+"_capture_maxbytes"], m[out+"_events_enabled"], m[out+"_syslog"] = l.CaptureMaxBytes, l.EventsEnabled, l.Syslog
			}
			processes = append(processes, m)
		}
		groups = append(groups, map[string]any{"name": g.Name, "priority": g.Priority, "processes": processes})
	}
	servers, plugins := []any{}, []any{}
	for _, s := range c.Servers {
		m := map[string]any{
			"section": s.Section().Header(), "name": optional(s.Name, s.Name != ""),
			"username": optional(s.Username, s.Username != ""), "password": optional(s.Password, s.Password != ""),
		}
		if s.Family == FamilyUnix {
			m["file"], m["chmod"], m["chown"] = s.Path, s.Mode, []int{s.Owner.UID, s.Owner.GID}
		} else {
			m["host"], m["port"] = s.Host, s.Port
		}
		servers = append(servers, m)
	}
	for _, r := range c.RPCInterfaces {
		plugins = append(plugins, []any{r.Name, r.Options})
	}
	text, err := json.Marshal(map[string]any{
		"groups": groups, "servers": servers, "plugins": plugins, "identifier": c.Supervisord.Identifier, "logfile": c.Supervisord.LogPath,
		"warnings": append([]string{}, c.warnings...), "infos": append([]string{}, c.infos...),
	})
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(text, &v))
	return v
}
