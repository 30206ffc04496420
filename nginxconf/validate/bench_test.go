package validate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// sites is a main file with n services in the users' shape.
func sites(n int) []byte {
	b := []byte("user www-data;\nworker_processes auto;\npid /run/nginx.pid;\n\nevents {\n    worker_connections 768;\n}\n\nhttp {\n")
	for i := range n {
		b = fmt.Appendf(b, `server {
    listen 80;
    server_name %[1]s;
    return 301 https://$host$request_uri;
}

server {
    listen 443 ssl;
    server_name %[1]s;

    ssl_certificate /etc/ssl/private/wildcard.example.se/fullchain.pem; # the house certificate
    ssl_certificate_key /etc/ssl/private/wildcard.example.se/privkey.pem;

    location / {
        allow 10.%[2]d.0.0/16;
        allow 192.0.2.%[2]d; # the office in town
        deny all;

        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_pass http://localhost:%[3]d;
    }
}

`, fmt.Sprintf("scout-%05d.services.example.se", i), 1+i%254, 8000+i%1000)
	}
	return append(b, "}\n"...)
}

// BenchmarkConfig is a file of 62 lines, and one of 10 MB; beside it, what it
// takes to parse them.
func BenchmarkConfig(b *testing.B) {
	for _, n := range []int{2, 13_300} {
		src := sites(n)
		b.Run(fmt.Sprintf("sites=%d/validate", n), func(b *testing.B) {
			f, err := nginxconf.Parse("nginx.conf", src)
			require.NoError(b, err)
			c := f.Config()
			c.Fragment = false
			b.ReportAllocs()
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if err := validate.Config(c, nil).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("sites=%d/parse", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if _, err := nginxconf.Parse("nginx.conf", src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
