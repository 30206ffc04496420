package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A backend is a module that hands requests on to other servers.
type backend uint8

// The backends, in the order of nginx's modules.
const (
	proxyBackend backend = iota
	fastcgiBackend
	uwsgiBackend
	scgiBackend
	grpcBackend
	tunnelBackend
	memcachedBackend
	backends
)

var backendNames = [...]string{"proxy", "fastcgi", "uwsgi", "scgi", "grpc", "tunnel", "memcached"}

func (k backend) String() string { return backendNames[k] }
func (k backend) module() string { return "ngx_http_" + backendNames[k] + "_module" }

// A backendConf is what a block says of a backend (nginx 1.22:
// ngx_http_proxy_loc_conf_t and its kin). Blocks that say nothing, and hold none
// that says something, have none.
type backendConf struct {
	other   *backendConf // another backend's, of the same block
	last    *backendConf // of the blocks inside, which are a ring
	next    *backendConf // in the ring: behind the last is the first
	headers *headerList  // *_set_header or *_param; once merged, those that are in force
	more    *backendMore // or nil; once merged, what is in force

	kind   backend
	pass   passing
	secure bool // by TLS

	headersDone      bool // they were looked at
	cacheHeadersDone bool
	hiddenDone       bool // so were the headers that clients do not see
}

// backendMore is what few blocks say.
type backendMore struct {
	done     bool // it is complete, and was looked at
	bodyDone bool

	redirect, cookieDomain, cookiePath, cookieFlags given // of the block itself

	store, cache given
	cacheZone    *zone
	hasKey       bool

	buffers, bufferSize, busySize, tempSize, writeSize, hashSize, bucketSize, body *nginxconf.Directive
	hide, show                                                                     *listed

	tls *backendTLS
}

// own returns what few blocks say, to be added to.
func (n *backendConf) own() *backendMore {
	if n.more == nil {
		n.more = &backendMore{}
	}
	return n.more
}

// backendTLS is what a block says of TLS to a backend.
type backendTLS struct {
	certificate, key, ciphers, verify, trusted, crl, protocols *nginxconf.Directive
	commands                                                   *listed
}

// passing says whether a block passes requests on.
type passing uint8

const (
	passesNot passing = iota
	passes
	passesURL // of proxy_pass, without variables
	passesVariable
)

// given is the state of what may be off, or a value.
type given uint8

const (
	unset given = iota
	off
	on
)

// A listed is a directive of a list.
type listed struct {
	d    *nginxconf.Directive
	next *listed

	special bool // a certificate or key whose name is not just that of a file
	loaded  bool // a certificate whose name nginx has made absolute
}

// backendConf returns what the block b says of a backend, and makes it if that
// is nothing yet.
func (c *checker) backendConf(b *block, kind backend) *backendConf {
	if n := b.backend(kind); n != nil {
		return n
	}
	h := c.http
	n := h.backendSlab.New()
	n.kind, n.other = kind, b.backends
	b.backends = n
	if b == h.block {
		h.backends[kind] = n
	} else if b.up != nil {
		up := c.backendConf(b.up, kind)
		if up.last == nil {
			n.next = n
		} else {
			n.next, up.last.next = up.last.next, n
		}
		up.last = n
	}
	return n
}

func (b *block) backend(kind backend) *backendConf {
	for n := b.backends; n != nil; n = n.other {
		if n.kind == kind {
			return n
		}
	}
	return nil
}

// list puts a directive in front of a list.
func (c *checker) list(to **listed, d *nginxconf.Directive) *listed {
	var l *listed
	if c.http != nil {
		l = c.http.listedSlab.New()
	} else { // of stream or mail
		l = &listed{}
	}
	l.d, l.next = d, *to
	*to = l
	return l
}

