package lint

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

func hostHeaderMissing() *Check {
	return &Check{
		ID:    "NX201",
		Name:  "proxy-host-header-missing",
		Level: slog.LevelWarn,
		Doc: `Without "proxy_set_header Host" the application sees the address it is proxied
by, such as 127.0.0.1:8080, and builds wrong links, redirects and cookies.

Looked at is each proxy_pass of a location to a loopback or private address, a
unix socket, or an upstream block of such: none of the proxy_set_header in
force there names Host. Other hosts are not reported, they are other sites and
want their own name.

The fix, to be reviewed, adds "proxy_set_header Host $host;" where the others
stand, or beside the proxy_pass if there are none.`,
		Run: func(p *Pass) error {
			for pass, ctx := range p.All("proxy_pass") {
				if p.proxiesLocally(pass, ctx) && !p.setsHeader(ctx, "Host") {
					p.reportHeaders(pass, ctx, []string{"Host $host"},
						"the application does not get the Host that the client asked for: no proxy_set_header in force here names it")
				}
			}
			return nil
		},
	}
}

func forwardedHeadersMissing() *Check {
	return &Check{
		ID:    "NX203",
		Name:  "proxy-forwarded-headers-missing",
		Level: slog.LevelWarn,
		Doc: `An application behind nginx needs X-Forwarded-For to know its clients, and
X-Forwarded-Proto to build https links.

Looked at is each proxy_pass of a location to a loopback or private address, a
unix socket, or an upstream block of such. The proxy_set_header in force there
lack X-Forwarded-For, or, where the server listens with ssl, X-Forwarded-Proto.
The header Forwarded stands for the first, and with "proto=" in it for both. A
server that only redirects (it has a return of its own) is not looked at.

The fix, to be reviewed, adds the headers where the others stand, or beside the
proxy_pass if there are none.`,
		Run: func(p *Pass) error {
			for pass, ctx := range p.All("proxy_pass") {
				server := enclosing(ctx, "server")
				if !p.proxiesLocally(pass, ctx) || server != nil && len(p.In(server, "return")) > 0 {
					continue
				}
				forwarded, proto := p.forwarded(ctx)
				var missing, names []string
				if !forwarded && !p.setsHeader(ctx, "X-Forwarded-For") {
					missing = append(missing, "X-Forwarded-For $proxy_add_x_forwarded_for")
					names = append(names, "X-Forwarded-For")
				}
				if !proto && !p.setsHeader(ctx, "X-Forwarded-Proto") {
					tls, err := p.servesTLS(ctx)
					if err != nil {
						return err
					}
					if tls {
						missing = append(missing, "X-Forwarded-Proto $scheme")
						names = append(names, "X-Forwarded-Proto")
					}
				}
				if len(missing) > 0 {
					p.reportHeaders(pass, ctx, missing,
						"the application does not get %s: no proxy_set_header in force here names it", strings.Join(names, " nor "))
				}
			}
			return nil
		},
	}
}

func localhostName() *Check {
	return &Check{
		ID:    "NX210",
		Name:  "proxy-localhost-name",
		Level: slog.LevelWarn,
		Doc: `The name localhost often stands for ::1 and for 127.0.0.1. An application that
listens on IPv4 only refuses the first: nginx logs "connect() failed (111)",
takes that address out for ten seconds and tries the other.

Reported is the host localhost in proxy_pass and in the server of an upstream
block, unless it is the name of an upstream block.

The fix, to be reviewed, writes 127.0.0.1. It is right if that is where the
application listens.`,
		Run: func(p *Pass) error {
			for d, ctx := range p.All("proxy_pass", "server") {
				if d.Body() != nil || d.Name() == "server" && enclosing(ctx, "upstream") == nil {
					continue
				}
				argument := arg(d, 0)
				at := strings.Index(argument, "://") // none: in an upstream block or the stream module
				bare := at < 0
				at += len("://")
				if bare {
					at = 0
				}
				t, ok := parseTarget(argument, bare)
				if !ok || !strings.EqualFold(t.Host, localhost) {
					continue
				}
				if _, named := p.upstream(ctx, t); named && d.Name() == "proxy_pass" {
					continue
				}
				fix := &nginxconf.Fix{
					Message: "write 127.0.0.1",
					Edits:   p.ReplaceArg(d, 0, argument[:at]+"127.0.0.1"+argument[at+len(t.Host):]),
				}
				p.Report(d, fix, "localhost may be ::1, where an application on 127.0.0.1 does not listen")
			}
			return nil
		},
	}
}

const localhost = "localhost"

