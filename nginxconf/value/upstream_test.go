package value

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func ExampleParseUpstreamServer() {
	s, err := ParseUpstreamServer("127.0.0.1:8083", "weight=5", "max_fails=0", "fail_timeout=1m", "backup")
	fmt.Println(s.Host, s.Port, s.Weight, s.FailTimeout, s.Backup, err)
	_, err = ParseUpstreamServer("127.0.0.1:8083", "weight=none")
	fmt.Println(err)
	// Output:
	// 127.0.0.1 8083 5 1m0s true <nil>
	// invalid parameter "weight=none"
}

func TestAnUpstreamServerHasNginxsDefaults(t *testing.T) {
	s, err := ParseUpstreamServer("unix:/run/a:b")
	require.NoError(t, err)
	require.Equal(t, UpstreamServer{Unix: "/run/a:b", Weight: 1, MaxFails: 1, FailTimeout: 10 * time.Second}, s)
	network, address := s.Address()
	require.Equal(t, "unix /run/a:b", network+" "+address)
	s, err = ParseUpstreamServer("[::1]", "down", "resolve")
	require.NoError(t, err)
	_, address = s.Address()
	require.Equal(t, "[::1]:80", address)
	require.True(t, s.Down)
	require.Equal(t, []string{"resolve"}, s.Others)
}

// TestOracleUpstreamServers asks the installed nginx about servers of upstream
// blocks made at random.
func TestOracleUpstreamServers(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	r := rand.New(rand.NewPCG(7, 0))
	join := func(n int, pieces ...string) string {
		var b strings.Builder
		for range 1 + r.IntN(n) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	dir := t.TempDir()
	said := regexp.MustCompile(`\[emerg\] \d+#\d+: (.*) in \S*:\d+\n`)
	refused := 0
	for i := range 120 {
		args := []string{join(3, "127.0.0.1", "[::1]", ":80", ":", ":0", "/", "?", "unix:", "/s", "[", "]", ":1-2", "10.0.0.1:8080")}
		for range r.IntN(3) {
			args = append(args, join(2, "weight=", "max_conns=", "max_fails=", "fail_timeout=", "1", "0", "10s", "1m", "-", "backup", "down"))
		}
		name := filepath.Join(dir, fmt.Sprint(i))
		// A plain server beside it: one that is alone cannot be a backup.
		text := "events{}\nhttp{ upstream u { server 127.0.0.2; server " + strings.Join(args, " ") + "; } }\n"
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		out, err := exec.Command(nginx, "-t", "-c", name, "-p", dir, "-g", "error_log stderr; pid nginx.pid;").CombinedOutput()
		_, ours := ParseUpstreamServer(args...)
		if err == nil {
			require.NoError(t, ours, "%q", args)
			continue
		}
		m := said.FindSubmatch(out)
		require.NotNil(t, m, "%s", out)
		if strings.HasPrefix(string(m[1]), "host not found") {
			require.NoError(t, ours, "%q", args)
			continue
		}
		refused++
		require.EqualError(t, ours, string(m[1]), "%q", args)
	}
	require.Positive(t, refused)
}
