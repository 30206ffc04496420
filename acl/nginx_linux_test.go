package acl

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// A door is one of the listening sockets of a test's nginx.
type door int

const (
	tcp4   door = iota
	tcp6        // ::1
	mapped      // an IPv6 socket on which an IPv4 client appears as ::ffff:a.b.c.d
	unix
	doors
)

// An nginx is a running one, in a temporary directory.
type nginx struct {
	dir   string
	doors [doors]*testenv.Socket // nil: the system has none
}

// startNginx runs nginx with the given directives inside one server block. It
// ends with the test.
func startNginx(t *testing.T, http, server string) *nginx {
	t.Helper()
	n := &nginx{dir: t.TempDir()}
	var listen strings.Builder
	var sockets []testenv.Socket
	for d := range doors {
		var s testenv.Socket
		var err error
		switch d {
		case tcp4:
			s, err = testenv.Listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
			require.NoError(t, err)
		case tcp6:
			s, err = testenv.Listen(netip.MustParseAddrPort("[::1]:0"), false)
		case mapped:
			s, err = testenv.Listen(netip.MustParseAddrPort("[::ffff:127.0.0.1]:0"), false)
		case unix:
			s, err = testenv.ListenUnix(filepath.Join(n.dir, "s"))
		}
		if err != nil {
			t.Logf("no socket %d: %v", d, err)
			continue
		}
		n.doors[d] = &s
		sockets = append(sockets, s)
		listen.WriteString(s.Directive())
		if d == tcp6 || d == mapped {
			listen.WriteString(" ipv6only=off")
		}
		listen.WriteString(";\n")
	}
	n.configure(t, http+"\nserver {\n"+listen.String()+server+"}\n")
	testenv.Nginx(t, n.dir, sockets)
	return n
}

// configure writes nginx.conf, with directives inside the http block.
func (n *nginx) configure(t *testing.T, directives string) {
	t.Helper()
	conf := strings.ReplaceAll(`daemon off; worker_processes 1; pid DIR/pid;
events { worker_connections 200; }
http {
access_log off; error_log DIR/error.log crit; keepalive_requests 1000000; keepalive_timeout 1h;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s_;
`, "DIR", n.dir) + directives + "}\n"
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "nginx.conf"), []byte(conf), 0o644))
}

// A client asks an nginx over one connection.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

// enter connects through a door that the system has. from, if it is valid, is
// the client's own IPv4 address.
func (n *nginx) enter(t *testing.T, d door, from netip.Addr) *client {
	t.Helper()
	network, address := "tcp", n.doors[d].Path
	if address != "" {
		network = "unix"
	} else {
		at := n.doors[d].Addr
		address = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
	}
	var dialer net.Dialer
	if from.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conn, err := dialer.DialContext(ctx, network, address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	if deadline, ok := t.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	return &client{conn, bufio.NewReader(conn)}
}

// denied asks for a path and reports whether access was refused. The client
// address, if there is one, is told in X-Client.
func (c *client) denied(t *testing.T, path, address string) bool {
	t.Helper()
	if address != "" {
		address = "X-Client: " + address + "\r\n"
	}
	_, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, address)
	require.NoError(t, err)
	response, err := http.ReadResponse(c.in, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.Contains(t, []int{http.StatusOK, http.StatusForbidden}, response.StatusCode, path)
	return response.StatusCode == http.StatusForbidden
}

// check runs "nginx -t" over the directives and returns what it said about
// them: "1 warn: message", "2 emerg: message", with the number of the line.
func check(t *testing.T, directives string) (said []string) {
	t.Helper()
	n := &nginx{dir: t.TempDir()}
	n.configure(t, directives)
	conf := filepath.Join(n.dir, "nginx.conf")
	cmd := exec.CommandContext(t.Context(), testenv.Program(t, "nginx"), "-t", "-q", "-p", n.dir, "-e", "stderr", "-c", conf)
	output, _ := cmd.CombinedOutput() // a refusal is an answer too
	for _, line := range strings.Split(string(output), "\n") {
		// "2026/01/31 12:00:00 [warn] 12#12: message in /…/nginx.conf:7"
		_, line, _ = strings.Cut(line, " [")
		level, line, ok := strings.Cut(line, "] ")
		if _, message, found := strings.Cut(line, "#"); ok && found {
			_, line, _ = strings.Cut(message, ": ")
		}
		message, number, ok := strings.Cut(line, " in "+conf+":")
		if !ok {
			continue
		}
		at, err := strconv.Atoi(number)
		require.NoError(t, err, line)
		said = append(said, fmt.Sprintf("%d %s: %s", at-5, level, message))
	}
	return said
}
