// Package testenv is for differential tests: it finds the programs that are
// right, and says how many questions to ask them.
package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Missing ends a test that needs what is not there: it is skipped, or fails if
// REQUIRE_UPSTREAM is 1.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("REQUIRE_UPSTREAM") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Program returns the path of an installed program. ORACLE_NGINX is another
// nginx than the installed one.
func Program(t testing.TB, name string) string {
	t.Helper()
	if other := os.Getenv("ORACLE_NGINX"); name == "nginx" && other != "" {
		name = other
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "%v", err)
	}
	return path
}

// Python returns a python3 that can import Supervisor.
func Python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import supervisor.options").Run() == nil {
			return name
		}
	}
	Missing(t, "no python3 that can import supervisor")
	return ""
}

// Shared returns a path in the directory shared that may lie beside the
// module, or skips the test.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		path := filepath.Join(append([]string{dir, "shared"}, elem...)...)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("no %s beside the module", filepath.Join(append([]string{"shared"}, elem...)...))
	return ""
}

// Size returns what ORACLE_SEED says, or 1, and how many cases to ask:
// ORACLE_CASES, or the test's own number. Both are logged, for a failure to be
// repeated.
func Size(t testing.TB, cases int) (seed uint64, n int) {
	t.Helper()
	seed, n = 1, cases
	var err error
	if s := os.Getenv("ORACLE_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal("ORACLE_SEED: ", err)
		}
	}
	if s := os.Getenv("ORACLE_CASES"); s != "" {
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal("ORACLE_CASES: ", err)
		}
	}
	t.Logf("ORACLE_SEED=%d ORACLE_CASES=%d", seed, n)
	return seed, n
}
