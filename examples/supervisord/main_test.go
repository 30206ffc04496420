//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// TestMain lets the test binary be the supervisord.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-n" {
		main()
	}
	os.Exit(m.Run())
}

// TestOracleConformance puts the example to all scenarios of the conformance
// suite. It takes half a minute on two idle processors.
func TestOracleConformance(t *testing.T) {
	suite := testenv.Shared(t, "oracle", "procmgr", "conformance.py")
	testenv.Program(t, "supervisorctl")
	python := testenv.Program(t, "python3")
	exe, err := os.Executable()
	require.NoError(t, err)
	// Its upper bounds of time are for a machine that does nothing else.
	args := []string{suite, "--server", exe + " -n -c {conf}", "--jobs", "2", "--slack", "4"}
	out, err := exec.Command(python, args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), " 100.0% of 132", "%s", out)
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "total") {
			t.Log(line)
		}
	}
}
