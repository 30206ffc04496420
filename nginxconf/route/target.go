package route

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/onehost-go/onehost/nginxconf/value"
)

// content tells what makes the content at a level, which is at or below top.
func (m *Match) content(l, top *level) {
	if l.tryFiles != nil {
		m.unsure(fmt.Sprintf("target: try_files at %v is not decided", l.tryFiles.Pos()))
		return
	}
	switch {
	case l.pass != nil && l.handler == l.pass.d:
		m.target(l)
	case l.handler == nil:
		m.indexed(l, top)
	}
}

// indexed looks where the index module may send a request for a directory:
// one that stays at its level is no matter.
func (m *Match) indexed(l, top *level) {
	switch m.state.q.Method {
	case "", "GET", "HEAD", "POST":
	default:
		return
	}
	if !strings.HasSuffix(m.Path, "/") {
		return
	}
	for _, file := range l.set.index {
		path := file
		if !strings.HasPrefix(file, "/") {
			path = m.Path + file
		}
		to, how, unsure := top.find(path)
		if unsure == "" && to.except != nil && !to.except.allows(m.state.q.Method) {
			to = to.except.level
		}
		if strings.Contains(file, "$") || unsure != "" || to != l || how == byRedirect {
			m.unsure(fmt.Sprintf("target: index may lead to %s, and that to another location", path))
			return
		}
	}
}

// target finds where proxy_pass leads (nginx 1.22:
// ngx_http_proxy_create_request).
func (m *Match) target(l *level) {
	p := l.pass
	t := &Target{Directive: p.d, Pass: *p.pass, Upstream: p.upstream, Headers: l.set.headers}
	if t.Pass.Variables {
		text, err := m.Expand(p.d.Arg(0))
		if err == nil {
			t.Pass, err = value.ParseProxyURL(text)
		}
		if err != nil {
			m.unsure(fmt.Sprintf("target: %v in proxy_pass at %v", err, p.d.Pos()))
			return
		}
		if t.Pass.PortText == "" {
			t.Upstream = m.state.r.upstreams[lower(t.Pass.Host)]
		}
	}
	u := &m.state.uri
	switch {
	case p.pass.Variables && t.Pass.URI != "":
		t.URI = t.Pass.URI // as it is: neither path nor arguments are added
		if t.URI[0] == '?' {
			t.URI = "/" + t.URI
		}
	case m.state.setArgs != nil:
		m.unsure("target: " + m.changedArgs())
	case t.Pass.URI == "" && !u.noPath:
		t.URI = u.raw
	default:
		rest := u.path
		if t.Pass.URI != "" {
			rest = rest[p.covered:]
		}
		if u.escaped {
			rest = escapeURI(rest)
		}
		t.URI = t.Pass.URI + rest
		if u.args != "" {
			t.URI += "?" + u.args
		}
	}
	m.Target = t
	m.state.pass, m.state.level = &t.Pass, l
}

// URL returns the target as net/http takes it: the address to connect to, with
// its port, and URI. Over a unix domain socket the host is "localhost"; Pass
// tells where the socket is. If there is an Upstream, the host is its name. It
// is an error if URI is none that net/http sends.
func (t *Target) URL() (*url.URL, error) {
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
// Content-Length and Transfer-Encoding, are the client's. It returns nil
// without a Target; the error wraps [ErrVariable].
func (m *Match) BackendHeader() (http.Header, error) {
	if m.Target == nil {
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
	for _, h := range m.Target.Headers {
		v, err := m.Expand(h.Value)
		if err != nil {
			return nil, fmt.Errorf("%w in proxy_set_header %s", err, h.Name)
		}
		if v != "" {
			out.Add(h.Name, v)
		}
	}
	return out, nil
}
