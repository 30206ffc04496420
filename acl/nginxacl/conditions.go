package nginxacl

import (
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// conditions are the directives of a server and its locations that look at what
// a request says. One request is asked about in the name of all, so a change of
// these may matter to others.
func (j *Judge) conditions(chain nginxconf.Context) (all []*nginxconf.Directive) {
	if len(chain) < 2 {
		return nil
	}
	for _, block := range chain[1:] {
		for d := range j.config.In(nginxconf.Context{block}) {
			// URLs that match a rewrite are asked for, if there are samples.
			if d.Name() == "if" || d.Name() == "rewrite" && d.NumArgs() > 0 && len(samples(d.Arg(0))) == 0 {
				all = append(all, d)
			}
		}
	}
	// The maps that they ask.
	for n := 0; n < len(all); n++ {
		for name := range namesIn(all[n].String()) {
			if d := j.maps[name]; d != nil && !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
	}
	return all
}

// namesIn ranges over what may be names of variables in a text.
func namesIn(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			i := strings.IndexByte(text, '$')
			if i < 0 {
				return
			}
			text = strings.TrimPrefix(text[i+1:], "{")
			n := 0
			for n < len(text) && (text[n] == '_' || text[n] >= '0' && text[n] <= '9' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z') {
				n++
			}
			if n > 0 && !yield(strings.ToLower(text[:n])) {
				return
			}
		}
	}
}

// newConditions tells of the conditions of two sides that only one of them has:
// the first, as a note.
func (d *differ) newConditions(before, after *Side) string {
	b, a := d.conditionsOf(0, before.Chain), d.conditionsOf(1, after.Chain)
	if slices.EqualFunc(b, a, func(x, y *nginxconf.Directive) bool { return x.String() == y.String() }) {
		return ""
	}
	lacks := func(all []*nginxconf.Directive, text string) bool {
		return !slices.ContainsFunc(all, func(d *nginxconf.Directive) bool { return d.String() == text })
	}
	for _, c := range a {
		if lacks(b, c.String()) {
			return where(c) + " is new, so other requests may fare otherwise"
		}
	}
	for _, c := range b {
		if lacks(a, c.String()) {
			return where(c) + " is gone, so other requests may fare otherwise"
		}
	}
	return "conditions come in another order, so other requests may fare otherwise"
}

func (d *differ) conditionsOf(i int, chain nginxconf.Context) []*nginxconf.Directive {
	if len(chain) == 0 {
		return nil
	}
	key := conditionsKey{chain[len(chain)-1], chain[min(1, len(chain)-1)], i}
	all, known := d.conditions[key]
	if !known {
		all = d.judges[i].conditions(chain)
		d.conditions[key] = all
	}
	return all
}

// A conditionsKey is a block in a server: a file may be included in several.
type conditionsKey struct {
	block, server *nginxconf.Directive
	side          int
}
