package nginxconf

import (
	"iter"
	"slices"
	"strings"
)

// Find ranges over the directives at the end of a path: at each step those
// with the step's name, in the blocks that the step before found, in file
// order.
//
//	f.Find("http", "server", "listen")
//	f.Find("http", "server[server_name=scout.example.se]", "location[/]", "proxy_pass")
//
// A name may be followed by selectors in brackets, all of which must hold:
// "[directive=value]" asks for a directive of that name in the block with that
// argument among its own, "[argument …]" for exactly these arguments, with one
// blank between them ("location[= /status]"). "*" stands for any name.
//
// The tree may be edited meanwhile, as in [Body.Directives]. Includes are not
// followed: see [Config.Find].
func (b *Body) Find(path ...string) iter.Seq[*Directive] {
	return find(path, b.Directives(), func(d *Directive) iter.Seq[*Directive] { return d.body.Directives() })
}

// Query is [Body.Find] for a path in one text, its steps joined by slashes.
// Slashes in brackets are not among them.
//
//	f.Query("http/server[server_name=scout.example.se]/location[/]/proxy_pass")
func (b *Body) Query(path string) iter.Seq[*Directive] { return b.Find(splitPath(path)...) }

func splitPath(path string) (steps []string) {
	depth, start := 0, 0
	for i := range len(path) {
		switch path[i] {
		case '[':
			depth++
		case ']':
			depth = max(depth-1, 0)
		case '/':
			if depth == 0 {
				steps = append(steps, path[start:i])
				start = i + 1
			}
		}
	}
	return append(steps, path[start:])
}

// find walks down a path; within lists what a block holds.
func find(path []string, level iter.Seq[*Directive], within func(*Directive) iter.Seq[*Directive]) iter.Seq[*Directive] {
	steps := make([]step, len(path))
	for i, p := range path {
		steps[i] = parseStep(p)
	}
	return func(yield func(*Directive) bool) {
		var down func(depth int, level iter.Seq[*Directive]) bool
		down = func(depth int, level iter.Seq[*Directive]) bool {
			for d := range level {
				if !steps[depth].matches(d, within) {
					continue
				}
				if depth == len(steps)-1 {
					if !yield(d) {
						return false
					}
				} else if d.body != nil && !down(depth+1, within(d)) {
					return false
				}
			}
			return true
		}
		if len(steps) > 0 {
			down(0, level)
		}
	}
}

// A step is one element of a path.
type step struct {
	name   string
	wanted []selector
}

type selector struct{ name, value string } // name "": value is all arguments

func parseStep(s string) step {
	name, rest, found := strings.Cut(s, "[")
	if !found || !strings.HasSuffix(rest, "]") {
		return step{name: s}
	}
	st := step{name: name}
	for sel := range strings.SplitSeq(strings.TrimSuffix(rest, "]"), "][") {
		key, value, found := strings.Cut(sel, "=")
		if !found || !isDirectiveName(key) {
			key, value = "", sel
		}
		st.wanted = append(st.wanted, selector{key, value})
	}
	return st
}

// isDirectiveName tells "server_name=x" from an argument that holds a "=".
func isDirectiveName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (st *step) matches(d *Directive, within func(*Directive) iter.Seq[*Directive]) bool {
	if st.name != "*" && d.Name() != st.name {
		return false
	}
	for _, sel := range st.wanted {
		if sel.name == "" {
			if strings.Join(d.Args(), " ") != sel.value {
				return false
			}
			continue
		}
		if d.body == nil {
			return false
		}
		has := func(e *Directive) bool { return e.Name() == sel.name && slices.Contains(e.Args(), sel.value) }
		found := false
		for e := range within(d) {
			if has(e) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
