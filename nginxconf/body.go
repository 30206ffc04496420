package nginxconf

import "iter"

// A Body is what a file, or a block between its braces, holds.
type Body struct {
	list  []*Directive // nil where one was removed; see drop
	dead  uint32       // how many are nil
	owner *Directive   // nil for a file
	file  *File        // nil for a block that stands in no file
	src   *source      // of what was parsed with it
	edge  *edge        // what an edit wrote; nil: all is as in src

	// In src, "{ begin first; … last; rest }" has the offsets
	begin uint32 // where the line of the '{' is over
	rest  uint32 // behind the last directive
	end   uint32 // of the '}', or of the text
}

// An edge is the text at the ends of a body.
type edge struct {
	open  string // the rest of the line behind '{'
	close string // before '}' or the end of the file
	unset bool   // see Body.unset
}

// open returns the rest of the line behind '{'.
func (b *Body) open() string {
	switch {
	case b.edge != nil:
		return b.edge.open
	case b.owner == nil:
		return ""
	}
	return b.src.text[b.owner.termEnd():b.begin]
}

// close returns what stands before '}' or the end of the file.
func (b *Body) close() string {
	switch {
	case b.edge != nil:
		return b.edge.close
	case b.src == nil:
		return "" // a File that was not parsed
	}
	return b.src.text[b.rest:b.end]
}

// unset tells whether b is an empty block of NewBlock, which may be broken into
// lines.
func (b *Body) unset() bool { return b.edge != nil && b.edge.unset }

func (b *Body) setOpen(s string)  { b.own().open = s }
func (b *Body) setClose(s string) { b.own().close = s }

// own gives b an edge of its own, to be edited.
func (b *Body) own() *edge {
	if b.edge == nil {
		b.edge = &edge{open: b.open(), close: b.close()}
	}
	return b.edge
}

// setList makes l the directives of b.
func (b *Body) setList(l []*Directive) {
	for i, d := range l {
		d.at = uint32(i)
		d.up = b
	}
	b.list = l
	b.dead = 0
}

// Directives ranges over the directives of this level. The tree may be edited
// meanwhile: what is inserted is not seen, nor what is removed before the loop
// comes to it. So a loop may remove the directive it is at.
func (b *Body) Directives() iter.Seq[*Directive] {
	return func(yield func(*Directive) bool) {
		for _, d := range b.list {
			if d != nil && d.up == b && !yield(d) {
				return
			}
		}
	}
}

// All ranges over the directives of this level and all below, depth first, a
// block before what it holds. The tree may be edited meanwhile, as in
// [Body.Directives]. Includes are not followed: see [Config.All].
func (b *Body) All() iter.Seq[*Directive] {
	return func(yield func(*Directive) bool) {
		b.walk(0, func(d *Directive, _ int) bool { return yield(d) }, nil)
	}
}

// walk calls enter for each directive below b, and leave, unless it is nil,
// for each block behind what it holds; depth is that of the directives of b.
// It ends when enter returns false. It has a stack of its own: a file may nest
// deeper than a goroutine can.
func (b *Body) walk(depth int, enter func(d *Directive, depth int) bool, leave func(d *Directive, depth int)) {
	type level struct {
		body *Body
		rest []*Directive
	}
	stack := []level{{b, b.list}}
	for {
		top := &stack[len(stack)-1]
		if len(top.rest) == 0 {
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return
			}
			if leave != nil {
				leave(top.body.owner, depth+len(stack)-1)
			}
			continue
		}
		d := top.rest[0]
		top.rest = top.rest[1:]
		if d == nil || d.up != top.body {
			continue
		}
		if !enter(d, depth+len(stack)-1) {
			return
		}
		if d.body != nil && d.up == top.body { // not removed by enter
			stack = append(stack, level{d.body, d.body.list})
		}
	}
}

// Len returns how many directives stand at this level.
func (b *Body) Len() int { return len(b.list) - int(b.dead) }

// At returns the directive with index i of this level. It panics if there is
// none.
func (b *Body) At(i int) *Directive {
	if b.dead == 0 {
		return b.list[i]
	}
	for _, d := range b.list {
		if d == nil {
			continue
		}
		if i == 0 {
			return d
		}
		i--
	}
	panic("nginxconf: index out of range")
}

// Index returns the index of d among the directives of b, or -1.
func (b *Body) Index(d *Directive) int {
	if d.up != b {
		return -1
	}
	if b.dead == 0 {
		return int(d.at)
	}
	n := 0
	for _, e := range b.list[:d.at] {
		if e != nil {
			n++
		}
	}
	return n
}

// drop takes the directive at index i of the list out. Holes are closed now
// and then, in a new list, so that removing many of many stays cheap and loops
// over the old list go on.
func (b *Body) drop(i int) {
	b.list[i].up = nil
	b.list[i] = nil
	b.dead++
	if int(b.dead*b.dead) > len(b.list)+64 {
		b.compact()
	}
}

func (b *Body) compact() {
	if b.dead == 0 {
		return
	}
	l := make([]*Directive, 0, b.Len())
	for _, d := range b.list {
		if d != nil {
			l = append(l, d)
		}
	}
	b.setList(l)
}

// next returns the directive behind index i of the list, or nil.
func (b *Body) next(i int) *Directive {
	for _, d := range b.list[min(i+1, len(b.list)):] {
		if d != nil {
			return d
		}
	}
	return nil
}

// prev returns the directive before index i of the list, or nil.
func (b *Body) prev(i int) *Directive {
	for i--; i >= 0; i-- {
		if d := b.list[i]; d != nil {
			return d
		}
	}
	return nil
}
