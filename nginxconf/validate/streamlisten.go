package validate

import (
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// streamSockets are those that the servers of stream, or of mail, listen on.
type streamSockets struct {
	list []*streamSocket
	byID map[streamSocketID]*streamSocket
}

type streamSocketID struct {
	value.Socket
	udp bool
}

// A streamSocket is an address and port with the servers that listen on it.
type streamSocket struct {
	streamSocketID
	servers       []*streamServer
	bind, options bool
	defaultServer *streamServer // nginx: by its order, or because it says so
	isDefault     bool          // it says so
	ssl           bool
}

// add adds a socket, or finds it.
func (set *streamSockets) add(id streamSocketID) (s *streamSocket, old bool) {
	if s := set.byID[id]; s != nil {
		return s, true
	}
	s = &streamSocket{streamSocketID: id}
	if set.byID == nil {
		set.byID = map[streamSocketID]*streamSocket{}
	}
	set.byID[id] = s
	set.list = append(set.list, s)
	return s, false
}

// count returns how many sockets nginx opens: one for all addresses of a port,
// if the wildcard is among them, and one for each that is bound by itself.
func (set *streamSockets) count() (n int64) {
	for _, s := range set.list {
		any := streamSocketID{value.Socket{Addr: netip.IPv4Unspecified(), Port: s.Port}, s.udp}
		if s.Addr.Is6() {
			any.Addr = netip.IPv6Unspecified()
		}
		if s.bind || s.Wildcard() || s.Unix != "" || set.byID[any] == nil {
			n++
		}
	}
	return n
}

// listenOptions are the parameters of a listen directive of stream or mail.
type listenOptions struct {
	udp, bind, ssl, proxyProtocol, defaultServer bool
	fastopen, backlog, deferred, multipath       bool
	keepalive                                    bool
	keepaliveTimes                               value.Keepalive
}

// readStreamListen reads listen of stream (nginx: ngx_stream_core_listen).
func readStreamListen(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	srv := c.stream.server()
	srv.listens = true
	first, last, ok := c.listenAddress(d)
	if !ok {
		return
	}
	var o listenOptions
	for i := 1; i < d.NumArgs(); i++ {
		v := d.Arg(i)
		known, ok := c.listenOption(d, i, &o)
		switch {
		case !ok:
			return
		case known:
		case cstring(v) == "udp":
			o.udp = true
		case cstring(v) == "proxy_protocol":
			o.proxyProtocol = true
		case strings.HasPrefix(v, "fastopen=") && c.since(1, 21, 0):
			if _, err := value.Int(value.ParseNumber(v[len("fastopen="):])); err != nil {
				c.fail(d, i+1, "invalid-parameter", `invalid fastopen "%s"`, v)
				return
			}
			o.fastopen, o.bind = true, true
		case cstring(v) == "reuseport":
			o.bind = true
		case cstring(v) == "default_server" && c.streamVirtual():
			o.defaultServer = true
		case strings.HasPrefix(v, "accept_filter=") && c.streamVirtual(): // of FreeBSD
			c.warn(d, i+1, "ignored-parameter", `accept filters "%s" are not supported on this platform, ignored`, v)
		case cstring(v) == "deferred" && c.streamVirtual():
			o.deferred, o.bind = true, true
		default:
			c.invalidListenParameter(d, i)
			return
		}
		if cstring(v) == "ssl" {
			srv.secure = d
		}
	}
	if text := c.notWithUDP(&o); o.udp && text != "" {
		c.refuse(d, `"`+text+`" parameter is incompatible with "udp"`)
		return
	}
	for p := int(first.Port); p <= int(last); p++ {
		id := streamSocketID{first, o.udp}
		id.Port = uint16(p)
		s, old := c.stream.listens.add(id)
		switch {
		case c.streamVirtual():
			if !c.listenOnStream(s, srv, d, &o) {
				return
			}
		case old && id.Host == "": // two names may have two addresses
			c.fail(d, 1, "duplicate-listen", `duplicate "%s" address and port pair`, socketName(id.Socket, d))
			return
		}
		s.bind = s.bind || o.bind
	}
}

// socketName returns a socket as nginx names it; d is the directive.
func socketName(s value.Socket, d *nginxconf.Directive) string {
	if s.Unix != "" {
		return d.Arg(0)
	}
	return s.String()
}

// notWithUDP returns the parameter that nginx says cannot stand beside udp.
func (c *checker) notWithUDP(o *listenOptions) string {
	if !c.streamVirtual() {
		switch {
		case o.backlog:
			return "backlog"
		case o.ssl:
			return "ssl"
		case o.keepalive:
			return "so_keepalive"
		case o.proxyProtocol:
			return "proxy_protocol"
		case o.fastopen:
			return "fastopen"
		}
		return ""
	}
	switch {
	case o.fastopen:
		return "fastopen"
	case o.backlog:
		return "backlog"
	case o.deferred:
		return "deferred"
	case o.multipath:
		return "multipath"
	case o.ssl:
		return "ssl"
	case o.keepalive:
		return "so_keepalive"
	case o.proxyProtocol:
		return "proxy_protocol"
	}
	return ""
}

// listenAddress reads the first argument of listen of stream or mail.
func (c *checker) listenAddress(d *nginxconf.Directive) (first value.Socket, last uint16, ok bool) {
	first, last, err := value.ParseListenAddress(d.Arg(0), 0)
	if err == nil {
		err = c.resolve(first)
	}
	if err != nil {
		c.fail(d, 1, "invalid-listen", `%s in "%s" of the "listen" directive`, err, d.Arg(0))
		return first, last, false
	}
	return loopback(first), last, true
}

// loopback gives localhost the address that it has on every host (RFC 6761),
// so that it is compared with others. Other names may have any.
func loopback(s value.Socket) value.Socket {
	if strings.EqualFold(s.Host, "localhost") {
		s.Host, s.Addr = "", netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return s
}

// listenOption reads a parameter of listen that stream and mail have both. known
// is false if it is none of these; ok is false if it is wrong, which is reported.
func (c *checker) listenOption(d *nginxconf.Directive, i int, o *listenOptions) (known, ok bool) {
	v := d.Arg(i)
	name, text, equals := strings.Cut(v, "=")
	good := true
	switch {
	case cstring(v) == "bind":
		o.bind = true
		return true, true
	case cstring(v) == "ssl":
		o.ssl = true
		return true, true
	case cstring(v) == "multipath" && c.since(1, 29, 7):
		o.multipath, o.bind = true, true
		return true, true
	case !equals:
		return false, true
	case name == "backlog":
		n, err := value.Int(value.ParseNumber(text))
		good = err == nil && n != 0
		o.backlog = true
	case name == "rcvbuf", name == "sndbuf":
		_, err := value.Int(value.ParseSize(text))
		good = err == nil
	case name == "ipv6only" && strings.HasPrefix(text, "o"):
		if s := cstring(text); s != "on" && s != "off" {
			c.fail(d, i+1, "invalid-parameter", `invalid ipv6only flags "%s"`, s)
			return true, false
		}
	case name == "so_keepalive":
		if !o.keepaliveTimes.Set(text) {
			c.fail(d, i+1, "invalid-parameter", `invalid so_keepalive value: "%s"`, cstring(text))
			return true, false
		}
		o.keepalive = true
	default:
		return false, true
	}
	if !good {
		c.fail(d, i+1, "invalid-parameter", `invalid %s "%s"`, name, v)
		return true, false
	}
	o.bind = true
	return true, true
}

func (c *checker) invalidListenParameter(d *nginxconf.Directive, i int) {
	if c.since(1, 25, 5) {
		c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, d.Arg(i))
		return
	}
	c.fail(d, i+1, "invalid-parameter", `the invalid "%s" parameter`, d.Arg(i))
}

// listenOnStream adds a server to a socket (nginx 1.25.5:
// ngx_stream_add_listen).
func (c *checker) listenOnStream(s *streamSocket, srv *streamServer, d *nginxconf.Directive, o *listenOptions) bool {
	name := socketName(s.Socket, d)
	if n := len(s.servers); n > 0 && s.servers[n-1] == srv {
		if s.Host == "" {
			c.fail(d, 1, "duplicate-listen", "a duplicate listen %s", name)
		}
		return s.Host != ""
	}
	s.servers = append(s.servers, srv)
	s.ssl = s.ssl || o.ssl
	if o.bind {
		if s.options && s.Host == "" {
			c.fail(d, 1, "duplicate-listen-options", "duplicate listen options for %s", name)
			return false
		}
		s.options = true
	}
	switch {
	case o.defaultServer && s.isDefault:
		c.fail(d, 1, "duplicate-default-server", "a duplicate default server for %s", name)
		return false
	case o.defaultServer:
		s.isDefault = true
		s.defaultServer = srv
	case s.defaultServer == nil:
		s.defaultServer = srv
	}
	return true
}
