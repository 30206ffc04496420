package acl

import (
	"bytes"
	"context"
	"encoding/json"
	"go/token"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var welcome = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "welcome") })

func request(remote string, header ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://a.example/path", nil)
	r.RemoteAddr = remote
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func status(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestMiddlewareDecidesAsTheList(t *testing.T) {
	policy := Policy{
		List:   rules(t, "allow 192.0.2.0/24; allow 2001:db8::/32; allow unix:; deny all;"),
		RealIP: RealIP{Trusted: trusted(t, "127.0.0.1 unix:"), Header: "X-Forwarded-For"},
	}
	h := NewMiddleware(policy, nil).Handler(welcome)
	for _, c := range []struct {
		remote, forwarded string
		want              int
	}{
		{"192.0.2.7:1234", "", 200},
		{"192.0.2.7", "", 200},
		{"198.51.100.1:1", "", 403},
		{"[2001:db8::1]:1", "", 200},
		{"[2001:db8::1%eth0]:1", "", 200},
		{"[2001:db9::1]:1", "", 403},
		{"[::ffff:192.0.2.7]:1", "", 200},
		{"127.0.0.1:1", "", 403},
		{"127.0.0.1:1", "192.0.2.7", 200},
		{"127.0.0.1:1", "198.51.100.1, 192.0.2.7", 200},
		{"127.0.0.1:1", "192.0.2.7, 198.51.100.1", 403},
		{"127.0.0.1:1", "garbage", 403},
		{"198.51.100.1:1", "192.0.2.7", 403},
		{"@", "", 200},
		{"@", "198.51.100.1", 403},
		{"/run/client.sock", "", 200},
		{"", "", 403},
		{"office.example", "", 403},
	} {
		var header []string
		if c.forwarded != "" {
			header = []string{"X-Forwarded-For", c.forwarded}
		}
		assert.Equal(t, c.want, status(h, request(c.remote, header...)), "%+v", c)
	}
}

func TestMiddlewareServesUnixSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a name of a unix socket is no path there")
	}
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	m := NewMiddleware(Policy{List: rules(t, "allow unix:; deny all;")}, nil)
	server := &http.Server{Handler: m.Handler(welcome)}
	go server.Serve(listener)
	defer server.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport}
	for list, want := range map[string]int{"allow unix:; deny all;": 200, "deny unix:;": 403, "deny 0.0.0.0/0; deny ::/0;": 200, "allow 127.0.0.1; deny all;": 403} {
		m.SetPolicy(Policy{List: rules(t, list)})
		response, err := client.Get("http://a/")
		require.NoError(t, err)
		response.Body.Close()
		assert.Equal(t, want, response.StatusCode, list)
	}
}

func TestRemoteAddrIsReadAsNetipDoes(t *testing.T) {
	for _, s := range []string{
		"192.0.2.1:1", "192.0.2.1:65535", "192.0.2.1:65536", "192.0.2.1:0", "192.0.2.1:", "192.0.2.1", "192.0.2.01:1", "0.0.0.0:1", "256.0.0.1:1", "1.2.3:4", "1.2.3.4.5:6",
		"192.0.2.1:000001", "192.0.2.1:01", "1..2.3:4", ".1.2.3:4", "255.255.255.255:1", "192.0.2.1:+1", "1234.0.0.1:1", "[::1]:1", "::1", "[::1%lo]:9", "x", "[1.2.3.4]:5", "192.0.2.1:1 ",
	} {
		want, err := netip.ParseAddrPort(s)
		if err != nil {
			var a netip.Addr
			a, err = netip.ParseAddr(s)
			want = netip.AddrPortFrom(a, 0)
		}
		got, ok := parseRemote(s)
		assert.Equal(t, err == nil, ok, s)
		if ok {
			assert.Equal(t, want, got, s)
		}
	}
}

// A server on TCP whose RemoteAddr something has overwritten is no unix socket.
func TestMiddlewareDeniesWhomItCannotTell(t *testing.T) {
	h := NewMiddleware(Policy{}, nil).Handler(welcome)
	r := request("@")
	tcp := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	assert.Equal(t, 200, status(h, r))
	assert.Equal(t, 403, status(h, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, tcp))))
}

