package nginxconf

import (
	"slices"
	"strings"
)

// SetArgs replaces the directive's arguments. An argument that stays the same
// stays as written; one that changes keeps its quotes. Nothing else changes.
func (d *Directive) SetArgs(args ...string) {
	m := d.own()
	if d.n&lua != 0 {
		d.setLua(args)
		return
	}
	words := make([]word, 1, len(args)+1)
	words[0] = m.words[0]
	for i, a := range args {
		if i+1 >= len(m.words) {
			words = append(words, word{gap: " ", raw: quote(a, 0), off: -1})
			continue
		}
		w := m.words[i+1]
		w.set(a)
		words = append(words, w)
	}
	m.words = words
	m.partBrace()
}

// SetArg replaces argument i, from 0, and keeps its quotes. It panics if there
// is no such argument.
func (d *Directive) SetArg(i int, value string) {
	if i < 0 {
		panic("nginxconf: negative argument index")
	}
	if d.n&lua != 0 && i == d.NumArgs()-1 {
		d.own().words[i+1].raw = value
		return
	}
	d.own().words[i+1].set(value)
	d.made.partBrace()
}

// setLua replaces the arguments of a directive whose last one is Lua code.
func (d *Directive) setLua(args []string) {
	if len(args) == 0 {
		panic("nginxconf: a Lua block needs its code")
	}
	code := d.made.words[len(d.made.words)-1]
	d.made.words = d.made.words[:len(d.made.words)-1]
	d.n &^= lua
	d.SetArgs(args[:len(args)-1]...)
	d.n |= lua
	code.raw = args[len(args)-1]
	d.made.words = append(d.made.words, code)
}

// SetName renames the directive. It panics if one of the two names takes Lua
// code and the other does not.
func (d *Directive) SetName(name string) {
	if isLua(name) != (d.n&lua != 0) {
		panic("nginxconf: a Lua block stays one")
	}
	w := &d.own().words[0]
	w.set(name)
	w.gap = ""
	d.made.partBrace()
}

func (w *word) set(value string) {
	if unquote(w.raw) == value {
		return
	}
	var like byte
	if c := w.raw[0]; c == '"' || c == '\'' {
		like = c
	}
	w.raw, w.off = quote(value, like), -1
	if w.gap == "" {
		w.gap = " " // only ")" may stand right behind a quote
	}
}

// Remove takes the directive out of its tree, with the comments that belong to
// it. Comments set apart by a blank line stay. A directive that stands nowhere
// stays as it is.
func (d *Directive) Remove() {
	if d.up != nil {
		d.up.detach(d)
	}
}

// Replace puts directives in the place of d. The comments that belong to d stay,
// with the first and the last of them, unless those bring their own. It panics
// if d stands nowhere.
func (d *Directive) Replace(ds ...*Directive) {
	b := d.up
	if b == nil {
		panic("nginxconf: the directive stands nowhere")
	}
	i := b.Index(d)
	for _, e := range ds { // they may stand before d
		if e.up == b && b.Index(e) < i {
			i--
		}
	}
	ends := endsLine(d.tail())
	b.Insert(i, ds...)
	if slices.Contains(ds, d) {
		return
	}
	b.detach(d)
	if len(ds) == 0 {
		return
	}
	from := d.made
	if to := ds[0]; strings.Contains(from.lead, "#") && !strings.Contains(attached(to.lead()), "#") && to.startsLine() {
		// A lead may start with the newline of the line before.
		indent := indentation(to.lead())
		lines := strings.TrimSuffix(to.lead(), indent)
		to.own().lead = lines + comments(from.lead, to.indent(), b.newline()) + indent
	}
	to := ds[len(ds)-1]
	if strings.Contains(from.tail, "#") && !strings.Contains(to.tail(), "#") {
		tail := from.tail + to.tail()
		if !endsLine(tail) && !b.lineEnds(int(to.at)) {
			tail += b.newline()
		}
		to.own().tail = tail
	}
	if !ends && b.owner == nil && b.close() == "" && b.next(int(to.at)) == nil {
		to.own().tail, _ = cutLine(to.tail()) // as the file ended before
	}
}

