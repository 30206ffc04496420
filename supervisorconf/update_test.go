package supervisorconf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// A site is what the tests below change: sections, and the options in them.
type site struct {
	headers []string
	options map[string]map[string]string
}

func (s *site) String() string {
	var b strings.Builder
	for _, h := range s.headers {
		fmt.Fprintf(&b, "[%s]\n", h)
		for _, o := range knownOptions[typeOf(h)] {
			if v, ok := s.options[h][o.Name]; ok {
				fmt.Fprintf(&b, "%s = %s\n", o.Name, v)
			}
		}
	}
	return b.String()
}

func (s *site) clone() *site {
	c := &site{slices.Clone(s.headers), map[string]map[string]string{}}
	for h, options := range s.options {
		c.options[h] = map[string]string{}
		for k, v := range options {
			c.options[h][k] = v
		}
	}
	return c
}

// settings that Supervisor accepts together, most of the time.
var someValues = map[string][]string{
	"command": {"x", "y %(ENV_A)s", "y %(process_num)d"}, "process_name": {"%(program_name)s_%(process_num)d", "n_%(process_num)02d"}, "numprocs": {"1", "2", "3", "0"},
	"numprocs_start": {"0", "1"}, "priority": {"1", "999", "-1", "99999999999999999999"}, "autostart": {"false", "true"}, "autorestart": {"true", "false", "unexpected"},
	"startsecs": {"1", "01", "5"}, "startretries": {"3", "9"}, "exitcodes": {"0", "0,2", "2,0"}, "stopsignal": {"TERM", "15", "INT"}, "stopwaitsecs": {"10", "30"},
	"stopasgroup": {"false", "true"}, "killasgroup": {"true"}, "user": {"0", "root", "1"}, "umask": {"022", "22", "077"}, "directory": {"/tmp", "/"},
	"redirect_stderr": {"true", "false"}, "environment": {`A="1"`, `A="1",B="2"`, `B="2",A="1"`, `A="2"`}, "serverurl": {"AUTO", "http://x"},
	"stdout_logfile": {"AUTO", "NONE", "/tmp/a", "/tmp/b", "syslog"}, "stdout_logfile_maxbytes": {"50MB", "51200KB", "1"}, "stdout_logfile_backups": {"10", "3"},
	"stdout_capture_maxbytes": {"0", "1MB"}, "stdout_events_enabled": {"true"}, "stdout_syslog": {"true"}, "stderr_logfile": {"AUTO", "off", "/tmp/c"},
	"stderr_logfile_maxbytes": {"50MB", "2"}, "stderr_logfile_backups": {"10", "4"}, "stderr_capture_maxbytes": {"7"}, "stderr_events_enabled": {"on"}, "stderr_syslog": {"1"},
	"socket": {"unix:///tmp/s", "unix:///tmp/../tmp/s", "tcp://localhost:1"}, "socket_backlog": {"5", "6"}, "socket_mode": {"0700", "0770"}, "socket_owner": {"root"},
	"events": {"TICK_5", "TICK_60", "tick_5"}, "buffer_size": {"10", "20"}, "programs": {"a", "b", "a,b", "b,a", "f", ""},
	"loglevel": {"info", "warn"}, "identifier": {"i", "j"},
}

// change makes one change at random.
func (s *site) change(r *rand.Rand) {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	all := []string{"program:a", "program:b", "program:c", "eventlistener:l", "eventlistener:a", "fcgi-program:f", "group:g", "group:a"}
	h := pick(append(all, "supervisord"))
	if !slices.Contains(s.headers, h) {
		s.headers = append(s.headers, h)
		s.options[h] = map[string]string{}
		for _, o := range knownOptions[typeOf(h)] {
			if o.Required {
				s.options[h][o.Name] = someValues[o.Name][0]
			}
		}
		return
	}
	if h != "supervisord" && r.IntN(8) == 0 {
		s.headers = slices.DeleteFunc(s.headers, func(x string) bool { return x == h })
		return
	}
	list := knownOptions[typeOf(h)]
	o := list[r.IntN(len(list))]
	if values := someValues[o.Name]; values != nil && (h != "supervisord" || o.Name != "user") {
		if r.IntN(3) == 0 && !o.Required {
			delete(s.options[h], o.Name)
		} else {
			s.options[h][o.Name] = pick(values)
		}
		if s.options[h]["numprocs"] > "1" && s.options[h]["process_name"] == "" {
			s.options[h]["process_name"] = "%(program_name)s_%(process_num)d"
		}
		if s.options[h]["stopasgroup"] == "true" && s.options[h]["killasgroup"] != "" {
			s.options[h]["killasgroup"] = "true"
		}
	}
}