// proxiesLocally tells whether a proxy_pass hands requests of a location to an
// application on this host or in its private network, as far as one can see.
func (p *Pass) proxiesLocally(pass *nginxconf.Directive, ctx nginxconf.Context) bool {
	if enclosing(ctx, "location") == nil {
		return false // of the stream module, or the location is not in view
	}
	t, ok := parseTarget(arg(pass, 0), false)
	if !ok {
		return false
	}
	if servers, named := p.upstream(ctx, t); named {
		return len(servers) > 0 && !slices.ContainsFunc(servers, func(d *nginxconf.Directive) bool {
			t, ok := parseTarget(arg(d, 0), true)
			return !ok || !isLocal(t)
		})
	}
	return isLocal(t)
}

// parseTarget reads the argument of proxy_pass, or, if bare, what has no
// scheme: the address of a server in an upstream block, or the argument of
// proxy_pass in the stream module. Of an argument with variables it reads the
// host, if that is spelled out; not ok is what cannot be known.
func parseTarget(s string, bare bool) (t value.ProxyPass, ok bool) {
	if bare {
		s = "http://" + s
	}
	literal, _, variable := strings.Cut(s, "$")
	port := false
	if variable {
		scheme, rest, found := strings.Cut(literal, "://")
		end := strings.IndexAny(rest, ":/?")
		if strings.HasPrefix(rest, "[") {
			end = strings.IndexByte(rest, ']') + 1
		}
		switch {
		case !found || end <= 0:
			return t, false
		case strings.EqualFold(rest[:end], "unix"):
			return value.ProxyPass{Unix: rest[end:]}, true
		}
		port = strings.HasPrefix(rest[end:], ":")
		s = scheme + "://" + rest[:end]
	}
	t, err := value.ParseProxyPass(s)
	if port {
		t.PortText = "$"
	}
	return t, err == nil
}

func isLocal(t value.ProxyPass) bool {
	if t.Addr.IsValid() {
		a := t.Addr.Unmap()
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()
	}
	return t.Unix != "" || strings.EqualFold(t.Host, localhost)
}

// An upstreamKey is the name of an upstream block in lower case. The stream
// module has its own.
type upstreamKey struct {
	name   string
	stream bool
}

// upstream returns the servers of the upstream block that a target names.
func (p *Pass) upstream(ctx nginxconf.Context, t value.ProxyPass) (servers []*nginxconf.Directive, named bool) {
	if p.upstreams == nil {
		p.session.upstreams = map[upstreamKey][]*nginxconf.Directive{}
		for d, ctx := range p.All("upstream") {
			p.upstreams[upstreamKey{strings.ToLower(arg(d, 0)), inStream(ctx)}] = p.In(append(ctx, d), "server")
		}
	}
	if t.PortText != "" { // nginx: upstream "app" may not have port
		return nil, false
	}
	servers, named = p.upstreams[upstreamKey{strings.ToLower(t.Host), inStream(ctx)}]
	return servers, named
}

func inStream(ctx nginxconf.Context) bool { return len(ctx) > 0 && ctx[0].Name() == "stream" }

// setsHeader tells whether a proxy_set_header in force names a header. One
// that is set to "" counts: somebody thought of it. So do those at the top of
// a fragment, where more may come from outside.
func (p *Pass) setsHeader(ctx nginxconf.Context, name string) bool {
	list, at := p.Effective(ctx, "proxy_set_header")
	return len(list) > 0 && len(at) == 0 || slices.ContainsFunc(list, func(d *nginxconf.Directive) bool { return strings.EqualFold(arg(d, 0), name) })
}

// forwarded tells whether the header Forwarded is set, and with a protocol.
func (p *Pass) forwarded(ctx nginxconf.Context) (is, proto bool) {
	list, _ := p.Effective(ctx, "proxy_set_header")
	for _, d := range list {
		if strings.EqualFold(arg(d, 0), "Forwarded") {
			is = true
			proto = proto || strings.Contains(strings.ToLower(arg(d, 1)), "proto=")
		}
	}
	return is, proto
}

// reportHeaders reports that headers are missing at a proxy_pass.
func (p *Pass) reportHeaders(pass *nginxconf.Directive, ctx nginxconf.Context, headers []string, format string, args ...any) {
	var lines []string
	for _, h := range headers {
		lines = append(lines, "proxy_set_header "+h+";")
	}
	after := pass
	if list, at := p.Effective(ctx, "proxy_set_header"); len(list) > 0 {
		after = p.anchor(at, list[len(list)-1])
	} else if location := enclosing(ctx, "location"); len(location) < len(ctx) {
		after = ctx[len(location)] // in if and limit_except they are not allowed
	}
	fix := &nginxconf.Fix{
		Message: "add " + strings.Join(lines, " "),
		Edits:   p.InsertAfter(after, lines...),
	}
	p.Report(pass, fix, format, args...)
}
