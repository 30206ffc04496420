package validate

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// A location is a location block, or the server around it, or the http block.
// Blocks of if and limit_except have none of their own: theirs is the one
// around them, and the context of the block tells.
type location struct {
	block block
	last  *location // of those inside, which are a ring
	next  *location // in the ring: behind the last is the first
	name  string
}

// add puts a location inside.
func (l *location) add(inner *location) {
	if l.last == nil {
		inner.next = inner
	} else {
		inner.next, l.last.next = l.last.next, inner
	}
	l.last = inner
}

// inner returns the locations inside, in their order.
func (l *location) inner() iter.Seq[*location] {
	return func(yield func(*location) bool) {
		for in := l.last; in != nil; {
			if in = in.next; !yield(in) || in == l.last {
				return
			}
		}
	}
}

type locationKind uint8

const (
	prefixLocation locationKind = iota // "^~" too
	exactLocation
	regexLocation
	namedLocation
)

// readLocation reads a location block (nginx: ngx_http_core_location).
func readLocation(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	l := c.http.locationSlab.New()
	word := d.NumArgs()
	name := d.Arg(word - 1)
	kind, caseless := prefixLocation, false
	if word == 2 {
		switch modifier := d.Arg(0); modifier {
		case "=":
			kind = exactLocation
		case "^~":
		case "~":
			kind = regexLocation
		case "~*":
			kind, caseless = regexLocation, true
		default:
			c.fail(d, 1, "invalid-location", `invalid location modifier "%s"`, modifier)
			c.inside(b, d, directive.HTTPLocation)
			return
		}
	} else {
		switch {
		case strings.HasPrefix(name, "="):
			kind, name = exactLocation, name[1:]
		case strings.HasPrefix(name, "^~"):
			name = name[2:]
		case strings.HasPrefix(name, "~*"):
			kind, name, caseless = regexLocation, name[2:], true
		case strings.HasPrefix(name, "~"):
			kind, name = regexLocation, name[1:]
		case strings.HasPrefix(name, "@"):
			kind = namedLocation
		}
	}
	l.name = name
	ok := kind != regexLocation || c.regex(&c.http.variables, d, word, name, caseless)
	if up := b.location; ok && b.context == directive.HTTPLocation {
		ok = false
		switch {
		case up.block.kind == exactLocation:
			c.fail(d, word, "misplaced-location", `location "%s" cannot be inside the exact location "%s"`, name, up.name)
		case up.block.kind == namedLocation:
			c.fail(d, word, "misplaced-location", `location "%s" cannot be inside the named location "%s"`, name, up.name)
		case kind == namedLocation:
			c.fail(d, word, "misplaced-location", `named location "%s" can be on the server level only`, name)
		case kind != regexLocation && !strings.HasPrefix(cstring(name), cstring(up.name)):
			c.fail(d, word, "misplaced-location", `location "%s" is outside location "%s"`, name, up.name)
		default:
			ok = true
		}
	}
	if ok {
		b.location.add(l)
	}
	l.block = block{context: directive.HTTPLocation, up: b, d: d, kind: kind, server: b.server, location: l}
	c.within(&l.block)
}

// duplicateLocations reports locations of the same name, the innermost first
// and then in the order of their names, as nginx builds its trees (1.22:
// ngx_http_init_static_location_trees).
func (c *checker) duplicateLocations(up *location) {
	static := 0
	for l := range up.inner() {
		c.duplicateLocations(l)
		if l.block.kind <= exactLocation {
			static++
		}
	}
	if static < 2 {
		return
	}
	list := make([]*location, 0, static)
	for l := range up.inner() {
		if l.block.kind <= exactLocation {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b *location) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(b.block.kind, a.block.kind)) // "=" before its like
	})
	for i, l := range list[1:] {
		if before := list[i]; l.name == before.name && l.block.kind == before.block.kind {
			c.fail(l.block.d, l.block.d.NumArgs(), "duplicate-location", `duplicate location "%s"`, l.name)
		}
	}
}

var methods = [...]string{
	"GET", "HEAD", "POST", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "OPTIONS",
	"PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "PATCH",
}

// readLimitExcept reads a limit_except block (nginx: ngx_http_core_limit_except).
func readLimitExcept(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) {
		for i := range d.NumArgs() {
			v := cstring(d.Arg(i))
			if !slices.ContainsFunc(methods[:], func(m string) bool { return strings.EqualFold(m, v) }) {
				c.fail(d, i+1, "invalid-method", `invalid method "%s"`, d.Arg(i))
				break
			}
		}
	}
	c.inside(b, d, directive.HTTPLimitExcept)
}

// readRoot reads root and alias (nginx: ngx_http_core_root).
func readRoot(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	root, alias := b.kept("root"), b.kept("alias")
	isAlias := f.Name == "alias"
	switch {
	case isAlias && alias != nil, !isAlias && root != nil:
		c.refuse(d, "is duplicate")
		return
	case root != nil || alias != nil:
		earlier := "root"
		if alias != nil {
			earlier = "alias"
		}
		c.fail(d, 0, "duplicate-directive", `"%s" directive is duplicate, "%s" directive was specified earlier`, f.Name, earlier)
		return
	case isAlias && b.context == directive.HTTPLocation && b.location.block.kind == namedLocation:
		c.fail(d, 0, "misplaced-alias", `the "alias" directive cannot be used inside the named location`)
		return
	}
	v := d.Arg(0)
	if strings.Contains(v, "$") {
		for _, name := range [...]string{"document_root", "realpath_root"} {
			if s := cstring(v); strings.Contains(s, "$"+name) || strings.Contains(s, "${"+name+"}") {
				c.fail(d, 1, "invalid-variable", `the $%s variable cannot be used in the "%s" directive`, name, f.Name)
				return
			}
		}
		path := v
		if !isAlias {
			path = strings.TrimSuffix(path, "/")
		}
		if _, ok := c.http.variables.script(d, 1, path); !ok {
			return
		}
	}
	// alias in a location without a name is the same to nginx as root.
	if isAlias && b.location.name == "" && b.context != directive.HTTP {
		isAlias = false
	}
	if isAlias {
		b.keep("alias", d)
	} else {
		b.keep("root", d)
	}
}
