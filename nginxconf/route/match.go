package route

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

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
	pass   *value.ProxyPass
	level  *level // of the target
	// setArgs is a directive that changes the arguments.
	setArgs *nginxconf.Directive
}

// Match finds what serves a request. The error is [ErrNoServer] or
// [ErrHandshake] if there is no connection over which nginx could answer; what
// is wrong with the request itself, nginx answers, and so does Match.
func (r *Router) Match(q Request) (Match, error) {
	m := Match{state: state{r: r, q: q}}
	s, unsure, err := r.socketOf(&q)
	if err != nil {
		return Match{}, err
	}
	if unsure != "" {
		m.unsure(unsure)
		return m, nil
	}
	srv, sni, unsure, err := s.handshake(&q)
	if err != nil {
		return Match{}, err
	}
	if unsure != "" {
		m.unsure(unsure)
		return m, nil
	}
	m.state.q.Listen = netip.AddrPortFrom(s.sees(q.Listen.Addr()), q.Listen.Port())
	m.state.q.Client = s.sees(q.Client)
	m.serve(s, srv, sni)
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

// handshake returns the server that is in charge until the host is known, and
// the name that the client asked for, if that is the server's.
func (s *socket) handshake(q *Request) (srv *server, sni, unsure string, err error) {
	srv = s.standard
	if !q.TLS {
		return srv, "", "", nil
	}
	if !s.tls() {
		return nil, "", "", fmt.Errorf("%w: %s has no ssl", ErrHandshake, s.name)
	}
	if host, ok := readHost(q.ServerName); ok {
		if !isStrictHost(q.ServerName) {
			return nil, "", "server: " + hostDrift(q.ServerName), nil
		}
		named, unsure := s.names.find(host)
		if unsure != "" {
			return nil, "", unsure, nil
		}
		if named != nil {
			srv, sni = named, host
		}
	}
	if srv.set.rejectHandshake {
		return nil, "", "", fmt.Errorf("%w: ssl_reject_handshake in the server at %v", ErrHandshake, srv.d.Pos())
	}
	return srv, sni, "", nil
}

func (s *socket) tls() bool { return s.ssl || s.standard.set.sslOn }

func (m *Match) unsure(why string) { m.Unsure = append(m.Unsure, why) }

// in tells which server serves the request.
func (m *Match) in(srv *server) {
	m.state.server = srv
	m.Server, m.Chain = srv.d, srv.chain
}

// noServer says why that is not certain.
func (m *Match) noServer(why string) {
	m.state.server = nil
	m.Server, m.Chain = nil, nil
	m.unsure(why)
}

// serve goes the way of a request through nginx, from its first line on.
func (m *Match) serve(s *socket, srv *server, sni string) {
	q := &m.state.q
	m.in(srv)
	if !isMethod(q.Method) {
		m.answer(&srv.level, 400, "invalid method")
		return
	}
	if q.Method == "CONNECT" {
		m.unsure("answer: versions of nginx differ in what they make of CONNECT")
		return
	}
	// The server at hand rules over the slashes, whatever the host is.
	uri, ok := readURI(q.URI, srv.set.mergeSlashes)
	if !ok {
		m.answer(&srv.level, 400, "invalid URI")
		return
	}
	m.state.uri, m.Path = uri, uri.path

	// The host on the request line counts, but that of the field has to be
	// good as well.
	for _, h := range [...]string{uri.host, q.Host} {
		if h == "" {
			continue
		}
		host, ok := readHost(h)
		if !ok {
			m.answer(&m.state.server.level, 400, "invalid host")
			return
		}
		if !isStrictHost(h) {
			m.noServer("server: " + hostDrift(h))
			return
		}
		if m.state.host == "" {
			m.state.host = host
			if !m.virtual(s, sni, host) {
				return
			}
		}
	}
	if m.state.host == "" && !m.virtual(s, sni, "") {
		return
	}
	srv = m.state.server
	length := int64(-1)
	if h := q.Header["Content-Length"]; len(h) > 0 {
		n, err := value.ParseNumber(h[0])
		if err != nil || len(h) > 1 {
			m.answer(&srv.level, 400, "invalid Content-Length")
			return
		}
		length = n
	}
	switch {
	case q.Method == "TRACE":
		m.answer(&srv.level, 405, "TRACE")
	case s.tls() && !q.TLS:
		m.answer(&srv.level, 497, "plain HTTP on a TLS port")
	case !m.rewritten(&srv.level):
		m.locate(&srv.level, length)
	}
}

// virtual goes to the server of a host (nginx 1.22:
// ngx_http_set_virtual_server). It returns false if the search ends here.
func (m *Match) virtual(s *socket, sni, host string) bool {
	if sni != "" && sni == host {
		return true
	}
	if why := s.mayMisdirect(&m.state.q, host); why != "" {
		m.unsure(why)
		return false
	}
	srv, unsure := s.names.find(host)
	if unsure != "" {
		m.noServer(unsure)
		return false
	}
	if sni != "" {
		if srv == nil {
			srv = s.standard
		}
		if srv.set.verifyClient {
			m.answer(&m.state.server.level, 421, "the host is not the name of the TLS handshake, and its server wants client certificates")
			return false
		}
	}
	if srv != nil {
		m.in(srv)
	}
	return true
}

// mayMisdirect tells of a socket with a single server whether that server's
// regular expressions decide if a host other than that of the handshake gets
// 421: nginx looks at the names of a single server only if there are captures.
func (s *socket) mayMisdirect(q *Request, host string) string {
	if s.names != nil || !q.TLS || !s.standard.set.verifyClient {
		return ""
	}
	for _, n := range s.standard.names {
		if sni, ok := readHost(q.ServerName); n.Kind == value.RegexName && ok && sni != host {
			return fmt.Sprintf("answer: 421 if %s at %v has captures", n.d, n.d.Pos())
		}
	}
	return ""
}

// locate goes on from the find-location phase of nginx.
func (m *Match) locate(top *level, length int64) {
	l, how, unsure := top.find(m.Path)
	if unsure != "" {
		m.unsure(unsure)
		return
	}
	if l != top {
		m.Location = l.d
		m.Chain = l.chain
	}
	if l.set.internal {
		m.answer(l, 404, "internal")
		return
	}
	outer := l
	if l.except != nil && !l.except.allows(m.state.q.Method) {
		l = l.except.level
		m.Chain = l.chain
	}
	switch {
	case outer.set.maxBody > 0 && length > outer.set.maxBody:
		m.answer(l, 413, "client_max_body_size")
		return
	case how == byRedirect:
		m.redirect(l, outer.name)
		return
	}
	if l != top && m.rewritten(l) { // a server's directives had their turn
		return
	}
	m.content(l, top)
}

// find returns the location of a path at or below l, or l itself (nginx 1.22:
// ngx_http_core_find_location).
func (l *level) find(path string) (loc *level, how found, unsure string) {
	var regex *level
	for {
		if l.inner == nil {
			break
		}
		inner, how := l.inner.find(path)
		switch {
		case l.inner.odd != nil:
			return nil, nothing, fmt.Sprintf("location: versions of nginx differ in what they make of the long name of the location at %v", l.inner.odd.d.Pos())
		case how == byName || how == byRedirect:
			return inner, how, ""
		}
		// nginx looks below first, and then tries the regular expressions from
		// the innermost level outwards. "^~" is about its own level alone.
		if len(l.inner.regex) > 0 && (how == nothing || inner.modifier != value.NoRegex) {
			regex = l.inner.regex[0]
		}
		if how == nothing {
			break
		}
		l = inner
	}
	if regex != nil {
		return nil, nothing, fmt.Sprintf("location: location %s %q at %v: regular expressions are not decided", regex.modifier, regex.name, regex.d.Pos())
	}
	return l, byPrefix, ""
}

func (e *except) allows(method string) bool {
	if method == "" {
		method = http.MethodGet
	}
	return slices.Contains(e.methods, method)
}

// rewritten tells whether the search ends with the rewrite directives of a
// level.
func (m *Match) rewritten(l *level) bool {
	if w := l.rewrite; w != nil {
		if w.setArgs != nil {
			m.state.setArgs = w.setArgs
		}
		if d := w.unsure; d != nil {
			m.unsure(fmt.Sprintf("answer: %s at %v is not decided", d.Name(), d.Pos()))
			return true
		}
		if w.ret != nil {
			m.returned(l, w.ret, w.value)
			return true
		}
	}
	if d := l.set.script; d != nil {
		m.unsure(fmt.Sprintf("answer: %s at %v is not decided", d.Name(), d.Pos()))
		return true
	}
	return false
}

// returned answers as a return directive says (nginx 1.22:
// ngx_http_script_return_code, ngx_http_send_response).
func (m *Match) returned(l *level, d *nginxconf.Directive, v value.Return) {
	if v.IsRedirect() || v.Status >= 400 && v.Text == "" {
		if !m.answer(l, v.Status, "return") { // error_page does not see other ones
			return
		}
	} else {
		m.Answer = &Answer{Status: v.Status, Reason: "return"}
	}
	m.Answer.By = d
	text, err := m.Expand(v.Text)
	switch {
	case err != nil:
		m.unsure(fmt.Sprintf("answer: %v in return at %v", err, d.Pos()))
	case v.IsRedirect():
		m.Answer.Location = m.absolute(l, text)
	default:
		m.Answer.Body = text
	}
}

// redirect answers a request that lacks the slash at the end of a name.
func (m *Match) redirect(l *level, name string) {
	if !m.answer(l, 301, "slash redirect") {
		return
	}
	to := escapeURI(name)
	switch {
	case m.state.setArgs != nil:
		m.unsure("answer: " + m.changedArgs())
		return
	case m.state.uri.args != "":
		to += "?" + m.state.uri.args
	}
	m.Answer.Location = m.absolute(l, to)
}

func (m *Match) changedArgs() string {
	d := m.state.setArgs
	return fmt.Sprintf("%s at %v changes the arguments", d, d.Pos())
}

// answer answers with a status, unless an error_page turns that into something
// else (nginx 1.22: ngx_http_finalize_request,
// ngx_http_special_response_handler).
func (m *Match) answer(l *level, status int, reason string) bool {
	m.Answer = &Answer{Status: status, Reason: reason}
	switch status {
	case 408, 444, 499:
		return true
	case 494, 495, 496, 497: // numbers of its own for what goes out as 400
		m.Answer.Status = 400
	}
	for _, p := range l.set.errorPages {
		if p.status == status {
			m.Answer = nil
			m.unsure(fmt.Sprintf("answer: %s (%d), and error_page at %v for it is not decided", reason, status, p.d.Pos()))
			return false
		}
	}
	return true
}

// absolute makes the Location field of a path (nginx 1.22:
// ngx_http_header_filter).
func (m *Match) absolute(l *level, location string) string {
	if !strings.HasPrefix(location, "/") || !l.set.absoluteRedirect {
		return location
	}
	srv, q := m.state.server, &m.state.q
	host := m.state.host
	switch {
	case l.set.nameInRedirect && srv.firstUnknown:
		m.unsure("answer: the name of the machine is not known")
		return ""
	case l.set.nameInRedirect:
		host = srv.first
	case host == "" && q.Unix != "":
		host = "unix:" + q.Unix
	case host == "" && q.Listen.Addr().IsUnspecified():
		m.unsure("answer: the address that the client connected to is not known")
		return ""
	case host == "":
		host = q.Listen.Addr().String() // an IPv6 address goes without brackets
	}
	scheme, usual := "http", uint16(80)
	if q.TLS {
		scheme, usual = "https", 443
	}
	port := ""
	if p := q.Listen.Port(); l.set.portInRedirect && q.Unix == "" && p != usual {
		port = fmt.Sprintf(":%d", p)
	}
	return scheme + "://" + host + port + location
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
