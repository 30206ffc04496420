package nginxacl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// A Policy is what decides about access at a place of a configuration, with
// the directives that say so. Each part of it is inherited on its own: a
// location with rules of its own still has the password of its server.
type Policy struct {
	// List are the rules, in order. It is empty if no level has any: everybody
	// may in.
	List acl.List
	// Origins are the directives that the rules stand in, one for each.
	Origins []*nginxconf.Directive
	// Level is the chain of the block that the rules stand in: the nearest one
	// that has any. A block with a single rule replaces all it would inherit.
	Level nginxconf.Context
	// Satisfy tells whether rules and authentication must all let a request in,
	// or one of them is enough. SatisfyBy is the directive, nil if there is
	// none.
	Satisfy   acl.Satisfy
	SatisfyBy *nginxconf.Directive
	// Auth are the directives that have a say in access beside the rules, in
	// the order in which nginx asks them: auth_basic, auth_request, then those
	// of other modules, such as access_by_lua_block. What is "off" is not here,
	// nor an auth_basic without auth_basic_user_file, which asks nobody.
	Auth []*nginxconf.Directive
	// BasicFile is the auth_basic_user_file in force, or nil.
	BasicFile *nginxconf.Directive
	// Certificate is ssl_verify_client, where connections with TLS have to have a
	// certificate of their own before anything else is looked at; nil elsewhere.
	Certificate *nginxconf.Directive
	// Behind are directives that may refuse what rules and authentication let
	// in: perl, modsecurity, and js_preread and preread_by_lua_block in streams.
	Behind []*nginxconf.Directive
	// Limits are the limit_req and limit_conn directives, which answer 503 to
	// those who come too often, before the rules are looked at.
	Limits []*nginxconf.Directive
	// ErrorPages are the error_page directives, which give another answer to
	// those who are refused.
	ErrorPages []*nginxconf.Directive
	// Unknown are directives of modules that are not known. They may do
	// anything.
	Unknown []*nginxconf.Directive
	// RealIP tells whose address the rules are asked about.
	RealIP RealIP
	// Internal is the internal directive, which lets in only what nginx itself
	// sends to this place, or nil.
	Internal *nginxconf.Directive

	basic, request *nginxconf.Directive
	others, behind []other
	perl           *nginxconf.Directive // of this level alone
	req, conn      []*nginxconf.Directive
}

// An other is a directive of a module that decides by means of its own. Of
// those in one slot the nearest counts.
type other struct {
	slot string
	d    *nginxconf.Directive
}

// others are the directives with a say in access that this package cannot
// judge, and the slots they fill.
var others = map[string]string{
	"access_by_lua":       "access_by_lua",
	"access_by_lua_block": "access_by_lua",
	"access_by_lua_file":  "access_by_lua",

	"auth_digest":             "auth_digest",
	"auth_gss":                "auth_gss",
	"auth_jwt":                "auth_jwt",
	"auth_jwt_require":        "auth_jwt_require",
	"auth_ldap":               "auth_ldap",
	"auth_oidc":               "auth_oidc",
	"auth_pam":                "auth_pam",
	"js_access":               "js_access",
	"nchan_authorize_request": "nchan_authorize_request",
}

// For returns what is in force in the innermost block of chain, and where each
// part came from (nginx 1.22: ngx_http_access_module, ngx_stream_access_module
// and those that Policy speaks of). An empty chain, the main context, has
// nothing. The error names the place of a directive that nginx refuses.
func For(c *nginxconf.Config, chain nginxconf.Context) (Policy, error) {
	r := reader{c: c, known: map[string]bool{}}
	p := &Policy{}
	for n := range len(chain) + 1 {
		var err error
		if p, _, err = r.read(p, chain[:n:n]); err != nil {
			return *p, err
		}
	}
	return *p, nil
}

// A reader reads the levels of a configuration.
type reader struct {
	c     *nginxconf.Config
	o     Options
	known map[string]bool // names of directives: whether a known module has them
	// asksClient: a condition may ask for the client's address. It may be
	// compared with others than these if vague is set.
	asksClient, vague bool
	compared          []netip.Addr
	asksHost          bool
}

