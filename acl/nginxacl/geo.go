package nginxacl

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
)

// A geo is a geo block of a configuration.
type geo struct {
	*acl.Geo
	d      *nginxconf.Directive
	source string // a variable, without "$"; empty: the client's address
	// What it consists of; vague if that is not all.
	entries []entry
	vague   bool
	divided lazy[[]class] // by value
}

// An entry is a network, or the networks of a range, with its value.
type entry struct {
	networks []netip.Prefix
	value    string
}

// geos reads the geo blocks of the http block.
func (r *reader) geos(chain nginxconf.Context) (map[string]*geo, error) {
	var all map[string]*geo
	for d := range r.c.In(chain) {
		if d.Name() != "geo" || d.Body() == nil || d.NumArgs() < 1 || d.NumArgs() > 2 {
			continue
		}
		g := &geo{d: d}
		if d.NumArgs() == 2 {
			g.source = strings.ToLower(strings.TrimPrefix(d.Arg(0), "$"))
		}
		builder := acl.GeoBuilder{Version: r.o.Version}
		for line := range r.c.In(nginxconf.Context{d}) {
			if line.Name() == "include" {
				continue // what it includes follows
			}
			if _, err := builder.Add(append([]string{line.Name()}, line.Args()...)...); err != nil {
				return nil, fmt.Errorf("%s: %w", line.Pos(), err)
			}
			g.note(line)
		}
		g.Geo = builder.Build()
		if all == nil {
			all = map[string]*geo{}
		}
		all[strings.ToLower(strings.TrimPrefix(d.Arg(d.NumArgs()-1), "$"))] = g
	}
	return all, nil
}

// maps finds the map blocks of the http block, by the variable without "$".
func (r *reader) maps(chain nginxconf.Context) map[string]*nginxconf.Directive {
	all := map[string]*nginxconf.Directive{}
	for d := range r.c.In(chain) {
		if d.Name() == "map" && d.NumArgs() == 2 {
			all[strings.ToLower(strings.TrimPrefix(d.Arg(1), "$"))] = d
		}
	}
	return all
}

// value is what the block gives to a request, if that can be told (nginx 1.22:
// ngx_http_geo_addr).
func (g *geo) value(client, peer netip.Addr, header http.Header) (string, bool) {
	at := client
	switch g.source {
	case "":
		at = g.Client(client, header)
	case "remote_addr":
		at, _ = acl.ParseAddr(acl.AddrText(client))
	case "realip_remote_addr":
		at, _ = acl.ParseAddr(acl.AddrText(peer))
	default:
		name, ok := strings.CutPrefix(g.source, "http_")
		if !ok {
			return "", false
		}
		fields := header[http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))]
		switch len(fields) {
		case 0:
			at = netip.Addr{}
		case 1:
			at, _ = acl.ParseAddr(fields[0])
		default:
			return "", false // versions of nginx differ in which they take
		}
	}
	return g.Lookup(at).Value, true
}

// variable tells package route what it does not know of itself. It is nil if
// there is nothing to tell.
func (w *walk) variable(e *Explanation) func(string) (string, bool) {
	if len(w.j.geos) == 0 && !w.j.asksClient {
		return nil
	}
	return func(name string) (string, bool) {
		if g := w.j.geos[name]; g != nil {
			return g.value(e.Client, w.peer, w.q.Header)
		}
		switch name {
		case "realip_remote_addr":
			return acl.AddrText(w.peer), true
		case "proxy_protocol_addr":
			return w.proxy.SourceText, true
		}
		return "", false
	}
}
