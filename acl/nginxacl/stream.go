package nginxacl

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A stream is a socket of a server in the stream block. There is one server on
// each, unless names divide them (nginx 1.22: ngx_stream_core_listen).
type stream struct {
	*place
	at    netip.AddrPort // zero: a unix domain socket, or a host that is not resolved
	text  string
	proxy bool
	tls   bool
}

// side is what becomes of connections.
func (s *stream) side() Side {
	side := Side{Chain: s.chain, Policy: &s.Policy, Server: &s.Policy, Reach: s.reach()}
	if s.tls && s.Certificate != nil {
		side.Reach = side.Reach.withLogin()
	}
	return side
}

// streams reads the stream block.
func (r *reader) streams(c *nginxconf.Config) (all []stream, err error) {
	for d := range c.In(nil) {
		if d.Name() != "stream" || d.Body() == nil {
			continue
		}
		top, err := r.place(nil, nginxconf.Context{d})
		if err != nil {
			return nil, err
		}
		for srv := range c.In(top.chain) {
			p := top.inner[srv]
			if p == nil {
				continue
			}
			for l := range c.In(p.chain) {
				if l.Name() == "listen" && l.NumArgs() > 0 {
					all = append(all, socketsOf(p, l)...)
				}
			}
		}
	}
	return all, nil
}

// socketsOf returns the sockets of a listen directive of a stream server.
func socketsOf(p *place, d *nginxconf.Directive) []stream {
	args := d.Args()
	s := stream{place: p, text: args[0], proxy: slices.Contains(args, "proxy_protocol"), tls: slices.Contains(args, "ssl")}
	suffix := ""
	if slices.Contains(args, "udp") {
		suffix = " udp" // another socket than that of TCP
	}
	host, ports := "", args[0]
	if i := strings.LastIndexByte(args[0], ':'); i >= 0 {
		host, ports = args[0][:i], args[0][i+1:]
	}
	first, last, isRange := strings.Cut(ports, "-")
	low, err := strconv.ParseUint(first, 10, 16)
	high := low
	if isRange {
		high, _ = strconv.ParseUint(last, 10, 16)
	}
	addr, err2 := netip.ParseAddr(strings.Trim(host, "[]"))
	if host == "" || host == "*" {
		addr, err2 = netip.IPv4Unspecified(), nil
	}
	if err != nil || err2 != nil || host == "unix" {
		s.text += suffix
		return []stream{s}
	}
	var all []stream
	for port := low; port <= high; port++ {
		s.at = netip.AddrPortFrom(addr, uint16(port))
		s.text = s.at.String() + suffix
		if suffix != "" {
			s.at = netip.AddrPort{} // no connection comes there
		}
		all = append(all, s)
	}
	return all
}

// stream returns the socket that a connection arrives at: a specific address
// hides any address.
func (j *Judge) stream(at netip.AddrPort) (stream, bool) {
	i := slices.IndexFunc(j.streams, func(s stream) bool { return s.at == at })
	if i < 0 {
		i = slices.IndexFunc(j.streams, func(s stream) bool {
			a := s.at.Addr()
			return s.at.Port() == at.Port() && a.IsValid() && a.IsUnspecified() && a.Is4() == at.Addr().Unmap().Is4()
		})
	}
	if i < 0 || at.Port() == 0 {
		return stream{}, false
	}
	return j.streams[i], true
}

// explainStream follows a connection to a server of the stream block. Who is
// denied is disconnected without a byte (nginx 1.22:
// ngx_stream_access_module, ngx_stream_realip_module).
func (j *Judge) explainStream(s stream, q *Query) (Explanation, error) {
	e := Explanation{Client: q.Client.Unmap().WithZone(""), Chain: s.chain}
	proxy, err := proxyHeader(q.Proxy)
	switch {
	case err != nil:
		return e, err
	case s.proxy && q.Proxy == "":
		return e, fmt.Errorf("nginxacl: %s wants a PROXY header, and closes a connection without", s.text)
	case !s.proxy && q.Proxy != "":
		return e, fmt.Errorf("nginxacl: %s takes no PROXY header", s.text)
	}
	e.step("find-server", s.pos, s.name+" takes connections to "+s.text)
	w := walk{j: j, q: q, proxy: proxy, peer: e.Client}
	if _, err := e.realIP("post-accept", s.place, e.Client, q, proxy); err != nil {
		return e.unknown("%v", err), nil
	}
	w.access(&e, s.place, &route.Match{})
	if e.Verdict == Denied {
		e.Status = 0
	}
	return e, nil
}

// streamSides compares the sockets of both stream blocks.
func (d *differ) streamSides() {
	side := func(j *Judge, text string) Side {
		for i := range j.streams {
			if s := &j.streams[i]; s.text == text {
				return s.side()
			}
		}
		// A server for any address may take the connections.
		if at, err := netip.ParseAddrPort(text); err == nil {
			if s, ok := j.stream(at); ok {
				return s.side()
			}
		}
		return Side{None: "no server listens there"}
	}
	var texts []string
	for _, j := range d.judges {
		for _, s := range j.streams {
			add(&texts, s.text)
		}
	}
	for _, text := range texts {
		c := Change{Before: side(d.judges[0], text), After: side(d.judges[1], text), Listens: []string{text}, comers: acl.Everybody()}
		if c.compare() {
			c.blocks = [2][]string{{c.Before.Name()}, {c.After.Name()}}
			d.order = append(d.order, &c)
		}
	}
}

// streamRows adds the servers of the stream block.
func (j *Judge) streamRows(rows Rows) Rows {
	for i := range j.streams {
		s := &j.streams[i]
		if n := len(rows); n > 0 && rows[n-1].Block() == s.chain[1] {
			rows[n-1].Listens = append(rows[n-1].Listens, s.text)
			continue
		}
		rows = append(rows, Row{Chain: s.chain, Listens: []string{s.text}, Side: s.side()})
	}
	return rows
}
