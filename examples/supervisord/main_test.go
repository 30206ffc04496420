//go:build unix

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
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
	file := filepath.Join(t.TempDir(), "results.json")
	// Its upper bounds of time are for a machine that has nothing else to do.
	ask := func(only, jobs string) results {
		args := []string{suite, "--server", exe + " -n -c {conf}", "--slack", "6", "--only", only, "--jobs", jobs, "--json", file}
		out, err := exec.Command(python, args...).CombinedOutput()
		if err != nil {
			require.ErrorAs(t, err, new(*exec.ExitError), "%s", out)
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err, "%s", out)
		var r results
		require.NoError(t, json.Unmarshal(text, &r))
		return r
	}
	all := ask("", "2")
	t.Logf("%d passed, %d failed, %d skipped", all.Pass, all.Fail, all.Skip)
	require.Equal(t, 132, all.Pass+all.Fail+all.Skip)
	for _, r := range all.Results {
		// One that fails is asked once more, alone: some of its bounds cannot be
		// widened.
		if r.Result != "pass" && r.Result != "skip" {
			t.Logf("%s.%s: %s", r.Category, r.Name, r.Message)
			again := ask("^"+r.Category+"\\."+r.Name+"$", "1")
			require.Equal(t, results{Pass: 1, Results: again.Results}, again, "%s.%s", r.Category, r.Name)
		}
	}
}

type results struct {
	Pass, Fail, Skip int
	Results          []struct{ Category, Name, Result, Message string }
}
