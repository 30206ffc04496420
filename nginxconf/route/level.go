package route

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A level is a block that can be in force for a request: a server, a location,
// an if block in a location or a limit_except. There are many of them, so what
// few of them have is in extra.
type level struct {
	d  *nginxconf.Directive
	up *level // around it; nil: http

	modifier  value.Modifier
	location  bool
	condition bool // an if block
	slash     bool // a request without the slash at the name's end is redirected
	backend   bool // handler names one

	set     *settings
	handler *nginxconf.Directive // what makes the content; nil: files
	pass    *pass                // that, or of the level around an if or limit_except
	*extra

	place atomic.Pointer[place] // made when a request first comes here
}

// A place is what is found out of a level when a request first comes there.
type place struct {
	chain   nginxconf.Context
	once    sync.Once // for headers
	headers []Header
}

type extra struct {
	inner    *locations  // nil: none
	regex    *expression // the name, if it is one
	script   script
	tryFiles *nginxconf.Directive
	except   *except
}

// own returns the extra of the level alone.
func (b *builder) own(l *level) *extra {
	if l.extra == b.none {
		l.extra = b.extras.New()
	}
	return l.extra
}

// at returns the place of a level.
func (l *level) at() *place {
	if p := l.place.Load(); p != nil {
		return p
	}
	n := 0
	for up := l; up != nil; up = up.up {
		n++
	}
	p := &place{chain: make(nginxconf.Context, n)}
	for up := l; up != nil; up = up.up {
		n--
		p.chain[n] = up.d
	}
	if !l.place.CompareAndSwap(nil, p) {
		return l.place.Load()
	}
	return p
}

// context returns the blocks around d and itself.
func (l *level) context() nginxconf.Context { return l.at().chain }

// headers returns the header fields for backends in force: those of the nearest
// level that has any, with those that nginx sets of itself.
func (l *level) headers(c *nginxconf.Config) []Header {
	p := l.at()
	p.once.Do(func() {
		var own []Header
		for d := range c.In(nginxconf.Context{l.d}) {
			if d.Name() == "proxy_set_header" && d.NumArgs() == 2 {
				own = append(own, Header{d.Arg(0), d.Arg(1), d})
			}
		}
		if len(own) == 0 && l.up != nil {
			p.headers = l.up.headers(c)
			return
		}
		p.headers = withStandardHeaders(own)
	})
	return p.headers
}

// name is that of a location, or of the one around an if block or limit_except.
func (l *level) name() string {
	for !l.location {
		l = l.up
	}
	var args [2]string
	n := min(l.d.NumArgs(), len(args))
	for i := range n {
		args[i] = l.d.Arg(i)
	}
	loc, _ := value.ParseLocation(args[:n]...)
	return loc.Name
}

// A pass is a proxy_pass directive, or another one that names a backend.
type pass struct {
	d        *nginxconf.Directive // one of those that share it
	pass     *value.ProxyPass     // nil: another one
	upstream *nginxconf.Directive
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
	index       []indexFile
	randomIndex *nginxconf.Directive // on: any file of a directory is its index
	recursive   bool                 // error pages for what goes wrong on the way to one
	passHeaders bool
	// Scripts of Lua in the rewrite phases.
	serverScript, script *nginxconf.Directive
}

// An indexFile is one name of an index directive.
type indexFile struct {
	name string
	d    *nginxconf.Directive // nil: of nginx's own
}

// An errorPage is one status of an error_page directive.
type errorPage struct {
	status    int
	overwrite int // the status that goes out; 0: of what it leads to; -1: status
	text      string
	d         *nginxconf.Directive
}

