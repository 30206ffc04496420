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

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// TestOracleArguments asks the installed nginx what it says of arguments made
// at random: it accepts what we accept, and refuses the rest in our words.
func TestOracleArguments(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	seed, cases := testenv.Size(t, 80)
	r := rand.New(rand.NewPCG(seed, 0))

	// join makes one word of up to n pieces.
	join := func(n int, pieces ...string) string {
		var b strings.Builder
		for range 1 + r.IntN(n) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	address := func() string {
		return join(5, "127.0.0.1", "[::1]", "[::]", "*", ":", ":80", ":0", "80", "8080-8081", "90-80", "-", "1.2.3", ".", "[", "]", "65536", "00080",
			"[1:2:3:4:5:6:7::]", "[:1:2:3:4:5:6:7:8]", "[::1.2.3.4]", "[::1..3.4]", "255.255.255.256", "/", "?", "unix:", "x")
	}
	invalid := func(err error, directive string) string {
		if err == nil {
			return ""
		}
		return fmt.Sprintf(`"%s" directive %v`, directive, err)
	}
	said := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	duration := func() string {
		return join(7, "1", "2", "30", "0", "y", "M", "w", "d", "h", "m", "s", "ms", " ", "9223372036854775", "H", "-")
	}
	number := func() string {
		return join(3, "1", "0", "k", "K", "m", "M", "g", "G", "9007199254740991", " ", "-", "b")
	}

	// ask returns a directive and what we say of it, "" if we accept it.
	ask := []func() (name string, args []string, ours string){
		func() (string, []string, string) {
			args := []string{address()}
			for range r.IntN(3) {
				args = append(args, pick("default_server", "default", "ssl", "http2", "proxy_protocol", "bind", "reuseport", "deferred", "backlog", "setfib=1",
					join(2, "backlog=", "fastopen=", "rcvbuf=", "sndbuf=", "ipv6only=", "so_keepalive=", "so_keepalive=", "0", "1k", "4294967295", "4294967296", "on", "off", "ok", "1:2:3", ":", "1m")))
			}
			_, err := ParseListen(args...)
			return "listen", args, said(err)
		},
		func() (string, []string, string) {
			s := pick("http://", "http://", "HTTPS://", "ftp://") + pick("127.0.0.1", "b", "[::1]", "", "unix:/s") + join(3, "", ":80", ":", "/", "?", ":1-2", "$host", "${host", "$")
			p, err := ParseProxyPass(s)
			if err == nil && p.Host == "b" && p.PortText != "" {
				return "proxy_pass", []string{s}, fmt.Sprintf(`upstream "b" may not have port %d`, p.Port)
			}
			return "proxy_pass", []string{s}, said(err)
		},
		func() (string, []string, string) {
			args := []string{pick("200", "999", "1000", "http://a", "https://a", "$scheme://a", "/a", "")}
			if r.IntN(2) == 0 {
				args = append(args, join(3, "a", "$host", "${host}", "${host", "$", "{", "}", "$1"))
			}
			_, err := ParseReturn(args...)
			return "return", args, said(err)
		},
		func() (string, []string, string) {
			s := join(4, "*", ".", "a", "b.", "A", "~", "$hostname")
			if strings.HasPrefix(s, "~") {
				s = "~"
			}
			_, err := ParseServerName(s)
			return "server_name", []string{s}, said(err)
		},
		func() (string, []string, string) {
			args := []string{pick("=", "^~", "~", "~*", "@", "", "=/a", "^~/a", "~a", "~*a", "/a", "@a", "^")}
			if r.IntN(2) == 0 {
				args = append(args, pick("/a", "", "a"))
			}
			_, err := ParseLocation(args...)
			return "location", args, said(err)
		},
		func() (string, []string, string) {
			s := duration()
			_, err := ParseTime(s)
			return "client_body_timeout", []string{s}, invalid(err, "client_body_timeout")
		},
		func() (string, []string, string) {
			s := duration()
			_, err := ParseSeconds(s)
			return "keepalive_timeout", []string{"1", s}, invalid(err, "keepalive_timeout")
		},
		func() (string, []string, string) {
			s := number()
			_, err := ParseSize(s)
			return "client_header_buffer_size", []string{s}, invalid(err, "client_header_buffer_size")
		},
		func() (string, []string, string) {
			s := number()
			_, err := ParseOffset(s)
			return "client_max_body_size", []string{s}, invalid(err, "client_max_body_size")
		},
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	first := regexp.MustCompile(`\[emerg\] \d+#\d+: (.*) in \S*:(\d+)\n`)
	refused := 0
	for range cases {
		name, args, ours := ask[r.IntN(len(ask))]()
		line := name
		for _, a := range args {
			line += ` "` + a + `"`
		}
		switch name {
		case "location":
			line += " { }"
		case "proxy_pass":
			line = "location / { " + line + "; }"
		default:
			line += ";"
		}
		// nginx stops at line 3 if it accepts line 2, and so opens no socket.
		text := "error_log stderr; events { } http { upstream b { server 127.0.0.1; } server {\n" + line + "\nstop;\n}}\n"
		require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
		out, _ := exec.CommandContext(t.Context(), nginx, "-t", "-e", "stderr", "-p", dir, "-c", conf).CombinedOutput()
		m := first.FindSubmatch(out)
		require.NotNil(t, m, "%s\n%s", line, out)
		theirs := string(m[1])
		if string(m[2]) == "3" {
			theirs = ""
		} else {
			refused++
		}
		if strings.HasPrefix(theirs, "host not found in ") { // read as a name, and parameters not reached
			require.NotRegexp(t, `of the "listen" directive$| in upstream "`, ours, line)
			continue
		}
		require.Equal(t, theirs, ours, line)
	}
	t.Logf("%d arguments refused alike", refused)
}
