package nginxacl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// A sharedProbe is a request of a generated case.
type sharedProbe struct {
	Via, Client, Peer, Proxy, URI, Auth, Method, Host string
	XFF                                               json.RawMessage // a string, or one for each field
	Headers                                           [][2]string
}

// A sharedCase is a configuration with requests, and what nginx made of them.
type sharedCase struct {
	Name, Config string
	Probes       []sharedProbe

	nginx struct {
		Name     string
		OK       bool `json:"config_ok"`
		Error    string
		Warnings []string
		Probes   []struct {
			Status int
			Addr   string
			Vars   map[string]string
		}
	}
}

// kind is the part of a name before the number.
func (c *sharedCase) kind() string {
	return c.Name[:strings.IndexAny(c.Name, "-:")]
}

// sharedCases puts generated configurations to a live nginx through the oracle
// beside this module.
func sharedCases(t *testing.T, seed uint64, n int) (cases []sharedCase) {
	generated, answers := testenv.ACLCases(t, seed, n)
	in, out := json.NewDecoder(bytes.NewReader(generated)), json.NewDecoder(bytes.NewReader(answers))
	for {
		var c sharedCase
		err := in.Decode(&c)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		require.NoError(t, out.Decode(&c.nginx))
		require.Equal(t, c.Name, c.nginx.Name)
		cases = append(cases, c)
	}
	require.NotEmpty(t, cases)
	return cases
}

// around is what the oracle's nginx has around the configuration of a case.
const around = `events {}
http {
    set_real_ip_from 127.0.0.0/8; set_real_ip_from ::1; set_real_ip_from unix:; real_ip_header X-Oracle-Client;
    server {
        listen 127.0.0.1:8001 default_server; listen [::1]:8001 default_server;
        listen [::ffff:127.0.0.1]:8002 default_server ipv6only=off;
        listen 127.0.0.1:8003 default_server proxy_protocol; listen unix:/s default_server;
        server_name oracle-default.invalid; return 421;
    }
    include case.conf;
}
`

var placeholders = strings.NewReplacer("{PORT}", "8001", "{PORT_MAPPED}", "8002", "{PORT_PROXY}", "8003", "{UNIX}", "/s",
	"{HOST}", "case.test", "{ID}", "7", "{HTPASSWD}", "/users", "{DIR}", "/dir", "{MODULES}", "modules")

