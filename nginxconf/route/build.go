package route

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A builder reads a configuration into a Router.
type builder struct {
	c       *nginxconf.Config
	r       *Router
	into    *listeners // where listen directives go
	sockets []*socket
	diags   nginxconf.Diagnostics

	passes  map[string]*pass
	lastArg string // of last
	last    *pass
	none    *extra // of levels without

	// Many small things cost few allocations.
	listens     map[string]*listenMemo // by their arguments
	servers     slab.Slab[server]
	serverNames slab.Slab[serverName]

	levels      slab.Slab[level]
	extras      slab.Slab[extra]
	lists       slab.Slab[locations]
	expressions slab.Slab[expression]
	ops         slab.Slab[op]
	prefixes    slab.Slab[prefix]

	script script // that is being read
	sorter sorter
	blocks []*nginxconf.Directive // a stack of those that are to be read
}

// A server is a server block.
type server struct {
	level // itself, as what serves a request that no location matches

	names []serverName
	first string // $server_name, and the host where a request has none
	// Whether first is $hostname.
	firstUnknown bool
	listens      bool // it has a listen directive
	// Whether the last regular expression among the names captures: then nginx
	// looks at them even where the server is alone.
	captures bool
	named    []namedLocation
}

type namedLocation struct {
	name  string
	level *level
}

type serverName struct {
	value.ServerName
	d     *nginxconf.Directive
	regex *expression
}

// refuse notes why nginx refuses the configuration.
func (b *builder) refuse(d *nginxconf.Directive, code, format string, args ...any) {
	_, end := d.Span(d.NumArgs())
	b.diags = append(b.diags, &nginxconf.Diagnostic{
		Start: d.Pos(), End: end, Level: slog.LevelError, Code: code, Message: fmt.Sprintf(format, args...),
	})
}

// config reads the http block and the stream block. nginx allows one of each.
func (b *builder) config() {
	http, stream := false, false
	for d := range b.c.In(nil) {
		switch name := d.Name(); {
		case d.Body() == nil:
		case name == "http" && !http:
			http = true
			b.http(d)
		case name == "stream" && !stream:
			stream = true
			b.stream(d)
		}
	}
}

func (b *builder) http(d *nginxconf.Directive) {
	b.into, b.sockets = &b.r.listeners, nil
	http := level{d: d, set: standard(), extra: b.none}
	for _, d := range b.read(&http, "", nil, "server") {
		b.server(&http, d)
	}
	b.names()
	b.upstreams()
}

// upstreams finds the upstream blocks that proxy_pass directives name.
func (b *builder) upstreams() {
	for _, p := range b.passes {
		if p.pass.Host == "" {
			continue
		}
		p.upstream = b.r.upstreams[lower(p.pass.Host)]
		if p.upstream != nil && p.pass.PortText != "" {
			b.refuse(p.d, "upstream-port", `upstream "%s" may not have port %d`, p.pass.Host, p.pass.Port)
		}
	}
}

// names puts up the names of sockets with several servers. One server alone
// serves all requests, whatever its names. Those of the same servers on IPv4 and
// IPv6 are the same.
func (b *builder) names() {
	var last *socket
	for _, s := range b.sockets {
		if len(s.servers) < 2 && !s.standard.captures {
			continue
		}
		if last != nil && slices.Equal(s.servers, last.servers) {
			s.names = last.names
			continue
		}
		last = s
		n := 0
		for _, srv := range s.servers {
			n += max(len(srv.names), 1)
		}
		s.names = &names{exact: make(map[string]exactName, n)}
		for _, srv := range s.servers {
			if len(srv.names) == 0 {
				s.names.add(srv, serverName{})
			}
			for _, n := range srv.names {
				if n.Kind == value.BadWildcard {
					b.refuse(n.d, "invalid-server-name", `invalid server name or wildcard "%s" on %s`, n.Name, s.name)
				}
				s.names.add(srv, n)
			}
		}
	}
}

