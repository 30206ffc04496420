package nginxacl

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A Row is a server, a location or a limit_except of a configuration, or a
// server of its stream block, with who gets in there.
type Row struct {
	// Chain is that of the block, itself included.
	Chain nginxconf.Context
	// Listens are the sockets of the server, "0.0.0.0:443", and Names what
	// server_name says.
	Listens, Names []string
	// Side is what becomes of requests for it: what a server makes of URLs that
	// no location matches, a location of those that come to it.
	Side
}

// Matrix tells of every server and location, in the order of the files, who
// gets in, by which rules, and where they come from. The error is that of
// [New].
func Matrix(c *nginxconf.Config) (Rows, error) {
	j, err := New(c, nil)
	if err != nil {
		return nil, err
	}
	return j.Matrix(), nil
}

// Matrix is [Matrix].
func (j *Judge) Matrix() Rows {
	var rows Rows
	if j.top != nil {
		listens := map[*nginxconf.Directive][]route.Socket{}
		for s := range j.router.Sockets() {
			for srv := range s.Servers() {
				listens[srv] = append(listens[srv], s)
			}
		}
		for d := range j.config.In(j.top.chain) {
			if p := j.top.inner[d]; p != nil && d.Name() == "server" {
				rows = j.rows(rows, p, listens[d])
			}
		}
	}
	return j.streamRows(rows)
}

// rows adds those of a server.
func (j *Judge) rows(rows Rows, p *place, sockets []route.Socket) Rows {
	first := len(rows)
	row := Row{Names: slices.Collect(j.namesOf(p.chain[1]))}
	for _, s := range sockets {
		row.Listens = append(row.Listens, s.String())
	}
	var names []locationName
	var walk func(p *place)
	walk = func(p *place) {
		r := row
		r.Chain = p.chain
		r.Side = p.side(j)
		if p.Internal != nil {
			r.Reach = Reach{}
		}
		rows = append(rows, r)
		for d := range j.config.In(p.chain) {
			if inner := p.inner[d]; inner != nil {
				if d.Name() == "location" {
					names = append(names, nameOf(d))
				}
				walk(inner)
			}
		}
	}
	walk(p)
	// What answers before access is looked at, only a request can tell.
	if len(sockets) == 0 {
		return rows
	}
	s := sockets[0]
	q := route.Request{Listen: s.Listen, Unix: s.Unix, TLS: s.TLS, Method: "GET", Host: anyName + ".invalid"}
	for _, n := range row.Names {
		if hosts := hostsOf(n); len(hosts) > 0 {
			q.Host = hosts[0]
			break
		}
	}
	if q.TLS {
		q.ServerName = q.Host
	}
	done := map[*nginxconf.Directive]bool{}
	paths, _ := pathsOf(names)
	for _, path := range paths {
		q.URI = escape(path)
		side := j.expose(q).Side
		d := side.Block()
		if d == nil || done[d] {
			continue
		}
		for i := first; i < len(rows); i++ {
			if rows[i].Block() == d {
				rows[i].Side, done[d] = side, true
			}
		}
	}
	return rows
}

// Rows are what [Matrix] returns.
type Rows []Row

// WriteText writes the rows as lines, a server with its names first, with the
// names of the house for the clients.
func (rs Rows) WriteText(w io.Writer, names acl.Names) error {
	var b strings.Builder
	for i := range rs {
		r := &rs[i]
		d := r.Block()
		indent := strings.Repeat("    ", max(0, len(r.Chain)-2))
		if d.Name() == "server" {
			if i > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "%s (%s)\n", strings.Join(append([]string{"server"}, r.Names...), " "), d.Pos())
			fmt.Fprintf(&b, "    listens on %s\n", strings.Join(r.Listens, ", "))
		} else {
			fmt.Fprintf(&b, "%s%s (%s)\n", indent, words(d), d.Pos())
		}
		fmt.Fprintf(&b, "%s    %s\n", indent, r.who(names))
		fmt.Fprintf(&b, "%s    %s\n", indent, r.Why())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// who says who gets in.
func (r *Row) who(names acl.Names) string {
	switch {
	case r.Answer != nil && r.Reach.Open.IsEmpty():
		return fmt.Sprintf("nobody gets in: all are answered %d", r.Answer.Status)
	case r.Policy != nil && r.Policy.Internal != nil && r.Answer == nil:
		return "only nginx's own redirects get in"
	}
	return "lets in " + r.Reach.Describe(names)
}
