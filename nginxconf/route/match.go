package route

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// state is what a Match keeps of the request, for variables.
type state struct {
	r      *Router
	q      Request
	host   string // from the request line or Host, without port
	uri    requestURI
	server *server

	phase      Phase
	level      *level               // in force
	handler    *nginxconf.Directive // what makes the content; nil: files
	backend    bool                 // it names one
	method     string
	path, args string // $uri, $args
	length     int64  // of the body; -1: none, or thrown away

	internal      bool // an internal redirect or a rewrite happened
	unparsed      bool // the URI is as it was sent
	validLocation bool // the path starts with what the location's name covers
	changed       bool // the URI, and no location was looked for since
	errorPage     bool // one was looked for
	moves         int  // how many are left
	status        int  // what the response has to have; 0: what it is
	location      string

	captures []int32 // what the last expression captured, in captured
	captured string
	execs    int // expressions that matched
	vars     map[string]variableValue
	nested   int // maps that are being looked up

	pass *value.ProxyPass // of the target
}

// Match finds what serves a request. The error is [ErrNoServer] or
// [ErrHandshake] if there is no connection over which nginx could answer; what
// is wrong with the request itself, nginx answers, and so does Match.
func (r *Router) Match(q Request) (Match, error) {
	m := Match{state: state{r: r, q: q, length: -1}}
	s, unsure, err := r.socketOf(&q)
	if err != nil {
		return Match{}, err
	}
	if unsure != "" {
		m.unsure(unsure)
		return m, nil
	}
	h, unsure, err := s.handshake(&q)
	if err != nil {
		return Match{}, err
	}
	if unsure != "" {
		m.unsure(unsure)
		return m, nil
	}
	m.state.q.Listen = netip.AddrPortFrom(s.sees(q.Listen.Addr()), q.Listen.Port())
	m.state.q.Client = s.sees(q.Client)
	m.serve(s, h)
	return m, nil
}

// sees returns an address as nginx sees it: on an IPv6 socket, one of IPv4 is
// ::ffff:a.b.c.d.
func (s *socket) sees(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if s.ipv6 && a.Is4() {
		return netip.AddrFrom16(a.As16())
	}
	return a
}

// A hello is what a handshake comes to: the server that is in charge until the
// host is known, the name that the client asked for, if that is the server's,
// and the expression that it is, if it is one.
type hello struct {
	server *server
	sni    string
	regex  *expression
}

func (s *socket) handshake(q *Request) (h hello, unsure string, err error) {
	h.server = s.standard
	if !q.TLS {
		return h, "", nil
	}
	if !s.tls() {
		return h, "", fmt.Errorf("%w: %s has no ssl", ErrHandshake, s.name)
	}
	if host, ok := readHost(q.ServerName); ok {
		if !isStrictHost(q.ServerName) {
			return h, "server: " + hostDrift(q.ServerName), nil
		}
		named, regex, unsure := s.names.find(host, nil)
		if unsure != "" {
			return h, unsure, nil
		}
		if named != nil {
			h = hello{named, host, regex}
		}
	}
	if h.server.set.rejectHandshake {
		return h, "", fmt.Errorf("%w: ssl_reject_handshake in the server at %v", ErrHandshake, h.server.d.Pos())
	}
	return h, "", nil
}

func (s *socket) tls() bool { return s.ssl || s.standard.set.sslOn }

func (m *Match) unsure(why string) { m.Unsure = append(m.Unsure, why) }

// in tells which server serves the request.
func (m *Match) in(srv *server) {
	m.state.server = srv
	m.Server, m.Chain = srv.d, srv.context()
}

// noServer says why that is not certain.
func (m *Match) noServer(why string) {
	m.state.server = nil
	m.Server, m.Chain = nil, nil
	m.unsure(why)
}

// serve goes the way of a request through nginx, from its first line on.
func (m *Match) serve(s *socket, h hello) {
	q := &m.state.q
	m.in(h.server)
	if !isMethod(q.Method) {
		m.answer(400, "invalid method")
		return
	}
	if q.Method == "CONNECT" {
		m.unsure("answer: versions of nginx differ in what they make of CONNECT")
		return
	}
	// The server at hand rules over the slashes, whatever the host is.
	uri, ok := readURI(q.URI, h.server.set.mergeSlashes)
	if !ok {
		m.answer(400, "invalid URI")
		return
	}
	m.state.uri, m.Path = uri, uri.path

	// The host on the request line counts, but that of the field has to be
	// good as well.
	for _, text := range [...]string{uri.host, q.Host} {
		if text == "" {
			continue
		}
		host, ok := readHost(text)
		if !ok {
			m.answer(400, "invalid host")
			return
		}
		if !(q.TLS && text == q.ServerName) && !isStrictHost(text) { // the handshake had it
			m.noServer("server: " + hostDrift(text))
			return
		}
		if m.state.host == "" {
			m.state.host = host
			if !m.virtual(s, &h, host) {
				return
			}
		}
	}
	if m.state.host == "" && !m.virtual(s, &h, "") {
		return
	}
	if h := q.Header["Content-Length"]; len(h) > 0 {
		n, err := value.ParseNumber(h[0])
		if err != nil || len(h) > 1 {
			m.answer(400, "invalid Content-Length")
			return
		}
		m.state.length = n
	}
	m.start()
	switch {
	case q.Method == "TRACE":
		m.run(m.special(405, nil, "TRACE"))
	case s.tls() && !q.TLS:
		m.run(m.special(497, nil, "plain HTTP on a TLS port"))
	default:
		m.run(serverRewrite)
	}
}

// start is where the phases start from, once the server is known.
func (m *Match) start() {
	st := &m.state
	st.path, st.args = st.uri.path, st.uri.args
	st.method = cmp.Or(st.q.Method, http.MethodGet)
	st.unparsed = !st.uri.noPath
	st.moves = maxMoves
	st.level = &st.server.level
}

// answer answers a request that nginx reads no further.
func (m *Match) answer(status int, reason string) {
	for _, p := range m.state.server.set.errorPages {
		if p.status == status {
			m.unsure(fmt.Sprintf("answer: %s (%d), and error_page at %v for it is not decided", reason, status, p.d.Pos()))
			return
		}
	}
	m.Answer = &Answer{Status: status, Reason: reason}
}

// virtual goes to the server of a host (nginx 1.22:
// ngx_http_set_virtual_server). It returns false if the search ends here.
func (m *Match) virtual(s *socket, h *hello, host string) bool {
	if h.sni != "" && h.sni == host {
		if h.regex != nil {
			_, _ = m.state.exec(h.regex, host) // the handshake captured nothing
		}
		return true
	}
	srv, _, unsure := s.names.find(host, &m.state)
	if unsure != "" {
		m.noServer(unsure)
		return false
	}
	if h.sni != "" {
		if srv == nil {
			srv = s.standard
		}
		if srv.set.verifyClient {
			m.answer(421, "the host is not the name of the TLS handshake, and its server wants client certificates")
			return false
		}
	}
	if srv != nil {
		m.in(srv)
	}
	return true
}

// isMethod holds for what nginx takes for a method.
func isMethod(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
