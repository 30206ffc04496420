package acl

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// A Policy is what a Middleware judges requests by. The zero Policy lets
// everybody in.
type Policy struct {
	List   List   // the rules; the first that matches decides
	RealIP RealIP // who the client is; zero: the peer
}

// MiddlewareOptions are the choices of a Middleware. Nil is the zero value.
type MiddlewareOptions struct {
	// Status of the answer to a client that is denied; 0 is 403.
	Status int
	// Denied answers in place of a plain text with Status.
	Denied http.Handler
	// Logger is told each denial, with its reason, at LevelWarn; nil: nobody.
	Logger *slog.Logger
	// ReportOnly lets in those who are denied as well, once it is logged: to
	// see what a policy would do.
	ReportOnly bool
	// ProxyHeader returns what the PROXY protocol told of a request's
	// connection, for a RealIP whose Header is "proxy_protocol"; nil: nothing.
	ProxyHeader func(*http.Request) ProxyHeader
}

// A Middleware guards handlers of net/http with access rules, as nginx would
// in front of them. Its methods may be called from several goroutines.
//
// Package http tells an IPv4 client on a socket for both families by its IPv4
// address, where nginx sees an IPv4-mapped one. So rules for ::ffff:0:0/96 do
// not apply.
type Middleware struct {
	o       MiddlewareOptions
	body    []byte // of the answer to whom it denies
	current atomic.Pointer[policy]
}

// policy is a Policy made ready.
type policy struct {
	Policy
	table  *Table
	source source
}

// NewMiddleware returns a Middleware that judges by p.
func NewMiddleware(p Policy, o *MiddlewareOptions) *Middleware {
	m := &Middleware{}
	if o != nil {
		m.o = *o
	}
	if m.o.Status == 0 {
		m.o.Status = http.StatusForbidden
	}
	m.body = []byte(http.StatusText(m.o.Status) + "\n")
	m.SetPolicy(p)
	return m
}

// SetPolicy judges all later requests by p. Requests do not wait for it. The
// list is copied.
func (m *Middleware) SetPolicy(p Policy) {
	p.List = slices.Clone(p.List)
	m.current.Store(&policy{p, Compile(p.List), p.RealIP.source()})
}

// Handler returns a handler that passes on to next what the policy allows, and
// answers the rest itself. It allocates nothing for a request, unless it logs.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := m.current.Load()
		client, ok := peerOf(r)
		if ok {
			switch {
			case p.RealIP.Trusted == nil:
			case p.source.proxy:
				client, _ = p.RealIP.Find(client, nil, m.proxyHeader(r))
			default:
				client, _, _ = p.RealIP.walk(p.source, client, r.Header, nil, nil)
			}
			if p.table.Lookup(client.Addr()).Action == Allow {
				next.ServeHTTP(w, r)
				return
			}
		}
		m.deny(w, r, next, p)
	})
}

// A Judgement is what a Middleware says of a request.
type Judgement struct {
	Decision
	By    *Rule          `json:"by"`    // a copy of List[Decision.Rule]; nil if none matched
	Peer  netip.AddrPort `json:"peer"`  // the zero Addr is a unix socket
	Trace Trace          `json:"trace"` // how the client's address came about
	// Unknown reports that Request.RemoteAddr is neither an address nor that
	// of a unix socket. The Action is then Deny.
	Unknown bool `json:"unknown"`
}

// Judge says what the Middleware does with a request, and why.
func (m *Middleware) Judge(r *http.Request) Judgement { return m.judge(r, m.current.Load()) }

func (m *Middleware) judge(r *http.Request, p *policy) Judgement {
	peer, ok := peerOf(r)
	if !ok {
		return Judgement{Decision: Decision{Deny, -1}, Unknown: true}
	}
	j := Judgement{Peer: peer, Trace: p.RealIP.Explain(peer, r.Header, m.proxyHeader(r))}
	j.Decision = p.table.Lookup(j.Trace.Client.Addr())
	if j.Rule >= 0 {
		by := p.List[j.Rule]
		j.By = &by
	}
	return j
}

func (m *Middleware) proxyHeader(r *http.Request) ProxyHeader {
	if m.o.ProxyHeader == nil {
		return ProxyHeader{}
	}
	return m.o.ProxyHeader(r)
}

