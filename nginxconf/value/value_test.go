package value

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLocationModifierMayBeGlued(t *testing.T) {
	for _, c := range []struct {
		args []string
		want Location
	}{
		{[]string{"/x"}, Location{Prefix, "/x"}},
		{[]string{"=", "/x"}, Location{Exact, "/x"}},
		{[]string{"=/x"}, Location{Exact, "/x"}},
		{[]string{"^~", "/x"}, Location{NoRegex, "/x"}},
		{[]string{"^~/x"}, Location{NoRegex, "/x"}},
		{[]string{"~", `\.php$`}, Location{Regex, `\.php$`}},
		{[]string{"~^/x"}, Location{Regex, "^/x"}},
		{[]string{"~*", "^/x"}, Location{RegexCaseless, "^/x"}},
		{[]string{"~*^/x"}, Location{RegexCaseless, "^/x"}},
		{[]string{"@x"}, Location{Named, "@x"}},
		{[]string{"=", "@x"}, Location{Exact, "@x"}},
		{[]string{"~", "*x"}, Location{Regex, "*x"}}, // not a regular expression: nginx would refuse it
		{[]string{"^x"}, Location{Prefix, "^x"}},
		{[]string{""}, Location{Prefix, ""}}, // matches everything
		{[]string{"="}, Location{Exact, ""}},
		{[]string{"~"}, Location{Regex, ""}},
	} {
		got, err := ParseLocation(c.args...)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want, got, c.args)
		assert.Equal(t, strings.HasPrefix(c.args[0], "~"), got.IsRegex(), c.args)
		again, err := ParseLocation(got.Args()...)
		require.NoError(t, err)
		assert.Equal(t, got, again)
	}
	_, err := ParseLocation("~=", "/x")
	assert.EqualError(t, err, `invalid location modifier "~="`)
	_, err = ParseLocation()
	assert.EqualError(t, err, `invalid number of arguments in "location" directive`)
}

func TestServerNameKinds(t *testing.T) {
	for text, want := range map[string]ServerName{
		"Scout.Example.SE": {Kind: ExactName, Name: "scout.example.se"},
		"":                 {Kind: ExactName},
		"*.Example.com":    {Kind: LeadingStar, Name: "example.com"},
		".example.com":     {Kind: LeadingDot, Name: "example.com"},
		"www.example.*":    {Kind: TrailingStar, Name: "www.example"},
		".example.*":       {Kind: LeadingDot, Name: "example.*"},
		"~^(?<n>.+)\\.com": {Kind: RegexName, Name: "^(?<n>.+)\\.com"},
		"~^WWW":            {Kind: RegexName, Name: "^WWW", Caseless: true},
		"$HOSTNAME":        {Kind: HostName},
		"*.example.*":      {Kind: BadWildcard, Name: "*.example.*"},
		"a*b":              {Kind: BadWildcard, Name: "a*b"},
		"a..b":             {Kind: BadWildcard, Name: "a..b"},
		"Ä.example.com":    {Kind: ExactName, Name: "Ä.example.com"}, // ASCII alone has a lower case
	} {
		got, err := ParseServerName(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := ParseServerName(got.String())
		require.NoError(t, err)
		assert.Equal(t, got, again, text)
	}
	for text, want := range map[string]string{
		"*":   `server name "*" is invalid`,
		"*.":  `server name "*." is invalid`,
		"*a.": `server name "*a." is invalid`,
		".":   `server name "." is invalid`,
		"~":   `empty regex in server name "~"`,
	} {
		_, err := ParseServerName(text)
		assert.EqualError(t, err, want)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "008": 8, "1k": 1 << 10, "1K": 1 << 10, "3m": 3 << 20, "9223372036854775807": math.MaxInt64} {
		got, err := ParseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	got, err := ParseOffset("2G")
	require.NoError(t, err)
	assert.EqualValues(t, 2<<30, got)
	for _, text := range []string{"", "k", "1 k", "-1", "+1", "1g", "1kb", "1.5m", "10mm", "9223372036854775808", "9007199254740992k"} {
		_, err := ParseSize(text)
		assert.ErrorIs(t, err, ErrInvalid, text)
	}
}

func TestTimes(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "30": 30 * time.Second, "30s": 30 * time.Second, "1h30m": 90 * time.Minute, "1h 30m": 90 * time.Minute,
		"1d2h3m4s5ms": day + 2*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Millisecond,
		"1w":          7 * day, "1m30": 90 * time.Second, "1 2": 3 * time.Second, "5ms 1": 1005 * time.Millisecond,
		"m5":                  5 * time.Second, // a unit without a number counts nothing
		"9223372036854775":    math.MaxInt64,   // longer than a Duration holds
		"106751991167300h20m": 0,
	} {
		got, err := ParseTime(text)
		if want == 0 && text != "0" {
			assert.ErrorIs(t, err, ErrInvalid, text)
			continue
		}
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]time.Duration{"1y": 365 * day, "1M": 30 * day, "1y1M1w": 402 * day, "90": 90 * time.Second} {
		got, err := ParseSeconds(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", " ", "s", "1y", "1M", "30m1h", "1h1h", "1x", "1H", " 1h", "1s1m", "-1", "1.5s", "9223372036854775808"} {
		_, err := ParseTime(text)
		assert.ErrorIs(t, err, ErrInvalid, text)
	}
	_, err := ParseSeconds("1ms")
	assert.ErrorIs(t, err, ErrInvalid)
}

func TestNumbers(t *testing.T) {
	n, err := ParseNumber("0042")
	require.NoError(t, err)
	assert.EqualValues(t, 42, n)
	for _, text := range []string{"", "+1", "-1", "1 ", "0x1", "9223372036854775808"} {
		_, err := ParseNumber(text)
		assert.ErrorIs(t, err, ErrInvalid, text)
	}
}

// nginx reads addresses in its own way (ngx_inet_addr, ngx_inet6_addr).
func TestOddAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"1..2.3": "1.0.2.3", ".1.2.3": "0.1.2.3", "1.2.3.": "1.2.3.0", "0010.0.0.1": "10.0.0.1",
		"[:1:2:3:4:5:6:7:8]": "1:2:3:4:5:6:7:8", "[::]": "::", "[::2:3:4:5:6:7:8]": "0:2:3:4:5:6:7:8", "[1::]": "1::",
		"[::ffff:1.2.3.4]": "::ffff:1.2.3.4", "[::1.2.3.4]": "::102:304", "[1:2:3:4:5:6:7.8..9]": "1:2:3:4:5:6:708:9", "[ABcd::eF]": "abcd::ef",
	} {
		l, err := ParseListen(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, l.Addr.String(), text)
	}
	for _, text := range []string{
		"[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7:8:]", "[1:2:3:4:5:6:7:8:9]", "[:]", "[1]", "[1::2::3]", "[12345::]", "[::g]", "[::1.2.3]", "[1.2.3.4]",
		"[1:2:3:4:5:6:7:1.2.3.4]", "[::1%lo]", "[::.]", "[::255.255.255.255]",
	} {
		_, err := ParseListen(text)
		assert.ErrorContains(t, err, "invalid IPv6 address", text)
	}
	for _, text := range []string{"1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.x", "255.255.255.255"} {
		l, err := ParseListen(text)
		require.NoError(t, err, text)
		assert.Equal(t, text, l.Host, "a name")
		assert.False(t, l.AddrPort().IsValid())
	}
}

