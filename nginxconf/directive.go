package nginxconf

import (
	"go/token"
	"strings"
)

// A Directive is simple ("listen 80;") or a block ("server { … }").
//
// It owns its lines: the comments right above it, its indentation, and the
// rest of its last line. So it can be moved or removed and leaves clean text.
//
// Words are counted from 0, the name, where they are meant as written ([Directive.Raw],
// [Directive.Span]); arguments from 0, the first argument ([Directive.Arg]).
type Directive struct {
	up   *Body
	body *Body
	made *made // what New or an edit wrote; nil: all is as in src

	// A parsed directive is offsets into src.text:
	//
	//	begin      first word         term      close  end
	//	| # lead   name gap arg … gap ; or { … }      |  tail \n
	begin uint32
	first uint32 // number of its first word in src
	n     uint32 // how many it has, and flags in the top bits
	term  uint32
	end   uint32
	at    uint32 // index in the slots of up
}

// source is what the directive was parsed from, or nil. A directive that leaves
// its body has a text of its own by then.
func (d *Directive) source() *source {
	if d.made != nil {
		return d.made.src
	}
	if d.up == nil {
		return nil
	}
	return d.up.src
}

// Flags in Directive.n.
const (
	noTerm  = 1 << (iota + 28) // the source lacks the ';'
	noClose                    // the source lacks the '}'
	lua                        // the last argument is the raw text between braces
	moved                      // it left the place that it was parsed at

	allFlags = noTerm | noClose | lua | moved
)

// made is a directive in text of its own.
type made struct {
	src   *source
	lead  string
	words []word
	gap   string // before term
	term  string // ";" or "{", or "" where the source lacks it
	close string // "}" of a block, or "" where the source lacks it
	tail  string
}

// partBrace sees that the '{' of a block does not become part of the word
// before it: behind a '$' it would.
func (m *made) partBrace() {
	last := m.words[len(m.words)-1].raw
	if m.gap == "" && m.term == "{" && strings.HasSuffix(strings.TrimRight(last, "{"), "$") {
		m.gap = " "
	}
}

// A word is the name or an argument, as written.
type word struct {
	gap string // between the word before and this one
	raw string
	off int // in src; -1 if it never stood there
}

// New returns a simple directive that stands nowhere yet. Arguments are
// quoted where nginx needs it. The last argument of a name that ends in
// "_by_lua_block" is Lua code, which stands between braces as it is.
func New(name string, args ...string) *Directive {
	m := &made{term: ";"}
	m.words = append(m.words, word{raw: quote(name, 0), off: -1})
	for _, a := range args {
		m.words = append(m.words, word{gap: " ", raw: quote(a, 0), off: -1})
	}
	d := &Directive{made: m}
	if n := len(args); n > 0 && isLua(name) {
		d.n |= lua
		m.words[n] = word{gap: " {", raw: args[n-1], off: -1}
		m.term = "}"
	}
	return d
}

// NewBlock returns an empty block, "{ }", that stands nowhere yet. What is put
// into it stands on lines of its own.
func NewBlock(name string, args ...string) *Directive {
	d := New(name, args...)
	d.made.gap, d.made.term, d.made.close = " ", "{", "}"
	d.body = &Body{owner: d, made: &contents{close: " ", unset: true}}
	return d
}

// Name returns the directive's name as nginx reads it.
func (d *Directive) Name() string { return d.word(0) }

// NumArgs returns how many arguments the directive has.
func (d *Directive) NumArgs() int { return d.numWords() - 1 }

// Arg returns argument i, from 0, as nginx reads it: without quotes and with
// escapes undone. It allocates only if there is an escape. The last argument of
// a name that ends in "_by_lua_block" is the Lua code between the braces, as it
// is; such a directive has no Body. Arg panics if there is no such argument.
func (d *Directive) Arg(i int) string {
	if i < 0 {
		panic("nginxconf: negative argument index")
	}
	return d.word(i + 1)
}

// word returns word i as nginx reads it.
func (d *Directive) word(i int) string {
	if d.made == nil {
		src := d.up.src
		if w := from(src.words, d.first, int(d.n&^allFlags))[i]; w.stop&written == 0 {
			return src.text[w.start:w.stop]
		}
	} else if d.n&lua != 0 && i == d.NumArgs() {
		return d.Raw(i)
	}
	return unquote(d.Raw(i))
}

// Args returns all arguments as nginx reads them.
func (d *Directive) Args() []string {
	args := make([]string, d.NumArgs())
	for i := range args {
		args[i] = d.Arg(i)
	}
	return args
}

// Raw returns word i as written, quotes and escapes included. Word 0 is the
// name. It panics if there is no such word.
func (d *Directive) Raw(i int) string {
	if d.made != nil {
		return d.made.words[i].raw
	}
	w := d.span(i)
	return d.source().text[w.start:w.end()]
}

