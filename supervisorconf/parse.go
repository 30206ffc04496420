package supervisorconf

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads one file as Supervisor does (Python 3.11's configparser, as
// Supervisor sets it up). The File is never nil: what is wrong with it is in
// the error, which is a [Diagnostics], and lines that Supervisor cannot read
// are kept as text between the options.
//
// More than 64 MiB are not looked at, however they are divided into lines: the
// File then has no sections, and the error says so.
func Parse(name string, src []byte) (*File, error) {
	f := parseText(name, string(src))
	return f, f.faults.diagnostics(f, name).Err()
}

func parseText(name, text string) *File {
	f := &File{Name: name, src: newSource(name, text), saved: text}
	if len(text) > maxFileSize {
		f.close = text
		f.faults.large = true
		return f
	}
	p := parser{file: f, text: text}
	p.run()
	f.faults.decode = decodingFault(text)
	return f
}

const bom = "\ufeff"

// A parser goes through a file line by line. What supervisord keeps of a line
// depends on the option that is open and on how deep it was indented.
type parser struct {
	file *File
	text string

	pending int // start of the text that no node owns yet
	level   int // indentation of the line that opened the option or section
	section *Section
	option  *Option // the last one, which a continuation line extends
	open    bool    // supervisord would append to an option
	skipped bool    // since option, a line was skipped: what it appends is skipped too

	sections []Section // allocated ahead
	options  []Option
	size     int       // of the last allocation of options
	list     []*Option // of section, and room for those of the next
}

func (p *parser) run() {
	pos := 0
	if strings.HasPrefix(p.text, bom) {
		// Python takes it for the first character of the first line, which is
		// then neither a header nor a comment.
		line, n := nextLine(p.text)
		p.file.faults.header = &badLine{1, pythonLine(line, n), 0, len(bom), n}
		p.file.faults.bom = true
		pos = len(bom)
	}
	cr := strings.IndexByte(p.text, '\r') >= 0
	for number := 1; pos < len(p.text); number++ {
		rest := p.text[pos:]
		i, n := 0, 1
		if cr {
			i = strings.IndexAny(rest, "\n\r")
		} else {
			i = strings.IndexByte(rest, '\n')
		}
		if i < 0 {
			i, n = len(rest), 0
		} else if rest[i] == '\r' {
			n = newlineLen(rest[i:])
		}
		p.line(rest[:i], pos, i+n, number)
		pos += i + n
	}
	p.endSection()
	p.file.close = p.text[p.pending:]
}

// endSection gives the open section its options.
func (p *parser) endSection() {
	if p.section != nil && len(p.list) > 0 {
		p.section.options = slices.Clip(p.list)
		p.list = p.list[len(p.list):]
	}
}

// delimiterAt returns where the first "=" or ":" is, or -1.
func delimiterAt(s string) int {
	for i := range len(s) {
		if s[i] == '=' || s[i] == ':' {
			return i
		}
	}
	return -1
}

// line reads one line, which stands at start and has size bytes with its
// newline.
func (p *parser) line(line string, start, size, number int) {
	text := line
	if cut := commentAt(line); cut >= 0 {
		text = line[:cut]
	}
	value := trimLeft(text)
	indent := len(text) - len(value)
	value = trimRight(value)
	if value == "" {
		return
	}
	level := indent
	if indent > 0 {
		level = utf8.RuneCountInString(text[:indent])
	}
	at := start + indent
	end := at + len(value)
	next := start + size

	if p.open && level > p.level {
		if !p.skipped {
			p.option.raw = p.text[p.option.valueOff:end]
			p.option.tail = p.text[end:next]
			p.option.endOff = end
			p.pending = next
		}
		return
	}
	p.level = level
	if value[0] == '[' {
		if i := strings.LastIndexByte(value, ']'); i > 1 {
			p.header(value[:i+1], at, next)
			return
		}
	}
	i := delimiterAt(value)
	switch {
	case p.section == nil:
		if p.file.faults.header == nil {
			if next > start && p.text[next-1] == '\r' {
				next++ // Python waits for what follows
			}
			p.file.faults.header = &badLine{number, pythonLine(line, size), at, end, next}
		}
		return
	case i <= 0:
		// A line without "=" leaves the option before it open, one without a
		// name does not.
		p.file.faults.lines = append(p.file.faults.lines, badLine{number, pythonLine(line, size), at, end, next})
		p.skipped = true
		p.open = p.open && i < 0
		return
	}
	key := trimRight(value[:i])
	val := trimLeft(value[i+1:])
	if len(p.options) == 0 {
		p.size = min(max(2*p.size, 4), 64)
		p.options = make([]Option, p.size)
	}
	if len(p.list) == cap(p.list) {
		p.list = append(make([]*Option, 0, 2*len(p.list)+p.size), p.list...)
	}
	o := &p.options[0]
	p.options = p.options[1:]
	*o = Option{
		lead: p.text[p.pending:at], key: key, sep: value[len(key) : len(value)-len(val)], raw: val, tail: p.text[end:next],
		up: p.section, src: p.file.src,
		off: at, valueOff: end - len(val), endOff: end, leadOff: p.pending,
	}
	p.list = append(p.list, o)
	p.option, p.open, p.skipped, p.pending = o, true, false, next
}

func (p *parser) header(raw string, at, next int) {
	if len(p.sections) == 0 {
		p.sections = make([]Section, min(len(p.file.sections)+1, 16))
	}
	s := &p.sections[0]
	p.sections = p.sections[1:]
	*s = Section{
		lead: p.text[p.pending:at], raw: raw, tail: p.text[at+len(raw) : next],
		file: p.file, src: p.file.src, off: at, leadOff: p.pending,
	}
	p.file.sections = append(p.file.sections, s)
	p.endSection()
	p.section, p.open, p.skipped, p.pending = s, false, false, next
}

// pythonLine is the line as Python sees it, with its newline turned into "\n".
func pythonLine(line string, size int) string {
	if size > len(line) {
		return line + "\n"
	}
	return line
}

// A badLine is a line that Supervisor cannot read.
type badLine struct {
	number     int
	text       string // with its newline
	start, end int
	next       int // how far Python has read when it looks at it
}

// faults is what keeps Supervisor from reading a file.
type faults struct {
	large  bool // it was not read: see maxFileSize
	decode *badByte
	header *badLine // the first line, if it stands before any header
	bom    bool     // header is one for its byte order mark
	lines  []badLine
}

func (f *faults) any() bool { return f.large || f.decode != nil || f.header != nil || len(f.lines) > 0 }

// refusal is what Supervisor says of them. It reads a file piece by piece, so
// that a line without a header stops it before a bad byte further on.
func (f *faults) refusal(name string) string {
	switch {
	case f.large:
		return errSize.Error()
	case f.decode != nil && (f.header == nil || f.header.next > f.decode.decoded):
		return f.decode.message
	case f.header != nil:
		return f.header.noSection(name)
	case len(f.lines) > 0:
		var b strings.Builder
		b.WriteString("Source contains parsing errors: " + repr(name))
		for _, l := range f.lines {
			fmt.Fprintf(&b, "\n\t[line %2d]: %s", l.number, repr(maskLine(l.text)))
		}
		return b.String()
	}
	return ""
}

func (l *badLine) noSection(name string) string {
	return fmt.Sprintf("File contains no section headers.\nfile: %s, line: %d\n%s", repr(name), l.number, repr(maskLine(l.text)))
}

// diagnostics returns the same as findings, each on one line. name is the file
// as Supervisor calls it.
func (f *faults) diagnostics(file *File, name string) Diagnostics {
	if !f.any() {
		return nil
	}
	if f.large {
		start := token.Position{Filename: file.Name, Line: 1, Column: 1}
		return Diagnostics{errorAt(start, start, "too-much", "%s", errSize)}
	}
	at := file.src.position
	var ds Diagnostics
	if d := f.decode; d != nil {
		ds = append(ds, errorAt(at(d.off), at(d.off+1), "bad-encoding", "%s", d.message))
	}
	if l := f.header; l != nil {
		d := errorAt(at(l.start), at(l.end), "missing-section-header", "%s", oneLine(l.noSection(name)))
		if f.bom {
			d.Code = "byte-order-mark"
			d.Fixes = []Fix{{"remove the byte order mark", []Edit{{Start: d.Start, End: d.End}}}}
		}
		ds = append(ds, d)
	}
	for _, l := range f.lines {
		ds = append(ds, errorAt(at(l.start), at(l.end), "parsing-error",
			"Source contains parsing errors: %s [line %2d]: %s", repr(name), l.number, repr(maskLine(l.text))))
	}
	ds.Sort()
	return ds
}

// oneLine puts a message of Python's on one line.
func oneLine(s string) string { return strings.NewReplacer("\n\t", " ", "\n", " ").Replace(s) }
