package supervisorconf

import (
	"bytes"
	"go/token"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// A File is one configuration file: sections, and text around them. Printed
// unedited, it yields the bytes it was parsed from, even if they hold errors.
// The zero File is empty and ready for [File.AddSection].
type File struct {
	// Name is the name that Parse was given, or that Load found the file under.
	Name string

	sections []*Section // replaced, never changed in place: ranging survives edits
	indexed  sync.Once
	index    map[string][]*Section // by header, once asked for: see byHeader
	close    string                // after the last line that means something
	src      *source
	saved    string // as it stands on disk
	fsName   string // in the file system of Load
	faults   faults
}

// A source is the text that a file was parsed from.
type source struct {
	name  string
	text  string
	lines func() []int // where lines start, a sync.OnceValue
}

func newSource(name, text string) *source {
	return &source{name: name, text: text, lines: sync.OnceValue(func() []int { return lineStarts(text) })}
}

// lineStarts returns the offsets at which the lines of text start. A line ends
// with a newline, a carriage return, or one of each.
func lineStarts(text string) []int {
	starts := []int{0}
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\n', text[i] == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			starts = append(starts, i+1)
		}
	}
	return starts
}

func (s *source) position(off int) token.Position {
	if s == nil || off < 0 {
		return token.Position{}
	}
	lines := s.lines()
	i := sort.SearchInts(lines, off+1) - 1
	return token.Position{Filename: s.name, Offset: off, Line: i + 1, Column: off - lines[i] + 1}
}

// A Section is a header such as "[program:web]" and the options under it. A
// header may come again, here or in an included file: to supervisord they are
// one section, in which the later option wins.
//
// It owns its lines: what stands right above the header goes with it.
type Section struct {
	lead    string // whole lines above the header, then its indentation
	raw     string // the header as written, up to its last "]"
	tail    string // rest of its line, which supervisord ignores
	options []*Option
	file    *File
	src     *source
	off     int // of raw; -1 if made, not parsed
	leadOff int // of lead; -1 if it was changed
}

// An Option is "key=value". The value may go on over the lines below, if they
// are indented deeper than the key.
//
// It owns its lines: the comments right above it, its indentation, and the
// rest of its last line.
type Option struct {
	lead string // whole lines above the key, then its indentation
	key  string // as written
	sep  string // "=", " = ", ": "
	raw  string // the value as written, continuation lines and their comments included
	tail string // comment and newline of the last line
	up   *Section
	src  *source

	// Where they stood when parsed; -1 if they did not.
	off, valueOff, endOff, leadOff int
}

// A Comment is a comment, from its ";" or "#" to the end of the line. Start
// and End are zero if an edit moved or wrote it.
type Comment struct {
	Text       string
	Start, End token.Position
}

// Sections ranges over the sections, in the order of the file. [DEFAULT] is
// among them.
func (f *File) Sections() iter.Seq[*Section] {
	return each(f.sections)
}

// Section returns the first section of that type and name, or nil if there is
// none: Section("program", "web") is "[program:web]", Section("supervisord",
// "") is "[supervisord]".
func (f *File) Section(typ, name string) *Section {
	if ss := f.byHeader()[header(typ, name)]; len(ss) > 0 {
		return ss[0]
	}
	return nil
}

// byHeader returns the sections of each header. Who only reads and prints never
// pays for it.
func (f *File) byHeader() map[string][]*Section {
	f.indexed.Do(func() {
		f.index = make(map[string][]*Section, len(f.sections))
		ones := slices.Clone(f.sections) // almost all are the only one of theirs
		for i, s := range f.sections {
			h := s.Header()
			if twins := f.index[h]; twins != nil {
				f.index[h] = append(twins, s)
			} else {
				f.index[h] = ones[i : i+1 : i+1]
			}
		}
	})
	return f.index
}

func header(typ, name string) string {
	if name == "" {
		return typ
	}
	return typ + ":" + name
}

func each[T any](list []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range list {
			if !yield(v) {
				return
			}
		}
	}
}

// Bytes returns the file's text.
func (f *File) Bytes() []byte {
	n := len(f.close)
	for _, s := range f.sections {
		n += len(s.lead) + len(s.raw) + len(s.tail)
		for _, o := range s.options {
			n += len(o.lead) + len(o.key) + len(o.sep) + len(o.raw) + len(o.tail)
		}
	}
	return f.AppendText(make([]byte, 0, n))
}

// AppendText appends the file's text to b.
func (f *File) AppendText(b []byte) []byte {
	for _, s := range f.sections {
		b = append(b, s.lead...)
		b = append(b, s.raw...)
		b = append(b, s.tail...)
		for _, o := range s.options {
			b = o.appendText(b)
		}
	}
	return append(b, f.close...)
}

