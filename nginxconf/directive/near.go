package directive

import (
	"cmp"
	"slices"
	"strings"
)

// Near returns the names of up to three directives that an unknown one may have
// been meant for, best first: those that differ in a few letters, of different
// case or with "-" for "_", or that it is the beginning of. A name that is
// known yields nil.
func (t *Table) Near(name string) []string {
	if _, known := t.names[name]; known || name == "" {
		return nil
	}
	type guess struct {
		name string
		cost int
	}
	var guesses []guess
	plain := plainName(name)
	limit := min(1+len(name)/5, 3)
	w := &words{}
	for known := range t.eachName() {
		cost := w.distance(plain, known, limit)
		switch {
		case cost <= limit && cost < len(known):
		case len(plain) >= 4 && strings.HasPrefix(known, plain):
			cost = limit + 1
		default:
			continue
		}
		guesses = append(guesses, guess{known, cost})
	}
	slices.SortStableFunc(guesses, func(a, b guess) int {
		return cmp.Or(
			cmp.Compare(a.cost, b.cost),
			cmp.Compare(common(b.name, plain), common(a.name, plain)),
			cmp.Compare(len(a.name), len(b.name)))
	})
	var names []string
	for _, g := range guesses[:min(len(guesses), 3)] {
		if g.cost > limit && guesses[0].cost <= limit {
			break // a longer name, where a misspelt one was found
		}
		names = append(names, g.name)
	}
	return names
}

// plainName spells a name as nginx's are: in lower case, with "_".
func plainName(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "-", "_")
}

// common returns the length of what a and b begin with.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// words holds the rows of a distance, to be used again for the next one.
type words struct{ before, above, row []int }

// distance returns how many bytes must be put in, left out, replaced or swapped
// with their neighbour to make b of a; a number above limit if it is more than
// that.
func (w *words) distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	w.before = append(w.before[:0], make([]int, len(b)+1)...)
	w.above = append(w.above[:0], make([]int, len(b)+1)...)
	w.row = append(w.row[:0], make([]int, len(b)+1)...)
	for j := range w.row {
		w.row[j] = j
	}
	for i := range len(a) {
		w.before, w.above, w.row = w.above, w.row, w.before
		w.row[0] = i + 1
		best := i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(w.above[j]+cost, w.above[j+1]+1, w.row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, w.before[j-1]+1)
			}
			w.row[j+1] = d
			best = min(best, d)
		}
		if best > limit {
			return limit + 1
		}
	}
	return w.row[len(b)]
}
