package nginxconf

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

const (
	// maxDepth is how many blocks may stand in one another. nginx parses
	// recursively: 1.22 takes 12,000 and dies of 14,000 on a stack of 8 MB.
	maxDepth = 12_000
	// maxDiagnostics bounds what one file may report.
	maxDiagnostics = 1000
)

// Parse reads one file, or a part of one: no directive is known by name, and
// none is out of place. The file is never nil, and its Bytes are src whatever
// src holds. If there are syntax errors, err is a [Diagnostics] with all of
// them, in nginx's words; the first is the one nginx stops at.
//
// The tree refers to src, which must not be changed afterwards: a copy would
// double the memory of a large configuration.
func Parse(name string, src []byte) (*File, error) {
	f, ds := parse(newSource(name, src))
	return f, ds.Err()
}

func parse(src *source) (*File, Diagnostics) {
	f := &File{Name: src.name, src: src, saved: src.text}
	f.Body.file = f
	f.Body.src = src
	p := parser{src: src, text: src.text, file: f, brace: -1}
	if len(p.text) > math.MaxInt32 {
		f.Body.setClose(p.text)
		p.report(0, 0, "too-large", "the file is larger than 2 GiB")
		return f, p.diags
	}
	p.run()
	return f, p.diags
}

// A frame is a block being read.
type frame struct {
	body    *Body
	first   int // of its children in parser.pending
	strayed int // braces opened without a name, whose '}' is not to close this block
}

type parser struct {
	src  *source
	text string
	pos  int
	file *File

	open    []frame
	pending []*Directive // children of the open blocks, outermost first

	// Slabs: a tree of many small nodes costs few allocations.
	nodes  []Directive
	bodies []Body
	lists  []*Directive

	diags Diagnostics
	brace int         // the last '}' reported where a ';' was missing
	stray *Diagnostic // the first '}' that closes nothing
	atEnd *Diagnostic // blocks that are open at the end of the file
}

func (p *parser) report(start, end int, code, format string, args ...any) *Diagnostic {
	switch {
	case len(p.diags) < maxDiagnostics:
		p.diags = append(p.diags, errorAt(p.src.position(start), p.src.position(end), code, format, args...))
	case len(p.diags) == maxDiagnostics:
		at := p.src.position(start)
		p.diags = append(p.diags, errorAt(at, at, "too-many-errors", "too many errors, the rest is not reported"))
		fallthrough
	default:
		return &Diagnostic{} // so that callers may add to it
	}
	return p.diags[len(p.diags)-1]
}

// run reads the whole text. begin is where the text starts that no node owns
// yet: it becomes the lead of the next directive or the end of its block.
func (p *parser) run() {
	// Real files have a word every 16 bytes or so, and a directive every 40.
	p.src.words = make([]span, 0, min(len(p.text), 1<<16)/14+4)
	var open [16]frame
	var pending [64]*Directive
	p.open, p.pending = open[:0], pending[:0]
	p.open = append(p.open, frame{body: &p.file.Body})
	begin := 0
	for {
		p.skipTrivia()
		top := &p.open[len(p.open)-1]
		if p.pos == len(p.text) {
			break
		}
		switch p.text[p.pos] {
		case ';':
			p.report(p.pos, p.pos+1, "unexpected-semicolon", `unexpected ";"`)
			p.pos++
		case '{':
			p.report(p.pos, p.pos+1, "unexpected-brace", `unexpected "{"`)
			top.strayed++
			p.pos++
		case '}':
			switch {
			case top.strayed > 0:
				top.strayed--
				p.pos++
			case len(p.open) == 1:
				if p.brace != p.pos { // a missing semicolon is reported here already
					d := p.report(p.pos, p.pos+1, "unexpected-brace", `unexpected "}"`)
					if p.stray == nil {
						p.stray = d
					}
				}
				p.pos++
			default:
				begin = p.closeBlock(begin)
			}
		default:
			begin = p.directive(begin)
		}
	}
	if len(p.open) > 1 || p.open[0].strayed > 0 {
		p.atEnd = p.report(p.pos, p.pos, "unexpected-end", `unexpected end of file, expecting "}"`)
	}
	for len(p.open) > 1 {
		begin = p.closeBlock(begin)
	}
	root := &p.file.Body
	root.rest, root.end = uint32(begin), uint32(p.pos)
	root.list = p.list(p.open[0].first)
	p.src.words = clip(p.src.words)
	p.explain()
}

// addWord notes a word. The room for words grows to what the whole text will
// need if it goes on as it began.
func (p *parser) addWord(w span) {
	if n := len(p.src.words); n == cap(p.src.words) {
		p.growWords()
	}
	p.src.words = append(p.src.words, w)
}

