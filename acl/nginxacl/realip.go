package nginxacl

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
)

// A RealIP is how nginx finds the address of a client at a place, with the
// directives that say so (nginx 1.22: ngx_http_realip_module). Each of the
// three directives is inherited on its own.
type RealIP struct {
	acl.RealIP
	// List is what acl.RealIP.Trusted was made of, and Origins are the
	// set_real_ip_from directives: one for each rule, the same one for all
	// addresses of a name. Level is the chain of the block they stand in.
	List    acl.List
	Origins []*nginxconf.Directive
	Level   nginxconf.Context
	// Unresolved are the set_real_ip_from with a name that is not resolved, so
	// it is not known whom they trust.
	Unresolved []*nginxconf.Directive
	// HeaderBy and RecursiveBy are the directives in force, or nil.
	HeaderBy, RecursiveBy *nginxconf.Directive

	underscores, invalid bool // header fields with such names are taken
}

func (r *reader) realIP(up RealIP, l *level, chain nginxconf.Context) (RealIP, error) {
	ip := up
	ip.Version = r.o.Version
	if len(chain) > 0 && chain[0].Name() == "stream" {
		ip.Header = "proxy_protocol" // there is no other
	}
	if d := l.header; d != nil {
		if d.NumArgs() != 1 {
			return ip, wrongNumber(d)
		}
		ip.HeaderBy, ip.Header = d, d.Arg(0)
	}
	if d := l.recursive; d != nil {
		if d.NumArgs() != 1 {
			return ip, wrongNumber(d)
		}
		ip.RecursiveBy, ip.Recursive = d, strings.EqualFold(d.Arg(0), "on")
	}
	if d := l.underscores; d != nil {
		ip.underscores = d.NumArgs() == 1 && strings.EqualFold(d.Arg(0), "on")
	}
	if d := l.invalid; d != nil {
		ip.invalid = d.NumArgs() == 1 && strings.EqualFold(d.Arg(0), "off")
	}
	if len(l.trust) == 0 {
		return ip, nil
	}
	ip.List, ip.Origins, ip.Unresolved, ip.Level = nil, nil, nil, chain
	for _, d := range l.trust {
		if d.NumArgs() != 1 {
			return ip, wrongNumber(d)
		}
		rules, err := r.trusted(d)
		if err != nil {
			ip.Unresolved = append(ip.Unresolved, d)
		}
		for _, rule := range rules {
			rule.Pos = d.Pos()
			ip.List, ip.Origins = append(ip.List, rule), append(ip.Origins, d)
		}
	}
	ip.Trusted = acl.Compile(ip.List)
	return ip, nil
}

// trusted returns the rules of a set_real_ip_from.
func (r *reader) trusted(d *nginxconf.Directive) (acl.List, error) {
	rule, err := acl.ParseTrusted(d.Arg(0))
	if err == nil {
		return acl.List{rule}, nil
	}
	if r.o.Resolve == nil {
		return nil, err
	}
	addrs, err := r.o.Resolve(d.Arg(0))
	var list acl.List
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		if rule, err := acl.NewRule(acl.Allow, netip.PrefixFrom(a, a.BitLen())); err == nil {
			list = append(list, rule)
		}
	}
	return list, err
}

// on tells whether any peer's word may be taken.
func (ip *RealIP) on() bool { return len(ip.List) > 0 || len(ip.Unresolved) > 0 }

// same tells whether the same directives are in force.
func (ip *RealIP) same(other *RealIP) bool {
	return ip.HeaderBy == other.HeaderBy && ip.RecursiveBy == other.RecursiveBy && slices.Equal(ip.Origins, other.Origins) && slices.Equal(ip.Unresolved, other.Unresolved)
}

// find is acl.RealIP.Explain. The error says why the client is not known.
func (ip *RealIP) find(peer netip.AddrPort, header http.Header, proxy acl.ProxyHeader) (acl.Trace, error) {
	if !ip.on() {
		return acl.Trace{Client: peer, Stop: acl.StopOff}, nil
	}
	if ip.dropped() {
		header = nil
	}
	t := ip.RealIP.Explain(peer, header, proxy)
	// A name that is not resolved may be that of the address at which the
	// search ended.
	if t.Stop == acl.StopUntrusted && len(ip.Unresolved) > 0 {
		d := ip.Unresolved[0]
		return t, fmt.Errorf("%s: %q is a name, which nginx resolves when it starts", d.Pos(), d.Arg(0))
	}
	return t, nil
}

// dropped tells whether nginx drops the header before it looks for addresses,
// as it does with names of other bytes than letters, digits and "-" unless it
// is told not to.
func (ip *RealIP) dropped() bool {
	return !ip.invalid && ip.Header != "proxy_protocol" && strings.ContainsFunc(ip.Header, func(c rune) bool {
		return (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && (c != '_' || !ip.underscores)
	})
}

// Client returns the address that the rules in force in the innermost block of
// chain are asked about: the peer's, or the one that trusted proxies name in
// the request's header (nginx 1.22: ngx_http_realip_module). An error says why
// that cannot be told. [Explain] tells the steps too, and knows the PROXY
// protocol.
func Client(c *nginxconf.Config, chain nginxconf.Context, peer netip.Addr, header http.Header) (netip.Addr, error) {
	p, err := For(c, chain)
	if err != nil {
		return peer, err
	}
	if p.RealIP.on() && p.RealIP.Header == "proxy_protocol" {
		return peer, fmt.Errorf("%s: the client's address comes from the PROXY protocol", p.RealIP.HeaderBy.Pos())
	}
	// The server's settings come first; those of a location are for requests
	// whose client they left as it was.
	for _, ip := range []*RealIP{serverRealIP(c, chain), &p.RealIP} {
		if ip == nil {
			continue
		}
		t, err := ip.find(netip.AddrPortFrom(peer, 0), header, acl.ProxyHeader{})
		if err != nil || t.Replaced {
			return t.Client.Addr().Unmap(), err
		}
	}
	return peer, nil
}

// serverRealIP is what is in force in the server of a chain.
func serverRealIP(c *nginxconf.Config, chain nginxconf.Context) *RealIP {
	i := slices.IndexFunc(chain, func(d *nginxconf.Directive) bool { return d.Name() == "server" })
	if i < 0 {
		return nil
	}
	p, err := For(c, chain[:i+1:i+1])
	if err != nil {
		return nil
	}
	return &p.RealIP
}

// proxyHeader reads what a Query says of the PROXY protocol.
func proxyHeader(s string) (acl.ProxyHeader, error) {
	if s == "" {
		return acl.ProxyHeader{}, nil
	}
	if addr, ok := acl.ParseAddr(s); ok {
		return acl.ProxyHeader{Version: 1, Source: netip.AddrPortFrom(addr, 0), SourceText: s}, nil
	}
	if at, err := netip.ParseAddrPort(s); err == nil {
		return acl.ProxyHeader{Version: 1, Source: at, SourceText: acl.AddrText(at.Addr())}, nil
	}
	if !strings.HasSuffix(s, "\r\n") && strings.HasPrefix(s, "PROXY ") {
		s += "\r\n"
	}
	h, n, err := acl.ParseProxyHeader([]byte(s), nil)
	if err == nil && n < len(s) {
		err = errors.New("there is more than a PROXY header")
	}
	if err != nil {
		return h, fmt.Errorf("nginxacl: %w", err)
	}
	return h, nil
}
