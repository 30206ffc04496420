package nginxconf

import "strings"

// How text is laid out around what an edit inserts, moves or removes.
//
// A directive that stands nowhere has a lead of whole comment lines and an
// indentation, or nothing, and a tail without a newline. layOut gives it the
// lines of its place, detach takes them away.

const defaultStep = "    " // nginx's own style

func endsLine(s string) bool { return strings.HasSuffix(s, "\n") }

// indentation returns the blanks at the start of the last line of a lead.
func indentation(lead string) string { return lead[strings.LastIndexByte(lead, '\n')+1:] }

// cutLine splits a tail into what stands on the line and its newline.
func cutLine(tail string) (text, newline string) {
	text = strings.TrimSuffix(tail, "\n")
	text = strings.TrimSuffix(text, "\r")
	return text, tail[len(text):]
}

// lineBefore tells whether index i of the slots is at the start of a line.
func (b *Body) lineBefore(i int) bool {
	if p := b.prev(i); p != nil {
		return endsLine(p.tail())
	}
	return b.owner == nil || endsLine(b.open())
}

// lineEnds tells whether nothing stands behind index i of the slots on its line
// but what is in its tail.
func (b *Body) lineEnds(i int) bool {
	var text string
	if next := b.next(i); next != nil {
		text = next.lead()
	} else if text = b.close(); b.owner == nil && text == "" {
		return true
	}
	return strings.HasPrefix(strings.TrimLeft(text, " \t\r"), "\n")
}

// startsLine tells whether d is the first on its line.
func (d *Directive) startsLine() bool {
	return d.up == nil || strings.Contains(d.lead(), "\n") || d.up.lineBefore(int(d.at))
}

// detach takes d out of b and leaves clean text: the comments that belong to d
// go with it, detached ones go to what follows.
func (b *Body) detach(d *Directive) {
	i := int(d.at)
	m := d.own()
	own := ""
	starts := b.lineBefore(i)
	if starts || strings.Contains(m.lead, "\n") {
		own = attached(m.lead)
	}
	left := m.lead[:len(m.lead)-len(own)] // detached comments and blank lines
	text, newline := cutLine(m.tail)
	switch {
	case strings.Contains(left, "#"):
		b.giveLead(i, left)
	case !starts && newline != "":
		// The last of several on a line: the line still ends.
		if p := b.prev(i); p != nil {
			p.own().tail += newline
		} else {
			b.setOpen(b.open() + newline)
		}
	case starts && newline == "":
		// The first of several: what follows takes its indentation.
		if next := b.next(i); next != nil {
			if !strings.Contains(next.lead(), "\n") {
				next.own().lead = indentation(own)
			}
		} else if b.owner != nil && strings.Trim(b.close(), " \t") == "" {
			b.setClose(b.owner.indent())
		}
	}
	m.lead, m.tail = own, text
	b.drop(i)
}

// giveLead puts detached comment lines, which end in a blank line, before what
// follows index i of the slots.
func (b *Body) giveLead(i int, left string) {
	next := b.next(i)
	if next == nil {
		b.setClose(strings.TrimRight(left, " \t\r\n") + b.newline() + b.close())
		return
	}
	rest := next.lead()
	if blank, more, found := strings.Cut(rest, "\n"); found && strings.TrimSpace(blank) == "" {
		rest = more // one blank line, not two
	}
	next.own().lead = left + rest
}

// comments returns the comment lines of a lead, for an indentation.
func comments(lead, indent, nl string) string {
	var out strings.Builder
	for line := range strings.Lines(lead) {
		if line = strings.TrimSpace(line); line != "" {
			out.WriteString(indent + line + nl)
		}
	}
	return out.String()
}