func (m *Middleware) deny(w http.ResponseWriter, r *http.Request, next http.Handler, p *policy) {
	if l := m.o.Logger; l != nil && l.Enabled(r.Context(), slog.LevelWarn) {
		m.log(r.Context(), l, r, m.judge(r, p))
	}
	switch {
	case m.o.ReportOnly:
		next.ServeHTTP(w, r)
	case m.o.Denied != nil:
		m.o.Denied.ServeHTTP(w, r)
	default:
		// http.Error costs many times as much, and whom one denies comes often.
		// That it is plain text package http sees itself.
		w.WriteHeader(m.o.Status)
		w.Write(m.body)
	}
}

// log says it in nginx's words. What the client wrote is cut: it may be long.
func (m *Middleware) log(ctx context.Context, l *slog.Logger, r *http.Request, j Judgement) {
	cut := func(s string) string {
		if len(s) > 200 {
			return strings.ToValidUTF8(s[:200], "") + "…"
		}
		return s
	}
	attrs := make([]slog.Attr, 0, 10)
	if j.Unknown {
		attrs = append(attrs, slog.String("remote", cut(r.RemoteAddr)), slog.String("reason", "the peer has no address"))
	} else {
		attrs = append(attrs, slog.String("client", AddrText(j.Trace.Client.Addr())))
		if j.Trace.Replaced {
			last := j.Trace.Hops[len(j.Trace.Hops)-1]
			attrs = append(attrs, slog.String("peer", AddrText(j.Peer.Addr())), slog.String("proxy", AddrText(last.From)))
		}
		attrs = append(attrs, slog.Int("rule", j.Rule), slog.String("reason", j.By.String()))
		if j.By.Pos.IsValid() {
			attrs = append(attrs, slog.String("place", j.By.Pos.String()))
		}
	}
	attrs = append(attrs, slog.String("method", cut(r.Method)), slog.String("host", cut(r.Host)), slog.String("path", cut(r.URL.Path)))
	if m.o.ReportOnly {
		attrs = append(attrs, slog.Bool("report_only", true))
	}
	l.LogAttrs(ctx, slog.LevelWarn, "access forbidden by rule", attrs...)
}

// peerOf returns the address and port that a request came from; the zero
// AddrPort is a unix socket. It fails if RemoteAddr is none of these.
func peerOf(r *http.Request) (peer netip.AddrPort, ok bool) {
	if peer, ok = parseRemote(r.RemoteAddr); ok {
		return peer, true
	}
	// Depending on the system and on what the client bound, RemoteAddr is
	// empty, "@", a path, or an abstract name. The server's side tells for sure.
	if local, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr); known {
		return peer, strings.HasPrefix(local.Network(), "unix")
	}
	return peer, strings.HasPrefix(r.RemoteAddr, "@") || strings.HasPrefix(r.RemoteAddr, "/")
}

// parseRemote reads "192.0.2.1:1234", "[2001:db8::1]:1234", and an address
// alone, which some servers put there. On a unix socket no request has one, so
// that makes no error value.
func parseRemote(s string) (netip.AddrPort, bool) {
	if s == "" || s[0] == '@' || s[0] == '/' {
		return netip.AddrPort{}, false
	}
	if peer, ok := parseIPv4Port(s); ok {
		return peer, true
	}
	if peer, err := netip.ParseAddrPort(s); err == nil {
		return peer, true
	}
	a, err := netip.ParseAddr(s)
	return netip.AddrPortFrom(a, 0), err == nil
}

// parseIPv4Port reads what netip.ParseAddrPort reads most often, in a third of
// the time. What it does not read may still be an address.
func parseIPv4Port(s string) (netip.AddrPort, bool) {
	var b [4]byte
	i := 0
	for k := range b {
		start, n := i, 0
		for i < len(s) && s[i]-'0' <= 9 {
			n = n*10 + int(s[i]-'0')
			i++
		}
		end := byte('.')
		if k == 3 {
			end = ':'
		}
		// A leading zero is for netip to refuse.
		if i == start || i-start > 3 || n > 255 || i-start > 1 && s[start] == '0' || i == len(s) || s[i] != end {
			return netip.AddrPort{}, false
		}
		b[k] = byte(n)
		i++
	}
	port, ok := parsePort(s[i:])
	return netip.AddrPortFrom(netip.AddrFrom4(b), port), ok && len(s)-i <= 5
}
