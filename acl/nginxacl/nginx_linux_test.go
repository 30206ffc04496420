package nginxacl_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
)

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
	sockets []testenv.Socket
	config  *nginxconf.Config
	clients map[string]*client
}

// startNginx runs nginx with servers that sites writes, given listen directives
// for all of them. The file "users" knows the password of ada, "secret".
func startNginx(t *testing.T, sites func(listen string) string) *nginx {
	t.Helper()
	dir := t.TempDir()
	sockets := make([]testenv.Socket, doors)
	for d := range doors {
		var err error
		switch d {
		case plain, proxied:
			sockets[d], err = testenv.Listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
		case mapped:
			if sockets[d], err = testenv.Listen(netip.MustParseAddrPort("[::ffff:127.0.0.1]:0"), false); err != nil {
				t.Skipf("the system has no IPv6: %v", err)
			}
		case unix:
			sockets[d], err = testenv.ListenUnix(filepath.Join(dir, "s"))
		}
		require.NoError(t, err)
	}
	return launch(t, dir, sockets, func(listen []string) string {
		listen[proxied] += " proxy_protocol"
		return strings.ReplaceAll(`http {
access_log off; error_log DIR/error.log crit; keepalive_requests 1000000; keepalive_timeout 1h; root DIR;
server_names_hash_max_size 8192; server_names_hash_bucket_size 128;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s_;
`, "DIR", dir) + "server { " + listen[mapped] + " ipv6only=off; return 421; }\n" + sites(strings.Join(listen, "; ")+";") + "}\n"
	})
}

// launch runs nginx with these sockets, and a configuration made of listen
// directives for them. It ends with the test.
func launch(t *testing.T, dir string, sockets []testenv.Socket, write func(listen []string) string) *nginx {
	t.Helper()
	n := &nginx{sockets: sockets, clients: map[string]*client{}}
	var listen []string
	for _, s := range sockets {
		listen = append(listen, s.Directive())
	}
	text := "daemon off; worker_processes 1; pid " + dir + "/pid;\n" + write(listen) + "events { worker_connections 1000; }\n"
	if os.Getuid() == 0 {
		text = "user root; " + text
	}
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "users"), []byte("ada:{PLAIN}secret\n"), 0o644))
	var err error
	n.config, err = nginxconf.LoadFile(conf)
	require.NoError(t, err)
	testenv.Nginx(t, dir, sockets)
	return n
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
	q.Unix = d == unix
	address := n.sockets[d].Path
	if !q.Unix {
		at := n.sockets[d].Addr
		q.Client, q.Listen = from, netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
		address = q.Listen.String()
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