// Span returns where word i stood when it was parsed; word 0 is the name. The
// positions are zero for a word that an edit wrote.
func (d *Directive) Span(i int) (start, end token.Position) {
	if d.made != nil {
		w := d.made.words[i]
		if w.off < 0 {
			return
		}
		return d.source().position(w.off), d.source().position(w.off + len(w.raw))
	}
	w := d.span(i)
	return d.source().position(int(w.start)), d.source().position(int(w.end()))
}

// Pos returns where the directive's name stood when it was parsed, or the zero
// Position if it was not.
func (d *Directive) Pos() token.Position {
	if d.source() == nil {
		return token.Position{}
	}
	return d.source().position(int(from(d.source().words, d.first, 1)[0].start))
}

// End returns the place just behind the directive's ';' or '}' when it was
// parsed, or the zero Position if it was not.
func (d *Directive) End() token.Position {
	if d.source() == nil {
		return token.Position{}
	}
	return d.source().position(d.endOffset())
}

// TermPos returns where the ';' or '{' that ends the directive's words stood
// when it was parsed. nginx gives the line of this place in most of its
// messages.
func (d *Directive) TermPos() token.Position {
	if d.source() == nil {
		return token.Position{}
	}
	return d.source().position(int(d.term))
}

// Body returns what a block holds between its braces, or nil if the directive
// is simple.
func (d *Directive) Body() *Body { return d.body }

// Parent returns the block that the directive stands in, or nil if it stands
// at the top level of a file or nowhere.
func (d *Directive) Parent() *Directive {
	if d.up == nil {
		return nil
	}
	return d.up.owner
}

// Container returns the body that the directive stands in, or nil if it
// stands nowhere.
func (d *Directive) Container() *Body { return d.up }

// Terminated tells whether the ';' or '{' that ends the directive's words is
// there. Where it is not, Parse reports that, and nginx never comes to look at
// the directive itself.
func (d *Directive) Terminated() bool {
	if d.made != nil {
		return d.made.term != ""
	}
	return d.n&noTerm == 0
}

// File returns the file that the directive stands in, or nil.
func (d *Directive) File() *File {
	if d.up == nil {
		return nil
	}
	return d.up.file
}

// String returns the directive's text without the comments and blanks around it.
func (d *Directive) String() string {
	b := appendDirective(nil, d)
	return string(b[len(d.lead()) : len(b)-len(d.tail())])
}

func (d *Directive) span(i int) span { return d.words()[i] }

func (d *Directive) words() []span { return from(d.source().words, d.first, d.numWords()) }

func (d *Directive) numWords() int {
	if d.made != nil {
		return len(d.made.words)
	}
	return int(d.n &^ allFlags)
}

// termEnd is the offset behind ';' or '{'.
func (d *Directive) termEnd() int {
	if d.n&noTerm != 0 {
		return int(d.term)
	}
	return int(d.term) + 1
}

// endOffset is the offset behind ';' or '}', where the tail starts. A
// directive that was cut off ends where its words do.
func (d *Directive) endOffset() int {
	switch {
	case d.body == nil:
		return d.termEnd()
	case d.n&noClose != 0:
		return int(d.body.end)
	}
	return int(d.body.end) + 1
}

func (d *Directive) lead() string {
	if d.made != nil {
		return d.made.lead
	}
	return d.source().text[d.begin:d.span(0).start]
}

func (d *Directive) tail() string {
	if d.made != nil {
		return d.made.tail
	}
	return d.source().text[d.endOffset():d.end]
}

// gap returns the text before word i, or before the ';' or '{' if i is the
// number of words. There is none before word 0.
func (d *Directive) gap(i int) string {
	if d.made != nil {
		if i == len(d.made.words) {
			return d.made.gap
		}
		return d.made.words[i].gap
	}
	from := d.span(i - 1).end()
	if i == d.numWords() {
		return d.source().text[from:d.term]
	}
	return d.source().text[from:d.span(i).start]
}

// Quote returns the quote character that word i is written in, or 0.
func (d *Directive) Quote(i int) byte {
	if raw := d.Raw(i); raw != "" && (d.n&lua == 0 || i < d.NumArgs()) && (raw[0] == '"' || raw[0] == '\'') {
		return raw[0]
	}
	return 0
}

// own turns a parsed directive into text of its own, to be edited.
func (d *Directive) own() *made {
	if d.made != nil {
		return d.made
	}
	m := &made{src: d.source(), lead: d.lead(), gap: d.gap(d.numWords()), tail: d.tail()}
	m.term = d.source().text[d.term:d.termEnd()]
	if d.body != nil {
		m.close = d.source().text[d.body.end:d.endOffset()]
	}
	m.words = make([]word, d.numWords())
	for i := range m.words {
		w := word{raw: d.Raw(i), off: int(d.span(i).start)}
		if i > 0 {
			w.gap = d.gap(i)
		}
		m.words[i] = w
	}
	d.made = m
	return m
}
