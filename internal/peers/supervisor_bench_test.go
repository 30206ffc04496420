//go:build unix

package peers

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onehost-go/onehost/supervisorconf"
	"github.com/stretchr/testify/require"
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

// BenchmarkResolve makes of the same file what supervisord would run. Supervisor
// itself does so where it is installed, in one process that reads the file once
// to warm up.
func BenchmarkResolve(b *testing.B) {
	src := programs(5_000)
	b.Run("by=supervisorconf", func(b *testing.B) {
		host := fstest.MapFS{"etc/supervisord.conf": {Data: src}}
		o := &supervisorconf.LoadOptions{IsDir: func(string) bool { return true }, Environ: []string{"PATH=/bin", "HOME=/root"}}
		run(b, len(src), func() {
			c, err := supervisorconf.Load(host, "etc/supervisord.conf", o)
			if err != nil {
				b.Fatal(err)
			}
			if len(c.Groups) != 5_000 {
				b.Fatal(len(c.Groups), "groups")
			}
		})
	})
	b.Run("by=supervisor", func(b *testing.B) {
		used := supervisor(b, src, b.N)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(len(src))/1e6/used, "MB/cpu-s")
		b.ReportMetric(used*1e3, "cpu-ms/op")
	})
}

// supervisor has the installed Supervisor read a file, once to warm up and then
// n times, and returns the seconds of processor time that it takes each time.
func supervisor(t testing.TB, src []byte, n int) float64 {
	t.Helper()
	const script = `
import os, sys, time
from supervisor import options

class Options(options.ServerOptions):
    def usage(self, msg):
        sys.exit(msg)

options.existing_dirpath = options.existing_directory = str
options.name_to_uid = lambda name: 33
options.logfile_name = lambda path: path

def load():
    o = Options()
    o.realize(['-c', sys.argv[1]], doc='')
    assert len(o.process_group_configs) == 5000, len(o.process_group_configs)

load()
start = time.process_time()
for _ in range(int(sys.argv[2])):
    load()
print((time.process_time() - start) / int(sys.argv[2]))
`
	python := ""
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import supervisor.options").Run() == nil {
			python = name
		}
	}
	if python == "" {
		t.Skip("no python3 that can import supervisor")
	}
	name := filepath.Join(t.TempDir(), "supervisord.conf")
	require.NoError(t, os.WriteFile(name, src, 0o600))
	cmd := exec.Command(python, "-c", script, name, strconv.Itoa(n))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.Bytes())
	used, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	require.NoError(t, err)
	return used
}
