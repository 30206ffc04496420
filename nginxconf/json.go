package nginxconf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The JSON form of a file. Its description is at File.MarshalJSON.

type jsonFile struct {
	Name       *string          `json:"name"`
	Directives []*jsonDirective `json:"directives"`
	Comments   []jsonComment    `json:"comments,omitempty"`
}

type jsonDirective struct {
	Name       *string          `json:"name"`
	Args       []string         `json:"args"`
	Raw        []string         `json:"raw,omitempty"`
	RawBase64  [][]byte         `json:"raw_base64,omitempty"`
	Lua        *bool            `json:"lua,omitempty"`
	BlankAbove bool             `json:"blank_above,omitempty"`
	Start      *jsonPosition    `json:"start,omitempty"`
	End        *jsonPosition    `json:"end,omitempty"`
	Spans      [][]int          `json:"spans,omitempty"`
	Comments   []jsonComment    `json:"comments,omitempty"`
	Includes   []string         `json:"includes,omitzero"`
	Block      []*jsonDirective `json:"block,omitzero"`
}

type jsonComment struct {
	Text       string        `json:"text"`
	Base64     []byte        `json:"base64,omitempty"`
	Place      string        `json:"place,omitempty"`
	Word       int           `json:"word,omitempty"`
	BlankAbove bool          `json:"blank_above,omitempty"`
	Start      *jsonPosition `json:"start,omitempty"`
	End        *jsonPosition `json:"end,omitempty"`
}

