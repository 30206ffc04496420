package nginxacl

import (
	"fmt"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// streams reads the stream block: its place, or nil if there is none.
func (r *reader) streams() (*place, error) {
	for d := range r.c.In(nil) {
		if d.Name() == "stream" && d.Body() != nil {
			return r.place(nil, nginxconf.Context{d})
		}
	}
	return nil, nil
}

// stream returns what a query is to the stream block.
func (q *Query) stream() route.StreamRequest {
	if q.Unix {
		return route.StreamRequest{Unix: q.Socket}
	}
	return route.StreamRequest{Listen: q.Listen, UDP: q.UDP}
}

// explainStream follows a connection to the stream block. Who is denied is
// disconnected without a byte (nginx 1.22: ngx_stream_access_module,
// ngx_stream_realip_module).
func (j *Judge) explainStream(m *route.Match, q *Query) (Explanation, error) {
	e := Explanation{Chain: m.Chain}
	if len(m.Unsure) > 0 && m.Server == nil {
		return e.unknown("%s", m.Unsure[0]), nil
	}
	s, _ := j.router.StreamSocket(q.stream())
	proxy, err := proxyHeader(q.Proxy)
	switch {
	case err != nil:
		return e, err
	case s.ProxyProtocol && q.Proxy == "":
		return e, fmt.Errorf("nginxacl: %v wants a PROXY header, and closes a connection without", s)
	case !s.ProxyProtocol && q.Proxy != "":
		return e, fmt.Errorf("nginxacl: %v takes no PROXY header", s)
	}
	if !q.Unix {
		e.Client = s.Sees(q.Client)
	}
	at := j.streams.inner[m.Server]
	e.step("find-server", at.pos, at.name+" takes connections to "+s.String())
	peer := e.Client
	if _, err := e.realIP("post-accept", at, peer, q, proxy); err != nil {
		return e.unknown("%v", err), nil
	}
	asTLS := *q
	asTLS.TLS = s.TLS
	w := walk{j: j, q: &asTLS, proxy: proxy, peer: peer}
	w.access(&e, at, m)
	if e.Verdict == Denied {
		e.Status = 0
	}
	return e, nil
}

// streamSide is what becomes of connections to the stream block.
func (j *Judge) streamSide(q route.StreamRequest) Side {
	m, err := j.router.MatchStream(q)
	switch {
	case err != nil:
		return Side{None: "no server listens there"}
	case m.Server == nil:
		return Side{Reach: unsureReach("%s", m.Unsure[0])}
	}
	at := j.streams.inner[m.Server]
	side := Side{Chain: at.chain, Policy: &at.Policy, Server: &at.Policy, Reach: at.reach()}
	if s, ok := j.router.StreamSocket(q); ok && s.TLS && at.Certificate != nil {
		side.Reach = side.Reach.withLogin()
	}
	return side
}

func streamText(s route.Socket) string {
	if s.UDP {
		return s.String() + " udp"
	}
	return s.String()
}

// streamSides compares the sockets of both stream blocks.
func (d *differ) streamSides() {
	seen := map[string]bool{}
	for _, j := range d.judges {
		for s := range j.router.StreamSockets() {
			text := streamText(s)
			if seen[text] {
				continue
			}
			seen[text] = true
			q := route.StreamRequest{Listen: s.Listen, Unix: s.Unix, UDP: s.UDP}
			c := Change{
				Before: d.judges[0].streamSide(q), After: d.judges[1].streamSide(q), Listens: []string{text},
				comers: comers(route.Request{Listen: s.Listen, Unix: s.Unix}),
			}
			if c.compare() {
				c.blocks = [2][]string{{c.Before.Name()}, {c.After.Name()}}
				d.order = append(d.order, &c)
			}
		}
	}
}

// streamRows adds the servers of the stream block.
func (j *Judge) streamRows(rows Rows) Rows {
	if j.streams == nil {
		return rows
	}
	listens := map[*nginxconf.Directive][]route.Socket{}
	for s := range j.router.StreamSockets() {
		for srv := range s.Servers() {
			listens[srv] = append(listens[srv], s)
		}
	}
	for d := range j.config.In(j.streams.chain) {
		p := j.streams.inner[d]
		if p == nil {
			continue
		}
		row := Row{Chain: p.chain, Side: Side{Chain: p.chain, Policy: &p.Policy, Server: &p.Policy, Reach: p.reach()}}
		for _, s := range listens[d] {
			row.Listens = append(row.Listens, streamText(s))
			if s.TLS && p.Certificate != nil {
				row.Reach = row.Reach.withLogin()
			}
		}
		rows = append(rows, row)
	}
	return rows
}
