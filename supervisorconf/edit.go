package supervisorconf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// AddSection returns the section of that type and name, and adds it at the end
// of the file if there is none: AddSection("program", "web") makes
// "[program:web]". It stands apart from what is before it as the sections
// there do. The error says why no file can hold such a header.
func (f *File) AddSection(typ, name string) (*Section, error) {
	if s := f.Section(typ, name); s != nil {
		return s, nil
	}
	h := header(typ, name)
	probe, err := Parse("", []byte("["+h+"]"))
	if err != nil || len(probe.sections) != 1 || probe.sections[0].Header() != h {
		return nil, fmt.Errorf("supervisorconf: a header cannot be %q", h)
	}

	nl := f.newline()
	s := &Section{raw: "[" + h + "]", tail: nl, file: f, off: -1, leadOff: -1}
	if len(f.sections) > 0 || f.close != "" {
		f.endLine(nl)
		s.lead = f.close
		if trim(f.close) != "" || f.spaced() {
			s.lead = blankBelow(s.lead, nl)
		}
	}
	f.close = ""
	f.sections = append(slices.Clip(f.sections), s)
	f.index[h] = append(slices.Clip(f.index[h]), s)
	return s, nil
}

// spaced tells whether blank lines stand between the sections.
func (f *File) spaced() bool {
	if len(f.sections) < 2 {
		return true
	}
	for _, s := range f.sections[1:] {
		if hasBlank(s.lead) {
			return true
		}
	}
	return false
}

func hasBlank(lead string) bool {
	for lead != "" {
		line, n := nextLine(lead)
		if n > len(line) && trim(line) == "" {
			return true
		}
		lead = lead[n:]
	}
	return false
}

// blankBelow returns whole lines with a blank one at the end.
func blankBelow(lines, nl string) string {
	if body := strings.TrimSuffix(strings.TrimSuffix(lines, "\n"), "\r"); body != lines && trim(body[lastLine(body):]) == "" {
		return lines
	}
	return lines + nl
}

// endLine ends the last line of the file, if it has no newline.
func (f *File) endLine(nl string) {
	last := &f.close
	if f.close == "" {
		s := f.sections[len(f.sections)-1]
		if last = &s.tail; len(s.options) > 0 {
			last = &s.options[len(s.options)-1].tail
		}
	}
	if !endsLine(*last) {
		*last += nl
	}
}

func endsLine(s string) bool { return strings.HasSuffix(s, "\n") || strings.HasSuffix(s, "\r") }

// newline returns the file's newline: that of its first line, "\n" for want of
// any.
func (f *File) newline() string {
	if f != nil && f.src != nil {
		if line, n := nextLine(f.src.text); n > len(line) {
			return f.src.text[len(line):n]
		}
	}
	return "\n"
}

// Remove takes the section out of its file, with its options and the comments
// right above it. Comments set apart by a blank line stay.
func (s *Section) Remove() {
	f := s.file
	if f == nil {
		return
	}
	i := slices.Index(f.sections, s)
	index := f.byHeader()
	f.sections = without(f.sections, s)
	index[s.Header()] = without(index[s.Header()], s)
	s.file = nil
	if i == len(f.sections) {
		f.close = leave(s.lead, f.close, true)
		return
	}
	next := f.sections[i]
	next.lead, next.leadOff = leave(s.lead, next.lead, false), -1
	// Without s between them, a header indented deeper than the option before
	// it would become part of that option's value.
	if i > 0 {
		if before := f.sections[i-1].options; len(before) > 0 {
			o := before[len(before)-1]
			if n := lastLine(next.lead); indentation(next.lead[n:]) > o.level() {
				next.lead = next.lead[:n] + o.indent()
			}
		}
	}
}

// Remove takes the option out of its section, with all lines of its value and
// the comments right above it. Comments set apart by a blank line stay.
func (o *Option) Remove() {
	s := o.up
	if s == nil {
		return
	}
	i := slices.Index(s.options, o)
	s.options = without(s.options, o)
	o.up = nil
	if i < len(s.options) {
		next := s.options[i]
		next.lead, next.leadOff = leave(o.lead, next.lead, false), -1
		return
	}
	if s.file == nil {
		return
	}
	if j := slices.Index(s.file.sections, s) + 1; j < len(s.file.sections) {
		next := s.file.sections[j]
		next.lead, next.leadOff = leave(o.lead, next.lead, false), -1
		return
	}
	s.file.close = leave(o.lead, s.file.close, true)
}