// layOut gives d, which stands nowhere, the lines of its place: before index i
// of the slots, or behind the last.
func (b *Body) layOut(i int, d *Directive) {
	nl := b.newline()
	m := d.own()
	single := b.oneLine()
	if single && (b.unset() || !d.fitsOneLine()) {
		b.expand(nl)
		single = false
	}
	if single {
		settle(d, "", defaultStep, " ", nl)
		m.lead, m.tail = " ", ""
		switch next := b.next(i - 1); {
		case next != nil:
			m.lead, next.own().lead = next.lead(), " "
		case b.prev(i) == nil && b.close() == "":
			b.setClose(" ")
		}
		return
	}
	indent := b.childIndent()
	settle(d, indent, b.file.step(), b.file.braces(), nl)
	prev, next := b.prev(i), b.next(i-1)
	if prev != nil {
		if endsLine(prev.tail()) {
			m.tail += nl
			return
		}
		m.lead = nl + m.lead
		if strings.Contains(m.tail, "#") && (next != nil || b.owner != nil) {
			m.tail += nl
		}
		return
	}
	if b.owner != nil && !endsLine(b.open()) {
		// "{ first;" goes on behind the brace.
		if d.fitsOneLine() {
			m.lead, m.tail = " ", ""
			return
		}
		b.setOpen(b.open() + nl)
		if next != nil && !strings.Contains(next.lead(), "\n") {
			next.own().lead = indent
		}
	}
	m.tail += nl
	if next != nil {
		// Below a header comment that is set apart, above the comment that
		// belongs to what follows.
		lead := next.lead()
		own := attached(lead)
		if left := lead[:len(lead)-len(own)]; strings.Contains(left, "#") {
			m.lead = left + m.lead
			next.own().lead = own
		}
		return
	}
	if strings.Contains(b.close(), "#") {
		cut := strings.LastIndexByte(b.close(), '\n') + 1
		if b.owner == nil && cut < len(b.close()) {
			b.setClose(b.close() + nl) // a comment at the end of a file without a newline
			cut = len(b.close())
		}
		m.lead = b.close()[:cut] + m.lead
		b.setClose(b.close()[cut:])
	}
}

// adoptComments puts comment lines of an inserted text behind the directive
// before index i.
func (b *Body) adoptComments(i int, text string) {
	if text == "" {
		return
	}
	nl := b.newline()
	if b.oneLine() {
		b.expand(nl)
	}
	indent := b.childIndent()
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines.WriteString(indent + line)
		}
		lines.WriteString(nl)
	}
	b.compact()
	var prev *Directive
	if i > 0 {
		prev = b.slot(i - 1)
	}
	switch {
	case prev != nil && !endsLine(prev.tail()):
		prev.own().tail += nl
	case prev == nil && b.owner != nil && !endsLine(b.open()):
		b.setOpen(b.open() + nl)
	}
	if i < b.slots() {
		next := b.slot(i)
		next.own().lead = lines.String() + next.lead()
	} else {
		if b.owner == nil && b.close() != "" && !endsLine(b.close()) {
			b.setClose(b.close() + nl)
		}
		if b.owner == nil {
			b.setClose(b.close() + lines.String())
			return
		}
		b.setClose(lines.String() + b.close())
	}
}

// trimBlankLines cuts the blank lines at the start.
func trimBlankLines(s string) string {
	for {
		line, rest, found := strings.Cut(s, "\n")
		if !found || strings.TrimSpace(line) != "" {
			return s
		}
		s = rest
	}
}

func (b *Body) newline() string { return b.file.newline() }

// oneLine tells whether the block stands on one line.
func (b *Body) oneLine() bool {
	if b.owner == nil || strings.Contains(b.open(), "\n") || strings.Contains(b.close(), "\n") {
		return false
	}
	for d := range b.Directives() {
		if strings.Contains(d.lead(), "\n") || strings.Contains(d.tail(), "\n") {
			return false
		}
	}
	return true
}

// fitsOneLine tells whether d can stand between others on a line: it holds
// neither newlines nor comments, which would swallow what follows.
func (d *Directive) fitsOneLine() bool {
	if strings.Contains(d.lead(), "#") || strings.Contains(d.tail(), "#") {
		return false
	}
	if d.body != nil && d.body.Len() > 0 && d.source() == nil {
		return false // NewBlock breaks its lines
	}
	return !strings.Contains(d.String(), "\n")
}

// expand breaks a block on one line into several.
func (b *Body) expand(nl string) {
	outer := b.owner.indent()
	step := b.file.step()
	b.setOpen(strings.TrimRight(b.open(), " \t") + nl)
	for d := range b.Directives() {
		m := d.own()
		m.lead, m.tail = outer+step, m.tail+nl
	}
	b.setClose(outer)
}

// indent returns the indentation of the line that d starts, or of the line of
// the nearest block around it that starts one.
func (d *Directive) indent() string {
	for ; d != nil; d = d.Parent() {
		if d.startsLine() {
			return indentation(d.lead())
		}
	}
	return ""
}

