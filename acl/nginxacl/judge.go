package nginxacl

import (
	"go/token"
	"io/fs"
	"net/netip"
	"strings"
	"sync"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// Options say what a Judge may look at beside the configuration. Nil is the
// zero value.
type Options struct {
	// Version of nginx, such as "1.22.1"; "" is the newest. See
	// [acl.RealIP.Version].
	Version string
	// Files is the host's root directory, with its password files. nil: they are
	// looked for where the configuration was read from, and whether a password
	// is right is Unknown if they are not there.
	Files fs.FS
	// Resolve looks up the names in set_real_ip_from, as nginx does when it
	// starts; nil: whom they trust is Unknown.
	Resolve func(host string) ([]netip.Addr, error)
}

// A Judge knows all servers and locations of a configuration with their
// policies, for many questions. It describes the configuration as it was when
// New read it, and may be used from several goroutines.
type Judge struct {
	config *nginxconf.Config
	router *route.Router
	o      Options
	top    *place // of the http block
	// If there is one, all clients on unix sockets come to it.
	unix string
	geos map[string]*geo // by the variable, without "$"
	maps map[string]*nginxconf.Directive
	// As in a reader.
	asksClient, vague bool
	compared          []netip.Addr
	asksHost          bool

	streams *place // of the stream block, or nil
}

// A place is a block of the configuration with its policy. A file that is
// included twice stands in two places.
type place struct {
	*rules
	chain nginxconf.Context
	name  string // in words
	pos   token.Position
	inner map[*nginxconf.Directive]*place
}

// rules are a policy, compiled. Places that say nothing share those around
// them.
type rules struct {
	Policy
	lazy struct {
		table        lazy[*acl.Table]
		reach        lazy[Reach]
		texts, trust lazy[[]string]
	}
}

// lazy is a value that is made when it is first asked for.
type lazy[T any] struct {
	once  sync.Once
	value T
}

func (l *lazy[T]) get(make func() T) T {
	l.once.Do(func() { l.value = make() })
	return l.value
}

func (r *rules) table() *acl.Table {
	return r.lazy.table.get(func() *acl.Table { return acl.Compile(r.List) })
}

func (r *rules) reach() Reach {
	return r.lazy.reach.get(func() Reach { return reachOf(&r.Policy, nil) })
}

// texts are the rules, each with its place, and trust those of RealIP.
func (r *rules) texts() []string {
	return r.lazy.texts.get(func() []string { return texts(r.Origins) })
}

func (r *rules) trust() []string {
	return r.lazy.trust.get(func() []string { return texts(r.RealIP.Origins) })
}

func texts(ds []*nginxconf.Directive) []string {
	all := make([]string, len(ds))
	for i, d := range ds {
		all[i] = where(d)
	}
	return all
}

// New reads a configuration. The error is what nginx refuses it for, as far as
// servers, locations and access are concerned.
func New(c *nginxconf.Config, o *Options) (*Judge, error) {
	j := &Judge{config: c}
	if o != nil {
		j.o = *o
	}
	var err error
	if j.router, err = route.New(c); err != nil {
		return nil, err
	}
	sockets := 0
	for s := range j.router.Sockets() {
		if s.Unix != "" {
			j.unix = s.Unix
			sockets++
		}
	}
	if sockets != 1 {
		j.unix = ""
	}
	known := map[string]bool{}
	r := &reader{c: c, o: j.o, known: known}
	if j.streams, err = (&reader{c: c, o: j.o, known: known}).streams(); err != nil {
		return nil, err
	}
	for d := range c.In(nil) {
		if d.Name() == "http" && d.Body() != nil {
			if j.top, err = r.place(nil, nginxconf.Context{d}); err != nil {
				return nil, err
			}
			j.asksClient, j.vague, j.compared, j.asksHost = r.asksClient, r.vague, r.compared, r.asksHost
			j.maps = r.maps(j.top.chain)
			j.geos, err = r.geos(j.top.chain)
			return j, err
		}
	}
	return j, nil
}

// place reads a block and those in it. Without the block around it, up is nil.
func (r *reader) place(up *place, chain nginxconf.Context) (*place, error) {
	outer := &Policy{}
	if up != nil {
		outer = &up.Policy
	}
	p, blocks, err := r.read(outer, chain)
	if err != nil {
		return nil, err
	}
	d := chain[len(chain)-1]
	pl := &place{chain: chain, name: words(d), pos: d.Pos()}
	if up != nil && p == outer {
		pl.rules = up.rules
	} else {
		pl.rules = &rules{Policy: *p}
	}
	for _, d := range blocks {
		inner, err := r.place(pl, append(chain[:len(chain):len(chain)], d))
		if err != nil {
			return nil, err
		}
		if pl.inner == nil {
			pl.inner = map[*nginxconf.Directive]*place{}
		}
		pl.inner[d] = inner
	}
	return pl, nil
}

// at returns the place of the innermost block of a chain: the nearest one that
// may have rules, for an "if" has none of its own.
func (j *Judge) at(chain nginxconf.Context) *place {
	p := j.top
	for _, d := range chain[min(1, len(chain)):] {
		if inner := p.inner[d]; inner != nil {
			p = inner
		}
	}
	return p
}

// For is [For], for a place in the http block.
func (j *Judge) For(chain nginxconf.Context) (Policy, error) {
	if len(chain) > 0 && j.top != nil && chain[0] == j.top.chain[0] {
		return j.at(chain).Policy, nil
	}
	return For(j.config, chain)
}

// where is a directive with its place, for people.
func where(d *nginxconf.Directive) string { return d.Pos().String() + ": " + head(d) }

// head is a directive without what it has between braces.
func head(d *nginxconf.Directive) string {
	switch {
	case d.Body() != nil:
		return words(d)
	case strings.HasSuffix(d.Name(), "_by_lua_block"):
		return d.Name()
	}
	return d.String()
}
