package nginxconf

import (
	"go/token"
	"sort"
	"sync"
	"unsafe"
)

// A span is a piece of a source, as byte offsets. 32 bits halve the tree;
// Parse refuses longer sources.
type span struct{ start, end uint32 }

// A source is a text that was parsed and the words found in it. It does not
// change once parsed.
type source struct {
	name  string
	text  string
	words []span // quotes included; a directive's words lie side by side

	// The directives in the order in which they start, in slabs: a tree of many
	// small nodes costs few allocations. The lists of the bodies hold numbers of
	// nodes, for pointers would be twice the size and work for the collector.
	nodes [][]Directive
	lists []uint32

	piece bool // a text handed to InsertText: nothing in it has a place in a file

	once  sync.Once
	lines []uint32 // offsets where lines start, once asked for
}

const (
	slabBits = 9
	slabSize = 1<<slabBits - 1 // a header makes it 24 KiB, a size class
)

// node returns a directive by its number: its slab, and the place in that.
func (s *source) node(number uint32) *Directive {
	return &s.nodes[number>>slabBits][number&(1<<slabBits-1)]
}

// newSource refers to text, which must not be changed afterwards.
func newSource(name string, text []byte) *source {
	return &source{name: name, text: unsafe.String(unsafe.SliceData(text), len(text))}
}

// position tells the place of a byte offset. Lines end at LF only, as nginx
// counts them; columns are bytes from 1.
func (s *source) position(off int) token.Position {
	if s == nil || s.piece {
		return token.Position{}
	}
	s.once.Do(func() {
		s.lines = append(s.lines, 0)
		for i := 0; i < len(s.text); i++ {
			if s.text[i] == '\n' {
				s.lines = append(s.lines, uint32(i+1))
			}
		}
	})
	line := sort.Search(len(s.lines), func(i int) bool { return int(s.lines[i]) > off })
	return token.Position{
		Filename: s.name,
		Offset:   off,
		Line:     line,
		Column:   off - int(s.lines[line-1]) + 1,
	}
}