// A level is what a block itself says of access.
type level struct {
	rules, trust                       []*nginxconf.Directive
	satisfy, basic, basicFile, request *nginxconf.Directive
	header, recursive, internal, perl  *nginxconf.Directive
	underscores, invalid, verify       *nginxconf.Directive
	others, behind                     []other
	req, conn, pages                   []*nginxconf.Directive
	unknown, blocks                    []*nginxconf.Directive
	outside, said                      bool // it is no part of http or stream; it says anything
}

// read returns the policy of the innermost block of chain, in which up is in
// force where it says nothing: up itself, if it says nothing at all. Blocks are
// the servers and locations in it, and limit_except.
func (r *reader) read(up *Policy, chain nginxconf.Context) (_ *Policy, blocks []*nginxconf.Directive, _ error) {
	l := level{outside: len(chain) == 0}
	r.collect(&l, chain)
	p, err := r.policy(up, &l, chain)
	return p, l.blocks, err
}

func (r *reader) policy(up *Policy, l *level, chain nginxconf.Context) (*Policy, error) {
	if !l.said && up.perl == nil {
		return up, nil
	}
	p := *up
	var err error
	if len(l.rules) > 0 {
		p.List, p.Level, p.Origins = make(acl.List, 0, len(l.rules)), chain, l.rules
		for _, d := range l.rules {
			rule, err := ruleOf(d)
			if err != nil {
				return &p, err
			}
			p.List = append(p.List, rule)
		}
	}
	if d := l.satisfy; d != nil {
		p.SatisfyBy = d
		if d.NumArgs() != 1 {
			return &p, wrongNumber(d)
		}
		if err = p.Satisfy.UnmarshalText([]byte(d.Arg(0))); err != nil {
			return &p, fmt.Errorf("%s: %w", d.Pos(), err)
		}
	}
	if p.RealIP, err = r.realIP(up.RealIP, l, chain); err != nil {
		return &p, err
	}
	take(&p.basic, l.basic)
	take(&p.BasicFile, l.basicFile)
	take(&p.request, l.request)
	take(&p.Internal, l.internal)
	if l.verify != nil {
		p.Certificate = nil
		if l.verify.NumArgs() == 1 && l.verify.Arg(0) == "on" {
			p.Certificate = l.verify
		}
	}
	p.perl = l.perl
	p.others, p.behind = nearest(p.others, l.others), nearest(p.behind, l.behind)
	if len(l.req) > 0 {
		p.req = l.req
	}
	if len(l.conn) > 0 {
		p.conn = l.conn
	}
	if len(l.pages) > 0 {
		p.ErrorPages = l.pages
	}
	p.Limits = slices.Concat(p.req, p.conn)
	p.Unknown = append(p.Unknown[:len(p.Unknown):len(p.Unknown)], l.unknown...)
	p.Auth = nil
	if isOn(p.basic) && p.BasicFile != nil {
		p.Auth = append(p.Auth, p.basic)
	}
	if isOn(p.request) {
		p.Auth = append(p.Auth, p.request)
	}
	for _, o := range p.others {
		if isOn(o.d) {
			p.Auth = append(p.Auth, o.d)
		}
	}
	p.Behind = nil
	for _, o := range p.behind {
		if isOn(o.d) {
			p.Behind = append(p.Behind, o.d)
		}
	}
	if p.perl != nil {
		p.Behind = append(p.Behind, p.perl)
	}
	return &p, nil
}

// nearest puts the directives of a level over those it inherits.
func nearest(up, own []other) []other {
	if len(own) == 0 {
		return up
	}
	all := slices.Clone(up)
	for _, o := range own {
		i := slices.IndexFunc(all, func(have other) bool { return have.slot == o.slot })
		if i < 0 {
			all = append(all, o)
		} else {
			all[i] = o
		}
	}
	return all
}

func take(to **nginxconf.Directive, d *nginxconf.Directive) {
	if d != nil {
		*to = d
	}
}

// isOn tells of a directive in force whether it is switched on: "off" as an
// argument takes it away.
func isOn(d *nginxconf.Directive) bool {
	return d != nil && (d.NumArgs() == 0 || d.Arg(0) != "off")
}

func ruleOf(d *nginxconf.Directive) (acl.Rule, error) {
	if d.NumArgs() != 1 {
		return acl.Rule{}, wrongNumber(d)
	}
	rule, err := acl.ParseRule(d.Name(), d.Arg(0))
	if err != nil {
		return acl.Rule{}, fmt.Errorf("%s: %w", d.Pos(), err)
	}
	rule.Pos = d.Pos()
	return rule, nil
}

