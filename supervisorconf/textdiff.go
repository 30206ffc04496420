package supervisorconf

import (
	"bytes"
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"
)

// Edits returns what to change in the text before to get after, in order and
// without overlap: whole lines in general, and within a changed line no more
// than what differs. The positions are those of before, in the file name.
//
// What an edited file differs in is Edits(f.Name, f.Original(), f.Bytes()).
func Edits(name string, before, after []byte) []Edit {
	src := newSource(name, string(before))
	a, b := splitLines(src.text), splitLines(string(after))
	offsets := make([]int, len(a)+1)
	for i, l := range a {
		offsets[i+1] = offsets[i] + len(l)
	}
	var edits []Edit
	for _, h := range hunks(a, b) {
		was, is := strings.Join(a[h.a0:h.a1], ""), strings.Join(b[h.b0:h.b1], "")
		start := commonPrefix(was, is)
		end := commonSuffix(was[start:], is[start:])
		edits = append(edits, Edit{
			Start:   src.position(offsets[h.a0] + start),
			End:     src.position(offsets[h.a1] - end),
			NewText: is[start : len(is)-end],
		})
	}
	return edits
}

// Apply makes edits in a text, such as those of a [Fix], and returns the new
// text. Edits that are equal count once. The error names one that overlaps
// with another, or whose place is not in the text: the text is then not the
// one the edit was made for. A place without a line is taken by its offset.
func Apply(src []byte, edits []Edit) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.Start.Offset, b.Start.Offset), cmp.Compare(a.End.Offset, b.End.Offset))
	})
	text := newSource("", string(src))
	stands := func(p token.Position) bool {
		if p.Offset < 0 || p.Offset > len(src) {
			return false
		}
		at := text.position(p.Offset)
		return p.Line == 0 || p.Line == at.Line && p.Column == at.Column
	}
	var out []byte
	at := 0
	made := map[Edit]bool{}
	for _, e := range edits {
		if made[e] {
			continue
		}
		made[e] = true
		for _, p := range []token.Position{e.Start, e.End} {
			if !stands(p) {
				return nil, fmt.Errorf("supervisorconf: %s: there is no such place to edit", p)
			}
		}
		if e.Start.Offset < at || e.End.Offset < e.Start.Offset {
			return nil, fmt.Errorf("supervisorconf: %s: the edit overlaps with another, or ends before it starts", e.Start)
		}
		out = append(append(out, src[at:e.Start.Offset]...), e.NewText...)
		at = e.End.Offset
	}
	return append(out, src[at:]...), nil
}

// Diff returns what changed in the file since it was parsed, or saved, as
// diff -u prints it, with three lines of context. It is nil if nothing did. It
// shows the text, secrets included.
func (f *File) Diff() []byte { return unified(f.Name, f.Original(), f.Bytes()) }

// unified returns a unified diff of two texts of the file name.
func unified(name string, before, after []byte) []byte {
	const context = 3
	a, b := splitLines(string(before)), splitLines(string(after))
	changes := hunks(a, b)
	if len(changes) == 0 {
		return nil
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	line := func(mark byte, text string) {
		out.WriteByte(mark)
		out.WriteString(text)
		if !endsLine(text) {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
	for len(changes) > 0 {
		// Changes whose contexts meet are printed as one.
		n := 1
		for n < len(changes) && changes[n].a0-changes[n-1].a1 <= 2*context {
			n++
		}
		first, last := changes[0], changes[n-1]
		before := min(context, first.a0)
		behind := min(context, len(a)-last.a1)
		fmt.Fprintf(&out, "@@ -%s +%s @@\n",
			lineRange(first.a0-before, last.a1+behind), lineRange(first.b0-before, last.b1+behind))
		at := first.a0 - before
		for _, h := range changes[:n] {
			for ; at < h.a0; at++ {
				line(' ', a[at])
			}
			for ; at < h.a1; at++ {
				line('-', a[at])
			}
			for _, l := range b[h.b0:h.b1] {
				line('+', l)
			}
		}
		for end := at + behind; at < end; at++ {
			line(' ', a[at])
		}
		changes = changes[n:]
	}
	return out.Bytes()
}

func lineRange(from, to int) string {
	switch to - from {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func splitLines(s string) []string { return slices.Collect(strings.Lines(s)) }

// A hunk says that lines a0 to a1 of one text are lines b0 to b1 of another.
type hunk struct{ a0, a1, b0, b1 int }

// hunks compares two texts by the lines that stand in each of them just once:
// the longest series of these that has the same order in both holds them
// together. That takes n log n steps, and reads better than the shortest
// difference where lines repeat.
func hunks(a, b []string) []hunk {
	type count struct{ inA, inB, atA, atB int }
	seen := map[string]*count{}
	for i, l := range a {
		c := seen[l]
		if c == nil {
			c = &count{}
			seen[l] = c
		}
		c.inA, c.atA = c.inA+1, i
	}
	for i, l := range b {
		if c := seen[l]; c != nil {
			c.inB, c.atB = c.inB+1, i
		}
	}
	var pairs [][2]int
	for i, l := range a {
		if c := seen[l]; c.inA == 1 && c.inB == 1 {
			pairs = append(pairs, [2]int{i, c.atB})
		}
	}
	anchors := append(increasing(pairs), [2]int{len(a), len(b)})

	var out []hunk
	x, y := 0, 0 // up to where the texts are compared
	for _, p := range anchors {
		if p[0] < x || p[1] < y {
			continue // the equal lines around an anchor before reach this one
		}
		h := hunk{x, p[0], y, p[1]}
		for h.a0 < h.a1 && h.b0 < h.b1 && a[h.a0] == b[h.b0] {
			h.a0++
			h.b0++
		}
		for h.a0 < h.a1 && h.b0 < h.b1 && a[h.a1-1] == b[h.b1-1] {
			h.a1--
			h.b1--
		}
		if h.a0 < h.a1 || h.b0 < h.b1 {
			out = append(out, h)
		}
		x, y = p[0], p[1]
		for x < len(a) && y < len(b) && a[x] == b[y] {
			x++
			y++
		}
	}
	return out
}

// increasing returns a longest part of pairs, which are in order of their
// first numbers, that is also in order of the second.
func increasing(pairs [][2]int) [][2]int {
	ends := []int{}                 // the pair that the best series of each length ends with
	prev := make([]int, len(pairs)) // the pair before each in its series
	for i, p := range pairs {
		n, _ := slices.BinarySearchFunc(ends, p[1], func(e, y int) int { return pairs[e][1] - y })
		prev[i] = -1
		if n > 0 {
			prev[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
	}
	if len(ends) == 0 {
		return nil
	}
	out := make([][2]int, len(ends))
	for i, k := ends[len(ends)-1], len(out)-1; k >= 0; i, k = prev[i], k-1 {
		out[k] = pairs[i]
	}
	return out
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
