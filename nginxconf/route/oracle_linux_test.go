package route

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
)

// TestOracleMatch compares with a running nginx: configurations made at random,
// and requests to them. Each server and location names itself in a header
// field; texts show the variables; a backend tells what it was sent.
func TestOracleMatch(t *testing.T) {
	testenv.Program(t, "nginx")
	seed, cases := testenv.Size(t, 12)
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		serve(backend)
	}()
	defer func() {
		backend.Close()
		<-served
	}()
	n := counts{}
	for i := range cases {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, uint64(i))), dir: t.TempDir(), backend: backend.Addr().String()}
		g.run(t, 300, n)
		if t.Failed() {
			t.Logf("ORACLE_SEED=%d, case %d", seed, i)
			return
		}
	}
	t.Log(n)
}

// sent is a request as the backend saw it.
type sent struct {
	URI    string
	Header http.Header
}

// serve answers each request with what it is. net/http is too choosy about
// URIs for that.
func serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		func() {
			defer conn.Close()
			in := textproto.NewReader(bufio.NewReader(conn))
			line, err := in.ReadLine()
			if err != nil {
				return
			}
			header, err := in.ReadMIMEHeader()
			if err != nil {
				return
			}
			if n, err := strconv.Atoi(header.Get("Content-Length")); err == nil {
				if _, err := io.CopyN(io.Discard, in.R, int64(n)); err != nil {
					return
				}
			}
			_, uri, _ := strings.Cut(line, " ")
			uri = strings.TrimSuffix(uri, " HTTP/1.0")
			b, err := json.Marshal(sent{latin1(uri), http.Header(header)})
			if err != nil {
				return
			}
			fmt.Fprintf(conn, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(b), b)
		}()
	}
}

// latin1 turns bytes into runes one by one, for JSON.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

type counts map[string]int

func (g *generator) run(t *testing.T, requests int, n counts) {
	g.open(t)
	certificate(t, g.dir)
	stop := startNginx(t, g.dir, g.http(), g.sockets)
	defer stop()
	c, err := nginxconf.LoadFile(g.dir + "/nginx.conf")
	require.NoError(t, err)
	r, err := New(c)
	require.NoError(t, err)

	clients := map[string]*client{}
	for range requests {
		q := Request{Host: g.host(), URI: "/", Method: pick(g, "GET", "GET", "GET", "GET", "POST", "HEAD", "PUT", "X-Y_Z", "OPTIONS"), Header: http.Header{}}
		if g.oneIn(50) {
			q.Method = pick(g, "TRACE", "get", "G1")
		}
		i := g.IntN(3)
		if g.ports[i] == 0 {
			i = 0
		}
		q.Listen = netip.AddrPortFrom(pick(g, loopback...), g.ports[i])
		if i == 2 && g.oneIn(2) {
			q.Listen = netip.AddrPortFrom(netip.IPv6Loopback(), g.ports[i])
		}
		q.TLS = i == 1 && !g.oneIn(8)
		if q.TLS && !g.oneIn(4) {
			q.ServerName = pick(g, "a.test", "b.test", "www.a.test", "c.a.test", "none", "www.b", "r1", "A.test", "x.re", "b.te", "b.tez")
			if g.oneIn(2) && len(q.Host) > 0 {
				q.Host = q.ServerName
			}
		}
		for name, values := range map[string][]string{"X-Some": {"1"}, "X-Forwarded-For": {"192.0.2.1", "192.0.2.2"}, "Upgrade": {"h"}, "Cookie": {"a=b"}, "Accept": {"*/*"}} {
			if g.oneIn(4) {
				q.Header[name] = values[:1+g.IntN(len(values))]
			}
		}
		q.Header["X-Back"] = []string{pick(g, g.backend, "back", "Back")} // without a host, nginx 1.22 crashes
		body := ""
		if q.Method == "POST" && g.oneIn(2) {
			body = strings.Repeat("x", 2+g.IntN(8))
			q.Header["Content-Length"] = []string{fmt.Sprint(len(body))}
		}
		likely, _ := r.Match(q)
		q.URI = g.uri(paths(likely.Server))
		key := fmt.Sprint(q.Listen, q.TLS, q.ServerName)
		if clients[key] == nil {
			clients[key] = &client{addr: q.Listen}
			if q.TLS {
				clients[key].tls = &tls.Config{InsecureSkipVerify: true, ServerName: q.ServerName}
			}
		}
		g.compare(t, r, clients[key], q, body, n)
		if t.Failed() {
			break
		}
	}
	for _, c := range clients {
		c.close()
	}
}

// why is what differs from one case to another.
var why = regexp.MustCompile(`/\S+:\d+:\d+|".*"| in .*`)