// standard returns what holds where nothing is said.
func standard() *settings {
	return &settings{
		mergeSlashes: true, absoluteRedirect: true, portInRedirect: true, passHeaders: true,
		maxBody: 1 << 20, index: []indexFile{{name: "index.html"}},
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
	name   string  // of a location
	srv    *server // if l is one
	outer  *settings
	blocks string // "server" or "location": these go to builder.blocks
	limit  *nginxconf.Directive

	part       part
	script     script
	conditions []*level // if blocks in a location
}

// part is what a reader reads of a body: the directives of an if block stand
// in the script of the level around it.
type part uint8

const (
	allParts part = iota
	scriptPart
	settingsPart
)

// read reads the directives of a level other than blocks of that name, which
// it returns: the last ones of builder.blocks, for the caller to take away.
func (b *builder) read(l *level, name string, srv *server, blocks string) []*nginxconf.Directive {
	r := reader{b: b, l: l, name: name, srv: srv, outer: l.set, blocks: blocks}
	r.script = b.script[:0]
	start := len(b.blocks)
	if l.d.Body() != nil {
		r.body(l.d.Body())
	}
	r.inherit()
	if n := len(r.script); n > 0 {
		b.own(l).script = append(b.ops.Some(n), r.script...)
		b.script = r.script
	}
	for _, c := range r.conditions {
		b.condition(c, l)
	}
	if r.limit != nil && r.limit.Body() != nil {
		b.limitExcept(l, r.limit)
	}
	return b.blocks[start:]
}

// condition reads the settings of an if block. It has the backend of the
// location around it unless it has one of its own.
func (b *builder) condition(l, up *level) {
	l.set = up.set
	r := reader{b: b, l: l, outer: up.set, part: settingsPart}
	r.body(l.d.Body())
	r.inherit()
	if l.pass == nil {
		l.pass = up.pass
	}
}

// body reads the directives of a body and of the files included there, as
// [nginxconf.Config.In] does, but allocates nothing.
func (r *reader) body(body *nginxconf.Body) {
	for d := range body.Directives() {
		switch name := d.Name(); name {
		case r.blocks:
			if r.part == allParts {
				r.b.blocks = slab.Append(r.b.blocks, d)
			}
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
		s.errorPages, s.index = nil, nil
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
}

func (r *reader) directive(name string, d *nginxconf.Directive) {
	if name == "proxy_pass" && r.part != scriptPart { // most of them
		r.b.handler(r.l, r.name, name, d)
		return
	}
	b, n := r.b, d.NumArgs()
	if isScript(name) {
		if r.part != settingsPart {
			r.op(name, d)
		}
		return
	}
	if r.part == scriptPart {
		return
	}
	switch name {
	case "upstream":
		if n == 1 {
			b.r.upstreams[lower(d.Arg(0))] = d
		}
	case "map":
		if n == 2 {
			b.mapping(d)
		}
	case "geo", "split_clients":
		if n > 0 {
			b.define(d.Arg(n-1), variable{kind: unknownVariable})
		}
	case "auth_request_set", "js_set", "js_var", "perl_set":
		if n > 0 {
			b.define(d.Arg(0), variable{kind: unknownVariable})
		}
	case "internal":
		r.own().internal = true // for nested locations, too
	case "try_files":
		b.own(r.l).tryFiles = d
	case "limit_except":
		if r.limit != nil {
			b.refuse(d, "duplicate-directive", `"limit_except" directive is duplicate`)
		}
		r.limit = d
	case "error_page":
		b.errorPage(r.own(), d)
	case "recursive_error_pages":
		b.flag(d, &r.own().recursive)
	case "index":
		s := r.own()
		for i := range n {
			s.index = append(s.index, indexFile{d.Arg(i), d})
		}
	case "random_index":
		on := false
		b.flag(d, &on)
		if r.own().randomIndex = nil; on {
			r.own().randomIndex = d
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
		case setsVariable(name, d):
			b.define(d.Arg(0), variable{kind: unknownVariable})
		case isHandler(name):
			b.handler(r.l, r.name, name, d)
		case name == "rewrite_by_lua_no_postpone":
		case strings.HasPrefix(name, "rewrite_by_lua"), isFirewall(name) && n > 0 && lower(d.Arg(0)) == "on":
			r.own().script = d
		case strings.HasPrefix(name, "server_rewrite_by_lua"):
			r.own().serverScript = d
		}
	}
}

// isScript tells of directives that stand in a script.
func isScript(name string) bool {
	switch name {
	case "set", "return", "if", "rewrite", "break":
		return true
	}
	return strings.HasPrefix(name, "set_by_lua")
}

// isFirewall tells of modules that look at requests in the rewrite phase, and
// may refuse them there.
func isFirewall(name string) bool { return name == "modsecurity" || name == "ModSecurityEnabled" }

// setsVariable tells of directives of other modules, in the rewrite phase, that
// set the variable they name first: set_md5, set_unescape_uri and their kin.
func setsVariable(name string, d *nginxconf.Directive) bool {
	return strings.HasPrefix(name, "set_") && d.NumArgs() > 0 && strings.HasPrefix(d.Arg(0), "$")
}

// errorPage reads an error_page (nginx 1.22: ngx_http_core_error_page).
func (b *builder) errorPage(s *settings, d *nginxconf.Directive) {
	n := d.NumArgs() - 1
	if n < 1 {
		b.refuse(d, "wrong-arguments", `invalid number of arguments in "error_page" directive`)
		return
	}
	p := errorPage{overwrite: -1, text: d.Arg(n), d: d}
	if status, found := strings.CutPrefix(d.Arg(n-1), "="); found {
		p.overwrite = 0
		number, err := value.ParseNumber(status)
		if n == 1 || status != "" && err != nil {
			b.refuse(d, "invalid-value", `invalid value "%s"`, d.Arg(n-1))
			return
		}
		if status != "" {
			p.overwrite = int(number)
		}
		n--
	}
	for i := range n {
		number, err := value.ParseNumber(d.Arg(i))
		switch {
		case err != nil || number == 499:
			b.refuse(d, "invalid-value", `invalid value "%s"`, d.Arg(i))
			return
		case number < 300 || number > 599:
			b.refuse(d, "invalid-value", `value "%s" must be between 300 and 599`, d.Arg(i))
			return
		}
		one := p
		one.status = int(number)
		if p.overwrite < 0 && 494 <= number && number <= 497 {
			one.overwrite = 400
		}
		s.errorPages = append(s.errorPages, one)
	}
}

// isHandler tells of directives that make a location's content in the place of
// files. The last one in a location counts.
func isHandler(name string) bool {
	switch name {
	case "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass",
		"empty_gif", "stub_status", "flv", "mp4", "perl", "js_content",
		"echo", "echo_exec", "echo_duplicate", "echo_location", "echo_location_async", "echo_subrequest", "echo_subrequest_async":
		return true
	}
	return strings.HasPrefix(name, "content_by_lua")
}

// handler reads such a directive in a location of that name.
func (b *builder) handler(l *level, within, name string, d *nginxconf.Directive) {
	l.handler, l.backend = d, strings.HasSuffix(name, "_pass")
	if l.backend {
		l.slash = strings.HasSuffix(within, "/")
	}
	if name != "proxy_pass" {
		if l.backend && l.pass == nil {
			l.pass = &pass{d: d}
		}
		return
	}
	if l.pass != nil && l.pass.pass != nil {
		b.refuse(d, "duplicate-directive", `"proxy_pass" directive is duplicate`)
		return
	}
	if d.NumArgs() != 1 {
		b.refuse(d, "wrong-arguments", `invalid number of arguments in "proxy_pass" directive`)
		return
	}
	bare := l.modifier == value.Named || l.isRegex() || !l.location
	l.pass = b.pass(d)
	if l.pass != nil && bare && l.pass.pass.URI != "" {
		b.refuse(d, "invalid-proxy-pass", `"proxy_pass" cannot have URI part in location given by regular expression, `+
			`or inside named location, or inside "if" statement, or inside "limit_except" block`)
	}
}

// pass returns what proxy_pass directives of that argument share: it saves time
// and memory.
func (b *builder) pass(d *nginxconf.Directive) *pass {
	arg := d.Arg(0)
	if b.last != nil && arg == b.lastArg {
		return b.last
	}
	p := b.passes[arg]
	if p == nil {
		parsed, err := value.ParseProxyPass(arg)
		if err != nil {
			b.refuse(d, "invalid-proxy-pass", "%v", err)
			return nil
		}
		p = &pass{d: d, pass: &parsed}
		b.passes[arg] = p
	}
	b.lastArg, b.last = arg, p
	return p
}

// limitExcept reads a limit_except block. It is a level inside its location,
// and has the location's handler but none of its rewrite directives.
func (b *builder) limitExcept(l *level, d *nginxconf.Directive) {
	inner := b.newLevel(l, d)
	e := &except{level: inner}
	b.own(l).except = e
	for i := range d.NumArgs() {
		m := strings.ToUpper(d.Arg(i))
		if !slices.Contains(limitable, m) {
			b.refuse(d, "invalid-method", `invalid method "%s"`, d.Arg(i))
		}
		e.methods = append(e.methods, m)
		if m == "GET" {
			e.methods = append(e.methods, "HEAD")
		}
	}
	b.read(inner, "", nil, "")
	if inner.handler == nil && l.backend {
		inner.handler, inner.backend, inner.pass = l.handler, true, l.pass
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