type jsonPosition struct {
	Offset int `json:"offset"`
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Where a comment stands.
const (
	placeDetached = "detached"
	placeAbove    = "above"
	placeInside   = "inside"
	placeOpen     = "open"
	placeLast     = "last"
	placeEnd      = "end"
)

// MarshalJSON writes the tree of the file:
//
//	{
//	  "name": "scout.conf",
//	  "directives": [ … ],
//	  "comments": [ … ]             those behind the last directive
//	}
//
// Each directive is an object. What is marked with a star is left out where
// there is nothing to say.
//
//	"name": "server_name"           as nginx reads it
//	"args": ["a b", "c"]            as nginx reads them; never null
//	"raw": ["server_name", …]     * all words as written, the name first, if one
//	                                is written otherwise than it is read
//	"raw_base64": [null, "/w=="]  * the words as written that are not UTF-8; in
//	                                name, args and raw their odd bytes are U+FFFD
//	"lua": true                   * the last argument is Lua code between braces;
//	                                false if only the name promises that
//	"blank_above": true           * there is a blank line above the directive and
//	                                the comments right above it
//	"start": {"offset", "line",   * of the first byte of the name and the byte
//	"end": {  "column"}             behind ';' or '}', as Pos and End tell it
//	"spans": [[12, 18], …]        * byte offsets of each word, the name first;
//	                                null for a word that an edit wrote
//	"comments": [ … ]             *
//	"block": [ … ]                * what a block holds; [] if that is nothing
//
// Each comment is an object with these:
//
//	"text": "# plain"               without its newline
//	"base64": "…"                 * text as base64 if it is not UTF-8
//	"place": "above"                where it stands, see below
//	"word": 1                     * index of the word that it stands before
//	"blank_above": true           * there is a blank line above it
//	"start", "end"                *
//
// A place is "above" the directive, on lines of its own; "detached", if a blank
// line sets it apart from the directive below; "inside", between its words;
// "end", behind its ';' or '}'; and for blocks "open", behind the '{', and
// "last", behind the last directive in it. A comment of the file has the place
// "last".
//
// Positions tell where things stood when they were parsed. Blanks are not
// kept, nor what is skipped behind a syntax error. Any depth is written, but
// [json.Marshal] refuses JSON of more than 10,000 levels, which are 5,000
// blocks in one another; [Parse] calls more than 12,000 an error.
func (f *File) MarshalJSON() ([]byte, error) {
	w := newJSONWriter(nil)
	if err := w.file(f); err != nil {
		return nil, err
	}
	return w.out.Bytes(), nil
}

// MarshalJSON writes the directive with what it holds, in the form that
// [File.MarshalJSON] tells.
func (d *Directive) MarshalJSON() ([]byte, error) {
	w := newJSONWriter(nil)
	if err := w.tree(d); err != nil {
		return nil, err
	}
	return w.out.Bytes(), nil
}

// MarshalJSON writes the configuration: all its files, in the order of
// [Config.Files] and in the form of [File.MarshalJSON], and what is wrong with
// them. An include directive has a member more, the names of the files that it
// stands for: "includes".
//
//	{
//	  "prefix": "/etc/nginx",
//	  "files": [ … ],
//	  "diagnostics": [ … ]
//	}
func (c *Config) MarshalJSON() ([]byte, error) {
	w := newJSONWriter(c)
	w.out.WriteString(`{"prefix":`)
	if err := w.value(c.Prefix); err != nil {
		return nil, err
	}
	w.out.WriteString(`,"files":[`)
	for f := range c.Files() {
		w.comma()
		if err := w.file(f); err != nil {
			return nil, err
		}
	}
	w.out.WriteString(`],"diagnostics":`)
	if err := w.value(append(Diagnostics{}, c.diags...)); err != nil { // never null
		return nil, err
	}
	w.out.WriteByte('}')
	return w.out.Bytes(), nil
}

// A jsonWriter writes directives one by one, so that depth costs no stack.
type jsonWriter struct {
	out    bytes.Buffer
	enc    *json.Encoder
	config *Config // nil: no includes are told
}

func newJSONWriter(c *Config) *jsonWriter {
	w := &jsonWriter{config: c}
	w.enc = json.NewEncoder(&w.out)
	w.enc.SetEscapeHTML(false)
	return w
}

func (w *jsonWriter) value(v any) error {
	err := w.enc.Encode(v)
	w.cut(1) // the newline
	return err
}

func (w *jsonWriter) cut(n int) { w.out.Truncate(max(w.out.Len()-n, 0)) }

func (w *jsonWriter) comma() {
	if b := w.out.Bytes(); len(b) > 0 && b[len(b)-1] != '[' {
		w.out.WriteByte(',')
	}
}

func (w *jsonWriter) file(f *File) error {
	w.out.WriteString(`{"name":`)
	if err := w.value(f.Name); err != nil {
		return err
	}
	w.out.WriteString(`,"directives":[`)
	if err := w.body(&f.Body); err != nil {
		return err
	}
	w.out.WriteByte(']')
	if comments := fileComments(f); len(comments) > 0 {
		w.out.WriteString(`,"comments":`)
		if err := w.value(comments); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return nil
}

// tree writes a directive with all it holds.
func (w *jsonWriter) tree(d *Directive) error {
	if err := w.open(d); err != nil || d.body == nil {
		return err
	}
	if err := w.body(d.body); err != nil {
		return err
	}
	w.out.WriteString("]}")
	return nil
}

func (w *jsonWriter) body(b *Body) (err error) {
	b.walk(0, func(d *Directive, _ int) bool {
		w.comma()
		err = w.open(d)
		return err == nil
	}, func(*Directive, int) { w.out.WriteString("]}") })
	return err
}

// open writes a directive, but of a block only what comes before its content.
func (w *jsonWriter) open(d *Directive) error {
	n := d.NumArgs()
	name := d.Name()
	j := jsonDirective{Name: &name, Args: d.Args()}
	j.Raw = make([]string, n+1)
	j.RawBase64 = make([][]byte, n+1)
	j.Spans = make([][]int, n+1)
	asRead, utf, parsed := true, true, false
	for i := range n + 1 {
		raw := d.Raw(i)
		j.Raw[i] = raw
		asRead = asRead && (i == 0 && raw == name || i > 0 && raw == j.Args[i-1])
		if !utf8.ValidString(raw) {
			j.RawBase64[i] = []byte(raw)
			utf = false
		}
		if start, end := d.Span(i); start.IsValid() {
			j.Spans[i] = []int{start.Offset, end.Offset}
			parsed = true
		}
	}
	if asRead {
		j.Raw = nil
	}
	if utf {
		j.RawBase64 = nil
	}
	if !parsed {
		j.Spans = nil
	}
	if isLua := d.n&lua != 0; isLua || promisesLua(name, n, d.body != nil) {
		j.Lua = &isLua
	}
	j.Start, j.End = jsonPlace(d.Pos()), jsonPlace(d.End())
	j.Comments, j.BlankAbove = directiveComments(d)
	if w.config != nil && name == "include" && n == 1 && d.body == nil {
		j.Includes = []string{}
		for f := range w.config.Included(d) {
			j.Includes = append(j.Includes, f.Name)
		}
	}
	if err := w.value(&j); err != nil {
		return err
	}
	if d.body != nil {
		w.cut(1) // the brace
		w.out.WriteString(`,"block":[`)
	}
	return nil
}

// promisesLua tells whether a directive like this has Lua code, unless it says
// otherwise.
func promisesLua(name string, args int, block bool) bool { return args > 0 && !block && isLua(name) }

func jsonPlace(p token.Position) *jsonPosition {
	if !p.IsValid() {
		return nil
	}
	return &jsonPosition{p.Offset, p.Line, p.Column}
}

// directiveComments returns the comments around and in a directive, but not
// those between the directives of a block, and whether there is a blank line
// above it and the comments right above it.
func directiveComments(d *Directive) (list []jsonComment, blankAbove bool) {
	lead := d.lead()
	midLine := d.up != nil && !d.up.lineBefore(int(d.at))
	list, blankAbove = commentLines(nil, d, lead, int(d.begin), midLine, placeAbove)
	detached, _ := commentLines(nil, d, lead[:len(lead)-len(attached(lead))], 0, midLine, placeDetached)
	for i := range detached {
		list[i].Place = placeDetached
	}
	if above := list[len(detached):]; len(above) > 0 { // no blank line is between these
		blankAbove, above[0].BlankAbove = above[0].BlankAbove, false
	}
	for i := 1; i <= d.numWords(); i++ {
		off := -1
		if d.made == nil {
			off = int(d.span(i - 1).end())
		} else if w := d.made.words[i-1]; w.off >= 0 {
			off = w.off + len(w.raw)
		}
		from := len(list)
		list, _ = commentLines(list, d, d.gap(i), off, true, placeInside)
		for k := range list[from:] {
			list[from+k].Word = i
			list[from+k].BlankAbove = false
		}
	}
	if d.body != nil {
		list, _ = commentLines(list, d, d.body.open(), d.termEnd(), true, placeOpen)
		list, _ = commentLines(list, d, d.body.close(), int(d.body.end)-len(d.body.close()), d.body.endsMidLine(), placeLast)
	}
	list, _ = commentLines(list, d, d.tail(), d.endOffset(), true, placeEnd)
	return list, blankAbove
}

// fileComments returns the comments behind the last directive of a file.
func fileComments(f *File) []jsonComment {
	d := &Directive{made: &made{src: f.src}}
	off := -1
	if f.src != nil {
		off = len(f.src.text) - len(f.close())
	}
	list, _ := commentLines(nil, d, f.close(), off, f.endsMidLine(), placeLast)
	return list
}

// endsMidLine tells whether the text behind the last directive of b starts in
// the middle of a line.
func (b *Body) endsMidLine() bool { return !b.lineBefore(b.slots()) }

// commentLines appends the comments of a text between words, and tells whether
// a blank line comes last in it. off is where the text stood in the source of
// d, if it did.
func commentLines(list []jsonComment, d *Directive, text string, off int, midLine bool, place string) ([]jsonComment, bool) {
	at := 0
	isBlankLine := func(text string) bool {
		n := strings.Count(text, "\n")
		return n > 1 || n == 1 && !midLine
	}
	d.commentsIn(text, 0, off, func(c Comment) bool {
		start := at + strings.IndexByte(text[at:], '#')
		j := jsonComment{
			Text:       c.Text,
			Place:      place,
			BlankAbove: isBlankLine(text[at:start]),
			Start:      jsonPlace(c.Start),
			End:        jsonPlace(c.End),
		}
		if !utf8.ValidString(c.Text) {
			j.Base64 = []byte(c.Text)
		}
		list = append(list, j)
		at = commentEnd(text, start)
		midLine = true
		return true
	})
	return list, isBlankLine(text[at:])
}

// UnmarshalJSON makes f a file with the tree that data describes, in the form
// of [File.MarshalJSON] and in the layout of [Format]. A member that the form
// does not have is an error, so that none is lost by a slip of the pen.
//
// Only "name", "args" and "block" of the directives are needed. Comments and
// "blank_above" are used if given; positions and "includes" are not. A word of
// "raw" or "raw_base64" is used if nginx reads it as the name or the argument
// says, else only its quotes are kept: who changes arguments may leave the rest.
//
// nginx reads the file as data tells it. What it could not read is an error: a
// word that is too long, Lua code that its braces do not hold. So are more than
// 5,000 blocks in one another, of which encoding/json reads no more. On an
// error f stays as it is.
//
// If f was read by [Load], this is an edit: Config.Save writes it back. The
// Config knows nothing of the includes in the new tree.
func (f *File) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		return nil // as encoding/json has it
	}
	var j jsonFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&j); err != nil {
		if strings.Contains(err.Error(), "exceeded max depth") { // it has no type for that
			err = fmt.Errorf("more blocks in one another than encoding/json reads: %w", err)
		}
		return fmt.Errorf("nginxconf: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("nginxconf: more than one value of JSON")
	}
	var r jsonReader
	if err := r.file(&j); err != nil {
		return fmt.Errorf("nginxconf: %w", err)
	}
	text, err := Format(r.out)
	if err != nil {
		return fmt.Errorf("nginxconf: nginx could not read the file that the JSON describes: %w", err)
	}
	name := f.Name
	if j.Name != nil {
		name = *j.Name
	}
	g, err := Parse(name, text)
	if err != nil {
		return err
	}
	for d := range f.Directives() {
		d.own() // who still holds it reads it
		d.up = nil
	}
	ds := slices.Collect(g.Directives())
	f.Name, f.src, f.nl, f.indent, f.brace = name, g.src, "", "", ""
	f.Body = g.Body
	f.Body.file = f
	for _, d := range ds {
		d.up = &f.Body
		d.setFile(f)
	}
	return nil
}