func (o *Option) appendText(b []byte) []byte {
	b = append(b, o.lead...)
	b = append(b, o.key...)
	b = append(b, o.sep...)
	b = append(b, o.raw...)
	return append(b, o.tail...)
}

// WriteTo writes the file's text to w.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, bytes.NewReader(f.Bytes()))
}

// Original returns the text that was parsed, or saved since.
func (f *File) Original() []byte { return []byte(f.saved) }

// Changed tells whether the text is another than what was parsed, or saved
// since.
func (f *File) Changed() bool { return string(f.Bytes()) != f.saved }

// Comments ranges over all comments of the file, those inside values included.
func (f *File) Comments() iter.Seq[Comment] {
	return func(yield func(Comment) bool) {
		for _, s := range f.sections {
			for c := range s.Comments() {
				if !yield(c) {
					return
				}
			}
			for _, o := range s.options {
				for c := range o.Comments() {
					if !yield(c) {
						return
					}
				}
			}
		}
		off := -1
		if f.src != nil && strings.HasSuffix(f.src.text, f.close) {
			off = len(f.src.text) - len(f.close)
		}
		yieldComments(f.src, f.close, off, yield)
	}
}

// Header returns what stands in the brackets, "program:web". Supervisord
// compares it as it is, blanks and case included.
func (s *Section) Header() string { return s.raw[1 : len(s.raw)-1] }

// Type returns the header up to its first colon: "program", "supervisord".
func (s *Section) Type() string {
	typ, _, _ := strings.Cut(s.Header(), ":")
	return typ
}

// Name returns the header behind its first colon, "web", or "".
func (s *Section) Name() string {
	_, name, _ := strings.Cut(s.Header(), ":")
	return name
}

// File returns the file that the section stands in, or nil after Remove.
func (s *Section) File() *File { return s.file }

// Pos returns where the header stood when it was parsed, or the zero Position
// if it was not.
func (s *Section) Pos() token.Position { return s.src.position(s.off) }

// End returns the place just behind the header when it was parsed, or the zero
// Position if it was not.
func (s *Section) End() token.Position {
	if s.off < 0 {
		return token.Position{}
	}
	return s.src.position(s.off + len(s.raw))
}

// Options ranges over the options under this header.
func (s *Section) Options() iter.Seq[*Option] {
	return each(s.options)
}

// Get returns the option in force, or nil if there is none: the last of that
// name under any header of this section in the file. Case does not matter.
// What [DEFAULT] or another file says is not looked at; see [Load].
func (s *Section) Get(key string) *Option {
	key = lower(key)
	for i := len(s.twins()) - 1; i >= 0; i-- {
		list := s.twins()[i].options
		for j := len(list) - 1; j >= 0; j-- {
			if list[j].is(key) {
				return list[j]
			}
		}
	}
	return nil
}

// twins returns the sections of the file with the same header.
func (s *Section) twins() []*Section {
	if s.file == nil {
		return []*Section{s}
	}
	return s.file.byHeader()[s.Header()]
}

// Comments ranges over the comments right above the header and behind it.
func (s *Section) Comments() iter.Seq[Comment] {
	return func(yield func(Comment) bool) {
		if !yieldComments(s.src, s.lead, s.leadOff, yield) {
			return
		}
		before := s.lead[lastLine(s.lead):]
		off := -1
		if s.off >= 0 {
			off = s.off - len(before)
		}
		yieldComments(s.src, before+s.raw+s.tail, off, yield)
	}
}

// Key returns the option's name as written. Supervisord reads it in lower
// case; see [Option.Name].
func (o *Option) Key() string { return o.key }

// Name returns the option's name as supervisord compares it, in lower case.
func (o *Option) Name() string { return lower(o.key) }

func (o *Option) is(lowered string) bool { return o.key == lowered || lower(o.key) == lowered }

// Section returns the section that the option stands in, or nil after Remove.
func (o *Option) Section() *Section { return o.up }

// Value returns the value as supervisord reads it: comments cut off, lines
// stripped and joined by newlines. Names in %(…)s are not expanded; see
// [Option.Expand].
func (o *Option) Value() string {
	if !strings.ContainsAny(o.raw, "\n\r") {
		return o.raw
	}
	return o.join()
}

