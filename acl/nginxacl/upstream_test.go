package nginxacl_test

import (
	"cmp"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// upstream returns the path of a program that a differential test needs. It
// skips the test without it, and fails it if REQUIRE_UPSTREAM is 1. ORACLE_NGINX
// is another nginx than the installed one.
func upstream(t *testing.T, program string) string {
	t.Helper()
	if program == "nginx" {
		program = cmp.Or(os.Getenv("ORACLE_NGINX"), program)
	}
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("REQUIRE_UPSTREAM") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// nginxVersion returns the version of the nginx that upstream finds.
func nginxVersion(t *testing.T) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), upstream(t, "nginx"), "-v").CombinedOutput()
	require.NoError(t, err, "%s", said)
	_, version, found := strings.Cut(strings.TrimSpace(string(said)), "nginx/")
	require.True(t, found, "%s", said)
	version, _, _ = strings.Cut(version, " ")
	return version
}

// oracleEnv returns ORACLE_SEED, and ORACLE_CASES or its default.
func oracleEnv(t *testing.T, cases int) (uint64, int) {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("ORACLE_SEED"), "1"), 10, 64)
	require.NoError(t, err)
	cases, err = strconv.Atoi(cmp.Or(os.Getenv("ORACLE_CASES"), strconv.Itoa(cases)))
	require.NoError(t, err)
	t.Logf("ORACLE_SEED=%d ORACLE_CASES=%d", seed, cases)
	return seed, cases
}
