package testenv

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// ACLCases puts n generated configurations with access rules, and their clients,
// to a live nginx through the oracle beside the module. It returns both as JSON,
// one after the other in the same order. The arguments are for the generator.
// The oracle is not part of the module: without it, the test is skipped.
func ACLCases(t testing.TB, seed uint64, n int, args ...string) (cases, answers []byte) {
	t.Helper()
	dir := Shared(t, "oracle", "acl")
	nginx, python := Program(t, "nginx"), Program(t, "python3")
	args = append([]string{filepath.Join(dir, "acl_cases.py"), "--seed", strconv.FormatUint(seed, 10), "--cases", strconv.Itoa(n)}, args...)
	cases, err := exec.CommandContext(t.Context(), python, args...).Output()
	if err != nil {
		t.Fatal(err)
	}

	cmd := exec.CommandContext(t.Context(), python, filepath.Join(dir, "acl_oracle.py"), "--quiet", "--nginx", nginx)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Stdin = bytes.NewReader(cases)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	// Interrupted, the oracle stops its nginx; the group is for the worst case.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if err := cmd.Wait(); err != nil && os.Getenv("ORACLE_NGINX") == "" { // what the cases expect is for nginx 1.22
		t.Fatalf("%v: %s", err, said.String())
	}
	return cases, out.Bytes()
}
