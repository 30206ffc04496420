package nginxconf

import (
	"go/token"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A span is a word in a source, as byte offsets. 32 bits halve the tree; Parse
// refuses longer sources.
type span struct{ start, stop uint32 }

// written is set in span.stop if the word does not mean just what is written:
// it has quotes or escapes.
const written = 1 << 31

func (w span) end() uint32 { return w.stop &^ written }

// A source is a text that was parsed and the words found in it. It does not
// change once parsed.
type source struct {
	name  string
	text  string
	piece bool // a text handed to InsertText: nothing in it has a place in a file

	// Slabs: a tree of many small things costs few allocations. The words of a
	// directive, quotes included, lie side by side in one slab, and so does the
	// list of a body. It holds the numbers of directives, for pointers would be
	// twice the size and work for the collector.
	nodes [][]Directive
	words [][]span
	lists [][]uint32

	asked atomic.Int32 // how often position counted lines
	once  sync.Once
	lines []uint32 // offsets where lines start, once asked for often
}

// few is how often it is quicker to count lines than to note where all start.
const few = 8

// The number of what lies in a slab is that of the slab and, below it, the place
// in that.
const (
	nodeBits = 9
	nodeSlab = 1<<nodeBits - 1 // a header makes it 24 KiB, a size class
	slabBits = 12
	slabSize = 1 << slabBits // of words and lists, which have no header
)

func (s *source) node(number uint32) *Directive {
	return &s.nodes[number>>nodeBits][number&(1<<nodeBits-1)]
}

// from returns the n things from a number on.
func from[T any](slabs [][]T, number uint32, n int) []T {
	return slabs[number>>slabBits][number&(slabSize-1):][:n]
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
	if s.asked.Load() < few {
		s.asked.Add(1)
		return token.Position{
			Filename: s.name,
			Offset:   off,
			Line:     1 + strings.Count(s.text[:off], "\n"),
			Column:   off - strings.LastIndexByte(s.text[:off], '\n'),
		}
	}
	s.once.Do(func() {
		s.lines = make([]uint32, 1, 1+strings.Count(s.text, "\n"))
		for at := 0; ; {
			i := strings.IndexByte(s.text[at:], '\n')
			if i < 0 {
				break
			}
			at += i + 1
			s.lines = append(s.lines, uint32(at))
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
