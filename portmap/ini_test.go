package portmap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const iniSource = `; the web services
domain = example.se

[NIPT]
subdomain = nipt
port = 8082
environment = prod

# the archive
[ Scout (Archive) ]
Port: 8084
Subdomain: "scout-archive" ; for good
domain: example.org
ENVIRONMENT = production
socket = /run/a#b.sock

[NIPT]
subdomain=nipt-stage
port=7073
environment=stage
bind=127.0.0.1

[Redis]
subdomain =
port = 6380
`

func TestINIIsRead(t *testing.T) {
	for what, src := range map[string]string{
		"as it is":            iniSource,
		"Windows line ends":   strings.ReplaceAll(iniSource, "\n", "\r\n"),
		"a byte order mark":   "\ufeff" + iniSource,
		"no final line end":   strings.TrimSuffix(iniSource, "\n"),
		"indented":            strings.ReplaceAll(iniSource, "\n", "\n\t "),
		"more comments":       strings.ReplaceAll(iniSource, "\n", "\n;x\n  # y = [z]\n"),
		"a comment behind":    strings.ReplaceAll(iniSource, "6380", "6380 # port"),
		"defaults further on": strings.Replace(iniSource, "domain = example.se\n", "", 1) + "[DEFAULT]\ndomain = example.se\n",
		"defaults in quotes":  strings.Replace(iniSource, "domain = example.se", "DOMAIN: `example.se`", 1),
	} {
		m, err := ParseINI("ports.ini", []byte(src))
		require.NoError(t, err, what)
		var got []string
		for _, s := range m.Services {
			got = append(got, short(s))
		}
		assert.Equal(t, []string{
			"NIPT | nipt | 8082 | example.se | production",
			"Scout (Archive) | scout-archive | 8084 | example.org | /run/a#b.sock | production",
			"NIPT | nipt-stage | 7073 | example.se | 127.0.0.1 | stage",
			"Redis |  | 6380 | example.se",
		}, got, what)
	}
	m, err := ParseINI("ports.ini", []byte(iniSource))
	require.NoError(t, err)
	p := m.Services[1].Place
	assert.Equal(t, "ports.ini:10:1", p.Row.Start.String())
	assert.Equal(t, "ports.ini:11:7", p.Port.Start.String())
	assert.Equal(t, "ports.ini:11:11", p.Port.End.String())
	assert.Equal(t, "ports.ini:12:13", p.Subdomain.Start.String(), "inside the quotes")
	assert.Equal(t, "ports.ini:2:10", m.Services[0].Place.Domain.Start.String(), "a default's place is its own")
}

func TestINIFindingsHaveAPlaceAndAFix(t *testing.T) {
	src := "[a]\nsubdomain=a\nport=8080\n\n[b]\nsubdomain=b\nport = 8080\n"
	m, err := ParseINI("ports.ini", []byte(src))
	require.NoError(t, err)
	found := m.Check(nil)
	assert.Equal(t, []string{"error ports.ini:7:8: port 8080 is listed twice: b here, and a (ports.ini:3:6) [port-listed-twice]"}, lines(found))
	require.Len(t, found[0].Fixes, 1)
	e := found[0].Fixes[0].Edits[0]
	assert.Equal(t, "port = 8081\n", src[strings.LastIndex(src, "port"):e.Start.Offset]+e.NewText+src[e.End.Offset:])
}

func TestINIReportsEveryFaultAndKeepsTheRest(t *testing.T) {
	for _, c := range []struct {
		what, src string
		want      []string
		services  int
	}{
		{"an empty file", "", []string{"ports.ini:1:1: no port table: the file has no section for a service [no-port-table]"}, 0},
		{"comments alone", "; nothing\n", []string{"ports.ini:1:1: no port table: the file has no section for a service [no-port-table]"}, 0},
		{"an empty service", "[a]\n", []string{`ports.ini:1:1: service "a" has no subdomain [subdomain-missing]`, `ports.ini:1:1: service "a" has no port [port-missing]`}, 1},
		{"ports that are none", "[a]\nsubdomain=a\nport=x\n[b]\nsubdomain=b\nport = 70000\n[c]\nsubdomain=c\nport=-1\n[d]\nsubdomain=d\nport=\n", []string{
			`ports.ini:3:6: port "x" is not a number [port-invalid]`,
			"ports.ini:6:8: port 70000 is above 65535 [port-invalid]",
			"ports.ini:9:6: port -1 is negative [port-invalid]",
			`ports.ini:10:1: service "d" has no port [port-missing]`,
		}, 4},
		{"broken lines", "[a\n x\nport=1\n[b]\nsubdomain=b\nnonsense\n=3\nport=8080\n[ ]\n[]\nport=2\n[DEFAULT]\nport=3\n", []string{
			"ports.ini:1:1: unclosed section: [a [ini-syntax]",
			"ports.ini:2:2: key-value delimiter not found: x [ini-syntax]",
			"ports.ini:6:1: key-value delimiter not found: nonsense [ini-syntax]",
			"ports.ini:7:1: empty key name: =3 [ini-syntax]",
			`ports.ini:9:1: no service can be named " " [ini-syntax]`,
			"ports.ini:10:1: empty section name [ini-syntax]",
			`ports.ini:13:1: key "port" belongs to one service, and stands where it would hold for all [key-unknown]`,
		}, 1},
		{"keys that are unknown, or there twice, or in the wrong place", "port=1\ncolour=red\n[a]\nsubdomain=a\nport=8080\nprot=80\nPort=8081\n-=x\n", []string{
			"ports.ini:1:1: key \"port\" belongs to one service, and stands where it would hold for all [key-unknown]",
			`ports.ini:2:1: unknown key "colour": a service has port, subdomain, domain, environment, bind and socket [key-unknown]`,
			`ports.ini:6:1: unknown key "prot": a service has port, subdomain, domain, environment, bind and socket [key-unknown]`,
			`ports.ini:7:1: key "port" comes twice in one section [key-repeated]`,
			`ports.ini:8:1: unknown key "#1": a service has port, subdomain, domain, environment, bind and socket [key-unknown]`,
		}, 1},
		{"a value over two lines", "[a]\nsubdomain=a\nport=8080\nbind=\"\"\"x\ny\"\"\"\n", []string{
			`ports.ini:4:1: missing closing key quote from "\"\"\"x" to "" [ini-syntax]`, `ports.ini:5:1: key-value delimiter not found: y""" [ini-syntax]`,
		}, 1},
		{"a subdomain twice", "[a]\nsubdomain=x\nport=8080\n[b]\nsubdomain=X\nport=8081\n", []string{`ports.ini:5:11: subdomain X is listed twice: here for "b", and for "a" at ports.ini:2:11 [subdomain-listed-twice]`}, 2},
	} {
		t.Run(c.what, func(t *testing.T) {
			m, err := ParseINI("ports.ini", []byte(c.src))
			require.Error(t, err)
			require.NotNil(t, m)
			assert.Equal(t, c.want, strings.Split(err.Error(), "\n"))
			assert.Len(t, m.Services, c.services)
		})
	}
}