func without[T comparable](list []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(w T) bool { return w == v })
}

// leave returns the text above what follows a removed node: of the node's lead
// the lines that are set apart from it, then the text that was there.
func leave(lead, next string, last bool) string {
	lead = lead[:lastLine(lead)]
	// Cut the comment lines that touch the node.
	for lead != "" {
		body := lead[:len(lead)-1]
		if strings.HasSuffix(lead, "\r\n") {
			body = lead[:len(lead)-2]
		}
		start := lastLine(body)
		if trim(body[start:]) == "" {
			break
		}
		lead = lead[:start]
	}
	// Two gaps become one.
	line, n := nextLine(next)
	if blank := n > len(line) && trim(line) == ""; blank || next == "" && last {
		lead = trimBlankLines(lead)
	}
	return lead + next
}

// trimBlankLines cuts the blank lines at the end of whole lines.
func trimBlankLines(lines string) string {
	end := 0
	for rest, at := lines, 0; rest != ""; {
		line, n := nextLine(rest)
		at += n
		if trim(line) != "" {
			end = at
		}
		rest = rest[n:]
	}
	return lines[:end]
}

// indent returns the indentation of the line that the key stands on.
func (o *Option) indent() string { return blanks(o.lead[lastLine(o.lead):]) }

func (o *Option) level() int { return utf8.RuneCountInString(o.indent()) }

// blanks returns the white space that line starts with.
func blanks(line string) string { return line[:len(line)-len(trimLeft(line))] }

// CheckOption returns why no configuration file can hold such an option, or
// nil: a value that has white space at its ends or before a ";" or "#", or
// a line that would be read as a comment. Quotes do not help, and there is no
// escape.
func CheckOption(key, value string) error {
	if err := checkOption(key, value); err != nil {
		return fmt.Errorf("supervisorconf: %w", err)
	}
	return nil
}

func checkOption(key, value string) error {
	o := &Option{key: key, sep: "="}
	if err := o.check(key); err != nil {
		return err
	}
	return o.setValue(value)
}

func (o *Option) check(key string) error {
	f, err := Parse("", []byte("[s]\n"+key+"="))
	if err != nil || len(f.sections) != 1 || len(f.sections[0].options) != 1 || f.sections[0].options[0].key != key {
		return fmt.Errorf("an option cannot be named %q", key)
	}
	return nil
}

// Set gives the option a value and returns it. If the section has no such
// option, a new one goes below the last, spaced like it. A value may have
// several lines. It is written as it is: a "%" that is meant has to be "%%".
//
// If no file can hold the key or the value, Set changes nothing and returns
// nil; [CheckOption] says why.
func (s *Section) Set(key, value string) *Option {
	if o := s.Get(key); o != nil {
		if o.SetValue(value) != nil {
			return nil
		}
		return o
	}
	return s.add(key, value)
}

func (s *Section) add(key, value string) *Option {
	o := &Option{lead: s.indentForNew(), key: key, sep: s.separator(key), up: s, off: -1, valueOff: -1, endOff: -1, leadOff: -1}
	if o.check(key) != nil || o.SetValue(value) != nil {
		return nil
	}
	above := &s.tail
	if n := len(s.options); n > 0 {
		above = &s.options[n-1].tail
	}
	nl := s.file.newline()
	if endsLine(*above) {
		o.tail = nl
	} else { // the file ends here, without a newline, and shall again
		*above += nl
	}
	s.options = append(slices.Clip(s.options), o)
	return o
}

// indentForNew returns the indentation for an option at the end of s: that of
// the option above it, or else of the options of other sections, but such that
// what follows does not become part of its value.
func (s *Section) indentForNew() string {
	if o := lastOption(s); o != nil {
		return o.indent()
	}
	if s.file == nil {
		return ""
	}
	indent := ""
	if o := s.neighbour(); o != nil {
		indent = o.indent()
	}
	below := s.file.close
	if j := slices.Index(s.file.sections, s) + 1; j < len(s.file.sections) {
		below = s.file.sections[j].lead + s.file.sections[j].raw
	}
	for below != "" {
		line, n := nextLine(below)
		below = below[n:]
		text := line
		if i := commentAt(line); i >= 0 {
			text = line[:i]
		}
		if trim(text) != "" {
			if b := blanks(line); utf8.RuneCountInString(b) > utf8.RuneCountInString(indent) {
				indent = b
			}
			break
		}
	}
	return indent
}

