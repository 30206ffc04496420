package validate

import (
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// An upstream is an upstream block, or what the address in a proxy_pass or the
// like stands for if there is no block of that name (nginx 1.22:
// ngx_http_upstream_srv_conf_t).
type upstream struct {
	host   string
	port   uint16
	noPort bool                 // none was written
	d      *nginxconf.Directive // the first that names it, with word
	word   int
	found  bool // it is an address: there is nothing to look up

	// Of a block only.
	allows   balance
	method   bool // a balancing method was chosen
	servers  int
	primary  int // servers that are no backup
	resolve  bool
	zone     *zone
	resolver bool
}

// balance says what a balancing method can do with its servers (nginx:
// NGX_HTTP_UPSTREAM_WEIGHT and its kin).
type balance uint8

const (
	isBlock balance = 1 << iota
	takesWeight
	takesMaxConns
	takesMaxFails
	takesFailTimeout
	takesDown
	takesBackup

	takesAll = isBlock | takesWeight | takesMaxConns | takesMaxFails | takesFailTimeout | takesDown | takesBackup
)

// upstreams are those of the http or of the stream module.
type upstreams struct {
	list   []*upstream
	byHost map[string]*upstreamsOf
	slab   slab.Slab[upstream]
}

// upstreamsOf are the upstreams of one name. There is more than one if they
// differ in the port.
type upstreamsOf struct {
	list   []*upstream
	byPort map[uint16]*upstream // of a long list
}

// match returns the first one that a port goes with.
func (h *upstreamsOf) match(port uint16) *upstream {
	if port != 0 && h.byPort != nil {
		if u := h.byPort[port]; u != nil {
			return u
		}
		return h.byPort[0]
	}
	for _, u := range h.list {
		if u.port == 0 || port == 0 || u.port == port {
			return u
		}
	}
	return nil
}

func (h *upstreamsOf) add(u *upstream) {
	h.list = append(h.list, u)
	const long = 8
	if len(h.list) == long {
		h.byPort = map[uint16]*upstream{}
		for _, u := range h.list {
			h.remember(u)
		}
	} else if len(h.list) > long {
		h.remember(u)
	}
}

func (h *upstreamsOf) remember(u *upstream) {
	if h.byPort[u.port] == nil {
		h.byPort[u.port] = u
	}
}

// named returns those of a host, whose name is the same in any case.
func (us *upstreams) named(host string) *upstreamsOf {
	host = strings.ToLower(host)
	h := us.byHost[host]
	if h == nil {
		if us.byHost == nil {
			us.byHost = map[string]*upstreamsOf{}
		}
		h = &upstreamsOf{}
		us.byHost[host] = h
	}
	return h
}

func (us *upstreams) make(u upstream) *upstream {
	made := us.slab.New()
	*made = u
	us.list = append(us.list, made)
	return made
}

// block adds the upstream block d, or nil if there cannot be one of that name.
// A server before it may have named it.
func (us *upstreams) block(c *checker, d *nginxconf.Directive) *upstream {
	host := d.Arg(0)
	h := us.named(host)
	for _, u := range h.list {
		if u.allows&isBlock != 0 {
			c.fail(d, 1, "duplicate-upstream", `duplicate upstream "%s"`, host)
			return nil
		}
		if !u.noPort {
			c.fail(u.d, u.word, "upstream-port", `upstream "%s" may not have port %d`, host, u.port)
			return nil
		}
	}
	if len(h.list) > 0 {
		u := h.list[0]
		u.allows, u.port, u.found = takesAll, 0, false
		h.byPort = nil
		return u
	}
	u := us.make(upstream{host: host, noPort: true, d: d, word: 1, allows: takesAll})
	h.add(u)
	return u
}

// refer adds what word i of d passes requests to, if it is not there yet. A
// port is given unless noPort; then port is the one that is meant, or 0.
func (us *upstreams) refer(c *checker, d *nginxconf.Directive, i int, host, unix string, addr netip.Addr, port uint16, noPort bool) bool {
	name := host
	if unix != "" {
		name, port, noPort = unix, 0, false
	}
	h := us.named(name)
	if len(h.list) > 0 {
		if h.list[0].allows&isBlock != 0 && !noPort {
			c.fail(d, i, "upstream-port", `upstream "%s" may not have port %d`, name, port)
			return false
		}
		if h.match(port) != nil {
			return true
		}
	}
	h.add(us.make(upstream{
		host: name, port: port, noPort: noPort, d: d, word: i,
		found: unix != "" || addr.IsValid() && port != 0,
	}))
	return true
}

// finish looks for servers in all upstreams (nginx 1.22:
// ngx_http_upstream_init_round_robin, which every method calls). Its messages
// name the place where an upstream was first named.
func (us *upstreams) finish(c *checker, resolver bool) {
	for _, u := range us.list {
		switch {
		case u.allows&isBlock != 0:
			us.finishBlock(c, u, resolver)
		case u.found:
		case u.port == 0:
			c.fail(u.d, u.word, "missing-port", `no port in upstream "%s"`, u.host)
		default:
			if err := c.resolve(value.Socket{Host: u.host}); err != nil {
				c.fail(u.d, u.word, "host-not-found", `%s in upstream "%s"`, err, u.host)
			}
		}
	}
}

func (us *upstreams) finishBlock(c *checker, u *upstream, resolver bool) {
	switch {
	case u.servers == 0: // that is reported
	case u.resolve && u.zone == nil:
		// nginx puts the place before the last words.
		c.fail(u.d, u.word, "resolve-without-zone", `resolving names at run time requires upstream "%s" to be in shared memory`, u.host)
	case u.resolve && !u.resolver && !resolver:
		c.fail(u.d, u.word, "missing-resolver", `no resolver defined to resolve names at run time in upstream "%s"`, u.host)
	case u.primary == 0:
		c.fail(u.d, u.word, "missing-server", `no servers in upstream "%s"`, u.host)
	}
}

// upstreamReader knows the directives of upstream blocks of http.
func upstreamReader(f *directive.Form) reader {
	switch f.Name {
	case "upstream":
		return readUpstream
	case "server":
		return readUpstreamServer
	case "resolver":
		return readUpstreamResolver
	case "hash":
		return readHash
	case "ip_hash":
		return method(takesAll &^ takesBackup)
	case "least_conn":
		return method(takesAll)
	case "least_time":
		return readLeastTime
	case "random":
		return readRandom
	case "keepalive":
		return readKeepalive
	case "zone":
		return readUpstreamZone
	case "sticky":
		return readSticky
	}
	return nil
}

// readUpstream reads an upstream block (nginx 1.22: ngx_http_upstream).
func readUpstream(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	u := c.http.upstreams.block(c, d)
	if u == nil {
		u = &upstream{host: d.Arg(0), d: d, word: 1, allows: takesAll}
	}
	in := &block{context: directive.HTTPUpstream, up: b, d: d, location: b.location, more: &blockMore{upstream: u}}
	c.within(in)
	if u.servers == 0 {
		c.failAtEnd(d, "missing-server", "no servers are inside upstream")
	}
}

// readUpstreamServer reads a server of an upstream block (nginx 1.22:
// ngx_http_upstream_server; 1.31).
func readUpstreamServer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	u := b.more.upstream
	u.servers++
	s := serverParameters{}
	for i := 1; i < d.NumArgs(); i++ {
		if !c.serverParameter(u, d, i, &s) {
			return
		}
	}
	if !s.backup {
		u.primary++
	}
	addr := d.Arg(0)
	if s.service && !s.resolve {
		c.fail(d, 1, "invalid-parameter", `service upstream "%s" requires "resolve" parameter`, addr)
		return
	}
	server, err := value.ParseUpstreamServer(addr)
	if err != nil {
		c.fail(d, 1, "invalid-address", "%s", err.Error())
		return
	}
	name := server.Unix == "" && !server.Addr.IsValid()
	if name && !s.resolve {
		if err := c.resolve(value.Socket{Host: server.Host}); err != nil {
			c.fail(d, 1, "host-not-found", `%s in upstream "%s"`, err, addr)
			return
		}
	}
	switch {
	case s.service && (server.Unix != "" || hasPort(addr)):
		c.fail(d, 1, "invalid-parameter", `service upstream "%s" may not have port`, addr)
	case s.service && !name:
		c.fail(d, 1, "invalid-parameter", `service upstream "%s" requires domain name`, addr)
	case s.resolve && name:
		u.resolve = true
	}
}

