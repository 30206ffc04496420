package nginxacl_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

// sites is a host of many sites, a file each. Some of them changed.
func sites(tb testing.TB, n int, changed ...int) *nginxconf.Config {
	fsys := fstest.MapFS{"nginx.conf": {Data: []byte(`events {}
http {
    set_real_ip_from 10.0.0.0/8;
    real_ip_header X-Forwarded-For;
    include conf.d/*.conf;
}
`)}}
	for i := range n {
		rules := "allow 192.0.2.0/24;\n    allow 2001:db8::/32;\n    deny all;"
		for _, k := range changed {
			if k == i {
				rules = "allow 192.0.2.0/24;\n    allow 198.51.100.0/24;\n    allow 2001:db8::/32;\n    deny all;"
			}
		}
		fsys[fmt.Sprintf("conf.d/s%d.conf", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, `server {
    listen 80;
    server_name s%d.example.se;
    return 301 https://$host$request_uri;
}
server {
    listen 443 ssl;
    server_name s%d.example.se www.s%d.example.se;
    ssl_certificate /etc/ssl/house.pem;
    ssl_certificate_key /etc/ssl/house.key;
    %s
    location / {
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_pass http://127.0.0.1:%d;
    }
    location /static/ {
        root /srv/s%d;
    }
}
`, i, i, i, rules, 8000+i%1000, i)}
	}
	c, err := nginxconf.Load(fsys, "nginx.conf", nil)
	require.NoError(tb, err)
	return c
}

func BenchmarkExplain(b *testing.B) {
	judge, err := nginxacl.New(sites(b, 10_000), nil)
	require.NoError(b, err)
	q := nginxacl.Query{
		Client: netip.MustParseAddr("192.0.2.7"), Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true,
		Header: http.Header{"X-Forwarded-For": {"203.0.113.9, 192.0.2.7"}, "User-Agent": {"curl"}},
	}
	for name, client := range map[string]string{"direct": "192.0.2.7", "proxied": "10.0.0.1", "denied": "203.0.113.1"} {
		b.Run(name, func(b *testing.B) {
			q := q
			q.Client = netip.MustParseAddr(client)
			var hosts [64]string
			for i := range hosts {
				hosts[i] = fmt.Sprintf("s%d.example.se", i*150)
			}
			q.URI = "/cases/12?sort=name"
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q.Host = hosts[i%len(hosts)]
				if e, err := judge.Explain(q); err != nil || e.Verdict == nginxacl.Unknown {
					b.Fatal(e.Because, err)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	c := sites(b, 13_300)
	b.ReportAllocs()
	for b.Loop() {
		_, err := nginxacl.New(c, nil)
		require.NoError(b, err)
	}
}

func BenchmarkDiff(b *testing.B) {
	before, after := sites(b, 13_300), sites(b, 13_300, 7_000)
	b.ReportAllocs()
	for b.Loop() {
		changes, err := nginxacl.Diff(before, after)
		require.NoError(b, err)
		require.Len(b, changes, 1)
		require.Equal(b, "198.51.100.0/24", changes[0].Gains.String())
	}
}

// Every site has to be looked at where what stands around them has changed.
func BenchmarkDiffOfAll(b *testing.B) {
	before, after := sites(b, 13_300), sites(b, 13_300)
	for d := range after.Find("http") {
		d.Body().Append(nginxconf.New("satisfy", "all"))
	}
	for b.Loop() {
		changes, err := nginxacl.Diff(before, after)
		require.NoError(b, err)
		require.Empty(b, changes)
	}
}

func TestManySitesOfWhichOneChanged(t *testing.T) {
	changes, err := nginxacl.Diff(sites(t, 300), sites(t, 300, 42))
	require.NoError(t, err)
	require.Len(t, changes, 1)
	require.Equal(t, []string{"s42.example.se", "www.s42.example.se"}, changes[0].Hosts)
	require.Equal(t, []string{"0.0.0.0:443"}, changes[0].Listens)
	var b strings.Builder
	require.NoError(t, changes.WriteText(&b, nil))
	require.Contains(t, b.String(), "gain access: 198.51.100.0/24")
}

// Many names and many locations are not multiplied.
func TestServersOfManyNamesAndLocationsAreCompared(t *testing.T) {
	text := func(rule string) string {
		var b strings.Builder
		b.WriteString("server { listen 80; " + rule + "\n")
		for i := range 500 {
			fmt.Fprintf(&b, "server_name n%d n%d.x;\nlocation /l%d/ { }\n", i, i, i)
		}
		return b.String() + "}"
	}
	changes, _ := diffOf(t, text("deny all;"), text("allow all;"))
	require.Len(t, changes, 1)
	require.Len(t, changes[0].Hosts, 1001)
}
