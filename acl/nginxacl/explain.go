package nginxacl

import (
	"fmt"
	"go/token"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A Query is a request of a client.
type Query struct {
	// Client is the address of the peer. Unix is set for one on a unix socket:
	// the only one that a server listens on or, if there are others, the one
	// whose path is Socket.
	Client netip.Addr
	Unix   bool
	Socket string
	// Listen is the address and port it connected to, TLS whether it speaks TLS.
	// Where a server of the stream block listens, nothing below but Proxy
	// matters; UDP is for a datagram to one.
	Listen   netip.AddrPort
	TLS, UDP bool
	// Proxy is the PROXY header before the request, "PROXY TCP4 192.0.2.7
	// 127.0.0.1 1234 443", or just the client's address in it.
	Proxy string
	// Host is the Host header and, with TLS, the name in the handshake. Method
	// is GET if empty. URI is as on the request line, "/" if empty.
	Host, Method, URI string
	Header            http.Header
	// User and Password are for auth_basic. Without, those in Header are.
	User, Password string
}

// A Step is one thing that led to the verdict.
type Step struct {
	// Phase is the phase it happens in: "find-server", "post-read", "preaccess",
	// or a [route.Phase] such as "rewrite", "find-config", "access".
	Phase string         `json:"phase"`
	Text  string         `json:"text"`
	Pos   token.Position `json:"-"` // of the directive it is about; zero: none
}

// An Explanation says what becomes of a request, and why.
type Explanation struct {
	Verdict Verdict
	// Client is the address that the rules were asked about.
	Client netip.Addr
	// Phase is where the request was decided: "access", or the phase of an
	// answer that comes before; empty with Unknown.
	Phase string
	// Status is that of the answer, if nginx gives one of itself: it refuses
	// the request, or a directive such as return replies. 0 is for the content,
	// whatever the application makes of it. Where an error_page has content for
	// a status, it is that one, unless there is no such content.
	Status int
	// Rule decided, at Rule.Pos; nil if none did.
	Rule *acl.Rule
	// By is the directive that decided, a rule's or another; nil if none did.
	By *nginxconf.Directive
	// From is the chain of the block that the rules were inherited from, and
	// Chain that of the block in which they are in force.
	From, Chain nginxconf.Context
	Steps       []Step
	// Because is the reason in one line.
	Because string
}

// Explain follows a request through a configuration. For many requests, New
// makes a [Judge] of the configuration once.
func Explain(c *nginxconf.Config, q Query) (Explanation, error) {
	j, err := New(c, nil)
	if err != nil {
		return Explanation{}, err
	}
	return j.Explain(q)
}

// Explain follows a request through the configuration: which server and
// location it comes to, who the client is, what answers before access is
// looked at, which rules are in force there, and what decides (nginx 1.22:
// ngx_http_core_access_phase). What it cannot tell is Unknown, and Because says
// why: it is never said to be allowed or denied. The error says that no server
// listens there, or that there is no connection for another reason.
func (j *Judge) Explain(q Query) (Explanation, error) {
	e := Explanation{Client: q.Client}
	if j.streams != nil {
		if m, err := j.router.MatchStream(q.stream()); err == nil {
			return j.explainStream(&m, &q)
		}
	}
	request, proxy, err := j.request(&q)
	if err != nil {
		return e, err
	}
	peer := request.Client
	e.Client = peer
	w := walk{j: j, q: &q, proxy: proxy, peer: peer, budget: 100}
	request.Variable = w.variable(&e)
	m, err := j.router.Match(request)
	if err != nil {
		return e, err
	}
	if a := j.tooLarge(&q, m.Chain); a != nil {
		e.answered(a)
		return e, nil
	}
	e.Steps = make([]Step, 0, 6)
	if m.Server != nil {
		server := j.at(m.Chain[:2])
		w.server = server
		e.step("find-server", server.pos, server.name+" serves "+orNoHost(q.Host))
		if w.replaced, err = e.realIP("post-read", server, peer, &q, proxy); err != nil {
			return e.unknown("%v", err), nil
		}
		if w.replaced && j.asksClient {
			request.RealIP = e.Client
			if m, err = j.router.Match(request); err != nil {
				return e, err
			}
		}
	}
	w.judge(&e, &m)
	return e, nil
}

func orNoHost(host string) string {
	if host == "" {
		return "requests without a host"
	}
	return host
}

// request is the query as package route takes it, with the peer as nginx sees
// it for client.
func (j *Judge) request(q *Query) (route.Request, acl.ProxyHeader, error) {
	r := route.Request{
		Listen: q.Listen, TLS: q.TLS, Host: q.Host, Method: q.Method, URI: q.URI, Header: q.Header, Client: q.Client.WithZone(""),
	}
	if q.Unix {
		r.Client = netip.Addr{}
		r.Unix = q.Socket
		if r.Unix == "" {
			r.Unix = j.unix
		}
		if r.Unix == "" && !q.Listen.IsValid() {
			return r, acl.ProxyHeader{}, fmt.Errorf("%w: which unix socket is it?", route.ErrNoServer)
		}
	}
	if r.URI == "" {
		r.URI = "/"
	}
	if q.TLS {
		r.ServerName, _, _ = strings.Cut(q.Host, ":")
		if _, err := netip.ParseAddr(r.ServerName); err == nil || strings.HasPrefix(q.Host, "[") {
			r.ServerName = "" // no client asks for an address
		}
	}
	proxy, err := proxyHeader(q.Proxy)
	if err != nil {
		return r, proxy, err
	}
	if s, ok := j.router.Socket(r); ok {
		r.Client = s.Sees(r.Client)
		switch {
		case s.ProxyProtocol && q.Proxy == "":
			return r, proxy, fmt.Errorf("nginxacl: %v wants a PROXY header, and closes a connection without", s)
		case !s.ProxyProtocol && q.Proxy != "":
			return r, proxy, fmt.Errorf("nginxacl: %v takes no PROXY header, and answers 400 to it", s)
		}
	}
	return r, proxy, nil
}

// realIP finds out who the client is, and tells how.
func (e *Explanation) realIP(phase string, at *place, peer netip.Addr, q *Query, proxy acl.ProxyHeader) (replaced bool, err error) {
	ip := &at.RealIP
	if !ip.on() {
		return false, nil
	}
	t, err := ip.find(netip.AddrPortFrom(peer, 0), q.Header, proxy)
	if err != nil {
		return false, err
	}
	header := ip.Header
	if header == "" {
		header = "X-Real-IP"
	}
	for _, h := range t.Hops {
		text := acl.AddrText(h.From) + " is trusted (" + at.trust()[h.Rule] + ")"
		if h.To.Addr().IsValid() {
			text += ", and names " + acl.AddrText(h.To.Addr()) + " in " + header
		} else {
			text += ", but " + strconv.Quote(cut(h.Entry)) + " in " + header + " is no address"
		}
		e.step(phase, ip.List[h.Rule].Pos, text)
	}
	if !t.Replaced {
		return false, nil
	}
	e.Client = t.Client.Addr()
	return true, nil
}

func cut(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// answered ends with an answer that comes before the access phase.
func (e *Explanation) answered(a *route.Answer) {
	e.Verdict, e.Status, e.By, e.Phase = verdictOf(a.Status), a.Status, a.By, a.Phase.String()
	e.Because = fmt.Sprintf("%s answers %d before allow and deny are looked at", a.Reason, a.Status)
	if a.By != nil {
		e.Because = fmt.Sprintf("%s answers before allow and deny are looked at", where(a.By))
	}
	e.about(e.Phase, a.By, e.Because)
}

func (e *Explanation) step(phase string, pos token.Position, text string) {
	e.Steps = append(e.Steps, Step{phase, text, pos})
}

// about is a step that a directive makes, or none if it is nil.
func (e *Explanation) about(phase string, d *nginxconf.Directive, text string) {
	if d != nil {
		e.step(phase, d.Pos(), text)
	} else {
		e.step(phase, token.Position{}, text)
	}
}

// unknown is what is left of an Explanation that does not come to a verdict.
func (e Explanation) unknown(format string, args ...any) Explanation {
	e.Verdict, e.Phase, e.Rule, e.By, e.Status = Unknown, "", nil, nil, 0
	e.Because = fmt.Sprintf(format, args...)
	return e
}

// words are a block's name and arguments.
func words(d *nginxconf.Directive) string {
	return strings.Join(append([]string{d.Name()}, d.Args()...), " ")
}
