package supervisorconf

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// manyPrograms is a file of the size that a large site has.
func manyPrograms(n int) []byte {
	var b strings.Builder
	b.WriteString("[supervisord]\nlogfile=/dev/null ; none\n\n")
	for i := range n {
		fmt.Fprintf(&b, `; program %[1]d
[program:p%[1]d]
command = /usr/bin/worker --queue=q%[1]d --bind=unix:/run/%%(program_name)s.sock
directory = /srv/app%[1]d
user = www-data
autostart = true
autorestart = true ; always
startsecs = 5
stopwaitsecs = 30
environment = A="1",
  B="x,y",
  PYTHONPATH="/srv/app%[1]d/lib"
stdout_logfile = /var/log/p%[1]d.log
redirect_stderr = true

`, i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	src := manyPrograms(5000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("s.conf", src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBytes(b *testing.B) {
	f, err := Parse("s.conf", manyPrograms(5000))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(f.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		f.Bytes()
	}
}

// An edit costs by the lines of its option, not by those of the file.
func BenchmarkSet(b *testing.B) {
	for _, n := range []int{50, 5000, 50_000} {
		b.Run(fmt.Sprintf("programs=%d", n), func(b *testing.B) {
			f, err := Parse("s.conf", manyPrograms(n))
			if err != nil {
				b.Fatal(err)
			}
			s := f.Section("program", fmt.Sprintf("p%d", n/2))
			values := []string{"60", "30"}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Set("stopwaitsecs", values[i%2])
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	src := manyPrograms(5000)
	fsys := fstest.MapFS{"etc/supervisord.conf": {Data: src}}
	o := &LoadOptions{IsDir: func(string) bool { return true }, Environ: []string{"PATH=/bin", "HOME=/root"}}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(fsys, "etc/supervisord.conf", o); err != nil {
			b.Fatal(err)
		}
	}
}
