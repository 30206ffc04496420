package route

import (
	"cmp"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/onehost-go/onehost/nginxconf"
)

// A Socket is what servers listen on for requests of HTTP.
type Socket struct {
	// Listen is the address and port; the unspecified address is any of its
	// family. Unix is the path of a unix domain socket instead.
	Listen netip.AddrPort
	Unix   string
	// TLS tells that connections are encrypted, ProxyProtocol that they start
	// with a PROXY header.
	TLS, ProxyProtocol bool

	s *socket
}

// String returns the socket as nginx names it in messages.
func (s Socket) String() string { return s.s.name }

// Sees returns an address as nginx sees it on this socket: on an IPv6 socket,
// one of IPv4 is ::ffff:a.b.c.d. An IPv6 zone is left out.
func (s Socket) Sees(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return a
	}
	return s.s.sees(a)
}

// Servers ranges over the servers that listen there, in the order of the files.
func (s Socket) Servers() iter.Seq[*nginxconf.Directive] {
	return func(yield func(*nginxconf.Directive) bool) {
		for _, srv := range s.s.servers {
			if !yield(srv.d) {
				return
			}
		}
	}
}

// Default returns the server for hosts that are nobody's name.
func (s Socket) Default() *nginxconf.Directive { return s.s.standard.d }

func (s *socket) public() Socket {
	return Socket{Listen: s.key.AddrPort(), Unix: s.key.Unix, TLS: s.tls(), ProxyProtocol: s.proxied, s: s}
}

// Sockets ranges over the sockets that servers listen on: by port, then by
// address, then unix domain sockets by path. Those that listen directives name
// by a host are left out: see Unresolved.
func (r *Router) Sockets() iter.Seq[Socket] {
	return func(yield func(Socket) bool) {
		for _, n := range slices.Sorted(maps.Keys(r.ports)) {
			p := r.ports[n]
			all := []*socket{p.any4, p.any6}
			for _, a := range slices.SortedFunc(maps.Keys(p.byAddr), netip.Addr.Compare) {
				all = append(all, p.byAddr[a])
			}
			for _, s := range all {
				if s != nil && !yield(s.public()) {
					return
				}
			}
		}
		for _, path := range slices.Sorted(maps.Keys(r.unix)) {
			if !yield(r.unix[path].public()) {
				return
			}
		}
	}
}

// Unresolved ranges over the listen directives with a host that nginx resolves
// when it starts. Match is unsure of requests to their ports.
func (r *Router) Unresolved() iter.Seq[*nginxconf.Directive] {
	return func(yield func(*nginxconf.Directive) bool) {
		var all []*nginxconf.Directive
		for _, n := range slices.Sorted(maps.Keys(r.ports)) {
			all = append(all, r.ports[n].unresolved...)
		}
		slices.SortStableFunc(all, func(a, b *nginxconf.Directive) int {
			x, y := a.Pos(), b.Pos()
			return cmp.Or(cmp.Compare(x.Filename, y.Filename), cmp.Compare(x.Offset, y.Offset))
		})
		for _, d := range slices.Compact(all) { // a range of ports brings one several times
			if !yield(d) {
				return
			}
		}
	}
}

// Socket returns the socket that a request arrives at. It reports false if
// there is none, or if that is not certain: Match says why.
func (r *Router) Socket(q Request) (Socket, bool) {
	s, unsure, err := r.socketOf(&q)
	if err != nil || unsure != "" {
		return Socket{}, false
	}
	return s.public(), true
}
