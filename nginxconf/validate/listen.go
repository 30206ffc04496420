package validate

import (
	"net/netip"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// sockets are those that servers listen on.
type sockets struct {
	list []*socket
	byID map[socketID]*socket
	seen map[listenKey]*listening

	recent [8]*listening // of seen, by the length of the first argument
}

// A socketID tells sockets apart: those of QUIC are others.
type socketID struct {
	value.Socket
	quic bool
}

// A socket is an address and port with the servers that listen on it.
type socket struct {
	value.Socket
	servers       []*server
	options       bool // a listen directive has set some
	bind          bool
	ssl, quic     bool    // speaks TLS, by TCP or by QUIC
	defaultServer *server // that said so
}

// A listening is a listen directive that was read: many servers have the same.
type listening struct {
	value.Listen
	key     listenKey
	sockets []*socket
}

// A listenKey is the arguments of a listen directive, if they are few.
type listenKey [3]string

// readListen reads listen of http (nginx: ngx_http_core_listen).
func readListen(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	b.server.listens = true
	set := &c.http.sockets
	var key listenKey
	if d.NumArgs() <= len(key) {
		for i := range d.NumArgs() {
			key[i] = d.Arg(i)
		}
		last := &set.recent[len(key[0])%len(set.recent)]
		if *last == nil || (*last).key != key {
			*last = set.seen[key]
		}
		if l := *last; l != nil {
			c.listenOn(b.server, d, l)
			return
		}
	}
	args := d.Args()
	for i, a := range args { // what the version does not know ends it
		if i > 0 && (a == "quic" && !c.since(1, 25, 0) || a == "multipath" && !c.since(1, 29, 0)) {
			if _, err := value.ParseListen(args[:i]...); err == nil {
				c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, a)
				return
			}
		}
	}
	parsed, err := value.ParseListen(args[0])
	if err == nil {
		if e := c.resolve(parsed.Socket); e != nil {
			c.fail(d, 1, "host-not-found", `%s in "%s" of the "listen" directive`, e, args[0])
			return
		}
		parsed, err = value.ParseListen(args...)
	}
	if err != nil {
		c.fail(d, c.guiltyListen(args), "invalid-listen", "%s", err)
		return
	}
	parsed.Socket = loopback(parsed.Socket)
	l := &listening{Listen: parsed, key: key}
	for s := range parsed.Sockets() {
		l.sockets = append(l.sockets, set.add(socketID{s, parsed.QUIC}))
	}
	if d.NumArgs() <= len(key) {
		if set.seen == nil {
			set.seen = map[listenKey]*listening{}
		}
		set.seen[key] = l
	}
	c.listenOn(b.server, d, l)
}

// guiltyListen returns the word that makes the arguments of listen wrong.
func (c *checker) guiltyListen(args []string) int {
	for i := 1; i < len(args); i++ {
		if _, err := value.ParseListen(args[:i]...); err != nil {
			return i
		}
	}
	return len(args)
}

func (set *sockets) add(s socketID) *socket {
	known := set.byID[s]
	if known == nil {
		known = &socket{Socket: s.Socket, quic: s.quic}
		if set.byID == nil {
			set.byID = map[socketID]*socket{}
		}
		set.byID[s] = known
		set.list = append(set.list, known)
	}
	return known
}

// listenOn adds a server to the sockets of a listen directive (nginx:
// ngx_http_add_listen). d is nil for a server without one.
func (c *checker) listenOn(s *server, d *nginxconf.Directive, l *listening) {
	if d != nil && l.HTTP2 && c.since(1, 25, 1) {
		f := c.warn(d, d.NumArgs(), "deprecated", `the "listen ... http2" directive is deprecated, use the "http2" directive instead`)
		deprecatedHTTP2(f, d)
	}
	for _, at := range l.sockets {
		if n := len(at.servers); n > 0 && at.servers[n-1] == s {
			if d != nil {
				c.fail(d, 1, "duplicate-listen", "a duplicate listen %s", at.Socket)
			}
			return
		}
		first := len(at.servers) == 0
		at.servers = slab.Append(at.servers, s)
		at.ssl = at.ssl || l.SSL
		if l.Options {
			if at.options && !first && d != nil {
				c.fail(d, 1, "duplicate-listen-options", "duplicate listen options for %s", at.Socket)
				return
			}
			at.options, at.bind = true, true
		}
		if l.DefaultServer {
			if at.defaultServer != nil && d != nil {
				c.fail(d, 1, "duplicate-default-server", "a duplicate default server for %s", at.Socket)
				return
			}
			at.defaultServer = s
		}
	}
}

// listenByDefault is for a server without a listen directive: *:80, if nginx is
// run by root.
func (c *checker) listenByDefault(s *server) {
	any80 := value.Socket{Addr: netip.IPv4Unspecified(), Port: 80}
	c.listenOn(s, nil, &listening{sockets: []*socket{c.http.sockets.add(socketID{any80, false})}})
}

// count returns how many sockets nginx opens: one for all addresses of a port,
// if the wildcard is among them, and one for each that sets options.
func (set *sockets) count() (n int64) {
	for _, s := range set.list {
		any := netip.IPv4Unspecified()
		if s.Addr.Is6() {
			any = netip.IPv6Unspecified()
		}
		if s.bind || s.Wildcard() || s.Unix != "" || set.byID[socketID{value.Socket{Addr: any, Port: s.Port}, s.quic}] == nil {
			n++
		}
	}
	return n
}