// backendReader knows the directives of the backends.
func backendReader(f *directive.Form, kind backend) reader {
	_, what, _ := strings.Cut(f.Name, "_")
	switch what {
	case "pass":
		return passReader(kind)
	case "bind":
		return readBind
	case "param":
		return paramReader(kind)
	case "split_path_info":
		return readSplitPathInfo
	case "cache_methods":
		return readCacheMethods
	case "ignore_headers":
		return readIgnoreHeaders
	case "cache_path":
		return readCachePath
	case "cache_valid":
		return readCacheValid
	case "cache":
		return cacheReader(kind)
	case "cache_key":
		return cacheKeyReader(kind)
	case "store":
		return storeReader(kind)
	case "redirect":
		return readProxyRedirect
	case "cookie_domain":
		return cookieReader(func(m *backendMore) *given { return &m.cookieDomain }, (*checker).cookieDomain)
	case "cookie_path":
		return cookieReader(func(m *backendMore) *given { return &m.cookiePath }, (*checker).cookiePath)
	case "cookie_flags":
		return cookieReader(func(m *backendMore) *given { return &m.cookieFlags }, (*checker).cookieFlags)
	case "ssl_password_file":
		return readPasswords
	case "ssl_certificate_cache":
		return readCertificateCache
	case "set_header":
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			c.addHeader(c.backendConf(b, kind), d)
		}
	case "send_lowat":
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) { // it is for FreeBSD
				c.warn(d, 0, "unsupported-directive", `"%s" is not supported, ignored`, d.Name())
			}
		}
	case "modifier1", "modifier2":
		return readModifier
	}
	if of := noted(what); of != nil {
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) {
				*of(c.backendConf(b, kind).own()) = d
			}
		}
	}
	if of := notedList(what); of != nil {
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) {
				c.list(of(c.backendConf(b, kind).own()), d)
			}
		}
	}
	return nil
}

// noted says where a directive is kept that only its type is read of, until
// the blocks are merged.
func noted(what string) func(*backendMore) **nginxconf.Directive {
	switch what {
	case "buffers":
		return func(m *backendMore) **nginxconf.Directive { return &m.buffers }
	case "buffer_size":
		return func(m *backendMore) **nginxconf.Directive { return &m.bufferSize }
	case "busy_buffers_size":
		return func(m *backendMore) **nginxconf.Directive { return &m.busySize }
	case "max_temp_file_size":
		return func(m *backendMore) **nginxconf.Directive { return &m.tempSize }
	case "temp_file_write_size":
		return func(m *backendMore) **nginxconf.Directive { return &m.writeSize }
	case "headers_hash_max_size":
		return func(m *backendMore) **nginxconf.Directive { return &m.hashSize }
	case "headers_hash_bucket_size":
		return func(m *backendMore) **nginxconf.Directive { return &m.bucketSize }
	case "set_body":
		return func(m *backendMore) **nginxconf.Directive { return &m.body }
	case "ssl_certificate":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().certificate }
	case "ssl_certificate_key":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().key }
	case "ssl_ciphers":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().ciphers }
	case "ssl_verify":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().verify }
	case "ssl_trusted_certificate":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().trusted }
	case "ssl_crl":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().crl }
	case "ssl_protocols":
		return func(m *backendMore) **nginxconf.Directive { return &m.forTLS().protocols }
	}
	return nil
}

// notedList is noted for directives that may come again.
func notedList(what string) func(*backendMore) **listed {
	switch what {
	case "hide_header":
		return func(m *backendMore) **listed { return &m.hide }
	case "pass_header":
		return func(m *backendMore) **listed { return &m.show }
	case "ssl_conf_command":
		return func(m *backendMore) **listed { return &m.forTLS().commands }
	}
	return nil
}

func (m *backendMore) forTLS() *backendTLS {
	if m.tls == nil {
		m.tls = &backendTLS{}
	}
	return m.tls
}

// passReader reads proxy_pass and its kin (nginx 1.22: ngx_http_proxy_pass …).
func passReader(kind backend) reader {
	var schemes []string
	switch kind {
	case uwsgiBackend:
		schemes = []string{"uwsgi", "suwsgi"}
	case grpcBackend:
		schemes = []string{"grpc", "grpcs"}
	}
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		n := c.backendConf(b, kind)
		if n.pass != passesNot {
			c.refuse(d, "is duplicate")
			return
		}
		if kind == tunnelBackend && d.NumArgs() == 0 {
			n.pass = passesVariable
			return
		}
		s := d.Arg(0)
		if kind != memcachedBackend && strings.IndexByte(s, '$') >= 0 {
			if _, ok := c.http.variables.script(d, 1, s); ok {
				n.pass, n.secure = passesVariable, true
			}
			return
		}
		if kind == proxyBackend {
			c.proxyPass(b, d, n)
			return
		}
		a, err := value.ParseBackend(s, schemes...)
		if err != nil {
			c.fail(d, 1, "invalid-address", "%s", err.Error())
			return
		}
		n.pass, n.secure = passes, a.Scheme == "suwsgi" || a.Scheme == "grpcs"
		c.http.upstreams.refer(c, d, 1, a.Host, a.Unix, a.Addr, a.Port, a.PortText == "")
		if kind == memcachedBackend {
			c.http.variables.use(d, 0, "memcached_key")
		}
	}
}

