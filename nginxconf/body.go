package nginxconf

import "iter"

// A Body is what a file, or a block between its braces, holds.
type Body struct {
	owner *Directive // nil for a file
	file  *File      // nil for a block that stands in no file
	src   *source    // of what was parsed with it
	made  *contents  // what New or an edit made; nil: all is as in src

	// In src, "{ begin first; … last; rest }" has the offsets
	begin uint32 // where the line of the '{' is over
	rest  uint32 // behind the last directive
	end   uint32 // of the '}', or of the text

	first uint32 // number of its list in src
	n     uint32 // of directives
}

// contents is a body that is not, or no more, as in a source.
type contents struct {
	open  string       // the rest of the line behind '{'
	list  []*Directive // nil where one was removed; see drop
	holes int          // how many are nil
	close string       // before '}' or the end of the file
	unset bool         // see Body.unset
}

// open returns the rest of the line behind '{'.
func (b *Body) open() string {
	switch {
	case b.made != nil:
		return b.made.open
	case b.owner == nil:
		return ""
	}
	return b.src.text[b.owner.termEnd():b.begin]
}

// close returns what stands before '}' or the end of the file.
func (b *Body) close() string {
	switch {
	case b.made != nil:
		return b.made.close
	case b.src == nil:
		return "" // a File that was not parsed
	}
	return b.src.text[b.rest:b.end]
}

// unset tells whether b is an empty block of NewBlock, which may be broken into
// lines.
func (b *Body) unset() bool { return b.made != nil && b.made.unset }

func (b *Body) setOpen(s string)  { b.own().open = s }
func (b *Body) setClose(s string) { b.own().close = s }

// own gives b contents of its own, to be edited.
func (b *Body) own() *contents {
	if b.made == nil {
		m := &contents{open: b.open(), close: b.close()}
		for _, number := range b.numbers() {
			m.list = append(m.list, b.src.node(number))
		}
		b.made = m
	}
	return b.made
}

// setList makes l the directives of b.
func (b *Body) setList(l []*Directive) {
	for i, d := range l {
		d.at = uint32(i)
		d.up = b
	}
	m := b.own()
	m.list = l
	m.holes = 0
}

// slots is how many directives b has, and holes where one was removed.
func (b *Body) slots() int {
	if b.made != nil {
		return len(b.made.list)
	}
	return int(b.n)
}

// slot returns the directive at index i of the slots, or nil for a hole.
func (b *Body) slot(i int) *Directive {
	if b.made != nil {
		return b.made.list[i]
	}
	return b.src.node(b.numbers()[i])
}

// numbers returns those of the directives that b was parsed with.
func (b *Body) numbers() []uint32 {
	if b.n == 0 {
		return nil
	}
	return from(b.src.lists, b.first, int(b.n))
}

// A cursor goes over the directives that a body has when the cursor is made,
// without those that are removed meanwhile.
type cursor struct {
	body *Body
	list []*Directive

	// Instead of list, if the body was as parsed:
	src     *source
	numbers []uint32
}

func (b *Body) cursor() cursor {
	if b.made != nil {
		return cursor{body: b, list: b.made.list}
	}
	return cursor{body: b, src: b.src, numbers: b.numbers()}
}

// next returns the next directive, or nil.
func (c *cursor) next() *Directive {
	for len(c.list) > 0 {
		d := c.list[0]
		c.list = c.list[1:]
		if d != nil && d.up == c.body {
			return d
		}
	}
	for len(c.numbers) > 0 {
		d := c.src.node(c.numbers[0])
		c.numbers = c.numbers[1:]
		if d.up == c.body && d.n&moved == 0 {
			return d
		}
	}
	return nil
}

// Directives ranges over the directives of this level. The tree may be edited
// meanwhile: what is inserted is not seen, nor what is removed before the loop
// comes to it. So a loop may remove the directive it is at.
func (b *Body) Directives() iter.Seq[*Directive] {
	return func(yield func(*Directive) bool) {
		c := b.cursor()
		for d := c.next(); d != nil && yield(d); d = c.next() {
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
	stack := []cursor{b.cursor()}
	for {
		top := &stack[len(stack)-1]
		d := top.next()
		if d == nil {
			block := top.body.owner
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return
			}
			if leave != nil {
				leave(block, depth+len(stack)-1)
			}
			continue
		}
		if !enter(d, depth+len(stack)-1) {
			return
		}
		if d.body != nil && d.up == top.body { // not removed by enter
			stack = append(stack, d.body.cursor())
		}
	}
}

// Len returns how many directives stand at this level.
func (b *Body) Len() int {
	if b.made != nil {
		return len(b.made.list) - b.made.holes
	}
	return int(b.n)
}

// At returns the directive with index i of this level. It panics if there is
// none.
func (b *Body) At(i int) *Directive {
	if i < 0 || i >= b.Len() {
		panic("nginxconf: index out of range")
	}
	if b.made == nil || b.made.holes == 0 {
		return b.slot(i)
	}
	for _, d := range b.made.list {
		if d == nil {
			continue
		}
		if i == 0 {
			return d
		}
		i--
	}
	return nil
}

// Index returns the index of d among the directives of b, or -1.
func (b *Body) Index(d *Directive) int {
	if d.up != b {
		return -1
	}
	if b.made == nil || b.made.holes == 0 {
		return int(d.at)
	}
	n := 0
	for _, e := range b.made.list[:d.at] {
		if e != nil {
			n++
		}
	}
	return n
}

// drop takes the directive at index i of the slots out. Holes are closed now
// and then, in a new list, so that removing many of many stays cheap and loops
// over the old list go on.
func (b *Body) drop(i int) {
	m := b.own()
	m.list[i].up = nil
	m.list[i].n |= moved
	m.list[i] = nil
	m.holes++
	if m.holes*m.holes > len(m.list)+64 {
		b.compact()
	}
}

func (b *Body) compact() {
	if b.made == nil || b.made.holes == 0 {
		return
	}
	l := make([]*Directive, 0, b.Len())
	for _, d := range b.made.list {
		if d != nil {
			l = append(l, d)
		}
	}
	b.setList(l)
}

// next returns the directive behind index i of the slots, or nil.
func (b *Body) next(i int) *Directive {
	for i++; i < b.slots(); i++ {
		if d := b.slot(i); d != nil {
			return d
		}
	}
	return nil
}

// prev returns the directive before index i of the slots, or nil.
func (b *Body) prev(i int) *Directive {
	for i--; i >= 0; i-- {
		if d := b.slot(i); d != nil {
			return d
		}
	}
	return nil
}
