package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/lint/linttest"
)

func TestRequestID(t *testing.T) {
	check := requestID
	linttest.Run(t, &check, os.DirFS("testdata/check"))
}

func TestSiteThatComesWithTheProgram(t *testing.T) {
	var stdout, stderr strings.Builder
	status := run(nil, &stdout, &stderr)
	assert.Equal(t, 1, status)
	assert.Empty(t, stderr.String())
	const dir = "testdata/site/conf.d/"
	assert.Equal(t, dir+`nipt.conf:6:9: error: allow without deny: an address that matches none of these rules is let in [acl-allow-without-deny]
`+dir+`nipt.conf:8:9: warning: localhost may be ::1, where an application on 127.0.0.1 does not listen [proxy-localhost-name]
`+dir+`scout.conf:14:9: error: proxied without X-Request-ID: the application's log cannot be joined with nginx's [request-id]
`, stdout.String())
}

func TestExitStatus(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	clean := write("clean.conf", "events {}\n")
	warned := write("warned.conf", "upstream app { server localhost:8080; }\n")
	wrong := write("wrong.conf", "proxy_pass http://127.0.0.1;\n")
	broken := write("broken.conf", "proxy_pass http://127.0.0.1 }\ninclude gone.conf;\n")
	for name, tt := range map[string]struct {
		files          []string
		status         int
		stdout, stderr []string // each a part of a line, in order
	}{
		"nothing found":  {files: []string{clean}},
		"warnings":       {[]string{clean, warned}, 0, []string{warned + ":1:16: warning: localhost may be"}, nil},
		"an error":       {[]string{wrong, clean}, 1, []string{wrong + ":1:1: error: proxied without"}, nil},
		"a syntax error": {[]string{broken}, 2, []string{broken + ":1:1: error: proxied", broken + `:1:29: error: unexpected "}"`, broken + ":2:9: error: open() "}, nil},
		"no such file":   {[]string{filepath.Join(dir, "gone"), wrong}, 2, []string{wrong + ":1:1: error"}, []string{"customlint: nginxconf: open "}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			assert.Equal(t, tt.status, run(tt.files, &stdout, &stderr))
			for said, parts := range map[string][]string{stdout.String(): tt.stdout, stderr.String(): tt.stderr} {
				lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
				if len(parts) == 0 {
					assert.Empty(t, said)
					continue
				}
				require.Len(t, lines, len(parts), said)
				for i, part := range parts {
					assert.Contains(t, lines[i], part)
				}
			}
		})
	}
}

// The program is there to show that a check is ten lines.
func TestCheckIsTenLines(t *testing.T) {
	src, err := os.ReadFile("requestid.go")
	require.NoError(t, err)
	_, check, found := strings.Cut(string(src), "\nvar requestID = ")
	require.True(t, found)
	check, _, found = strings.Cut(check, "\n}}\n")
	require.True(t, found)
	assert.LessOrEqual(t, strings.Count(check, "\n")+2, 10)
}