// childIndent returns the indentation of the directives of b.
func (b *Body) childIndent() string {
	for d := range b.Directives() {
		if d.startsLine() {
			return indentation(d.lead())
		}
	}
	if b.owner == nil {
		return ""
	}
	return b.owner.indent() + b.file.step()
}

// step returns what a file indents a level by: what its first indented
// directive showed when an edit first asked.
func (f *File) step() string {
	if f == nil {
		return defaultStep
	}
	if f.indent == "" {
		f.indent = defaultStep
		for d := range f.All() {
			if d.up.owner == nil || !strings.Contains(d.up.open(), "\n") {
				continue
			}
			outer := d.up.owner.indent()
			inner := indentation(d.lead())
			if step, ok := strings.CutPrefix(inner, outer); ok && step != "" {
				f.indent = step
				break
			}
		}
	}
	return f.indent
}

// braces returns what stands before the '{' of a file's first block: a blank,
// nothing, or a newline, if the brace has a line of its own.
func (f *File) braces() string {
	if f == nil {
		return " "
	}
	if f.brace == "" {
		f.brace = " "
		for d := range f.All() {
			if d.body == nil || d.source() == nil || strings.Contains(d.gap(d.numWords()), "#") {
				continue
			}
			gap := d.gap(d.numWords())
			if strings.Contains(gap, "\n") {
				f.brace = "\n"
			} else if gap == "" {
				f.brace = "{" // f.brace "" is unknown
			}
			break
		}
	}
	return strings.TrimSuffix(f.brace, "{")
}

// settle indents d, which stands nowhere, and all it holds, for the given
// indentation, and gives it the newlines nl. What New made is indented by
// step and gets the braces of the place; what was parsed keeps its inner layout.
func settle(d *Directive, indent, step, braces, nl string) {
	from := indentation(d.lead())
	lineStart := true
	// relay rewrites a text between words. The text before a word ends in the
	// word's indentation.
	relay := func(text string, beforeWord bool, level int) string {
		if !strings.Contains(text, "\n") && !lineStart {
			return text
		}
		var out strings.Builder
		for rest := text; ; {
			line, more, found := strings.Cut(rest, "\n")
			line = strings.TrimSuffix(line, "\r")
			if lineStart && (found && strings.TrimSpace(line) != "" || !found && beforeWord) {
				if level >= 0 {
					line = indent + strings.Repeat(step, level) + strings.TrimLeft(line, " \t")
				} else if cut, ok := strings.CutPrefix(line, from); ok {
					line = indent + cut
				}
			}
			out.WriteString(line)
			if !found {
				lineStart = lineStart && !beforeWord && line == ""
				return out.String()
			}
			out.WriteString(nl)
			lineStart = true
			rest = more
		}
	}
	set := func(d *Directive, old string, to func(*made) *string, beforeWord bool, level int) {
		if text := relay(old, beforeWord, level); text != old {
			*to(d.own()) = text
		}
	}
	level := func(d *Directive, depth int) int {
		if d.source() == nil {
			return depth
		}
		return -1
	}
	enter := func(d *Directive, depth int) bool {
		set(d, d.lead(), func(m *made) *string { return &m.lead }, true, level(d, depth))
		for i := 1; i < d.numWords(); i++ {
			set(d, d.gap(i), func(m *made) *string { return &m.words[i].gap }, true, -1)
		}
		set(d, d.gap(d.numWords()), func(m *made) *string { return &m.gap }, true, -1)
		if d.source() == nil && d.body != nil && strings.TrimSpace(d.made.gap) == "" {
			d.made.gap = braces
			if braces == "\n" {
				d.made.gap = nl + indent + strings.Repeat(step, depth)
			}
			d.made.partBrace()
		}
		lineStart = false
		if d.body != nil {
			if text := relay(d.body.open(), false, -1); text != d.body.open() {
				d.body.setOpen(text)
			}
		} else {
			set(d, d.tail(), func(m *made) *string { return &m.tail }, false, -1)
		}
		return true
	}
	leave := func(d *Directive, depth int) {
		if text := relay(d.body.close(), true, level(d, depth)); text != d.body.close() {
			d.body.setClose(text)
		}
		lineStart = false
		set(d, d.tail(), func(m *made) *string { return &m.tail }, false, -1)
	}
	enter(d, 0)
	if d.body != nil {
		d.body.walk(1, enter, leave)
		leave(d, 0)
	}
}
