package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func checked(t *testing.T, conf string, flags ...string) (status int, out string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "nginx.conf")
	require.NoError(t, os.WriteFile(name, []byte(conf), 0o600))
	var b strings.Builder
	status = run(append(flags, name), &b)
	return status, strings.ReplaceAll(b.String(), name, "nginx.conf")
}

func TestSaysWhatNginxSays(t *testing.T) {
	status, out := checked(t, "events {}\nhttp {\n    server {\n        listen 80;\n    }\n}\n")
	require.Equal(t, 0, status)
	require.Equal(t, "nginx: the configuration file nginx.conf syntax is ok\nnginx: configuration file nginx.conf test is successful\n", out)

	status, out = checked(t, "events {}\nhttp {\n    server {\n        lisen 80;\n        listen 0;\n    }\n}\n")
	require.Equal(t, 1, status)
	require.Equal(t, `nginx: [emerg] unknown directive "lisen" in nginx.conf:4
       write "listen"
       write "live"
nginx: [emerg] invalid port in "0" of the "listen" directive in nginx.conf:5
nginx: configuration file nginx.conf test failed
`, out)
}

func TestVersionsModulesAndFragments(t *testing.T) {
	http2 := "events {}\nhttp {\n    server {\n        http2 on;\n    }\n}\n"
	status, _ := checked(t, http2, "-version", "1.25.1")
	require.Equal(t, 0, status)
	status, out := checked(t, http2, "-version", "1.24.0")
	require.Equal(t, 1, status)
	require.Contains(t, out, `use nginx 1.25.1 or newer`)

	status, _ = checked(t, "listen 80;\n", "-context", "http/server")
	require.Equal(t, 0, status)
	status, _ = checked(t, "server {\n    listen 80;\n}\n", "-context", "guess")
	require.Equal(t, 0, status)
	status, _ = checked(t, "server {\n    listen 80;\n}\n")
	require.Equal(t, 1, status)
}

func TestBadCalls(t *testing.T) {
	var b strings.Builder
	require.Equal(t, 2, run(nil, &b))
	require.Contains(t, b.String(), "usage")
	require.Equal(t, 1, run([]string{filepath.Join(t.TempDir(), "none")}, &b))
	require.Equal(t, 2, run([]string{"-nonsense"}, &b))
}
