package route

import (
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A level is a block that can be in force for a request: a server, a location
// or a limit_except.
type level struct {
	d        *nginxconf.Directive
	chain    nginxconf.Context
	location bool
	name     string
	modifier value.Modifier
	set      *settings

	inner    *locations // nil: none
	rewrite  *rewrite   // nil: nothing
	slash    bool       // a request without the slash at the name's end is redirected
	tryFiles *nginxconf.Directive
	handler  *nginxconf.Directive // what makes the content; nil: files
	pass     *pass                // if handler is proxy_pass
	except   *except
}

// A rewrite is what the directives of the rewrite module come to: nothing, an
// answer, or something that is not decided.
type rewrite struct {
	ret     *nginxconf.Directive
	value   value.Return
	unsure  *nginxconf.Directive
	setArgs *nginxconf.Directive // set $args: the backend sees other arguments
}

// A pass is a proxy_pass directive.
type pass struct {
	d        *nginxconf.Directive
	pass     *value.ProxyPass
	upstream *nginxconf.Directive
	covered  int // what of the path the URI of the directive takes the place of
}

// An except is a limit_except block.
type except struct {
	methods []string // not subject to it
	level   *level
}

// settings are what a level has from the levels around it unless it says
// otherwise. Levels that say nothing share them.
type settings struct {
	// Of servers.
	mergeSlashes    bool
	sslOn           bool // "ssl on", up to nginx 1.25.0
	verifyClient    bool
	rejectHandshake bool

	internal bool

	absoluteRedirect, portInRedirect, nameInRedirect bool

	maxBody     int64
	errorPages  []errorPage
	index       []string
	headers     []Header
	passHeaders bool
	script      *nginxconf.Directive // of Lua, in the rewrite phase
}

type errorPage struct {
	status int
	d      *nginxconf.Directive
}

// standard returns what holds where nothing is said.
func standard() *settings {
	return &settings{
		mergeSlashes: true, absoluteRedirect: true, portInRedirect: true, passHeaders: true,
		maxBody: 1 << 20, index: []string{"index.html"}, headers: withStandardHeaders(nil),
	}
}

// The fields that nginx sets of itself (nginx 1.22: ngx_http_proxy_headers).
// Content-Length and Transfer-Encoding, which are about the body, are not
// here.
func withStandardHeaders(own []Header) []Header {
	for _, h := range []Header{
		{Name: "Host", Value: "$proxy_host"}, {Name: "Connection", Value: "close"},
		{Name: "TE"}, {Name: "Keep-Alive"}, {Name: "Expect"}, {Name: "Upgrade"},
	} {
		if !slices.ContainsFunc(own, func(o Header) bool { return lower(o.Name) == lower(h.Name) }) {
			own = append(own, h)
		}
	}
	return own
}

// A reader reads the directives of one level.
type reader struct {
	b      *builder
	l      *level
	srv    *server // if l is one
	outer  *settings
	blocks string                 // "server" or "location"
	inner  []*nginxconf.Directive // these
	limit  *nginxconf.Directive
	ended  bool // the rewrite directives, by return or break
}

// read reads the directives of a level other than blocks of that name, which
// it returns.
func (b *builder) read(l *level, srv *server, blocks string) []*nginxconf.Directive {
	r := reader{b: b, l: l, srv: srv, outer: l.set, blocks: blocks}
	if l.d.Body() != nil {
		r.body(l.d.Body())
	}
	r.inherit()
	if r.limit != nil && r.limit.Body() != nil {
		b.limitExcept(l, r.limit)
	}
	return r.inner
}

// body reads the directives of a body and of the files included there, as
// [nginxconf.Config.In] does, but allocates nothing.
func (r *reader) body(body *nginxconf.Body) {
	for d := range body.Directives() {
		switch name := d.Name(); name {
		case r.blocks:
			r.inner = append(r.inner, d)
		case "include":
			for f := range r.b.c.Included(d) {
				r.body(&f.Body)
			}
		default:
			r.directive(name, d)
		}
	}
}

// own returns the settings of the level alone.
func (r *reader) own() *settings {
	if r.l.set == r.outer {
		s := *r.outer
		s.errorPages, s.index, s.headers = nil, nil, nil
		r.l.set = &s
	}
	return r.l.set
}

// inherit takes over what a level has all or none of.
func (r *reader) inherit() {
	s := r.l.set
	if s == r.outer {
		return
	}
	if s.errorPages == nil {
		s.errorPages = r.outer.errorPages
	}
	if s.index == nil {
		s.index = r.outer.index
	}
	if s.headers == nil {
		s.headers = r.outer.headers
	} else {
		s.headers = withStandardHeaders(s.headers)
	}
}

func (r *reader) directive(name string, d *nginxconf.Directive) {
	b, n := r.b, d.NumArgs()
	switch name {
	case "upstream":
		if n == 1 {
			b.r.upstreams[lower(d.Arg(0))] = d
		}
	case "map", "geo", "split_clients":
		if n > 0 {
			b.define(d.Arg(n - 1))
		}
	case "auth_request_set", "js_set", "js_var", "perl_set":
		if n > 0 {
			b.define(d.Arg(0))
		}
	case "set", "return", "if", "rewrite", "break":
		r.rewrite(name, d)
	case "internal":
		r.own().internal = true // for nested locations, too
	case "try_files":
		r.l.tryFiles = d
	case "limit_except":
		if r.limit != nil {
			b.refuse(d, "duplicate-directive", `"limit_except" directive is duplicate`)
		}
		r.limit = d
	case "error_page":
		s := r.own()
		for i := range max(n-1, 0) {
			if status, err := value.ParseNumber(d.Arg(i)); err == nil {
				s.errorPages = append(s.errorPages, errorPage{int(status), d})
			}
		}
	case "index":
		s := r.own()
		s.index = append(s.index, d.Args()...)
	case "proxy_set_header":
		if n == 2 {
			s := r.own()
			s.headers = append(s.headers, Header{d.Arg(0), d.Arg(1), d})
		}
	case "client_max_body_size":
		if n == 1 {
			size, err := value.ParseOffset(d.Arg(0))
			if err != nil {
				b.refuse(d, "invalid-value", `"client_max_body_size" directive %v`, err)
			}
			r.own().maxBody = size
		}
	case "absolute_redirect":
		b.flag(d, &r.own().absoluteRedirect)
	case "port_in_redirect":
		b.flag(d, &r.own().portInRedirect)
	case "server_name_in_redirect":
		b.flag(d, &r.own().nameInRedirect)
	case "proxy_pass_request_headers":
		b.flag(d, &r.own().passHeaders)
	case "merge_slashes":
		b.flag(d, &r.own().mergeSlashes)
	case "ssl":
		b.flag(d, &r.own().sslOn)
	case "ssl_reject_handshake":
		b.flag(d, &r.own().rejectHandshake)
	case "ssl_verify_client":
		if n == 1 {
			r.own().verifyClient = d.Arg(0) != "off"
		}
	case "listen", "server_name":
		if r.srv != nil {
			b.serverDirective(r.srv, name, d)
		}
	default:
		switch {
		case isHandler(name):
			b.handler(r.l, d)
		case strings.HasPrefix(name, "rewrite_by_lua"), strings.HasPrefix(name, "server_rewrite_by_lua"):
			r.own().script = d
		}
	}
}

// rewrite reads a directive of the rewrite module.
func (r *reader) rewrite(name string, d *nginxconf.Directive) {
	l := r.l
	if l.rewrite == nil {
		l.rewrite = &rewrite{}
	}
	switch name {
	case "set":
		if d.NumArgs() > 0 {
			r.b.define(d.Arg(0))
			if !r.ended && lower(d.Arg(0)) == "$args" {
				l.rewrite.setArgs = d
			}
		}
		return
	case "return":
		v, err := value.ParseReturn(d.Args()...)
		if err != nil {
			r.b.refuse(d, "invalid-return", "%v", err)
		} else if !r.ended {
			l.rewrite.ret, l.rewrite.value = d, v
		}
	case "if", "rewrite":
		if !r.ended {
			l.rewrite.unsure = d
		}
		if name == "if" {
			r.b.defineIn(d)
		}
	}
	r.ended = true
}

// isHandler tells of directives that make a location's content in the place of
// files. The last one in a location counts.
func isHandler(name string) bool {
	switch name {
	case "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass",
		"empty_gif", "stub_status", "flv", "mp4", "perl", "js_content", "echo":
		return true
	}
	return strings.HasPrefix(name, "content_by_lua")
}

func (b *builder) handler(l *level, d *nginxconf.Directive) {
	name := d.Name()
	l.handler = d
	if strings.HasSuffix(name, "_pass") {
		l.slash = strings.HasSuffix(l.name, "/")
	}
	if name != "proxy_pass" {
		return
	}
	if l.pass != nil {
		b.refuse(d, "duplicate-directive", `"proxy_pass" directive is duplicate`)
		return
	}
	if d.NumArgs() != 1 {
		b.refuse(d, "wrong-arguments", `invalid number of arguments in "proxy_pass" directive`)
		return
	}
	p := b.proxyPass[d.Arg(0)] // one for many locations saves time and memory
	if p == nil {
		parsed, err := value.ParseProxyPass(d.Arg(0))
		if err != nil {
			b.refuse(d, "invalid-proxy-pass", "%v", err)
			return
		}
		p = &parsed
		b.proxyPass[d.Arg(0)] = p
	}
	bare := l.modifier == value.Named || l.modifier == value.Regex || l.modifier == value.RegexCaseless || l.d.Name() == "limit_except"
	if bare && p.URI != "" {
		b.refuse(d, "invalid-proxy-pass", `"proxy_pass" cannot have URI part in location given by regular expression, `+
			`or inside named location, or inside "if" statement, or inside "limit_except" block`)
		return
	}
	if len(b.slab) == 0 {
		b.slab = make([]pass, 64)
	}
	l.pass, b.slab = &b.slab[0], b.slab[1:]
	l.pass.d, l.pass.pass = d, p
	if !bare {
		l.pass.covered = len(l.name)
	}
	b.passes = append(b.passes, l.pass)
}

// limitExcept reads a limit_except block. It is a level inside its location,
// and has the location's handler but none of its rewrite directives.
func (b *builder) limitExcept(l *level, d *nginxconf.Directive) {
	inner := b.newLevel(l, d)
	inner.name = l.name
	l.except = &except{level: inner}
	for i := range d.NumArgs() {
		m := strings.ToUpper(d.Arg(i))
		if !slices.Contains(limitable, m) {
			b.refuse(d, "invalid-method", `invalid method "%s"`, d.Arg(i))
		}
		l.except.methods = append(l.except.methods, m)
		if m == "GET" {
			l.except.methods = append(l.except.methods, "HEAD")
		}
	}
	b.read(inner, nil, "")
	if inner.handler == nil && l.handler != nil && strings.HasSuffix(l.handler.Name(), "_pass") {
		inner.handler, inner.pass = l.handler, l.pass
	}
}

var limitable = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "OPTIONS", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH"}

func (b *builder) flag(d *nginxconf.Directive, v *bool) {
	if d.NumArgs() != 1 {
		b.refuse(d, "wrong-arguments", `invalid number of arguments in "%s" directive`, d.Name())
		return
	}
	on, ok := value.ParseFlag(d.Arg(0))
	if !ok {
		b.refuse(d, "invalid-value", `invalid value "%s" in "%s" directive, it must be "on" or "off"`, d.Arg(0), d.Name())
	}
	*v = on
}

// define notes that the configuration gives a variable a value of its own.
func (b *builder) define(variable string) {
	if name := lower(strings.TrimPrefix(variable, "$")); name != "args" { // see rewrite.setArgs
		b.r.defined[name] = true
	}
}

// defineIn does so for what is set in an if block.
func (b *builder) defineIn(d *nginxconf.Directive) {
	for d := range b.c.In(nginxconf.Context{d}) {
		if d.Name() == "set" && d.NumArgs() > 0 {
			b.define(d.Arg(0))
		}
	}
}