func (p *parser) growWords() {
	n := len(p.src.words)
	want := int(float64(n) * float64(len(p.text)) / float64(p.pos+1) * 1.05)
	p.src.words = slices.Grow(p.src.words, max(want-n, n/4+16))
}

// skipTrivia goes over blanks and comments.
func (p *parser) skipTrivia() {
	i := p.pos
	for i < len(p.text) {
		switch kinds[p.text[i]] {
		case blank:
			i = afterBlanks(p.text, i+1)
		case sharp:
			p.pos = i
			p.comment()
			i = p.pos
		default:
			p.pos = i
			return
		}
	}
	p.pos = i
}

// comment goes over the comment at p.pos, up to its newline.
func (p *parser) comment() {
	start := p.pos
	p.pos = commentEnd(p.text, start)
	p.checkLength(start, p.pos-start, 0)
}

// restOfLine goes over what a line still holds behind ';', '{' or '}', if that
// is only blanks and a comment; else it stays.
func (p *parser) restOfLine() {
	for i := p.pos; ; i++ {
		if i == len(p.text) {
			p.pos = i
			return
		}
		switch c := p.text[i]; {
		case c == '#':
			p.pos = i
			p.comment()
			if p.pos < len(p.text) {
				p.pos++
			}
			return
		case c == '\n':
			p.pos = i + 1
			return
		case !isBlank(c):
			return
		}
	}
}

// checkLength reports a word or a comment that nginx's buffer cannot hold:
// read is how many bytes are read from start until nginx starts afresh.
func (p *parser) checkLength(start, read int, q byte) {
	if read < bufferSize || start+bufferSize >= len(p.text) {
		return
	}
	if q != 0 {
		d := p.report(start-1, start, "too-long-parameter",
			`too long parameter, probably missing terminating "%c" character`, q)
		d.Fixes = append(d.Fixes, p.missingQuote(start-1))
		return
	}
	p.report(start, start+bufferSize, "too-long-parameter",
		`too long parameter "%s..." started`, oneLine.Replace(p.text[start:start+10]))
}

// directive reads one directive up to its ';' or '{' and returns where the
// text behind it starts.
func (p *parser) directive(begin int) int {
	top := &p.open[len(p.open)-1]
	d := p.node()
	d.up = top.body
	d.at = uint32(len(p.pending) - top.first)
	d.begin = uint32(begin)
	d.first = uint32(len(p.src.words))
	end := p.words()
	d.n = uint32(len(p.src.words)) - d.first
	p.pending = append(p.pending, d)
	switch end {
	case ';':
		d.term = uint32(p.pos)
		p.pos++
		p.restOfLine()
	case '{':
		if isLua(d.Name()) {
			p.lua(d)
			break
		}
		d.term = uint32(p.pos)
		p.pos++
		p.openBlock(d)
		return p.pos
	default: // '}' or the end of the file: what follows belongs to the block
		p.pos = int(p.src.words[len(p.src.words)-1].end)
		d.term = uint32(p.pos)
		d.n |= noTerm
	}
	d.end = uint32(p.pos)
	return p.pos
}

// lua reads the block at p.pos as the last argument of d. Its '}' then ends the
// directive as a ';' does.
func (p *parser) lua(d *Directive) {
	d.n |= lua
	start := p.pos + 1
	end, at, message := luaEnd(p.text, start)
	if message != "" {
		p.report(at, at+1, "unexpected-end", "%s", message)
		d.n |= noTerm
	}
	p.addWord(span{uint32(start), uint32(end)})
	d.n++
	d.term = uint32(end)
	p.pos = min(end+1, len(p.text))
	p.restOfLine()
}

func (p *parser) openBlock(d *Directive) {
	b := p.body()
	b.owner, b.file, b.src = d, p.file, p.src
	d.body = b
	p.restOfLine()
	b.begin = uint32(p.pos)
	if len(p.open) == maxDepth+1 {
		p.report(int(d.term), int(d.term)+1, "too-deep", "more than %d blocks in one another", maxDepth)
	}
	p.open = append(p.open, frame{body: b, first: len(p.pending)})
}

// closeBlock ends the innermost block at p.pos, which holds its '}' or is the
// end of the file.
func (p *parser) closeBlock(begin int) int {
	top := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	b := top.body
	b.rest, b.end = uint32(begin), uint32(p.pos)
	b.list = p.list(top.first)
	d := b.owner
	if p.pos < len(p.text) {
		p.pos++
		p.restOfLine()
	} else {
		d.n |= noClose
	}
	d.end = uint32(p.pos)
	return p.pos
}

