package route

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf/value"
)

// locations are those inside one level. What they answer for names is what
// nginx's tree does (nginx 1.22: ngx_http_core_find_static_location).
type locations struct {
	list  []prefix // by name
	regex []*level // in the order of the files
	twins []*level
	// slash tells that there are some that a request without the slash at their
	// end is redirected to.
	slash bool
	// odd tells of names that some versions of nginx do not find: it stored
	// their length in a byte until 1.23.4, and a NUL ends them.
	odd *level
}

// A prefix is a name of locations: of one with "=", one without, or both.
type prefix struct {
	name string
	// level is one of them; twin the one without "=" beside one that has it, as
	// an index of locations.twins plus 1.
	level *level
	twin  int32
	// parent is the longest other name with an inner that name starts with, as
	// an index, or -1.
	parent int32
}

// A sorter sorts prefixes. Many servers have the same names in the same order,
// so that of the last ones is tried first. Most names differ early behind what all
// of them start with, so eight bytes of each are compared next.
type sorter struct {
	names []string // of the last list, as it was
	keys  []sortKey
	list  []prefix
	open  []int32
}

type sortKey struct {
	start uint64
	at    int
}

func (s *sorter) sort(list []prefix) {
	if len(list) < 2 {
		return
	}
	if !slices.EqualFunc(list, s.names, func(p prefix, name string) bool { return p.name == name }) {
		s.order(list)
	}
	s.list = append(s.list[:0], list...)
	for i, k := range s.keys {
		list[i] = s.list[k.at]
	}
}

// order finds the order of a list.
func (s *sorter) order(list []prefix) {
	s.names = s.names[:0]
	for i := range list {
		s.names = append(s.names, list[i].name)
	}
	same := len(list[0].name)
	for i := range list[1:] {
		a, b := list[i].name, list[i+1].name
		n := 0
		for n < same && n < len(b) && a[n] == b[n] {
			n++
		}
		same = n
	}
	s.keys = s.keys[:0]
	for i := range list {
		var key [8]byte
		copy(key[:], list[i].name[same:])
		s.keys = append(s.keys, sortKey{binary.BigEndian.Uint64(key[:]), i})
	}
	slices.SortFunc(s.keys, func(a, b sortKey) int { // of equals the later last
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		return cmp.Or(strings.Compare(list[a.at].name, list[b.at].name), cmp.Compare(a.at, b.at))
	})
}

// build makes a list of the prefixes that were added. It returns a location
// that there is twice, or nil.
func (s *locations) build(by *sorter) (duplicate *level) {
	by.sort(s.list)
	list := s.list[:0]
	for _, p := range s.list {
		last := len(list) - 1
		if last < 0 || list[last].name != p.name {
			list = append(list, p)
			continue
		}
		q := &list[last]
		if p.level.isExact() == q.level.isExact() || q.twin > 0 {
			return p.level
		}
		if q.level.isExact() {
			p.level, q.level = q.level, p.level
		}
		s.twins = append(s.twins, q.level)
		q.level, q.twin = p.level, int32(len(s.twins))
	}
	s.list = list
	open := by.open[:0] // inner prefixes of the name at hand
	for i := range list {
		p := &list[i]
		for len(open) > 0 && !strings.HasPrefix(p.name, list[open[len(open)-1]].name) {
			open = open[:len(open)-1]
		}
		within := 0
		p.parent = -1
		if len(open) > 0 {
			p.parent = open[len(open)-1]
			within = len(list[p.parent].name)
		}
		l := p.level
		if len(p.name)-within > 255 || strings.IndexByte(p.name, 0) >= 0 {
			s.odd = l
		}
		if s.inner(p) != nil {
			open = append(open, int32(i))
		}
		s.slash = s.slash || len(p.name) > 1 && s.redirects(p)
	}
	by.open = open
	return nil
}

func (l *level) isExact() bool { return l.modifier == value.Exact }

func (l *level) isRegex() bool {
	return l.modifier == value.Regex || l.modifier == value.RegexCaseless
}

// inner returns the location without "=", or nil.
func (s *locations) inner(p *prefix) *level {
	switch {
	case p.twin > 0:
		return s.twins[p.twin-1]
	case p.level.isExact():
		return nil
	}
	return p.level
}

// redirects tells whether nginx redirects to the name: one of its two locations
// makes it do so for both.
func (s *locations) redirects(p *prefix) bool {
	return p.level.slash || p.twin > 0 && s.twins[p.twin-1].slash
}

// How a location was found.
type found uint8

const (
	nothing    found = iota
	byPrefix         // nested locations and regular expressions may still win
	byName           // the path is the name, and the location has "="
	byRedirect       // the path lacks the slash at the name's end
)

func (s *locations) find(path string) (*level, found) {
	// The last name that is not behind path: the longest prefix of path is it
	// or one of its prefixes.
	i, same := slices.BinarySearchFunc(s.list, path, func(p prefix, path string) int { return strings.Compare(p.name, path) })
	if same {
		p := &s.list[i]
		if p.level.isExact() {
			return p.level, byName
		}
		return p.level, byPrefix
	}
	if s.slash {
		k, same := slices.BinarySearchFunc(s.list[i:], path, compareWithSlash)
		if p := i + k; same && s.redirects(&s.list[p]) {
			return s.list[p].level, byRedirect
		}
	}
	for i--; i >= 0; i = int(s.list[i].parent) {
		if p := &s.list[i]; strings.HasPrefix(path, p.name) {
			if inner := s.inner(p); inner != nil {
				return inner, byPrefix
			}
		}
	}
	return nil, nothing
}

// compareWithSlash compares a name with path and a slash.
func compareWithSlash(p prefix, path string) int {
	n := min(len(p.name), len(path))
	if c := strings.Compare(p.name[:n], path); c != 0 || n < len(path) {
		return c
	}
	return strings.Compare(p.name[n:], "/")
}
