//go:build unix

package peers

import (
	"fmt"
	"testing"

	"github.com/onehost-go/onehost/supervisorconf"
	"gopkg.in/ini.v1"
)

// programs is a file of n programs in the users' shape.
func programs(n int) []byte {
	b := []byte("[supervisord]\nlogfile=/var/log/supervisor/supervisord.log\npidfile=/run/supervisord.pid\n\n")
	for i := range n {
		b = fmt.Appendf(b, `[program:%[1]s-%05[2]d]
command=/srv/%[1]s/bin/gunicorn --workers=4 --bind=":%[3]d" --access-logfile=- --error-logfile=- %[1]s.server.auto:app
directory=/srv/%[1]s
user=www-data
environment=LANG="C.UTF-8",SERVICE="%[1]s"
autostart=true
autorestart=true ; as all of them
stopwaitsecs=30
stopasgroup=true
stdout_logfile=/var/log/supervisor/%[1]s.log
redirect_stderr=true

`, subdomains[i%len(subdomains)], i, 8000+i%1000)
	}
	return b
}

// BenchmarkPrograms reads 5,000 programs, 2 MB, into a file that can be
// edited and printed.
func BenchmarkPrograms(b *testing.B) {
	src := programs(5_000)
	for _, by := range []struct {
		name  string
		parse func() (any, error)
	}{
		{"supervisorconf", func() (any, error) { return supervisorconf.Parse("supervisord.conf", src) }},
		{"ini.v1", func() (any, error) { return ini.Load(src) }},
	} {
		b.Run("by="+by.name, func(b *testing.B) {
			parse := func() any {
				f, err := by.parse()
				if err != nil {
					b.Fatal(err)
				}
				return f
			}
			keeps := kept(parse)
			run(b, len(src), func() { parse() })
			b.ReportMetric(keeps/1e6, "kept-MB")
		})
	}
}