// A jsonReader writes the text of a file, not indented. It goes as deep as
// encoding/json does, which bounds the depth.
type jsonReader struct{ out []byte }

func (r *jsonReader) file(j *jsonFile) error {
	for i, d := range j.Directives {
		if err := r.directive(d); err != nil {
			return fmt.Errorf("directives[%d]%w", i, err)
		}
	}
	for i := range j.Comments {
		c := &j.Comments[i]
		if err := c.settle(placeLast, placeLast); err != nil {
			return fmt.Errorf("comments[%d]: %w", i, err)
		}
		r.line(c.Text, c.BlankAbove)
	}
	// nginx takes a long comment only at the very end.
	r.out = bytes.TrimSuffix(r.out, []byte("\n"))
	return nil
}

// directive writes one with all it holds. An error starts with the place in it:
// ".block[1]: …" or ": …".
func (r *jsonReader) directive(j *jsonDirective) error {
	words, isLua, err := j.words()
	if err != nil {
		return fmt.Errorf(": %w", err)
	}
	at, err := j.places(len(words), isLua)
	if err != nil {
		return err
	}
	for _, c := range at[placeDetached] {
		r.line(c.Text, c.BlankAbove)
	}
	if j.BlankAbove || len(at[placeDetached]) > 0 {
		r.out = append(r.out, '\n')
	}
	for _, c := range at[placeAbove] {
		r.line(c.Text, c.BlankAbove)
	}
	inside := func(before int) {
		for _, c := range at[placeInside] {
			if c.Word == before {
				r.endOfLine(c.Text)
			}
		}
	}
	before := ""
	for i, word := range words {
		inside(i)
		switch {
		case i == len(words)-1 && isLua:
			r.blank(before, "{")
			r.out = append(r.out, '{')
		case i > 0:
			r.blank(before, word)
		}
		r.out = append(r.out, word...)
		before = word
	}
	inside(len(words))
	switch {
	case isLua:
		r.out = append(r.out, '}')
	case j.Block == nil:
		r.out = append(r.out, ';')
	default:
		r.blank(before, "{")
		r.out = append(r.out, '{')
	}
	if j.Block != nil {
		r.tail(at[placeOpen])
		for i, d := range j.Block {
			if err := r.directive(d); err != nil {
				return fmt.Errorf(".block[%d]%w", i, err)
			}
		}
		for _, c := range at[placeLast] {
			r.line(c.Text, c.BlankAbove)
		}
		r.out = append(r.out, '}')
	}
	r.tail(at[placeEnd])
	return nil
}

