package supervisorconf

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Writing all defaults changes nothing.
func TestDefaultsOfTheTableAreThoseOfTheResolver(t *testing.T) {
	for _, c := range []struct{ header, options string }{
		{"supervisord", ""}, {"program:x", "command=c\n"}, {"fcgi-program:x", "command=c\nsocket=unix:///x\n"},
		{"eventlistener:x", "command=c\nevents=TICK_5\npriority=-1\n"}, {"group:x", ""},
		{"unix_http_server", "file=/x\n"}, {"supervisorctl", ""},
	} {
		without := "[" + c.header + "]\n" + c.options
		with := without
		for _, o := range KnownOptions(typeOf(c.header)) {
			if o.Default != "" && !(o.Name == "priority" && typeOf(c.header) == "eventlistener") {
				with += fmt.Sprintf("%s = %s\n", o.Name, o.Default)
			}
		}
		require.NotEqual(t, without, with)
		a, b := loads(t, without, nil), loads(t, with, nil)
		assert.Equal(t, marshal(t, a), marshal(t, b), c.header)
		assert.Equal(t, marshal(t, a.Supervisorctl.Resolved()), marshal(t, b.Supervisorctl.Resolved()), c.header)
	}
}

func TestLookupOption(t *testing.T) {
	o, ok := LookupOption("program", "stopwaitsecs")
	assert.True(t, ok)
	assert.Equal(t, OptionInfo{Name: "stopwaitsecs", Type: TypeInteger, Unit: "seconds", Default: "10"}, o)
	_, ok = LookupOption("program", "socket")
	assert.False(t, ok)
	_, ok = LookupOption("progam", "command")
	assert.False(t, ok)
	assert.Nil(t, KnownOptions("rpcinterface"))
	assert.Len(t, KnownOptions("group"), 2)
}

func TestSupervisorctlReadsTheMainFileAlone(t *testing.T) {
	text := `[supervisord]
environment = A="b"
[supervisorctl]
serverurl = unix://%(here)s/../run/%(ENV_X)s.sock
username = admin
password = hunter2
prompt = scout%%
history_file = ~/.history
[ctlplugin:cache]
supervisor.ctl_factory = supervisor_cache:make
size = 5
[include]
files = more.conf
`
	o := &LoadOptions{Environ: []string{"X=y", "HOME=/root"}}
	c, err := Load(host(main, text, "etc/more.conf", "[supervisorctl]\nprompt=other\n"), main, o)
	require.NoError(t, err)
	s := &c.Supervisorctl
	assert.Empty(t, s.Refusal())
	assert.Equal(t, []string{"unix:///run/y.sock", "scout%", "admin", "hunter2", "/root/.history"},
		[]string{s.ServerURL, s.Prompt, s.Username, s.Password, s.HistoryFile})
	require.Len(t, s.Plugins, 1)
	assert.Equal(t, map[string]string{"size": "5"}, s.Plugins[0].Options)
	assert.Equal(t, "supervisor_cache:make", s.Plugins[0].Factory)
	assert.Equal(t, "etc/supervisord.conf:9:1", s.Plugins[0].Section().Pos().String())
	assert.Equal(t, "etc/supervisord.conf:7:1", s.Option("Prompt").Pos().String())
	assert.Equal(t, "etc/supervisord.conf:3:1", s.Section().Pos().String())
	assert.JSONEq(t, `{"ok":true,"serverurl":"unix:///run/y.sock","prompt":"scout%","username":"admin","password":"hunter2",
		"history_file":"/root/.history","plugins":[["cache",{"size":"5"}]]}`, marshal(t, s.Resolved()))

	// The environment of [supervisord] is nothing to supervisorctl.
	c = loads(t, "environment=A=\"b\"\n[supervisorctl]\nprompt=%(ENV_A)s\npassword=%(x)s\n", nil)
	assert.Equal(t, "Format string '%(ENV_A)s' for 'supervisorctl.prompt' contains names ('ENV_A') which cannot be expanded. Available names: ", c.Supervisorctl.Refusal())
	require.Len(t, c.Warnings, 2)
	assert.Contains(t, c.Warnings[0].Error(), "etc/supervisord.conf:4:8: supervisorctl refuses to start: Format string '%(ENV_A)s'")
	assert.JSONEq(t, `{"ok":false,"kind":"usage","error":".ini file does not include supervisorctl section"}`, marshal(t, loads(t, "", nil).Supervisorctl.Resolved()))
	broken, _ := Load(host(main, "oops"), main, nil)
	assert.Equal(t, "MissingSectionHeaderError", broken.Supervisorctl.Resolved().Exception)
	assert.Nil(t, broken.Supervisorctl.Option("prompt"))
	assert.Nil(t, broken.Supervisorctl.Section())
}
