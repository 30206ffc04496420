// Package edits applies the edits of fixes, for tests.
package edits

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// Apply makes edits in a text; of equal ones it makes one. It refuses edits
// that overlap, and places that do not agree with the text.
func Apply(text string, edits []nginxconf.Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b nginxconf.Edit) int {
		return cmp.Or(cmp.Compare(a.Start.Offset, b.Start.Offset), cmp.Compare(a.End.Offset, b.End.Offset))
	})
	var out []byte
	at := 0
	made := map[nginxconf.Edit]bool{}
	for _, e := range edits {
		if made[e] {
			continue
		}
		made[e] = true
		for _, p := range []token.Position{e.Start, e.End} {
			if !stands(p, text) {
				return nil, fmt.Errorf("a fix edits %v, offset %d: there is no such place", p, p.Offset)
			}
		}
		if e.Start.Offset < at || e.End.Offset < e.Start.Offset {
			return nil, fmt.Errorf("a fix edits %v: another does too, or it ends before", e.Start)
		}
		out = append(append(out, text[at:e.Start.Offset]...), e.NewText...)
		at = e.End.Offset
	}
	return append(out, text[at:]...), nil
}

// stands tells whether the parts of a position agree.
func stands(p token.Position, text string) bool {
	if p.Offset < 0 || p.Offset > len(text) {
		return false
	}
	before := text[:p.Offset]
	return p.Line == strings.Count(before, "\n")+1 && p.Column == p.Offset-strings.LastIndexByte(before, '\n')
}
