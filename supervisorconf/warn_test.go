package supervisorconf

import (
	"encoding/base64"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// warned loads files and returns the warnings, each with what its fixes make
// of the lines that they change.
func warned(t *testing.T, o *LoadOptions, files ...string) []string {
	t.Helper()
	c, err := Load(host(files...), main, o)
	require.NotNil(t, c, "%v", err)
	var got []string
	for _, d := range c.Warnings {
		require.Equal(t, slog.LevelWarn, d.Level)
		require.True(t, d.Start.IsValid() && d.End.Offset >= d.Start.Offset, d.Message)
		got = append(got, strings.TrimPrefix(d.Error(), main+":"))
		for _, f := range d.Fixes {
			file := c.File(d.Start.Filename)
			after, err := Apply(file.Bytes(), f.Edits)
			require.NoError(t, err)
			var lines []string
			for _, l := range strings.Split(string(unified("", file.Bytes(), after)), "\n")[2:] {
				if strings.HasPrefix(l, "+") || strings.HasPrefix(l, "-") {
					lines = append(lines, l)
				}
			}
			got = append(got, "  "+f.Message+": "+strings.Join(lines, " "))

			// What a fix mends is not found again.
			fixed, err := Load(host(slices.Concat(files, []string{d.Start.Filename, string(after)})...), main, o)
			require.NotNil(t, fixed, "%v", err)
			same := func(e *Diagnostic) bool {
				return e.Code == d.Code && e.Start.Line == d.Start.Line && e.Message == d.Message
			}
			require.False(t, slices.ContainsFunc(fixed.Warnings, same), d.Message)
		}
	}
	return got
}

func TestWarningsOfWhatSupervisorDrops(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"an option that is overridden", "[program:a]\ncommand=x\npriority=1 ; c\nCommand=y\n[program:a]\npriority=2\n[program:a]\npriority=2\n", []string{
			`3:1: supervisord takes the command of [program:a] from etc/supervisord.conf:5:1 [overridden-option]`, "  remove it: -command=x",
			`4:1: supervisord takes the priority of [program:a] from etc/supervisord.conf:9:1 [overridden-option]`, "  remove it: -priority=1 ; c",
		}},
		{"equal values override nothing, and unknown options are that alone", "[program:a]\ncommand=x\ncommand = x\nfoo=1\nfoo=2\n[rpcinterface:r]\nsupervisor.rpcinterface_factory=a:b\nz=1\nz=2", []string{
			`5:1: supervisord ignores the option foo in [program:a] [unknown-option]`, `6:1: supervisord ignores the option foo in [program:a] [unknown-option]`,
			`9:1: supervisord takes the z of [rpcinterface:r] from etc/supervisord.conf:10:1 [overridden-option]`, "  remove it: -z=1",
		}},
		{"text behind a header", "[program:a] web ; c\ncommand=x\n[program:b] ; [c]\ncommand=x", []string{
			"2:12: supervisord ignores what follows the header [program:a] on its line [ignored-text]", "  remove it: -[program:a] web ; c +[program:a] ; c",
		}},
		{"a header with brackets", "[program:a] x [b]\ncommand=x", []string{`2:1: supervisord reads the header up to its last "]", as 'program:a] x [b' [long-header]`}},
		{"a header that became an option", "[program:a]\ncommand=x\n[program:b\ncommand=y\n[program:c ;]\n", []string{
			`3:1: supervisord takes the command of [program:a] from etc/supervisord.conf:5:1 [overridden-option]`, "  remove it: -command=x",
			`4:1: supervisord reads this as an option of [program:a]: the header lacks its "]" [unclosed-header]`, `  insert the "]": -[program:b +[program:b]`,
			`6:1: supervisord reads this as an option of [program:a]: a comment cuts the header before its "]" [unclosed-header]`,
		}},
		{"lines that are indented", "[program:a]\ncommand=x\n  user=root ; c\n  --startsecs=1\n\t[program:b]\n\tcommand=y\n[program:c]\n command=z\n  user=root\n environment=\n  user=\"x\",\n  PATH=\"y\"\n", []string{
			"4:3: supervisord reads this line as part of the value of command: it is indented [swallowed-option]", "  remove the indentation: -  user=root ; c +user=root ; c",
			"6:2: supervisord reads this line as part of the value of command: it is indented [swallowed-header]", "  remove the indentation: -\t[program:b] +[program:b]",
			"10:3: supervisord reads this line as part of the value of command: it is indented [swallowed-option]", "  remove the indentation: -  user=root + user=root",
		}},
		{"comments that cut", "[program:a]\ncommand=sh -c 'a ; b' ; c\n[program:b]\ncommand=run \"x #y\"\n[program:c]\ncommand=while x; do y ; done\n[program:d]\ncommand=x ; do not touch\nuser=root #root\nenvironment=A=\"1 ;2\"\n", []string{
			`3:18: supervisord cuts the value of command here: white space before ";" starts a comment, and quotes do not protect it [cut-value]`,
			`  put the ";" right behind the word before: -command=sh -c 'a ; b' ; c +command=sh -c 'a; b' ; c`,
			`5:16: supervisord cuts the value of command here: white space before "#" starts a comment, and quotes do not protect it [cut-value]`,
			`7:23: supervisord cuts the value of command here: white space before ";" starts a comment, and quotes do not protect it [cut-value]`,
			`11:18: supervisord cuts the value of environment here: white space before ";" starts a comment, and quotes do not protect it [cut-value]`,
		}},
		{"passwords that are cut", "[inet_http_server]\nport=1\nusername=u\npassword=a #b\n[unix_http_server]\nfile=/x\nusername=u\npassword=123 ; the default\n", []string{
			`5:12: supervisord cuts the value of password here: white space before "#" starts a comment, and quotes do not protect it [cut-value]`,
		}},
		{"environment", "[program:a]\ncommand=x\nenvironment=A=$HOME\n[program:b]\ncommand=x\nenvironment=A=a b\n[program:c]\ncommand=x\nenvironment=A=1;B=2\n[program:d]\ncommand=x\nenvironment=A=a#b,B=2\n" +
			"[program:e]\ncommand=x\nenvironment=A=1,B=2,A=3,\n[program:f]\ncommand=x\nenvironment=A=\"1\",\n  B=\"2\" # c\n", []string{
			"4:13: supervisord drops what follows the value of 'A': it wants quotes [lost-in-environment]",
			"7:13: supervisord drops what follows the value of 'A': it wants quotes [lost-in-environment]",
			"10:13: supervisord takes what follows the value of 'A' for the comma [lost-in-environment]",
			`13:13: supervisord drops what follows "#" behind the value of 'A': it wants quotes [lost-in-environment]`,
			"16:13: supervisord takes the last of several values of 'A' [overridden-variable]",
		}},
		{"%%(here)s and an include that matches nothing", "[include]\nfiles = a.conf,b.conf, c.conf\n[program:a]\ncommand=echo %%(here)s %(here)s\nfoo=%%(here)s\n", []string{
			`3:9: No file matches via include "/etc/a.conf,b.conf," [no-include]`, "  put spaces between the patterns: -files = a.conf,b.conf, c.conf +files = a.conf b.conf c.conf",
			`3:9: No file matches via include "/etc/c.conf" [no-include]`,
			`5:9: because of [include], supervisord replaces %(here)s even behind a %: the value of command has a % before the path [corrupted-here]`,
			`6:1: supervisord ignores the option foo in [program:a] [unknown-option]`,
		}},
		{"processes and sockets that do not come about", "[program:a]\ncommand=x\n[fcgi-program:f]\ncommand=x\nsocket=unix:///x\nsocket_mode=0770\n[group:g]\nprograms=a,a,f\n[group:h]\nprograms=f\n[group:g]\npriority=3\n", []string{
			"6:1: supervisord ignores socket: the processes of an fcgi-program in a [group:x] get no socket [ignored-socket]",
			"7:1: supervisord ignores socket_mode: the processes of an fcgi-program in a [group:x] get no socket [ignored-socket]",
			"8:1: supervisord runs only the last of the processes called 'a' in the group g [duplicate-process]",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, warned(t, nil, main, "[supervisord]\n"+c.text))
		})
	}
}

