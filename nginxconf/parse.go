package nginxconf

import (
	"fmt"
	"math/bits"
	"strings"
)

const (
	// maxDepth is how many blocks may stand in one another. nginx parses
	// recursively: 1.22 takes 12,000 and dies of 14,000 on a stack of 8 MB.
	maxDepth = 12_000
	// maxSize leaves room for the flags in Directive.n beside the number of words.
	maxSize = 1 << 29
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
	f.diags = ds
	return f, ds.Err()
}

func parse(src *source) (*File, Diagnostics) {
	f := &File{Name: src.name, src: src, saved: src.text}
	f.Body.file = f
	f.Body.src = src
	p := parser{src: src, text: src.text, file: f, brace: -1}
	if len(p.text) > maxSize {
		f.Body.setClose(p.text)
		p.report(0, 0, "too-large", "the file is larger than 512 MiB")
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
	pending []uint32 // numbers of the children of the open blocks, outermost first

	// Slabs, no larger than what the rest of the text may need: real files have a
	// word every 16 bytes or so, and a directive every 40. How far they are used
	// stands beside them, for while the collector runs, which is half of the time,
	// to write a pointer costs far more than to write a number.
	words   []span // the last slab of src.words
	nWords  int
	first   int         // of the words of the directive being read
	nodes   []Directive // the last slab of src.nodes
	nNodes  int
	lists   []uint32 // the last slab of src.lists
	nLists  int
	bodies  []Body
	nBodies int

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
	var open [16]frame
	var pending [64]uint32
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
	p.setList(p.open[0])
	p.file.Body.rest, p.file.Body.end = uint32(begin), uint32(p.pos)
	p.explain()
}

// addWord notes a word.
func (p *parser) addWord(w span) {
	if p.nWords == len(p.words) {
		p.growWords()
	}
	p.words[p.nWords] = w
	p.nWords++
}

// growWords starts a slab, to which the words of the directive being read move.
func (p *parser) growWords() {
	begun := p.words[p.first:p.nWords]
	if p.first == 0 && len(begun) > 0 {
		p.src.words = p.src.words[:len(p.src.words)-1]
	}
	rest := len(p.text) - p.pos
	more := max(min(len(begun), rest/2), min(slabSize-4-len(begun), rest/14)) + 4
	p.words = make([]span, len(begun)+more)
	p.first, p.nWords = 0, copy(p.words, begun)
	p.src.words = append(p.src.words, p.words)
}

// giveWords makes the words of the directive being read those of d.
func (p *parser) giveWords(d *Directive) {
	d.first = uint32((len(p.src.words)-1)<<slabBits | p.first)
	d.n = uint32(p.nWords - p.first)
}

func (p *parser) lastWord() span { return p.words[p.nWords-1] }

// skipTrivia goes over blanks and comments.
func (p *parser) skipTrivia() {
	text, i := p.text, p.pos
	for i < len(text) {
		switch kinds[text[i]] {
		case blank:
			i++
			for i+8 <= len(text) { // indentation is much of a file
				if x := eight(text[i:i+8]) ^ ' '*each; x != 0 {
					i += bits.TrailingZeros64(x) >> 3
					break
				}
				i += 8
			}
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
	d.at = uint32(len(p.pending) - top.first - 1)
	d.begin = uint32(begin)
	p.first = p.nWords
	if p.first >= slabSize { // behind a directive with very many words
		p.words = p.words[:p.first]
	}
	end := p.readWords()
	p.giveWords(d)
	switch end {
	case ';':
		d.term = uint32(p.pos)
		p.pos++
		p.restOfLine()
	case '{':
		if name := p.words[p.first]; isLua(unquote(p.text[name.start:name.end()])) {
			p.lua(d)
			break
		}
		d.term = uint32(p.pos)
		p.pos++
		p.openBlock(d)
		return p.pos
	default: // '}' or the end of the file: what follows belongs to the block
		p.pos = int(p.lastWord().end())
		d.term = uint32(p.pos)
		d.n |= noTerm
	}
	d.end = uint32(p.pos)
	return p.pos
}

// lua reads the block at p.pos as the last argument of d. Its '}' then ends the
// directive as a ';' does.
func (p *parser) lua(d *Directive) {
	start := p.pos + 1
	end, at, message := luaEnd(p.text, start)
	if message != "" {
		p.report(at, min(at+1, len(p.text)), "unexpected-end", "%s", message)
	}
	p.addWord(span{uint32(start), uint32(end)})
	p.giveWords(d)
	d.n |= lua
	if message != "" {
		d.n |= noTerm
	}
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
	p.setList(top)
	b := top.body
	b.rest, b.end = uint32(begin), uint32(p.pos)
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

// readWords reads the name and the arguments of a directive. It returns what
// ended them, at p.pos: ';', '{', '}', or 0 at the end of the file.
func (p *parser) readWords() byte {
	// The fields are copies here: this loop is where the time goes.
	text, i, ws, n := p.text, p.pos, p.words, p.nWords
	for i < len(text) {
		c := text[i]
		switch kinds[c] {
		case blank:
			i++
		case sharp:
			p.pos = i
			p.comment()
			i = p.pos
		case ender:
			p.pos, p.nWords = i, n
			if c == '}' {
				p.unexpectedClose()
			}
			return c
		case quoteMark:
			p.pos, p.nWords = i, n
			p.quoted(i, c)
			i, ws, n = p.pos, p.words, p.nWords
		default:
			start := i
			for i+8 <= len(text) {
				if m := bareStops(eight(text[i : i+8])); m != 0 {
					i += bits.TrailingZeros64(m) >> 3
					break
				}
				i += 8
			}
			stop := uint32(i)
			if i == len(text) || !ends[text[i]] { // few words go on here
				i = bareEnd(text, i)
				stop = uint32(i)
				if strings.IndexByte(text[start:i], '\\') >= 0 {
					stop |= written
				}
			}
			if n == len(ws) {
				p.pos, p.nWords = i, n
				p.growWords()
				ws, n = p.words, p.nWords
			}
			ws[n] = span{uint32(start), stop}
			n++
			if i-start >= bufferSize-1 {
				read := i - start
				if i < len(text) && kinds[text[i]] == blank {
					read++ // nginx keeps the word until it reads the byte behind the blank
				}
				p.checkLength(start, read, 0)
			}
		}
	}
	p.pos, p.nWords = i, n
	return p.endsEarly()
}

func (p *parser) unexpectedClose() {
	start := p.pos
	d := p.report(start, start+1, "unexpected-brace", `unexpected "}"`)
	p.brace = start
	at := p.src.position(int(p.lastWord().end()))
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
		p.addWord(span{uint32(start), uint32(end) | written})
		p.checkLength(start+1, content, q)
		return
	}
	p.pos = end + 1
	p.addWord(span{uint32(start), uint32(p.pos) | written})
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
	last := p.lastWord()
	if q := p.text[last.start]; (q == '"' || q == '\'') && quotedEnd(p.text, int(last.start)+1, q) == len(p.text) {
		d.Fixes = append(d.Fixes, p.missingQuote(int(last.start)))
		return 0
	}
	at := p.src.position(int(last.end()))
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

// node takes room for a directive, which becomes a child of the innermost block.
func (p *parser) node() *Directive {
	if p.nNodes == len(p.nodes) {
		p.nodes = make([]Directive, min(nodeSlab, (len(p.text)-p.pos)/32+4))
		p.nNodes = 0
		p.src.nodes = append(p.src.nodes, p.nodes)
	}
	p.pending = append(p.pending, uint32((len(p.src.nodes)-1)<<nodeBits|p.nNodes))
	d := &p.nodes[p.nNodes]
	p.nNodes++
	return d
}

func (p *parser) body() *Body {
	if p.nBodies == len(p.bodies) {
		p.bodies = make([]Body, min(127, (len(p.text)-p.pos)/128+2))
		p.nBodies = 0
	}
	b := &p.bodies[p.nBodies]
	p.nBodies++
	return b
}

// setList makes the pending directives of a frame those of its body.
func (p *parser) setList(f frame) {
	l := p.pending[f.first:]
	if len(l) > len(p.lists)-p.nLists {
		more := len(p.pending) + (len(p.text)-p.pos)/32
		p.lists = make([]uint32, max(len(l), min(slabSize, more)))
		p.nLists = 0
		p.src.lists = append(p.src.lists, p.lists)
	}
	f.body.first = uint32((len(p.src.lists)-1)<<slabBits | p.nLists)
	f.body.n = uint32(copy(p.lists[p.nLists:], l))
	p.nLists += len(l)
	p.pending = p.pending[:f.first]
}
