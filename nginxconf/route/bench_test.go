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

// sites is a configuration of services, each with two servers as people have
// them.
func sites(n int) string {
	var b strings.Builder
	b.WriteString("events { }\nhttp {\n")
	for i := range n {
		fmt.Fprintf(&b, `    server {
        listen 80;
        server_name s%[1]d.example.se;
        return 301 https://$host$request_uri;
    }
    server {
        listen 443 ssl http2;
        listen [::]:443 ssl http2;
        server_name s%[1]d.example.se;
        ssl_certificate /etc/ssl/s%[1]d.pem;
        ssl_certificate_key /etc/ssl/s%[1]d.key;
        allow 10.0.0.0/8;
        deny all;
        location / {
            proxy_pass http://127.0.0.1:%[2]d;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
        location ~ ^/(?:old|new)/.*\.php$ { return 404; }
        location /static/ {
            alias /srv/s%[1]d/;
        }
    }
`, i, 8000+i%1000)
	}
	b.WriteString("}\n")
	return b.String()
}

// A router is to be there in the time that it takes to parse its configuration.
func BenchmarkNew(b *testing.B) {
	for _, shape := range []struct{ name, text string }{{"locations", many(10_000)}, {"sites", sites(13_300)}} {
		b.Run(shape.name+"/parse", func(b *testing.B) {
			b.SetBytes(int64(len(shape.text)))
			b.ReportAllocs()
			for b.Loop() {
				load(b, shape.text)
			}
		})
		c := load(b, shape.text)
		b.Run(shape.name+"/route", func(b *testing.B) {
			b.SetBytes(int64(len(shape.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMatchRegex(b *testing.B) {
	r, err := New(load(b, sites(1000)))
	require.NoError(b, err)
	q := Request{Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true, ServerName: "s1.example.se", Host: "s1.example.se", Method: "GET"}
	for _, uri := range []string{"/cases/12", "/old/cases/index.php"} {
		b.Run(uri[1:4], func(b *testing.B) {
			q := q
			q.URI = uri
			b.ReportAllocs()
			for b.Loop() {
				if m, err := r.Match(q); err != nil || len(m.Unsure) > 0 {
					b.Fatal(m, err)
				}
			}
		})
	}
}
