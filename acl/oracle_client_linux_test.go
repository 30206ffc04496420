package acl

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// directiveWords reads nginx text without quotes that matter: each directive as its
// words, with the number of its line. Braces are dropped.
func directiveWords(config string) (directives [][]string, lines []int) {
	for _, m := range regexp.MustCompile(`[^;{}]+`).FindAllStringIndex(config, -1) {
		text := config[m[0]:m[1]]
		if fields := strings.Fields(text); len(fields) > 0 {
			indent := len(text) - len(strings.TrimLeft(text, " \n"))
			directives = append(directives, fields)
			lines = append(lines, 1+strings.Count(config[:m[0]+indent], "\n"))
		}
	}
	return directives, lines
}

// braces are placeholders of the oracle, which directiveWords would take for blocks.
var braces = regexp.MustCompile(`\{([A-Z_]+)\}`)

// A sharedSite is what a generated configuration says of access.
type sharedSite struct {
	list     List
	realIP   RealIP
	satisfy  Satisfy
	basic    string // the words of auth_basic and its file
	geo      GeoBuilder
	source   string // the variable of the geo block
	warnings []string
}

// siteOf reads one. The levels need no telling apart: each directive stands at
// one level, but for the set_real_ip_from with which a server keeps what it
// would inherit from working.
func siteOf(config, version string) (s sharedSite, err error) {
	var trusted List
	directives, lines := directiveWords(braces.ReplaceAllString(config, "<$1>"))
	inGeo := false
	for i, d := range directives {
		warn := func(text string) {
			s.warnings = append(s.warnings, fmt.Sprintf("[warn] %s at line %d", text, lines[i]))
		}
		var r Rule
		switch {
		case d[0] == "geo":
			inGeo = true
			if len(d) == 3 {
				s.source = d[1]
			}
		case d[0] == "server":
			inGeo = false
		case inGeo:
			var warnings []string
			warnings, err = s.geo.Add(d...)
			for _, w := range warnings {
				warn(w)
			}
		case d[0] == "allow", d[0] == "deny":
			r, err = ParseRule(d[0], d[1])
			s.list = append(s.list, r)
		case d[0] == "set_real_ip_from":
			if r, err = ParseTrusted(d[1]); d[1] != "192.0.2.255" {
				trusted = append(trusted, r)
			}
		case d[0] == "real_ip_header":
			s.realIP.Header = d[1]
		case d[0] == "real_ip_recursive":
			s.realIP.Recursive = d[1] == "on"
		case d[0] == "satisfy":
			err = s.satisfy.UnmarshalText([]byte(d[1]))
		case strings.HasPrefix(d[0], "auth_basic"):
			s.basic += strings.Join(d[1:], " ")
		}
		if err != nil {
			return s, fmt.Errorf("[emerg] %w at line %d", err, lines[i])
		}
		if r.HostBits() {
			warn(r.Warning())
		}
	}
	if trusted != nil {
		s.realIP.Trusted = Compile(trusted)
	}
	s.realIP.Version, s.geo.Version = version, version
	return s, nil
}

// auth is what auth_basic says of credentials.
func (s *sharedSite) auth(credentials string) Outcome {
	switch {
	case s.basic == "" || strings.HasPrefix(s.basic, "off"):
		return Declined
	case credentials == "":
		return Unauthorized
	case strings.HasSuffix(s.basic, "absent"):
		return Forbidden
	case credentials == "user:pass":
		return Granted
	}
	return Unauthorized
}

// harness is how the oracle's nginx takes the client from its own header.
func harness(t *testing.T) RealIP {
	var l List
	for _, argument := range []string{"127.0.0.0/8", "::1", "unix:"} {
		r, err := ParseTrusted(argument)
		require.NoError(t, err)
		l = append(l, r)
	}
	return RealIP{Trusted: Compile(l), Header: "X-Oracle-Client", Version: testenv.NginxVersion(t)}
}

// header is the request's, and the peer's address, as nginx sees them. Around
// a value it drops blanks only.
func (p sharedProbe) header(t *testing.T) (http.Header, netip.AddrPort) {
	h := http.Header{}
	add := func(name, value string) {
		var raw []byte // the oracle sends it as Latin 1
		for _, r := range value {
			raw = append(raw, byte(r))
		}
		h.Add(name, strings.Trim(string(raw), " "))
	}
	if p.Client != "" {
		add("X-Oracle-Client", p.Client)
	}
	if p.XFF != nil {
		var fields []string
		if json.Unmarshal(p.XFF, &fields) != nil {
			fields = make([]string, 1)
			require.NoError(t, json.Unmarshal(p.XFF, &fields[0]))
		}
		for _, f := range fields {
			add("X-Forwarded-For", f)
		}
	}
	for _, f := range p.Headers {
		add(f[0], f[1])
	}
	peer := "127.0.0.1"
	switch {
	case p.Via == "unix":
		return h, netip.AddrPort{}
	case p.Via == "tcp6":
		peer = "::1"
	case p.Peer != "":
		peer = p.Peer
	}
	if p.Via == "mapped" {
		peer = "::ffff:" + peer
	}
	return h, netip.AddrPortFrom(netip.MustParseAddr(peer), 1)
}