// line writes a comment on a line of its own.
func (r *jsonReader) line(comment string, blankAbove bool) {
	if blankAbove {
		r.out = append(r.out, '\n')
	}
	r.out = append(append(r.out, comment...), '\n')
}

// endOfLine ends a line with a comment.
func (r *jsonReader) endOfLine(comment string) {
	r.out = append(append(append(r.out, ' '), comment...), '\n')
}

// tail ends a line with comments, of which only the first has room on it.
func (r *jsonReader) tail(comments []*jsonComment) {
	if len(comments) == 0 {
		r.out = append(r.out, '\n')
		return
	}
	r.endOfLine(comments[0].Text)
	for _, c := range comments[1:] {
		r.line(c.Text, false)
	}
}

// blank writes a blank between two words, unless nginx's buffer has no room
// for it and no need of it.
func (r *jsonReader) blank(before, next string) {
	quoted := before[0] == '"' || before[0] == '\''
	switch {
	case quoted && len(before) > bufferSize-1 && (next[0] == ')' || next == "{"):
	case !quoted && len(before) > bufferSize-2 && next == "{":
	default:
		r.out = append(r.out, ' ')
	}
}

// words returns what to write for the name and the arguments, and whether the
// last one is Lua code.
func (j *jsonDirective) words() (words []string, isLua bool, err error) {
	if j == nil || j.Name == nil {
		return nil, false, errors.New("the name is missing")
	}
	isLua = promisesLua(*j.Name, len(j.Args), j.Block != nil)
	if j.Lua != nil && *j.Lua != isLua {
		if *j.Lua {
			return nil, false, fmt.Errorf("%q takes no Lua code here", *j.Name)
		}
		isLua = false
	}
	words = make([]string, 0, len(j.Args)+1)
	for i, value := range append([]string{*j.Name}, j.Args...) {
		var raw string
		var odd []byte
		if i < len(j.Raw) {
			raw = j.Raw[i]
		}
		if i < len(j.RawBase64) {
			odd = j.RawBase64[i]
		}
		if isLua && i == len(j.Args) {
			if toUTF8(string(odd)) == value {
				value = string(odd)
			}
			if end, _, _ := luaEnd(value+"}", 0); end != len(value) {
				return nil, false, errors.New("the Lua code does not fit between its braces")
			}
			words = append(words, value)
			continue
		}
		words = append(words, jsonWord(value, raw, string(odd)))
	}
	return words, isLua, nil
}

