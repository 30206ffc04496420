package route

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// content tells what makes the content.
func (m *Match) content() {
	st := &m.state
	l := st.level
	switch {
	case l.tryFiles != nil:
		m.unsure(fmt.Sprintf("target: try_files at %v is not decided", l.tryFiles.Pos()))
	case st.handler == nil:
		m.indexed()
	case st.backend:
		m.target()
	}
}

// indexed looks where the index module may send a request for a directory:
// one that stays at its level is no matter.
func (m *Match) indexed() {
	if !m.isDirectory() {
		return
	}
	st := &m.state
	if d := st.level.set.randomIndex; d != nil {
		m.unsure(fmt.Sprintf("target: %s at %v leads to any of the files", d.Name(), d.Pos()))
		return
	}
	for _, i := range st.level.set.index {
		path := i.name
		if !strings.HasPrefix(path, "/") {
			path = st.path + path
		}
		f := m.fork()
		to, how, unsure := f.find(&st.server.level, path)
		if unsure == "" && to.except != nil && !to.except.allows(st.method) {
			to = to.except.level
		}
		if strings.Contains(i.name, "$") || unsure != "" || to != st.level || how == byRedirect || len(st.server.script) > 0 {
			m.unsure(fmt.Sprintf("target: index may lead to %s, and that to another location", path))
			return
		}
	}
}

// isDirectory tells whether the index module looks at the request.
func (m *Match) isDirectory() bool {
	switch m.state.method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return strings.HasSuffix(m.state.path, "/")
	}
	return false
}

// target finds where proxy_pass leads (nginx 1.22:
// ngx_http_proxy_create_request).
func (m *Match) target() {
	st := &m.state
	l, p := st.level, st.level.pass
	d := l.passDirective()
	if d == nil || d != st.handler && d.Name() != st.handler.Name() {
		m.unsure(fmt.Sprintf("target: the backend of %s at %v is not in force any more", st.handler.Name(), st.handler.Pos()))
		return
	}
	if p.pass == nil || d != p.d && d.Name() != "proxy_pass" {
		m.backend(d)
		return
	}
	t := &Target{Directive: d, Pass: *p.pass, Upstream: p.upstream, Headers: l.headers(st.r.c)}
	if t.Pass.Variables {
		text, err := m.Expand(d.Arg(0))
		if err == nil {
			t.Pass, err = value.ParseProxyURL(text)
		}
		if err != nil {
			m.unsure(fmt.Sprintf("target: %v in proxy_pass at %v", err, d.Pos()))
			return
		}
		if t.Pass.PortText == "" {
			t.Upstream = st.r.upstreams[lower(t.Pass.Host)]
		}
	}
	switch uri := t.Pass.URI; {
	case p.pass.Variables && uri != "":
		t.URI = uri // as it is: neither path nor arguments are added
		if uri[0] == '?' {
			t.URI = "/" + uri
		}
	case uri == "" && st.unparsed:
		t.URI = st.uri.raw
	default:
		rest := st.path
		if st.validLocation {
			if uri != "" {
				covered := len(l.name())
				if len(rest) < covered {
					m.unsure(fmt.Sprintf("target: the path is shorter than the name of the location at %v", l.d.Pos()))
					return
				}
				rest = rest[covered:]
			}
		} else {
			uri = ""
		}
		if st.uri.escaped || st.internal {
			rest = escapeURI(rest)
		}
		t.URI = uri + rest
		if st.args != "" {
			t.URI += "?" + st.args
		}
	}
	m.Target = t
	st.pass = &t.Pass
}

// passDirective returns the directive of l.pass: an if block or limit_except may
// have it from the level around.
func (l *level) passDirective() *nginxconf.Directive {
	for ; l != nil; l = l.up {
		if l.backend {
			return l.handler
		}
		if l.location {
			break
		}
	}
	return nil
}

