package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be the services, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "service" {
		os.Exit(serviceMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func quickstart(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs, func(string) string { return "" })
	return code, out.String(), errs.String()
}

// facts are what anybody who runs it must see.
var facts = []string{
	`services.md:23:48: port 7073 of nipt-stage breaks the convention "stage = production − 1010"`,
	"services.md:24:48: port 7073 is listed twice",
	"- | NIPT               | nipt-stage            | 7073 |",
	"+ | NIPT               | nipt-stage            | 7072 |",
	"proxy_pass http://localhost:8083;",
	`--bind=":8083"`,
	"[proxy-localhost-name] (15 times)",
	"✓ nothing to report on 15 sites and 15 programs",
	"https://scout.example.se/                  200     Scout here, for 127.0.0.1 by https on scout.example.se",
	"allowed by allow 127.0.0.1;",
	"https://scout.example.se/                  403     Forbidden",
	"denied by deny all;",
	"301     → https://scout.example.se",
	"closed  no answer",
	"scout RUNNING → EXITED",
	"scout STARTING → RUNNING",
	"none is left",
	"Done in ",
}

func TestTheMainJobIsDone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a host") // with a blank in its name
	code, out, _ := quickstart(t, "-dir", dir)
	require.Zero(t, code, out)
	for _, fact := range facts {
		require.Contains(t, out, fact)
	}
	require.NotContains(t, out, "\x1b[", "no colour but on a terminal")
	for _, name := range []string{"as-is/nginx/conf.d/scout.conf", "sound/supervisor/supervisord.conf", "run/log/scout.log", "run/log/door.log"} {
		require.FileExists(t, filepath.Join(dir, name))
	}
}

// TestOracleNginxInFront puts the installed nginx in front: it gives the same
// answers as the front door.
func TestOracleNginxInFront(t *testing.T) {
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("REQUIRE_UPSTREAM") == "1" {
			t.Fatal("nginx is not installed")
		}
		t.Skip("nginx is not installed")
	}
	code, out, _ := quickstart(t, "-nginx")
	require.Zero(t, code, out)
	for _, fact := range facts {
		require.Contains(t, out, fact)
	}
	require.Contains(t, out, "✓ nginx -t accepts it")
	require.Contains(t, out, "16 processes stopped")
}

func TestABadTableStartsNothing(t *testing.T) {
	head := "For production:\n\n| service | subdomain | port |\n|---|---|---|\n"
	for name, c := range map[string]struct{ table, says string }{
		"no port column":        {"| service | subdomain |\n|---|---|\n| a | a |\n", "table.md:1:1: "},
		"a port that is a word": {head + "| a | a | http |\n", "table.md:5:11: "},
		"a port too large":      {head + "| a | a | 65536 |\n", "table.md:5:11: "},
		"a negative port":       {head + "| a | a | -1 |\n", "table.md:5:11: "},
		"a subdomain twice":     {head + "| a | a | 1024 |\n| b | A | 1025 |\n", "table.md:6:7: "},
		"an empty file":         {"", "table.md:1:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "table.md")
			require.NoError(t, os.WriteFile(file, []byte(c.table), 0o600))
			code, out, _ := quickstart(t, "-table", file)
			require.Equal(t, 1, code, out)
			require.Contains(t, out, c.says)
			require.Contains(t, out, "failed: ")
			require.NotContains(t, out, "Run it")
		})
	}
	code, out, _ := quickstart(t, "-table", filepath.Join(t.TempDir(), "none.md"))
	require.Equal(t, 1, code)
	require.Contains(t, out, "no such file")
}

func TestATableFromWindowsIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table.md")
	table := "\xef\xbb\xbfFor production:\r\n\r\n| service | subdomain | port |\r\n|---|---|---|\r\n| **Scout** \\| more | [scout](https://scout) | 8083 |\r\n"
	require.NoError(t, os.WriteFile(file, []byte(table), 0o600))
	code, out, _ := quickstart(t, "-table", file)
	require.Zero(t, code, out)
	require.Contains(t, out, "Scout | more here, for 127.0.0.1")
}

func TestAPortThatSomebodyHasIsSaidSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "table.md")
	require.NoError(t, os.WriteFile(file, []byte("For production:\n\n| service | subdomain | port |\n|---|---|---|\n| Scout | scout | "+port+" |\n"), 0o600))
	code, out, _ := quickstart(t, "-table", file, "-own-ports")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "table.md:5:19: port "+port+" of scout is taken")
	if _, err := os.Stat("/proc/net/tcp"); err == nil {
		require.Contains(t, out, "is taken by quickstart.test (pid ")
	}
	require.NotContains(t, out, "processes run")
}

// TestOneLoopbackAddressIsEnough asks through a proxy that is trusted, as on
// systems where 127.0.0.2 is not there.
func TestOneLoopbackAddressIsEnough(t *testing.T) {
	_, err := exec.LookPath("nginx")
	for _, nginx := range []bool{false, true} {
		if nginx && err != nil {
			continue
		}
		var out bytes.Buffer
		o := &options{domain: "example.se", allow: []string{"127.0.0.1"}, oneLoopback: true, nginx: nginx}
		require.NoError(t, demo(t.Context(), o, newScreen(&out, func(string) string { return "" })), out.String())
		require.Contains(t, out.String(), "127.0.0.2  https://scout.example.se/                  403     Forbidden")
	}
}

func TestWhoIsNotAllowedIsRefusedBothWays(t *testing.T) {
	code, out, _ := quickstart(t, "-allow", "127.0.0.2, 192.0.2.0/24")
	require.Zero(t, code, out)
	first := strings.Index(out, "403     Forbidden")
	second := strings.Index(out, "200     Scout here, for 127.0.0.2")
	require.Positive(t, first)
	require.Greater(t, second, first)
}

func TestServingEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out watched
	out.when, out.do = []byte("Serving until Ctrl-C"), cancel
	code := run(ctx, []string{"-serve"}, &out, &out, func(string) string { return "" })
	require.Zero(t, code, out.String())
	require.Contains(t, out.String(), "none is left")
}

// A watched writer does something once it has seen a text.
type watched struct {
	bytes.Buffer
	when []byte
	do   func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.do != nil && bytes.Contains(w.Bytes(), w.when) {
		w.do()
		w.do = nil
	}
	return n, err
}

func TestAWrongCommandLineIsAUsageError(t *testing.T) {
	for _, args := range [][]string{{"-nope"}, {"more"}, {"-allow", "office"}} {
		code, _, errs := quickstart(t, args...)
		require.Equal(t, 2, code)
		require.NotEmpty(t, errs)
	}
	code, _, errs := quickstart(t, "-h")
	require.Zero(t, code)
	require.Contains(t, errs, "-keep")
}
