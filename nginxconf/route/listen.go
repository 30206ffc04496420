package route

import (
	"fmt"
	"net/netip"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// listeners are the sockets that servers of one kind listen on.
type listeners struct {
	ports map[uint16]*port
	unix  map[string]*socket
}

func newListeners() listeners {
	return listeners{map[uint16]*port{}, map[string]*socket{}}
}

// A port is the sockets with one port number.
type port struct {
	byAddr     map[netip.Addr]*socket // but those with any address
	any4, any6 *socket
	// listen directives with a name: nobody knows which address that is.
	unresolved []*nginxconf.Directive
}

// A socket is an address and port, or a unix domain socket, with the servers
// that listen on it, in the order of the files.
type socket struct {
	servers  []*server
	standard *server // the default server: flagged, or the first

	key      value.Socket
	name     string
	flagged  bool // one of its listen directives says default_server
	options  bool // one of them sets options of the socket
	ssl      bool
	proxied  bool // connections start with a PROXY header
	ipv6     bool
	ipv6only bool
	names    *names // nil: one server, no choice
}

// find returns the socket that a connection arrives at, or nil. A server that
// listens on a specific address hides those that listen on any.
func (p *port) find(addr netip.Addr) *socket {
	addr = addr.Unmap().WithZone("")
	if s := p.byAddr[addr]; s != nil {
		return s
	}
	if !addr.Is4() {
		return p.any6
	}
	if p.any4 != nil {
		return p.any4
	}
	// An IPv6 socket without ipv6only takes what no IPv4 socket does.
	dual := p.any6 != nil && !p.any6.ipv6only
	mapped := p.byAddr[netip.AddrFrom16(addr.As16())]
	switch {
	case mapped != nil && (dual || !mapped.ipv6only):
		return mapped
	case dual:
		return p.any6
	}
	return nil
}

// listen adds a server to the sockets of a listen directive (nginx 1.22:
// ngx_http_add_listen).
func (b *builder) listen(srv *server, d *nginxconf.Directive, l value.Listen) {
	if l.QUIC {
		return // these take UDP, and no request of HTTP/1 or HTTP/2
	}
	if l.Host != "" {
		for s := range l.Sockets() {
			p := b.port(s.Port)
			p.unresolved = append(p.unresolved, d)
		}
		return
	}
	b.listenOn(srv, d, &listenMemo{Listen: l})
}

// A listenMemo is the arguments of a listen directive: many servers have the
// same.
type listenMemo struct {
	value.Listen
	sockets []*socket
}

// listenHTTP adds a server of http to the sockets of a listen directive.
func (b *builder) listenHTTP(srv *server, d *nginxconf.Directive) {
	var buffer [64]byte
	key := buffer[:0]
	for i := range d.NumArgs() {
		key = append(append(key, d.Arg(i)...), 0)
	}
	if m := b.listens[string(key)]; m != nil {
		b.listenOn(srv, d, m)
		return
	}
	l, err := value.ParseListen(d.Args()...)
	if err != nil {
		b.refuse(d, "invalid-listen", "%v", err)
		return
	}
	if l.QUIC || l.Host != "" {
		b.listen(srv, d, l)
		return
	}
	m := &listenMemo{Listen: l}
	b.listens[string(key)] = m
	b.listenOn(srv, d, m)
}

func (b *builder) listenOn(srv *server, d *nginxconf.Directive, l *listenMemo) {
	if l.sockets == nil {
		for key := range l.Sockets() {
			s := b.socket(key)
			if s.standard == nil {
				s.key, s.name = key, key.String()
				s.standard = srv
				s.ipv6 = key.Addr.Is6()
				s.ipv6only = l.IPv6Only
			}
			l.sockets = append(l.sockets, s)
		}
	}
	for _, s := range l.sockets {
		if n := len(s.servers); n > 0 && s.servers[n-1] == srv {
			b.refuse(d, "duplicate-listen", "a duplicate listen %s", s.name)
			return
		}
		s.servers = slab.Append(s.servers, srv)
		s.ssl = s.ssl || l.SSL
		s.proxied = s.proxied || l.ProxyProtocol
		if l.Options {
			if s.options {
				b.refuse(d, "duplicate-listen", "duplicate listen options for %s", s.name)
			}
			s.options = true
			s.ipv6only = l.IPv6Only
		}
		if l.DefaultServer {
			if s.flagged {
				b.refuse(d, "duplicate-default-server", "a duplicate default server for %s", s.name)
			}
			s.flagged = true
			s.standard = srv
		}
	}
}

func (b *builder) port(n uint16) *port {
	p := b.into.ports[n]
	if p == nil {
		p = &port{}
		b.into.ports[n] = p
	}
	return p
}

// socket returns the socket of that key, a new one if there is none yet.
func (b *builder) socket(key value.Socket) *socket {
	if key.Unix != "" {
		s := b.into.unix[key.Unix]
		if s == nil {
			s = b.newSocket()
			b.into.unix[key.Unix] = s
		}
		return s
	}
	p := b.port(key.Port)
	var at **socket
	switch key.Addr {
	case netip.IPv4Unspecified():
		at = &p.any4
	case netip.IPv6Unspecified():
		at = &p.any6
	default:
		if p.byAddr == nil {
			p.byAddr = map[netip.Addr]*socket{}
		}
		s := p.byAddr[key.Addr]
		if s == nil {
			s = b.newSocket()
			p.byAddr[key.Addr] = s
		}
		return s
	}
	if *at == nil {
		*at = b.newSocket()
	}
	return *at
}

func (b *builder) newSocket() *socket {
	s := &socket{}
	b.sockets = append(b.sockets, s)
	return s
}

// socketOf returns the socket that a request arrives at. If that depends on
// what a name resolves to, unsure says so.
func (r *Router) socketOf(q *Request) (s *socket, unsure string, err error) {
	return r.find(q.Listen, q.Unix)
}

func (on *listeners) find(listen netip.AddrPort, unix string) (s *socket, unsure string, err error) {
	if unix != "" {
		if s = on.unix[unix]; s == nil {
			return nil, "", fmt.Errorf("%w: unix:%s", ErrNoServer, unix)
		}
		return s, "", nil
	}
	p := on.ports[listen.Port()]
	if p == nil || !listen.IsValid() {
		return nil, "", fmt.Errorf("%w: %v", ErrNoServer, listen)
	}
	if len(p.unresolved) > 0 {
		d := p.unresolved[0]
		return nil, fmt.Sprintf("server: %s at %v: the name is not resolved", d, d.Pos()), nil
	}
	if s = p.find(listen.Addr()); s == nil {
		return nil, "", fmt.Errorf("%w: %v", ErrNoServer, listen)
	}
	return s, "", nil
}
