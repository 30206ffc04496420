package route

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
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
	"time"

	"github.com/stretchr/testify/require"
)

// upstream returns the path of a program that a differential test needs. It
// skips the test without it, and fails it if REQUIRE_UPSTREAM is 1.
func upstream(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("REQUIRE_UPSTREAM") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// oracleEnv returns ORACLE_SEED, and ORACLE_CASES or its default.
func oracleEnv(t *testing.T, cases int) (uint64, int) {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("ORACLE_SEED"), "1"), 10, 64)
	require.NoError(t, err)
	cases, err = strconv.Atoi(cmp.Or(os.Getenv("ORACLE_CASES"), strconv.Itoa(cases)))
	require.NoError(t, err)
	t.Logf("ORACLE_SEED=%d ORACLE_CASES=%d", seed, cases)
	return seed, cases
}

// bind opens a listening socket for nginx to inherit. Port 0 finds a free one.
func bind(addr netip.AddrPort, v6only bool) (*os.File, uint16, error) {
	family, sa := syscall.AF_INET, syscall.Sockaddr(&syscall.SockaddrInet4{Addr: [4]byte{}, Port: int(addr.Port())})
	if addr.Addr().Is4() {
		sa.(*syscall.SockaddrInet4).Addr = addr.Addr().As4()
	} else {
		family, sa = syscall.AF_INET6, &syscall.SockaddrInet6{Addr: addr.Addr().As16(), Port: int(addr.Port())}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	file := os.NewFile(uintptr(fd), "listen "+addr.String())
	if family == syscall.AF_INET6 {
		only := 0
		if v6only {
			only = 1
		}
		err = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, only)
	}
	if err == nil {
		err = syscall.Bind(fd, sa)
	}
	if err == nil {
		err = syscall.Listen(fd, 64)
	}
	if err == nil {
		sa, err = syscall.Getsockname(fd)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return file, uint16(sa.Port), nil
	case *syscall.SockaddrInet6:
		return file, uint16(sa.Port), nil
	}
	panic("not an internet address")
}

// startNginx runs nginx in dir with the http block given until stop is called.
//
// nginx inherits the listening sockets, as a new binary does at an upgrade. So
// there is no race for ports, and no waiting for it to come up: a connection
// made before that stands in the queue.
func startNginx(t *testing.T, dir, http string, sockets []*os.File) (stop func()) {
	t.Helper()
	return startNginxWith(t, dir, "", http, sockets)
}

// startNginxWith does so with directives in front of all others.
func startNginxWith(t *testing.T, dir, first, http string, sockets []*os.File) (stop func()) {
	t.Helper()
	conf := filepath.Join(dir, "nginx.conf")
	// A master and a worker, since nginx may crash if it is to do without a
	// master and inherits sockets (ngx_event_process_init).
	text := first + strings.ReplaceAll(`daemon off; pid DIR/pid; worker_processes 1; error_log stderr crit;
events { worker_connections 500; }
http {
access_log off; keepalive_requests 1000000; keepalive_timeout 1h;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s_;
`, "DIR", dir) + http + "}\n"
	if os.Getuid() == 0 {
		text = "user root;\n" + text // so that the worker can use the directory
	}
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o644))
	cmd := exec.Command(upstream(t, "nginx"), "-p", dir, "-e", "stderr", "-c", conf)
	cmd.ExtraFiles = sockets
	inherit := "NGINX="
	for i := range sockets {
		inherit += strconv.Itoa(3+i) + ";"
	}
	cmd.Env = append(os.Environ(), inherit)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // should this process die without its cleanups
	var said bytes.Buffer
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	for _, file := range sockets {
		require.NoError(t, syscall.SetNonblock(int(file.Fd()), true)) // nginx takes it for granted
		file.Close()
	}
	var done bool
	stop = func() {
		if done {
			return
		}
		done = true
		_ = cmd.Process.Signal(syscall.SIGTERM) // the master ends its worker, and waits for it
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx said:\n%s\nand read\n%s", said.String(), text)
		}
	}
	t.Cleanup(stop)
	return stop
}

// certificate writes a throw-away certificate for nginx, as dir/cert.pem.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	pair := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pair, 0o600))
}

// A reply is what came back; nil if the connection was closed without any.
type reply struct {
	*http.Response
	body string
}

// A client keeps one connection open as long as nginx does.
type client struct {
	addr netip.AddrPort
	tls  *tls.Config // nil: none

	conn net.Conn
	in   *bufio.Reader
}

// connect returns the local address of the connection, or an error of the TLS
// handshake.
func (c *client) connect(t *testing.T) (netip.AddrPort, error) {
	t.Helper()
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.addr.String())
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		if c.tls != nil {
			secure := tls.Client(conn, c.tls)
			if err := secure.Handshake(); err != nil {
				conn.Close()
				return netip.AddrPort{}, err
			}
			conn = secure
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	return c.conn.LocalAddr().(*net.TCPAddr).AddrPort(), nil
}

// ask sends a request as it is.
func (c *client) ask(t *testing.T, method, raw string) *reply {
	t.Helper()
	require.NoError(t, c.conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err := io.WriteString(c.conn, raw)
	require.NoError(t, err)
	response, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.close()
		if strings.Contains(err.Error(), "malformed") {
			require.NoError(t, err)
		}
		return nil
	}
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if response.Close || response.ProtoMinor == 0 {
		c.close()
	}
	return &reply{response, string(body)}
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// quoted writes a word for nginx.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func lines(format string, args ...any) string { return fmt.Sprintf(format, args...) + "\n" }
