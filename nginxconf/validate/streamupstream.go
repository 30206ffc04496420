package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// streamUpstreams are the upstream blocks of stream, and the addresses that a
// proxy_pass names without one.
type streamUpstreams struct {
	list   []*streamUpstream
	byName map[string]*streamUpstream // in lower case; those of one name are a chain

	current *streamUpstream // the block that is being read
}

// A streamUpstream is a group of servers (nginx: ngx_stream_upstream_srv_conf_t).
type streamUpstream struct {
	name     string
	port     uint16
	next     *streamUpstream // of the same name
	d        *nginxconf.Directive
	address  value.Socket // of one that no block defines
	created  bool         // by a block
	servers  int
	primary  int // servers that are no backup
	resolve  bool
	zone     bool
	method   bool // one was chosen
	backup   bool // whether the method knows "backup"
	resolver bool
}

// use adds what a proxy_pass names (nginx: ngx_stream_upstream_add).
func (us *streamUpstreams) use(c *checker, d *nginxconf.Directive, to value.Socket) {
	name := to.Host
	switch {
	case to.Unix != "":
		name = to.Unix
	case to.Addr.IsValid():
		name = hostText(d.Arg(0))
	}
	noPort := to.Port == 0 && to.Unix == ""
	key := strings.ToLower(name)
	for u := us.byName[key]; u != nil; u = u.next {
		switch {
		case u.created && !noPort:
			c.fail(d, 1, "upstream-port", `upstream "%s" may not have port %d`, name, to.Port)
			return
		case u.port == to.Port:
			return
		}
	}
	us.add(key, &streamUpstream{name: name, port: to.Port, d: d, address: to})
}

// hostText returns the host of "host:port", as it is written.
func hostText(s string) string {
	if strings.HasPrefix(s, "[") {
		return s[:strings.IndexByte(s, ']')+1]
	}
	host, _, _ := strings.Cut(s, ":")
	return host
}

func (us *streamUpstreams) add(key string, u *streamUpstream) {
	if us.byName == nil {
		us.byName = map[string]*streamUpstream{}
	}
	at := us.byName[key]
	if at == nil {
		us.byName[key] = u
	} else {
		for at.next != nil {
			at = at.next
		}
		at.next = u
	}
	us.list = append(us.list, u)
}

// create adds the one that the block d defines. It returns nil if that cannot
// be, and reports it.
func (us *streamUpstreams) create(c *checker, d *nginxconf.Directive) *streamUpstream {
	name := d.Arg(0)
	key := strings.ToLower(name)
	if u := us.byName[key]; u != nil {
		switch {
		case u.created:
			c.fail(d, 1, "duplicate-upstream", `duplicate upstream "%s"`, name)
			return nil
		case u.port != 0 || u.address.Unix != "":
			c.fail(u.d, 1, "upstream-port", `upstream "%s" may not have port %d`, name, u.port)
			return nil
		}
		u.created = true
		return u
	}
	u := &streamUpstream{name: name, d: d, created: true}
	us.add(key, u)
	return u
}

// block returns the upstream block that is being read; that of a fragment is
// made up.
func (us *streamUpstreams) block() *streamUpstream {
	if us.current == nil {
		us.current = &streamUpstream{created: true, backup: true}
	}
	return us.current
}

// streamUpstreamReader knows the modules that stand in upstream blocks of
// stream.
func streamUpstreamReader(f *directive.Form) reader {
	switch f.Name {
	case "upstream":
		return readStreamUpstream
	case "server":
		return readStreamUpstreamServer
	case "resolver":
		return readStreamUpstreamResolver
	case "hash":
		return readStreamHash
	case "least_conn":
		return readStreamLeastConn
	case "least_time":
		return readStreamLeastTime
	case "random":
		return readStreamRandom
	case "zone":
		return readStreamUpstreamZone
	}
	return nil
}

// readStreamUpstream reads an upstream block of stream (nginx:
// ngx_stream_upstream).
func readStreamUpstream(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	us := &c.stream.upstreams
	u := us.create(c, d)
	if u == nil {
		u = &streamUpstream{d: d, created: true} // to read it nevertheless
	}
	u.backup = true
	up := us.current
	us.current = u
	c.inside(b, d, directive.StreamUpstream)
	us.current = up
	if u.servers == 0 {
		c.failAtEnd(d, "empty-upstream", "no servers are inside upstream")
	}
}