// hasPort tells whether there is a port in an address that is known to be
// right.
func hasPort(s string) bool {
	if i := strings.IndexByte(s, ']'); i >= 0 {
		s = s[i:]
	}
	return strings.IndexByte(s, ':') >= 0
}

// serverParameters are those that what follows depends on.
type serverParameters struct{ backup, resolve, service bool }

// serverParameter reads argument i of a server.
func (c *checker) serverParameter(u *upstream, d *nginxconf.Directive, i int, s *serverParameters) bool {
	a := d.Arg(i)
	name, v, assigned := strings.Cut(a, "=")
	flag := ""
	if !assigned {
		flag = cstring(a)
	}
	need, ok := balance(0), true
	zoned := c.since(1, 27, 3)
	sticky := c.since(1, 29, 6)
	switch {
	case assigned && name == "weight":
		n, err := value.ParseNumber(v)
		need, ok = takesWeight, err == nil && n != 0
	case assigned && name == "max_conns":
		_, err := value.ParseNumber(v)
		need, ok = takesMaxConns, err == nil
	case assigned && name == "max_fails":
		_, err := value.ParseNumber(v)
		need, ok = takesMaxFails, err == nil
	case assigned && name == "fail_timeout":
		_, err := value.ParseSeconds(v)
		need, ok = takesFailTimeout, err == nil
	case flag == "backup":
		need, s.backup = takesBackup, true
	case flag == "down", flag == "drain" && sticky:
		need = takesDown
	case assigned && name == "route" && sticky:
		return c.route(d, i, v)
	case flag == "resolve" && zoned:
		s.resolve = true
	case assigned && name == "service" && zoned:
		if v == "" {
			c.fail(d, i+1, "invalid-parameter", "service is empty")
			return false
		}
		s.service = true
	default:
		ok = false
	}
	switch {
	case u.allows&need != need:
		c.fail(d, i+1, "unsupported-parameter", `balancing method does not support parameter "%s"`, a)
	case !ok:
		c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, a)
	default:
		return true
	}
	return false
}

func (c *checker) route(d *nginxconf.Directive, i int, v string) bool {
	const longest = 32 // NGX_HTTP_UPSTREAM_SID_LEN
	switch {
	case v == "":
		c.fail(d, i+1, "invalid-parameter", "route is empty")
	case len(v) > longest:
		c.fail(d, i+1, "invalid-parameter", "route is longer than %d", longest)
	default:
		return true
	}
	return false
}

// readUpstreamResolver reads the resolver of an upstream block.
func readUpstreamResolver(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	b.more.upstream.resolver = true
	c.resolver(d)
}
