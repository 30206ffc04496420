package portmap

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReachOfReadsAddressesAndNothingElse(t *testing.T) {
	for bind, want := range map[string]string{
		"": "all", "*": "all", "::": "all", "[::]": "all", "0::0": "all",
		"localhost": "all", "host.example.se": "all", // only the machine can say
		"0.0.0.0": "0.0.0.0", "127.0.0.1": "127.0.0.1", "::ffff:127.0.0.1": "127.0.0.1", "[::1]": "::1", "::1": "::1",
	} {
		r, ok := reachOf(bind)
		assert.True(t, ok, bind)
		got := "all"
		if r.addr.IsValid() {
			got = r.addr.String()
		}
		assert.Equal(t, want, got, bind)
	}
	for _, bind := range []string{"127.0.0.1:8080", ":8080", "[::1", "unix:/run/x.sock", "any one", "[::1]:80"} {
		r, ok := reachOf(bind)
		assert.False(t, ok, bind)
		assert.False(t, r.addr.IsValid(), "what cannot be read may clash with anything")
	}
}

// The naive twin of listeners: every earlier one is asked.
func TestListenersFindWhatAskingAllFinds(t *testing.T) {
	binds := []string{"", "0.0.0.0", "127.0.0.1", "127.0.0.2", "::1", "::", "10.0.0.1", "2001:db8::1"}
	for seed := range 500 {
		var l listeners
		var all []reach
		n := seed
		for i := range 6 {
			r, _ := reachOf(binds[(n+i*(seed%7))%len(binds)])
			n = n*31 + 7
			want, found := 0, false
			for j, o := range all {
				if r.overlaps(o) {
					want, found = j, true
					break
				}
			}
			got, ok := l.clash(r, func(int) bool { return true })
			require.Equal(t, found, ok, "seed %d", seed)
			require.Equal(t, want, got, "seed %d", seed)
			l.add(r, i)
			all = append(all, r)
		}
	}
}

// overlaps, against the sockets of the system the test runs on. It covers what
// listeners a Go program can ask for; the wider, recorded matrix is below.
func TestOverlapIsWhatTheSystemSays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems let a specific address be bound beside the wildcard")
	}
	addrs := map[string]string{"": "tcp", "0.0.0.0": "tcp4", "127.0.0.1": "tcp4", "127.0.0.2": "tcp4", "::1": "tcp6"}
	listen := func(bind string, port int) (net.Listener, error) {
		var lc net.ListenConfig
		return lc.Listen(context.Background(), addrs[bind], net.JoinHostPort(bind, strconv.Itoa(port)))
	}
	// inUse reports whether second cannot be bound beside first.
	inUse := func(first, second string) bool {
		a, err := listen(first, 0)
		if err == nil {
			defer a.Close()
			var b net.Listener
			if b, err = listen(second, a.Addr().(*net.TCPAddr).Port); err == nil {
				b.Close()
				return false
			}
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Skipf("this machine lacks an address: %v", err)
		}
		return true
	}
	for first := range addrs {
		for second := range addrs {
			x, _ := reachOf(first)
			y, _ := reachOf(second)
			got := inUse(first, second)
			for range 3 { // a stranger may have had that port on the second address
				got = got && inUse(first, second)
			}
			assert.Equal(t, got, x.overlaps(y), "%q and %q", first, second)
		}
	}
}

func TestOracleBindMatrix(t *testing.T) {
	const name = "oracle/ports/bind_matrix_addr.jsonl"
	data, err := os.ReadFile(filepath.FromSlash("../../shared/" + name))
	if err != nil {
		t.Skip("the recorded matrix is not there: TestOverlapIsWhatTheSystemSays asks this machine instead")
	}
	read := func(socket string) (reach, bool) {
		bind, found := strings.CutPrefix(socket, "tcp ")
		// An address alone does not say "v6only"; udp is none of ours.
		if !found || strings.Contains(bind, "v6only") {
			return reach{}, false
		}
		bind, _, _ = strings.Cut(bind, " ")
		if a, err := netip.ParseAddr(strings.Trim(bind, "[]")); err != nil || !a.IsValid() {
			return reach{}, false
		}
		r, ok := reachOf(bind)
		return r, ok
	}
	compared := 0
	for line := range strings.Lines(string(data)) {
		var c struct{ First, Second, Result string }
		require.NoError(t, json.Unmarshal([]byte(line), &c))
		a, ok := read(c.First)
		b, ok2 := read(c.Second)
		if !ok || !ok2 {
			continue
		}
		compared++
		assert.Equal(t, c.Result == "EADDRINUSE", a.overlaps(b), line)
	}
	assert.GreaterOrEqual(t, compared, 25)
}