// Who the client is, what a geo block gives to it, and what the access phase
// makes of rules and passwords, for generated configurations and requests.
func TestOracleSharedClients(t *testing.T) {
	seed, n := testenv.Size(t, 100)
	outer := harness(t)
	var refused, warned, asked, replaced int
	for _, c := range sharedCases(t, "realip,geo,georange,satisfy", seed, n) {
		s, err := siteOf(c.Config, outer.Version)
		if !c.nginx.OK {
			require.EqualError(t, err, c.nginx.Error, "%s\n%s", c.Name, c.Config)
			refused++
			continue
		}
		require.NoError(t, err, c.Name)
		require.ElementsMatch(t, c.nginx.Warnings, s.warnings, "%s\n%s", c.Name, c.Config)
		warned += len(s.warnings)
		table, geo, realIP := Compile(s.list), s.geo.Build(), s.realIP
		if realIP.Trusted == nil {
			realIP = outer
		}
		for i, p := range c.Probes {
			said := c.nginx.Probes[i]
			header, peer := p.header(t)
			trace := realIP.Explain(peer, header, ProxyHeader{})
			client, moved := realIP.Find(peer, header, ProxyHeader{})
			context := fmt.Sprintf("%s: %+v\n%+v\n%s", c.Name, p, trace, c.Config)
			require.Equal(t, trace.Client, client, context)
			require.Equal(t, trace.Replaced, moved, context)
			checkTrace(t, realIP, peer, trace)

			d := table.Lookup(client.Addr())
			access := s.satisfy.Decide(d.Outcome(), s.auth(p.Auth))
			require.Equal(t, said.Status, int(access.Outcome), "%+v, %s", d, context)
			if said.Status/100 == 2 || said.Addr != "" {
				require.Equal(t, said.Addr, AddrText(client.Addr()), context)
			}
			if said.Peer != "" {
				require.Equal(t, said.Peer, AddrText(peer.Addr()), context)
			}
			if moved && said.Addr != "" {
				replaced++
				port := ""
				if said.Port != nil {
					port = *said.Port
				}
				want := ""
				if client.Port() > 0 {
					want = strconv.Itoa(int(client.Port()))
				}
				require.Equal(t, port, want, context)
			}
			if value, ok := said.Vars["g"]; ok {
				who := geo.Client(client.Addr(), header)
				switch s.source {
				case "$arg_ip":
					u, err := url.Parse(p.URI)
					require.NoError(t, err)
					_, text, _ := strings.Cut(u.RawQuery, "ip=")
					who, _ = ParseAddr(text)
				case "$remote_addr":
					who, _ = ParseAddr(AddrText(client.Addr()))
				}
				m := geo.Lookup(who)
				require.Equal(t, value, m.Value+".", "looked up %v, %s", who, context)
			}
			asked++
		}
	}
	t.Logf("%d configurations refused, %d warnings, %d answers, %d clients of proxies", refused, warned, asked, replaced)
	require.NotZero(t, asked)
}

// checkTrace compares a trace with itself: the hops are a chain.
func checkTrace(t *testing.T, r RealIP, peer netip.AddrPort, trace Trace) {
	at := peer
	replaced := false
	for i, h := range trace.Hops {
		require.Equal(t, at.Addr(), h.From, "%+v", trace)
		require.Equal(t, Decision{Allow, h.Rule}, r.Trusted.Lookup(h.From.Unmap()), "%+v", trace)
		if i == len(trace.Hops)-1 && trace.Stop == StopUnreadable {
			require.Zero(t, h.To, "%+v", trace)
			break
		}
		require.True(t, h.To.Addr().IsValid(), "%+v", trace)
		at, replaced = h.To, true
	}
	require.Equal(t, at, trace.Client, "%+v", trace)
	require.Equal(t, replaced, trace.Replaced, "%+v", trace)
	if trace.Stop == StopUntrusted {
		require.Negative(t, r.trusts(at.Addr()), "%+v", trace)
	}
}
