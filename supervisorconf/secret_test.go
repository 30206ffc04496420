package supervisorconf

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Wherever a password may stand, and whatever is wrong there: no message has
// it, no String, no %+v, and not the JSON of the Config.
func TestPlantedSecretsComeToLightNowhere(t *testing.T) {
	const planted = "hunter2-9"
	const accepted = `identifier=%(ENV_DB_PASSWORD)s
environment=API_TOKEN="hunter2-9",NAME="x"
[unix_http_server]
file=/run/s.sock
username=u
password=hunter2-9
[inet_http_server]
port=1
username=u
password={SHA}hunter2-9
[supervisorctl]
username=u
password=hunter2-9
[ctlplugin:x]
supervisor.ctl_factory=a:b
secret=hunter2-9
[rpcinterface:x]
supervisor.rpcinterface_factory=a:b
secret=hunter2-9
url=redis://u:hunter2-9@host/0
other=%(ENV_DB_PASSWORD)s
[program:a]
command=run --db=postgres://u:hunter2-9@h/ --password hunter2-9 --api_key=hunter2-9
environment=SECRET_KEY="hunter2-9",COPY="%(ENV_DB_PASSWORD)s",DSN="mysql://root:hunter2-9@db"
directory=/srv/%(ENV_API_TOKEN)s
stdout_logfile=/tmp/%(ENV_DB_PASSWORD)s.log
serverurl=http://u:hunter2-9@localhost
[program:b]
command=run %(ENV_DB_PASSWORD)s %(ENV_API_TOKEN)s
[program:c]
command=%s
`
	o := &LoadOptions{Environ: []string{"DB_PASSWORD=hunter2-9", "HOME=/root"}, IsDir: func(p string) bool { return !strings.Contains(p, "hunter") }}
	c := loads(t, accepted, o)
	require.Contains(t, marshal(t, c.Resolved()), planted, "Resolved is for those who need them")
	var texts []string
	show := func(vs ...any) {
		for _, v := range vs {
			texts = append(texts, fmt.Sprint(v), fmt.Sprintf("%s", v), fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v))
		}
	}
	all := func(c *Config) {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		texts = append(texts, string(text), c.Refusal())
		show(c, c.Root, c.Supervisord, &c.Supervisord, c.Diagnostics(), c.Diagnostics().Err())
		for _, d := range c.Diagnostics() {
			text, err := json.Marshal(d)
			require.NoError(t, err)
			texts = append(texts, string(text), d.Error())
			show(d)
		}
		for g, p := range c.Processes() {
			_, err := p.Args()
			show(g, p, p.Program, err)
		}
		for _, s := range c.Servers {
			show(s)
		}
		texts = append(texts, c.Supervisorctl.Refusal())
		for _, p := range c.Supervisorctl.Plugins {
			show(p)
		}
		for _, r := range c.RPCInterfaces {
			show(r)
		}
		for f := range c.Files() {
			show(f)
			for s := range f.Sections() {
				show(s)
				for o := range s.Options() {
					show(o)
				}
			}
		}
		// And whatever else a Config comes to hold.
		for i, v := 0, reflect.ValueOf(c).Elem(); i < v.NumField(); i++ {
			if v.Type().Field(i).IsExported() {
				show(v.Field(i).Interface())
			}
		}
	}
	all(c)
	assert.Contains(t, texts, "a")
	assert.Contains(t, texts, "unix:///run/s.sock")
	assert.Contains(t, texts, "password=***")

	for _, wrong := range []string{
		"[program:a]\npassword hunter2-9\n",
		"[program:a]\ncommand=x\n--api-key hunter2-9\nsee postgres://u:hunter2-9@h\n",
		"[program:a]\nenvironment=DB_PASSWORD=hunter2-9$x,A\ncommand=x\n",
		"[program:a]\nenvironment=DB_PASSWORD=\"hunter2-9\ncommand=x\n",
		"[program:a]\nenvironment=SECRET=\"%(ENV_NO)s hunter2-9\"\ncommand=x\n",
		"[program:a]\nenvironment=A=\"1\",,TOKEN=\"hunter2-9\"\ncommand=x\n",
		"[program:a]\ncommand=x --password=hunter2-9 %(no)s\n",
		"[program:a]\ncommand=x --token hunter2-9 %d\n",
		"[program:a]\ncommand=x %(ENV_DB_PASSWORD)d\n",
		"[program:a]\ncommand=x\nstdout_logfile=/%(ENV_DB_PASSWORD)s/x\n",
		"[program:a]\ncommand=x\nstdout_logfile=/tmp/%%%(ENV_DB_PASSWORD)s\n",
		"[program:a]\ncommand=x\nenvironment=MY_TOKEN=\"hunter2-9\"\nstderr_logfile_maxbytes=%(ENV_MY_TOKEN)s\n",
		"[program:a]\ncommand=x\nuser=%(ENV_DB_PASSWORD)s:x\numask=%(ENV_DB_PASSWORD)s\nautostart=%(ENV_DB_PASSWORD)s\nexitcodes=%(ENV_DB_PASSWORD)s\nstopsignal=%(ENV_DB_PASSWORD)s\nstartsecs=%(ENV_DB_PASSWORD)s\n",
		"[program:a]\ncommand=x\n[group:g]\nprograms=%(ENV_DB_PASSWORD)s\n",
		"[fcgi-program:a]\ncommand=x\nsocket=tcp://u:hunter2-9@h:x\n",
		"[fcgi-program:a]\ncommand=x\nsocket=unix://%(ENV_DB_PASSWORD)s\nsocket_owner=%(ENV_DB_PASSWORD)s\nsocket_mode=%(ENV_DB_PASSWORD)s\n",
		"[eventlistener:a]\ncommand=x\nevents=%(ENV_DB_PASSWORD)s\n",
		"[inet_http_server]\nport=h:%(ENV_DB_PASSWORD)s\nusername=%(x)s\npassword=hunter2-9%\n",
		"[inet_http_server]\nport=1\npassword=hunter2-9\n",
		"[unix_http_server]\nfile=/x\nchmod=%(ENV_DB_PASSWORD)s\nchown=%(ENV_DB_PASSWORD)s\nusername=u\npassword=%(hunter2-9)s\n",
		"[rpcinterface:a]\nsupervisor.rpcinterface_factory=%(ENV_DB_PASSWORD)s\n",
		"[rpcinterface:a]\nsupervisor.rpcinterface_factory=a:b\npassword=%(hunter2-9\n",
		"loglevel=%(ENV_DB_PASSWORD)s\nlogfile=%(ENV_DB_PASSWORD)s/x\ndirectory=%(ENV_DB_PASSWORD)s\nuser=%(ENV_DB_PASSWORD)s\n",
		"environment=PASSWORD=hunter2-9=x\n",
		"[include]\nfiles=/%(ENV_DB_PASSWORD)s/*.conf /tmp/%(ENV_DB_PASSWORD)s\n",
		"[supervisorctl]\nserverurl=%(ENV_DB_PASSWORD)s\npassword=hunter2-9%\n[ctlplugin:x]\nsupervisor.ctl_factory=a\nsecret=%(hunter2-9\n",
		"environment=A=\"x\n[inet_http_server]\nport=%(ENV_DB_PASSWORD)s\n",
	} {
		for _, text := range []string{"[supervisord]\n" + wrong, wrong, "password=hunter2-9\n" + wrong, "password hunter2-9\n" + wrong} {
			c, _ := Load(host(main, text), main, o)
			all(c)
			for f := range c.Files() {
				_, err := Parse("x", f.Bytes())
				show(err)
			}
		}
	}
	for _, f := range []string{"a --password=hunter2-9 %(x)s", "%(no)s postgres://u:hunter2-9@h", "x"} {
		file, err := Parse("x", []byte("[program:a]\nk="+f+"\npassword=hunter2-9%\n"))
		require.NoError(t, err)
		for o := range file.Section("program", "a").Options() {
			_, err := o.Expand(nil)
			show(err)
		}
		show(CheckOption("password", "hunter2-9 ;"), CheckOption("k", f+" ;"))
	}
	for _, text := range texts {
		if i := strings.Index(text, planted[:7]); i >= 0 {
			t.Errorf("…%s", text[max(0, i-200):min(len(text), i+40)])
		}
	}
}
