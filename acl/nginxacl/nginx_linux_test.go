package nginxacl_test

import (
	"bufio"
	"bytes"
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

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
)

// nginxVersion returns the version of the nginx that is asked.
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
	plain   door = iota // 127.0.0.1
	mapped              // an IPv6 socket on which an IPv4 client appears as ::ffff:a.b.c.d
	proxied             // with a PROXY header
	unix
	doors
)

// An nginx is a running one, in a temporary directory.
type nginx struct {
	dir     string
	sockets []syscall.Sockaddr
	listen  []string // directives
	config  *nginxconf.Config
	clients map[string]*client
}

// startNginx runs nginx with servers that sites writes, given listen directives
// for all of them. The file "users" knows the password of ada, "secret".
func startNginx(t *testing.T, sites func(listen string) string) *nginx {
	t.Helper()
	dir := t.TempDir()
	return launch(t, dir, []syscall.Sockaddr{
		plain:   &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}},
		mapped:  &syscall.SockaddrInet6{Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()},
		proxied: &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}},
		unix:    &syscall.SockaddrUnix{Name: filepath.Join(dir, "s")},
	}, func(listen []string) string {
		listen[proxied] += " proxy_protocol"
		return strings.ReplaceAll(`http {
access_log off; error_log DIR/error.log crit; keepalive_requests 1000000; keepalive_timeout 1h; root DIR;
server_names_hash_max_size 8192; server_names_hash_bucket_size 128;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s_;
`, "DIR", dir) + "server { " + listen[mapped] + " ipv6only=off; return 421; }\n" + sites(strings.Join(listen, "; ")+";") + "}\n"
	})
}

// launch runs nginx with sockets at these addresses, and a configuration made of
// listen directives for them. It ends with the test.
//
// nginx inherits listening sockets, as a new binary does at an upgrade. So
// there is no race for ports, and no waiting for it to come up: a connection
// made before that stands in the queue.
func launch(t *testing.T, dir string, addresses []syscall.Sockaddr, write func(listen []string) string) *nginx {
	t.Helper()
	n := &nginx{dir: dir, clients: map[string]*client{}}
	conf := filepath.Join(n.dir, "nginx.conf")
	cmd := exec.CommandContext(t.Context(), testenv.Program(t, "nginx"), "-p", n.dir, "-e", "stderr", "-c", conf)
	var inherit []string
	for _, address := range addresses {
		fd, bound, err := listenOn(address)
		if _, six := address.(*syscall.SockaddrInet6); six && err != nil {
			t.Skipf("the system has no IPv6: %v", err)
		}
		require.NoError(t, err)
		file := os.NewFile(uintptr(fd), "")
		defer file.Close()
		inherit = append(inherit, strconv.Itoa(3+len(cmd.ExtraFiles)))
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
		var listen string
		switch bound := bound.(type) {
		case *syscall.SockaddrInet4:
			listen = fmt.Sprintf("listen 127.0.0.1:%d", bound.Port)
		case *syscall.SockaddrInet6:
			listen = fmt.Sprintf("listen [%v]:%d", netip.AddrFrom16(bound.Addr), bound.Port)
		case *syscall.SockaddrUnix:
			listen = "listen unix:" + bound.Name
		}
		n.sockets, n.listen = append(n.sockets, bound), append(n.listen, listen)
	}
	text := "daemon off; worker_processes 1; pid " + n.dir + "/pid;\n" + write(n.listen) + "events { worker_connections 1000; }\n"
	if os.Getuid() == 0 {
		text = "user root; " + text
	}
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(n.dir, "users"), []byte("ada:{PLAIN}secret\n"), 0o644))
	var err error
	n.config, err = nginxconf.LoadFile(conf)
	require.NoError(t, err)

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
		err = syscall.Listen(fd, 256)
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

// ask sends a request and returns the status of the answer, or 0 if the
// connection is closed without one. The query's Client, Listen and Unix are
// filled in.
func (n *nginx) ask(t *testing.T, d door, from netip.Addr, q *nginxacl.Query) (status int) {
	t.Helper()
	var address string
	q.Unix = d == unix
	switch bound := n.sockets[d].(type) {
	case *syscall.SockaddrInet4:
		q.Client, q.Listen = from, netip.AddrPortFrom(netip.AddrFrom4(bound.Addr), uint16(bound.Port))
		address = q.Listen.String()
	case *syscall.SockaddrInet6:
		q.Client, q.Listen = from, netip.AddrPortFrom(netip.AddrFrom16(bound.Addr).Unmap(), uint16(bound.Port))
		address = q.Listen.String()
	case *syscall.SockaddrUnix:
		address = bound.Name
	}
	key := fmt.Sprint(d, from, q.Proxy)
	c := n.clients[key]
	if c == nil {
		network := "tcp"
		var dialer net.Dialer
		if q.Unix {
			network = "unix"
		} else {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		conn, err := dialer.DialContext(t.Context(), network, address)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		if deadline, ok := t.Deadline(); ok {
			conn.SetDeadline(deadline)
		}
		c = &client{conn, bufio.NewReader(conn)}
		n.clients[key] = c
		if q.Proxy != "" {
			_, err = io.WriteString(conn, q.Proxy+"\r\n")
			require.NoError(t, err)
		}
	}
	r := http.Request{Method: q.Method, Header: q.Header.Clone(), Host: q.Host}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", q.Method, q.URI, q.Host)
	if q.User != "" {
		r.SetBasicAuth(q.User, q.Password)
	}
	require.NoError(t, r.Header.Write(&b))
	if q.Method == "POST" {
		b.WriteString("Content-Length: 0\r\n")
	}
	_, err := io.WriteString(c.conn, b.String()+"\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(c.in, &r)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
	}
	if err != nil || response.Close {
		c.conn.Close()
		delete(n.clients, key)
	}
	if err != nil {
		return 0
	}
	return response.StatusCode
}