// join reads a value of several lines. Whether a ";" starts a comment depends
// on the whole line it stands in, key included, so the first line is put
// together again; the last one was cut when it was parsed.
func (o *Option) join() string {
	before := o.lead[lastLine(o.lead):] + o.key + o.sep
	rest := before + o.raw
	var b strings.Builder
	for first := true; ; first = false {
		line, n := nextLine(rest)
		if n == len(line) {
			b.WriteByte('\n')
			b.WriteString(trim(line))
			return b.String()
		}
		rest = rest[n:]
		text, cut := line, commentAt(line)
		if cut >= 0 {
			text = line[:cut]
		}
		switch {
		case first:
			b.WriteString(trim(text[min(len(before), len(text)):]))
		case cut < 0 || trim(text) != "": // a line of comment adds nothing, a blank one does
			b.WriteByte('\n')
			b.WriteString(trim(text))
		}
	}
}

// Pos returns where the key stood when it was parsed, or the zero Position if
// it was not.
func (o *Option) Pos() token.Position { return o.src.position(o.off) }

// End returns the place just behind the value when it was parsed, or the zero
// Position if it was not.
func (o *Option) End() token.Position { return o.src.position(o.endOff) }

// ValuePos returns where the value began when it was parsed, or the zero
// Position if it was not. An empty value is at the end of its line's text.
func (o *Option) ValuePos() token.Position { return o.src.position(o.valueOff) }

// Comments ranges over the comments right above the option, between the lines
// of its value, and behind it.
func (o *Option) Comments() iter.Seq[Comment] {
	return func(yield func(Comment) bool) {
		if !yieldComments(o.src, o.lead, o.leadOff, yield) {
			return
		}
		if strings.ContainsAny(o.raw, "\n\r") {
			before := o.lead[lastLine(o.lead):] + o.key + o.sep
			text := before + o.raw
			text = text[:lastLine(text)]
			off := -1
			if o.stands(o.raw, o.valueOff) {
				off = o.valueOff - len(before)
			}
			if !yieldComments(o.src, text, off, yield) {
				return
			}
		}
		off := -1
		if o.stands(o.tail, o.endOff) {
			off = o.endOff
		}
		yieldComments(o.src, o.tail, off, yield)
	}
}

// stands tells whether text is at off in the source, where no edit changed it.
func (o *Option) stands(text string, off int) bool {
	return off >= 0 && strings.HasPrefix(o.src.text[off:], text)
}

// yieldComments yields the comments in the lines of text, which stands at off.
func yieldComments(src *source, text string, off int, yield func(Comment) bool) bool {
	for text != "" {
		line, n := nextLine(text)
		if i := commentAt(line); i >= 0 {
			c := Comment{Text: trimRight(line[i:])}
			if off >= 0 {
				c.Start = src.position(off + i)
				c.End = src.position(off + i + len(c.Text))
			}
			if !yield(c) {
				return false
			}
		}
		text = text[n:]
		if off >= 0 {
			off += n
		}
	}
	return true
}

// commentAt returns where a comment starts in line, or -1: at a ";" or "#" that
// is the first character or follows white space. Quotes do not protect it.
//
// Python up to 3.12 looks at the first ";" and the first "#", then at the
// second of each, and stops in the first round that finds one. So it reads
// "a;b ;c #d" as "a;b ;c".
func commentAt(line string) int {
	semicolon, hash := strings.IndexByte(line, ';'), strings.IndexByte(line, '#')
	for semicolon >= 0 || hash >= 0 {
		at := -1
		if semicolon >= 0 && afterSpace(line, semicolon) {
			at = semicolon
		}
		if hash >= 0 && afterSpace(line, hash) && (at < 0 || hash < at) {
			at = hash
		}
		if at >= 0 {
			return at
		}
		semicolon, hash = indexAfter(line, ';', semicolon), indexAfter(line, '#', hash)
	}
	return -1
}

func afterSpace(line string, i int) bool {
	r, n := utf8.DecodeLastRuneInString(line[:i])
	return n == 0 || isSpace(r)
}

func indexAfter(line string, c byte, i int) int {
	if i >= 0 {
		if j := strings.IndexByte(line[i+1:], c); j >= 0 {
			return i + 1 + j
		}
	}
	return -1
}

// nextLine returns the first line of text without its newline, and how many
// bytes it has with it.
func nextLine(text string) (line string, n int) {
	i := strings.IndexAny(text, "\n\r")
	if i < 0 {
		return text, len(text)
	}
	return text[:i], i + newlineLen(text[i:])
}

func newlineLen(text string) int {
	if strings.HasPrefix(text, "\r\n") {
		return 2
	}
	return 1
}

// lastLine returns where the last line of text starts.
func lastLine(text string) int { return strings.LastIndexAny(text, "\n\r") + 1 }

// indentation counts the characters before the first that is not white space.
// A tab counts as one.
func indentation(line string) int {
	return utf8.RuneCountInString(line[:len(line)-len(trimLeft(line))])
}