func TestINIIsWrittenAsItIsRead(t *testing.T) {
	m, err := ParseINI("ports.ini", []byte(iniSource))
	require.NoError(t, err)
	got, err := m.INI()
	require.NoError(t, err)
	const want = `[NIPT]
subdomain   = nipt
port        = 8082
domain      = example.se
environment = production

[Scout (Archive)]
subdomain   = scout-archive
port        = 8084
domain      = example.org
` + "socket      = `/run/a#b.sock`" + `
environment = production

[NIPT]
subdomain   = nipt-stage
port        = 7073
domain      = example.se
bind        = 127.0.0.1
environment = stage

[Redis]
subdomain = 
port      = 6380
domain    = example.se
`
	assert.Equal(t, want, string(got))
	again, err := ParseINI("ports.ini", got)
	require.NoError(t, err)
	out, err := again.INI()
	require.NoError(t, err)
	assert.Equal(t, want, string(out))

	out, err = (&Map{}).INI()
	require.NoError(t, err)
	assert.Empty(t, out)
}

func TestUsersTableSurvivesINI(t *testing.T) {
	m := users(t).Map()
	text, err := m.INI()
	require.NoError(t, err)
	back, err := ParseINI("services.ini", text)
	require.NoError(t, err)
	require.Len(t, back.Services, len(m.Services))
	for i := range m.Services {
		assert.True(t, sameValues(m.Services[i], back.Services[i]), m.Services[i].Name)
	}
	assert.Equal(t, []string{"stage-offset-broken", "port-listed-twice"}, codes(back.Check(nil)))
}

// A value is written so that it is read back, or not at all.
func TestINISaysWhatItCannotSay(t *testing.T) {
	for _, value := range []string{"", "a b", "a#b", "a ;b", "#a", "a=b", "a:b", `"a`, "'a'b", "å漢", "[a]", "a]", "]", `a\`, "-", "a.b", "default", "`a`#"} {
		s := Service{Name: "n", Subdomain: "s", Port: 8080, Bind: value}
		text, err := (&Map{Services: []Service{s}}).INI()
		require.NoError(t, err, value)
		back, _ := ParseINI("", text)
		require.Len(t, back.Services, 1)
		assert.Equal(t, value, back.Services[0].Bind, "%s", text)

		if value != "" {
			s = Service{Name: value, Subdomain: "s", Port: 8080}
			text, err = (&Map{Services: []Service{s}}).INI()
			require.NoError(t, err, value)
			back, _ = ParseINI("", text)
			require.Len(t, back.Services, 1)
			assert.Equal(t, value, back.Services[0].Name, "%s", text)
		}
	}
	for _, value := range []string{"a\nb", "a\r\nport=1", " a", "a ", `"a"`, "'a'"} {
		_, err := (&Map{Services: []Service{{Name: "n", Subdomain: "s", Port: 8080, Bind: value}}}).INI()
		assert.Error(t, err, "%q", value)
	}
	for _, name := range []string{"", "DEFAULT", "a\nb", "a\rb", " a"} {
		_, err := (&Map{Services: []Service{{Name: name, Subdomain: "s", Port: 8080}}}).INI()
		assert.Error(t, err, "%q", name)
	}
	_, err := (&Map{Services: []Service{{Name: "a", Subdomain: "a", Port: 1}, {Name: "b\nc", Port: 2}}}).INI()
	assert.EqualError(t, err, `an INI file cannot name a service "b\nc"`)
}

func TestLongINIIsReadInGoodTime(t *testing.T) {
	var b strings.Builder
	b.WriteString("[a]\n")
	for i := range 20_000 { // ini.v1 alone compares each key with each
		fmt.Fprintf(&b, "k%d=1\n", i)
	}
	m, err := ParseINI("ports.ini", []byte(b.String()))
	assert.Len(t, m.Services, 1)
	var ds Diagnostics
	require.ErrorAs(t, err, &ds)
	assert.Len(t, ds, 20_002)
}
