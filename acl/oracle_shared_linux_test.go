package acl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// A sharedProbe is a request of a generated case.
type sharedProbe struct {
	Via, Client, Peer, Proxy, URI, Auth string
	XFF                                 json.RawMessage // a string, or one for each field
	Headers                             [][2]string
}

// A sharedAnswer is what nginx made of it. A variable that is empty is nil.
type sharedAnswer struct {
	Status     int
	Addr, Peer string
	Port       *string
	Vars       map[string]string
}

type sharedCase struct {
	Name, Config string
	Probes       []sharedProbe

	nginx struct {
		Name     string
		OK       bool `json:"config_ok"`
		Error    string
		Warnings []string
		Probes   []sharedAnswer
	}
}

// sharedCases puts generated configurations, and clients from the whole
// address space, to a live nginx through the oracle beside this module.
func sharedCases(t *testing.T, kinds string, seed uint64, n int) (cases []sharedCase) {
	dir := filepath.Join("..", "..", "shared", "oracle", "acl")
	if _, err := os.Stat(dir); err != nil {
		t.Skip(err) // it is not part of the module; TestOracleNginx… need only nginx
	}
	nginx := testenv.Program(t, "nginx")
	python := testenv.Program(t, "python3")
	generated, err := exec.CommandContext(t.Context(), python, filepath.Join(dir, "acl_cases.py"),
		"--seed", strconv.FormatUint(seed, 10), "--cases", strconv.Itoa(n), "--kinds", kinds).Output()
	require.NoError(t, err)

	cmd := exec.CommandContext(t.Context(), python, filepath.Join(dir, "acl_oracle.py"), "--quiet", "--nginx", nginx)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Stdin = bytes.NewReader(generated)
	var answers, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &answers, &said
	// Interrupted, the oracle stops its nginx; the group is for the worst case.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	require.NoError(t, cmd.Start())
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if err := cmd.Wait(); os.Getenv("ORACLE_NGINX") == "" { // what the cases expect is for nginx 1.22
		require.NoError(t, err, "%s", said.String())
	}

	in, out := json.NewDecoder(bytes.NewReader(generated)), json.NewDecoder(&answers)
	for {
		var c sharedCase
		err := in.Decode(&c)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		require.NoError(t, out.Decode(&c.nginx))
		require.Equal(t, c.Name, c.nginx.Name)
		cases = append(cases, c)
	}
	require.NotEmpty(t, cases)
	return cases
}

func TestOracleSharedCases(t *testing.T) {
	seed, n := testenv.Size(t, 100)
	var refused, warned, asked int
	for _, c := range sharedCases(t, "flat,syntax", seed, n) {
		l, warnings, err := listOf(c.Config)
		if !c.nginx.OK {
			require.Error(t, err, "%s: nginx says %s", c.Name, c.nginx.Error)
			require.Equal(t, c.nginx.Error, "[emerg] "+err.Error(), c.Name)
			refused++
			continue
		}
		require.NoError(t, err, c.Name)
		require.ElementsMatch(t, c.nginx.Warnings, warnings, c.Name)
		warned += len(warnings)
		table := Compile(l)
		for i, p := range c.Probes {
			var who netip.Addr
			if p.Via != "unix" {
				who, err = netip.ParseAddr(p.Client)
				require.NoError(t, err, c.Name)
			}
			status := c.nginx.Probes[i].Status
			require.Contains(t, []int{http.StatusOK, http.StatusForbidden}, status, c.Name)
			d := table.Lookup(who)
			require.Equal(t, status == http.StatusForbidden, d.Action == Deny, "%s: client %v, %+v, list\n%v", c.Name, who, d, l)
			require.Equal(t, l.Decide(who), d, "%s: client %v, list\n%v", c.Name, who, l)
			asked++
		}
	}
	t.Logf("%d configurations refused, %d warnings, %d answers", refused, warned, asked)
	require.NotZero(t, refused+asked)
}

var directives = regexp.MustCompile(`\b(allow|deny) ([^;]*);`)

// listOf reads the rules of a configuration that has them at one level, and
// words refusals and warnings as the oracle reports them.
func listOf(config string) (l List, warnings []string, err error) {
	for _, m := range directives.FindAllStringSubmatchIndex(config, -1) {
		r, err := ParseRule(config[m[2]:m[3]], strings.Trim(config[m[4]:m[5]], `"`))
		line := 1 + strings.Count(config[:m[0]], "\n")
		if err != nil {
			return nil, nil, fmt.Errorf("%w at line %d", err, line)
		}
		if r.HostBits() {
			warnings = append(warnings, fmt.Sprintf("[warn] %s at line %d", r.Warning(), line))
		}
		l = append(l, r)
	}
	return l, warnings, nil
}
