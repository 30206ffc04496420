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
	// slash tells that there are some that a request without the slash at their
	// end is redirected to.
	slash bool
	// odd tells of names that some versions of nginx do not find: it stored
	// their length in a byte until 1.23.4, and a NUL ends them.
	odd *level
}

// A prefix is a name of locations: of one with "=", one without, or both.
type prefix struct {
	name  string
	exact *level
	inner *level
	// parent is the longest other name with an inner that name starts with, as
	// an index, or -1.
	parent int32
}

func (s *locations) add(name string, l *level) {
	if l.modifier == value.Regex || l.modifier == value.RegexCaseless {
		s.regex = append(s.regex, l)
		return
	}
	p := prefix{name: name, inner: l}
	if l.modifier == value.Exact {
		p.exact, p.inner = l, nil
	}
	s.list = append(s.list, p)
}

// A sorter sorts prefixes. Most names differ early behind what all of them start
// with, so eight bytes of each are compared first.
type sorter struct {
	keys []sortKey
	list []prefix
	open []int32
}

type sortKey struct {
	start uint64
	at    int
}

func (s *sorter) sort(list []prefix) {
	if len(list) < 2 {
		return
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
	s.list = append(s.list[:0], list...)
	slices.SortFunc(s.keys, func(a, b sortKey) int { // of equals the later last
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		return cmp.Or(strings.Compare(s.list[a.at].name, s.list[b.at].name), cmp.Compare(a.at, b.at))
	})
	for i, k := range s.keys {
		list[i] = s.list[k.at]
	}
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
		switch {
		case p.exact != nil && q.exact == nil:
			q.exact = p.exact
		case p.inner != nil && q.inner == nil:
			q.inner = p.inner
		case p.exact != nil:
			return p.exact
		default:
			return p.inner
		}
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
		l := p.level()
		if len(p.name)-within > 255 || strings.IndexByte(p.name, 0) >= 0 {
			s.odd = l
		}
		if p.inner != nil {
			open = append(open, int32(i))
		}
		s.slash = s.slash || len(p.name) > 1 && p.slash()
	}
	by.open = open
	return nil
}

func (p *prefix) level() *level {
	if p.exact != nil {
		return p.exact
	}
	return p.inner
}

// slash tells whether nginx redirects to the name: one of its two locations
// makes it do so for both.
func (p *prefix) slash() bool {
	return p.exact != nil && p.exact.slash || p.inner != nil && p.inner.slash
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
		if p.exact != nil {
			return p.exact, byName
		}
		return p.inner, byPrefix
	}
	if s.slash {
		k, same := slices.BinarySearchFunc(s.list[i:], path, compareWithSlash)
		if p := i + k; same && s.list[p].slash() {
			return s.list[p].level(), byRedirect
		}
	}
	for i--; i >= 0; i = int(s.list[i].parent) {
		if p := &s.list[i]; p.inner != nil && strings.HasPrefix(path, p.name) {
			return p.inner, byPrefix
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
