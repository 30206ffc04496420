package lint_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// FuzzFixesMend: whatever the text, the checks come to an end and report
// places in it. If its syntax is right, it is still right when all fixes are
// applied, and nothing is left that they offer to mend.
func FuzzFixesMend(f *testing.F) {
	inputs := os.DirFS("testdata")
	_ = fs.WalkDir(inputs, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".conf") {
			text, err := fs.ReadFile(inputs, name)
			require.NoError(f, err)
			f.Add(string(text))
		}
		return err
	})
	for _, text := range []string{
		"", "}", "allow", "http{server{allow 1.2.3.4", "http{server{allow 1.2.3.4}}", "server { allow; deny; listen; location; proxy_pass; }",
		"http { server { listen 80-90; } server { listen 85-99; } }", `location / { proxy_pass "http://localhost`, "proxy_pass http://$;",
		"events{}http{server{listen 80;}server{}}", "location a{if{proxy_pass http://[::1];}}", "server{allow 0.0.0.0/1;allow 128.0.0.0/1;allow ::/1;}",
		"upstream{server localhost;}upstream localhost;", "include x.conf;allow ::1;", "# lint:ignore NX101,,, x\nserver{allow ::1;}# lint:file-ignore",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			t.Skip() // x.conf includes itself, or there is nothing to include
		}
		fixesMend(t, text)
	})
}

// fixesMend returns how many findings there were.
func fixesMend(t *testing.T, text string) int {
	t.Helper()
	c := load(t, "x.conf", text)
	found, err := lint.Run(c, lint.Default()...)
	if err != nil {
		require.ErrorContains(t, err, "servers listen more than")
		return 0
	}
	var all []nginxconf.Edit
	for _, d := range found {
		require.Equal(t, "x.conf", d.Start.Filename)
		require.GreaterOrEqual(t, d.End.Offset, d.Start.Offset)
		require.LessOrEqual(t, d.End.Offset, len(text))
		for _, fix := range d.Fixes {
			all = append(all, fix.Edits...)
		}
	}
	fixed, err := nginxconf.Apply([]byte(text), all)
	require.NoError(t, err)
	if len(c.Diagnostics()) > 0 {
		return len(found)
	}
	c = load(t, "x.conf", string(fixed))
	require.Empty(t, c.Diagnostics(), "%s", fixed)
	left, err := lint.Run(c, lint.Default()...)
	require.NoError(t, err)
	for _, d := range left {
		require.Empty(t, d.Fixes, "%v\n%s", d, fixed)
	}
	return len(found)
}

// Texts that a fuzzer takes long to come by: the directives that the checks
// know, in all places and layouts.
func TestFixesMendRandomConfigurations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[rnd.IntN(len(list))] }
	simple := strings.Split(`listen 80;listen [::]:80;listen 443 ssl;listen "80";listen 80-82;listen unix:/s;server_name a;`+
		`allow 10.0.0.1;allow 10.0.0.0/8;allow ::1;allow unix:;allow all;allow 0.0.0.0/1;deny 128.0.0.0/1;deny 0.0.0.0/1;deny all;deny ::/0;`+
		`satisfy any;auth_basic x;auth_basic_user_file f;auth_basic off;return 200;server localhost;server 127.0.0.1;`+
		`proxy_pass http://localhost;proxy_pass http://127.0.0.1:8080;proxy_pass 'http://app/';proxy_pass http://[::1]:$arg_x;proxy_pass http://198.51.100.1;`+
		`proxy_set_header Host $host;proxy_set_header X-Forwarded-For $remote_addr;proxy_set_header X-Real-IP $remote_addr`, ";")
	blocks := []string{"server", "server", "location /", "location /a", "location ~ x", "if ($x)", "limit_except GET", "upstream app", "http", "stream"}
	between := []string{"\n", "\n\t", " ", "\n# comment\n", " # comment\n", "\r\n", "\n\n"}
	var write func(b *strings.Builder, depth int)
	write = func(b *strings.Builder, depth int) {
		for range rnd.IntN(6) {
			b.WriteString(pick(between))
			if depth < 4 && rnd.IntN(3) == 0 {
				b.WriteString(pick(blocks) + " {")
				write(b, depth+1)
				b.WriteString(pick(between) + "}")
			} else {
				b.WriteString(pick(simple) + ";")
			}
		}
	}
	findings := 0
	for range 3000 {
		var b strings.Builder
		b.WriteString(pick([]string{"", "events {}"}))
		for range 3 {
			b.WriteString(pick(between) + pick([]string{"http", "http", "server", "location /"}) + " {")
			write(&b, 0)
			b.WriteString(pick(between) + "}")
		}
		findings += fixesMend(t, b.String())
	}
	assert.Greater(t, findings, 3000)
}
