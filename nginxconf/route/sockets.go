package route

import (
	"cmp"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"github.com/onehost-go/onehost/nginxconf"
)

// A Socket is what servers listen on.
type Socket struct {
	// Listen is the address and port; the unspecified address is any of its
	// family. Unix is the path of a unix domain socket instead.
	Listen netip.AddrPort
	Unix   string
	// TLS tells that connections are encrypted, ProxyProtocol that they start
	// with a PROXY header.
	TLS, ProxyProtocol bool
	// UDP tells of a socket for datagrams, in the stream block.
	UDP bool

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
	tls := s.ssl || s.standard.set != nil && s.standard.set.sslOn // servers of stream have no settings
	return Socket{Listen: s.key.AddrPort(), Unix: s.key.Unix, TLS: tls, ProxyProtocol: s.proxied, s: s}
}

// Sockets ranges over the sockets that servers of the http block listen on: by
// port, then by address, then unix domain sockets by path. Those that listen
// directives name by a host are left out: see Unresolved.
func (r *Router) Sockets() iter.Seq[Socket] {
	return func(yield func(Socket) bool) { r.listeners.sockets(false, yield) }
}

// StreamSockets is Sockets for servers of the stream block: those of TCP, then
// those of UDP.
func (r *Router) StreamSockets() iter.Seq[Socket] {
	return func(yield func(Socket) bool) {
		_ = r.tcp.sockets(false, yield) && r.udp.sockets(true, yield)
	}
}

func (on *listeners) sockets(udp bool, yield func(Socket) bool) bool {
	more := func(s *socket) bool {
		if s == nil {
			return true
		}
		public := s.public()
		public.UDP = udp
		return yield(public)
	}
	for _, n := range slices.Sorted(maps.Keys(on.ports)) {
		p := on.ports[n]
		if !more(p.any4) || !more(p.any6) {
			return false
		}
		for _, a := range slices.SortedFunc(maps.Keys(p.byAddr), netip.Addr.Compare) {
			if !more(p.byAddr[a]) {
				return false
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(on.unix)) {
		if !more(on.unix[path]) {
			return false
		}
	}
	return true
}

// Unresolved ranges over the listen directives, of http and of stream, with a
// host that nginx resolves when it starts. Match is unsure of requests to their
// ports.
func (r *Router) Unresolved() iter.Seq[*nginxconf.Directive] {
	return func(yield func(*nginxconf.Directive) bool) {
		var all []*nginxconf.Directive
		for _, on := range []*listeners{&r.listeners, &r.tcp, &r.udp} {
			for _, n := range slices.Sorted(maps.Keys(on.ports)) {
				all = append(all, on.ports[n].unresolved...)
			}
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

// StreamSocket is Socket for a connection to the stream block, or a datagram.
func (r *Router) StreamSocket(q StreamRequest) (Socket, bool) {
	on := &r.tcp
	if q.UDP {
		on = &r.udp
	}
	s, unsure, err := on.find(q.Listen, q.Unix)
	if err != nil || unsure != "" {
		return Socket{}, false
	}
	public := s.public()
	public.UDP = q.UDP
	return public, true
}