// neighbour returns the nearest option: the last of s, or of the sections above
// from the last up, or of those below.
func (s *Section) neighbour() *Option {
	if len(s.options) > 0 || s.file == nil {
		return lastOption(s)
	}
	at := slices.Index(s.file.sections, s)
	for _, t := range slices.Backward(s.file.sections[:at]) {
		if o := lastOption(t); o != nil {
			return o
		}
	}
	for _, t := range s.file.sections[at+1:] {
		if o := lastOption(t); o != nil {
			return o
		}
	}
	return nil
}

func lastOption(s *Section) *Option {
	if n := len(s.options); n > 0 {
		return s.options[n-1]
	}
	return nil
}

// separator returns what stands between key and value in a neighbour. Where the
// section of that aligns the values, this one is aligned with them.
func (s *Section) separator(key string) string {
	o := s.neighbour()
	if o == nil {
		return "="
	}
	before := blanks(o.sep)
	column, aligned := 0, false
	for i, t := range o.up.options {
		b := blanks(t.sep)
		c := utf8.RuneCountInString(t.key) + len(b)
		if i > 0 && c != column || strings.Trim(b, " ") != "" {
			return o.sep
		}
		column = c
		aligned = aligned || len(b) > 1
	}
	if !aligned {
		return o.sep
	}
	return strings.Repeat(" ", max(1, column-utf8.RuneCountInString(key))) + o.sep[len(before):]
}

// Why a value cannot be written.
var (
	errEncoding = errors.New("it is not UTF-8")
	errReturn   = errors.New("a carriage return is read as a newline")
	errEnds     = errors.New("white space at the end of a line is not read")
	errComment  = errors.New(`white space before ";" or "#" starts a comment, and quotes do not protect it`)
	errLine     = errors.New(`a line that starts with ";" or "#" is a comment`)
	errLast     = errors.New("empty lines at the end are not read")
)

func checkValue(lines []string) error {
	for i, line := range lines {
		switch {
		case !utf8.ValidString(line):
			return errEncoding
		case strings.Contains(line, "\r"):
			return errReturn
		case trim(line) != line:
			return errEnds
		case i > 0 && strings.HasPrefix(line, ";"), i > 0 && strings.HasPrefix(line, "#"):
			return errLine
		}
		for j := 1; j < len(line); j++ {
			if (line[j] == ';' || line[j] == '#') && afterSpace(line, j) {
				return errComment
			}
		}
	}
	if n := len(lines); n > 1 && lines[n-1] == "" {
		return errLast
	}
	return nil
}

// SetValue gives the option another value. Lines of the value that stay the
// same are not touched, and a comment behind one that changes stays behind it.
// The error says why no file can hold the value; then nothing is changed.
func (o *Option) SetValue(value string) error {
	if err := o.setValue(value); err != nil {
		return fmt.Errorf("supervisorconf: %w", err)
	}
	return nil
}

func (o *Option) setValue(value string) error {
	lines := strings.Split(value, "\n")
	if err := checkValue(lines); err != nil {
		return fmt.Errorf("the value of %s cannot be written: %w", o.key, err)
	}
	try := *o
	try.setLines(lines)
	if !try.reads(value) {
		// A comment behind the value, with a ";" or "#" in the value itself,
		// may be cut off elsewhere.
		try.liftComment()
		if !try.reads(value) {
			return fmt.Errorf("the value of %s cannot be written: supervisord would read another", o.key)
		}
	}
	try.leadOff = o.leadOff
	if try.lead != o.lead {
		try.leadOff = -1
	}
	*o = try
	return nil
}

// reads tells whether the option, as it stands, has that value.
func (o *Option) reads(value string) bool {
	text := append([]byte("[s]\n"), o.indent()...)
	text = append(text, o.key...)
	text = append(text, o.sep...)
	text = append(text, o.raw...)
	f, err := Parse("", append(text, o.tail...))
	return err == nil && len(f.sections) == 1 && len(f.sections[0].options) == 1 &&
		f.sections[0].options[0].key == o.key && f.sections[0].options[0].Value() == value && o.Value() == value
}