func (b *builder) server(http *level, d *nginxconf.Directive) {
	if d.Body() == nil {
		return
	}
	srv := b.servers.New()
	srv.d, srv.up, srv.set, srv.extra = d, http, http.set, b.none
	locations := b.read(&srv.level, "", srv, "location")
	if !srv.listens { // as root; another user's nginx listens on port 8000
		l, _ := value.ParseListen("80")
		b.listen(srv, d, l)
	}
	if len(locations) > 0 {
		b.locations(&srv.level, "", locations, srv)
	}
}

func (b *builder) serverDirective(srv *server, name string, d *nginxconf.Directive) {
	if name == "listen" {
		srv.listens = true
		b.listenHTTP(srv, d)
		return
	}
	if srv.names == nil {
		srv.names = b.serverNames.Some(d.NumArgs())
	}
	for i := range d.NumArgs() {
		n, err := value.ParseServerName(d.Arg(i))
		if err != nil {
			b.refuse(d, "invalid-server-name", "%v", err)
			continue
		}
		if len(srv.names) == 0 {
			srv.first = strings.TrimPrefix(n.String(), ".")
			srv.firstUnknown = n.Kind == value.HostName
		}
		name := serverName{ServerName: n, d: d}
		if n.Kind == value.RegexName {
			name.regex = b.expression(d, n.Name, n.Caseless)
			info, _ := pcre.Check(n.Name, n.Caseless)
			srv.captures = info.Captures > 0
		}
		srv.names = append(srv.names, name)
	}
}

// locations adds the locations of a server or a location of that name (nginx
// 1.22: ngx_http_core_location).
func (b *builder) locations(up *level, within string, ds []*nginxconf.Directive, srv *server) {
	in := b.lists.New()
	in.list = b.prefixes.Some(len(ds))
	for _, d := range ds {
		if d.Body() == nil {
			continue
		}
		var args [3]string
		n := min(d.NumArgs(), len(args))
		for i := range n {
			args[i] = d.Arg(i)
		}
		loc, err := value.ParseLocation(args[:n]...)
		if err != nil {
			b.refuse(d, "invalid-location", "%v", err)
			continue
		}
		if up.location {
			if why := misplaced(up, within, loc); why != "" {
				b.refuse(d, "misplaced-location", "%s", why)
				continue
			}
		}
		l := b.newLevel(up, d)
		l.location, l.modifier = true, loc.Modifier
		if loc.IsRegex() {
			b.own(l).regex = b.expression(d, loc.Name, loc.Modifier == value.RegexCaseless)
		}
		if inner := b.read(l, loc.Name, nil, "location"); len(inner) > 0 {
			b.locations(l, loc.Name, inner, srv)
		}
		switch {
		case loc.Modifier == value.Named:
			srv.named = append(srv.named, namedLocation{loc.Name, l})
		case loc.IsRegex():
			in.regex = append(in.regex, l)
		case up.isRegex():
			// nginx has no tree of the names inside a regular expression, so it
			// finds none (nginx 1.22: ngx_http_init_static_location_trees).
		default:
			in.list = append(in.list, prefix{name: loc.Name, level: l})
		}
	}
	b.blocks = b.blocks[:len(b.blocks)-len(ds)]
	b.own(up).inner = in
	if l := in.build(&b.sorter); l != nil {
		b.refuse(l.d, "duplicate-location", `duplicate location "%s"`, l.name())
	}
}

// misplaced tells why a location cannot be inside another.
func misplaced(up *level, within string, loc value.Location) string {
	switch {
	case up.modifier == value.Exact:
		return fmt.Sprintf(`location "%s" cannot be inside the exact location "%s"`, loc.Name, within)
	case up.modifier == value.Named:
		return fmt.Sprintf(`location "%s" cannot be inside the named location "%s"`, loc.Name, within)
	case loc.Modifier == value.Named:
		return fmt.Sprintf(`named location "%s" can be on the server level only`, loc.Name)
	case !loc.IsRegex() && !strings.HasPrefix(loc.Name, within):
		// The name of a regex location is its expression, oddly enough.
		return fmt.Sprintf(`location "%s" is outside location "%s"`, loc.Name, within)
	}
	return ""
}

func (b *builder) newLevel(up *level, d *nginxconf.Directive) *level {
	l := b.levels.New()
	l.d, l.up, l.set, l.extra = d, up, up.set, b.none
	return l
}