// words reads the name and the arguments of a directive. It returns what ended
// them, at p.pos: ';', '{', '}', or 0 at the end of the file.
func (p *parser) words() byte {
	// The fields are copies here: this loop is where the time goes.
	text, i, ws := p.text, p.pos, p.src.words
	for i < len(text) {
		c := text[i]
		switch kinds[c] {
		case blank:
			i = afterBlanks(text, i+1)
		case sharp:
			p.pos = i
			p.comment()
			i = p.pos
		case ender:
			p.pos, p.src.words = i, ws
			if c == '}' {
				p.unexpectedClose()
			}
			return c
		case quoteMark:
			p.pos, p.src.words = i, ws
			p.quoted(i, c)
			i, ws = p.pos, p.src.words
		default:
			start := i
			i = bareEnd(text, i)
			if len(ws) == cap(ws) {
				p.pos, p.src.words = i, ws
				p.growWords()
				ws = p.src.words
			}
			ws = append(ws, span{uint32(start), uint32(i)})
			if i-start >= bufferSize-1 {
				read := i - start
				if i < len(text) && kinds[text[i]] == blank {
					read++ // nginx keeps the word until it reads the byte behind the blank
				}
				p.checkLength(start, read, 0)
			}
		}
	}
	p.pos, p.src.words = i, ws
	return p.endsEarly()
}

func (p *parser) unexpectedClose() {
	start := p.pos
	d := p.report(start, start+1, "unexpected-brace", `unexpected "}"`)
	p.brace = start
	at := p.src.position(int(p.src.words[len(p.src.words)-1].end))
	d.Fixes = append(d.Fixes, Fix{
		Message: "insert the missing semicolon",
		Edits:   []Edit{{Start: at, End: at, NewText: ";"}},
	})
}

// quoted reads a quoted word. Behind it only a blank, ';', '{' or ')' may
// follow, and ')' starts a new word.
func (p *parser) quoted(start int, q byte) {
	end := quotedEnd(p.text, start+1, q)
	content := end - (start + 1)
	if end == len(p.text) {
		p.pos = end
		p.addWord(span{uint32(start), uint32(end)})
		p.checkLength(start+1, content, q)
		return
	}
	p.pos = end + 1
	p.addWord(span{uint32(start), uint32(p.pos)})
	if content >= bufferSize {
		p.checkLength(start+1, content, q)
	} else if p.pos < len(p.text) {
		read := content + 1
		if isBlank(p.text[p.pos]) {
			read++
		}
		p.checkLength(start+1, read, 0)
	}
	if p.pos == len(p.text) {
		return
	}
	switch c := p.text[p.pos]; c {
	case ' ', '\t', '\r', '\n', ';', '{', ')':
	case '}': // words says so in the same words
	default:
		p.report(p.pos, p.pos+1, "unexpected-character", `unexpected "%c"`, rawByte(c))
	}
}

// endsEarly reports a directive that the end of the file cuts off.
func (p *parser) endsEarly() byte {
	d := p.report(p.pos, p.pos, "unexpected-end", `unexpected end of file, expecting ";" or "}"`)
	last := p.src.words[len(p.src.words)-1]
	if q := p.text[last.start]; (q == '"' || q == '\'') && quotedEnd(p.text, int(last.start)+1, q) == len(p.text) {
		d.Fixes = append(d.Fixes, p.missingQuote(int(last.start)))
		return 0
	}
	at := p.src.position(int(last.end))
	d.Fixes = append(d.Fixes, Fix{
		Message: "insert the missing semicolon",
		Edits:   []Edit{{Start: at, End: at, NewText: ";"}},
	})
	return 0
}

// oneLine keeps a message on one line where nginx does not.
var oneLine = strings.NewReplacer("\n", `\n`)

// A rawByte formats as the byte itself, as nginx prints it.
type rawByte byte

func (c rawByte) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte{byte(c)}) }

const slab = 511 // a header makes it 24 KiB, a size class

func (p *parser) node() *Directive {
	if len(p.nodes) == 0 {
		p.nodes = make([]Directive, min(slab, (len(p.text)-p.pos)/32+4))
	}
	d := &p.nodes[0]
	p.nodes = p.nodes[1:]
	return d
}

func (p *parser) body() *Body {
	if len(p.bodies) == 0 {
		p.bodies = make([]Body, min(127, (len(p.text)-p.pos)/128+2))
	}
	b := &p.bodies[0]
	p.bodies = p.bodies[1:]
	return b
}

// list takes the pending directives from first on.
func (p *parser) list(first int) []*Directive {
	n := len(p.pending) - first
	if n == 0 {
		return nil
	}
	if len(p.lists) < n {
		p.lists = make([]*Directive, max(n, min(2047, (len(p.text)-p.pos)/32+n)))
	}
	l := p.lists[:n:n]
	p.lists = p.lists[n:]
	copy(l, p.pending[first:])
	p.pending = p.pending[:first]
	return l
}

// clip gives back what a slice's capacity wastes, if that is much.
func clip(s []span) []span {
	if cap(s)-len(s) < len(s)/4 {
		return s
	}
	return append(make([]span, 0, len(s)), s...)
}