// query is a probe as a Query.
func (p *sharedProbe) query(t *testing.T) nginxacl.Query {
	q := nginxacl.Query{Host: "case.test", URI: p.URI, Method: p.Method, Header: http.Header{}}
	if p.Host != "" {
		q.Host = placeholders.Replace(p.Host)
	}
	q.User, q.Password, _ = strings.Cut(p.Auth, ":")
	add := func(name, value string) {
		var raw []byte // the oracle sends it as Latin 1
		for _, r := range value {
			raw = append(raw, byte(r))
		}
		q.Header.Add(name, strings.Trim(string(raw), " "))
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
	peer, at := "127.0.0.1", "127.0.0.1:8001"
	if p.Peer != "" {
		peer = p.Peer
	}
	switch p.Via {
	case "unix":
		q.Unix = true
		return q
	case "tcp6":
		peer, at = "::1", "[::1]:8001"
	case "mapped":
		at = "127.0.0.1:8002"
	case "proxy":
		at, q.Proxy = "127.0.0.1:8003", p.Proxy
	}
	q.Client, q.Listen = netip.MustParseAddr(peer), netip.MustParseAddrPort(at)
	return q
}

// said are the messages of a level as the oracle reports them.
func said(found nginxconf.Diagnostics, level slog.Level, word string) (lines []string) {
	for _, d := range found {
		if d.Level == level {
			lines = append(lines, fmt.Sprintf("[%s] %s at line %d", word, d.Message, d.Start.Line))
		}
	}
	return lines
}

// All nine kinds of generated cases: what nginx answers, who the client is, and
// what it refuses a configuration for. What is Unknown is counted by its kind.
func TestOracleSharedCases(t *testing.T) {
	seed, n := testenv.Size(t, 100)
	version := testenv.NginxVersion(t)
	asked, unknown, refused, warned, other := map[string]int{}, map[string]int{}, 0, 0, 0
	geos, classes := 0, 0
	for _, c := range sharedCases(t, seed, n) {
		fsys := fstest.MapFS{
			"nginx.conf": {Data: []byte(around)}, "case.conf": {Data: []byte(placeholders.Replace(c.Config))},
			"users": {Data: []byte("user:{PLAIN}pass\n")},
		}
		config, _ := nginxconf.Load(fsys, "nginx.conf", nil)
		found := validate.Config(config, &validate.Options{Version: version})
		if !c.nginx.OK {
			errors := said(found, slog.LevelError, "emerg")
			require.NotEmpty(t, errors, "%s\n%s", c.Name, c.Config)
			require.Equal(t, strings.ReplaceAll(c.nginx.Error, "c.test", "case.test"), errors[0], "%s\n%s", c.Name, c.Config)
			refused++
			continue
		}
		warnings := said(found, slog.LevelWarn, "warn")
		// nginx warns of a range once for each /16 it touches.
		require.Equal(t, slices.Compact(slices.Sorted(slices.Values(c.nginx.Warnings))),
			slices.Compact(slices.Sorted(slices.Values(warnings))), "%s\n%s", c.Name, c.Config)
		warned += len(warnings)
		judge, err := nginxacl.New(config, &nginxacl.Options{Version: version, Files: fsys})
		require.NoError(t, err, "%s\n%s", c.Name, c.Config)
		for i, p := range c.Probes {
			answer := c.nginx.Probes[i]
			q := p.query(t)
			e, err := judge.Explain(q)
			context := fmt.Sprintf("%s: %+v\nnginx %+v\n%+v\n%s", c.Name, p, answer, e, c.Config)
			require.NoError(t, err, context)
			asked[c.kind()]++
			if want, found := answer.Vars["g"]; found {
				value, class, known, divided := judge.GeoValue("g7", e.Client, q.Client, q)
				if known {
					require.Equal(t, strings.TrimSuffix(want, "."), value, context)
					geos++
				}
				if known && divided {
					require.Equal(t, value, class, context)
					classes++
				}
			}
			var want nginxacl.Verdict
			switch s := answer.Status; {
			case e.Verdict == nginxacl.Unknown:
				unknown[c.kind()+": "+strings.SplitN(e.Because, " ", 2)[0]]++
				if os.Getenv("ORACLE_VERBOSE") != "" {
					t.Log(c.Name, e.Because)
				}
				continue
			case s == http.StatusForbidden:
				want = nginxacl.Denied
			case s == http.StatusUnauthorized:
				want = nginxacl.Unauthorized
			case s == http.StatusServiceUnavailable && strings.Contains(c.Config, "limit_req"):
				other++ // what came before decides
				continue
			case s < 400 || s == 404 || s == 405 || s == 502 || s == e.Status:
				want = nginxacl.Allowed
			}
			require.Equal(t, want, e.Verdict, context)
			if e.Status != 0 {
				require.Equal(t, answer.Status, e.Status, context)
			}
			// nginx keeps $remote_addr from when it was first asked for.
			if answer.Addr != "" && !strings.Contains(c.Config, "if ($remote_addr") {
				require.Equal(t, answer.Addr, acl.AddrText(e.Client), context)
			}
		}
	}
	t.Logf("%d configurations refused, %d warnings, %d answers that depend on the requests before", refused, warned, other)
	t.Logf("%d values of geo blocks, %d of them by the class of the client", geos, classes)
	for _, kind := range slices.Sorted(maps.Keys(asked)) {
		t.Logf("%-9s %6d answers", kind, asked[kind])
	}
	for _, kind := range slices.Sorted(maps.Keys(unknown)) {
		t.Logf("unknown: %s %d", kind, unknown[kind])
	}
}
