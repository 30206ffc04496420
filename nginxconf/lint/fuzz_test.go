package lint_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
	"github.com/onehost-go/onehost/nginxconf/lint/internal/edits"
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
		c := load(t, "x.conf", text)
		found, err := lint.Run(c, lint.Default()...)
		if err != nil {
			require.ErrorContains(t, err, "servers listen more than")
			return
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
		fixed, err := edits.Apply(text, all)
		require.NoError(t, err)
		if len(c.Diagnostics()) > 0 {
			return
		}
		c = load(t, "x.conf", string(fixed))
		require.Empty(t, c.Diagnostics(), "%s", fixed)
		left, err := lint.Run(c, lint.Default()...)
		require.NoError(t, err)
		for _, d := range left {
			require.Empty(t, d.Fixes, "%v\n%s", d, fixed)
		}
	})
}