func readStreamUpstreamServer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	u := c.stream.upstreams.block()
	u.servers++
	backup, resolve, service := false, false, false
	for i := 1; i < d.NumArgs(); i++ {
		v := d.Arg(i)
		name, text, equals := strings.Cut(v, "=")
		ok := false
		switch {
		case cstring(v) == "backup":
			if !u.backup {
				c.fail(d, i+1, "unsupported-parameter", `balancing method does not support parameter "%s"`, v)
				return
			}
			backup, ok = true, true
		case cstring(v) == "down":
			ok = true
		case cstring(v) == "resolve":
			ok = c.since(1, 27, 3)
			resolve = true
		case !equals:
		case name == "weight":
			n, err := value.ParseNumber(text)
			ok = err == nil && n > 0
		case name == "max_conns", name == "max_fails":
			_, err := value.ParseNumber(text)
			ok = err == nil
		case name == "fail_timeout":
			_, err := value.ParseSeconds(text)
			ok = err == nil
		case name == "service" && c.since(1, 27, 3):
			if text == "" {
				c.fail(d, i+1, "invalid-parameter", "service is empty")
				return
			}
			service, ok = true, true
		}
		if !ok {
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, v)
			return
		}
	}
	if !backup {
		u.primary++
	}
	url := d.Arg(0)
	if service && !resolve {
		c.fail(d, 1, "missing-parameter", `service upstream "%s" requires "resolve" parameter`, url)
		return
	}
	to, err := value.ParseAddress(url, 0)
	if err == nil && !resolve {
		err = c.resolve(to)
	}
	noPort := to.Port == 0 && to.Unix == ""
	switch {
	case err != nil:
		c.fail(d, 1, "invalid-upstream", `%s in upstream "%s"`, err, url)
	case noPort && !service:
		c.fail(d, 1, "missing-port", `no port in upstream "%s"`, url)
	case service && !noPort:
		c.fail(d, 1, "upstream-port", `service upstream "%s" may not have port`, url)
	case service && to.Host == "":
		c.fail(d, 1, "invalid-upstream", `service upstream "%s" requires domain name`, url)
	}
	u.resolve = u.resolve || resolve && to.Host != ""
}

func readStreamUpstreamResolver(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) {
		c.stream.upstreams.block().resolver = true
		c.resolver(d)
	}
}

// balance notes that a method was chosen.
func (u *streamUpstream) balance(c *checker, d *nginxconf.Directive, backup bool) {
	if u.method {
		c.warn(d, 0, "method-redefined", "load balancing method redefined")
	}
	u.method, u.backup = true, backup
}

func readStreamHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if _, ok := c.stream.variables.script(d, 1, d.Arg(0)); !ok {
		return
	}
	c.stream.upstreams.block().balance(c, d, false)
	if d.NumArgs() > 1 && cstring(d.Arg(1)) != "consistent" {
		c.fail(d, 2, "invalid-parameter", `invalid parameter "%s"`, d.Arg(1))
	}
}

func readStreamLeastConn(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.stream.upstreams.block().balance(c, d, true)
}

func readStreamLeastTime(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.stream.upstreams.block().balance(c, d, true)
	if d.NumArgs() > 1 && cstring(d.Arg(1)) != "inflight" {
		c.fail(d, 2, "invalid-parameter", `invalid parameter "%s"`, d.Arg(1))
		return
	}
	if !c.duplicate(b, d, f) {
		c.enum(d, 0, leastTimes[:])
	}
}

var leastTimes = [...]string{"connect", "first_byte", "last_byte"}

func readStreamRandom(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.stream.upstreams.block().balance(c, d, false)
	for i, want := range [...]string{"two", "least_conn"} {
		if i < d.NumArgs() && cstring(d.Arg(i)) != want {
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, d.Arg(i))
			return
		}
	}
}

// readStreamUpstreamZone reads zone (nginx: ngx_stream_upstream_zone).
func readStreamUpstreamZone(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.upstreamZone(d, f.Module) != nil {
		c.stream.upstreams.block().zone = true
	}
}

// finishStreamUpstreams looks at all upstreams once they are known (nginx:
// ngx_stream_upstream_init_main_conf).
func (c *checker) finishStreamUpstreams(s *streamMain) {
	for _, u := range s.upstreams.list {
		switch {
		case u.created && u.servers == 0: // reported
		case u.created:
			c.finishStreamUpstream(s, u)
		case u.port == 0 && u.address.Unix == "":
			c.fail(u.d, 1, "missing-port", `no port in upstream "%s"`, u.name)
		case u.address.Host != "":
			if err := c.resolve(u.address); err != nil {
				c.fail(u.d, 1, "host-not-found", `%s in upstream "%s"`, err, u.name)
			}
		}
	}
}

func (c *checker) finishStreamUpstream(s *streamMain, u *streamUpstream) {
	switch {
	case u.resolve && !u.zone:
		c.fail(u.d, 0, "missing-zone", `resolving names at run time requires upstream "%s" to be in shared memory`, u.name)
	case u.resolve && !u.resolver && s.block.kept("resolver") == nil:
		c.fail(u.d, 0, "missing-resolver", `no resolver defined to resolve names at run time in upstream "%s"`, u.name)
	case u.primary == 0:
		c.fail(u.d, 0, "empty-upstream", `no servers in upstream "%s"`, u.name)
	}
}
