package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const main1 = `events {}
http {
    include conf.d/*.conf;
}
`

// tree writes a directory of an nginx whose only site has these lines.
func tree(t *testing.T, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "conf.d"), 0o755))
	site := "server {\n    listen 80;\n    server_name scout.example.se;\n    " + strings.Join(lines, "\n    ") + "\n}\n"
	for name, text := range map[string]string{"nginx.conf": main1, "conf.d/scout.conf": site} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

var site = []string{"allow 192.0.2.0/24;", "deny all;", "location / { proxy_pass http://127.0.0.1:8083; }"}

// reviewed runs the program. Directories are called before and after.
func reviewed(t *testing.T, before, after string, flags ...string) (status int, out, errs string) {
	t.Helper()
	var o, e strings.Builder
	status = run(append(flags, before, after), &o, &e)
	names := strings.NewReplacer(before, "before", after, "after")
	return status, names.Replace(o.String()), names.Replace(e.String())
}

func TestAGainIsStatusOne(t *testing.T) {
	after := append([]string{"location /metrics { allow ::1; proxy_pass http://127.0.0.1:8083; }"}, site...)
	status, out, errs := reviewed(t, tree(t, site...), tree(t, after...))
	require.Empty(t, errs)
	require.Equal(t, `scout.example.se, any other host /metrics* on 0.0.0.0:80
    gain access: everybody but 192.0.2.0/24
    before: location /: allow 192.0.2.0/24; deny all; (before/conf.d/scout.conf:4:5, inherited from server)
    after:  location /metrics: allow ::1; (after/conf.d/scout.conf:4:25)
`, out)
	require.Equal(t, 1, status)
}

func TestALossIsStatusZero(t *testing.T) {
	after := append([]string{"deny 192.0.2.66;"}, site...)
	status, out, errs := reviewed(t, tree(t, site...), tree(t, after...))
	require.Empty(t, errs)
	require.Contains(t, out, "lose access: 192.0.2.66\n")
	require.Equal(t, 0, status)

	same := tree(t, site...)
	status, out, _ = reviewed(t, same, filepath.Join(same, "nginx.conf"))
	require.Equal(t, "nobody gains or loses access\n", out)
	require.Equal(t, 0, status)
}

func TestMarkdownWithTheNamesOfTheHouse(t *testing.T) {
	names := filepath.Join(t.TempDir(), "names")
	require.NoError(t, os.WriteFile(names, []byte("office = 192.0.2.0/24\nvpn = 10.8.0.0/16\n"), 0o644))
	after := append([]string{"allow 10.8.0.0/16;"}, site...)
	status, out, errs := reviewed(t, tree(t, site...), tree(t, after...), "-format", "markdown", "-names", names)
	require.Empty(t, errs)
	require.Equal(t, "**Somebody gains access** (1 of 1 changes).\n\n"+
		"### `scout.example.se, any other host /* on 0.0.0.0:80`\n\n"+
		"- **gain access**: vpn\n"+
		"- before: location /: allow 192.0.2.0/24; deny all; (before/conf.d/scout.conf:4:5, inherited from server)\n"+
		"- after: location /: allow 10.8.0.0/16; allow 192.0.2.0/24; deny all; (after/conf.d/scout.conf:4:5, inherited from server)\n", out)
	require.Equal(t, 1, status)
}

func TestWhatCannotBeJudgedIsNoGain(t *testing.T) {
	after := append([]string{"access_by_lua_block { return }"}, site...)
	status, out, _ := reviewed(t, tree(t, site...), tree(t, after...))
	require.Contains(t, out, "unknown: 192.0.2.0/24, because after/conf.d/scout.conf:4:5: access_by_lua_block")
	require.Equal(t, 0, status)
	status, _, _ = reviewed(t, tree(t, site...), tree(t, after...), "-strict")
	require.Equal(t, 2, status)
}

func TestErrorsAreStatusTwo(t *testing.T) {
	good := tree(t, site...)
	for name, after := range map[string]string{
		"no such directory": filepath.Join(good, "none"),
		"no configuration":  tree(t, "allow 10.0.0.0/33;"),
		"no syntax":         tree(t, "allow all"),
	} {
		status, _, errs := reviewed(t, good, after)
		require.Equal(t, 2, status, name)
		require.True(t, strings.HasPrefix(errs, "review: "), "%s: %s", name, errs)
	}
	var o, e strings.Builder
	require.Equal(t, 2, run([]string{good}, &o, &e))
	require.Equal(t, 2, run([]string{"-format", "html", good, good}, &o, &e))
	require.Equal(t, 2, run([]string{"-nonsense"}, &o, &e))
	require.Equal(t, 2, run([]string{"-names", filepath.Join(good, "none"), good, good}, &o, &e))
}
