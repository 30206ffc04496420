package acl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

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
	generated, answers := testenv.ACLCases(t, seed, n, "--kinds", kinds)
	in, out := json.NewDecoder(bytes.NewReader(generated)), json.NewDecoder(bytes.NewReader(answers))
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
