package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
)

// mimeTypes are the *_types directives of http, which name content types.
type mimeTypes struct {
	uses []typesUse
	sets map[typesOf]*typesSet // of blocks in which a directive came again
	long []typesUse            // with a type that is too long for nginx's hash
}

type typesUse struct {
	typesOf
	d    *nginxconf.Directive
	word int // of a long type
}

// typesOf is the list of types that the directives of one name make in a block.
type typesOf struct {
	b *block
	f *bound
}

type typesSet struct {
	all   bool // "*" was met: nothing is added any more
	types map[string]struct{}
}

// longestType is how long a type may be for the hash of a list. No directive
// sets the size of that.
const longestType = 46

// readMIMETypes reads gzip_types and its like (nginx 1.22: ngx_http_types_slot).
func readMIMETypes(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	m := &c.http.types
	list := typesOf{b, f}
	set := m.sets[list]
	if set == nil {
		again := c.again(b, f)
		if !again && d.NumArgs() <= 64 {
			c.fewTypes(list, d)
			return
		}
		set = &typesSet{types: map[string]struct{}{defaultType(f): {}}}
		for i := len(m.uses) - 1; again && i >= 0; i-- {
			if u := &m.uses[i]; u.typesOf == list {
				c.addTypes(set, u, true)
				break
			}
		}
		if m.sets == nil {
			m.sets = map[typesOf]*typesSet{}
		}
		m.sets[list] = set
	}
	if !set.all {
		m.uses = append(m.uses, typesUse{typesOf: list, d: d})
		c.addTypes(set, &m.uses[len(m.uses)-1], false)
	}
}

// defaultType is what a list has from the start: a page.
func defaultType(f *bound) string {
	if f.Name == "xslt_types" {
		return "text/xml"
	}
	return "text/html"
}

// fewTypes reads the first directive of a block.
func (c *checker) fewTypes(list typesOf, d *nginxconf.Directive) {
	m := &c.http.types
	m.uses = append(m.uses, typesUse{typesOf: list, d: d})
	var few [65]string
	few[0] = defaultType(list.f)
	types := few[:1]
next:
	for i := range d.NumArgs() {
		t := lower(d.Arg(i))
		if t == "*" {
			return
		}
		t = cstring(t)
		for _, old := range types {
			if t == old {
				c.duplicateType(d, i+1)
				continue next
			}
		}
		types = append(types, t)
		if len(t) > longestType {
			m.long = append(m.long, typesUse{list, d, i + 1})
		}
	}
}

// addTypes adds the types of a directive to a list; known are those that were
// reported.
func (c *checker) addTypes(set *typesSet, u *typesUse, known bool) {
	d := u.d
	for i := range d.NumArgs() {
		t := lower(d.Arg(i))
		if t == "*" {
			set.all = true
			return
		}
		if n := len(set.types); !known {
			if set.types[cstring(t)] = struct{}{}; n == len(set.types) {
				c.duplicateType(d, i+1)
			} else if len(t) > longestType {
				c.http.types.long = append(c.http.types.long, typesUse{u.typesOf, d, i + 1})
			}
		} else {
			set.types[cstring(t)] = struct{}{}
		}
	}
}

func (c *checker) duplicateType(d *nginxconf.Directive, i int) {
	c.warn(d, i, "duplicate-type", `duplicate MIME type "%s"`, lower(d.Arg(i-1)))
}

// mergeTypes reports lists of types that are used and that nginx cannot build a
// hash of (nginx 1.22: ngx_http_merge_types). It names no place.
func (c *checker) mergeTypes(h *httpMain) {
	for _, l := range h.types.long {
		if h.types.built(h, l.typesOf) {
			c.fail(l.d, l.word, "hash-size", "%s", hashRefusal("test_types_hash", hashEntry(longestType+1), 2048, 64))
			return
		}
	}
}

// built tells whether nginx makes a hash of a list: not of one with "*", and of
// that of the http block only for a server without a list of its own.
func (m *mimeTypes) built(h *httpMain, list typesOf) bool {
	own := map[*block]bool{}
	for _, u := range m.uses {
		if u.f != list.f {
			continue
		}
		own[u.b] = true
		for i := range u.d.NumArgs() {
			if u.b == list.b && u.d.Arg(i) == "*" {
				return false
			}
		}
	}
	if list.b != h.block {
		return true
	}
	for _, s := range h.servers {
		if !own[&s.root.block] {
			return true
		}
	}
	return false
}