// backend finds where a directive other than proxy_pass leads.
func (m *Match) backend(d *nginxconf.Directive) {
	if d.NumArgs() == 0 {
		return
	}
	text, err := m.Expand(d.Arg(0))
	var b value.Backend
	if err == nil {
		b, err = value.ParseBackend(text, "grpc", "grpcs")
	}
	if err != nil {
		m.unsure(fmt.Sprintf("target: %v in %s at %v", err, d.Name(), d.Pos()))
		return
	}
	t := &Target{Directive: d, Backend: b}
	if b.PortText == "" {
		t.Upstream = m.state.r.upstreams[lower(b.Host)]
	}
	own := strings.TrimSuffix(d.Name(), "_pass") + "_param"
	if own == "grpc_param" {
		own = "grpc_set_header"
		t.URI = m.state.uri.raw
		if !m.state.unparsed {
			t.URI = escapeURI(m.state.path)
			if m.state.args != "" {
				t.URI += "?" + m.state.args
			}
		}
	}
	t.Headers = m.inForce(own)
	m.Target = t
}

// inForce returns the directives of that name in force where m is.
func (m *Match) inForce(name string) (list []Header) {
	ds, _ := m.state.r.c.Effective(m.Chain, name)
	for _, d := range ds {
		if d.NumArgs() > 1 {
			list = append(list, Header{Name: d.Arg(0), Value: d.Arg(1), Directive: d})
		}
	}
	return list
}

// AddedHeaders returns the fields that add_header adds to responses where m is:
// those of the nearest level that has any. Values may have variables, which are
// those of the time when the response is sent. A field whose Directive does not
// end with "always" is only added to statuses such as 200, 204 and 301.
func (m *Match) AddedHeaders() []Header {
	if m.state.r == nil || len(m.Chain) == 0 {
		return nil
	}
	return m.inForce("add_header")
}

// Address returns what [net.Dial] takes to reach the backend, unless there is an
// Upstream.
func (t *Target) Address() (network, address string) {
	if t.Pass.Scheme != "" {
		return t.Pass.Address()
	}
	return t.Backend.Address()
}

// Servers returns the servers of Upstream, in the order of the files. It leaves
// out those that nginx would refuse.
func (t *Target) Servers(c *nginxconf.Config) (list []value.UpstreamServer) {
	if t.Upstream == nil {
		return nil
	}
	for d := range c.In(nginxconf.Context{t.Upstream}) {
		if d.Name() != "server" {
			continue
		}
		if s, err := value.ParseUpstreamServer(d.Args()...); err == nil {
			list = append(list, s)
		}
	}
	return list
}

// URL returns the target as net/http takes it: the address to connect to, with
// its port, and URI. Over a unix domain socket the host is "localhost"; Pass
// tells where the socket is. If there is an Upstream, the host is its name. It
// is an error if URI is none that net/http sends.
func (t *Target) URL() (*url.URL, error) {
	if t.Pass.Scheme == "" {
		return nil, fmt.Errorf("route: %s is not HTTP", t.Directive.Name())
	}
	u, err := url.ParseRequestURI(t.URI)
	if err != nil {
		return nil, fmt.Errorf("route: the backend's URI: %w", err)
	}
	network, address := t.Pass.Address()
	u.Scheme, u.Host = t.Pass.Scheme, address
	switch {
	case network == "unix":
		u.Host = "localhost"
	case t.Upstream != nil:
		u.Host = t.Pass.Host
	}
	return u, nil
}

// BackendHeader returns the header fields of the request to the backend of
// m.Target: those of the client that no Header of the target names, then these
// with their variables replaced, Host among them. Fields that frame the body,
// Content-Length and Transfer-Encoding, are the client's. It returns nil unless
// the target is that of a proxy_pass. The error wraps [ErrVariable], or says that
// nginx has a mistake there: a map changes the captures that fields have.
func (m *Match) BackendHeader() (http.Header, error) {
	if m.Target == nil || m.Target.Pass.Scheme == "" {
		return nil, nil
	}
	out := http.Header{}
	if m.state.level.set.passHeaders {
		for name, values := range m.state.q.Header {
			out[name] = append([]string(nil), values...)
		}
	}
	for _, h := range m.Target.Headers {
		delete(out, textproto.CanonicalMIMEHeaderKey(h.Name))
	}
	execs, positional := m.state.execs, false
	for _, h := range m.Target.Headers {
		v, err := m.Expand(h.Value)
		if err != nil {
			return nil, fmt.Errorf("%w in proxy_set_header %s", err, h.Name)
		}
		for p := range value.Parts(h.Value) {
			positional = positional || isCapture(p.Name)
		}
		if v != "" {
			out.Add(h.Name, v)
		}
	}
	if positional && execs != m.state.execs {
		return nil, fmt.Errorf("route: %w in proxy_set_header", errCaptures)
	}
	return out, nil
}
