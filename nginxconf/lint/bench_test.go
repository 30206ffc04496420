package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/lint"
)

// many returns a configuration of n servers in which every check finds
// something.
func many(n int) string {
	var b strings.Builder
	b.WriteString("events {}\nhttp {\n    proxy_set_header X-Real-IP $remote_addr;\n    satisfy all;\n")
	for i := range n {
		fmt.Fprintf(&b, `
    server {
        listen 80;
        listen [::]:80;
        listen 443 ssl;
        server_name s%d.example.se;
        allow 192.0.2.0/24;
        allow 2001:db8::/32;
        location / {
            proxy_pass http://localhost:%d;
        }
        location /api/ {
            proxy_set_header Connection "";
            proxy_pass http://127.0.0.1:%d/;
        }
    }
`, i, 1024+i, 1024+i)
	}
	b.WriteString("}\n")
	return b.String()
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d-servers", n), func(b *testing.B) {
			text := many(n)
			c := load(b, "nginx.conf", text)
			checks := lint.Default()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				found, err := lint.Run(c, checks...)
				require.NoError(b, err)
				require.Len(b, found, 6*n+3)
			}
		})
	}
}