func (g *generator) compare(t *testing.T, r *Router, c *client, q Request, body string, n counts) {
	from, handshake := c.connect(t)
	q.Client = from.Addr()
	m, err := r.Match(q)
	about := fmt.Sprintf("%+v\nmatch: error %v, answer %+v, target %+v, unsure %q, level %s", q, err, m.Answer, m.Target, m.Unsure, idOf(m))
	if err != nil {
		n["handshake"]++
		require.ErrorIs(t, err, ErrHandshake, about)
		require.Error(t, handshake, about)
		return
	}
	if handshake != nil {
		require.NotEmpty(t, m.Unsure, "nginx: %v\n%s", handshake, about)
		return
	}
	var raw strings.Builder
	version := "1.1"
	if q.Host == "" {
		version = "1.0"
	}
	fmt.Fprintf(&raw, "%s %s HTTP/%s\r\n", q.Method, q.URI, version)
	if q.Host != "" {
		fmt.Fprintf(&raw, "Host: %s\r\n", q.Host)
	}
	for name, values := range q.Header {
		for _, v := range values {
			fmt.Fprintf(&raw, "%s: %s\r\n", name, v)
		}
	}
	got := c.ask(t, q.Method, raw.String()+"\r\n"+body)
	if body != "" {
		c.close() // nginx may have left some of it unread
	}
	about += "\nnginx: closed the connection"
	if got != nil {
		about = strings.TrimSuffix(about, "closed the connection") + fmt.Sprintf("%s %v\n%s", got.Status, got.Header, got.body)
	}
	if m.Answer == nil {
		m = follow(m)
		about = fmt.Sprintf("in the end: answer %+v, target %+v, unsure %q, level %s, status %d\n", m.Answer, m.Target, m.Unsure, idOf(m), m.Status) + about
	}
	switch {
	case m.Answer != nil:
		n["answer "+m.Answer.Reason]++
		g.compareAnswer(t, m, got, about)
	case len(m.Unsure) > 0:
		n["unsure: "+why.ReplaceAllString(m.Unsure[0], "…")]++
	default:
		n["content"]++
		g.compareContent(t, m, got, about)
	}
}

// follow goes on from the access phase, where there are no files at all, to
// what makes the content or answers.
func follow(m Match) Match {
	for {
		if m.Answer != nil || !m.open() {
			return m
		}
		if l := m.state.level; l.d.Name() == "limit_except" && denies(l.d) {
			m = m.Refuse(403)
			continue
		}
		next, here := m.Next()
		if m.state.level.tryFiles != nil {
			m = next[len(next)-1]
			continue
		}
		handler := m.state.handler
		status := 404
		if handler != nil && handler.Name() == "proxy_pass" {
			return m
		}
		switch method := m.state.method; {
		case handler != nil && (method == "GET" || method == "HEAD"): // empty_gif
			return m
		case handler != nil, method != "GET" && method != "HEAD" && method != "POST":
			status = 405
		case len(next) > 0 && (len(next) == 1 && !here || next[0].Answer == nil && !next[0].open()):
			m = next[0]
			continue
		}
		m = m.Refuse(status)
	}
}

func denies(limit *nginxconf.Directive) bool {
	for range limit.Body().Find("deny") {
		return true
	}
	return false
}

func (g *generator) compareContent(t *testing.T, m Match, got *reply, about string) {
	require.NotNil(t, got, about)
	want := 200
	if m.Status != 0 {
		want = m.Status
	}
	require.Equal(t, want, got.StatusCode, about)
	require.Equal(t, idOf(m), got.Header.Get("X-Id"), about)
	if m.Target == nil || got.Request.Method == "HEAD" {
		return
	}
	var saw sent
	if want == 204 || want == 304 {
		return // and so without a body
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &saw), about)
	require.Equal(t, latin1(m.Target.URI), saw.URI, about)
	header, err := m.BackendHeader()
	require.NoError(t, err)
	delete(saw.Header, "Content-Length") // BackendHeader leaves it alone
	delete(header, "Content-Length")
	for _, values := range header {
		for i := range values {
			values[i] = strings.Trim(values[i], " ") // as textproto does
		}
	}
	require.Equal(t, header, saw.Header, about)
}

func (g *generator) compareAnswer(t *testing.T, m Match, got *reply, about string) {
	a := m.Answer
	if got == nil {
		require.Contains(t, []int{408, 444, 499}, a.Status, about)
		require.Empty(t, a.Body, about)
		return
	}
	require.Equal(t, a.Status, got.StatusCode, about)
	require.Equal(t, idOf(m), got.Header.Get("X-Id"), about)
	if slices.ContainsFunc(m.Unsure, func(s string) bool { return strings.HasPrefix(s, "answer:") }) {
		return
	}
	require.Equal(t, strings.TrimRight(a.Location, " "), got.Header.Get("Location"), about) // net/http trims it
	if a.Body != "" && got.Request.Method != "HEAD" {
		require.Equal(t, a.Body, got.body, about)
	}
}

// idOf returns what the innermost block other than limit_except calls itself.
func idOf(m Match) string {
	for _, d := range slices.Backward(m.Chain) {
		for d := range d.Body().Find("add_header") {
			return d.Arg(1)
		}
		if d.Name() != "limit_except" && d.Name() != "if" {
			break
		}
	}
	return ""
}

// TestOracleRefusals asks nginx for its words.
func TestOracleRefusals(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	said := regexp.MustCompile(`\[emerg\] \d+#\d+: (.*?)(?: in \S*:\d+)?\n`)
	socket, err := testenv.Listen(netip.MustParseAddrPort("0.0.0.0:0"), false)
	require.NoError(t, err)
	socket.File.Close() // nginx -t opens its sockets
	port := socket.Addr.Port()
	other := func(s string) string { return strings.ReplaceAll(s, "80", strconv.Itoa(int(port))) }
	for text, want := range refusals {
		dir := t.TempDir()
		conf := filepath.Join(dir, "nginx.conf")
		config := "error_log stderr; pid " + dir + "/pid; events { }\nhttp {\n" + other(refused(text)) + "\n}\n"
		require.NoError(t, os.WriteFile(conf, []byte(config), 0o644))
		out, _ := exec.CommandContext(t.Context(), nginx, "-t", "-q", "-e", "stderr", "-p", dir, "-c", conf).CombinedOutput()
		theirs := ""
		if m := said.FindSubmatch(out); m != nil {
			theirs = string(m[1])
		}
		require.Equal(t, other(want), theirs, text)
	}
}
