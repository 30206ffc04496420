package pcre

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// TestOracleRegex asks the installed nginx about patterns made at random. Those
// that we accept are asked for together, each refusal alone.
func TestOracleRegex(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	seed, cases := testenv.Size(t, 200)

	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	ask := func(locations []string) string { // nginx stops after them, and so opens no socket
		text := "error_log stderr; events { } http { server {\n" + strings.Join(locations, "\n") + "\nstop;\n}}\n"
		require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
		out, _ := exec.CommandContext(t.Context(), nginx, "-t", "-e", "stderr", "-p", dir, "-c", conf).CombinedOutput()
		return string(out)
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	// Since 10.43, {,3} is a quantifier. With the older PCRE, nginx says "pcre_compile()".
	if out := ask([]string{`location ~ "^{,3}" { }`, `location ~ "(" { }`}); !strings.Contains(out, `pcre2_compile() failed: missing closing`) {
		t.Skipf("nginx has no PCRE2 10.42: %s", out)
	}

	var accepted []string
	refused, unsure := 0, 0
	for i := range cases {
		g := newGenerator(seed, uint64(i))
		pattern := g.pattern()
		if pattern == "" || strings.ContainsAny(pattern, "\x00") {
			continue // nginx's strings end there
		}
		caseless := g.IntN(2) == 0
		location := `location ~ "` + quote.Replace(pattern) + `" { }`
		if caseless {
			location = `location ~* "` + quote.Replace(pattern) + `" { }`
		}
		info, refusal := Check(pattern, caseless)
		switch {
		case info.Unsure:
			unsure++
		case refusal == nil:
			accepted = append(accepted, location)
		default:
			refused++
			out := ask([]string{location})
			want := fmt.Sprintf("%s in %s:", refusal.Nginx(pattern), conf)
			require.Contains(t, out, want, "case %d: %q", i, pattern)
		}
	}
	out := ask(accepted)
	require.Contains(t, out, `unknown directive "stop"`)
	t.Logf("%d accepted alike, %d refused alike, %d not judged", len(accepted), refused, unsure)
}
