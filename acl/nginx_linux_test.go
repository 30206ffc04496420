package acl

import (
	"bufio"
	"bytes"
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
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// nginxVersion returns the version of the nginx that upstream finds.
func nginxVersion(t *testing.T) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), testenv.Program(t, "nginx"), "-v").CombinedOutput()
	require.NoError(t, err, "%s", said)
	_, version, found := strings.Cut(strings.TrimSpace(string(said)), "nginx/")
	require.True(t, found, "%s", said)
	version, _, _ = strings.Cut(version, " ")
	return version
}

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
	dir     string
	sockets [doors]syscall.Sockaddr // nil: the system has none
}

// startNginx runs nginx with the given directives inside one server block. It
// ends with the test.
//
// nginx inherits listening sockets, as a new binary does at an upgrade. So
// there is no race for ports, and no waiting for it to come up: a connection
// made before that stands in the queue.
func startNginx(t *testing.T, http, server string) *nginx {
	t.Helper()
	binary := testenv.Program(t, "nginx")
	n := &nginx{dir: t.TempDir()}
	ours := [doors]syscall.Sockaddr{
		tcp4:   &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}},
		tcp6:   &syscall.SockaddrInet6{Addr: netip.IPv6Loopback().As16()},
		mapped: &syscall.SockaddrInet6{Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()},
		unix:   &syscall.SockaddrUnix{Name: filepath.Join(n.dir, "s")},
	}
	cmd := exec.CommandContext(t.Context(), binary, "-p", n.dir, "-e", "stderr", "-c", filepath.Join(n.dir, "nginx.conf"))
	var listen strings.Builder
	var inherit []string
	for d, address := range ours {
		fd, bound, err := listenOn(address)
		if err != nil && door(d) != tcp4 {
			t.Logf("no socket %d: %v", d, err)
			continue
		}
		require.NoError(t, err)
		n.sockets[d] = bound
		file := os.NewFile(uintptr(fd), "")
		defer file.Close()
		inherit = append(inherit, strconv.Itoa(3+len(cmd.ExtraFiles)))
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
		switch bound := bound.(type) {
		case *syscall.SockaddrInet4:
			fmt.Fprintf(&listen, "listen 127.0.0.1:%d;\n", bound.Port)
		case *syscall.SockaddrInet6:
			fmt.Fprintf(&listen, "listen [%v]:%d ipv6only=off;\n", netip.AddrFrom16(bound.Addr), bound.Port)
		case *syscall.SockaddrUnix:
			fmt.Fprintf(&listen, "listen unix:%s;\n", bound.Name)
		}
	}
	n.configure(t, http+"\nserver {\n"+listen.String()+server+"}\n")

	cmd.Env = append(os.Environ(), "NGINX="+strings.Join(inherit, ";")+";")
	// The master takes its worker along, if it is asked to end and not killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // should this process die without its cleanups
	var said bytes.Buffer
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	for _, file := range cmd.ExtraFiles {
		require.NoError(t, syscall.SetNonblock(int(file.Fd()), true)) // nginx takes it for granted
	}
	t.Cleanup(func() {
		err := cmd.Wait() // asked to end: the test's context is done
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(n.dir, "error.log"))
			t.Logf("nginx ended with %v, and said:\n%s%s", err, said.String(), log)
		}
	})
	return n
}

// configure writes nginx.conf, with directives inside the http block.
func (n *nginx) configure(t *testing.T, directives string) {
	t.Helper()
	// Not "master_process off": such an nginx crashes on inherited sockets.
	conf := strings.ReplaceAll(`daemon off; worker_processes 1; pid DIR/pid;
events { worker_connections 200; }
http {
access_log off; error_log DIR/error.log crit; keepalive_requests 1000000; keepalive_timeout 1h;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s_;
`, "DIR", n.dir) + directives + "}\n"
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "nginx.conf"), []byte(conf), 0o644))
}

func listenOn(address syscall.Sockaddr) (fd int, bound syscall.Sockaddr, err error) {
	family := syscall.AF_UNIX
	switch address.(type) {
	case *syscall.SockaddrInet4:
		family = syscall.AF_INET
	case *syscall.SockaddrInet6:
		family = syscall.AF_INET6
	}
	if fd, err = syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0); err != nil {
		return 0, nil, err
	}
	if family == syscall.AF_INET6 {
		err = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	}
	if err == nil {
		err = syscall.Bind(fd, address)
	}
	if err == nil {
		err = syscall.Listen(fd, 64)
	}
	if err == nil {
		bound, err = syscall.Getsockname(fd)
	}
	if err != nil {
		syscall.Close(fd)
		return 0, nil, err
	}
	return fd, bound, nil
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
	var network, address string
	switch bound := n.sockets[d].(type) {
	case *syscall.SockaddrInet4:
		network, address = "tcp4", netip.AddrPortFrom(netip.AddrFrom4(bound.Addr), uint16(bound.Port)).String()
	case *syscall.SockaddrInet6:
		a := netip.AddrFrom16(bound.Addr).Unmap()
		network, address = "tcp", netip.AddrPortFrom(a, uint16(bound.Port)).String()
	case *syscall.SockaddrUnix:
		network, address = "unix", bound.Name
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