// jsonWord returns the word to write for a value: as it was written, if that
// reads as the value; else with the same quotes.
func jsonWord(value, raw, odd string) string {
	switch {
	case isWord(odd) && toUTF8(unquote(odd)) == value:
		return odd
	case !isWord(raw):
		return quote(value, 0)
	case unquote(raw) == value:
		return raw
	case raw[0] == '"' || raw[0] == '\'':
		return quote(value, raw[0])
	}
	return quote(value, 0)
}

// isWord tells whether nginx reads a text as one word.
func isWord(raw string) bool {
	if raw != "" && (raw[0] == '"' || raw[0] == '\'') {
		return quotedEnd(raw, 1, raw[0]) == len(raw)-1
	}
	return isBare(raw)
}

// toUTF8 replaces each byte that is not UTF-8 as encoding/json does.
func toUTF8(s string) string { return string([]rune(s)) }

// places sorts the comments of a directive of n words by place.
func (j *jsonDirective) places(n int, isLua bool) (map[string][]*jsonComment, error) {
	if len(j.Comments) == 0 {
		return nil, nil
	}
	allowed := []string{placeAbove, placeDetached, placeInside, placeEnd}
	if j.Block != nil {
		allowed = append(allowed, placeOpen, placeLast)
	}
	if isLua {
		n-- // none between the code and its '}'
	}
	at := map[string][]*jsonComment{}
	for i := range j.Comments {
		c := &j.Comments[i]
		err := c.settle(allowed...)
		if err == nil && c.Place == placeInside && (c.Word < 1 || c.Word > n) {
			err = fmt.Errorf("there is no word %d", c.Word)
		}
		if err != nil {
			return nil, fmt.Errorf(".comments[%d]: %w", i, err)
		}
		at[c.Place] = append(at[c.Place], c)
	}
	return at, nil
}

// settle makes the text of a comment what is to be written, and its place one
// of those allowed, the first if it has none.
func (c *jsonComment) settle(allowed ...string) error {
	if c.Place == "" {
		c.Place = allowed[0]
	}
	if !slices.Contains(allowed, c.Place) {
		return fmt.Errorf("no comment can have the place %q here", c.Place)
	}
	if toUTF8(string(c.Base64)) == c.Text {
		c.Text = string(c.Base64)
	}
	c.Text = strings.TrimRight(c.Text, " \t\r")
	if !strings.HasPrefix(c.Text, "#") {
		c.Text = "# " + c.Text
	}
	if strings.Contains(c.Text, "\n") {
		return errors.New("a comment is one line")
	}
	return nil
}