func (c *checker) proxyPass(b *block, d *nginxconf.Directive, n *backendConf) {
	url := d.Arg(0)
	p, known := c.http.urls[url] // many sites pass to few backends
	if !known {
		parsed, err := value.ParseProxyURL(url)
		if err != nil {
			c.fail(d, 1, "invalid-address", "%s", err.Error())
			return
		}
		p = proxyURL{secure: parsed.Scheme == "https", uri: parsed.URI != ""}
		if c.http.upstreams.refer(c, d, 1, parsed.Host, parsed.Unix, parsed.Addr, parsed.Port, parsed.PortText == "") {
			if c.http.urls == nil {
				c.http.urls = map[string]proxyURL{}
			}
			c.http.urls[url] = p
		}
	}
	n.pass, n.secure = passesURL, p.secure
	if p.uri && b.unprefixed() {
		c.fail(d, 1, "proxy-pass-uri", `"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block`)
	}
}

// A proxyURL is what matters of a URL of proxy_pass that has no variables and
// whose upstream is known.
type proxyURL struct{ secure, uri bool }

// unprefixed tells whether there is no name that the path of a request begins
// with: so it cannot be replaced.
func (b *block) unprefixed() bool {
	return b.context != directive.HTTPLocation || b.location.block.kind == regexLocation || b.location.block.kind == namedLocation
}

// readBind reads proxy_bind and its kin (nginx 1.22:
// ngx_http_upstream_bind_set_slot).
func readBind(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	s := d.Arg(0)
	if d.NumArgs() == 1 && cstring(s) == "off" {
		return
	}
	n, ok := c.variables(b).script(d, 1, s)
	if !ok {
		return
	}
	if n == 0 {
		if _, ok := value.ParseAddrPort(s); !ok || strings.HasSuffix(s, "]") && !c.since(1, 27, 3) {
			c.fail(d, 1, "invalid-address", `invalid address "%s"`, s)
			return
		}
	}
	if d.NumArgs() > 1 && cstring(d.Arg(1)) != "transparent" {
		c.parameter(d, 1)
	}
}

// paramReader reads fastcgi_param and its kin (nginx 1.22:
// ngx_http_upstream_param_set_slot).
func paramReader(kind backend) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		if d.NumArgs() > 2 && cstring(d.Arg(2)) != "if_not_empty" {
			c.parameter(d, 2)
			return
		}
		c.addHeader(c.backendConf(b, kind), d)
	}
}

// readSplitPathInfo reads fastcgi_split_path_info.
func readSplitPathInfo(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	pattern := d.Arg(0)
	info, err := pcre.Check(pattern, false)
	switch {
	case err != nil:
		c.fail(d, 1, "invalid-regex", "%s", err.Nginx(pattern))
	case !info.Unsure && info.Captures != 2:
		c.fail(d, 1, "invalid-regex", `pattern "%s" must have 2 captures`, pattern)
	}
}

// readModifier reads uwsgi_modifier1 and uwsgi_modifier2.
func readModifier(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.slot(b, d, f) {
		return
	}
	if n, _ := value.ParseNumber(d.Arg(0)); n > 255 {
		c.fail(d, 1, "invalid-value", "value must be between 0 and 255")
	}
}

// readCacheMethods and readIgnoreHeaders know the values that are the same for
// all backends.
func readCacheMethods(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.bitmaskOf(b, d, f, []string{"GET", "HEAD", "POST"})
}

func readIgnoreHeaders(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.bitmaskOf(b, d, f, []string{
		"X-Accel-Redirect", "X-Accel-Expires", "X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset",
		"Expires", "Cache-Control", "Set-Cookie", "Vary",
	})
}
