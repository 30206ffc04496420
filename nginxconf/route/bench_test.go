package route

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// many is a configuration of many servers with 20 locations each.
func many(servers int) string {
	var b strings.Builder
	b.WriteString("events { }\nhttp {\n    proxy_set_header Host $host;\n")
	for i := range servers {
		fmt.Fprintf(&b, "    server {\n        listen 443 ssl;\n        server_name s%d.example.se www.s%d.example.se;\n", i, i)
		for k := range 20 {
			fmt.Fprintf(&b, "        location /part%d/ {\n            proxy_pass http://127.0.0.1:%d;\n        }\n", k, 8000+i%1000)
		}
		b.WriteString("    }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func BenchmarkMatch(b *testing.B) {
	r, err := New(load(b, many(10_000)))
	require.NoError(b, err)
	q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, Method: "GET"}
	for _, c := range []struct{ name, uri string }{
		{"plain", "/part7/cases/12?sort=name"},
		{"encoded", "/part7/./cases%20of/12"},
		{"redirect", "/part7"},
	} {
		b.Run(c.name, func(b *testing.B) {
			q := q
			q.URI = c.uri
			var hosts [64]string
			for i := range hosts {
				hosts[i] = fmt.Sprintf("s%d.example.se", i*150)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q.Host = hosts[i%len(hosts)]
				q.ServerName = q.Host
				m, err := r.Match(q)
				if err != nil || m.Location == nil {
					b.Fatal(m, err)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	text := many(10_000)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			load(b, text)
		}
	})
	c := load(b, text)
	b.Run("route", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := New(c); err != nil {
				b.Fatal(err)
			}
		}
	})
}
