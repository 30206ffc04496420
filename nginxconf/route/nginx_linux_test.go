package route

import (
	"bufio"
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
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// startNginx runs nginx in dir with the http block given until stop is called.
func startNginx(t *testing.T, dir, http string, sockets []testenv.Socket) (stop func()) {
	t.Helper()
	return startNginxWith(t, dir, "", http, sockets)
}

// startNginxWith does so with directives in front of all others.
func startNginxWith(t *testing.T, dir, first, http string, sockets []testenv.Socket) (stop func()) {
	t.Helper()
	text := first + strings.ReplaceAll(`daemon off; pid DIR/pid; worker_processes 1; error_log stderr crit;
events { worker_connections 500; }
http {
access_log off; keepalive_requests 1000000; keepalive_timeout 1h;
client_body_temp_path DIR/b; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s_;
`, "DIR", dir) + http + "}\n"
	if os.Getuid() == 0 {
		text = "user root;\n" + text // so that the worker can use the directory
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(text), 0o644))
	return testenv.Nginx(t, dir, sockets)
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