func TestFlags(t *testing.T) {
	on, ok := ParseFlag("On")
	assert.True(t, on && ok)
	on, ok = ParseFlag("OFF")
	assert.True(t, !on && ok)
	_, ok = ParseFlag("yes")
	assert.False(t, ok)
}

func TestProxyPass(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	for text, want := range map[string]ProxyPass{
		"http://localhost:8083":     {Scheme: "http", Host: "localhost", Port: 8083, PortText: "8083"},
		"HTTPS://backend":           {Scheme: "https", Host: "backend", Port: 443},
		"http://127.0.0.1/":         {Scheme: "http", Host: "127.0.0.1", Addr: loopback, Port: 80, URI: "/"},
		"http://127.0.0.1:08/a/?b":  {Scheme: "http", Host: "127.0.0.1", Addr: loopback, Port: 8, PortText: "08", URI: "/a/?b"},
		"http://b?x:1/":             {Scheme: "http", Host: "b", Port: 80, URI: "?x:1/"},
		"http://[::1]:8080/x":       {Scheme: "http", Host: "[::1]", Addr: netip.IPv6Loopback(), Port: 8080, PortText: "8080", URI: "/x"},
		"http://unix:/run/a.sock":   {Scheme: "http", Unix: "/run/a.sock"},
		"http://unix:/run/a.sock:/": {Scheme: "http", Unix: "/run/a.sock", URI: "/"},
		"$scheme://b/":              {Variables: true},
	} {
		got, err := ParseProxyPass(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"localhost:8083":          `invalid URL prefix`,
		"http:/b":                 `invalid URL prefix`,
		"http://":                 `no host in upstream ""`,
		"http://:8080":            `no host in upstream ":8080"`,
		"http://b:0":              `invalid port in upstream "b:0"`,
		"http://b:70000/x":        `invalid port in upstream "b:70000/x"`,
		"http://b:1-2":            `invalid port in upstream "b:1-2"`,
		"http://[::1]?x":          `invalid host in upstream "[::1]?x"`,
		"http://unix:":            `no path in the unix domain socket in upstream "unix:"`,
		"http://b/$":              `invalid variable name`,
		"http://${b/":             `the closing bracket in "b" variable is missing`,
		"http://[1:2:3]:80/":      `invalid IPv6 address in upstream "[1:2:3]:80/"`,
		"http://user:pw@b/secret": `invalid port in upstream "user:pw@b/secret"`,
	} {
		_, err := ParseProxyPass(text)
		assert.EqualError(t, err, want, text)
	}
}

// What variables leave behind is not looked at again.
func TestProxyURLTakesADollarAsItIs(t *testing.T) {
	p, err := ParseProxyURL("http://b:81/$x$")
	require.NoError(t, err)
	assert.Equal(t, ProxyPass{Scheme: "http", Host: "b", Port: 81, PortText: "81", URI: "/$x$"}, p)
}

func TestProxyPassSaysWhereToDial(t *testing.T) {
	for text, want := range map[string][3]string{
		"http://localhost:8083/":   {"tcp", "localhost:8083", "localhost:8083"},
		"http://localhost":         {"tcp", "localhost:80", "localhost"},
		"https://b:443":            {"tcp", "b:443", "b"},
		"https://b:80":             {"tcp", "b:80", "b:80"},
		"http://b:0443":            {"tcp", "b:443", "b:0443"},
		"http://[::1]:81":          {"tcp", "[::1]:81", "[::1]:81"},
		"http://127..0.1":          {"tcp", "127.0.0.1:80", "127..0.1"},
		"http://unix:/a.sock:/uri": {"unix", "/a.sock", "localhost"},
	} {
		p, err := ParseProxyPass(text)
		require.NoError(t, err, text)
		network, address := p.Address()
		assert.Equal(t, want, [3]string{network, address, p.HostHeader()}, text)
	}
}

func TestParts(t *testing.T) {
	for text, want := range map[string][]Part{
		"":                  nil,
		"/x":                {{Text: "/x"}},
		"a$b-c":             {{Text: "a"}, {"$b", "b"}, {Text: "-c"}},
		"${a}b$c_d1":        {{"${a}", "a"}, {Text: "b"}, {"$c_d1", "c_d1"}},
		"$1$10":             {{"$1", "1"}, {"$1", "1"}, {Text: "0"}},
		"$0":                {{"$0", "0"}}, // a variable of that name, not a capture
		"${1}":              {{"${1}", "1"}},
		"$host$request_uri": {{"$host", "host"}, {"$request_uri", "request_uri"}},
	} {
		var got []Part
		for p, err := range Parts(text) {
			require.NoError(t, err)
			got = append(got, p)
		}
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		"a$":     "invalid variable name",
		"$-":     "invalid variable name",
		"${":     "invalid variable name",
		"${}":    "invalid variable name",
		"${a":    `the closing bracket in "a" variable is missing`,
		"${a b}": `the closing bracket in "a" variable is missing`,
		"${-}":   `the closing bracket in "" variable is missing`,
	} {
		var last error
		for _, err := range Parts(text) {
			last = err
		}
		assert.EqualError(t, last, want, text)
	}
}

func TestExpandEndsAtTheFirstError(t *testing.T) {
	unknown := errors.New("unknown")
	lookup := func(name string) (string, error) {
		if name == "a" {
			return "1", nil
		}
		return "", unknown
	}
	got, err := Expand("x$a${a}y", lookup)
	require.NoError(t, err)
	assert.Equal(t, "x11y", got)
	_, err = Expand("x$b", lookup)
	assert.ErrorIs(t, err, unknown)
	_, err = Expand("$a$", lookup)
	assert.EqualError(t, err, "invalid variable name")
}

func TestReturn(t *testing.T) {
	for _, c := range []struct {
		args []string
		want Return
	}{
		{[]string{"404"}, Return{Status: 404}},
		{[]string{"0"}, Return{}},
		{[]string{"999", "x"}, Return{999, "x"}},
		{[]string{"https://$host/"}, Return{302, "https://$host/"}},
		{[]string{"$scheme://x"}, Return{302, "$scheme://x"}},
	} {
		got, err := ParseReturn(c.args...)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want, got)
	}
	for _, c := range [][]string{
		{`invalid return code "1000"`, "1000"},
		{`invalid return code "/x"`, "/x"},
		{`invalid return code "https://x"`, "https://x", "y"},
		{`invalid variable name`, "200", "$"},
		{`invalid number of arguments in "return" directive`},
	} {
		_, err := ParseReturn(c[1:]...)
		assert.EqualError(t, err, c[0])
	}
	for status, redirect := range map[int]bool{300: false, 301: true, 302: true, 303: true, 304: false, 307: true, 308: true, 404: false} {
		assert.Equal(t, redirect, Return{Status: status}.IsRedirect(), status)
	}
}

func TestEnumerationsAreText(t *testing.T) {
	b, err := json.Marshal([]any{NoRegex, Location{Exact, "/x"}, TrailingStar})
	require.NoError(t, err)
	assert.JSONEq(t, `["^~", {"Modifier": "=", "Name": "/x"}, "trailing-star"]`, string(b))
	var m Modifier
	require.NoError(t, m.UnmarshalText([]byte("~*")))
	assert.Equal(t, RegexCaseless, m)
	assert.EqualError(t, m.UnmarshalText([]byte("~=")), `invalid location modifier "~="`)
	var k NameKind
	require.NoError(t, k.UnmarshalText([]byte("bad-wildcard")))
	assert.Equal(t, BadWildcard, k)
	assert.Error(t, k.UnmarshalText([]byte("")))
	assert.Equal(t, "NameKind(9)", NameKind(9).String())
	_, err = Modifier(9).MarshalText()
	assert.Error(t, err)
}