func TestWarningsOfIncludedFiles(t *testing.T) {
	assert.Equal(t, []string{
		"etc/a.conf:3:1: supervisorctl reads the main file alone: it ignores [supervisorctl] in an included file [ignored-section]",
		"etc/a.conf:4:1: supervisorctl reads the main file alone: it ignores [ctlplugin:x] in an included file [ignored-section]",
		"etc/a.conf:5:1: supervisord ignores [include] in an included file [nested-include]",
		"4:1: supervisord takes the command of [program:a] from etc/a.conf:2:1 [overridden-option]", "  remove it: -command=x",
	}, warned(t, nil, main, "[supervisord]\n[supervisorctl]\n[program:a]\ncommand=x\n[include]\nfiles=a.conf\n", "etc/a.conf", "[program:a]\ncommand=y\n[supervisorctl]\n[ctlplugin:x]\n[include]\nfiles=b\n"))
	// Files that include themselves override nothing.
	assert.Empty(t, warned(t, nil, main, "[supervisord]\n[program:a]\ncommand=x\n[include]\nfiles=*.conf\n"))
}

func TestOptionsOfPluginsAreAllowed(t *testing.T) {
	text := "[supervisord]\n[program:a]\ncommand=x\ndepends_on=b\nhealth_url=/\nhealth_secs=3\ndependent_startup=true\n"
	assert.Len(t, warned(t, nil, main, text), 3)
	assert.Empty(t, warned(t, &LoadOptions{PluginOptions: []string{"depends_on", "health_*"}}, main, text))
}

// What real files are warned of. The numbers have been looked at: each is
// something that supervisord does drop.
func TestRealFilesAreWarnedOfWhatIsDroppedAlone(t *testing.T) {
	counts := map[string]int{}
	files := 0
	cases := realCases(t)
	for i := 0; i < len(cases); i += 3 {
		alone, c := cases[i], cases[i+2]
		text, err := base64.StdEncoding.DecodeString(c.B64["real.conf"])
		require.NoError(t, err)
		if strings.Contains(string(text), "[supervisord]") {
			alone.FS, alone.Env = c.FS, c.Env
			c = alone
		}
		files++
		for _, d := range c.load(t, "4.2.5").Warnings {
			counts[d.Code]++
			if d.Code != "unknown-option" {
				t.Logf("%s:%d: %s [%s]\n\t%s", c.Name, d.Start.Line, d.Message, d.Code, strings.Split(string(text), "\n")[d.Start.Line-1])
			}
		}
	}
	assert.Equal(t, 201, files)
	assert.Equal(t, map[string]int{"unknown-option": 24, "no-include": 17, "ignored-logfile": 6, "deprecated-syslog": 2, "lost-in-environment": 1}, counts)
}