func wrongNumber(d *nginxconf.Directive) error {
	return fmt.Errorf(`%s: invalid number of arguments in "%s" directive`, d.Pos(), d.Name())
}

// collect finds the directives of a block that matter, includes followed.
func (r *reader) collect(l *level, chain nginxconf.Context) {
	body := &r.c.Root.Body
	if n := len(chain); n > 0 {
		body = chain[n-1].Body()
	}
	if body != nil {
		r.body(l, body)
	}
}

// body is nginxconf.Config.In, but allocates nothing.
func (r *reader) body(l *level, b *nginxconf.Body) {
	for d := range b.Directives() {
		name := d.Name()
		if name != "include" {
			r.directive(l, name, d)
			continue
		}
		for f := range r.c.Included(d) {
			r.body(l, &f.Body)
		}
	}
}

// directive takes in one. Those of "if" blocks count where it is not known what
// they do: they may be in force.
func (r *reader) directive(l *level, name string, d *nginxconf.Directive) {
	switch name {
	case "server", "location", "limit_except":
		if d.Body() != nil {
			l.blocks = append(l.blocks, d)
		}
		return
	case "http", "stream", "events", "mail":
		return
	case "allow", "deny":
		l.rules = append(l.rules, d)
	case "satisfy":
		l.satisfy = d
	case "auth_basic":
		l.basic = d
	case "auth_basic_user_file":
		l.basicFile = d
	case "auth_request":
		l.request = d
	case "set_real_ip_from":
		l.trust = append(l.trust, d)
	case "real_ip_header":
		l.header = d
	case "real_ip_recursive":
		l.recursive = d
	case "internal":
		l.internal = d
	case "perl":
		l.perl = d
	case "underscores_in_headers":
		l.underscores = d
	case "ignore_invalid_headers":
		l.invalid = d
	case "ssl_verify_client":
		l.verify = d
	case "modsecurity", "js_preread", "preread_by_lua_block", "preread_by_lua_file":
		l.behind = append(l.behind, other{name, d})
	case "limit_req":
		l.req = append(l.req, d)
	case "limit_conn":
		l.conn = append(l.conn, d)
	case "error_page":
		l.pages = append(l.pages, d)
	case "if":
		r.asks(d)
		inner := level{}
		r.collect(&inner, nginxconf.Context{d})
		if !inner.said {
			return
		}
		l.others, l.behind = append(l.others, inner.others...), append(l.behind, inner.behind...)
		l.unknown = append(l.unknown, inner.unknown...)
		take(&l.perl, inner.perl)
	case "geo", "map", "set", "rewrite":
		r.asks(d)
		return
	default:
		slot, judges := others[name]
		switch {
		case judges:
			l.others = append(l.others, other{slot, d})
		case !l.outside && !r.knows(name):
			l.unknown = append(l.unknown, d)
		default:
			return
		}
	}
	l.said = true
}

// asks notes whether a directive asks for the host, or for the client's address
// and which addresses it compares with it.
func (r *reader) asks(d *nginxconf.Directive) {
	args := d.Args()
	for _, a := range args {
		r.asksHost = r.asksHost || strings.Contains(a, "$") && (strings.Contains(a, "host") || strings.Contains(a, "server_name"))
	}
	switch {
	case d.Name() == "geo":
		r.asksClient = true
		return
	case !slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "remote_addr") }):
		return
	}
	r.asksClient = true
	compare := func(text string) {
		if a, ok := acl.ParseAddr(text); ok && acl.AddrText(a) == text {
			r.compared = append(r.compared, a)
		}
	}
	switch {
	case d.Name() == "if" && len(args) == 3 && args[0] == "($remote_addr" && (args[1] == "=" || args[1] == "!="):
		compare(strings.TrimSuffix(args[2], ")"))
	case d.Name() == "map" && len(args) == 2 && args[0] == "$remote_addr":
		for line := range r.c.In(nginxconf.Context{d}) {
			if strings.HasPrefix(line.Name(), "~") {
				r.vague = true
			}
			compare(line.Name())
		}
	default:
		r.vague = true
	}
}

func (r *reader) knows(name string) bool {
	known, asked := r.known[name]
	if !asked {
		known = lint.Modules(name) != nil
		r.known[name] = known
	}
	return known
}