func TestMiddlewareAnswers(t *testing.T) {
	policy := Policy{List: rules(t, "deny all;")}
	server := httptest.NewServer(NewMiddleware(policy, nil).Handler(welcome))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, 403, response.StatusCode)
	assert.Equal(t, "Forbidden\n", string(body))
	assert.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))
	assert.Equal(t, 404, status(NewMiddleware(policy, &MiddlewareOptions{Status: 404}).Handler(welcome), request("192.0.2.1:1")))
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	assert.Equal(t, 418, status(NewMiddleware(policy, &MiddlewareOptions{Denied: teapot}).Handler(welcome), request("192.0.2.1:1")))
}

func TestMiddlewareLogsTheReason(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	list := rules(t, "allow 192.0.2.0/24; deny all;")
	list[1].Pos = token.Position{Filename: "scout.conf", Line: 4, Column: 5}
	policy := Policy{List: list, RealIP: RealIP{Trusted: trusted(t, "127.0.0.0/8"), Header: "X-Forwarded-For", Recursive: true}}
	for _, c := range []struct {
		report bool
		r      *http.Request
		status int
		want   string
	}{
		{false, request("192.0.2.1:1"), 200, ""},
		{false, request("198.51.100.1:1"), 403, `level=WARN msg="access forbidden by rule" client=198.51.100.1 rule=1 reason="deny all;" place=scout.conf:4:5 method=GET host=a.example path=/path`},
		{true, request("198.51.100.1:1"), 200, `level=WARN msg="access forbidden by rule" client=198.51.100.1 rule=1 reason="deny all;" place=scout.conf:4:5 method=GET host=a.example path=/path report_only=true`},
		{false, request("127.0.0.1:1", "X-Forwarded-For", "198.51.100.1, 127.0.0.2"), 403, `level=WARN msg="access forbidden by rule" client=198.51.100.1 peer=127.0.0.1 proxy=127.0.0.2 rule=1 reason="deny all;" place=scout.conf:4:5 method=GET host=a.example path=/path`},
		{false, request("who"), 403, `level=WARN msg="access forbidden by rule" remote=who reason="the peer has no address" method=GET host=a.example path=/path`},
	} {
		log.Reset()
		h := NewMiddleware(policy, &MiddlewareOptions{Logger: logger, ReportOnly: c.report}).Handler(welcome)
		assert.Equal(t, c.status, status(h, c.r))
		assert.Equal(t, c.want, strings.TrimSpace(log.String()))
	}
	log.Reset()
	r := request("198.51.100.1:1", "X-Forwarded-For", strings.Repeat("x", 1<<20))
	r.Host, r.URL.Path, r.Method = strings.Repeat("h", 1<<20), "/"+strings.Repeat("å", 1<<20), strings.Repeat("M", 1<<20)
	status(NewMiddleware(policy, &MiddlewareOptions{Logger: logger}).Handler(welcome), r)
	assert.Less(t, log.Len(), 1500, "what a client writes is cut")
}

func TestMiddlewareJudges(t *testing.T) {
	policy := Policy{List: rules(t, "allow 192.0.2.0/24; deny all;"), RealIP: RealIP{Trusted: trusted(t, "127.0.0.1")}}
	m := NewMiddleware(policy, nil)
	j := m.Judge(request("127.0.0.1:9", "X-Real-IP", "198.51.100.1"))
	assert.Equal(t, Decision{Deny, 1}, j.Decision)
	assert.Equal(t, "deny all;", j.By.String())
	assert.Equal(t, netip.MustParseAddrPort("127.0.0.1:9"), j.Peer)
	assert.Equal(t, "198.51.100.1", j.Trace.Client.Addr().String())
	text, err := json.Marshal(j)
	require.NoError(t, err)
	assert.JSONEq(t, `{"action":"deny","rule":1,"by":"deny all;","peer":"127.0.0.1:9","unknown":false,"trace":{
		"client":"198.51.100.1:0","replaced":true,"stop":"the search is not recursive",
		"hops":[{"from":"127.0.0.1","rule":0,"entry":"198.51.100.1","field":0,"offset":0,"to":"198.51.100.1:0"}]}}`, string(text))
	assert.Equal(t, Decision{Deny, -1}, m.Judge(request("")).Decision)
	assert.True(t, m.Judge(request("")).Unknown)
	policy.List[0] = MustParseRule("allow", "all") // it is theirs to change
	assert.Equal(t, Deny, m.Judge(request("127.0.0.1:9")).Action)
}