// TestOracleDiff compares Diff with what a supervisord says that was started
// with a configuration and reads another, for ORACLE_CASES random changes.
func TestOracleDiff(t *testing.T) {
	py := testenv.Python(t)
	script, err := filepath.Abs("testdata/ask.py")
	require.NoError(t, err)
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	seed, n := testenv.Size(t, 600)
	r := rand.New(rand.NewPCG(seed, 1))

	type question struct {
		Before string `json:"before"`
		After  string `json:"after"`
	}
	var questions []question
	var in bytes.Buffer
	o := &LoadOptions{Version: "4.2.5", Dir: root, HostNodeName: "h", User: hostUser, Group: hostGroup, IsDir: func(p string) bool { return p == "/" || p == "/tmp" }}
	for len(questions) < n {
		s := &site{[]string{"supervisord"}, map[string]map[string]string{"supervisord": {"environment": `A="0"`}}}
		for range 4 + r.IntN(20) {
			s.change(r)
		}
		q := question{Before: s.String()}
		after := s.clone()
		for range r.IntN(4) {
			after.change(r)
		}
		q.After = after.String()
		if c, err := Load(host(main, q.Before), main, o); err != nil || c == nil {
			continue
		}
		questions = append(questions, q)
		line, err := json.Marshal(q)
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	answers := runLines(t, in.Bytes(), py, script, root)
	require.Len(t, answers, n+1)
	var same, refused, changes int
	for i, q := range questions {
		before, err := Load(host(main, q.Before), main, o)
		require.NoError(t, err)
		after, _ := Load(host(main, q.After), main, o)
		u := Diff(before, after)
		var got any = map[string]string{"error": u.Refusal}
		if u.Refusal == "" {
			names := make([][]string, 3) // added, changed, removed
			for i := range names {
				names[i] = []string{}
			}
			for _, c := range u.Changes {
				at := map[Action]int{ActionAdd: 0, ActionRestart: 1, ActionRemove: 2}[c.Action]
				names[at] = append(names[at], c.Group)
				require.Equal(t, c.Action == ActionRestart, len(c.Causes) > 0)
			}
			got = names
			changes += len(u.Changes)
			if len(u.Changes) == 0 {
				same++
			}
		} else {
			refused++
			if strings.Contains(u.Refusal, main) { // names the file
				continue
			}
		}
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(answers[i+1]), string(text), "seed %d\n%s\n----\n%s\n%v", seed, q.Before, q.After, u)
	}
	t.Logf("%d updates: %d change no group, %d are refused, %d changes of groups", n, same, refused, changes)
}

func TestDiffSaysWhichOptionsCausedIt(t *testing.T) {
	before := loads(t, `environment = DB_PASSWORD="a"
[program:web]
command = run
numprocs = 2
process_name = %(program_name)s_%(process_num)d
environment = B="1",C="1"
[program:old]
command = old
[program:same]
command = same
stdout_logfile = /tmp/same
priority = 5
[fcgi-program:f]
command = f
socket = unix:///tmp/f
[inet_http_server]
port = 9001
`, nil)
	after := loads(t, `environment = DB_PASSWORD="b"
loglevel = debug
[program:web]
command = run
numprocs = 2
process_name = %(program_name)s_%(process_num)d
environment = B="2"
stopwaitsecs = 30
[program:new]
command = new
[program:same]
command = same
priority = 05
[fcgi-program:f]
command = f
socket = unix:///tmp/f
socket_mode = 0770
[inet_http_server]
port = 127.0.0.1:9001
`, nil)
	u := Diff(before, after)
	var got []string
	for _, g := range u.Changes {
		got = append(got, g.String())
		for _, c := range g.Causes {
			got = append(got, fmt.Sprintf("  %s %v", c, c.Processes))
		}
	}
	for _, c := range u.Pending {
		got = append(got, "pending "+c.String())
	}
	assert.Equal(t, []string{
		"remove old",
		"restart same: environment",
		"  etc/supervisord.conf:2:1: environment DB_PASSWORD: *** -> *** [same]",
		"restart f: environment",
		"  etc/supervisord.conf:2:1: environment DB_PASSWORD: *** -> *** [f]",
		"restart web: environment, stopwaitsecs",
		"  etc/supervisord.conf:8:1: environment B: 1 -> 2 [web_0 web_1]",
		"  etc/supervisord.conf:8:1: environment C: 1 -> (none) [web_0 web_1]",
		"  etc/supervisord.conf:2:1: environment DB_PASSWORD: *** -> *** [web_0 web_1]",
		"  etc/supervisord.conf:9:1: stopwaitsecs: 10 -> 30 [web_0 web_1]",
		"add new",
		"pending etc/supervisord.conf:3:1: loglevel: info -> debug",
		"pending etc/supervisord.conf:20:1: port: *:9001 -> 127.0.0.1:9001",
	}, got)

	// What supervisord does not compare.
	text := "[program:same]\ncommand = same\n%s[fcgi-program:f]\ncommand = f\nsocket = unix:///tmp/f\n%s"
	u = Diff(loads(t, fmt.Sprintf(text, "stdout_logfile = /tmp/same\n", ""), nil), loads(t, fmt.Sprintf(text, "", "socket_mode = 0770\n"), nil))
	assert.Empty(t, u.Changes)
	require.Len(t, u.Pending, 2)
	assert.Equal(t, "etc/supervisord.conf:7:1: socket_mode: 0700 -> 0770", u.Pending[0].String())
	assert.Equal(t, "etc/supervisord.conf:4:1: stdout_logfile: /tmp/same -> AUTO", u.Pending[1].String())
}

func TestDiffOfAConfigurationThatSupervisordRefuses(t *testing.T) {
	a := loads(t, "[program:a]\ncommand=a\n", nil)
	b, _ := refused(t, "[program:a]\n", nil)
	u := Diff(a, b)
	assert.Contains(t, u.Refusal, "does not specify a command")
	assert.Empty(t, u.Changes)
	assert.Equal(t, Update{}, Diff(a, a))
}

func TestDiffOfMembers(t *testing.T) {
	web := "[program:web]\ncommand=x\nprocess_name=%%(program_name)s_%%(process_num)d\nnumprocs=%d\n[program:b]\ncommand=b\n[group:g]\nprograms=%s\n"
	u := Diff(loads(t, fmt.Sprintf(web, 2, "web"), nil), loads(t, fmt.Sprintf(web, 3, "web,b"), nil))
	require.Len(t, u.Changes, 2)
	assert.Equal(t, "remove b", u.Changes[0].String())
	assert.Equal(t, "restart g: programs, numprocs", u.Changes[1].String())
	assert.Equal(t, "etc/supervisord.conf:5:1: numprocs: 2 -> 3", u.Changes[1].Causes[1].String())
}