// CommentOut turns the directive into comment lines in its place. The comments
// that belong to it stay. Take out the "# " of each line, and it is back.
func (d *Directive) CommentOut() {
	b := d.up
	if b == nil {
		panic("nginxconf: the directive stands nowhere")
	}
	nl, indent := b.newline(), d.indent()
	var lines strings.Builder
	rest, _ := cutLine(d.tail())
	for k, line := range strings.Split(d.String()+rest, "\n") {
		if k > 0 {
			line = strings.TrimPrefix(line, indent)
			lines.WriteString(indent)
		}
		lines.WriteString(strings.TrimRight("# "+line, " \t\r") + nl)
	}
	i := int(d.at)
	if !b.lineBefore(i) || !endsLine(d.tail()) {
		// It shares its line with others, which the comment must not swallow.
		k := b.Index(d)
		b.detach(d)
		b.adoptComments(k, lines.String())
		return
	}
	text := d.lead() + lines.String()
	if next := b.next(i); next != nil {
		next.own().lead = text + next.lead()
	} else {
		b.setClose(text + b.close())
	}
	d.own().tail = ""
	b.drop(i)
}

// Upsert sets the arguments of the first directive of that name at this level.
// If there is none, it makes one, behind the last simple directive of the
// level. It returns the directive.
func (b *Body) Upsert(name string, args ...string) *Directive {
	at, i := 0, 0
	for d := range b.Directives() {
		if d.Name() == name {
			d.SetArgs(args...)
			return d
		}
		if i++; d.body == nil {
			at = i
		}
	}
	d := New(name, args...)
	b.Insert(at, d)
	return d
}

// Append puts directives behind the last one; see [Body.Insert].
func (b *Body) Append(ds ...*Directive) { b.insert(-1, ds) }

// Insert puts directives before the one with index i of this level, or behind
// the last if i is Len. They are laid out like their neighbours: indentation,
// newlines, one line or several. A directive that stands in a tree is taken
// from there first, with the comments that belong to it; i counts what is left
// then. Insert panics if i is out of range or if b is inside one of ds.
func (b *Body) Insert(i int, ds ...*Directive) {
	if i < 0 {
		panic("nginxconf: negative index")
	}
	b.insert(i, ds)
}

// insert is Insert, and Append if i is -1.
func (b *Body) insert(i int, ds []*Directive) {
	for _, d := range ds {
		if d.body != nil {
			for up := b; up != nil; up = up.above() {
				if up == d.body {
					panic("nginxconf: a block cannot be put into itself")
				}
			}
		}
		d.Remove()
	}
	if i < 0 {
		i = b.Len()
	}
	if i > b.Len() {
		panic("nginxconf: index out of range")
	}
	for k, d := range ds {
		b.insertOne(i+k, d)
	}
}

// above returns the body around the block that b belongs to.
func (b *Body) above() *Body {
	if b.owner == nil {
		return nil
	}
	return b.owner.up
}

func (b *Body) insertOne(i int, d *Directive) {
	if i == b.Len() {
		// What holds a reader's loop sees its own length only.
		b.layOut(b.slots(), d)
		m := b.own()
		d.at = uint32(len(m.list))
		m.list = append(m.list, d)
	} else {
		b.compact()
		b.layOut(i, d)
		l := b.own().list
		b.setList(slices.Concat(l[:i], []*Directive{d}, l[i:]))
	}
	d.up = b
	b.made.unset = false
	d.setFile(b.file)
}

// setFile tells the blocks of a directive which file they stand in now.
func (d *Directive) setFile(f *File) {
	if d.body == nil {
		return
	}
	d.body.file = f
	for e := range d.body.All() {
		if e.body != nil {
			e.body.file = f
		}
	}
}

// InsertText parses text and puts its directives where [Body.Insert] would,
// with the comments in it. Its indentation and newlines become those of the
// place. If text has syntax errors, nothing is inserted and they are returned,
// with places in the text.
func (b *Body) InsertText(i int, text string) error {
	if i < 0 || i > b.Len() {
		panic("nginxconf: index out of range")
	}
	f, err := Parse("", []byte(text))
	if err != nil {
		return err
	}
	f.src.piece = true
	rest := strings.TrimRight(trimBlankLines(f.close()), " \t\r\n")
	ds := f.release()
	b.insert(i, ds)
	if len(ds) == 0 && rest == "" {
		return nil
	}
	b.adoptComments(i+len(ds), rest)
	return nil
}

// release takes all directives out of a parsed text, each with all the comment
// lines above it, and leaves the text behind.
func (f *File) release() []*Directive {
	ds := slices.Collect(f.Directives())
	starts := true
	for k, d := range ds {
		m := d.own()
		switch {
		case !starts && !strings.Contains(m.lead, "\n"):
			m.lead = ""
		case k == 0:
			m.lead = trimBlankLines(m.lead)
		}
		var newline string
		m.tail, newline = cutLine(m.tail)
		starts = newline != ""
		d.up = nil
	}
	f.own().list = nil
	return ds
}