func TestMiddlewareTakesTheProxyHeader(t *testing.T) {
	policy := Policy{List: rules(t, "deny 192.0.2.7;"), RealIP: RealIP{Trusted: trusted(t, "127.0.0.1"), Header: "proxy_protocol"}}
	told := func(*http.Request) ProxyHeader {
		h, _, err := ParseProxyHeader([]byte("PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n"), nil)
		require.NoError(t, err)
		return h
	}
	assert.Equal(t, 403, status(NewMiddleware(policy, &MiddlewareOptions{ProxyHeader: told}).Handler(welcome), request("127.0.0.1:1")))
	assert.Equal(t, 200, status(NewMiddleware(policy, nil).Handler(welcome), request("127.0.0.1:1")))
}

func TestPoliciesAreReplacedWhileServing(t *testing.T) {
	m := NewMiddleware(Policy{}, nil)
	h := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	closed, open := Policy{List: rules(t, "deny all;")}, Policy{List: rules(t, "allow all;")}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 1000 {
				code := status(h, request("192.0.2.1:1"))
				assert.Contains(t, []int{200, 403}, code)
			}
		})
	}
	for range 200 {
		m.SetPolicy(closed)
		m.SetPolicy(open)
	}
	wait.Wait()
	m.SetPolicy(closed)
	assert.Equal(t, 403, status(h, request("192.0.2.1:1")))
}

// guarded are the requests that must cost nothing: their client may in.
func guarded(t testing.TB) (map[string]*http.Request, http.Handler) {
	policy := Policy{
		List:   append(rules(t, "allow unix:;"), benchList(9)...),
		RealIP: RealIP{Trusted: trusted(t, "127.0.0.0/8 10.0.0.0/8"), Header: "X-Forwarded-For", Recursive: true},
	}
	policy.List[9] = MustParseRule("allow", "all")
	r := request("@")
	local := &net.UnixAddr{Name: "/run/s", Net: "unix"}
	return map[string]*http.Request{
		"IPv4":    request("198.51.100.7:34567"),
		"IPv6":    request("[2001:db8::7]:34567"),
		"proxy":   request("127.0.0.1:34567", "X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.0.0.3"),
		"garbage": request("127.0.0.1:34567", "X-Forwarded-For", "unknown, [, 10.0.0.3"),
		"unix":    r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local)),
	}, NewMiddleware(policy, nil).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

func TestMiddlewareDoesNotAllocate(t *testing.T) {
	requests, h := guarded(t)
	for name, r := range requests {
		w := httptest.NewRecorder()
		require.Equal(t, 200, status(h, r), name)
		assert.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), name)
	}
	denies := NewMiddleware(Policy{List: rules(t, "deny all;")}, nil).Handler(welcome)
	assert.Zero(t, testing.AllocsPerRun(100, func() { denies.ServeHTTP(silent{}, requests["IPv4"]) }))
}

// silent is a ResponseWriter without costs of its own.
type silent struct{}

func (silent) Header() http.Header         { return nil }
func (silent) Write(b []byte) (int, error) { return len(b), nil }
func (silent) WriteHeader(int)             {}

func BenchmarkMiddleware(b *testing.B) {
	requests, h := guarded(b)
	for _, name := range []string{"IPv4", "IPv6", "proxy", "unix"} {
		b.Run(name, func(b *testing.B) {
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, requests[name])
			}
		})
	}
}