// liftComment puts the comments behind the value on lines above the option.
func (o *Option) liftComment() {
	nl := o.newline()
	at := lastLine(o.lead)
	indent := o.lead[at:]
	lines := o.valueLines()
	for i := range lines {
		if c := trim(lines[i].post); c != "" {
			o.lead += c + nl + indent
			lines[i].post = ""
		}
	}
	o.putLines(lines)
}

func (o *Option) newline() string {
	if o.up != nil {
		return o.up.file.newline()
	}
	return "\n"
}

// A valueLine is one line of a value, as written.
type valueLine struct {
	pre     string // indentation
	text    string
	post    string // white space and comment
	nl      string
	comment bool // a comment on a line of its own: adds nothing to the value
}

// valueLines takes the value and what is behind it apart.
func (o *Option) valueLines() []valueLine {
	var lines []valueLine
	before := o.lead[lastLine(o.lead):] + o.key + o.sep
	for rest := before + o.raw; ; {
		line, n := nextLine(rest)
		l := valueLine{nl: rest[len(line):n]}
		rest = rest[n:]
		start := len(blanks(line))
		if len(lines) == 0 {
			start = min(len(before), len(line))
		} else {
			l.pre = line[:start]
		}
		if rest == "" && l.nl == "" { // the last: cut when it was parsed
			tail, n := nextLine(o.tail)
			l.text, l.post, l.nl = line[start:], tail, o.tail[len(tail):n]
			return append(lines, l)
		}
		text := line[start:]
		if cut := commentAt(line); cut >= 0 {
			text = line[start:max(cut, start)]
			l.comment = len(lines) > 0 && trim(text) == ""
		}
		l.text = trimRight(text)
		l.post = line[start+len(l.text):]
		lines = append(lines, l)
	}
}

// putLines is the way back.
func (o *Option) putLines(lines []valueLine) {
	var b strings.Builder
	for i, l := range lines {
		b.WriteString(l.pre)
		b.WriteString(l.text)
		if i < len(lines)-1 {
			b.WriteString(l.post)
			b.WriteString(l.nl)
		}
	}
	last := lines[len(lines)-1]
	o.raw, o.tail = b.String(), last.post+last.nl
}

// setLines changes the value to these lines.
func (o *Option) setLines(want []string) {
	old := o.valueLines()
	end := &old[len(old)-1]
	final, nl := end.nl, o.newline()
	end.nl = nl

	var values []int // of old
	indent := ""
	for i, l := range old {
		if !l.comment {
			values = append(values, i)
		}
		if i > 0 && l.text != "" && indent == "" {
			indent = l.pre
		}
	}
	if indent == "" {
		indent = o.indent() + "    "
	}

	// The lines at both ends that stay.
	head := 0
	for head < len(values) && head < len(want) && old[values[head]].text == want[head] {
		head++
	}
	tail := 0
	for tail < len(values)-head && tail < len(want)-head && old[values[len(values)-1-tail]].text == want[len(want)-1-tail] {
		tail++
	}

	lines := slices.Clone(old)
	if middle := want[head : len(want)-tail]; len(middle) == len(values)-head-tail {
		for i, text := range middle {
			lines[values[head+i]].text = text
		}
	} else {
		from, to := len(old), len(old)
		if head < len(values) {
			from = values[head]
		}
		if tail > 0 {
			to = values[len(values)-tail]
		}
		made := make([]valueLine, len(middle))
		for i, text := range middle {
			made[i] = valueLine{text: text, nl: nl}
		}
		if tail == 0 && to > from && len(made) > 0 { // what stood behind the last line stays there
			made[len(made)-1].post = old[len(old)-1].post
		}
		lines = slices.Concat(old[:from], made, old[to:])
	}
	for len(lines) > 1 && lines[len(lines)-1].comment {
		lines = lines[:len(lines)-1]
	}
	lines[len(lines)-1].nl = final
	lines[0].pre = ""
	for i := range lines[1:] {
		if l := &lines[1+i]; l.text != "" && l.pre == "" {
			l.pre = indent
		}
	}

	switch first := want[0]; {
	case first == "", strings.HasPrefix(first, ";"), strings.HasPrefix(first, "#"):
		o.sep = trimRight(o.sep)
	case trimRight(o.sep) == o.sep && blanks(o.sep) != "":
		o.sep += " " // as before the "="
	}
	o.putLines(lines)
}
