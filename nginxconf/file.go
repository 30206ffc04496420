package nginxconf

import (
	"bytes"
	"cmp"
	"io"
	"strings"
)

// A File is one configuration file. Printed unedited, it yields the bytes it
// was parsed from, even if they hold syntax errors.
type File struct {
	// Name is the name that Parse was given, or that Load found the file under.
	Name string
	Body

	src    *source
	saved  string // as it stands on disk
	fsName string // in the file system of Load
	nl     string // see newline
	indent string // see step
	brace  string // see braces
	diags  Diagnostics
}

// Bytes returns the file's text.
func (f *File) Bytes() []byte { return f.AppendText(nil) }

// Original returns the text that was parsed, or saved since.
func (f *File) Original() []byte { return []byte(f.saved) }

// AppendText appends the file's text to b.
func (f *File) AppendText(b []byte) []byte {
	b = appendList(b, &f.Body)
	return append(b, f.close()...)
}

// WriteTo writes the file's text to w.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, bytes.NewReader(f.Bytes()))
}

// Changed tells whether the text is another than what was parsed, or saved
// since.
func (f *File) Changed() bool { return string(f.Bytes()) != f.saved }

// newline returns the file's newline: that of its first line, "\n" for want
// of any.
func (f *File) newline() string {
	if f == nil {
		return "\n"
	}
	if f.nl == "" {
		f.nl = f.src.newline()
	}
	return f.nl
}

// newline returns the first newline that is not in a word, or "\n". One in a
// word would be the first after a Format that takes out the blank lines above.
func (s *source) newline() string {
	end := 0 // of the word before
	for _, slab := range s.nodes {
		for i := range slab {
			for _, w := range from(s.words, slab[i].first, int(slab[i].n&^allFlags)) {
				if nl := firstNewline(s.text[end:w.start]); nl != "" {
					return nl
				}
				end = int(w.end())
			}
		}
	}
	return cmp.Or(firstNewline(s.text[end:]), "\n")
}

func firstNewline(text string) string {
	i := strings.IndexByte(text, '\n')
	switch {
	case i < 0:
		return ""
	case i > 0 && text[i-1] == '\r':
		return "\r\n"
	}
	return "\n"
}

// appendList appends the directives of b.
func appendList(out []byte, b *Body) []byte {
	b.walk(0, func(d *Directive, _ int) bool {
		if d.body == nil && d.made == nil {
			out = append(out, d.source().text[d.begin:d.end]...)
			return true
		}
		out = appendOpen(out, d)
		if d.body == nil {
			out = append(out, d.tail()...)
		}
		return true
	}, func(d *Directive, _ int) { out = appendClose(out, d) })
	return out
}

// appendDirective appends d with the text it owns.
func appendDirective(out []byte, d *Directive) []byte {
	out = appendOpen(out, d)
	if d.body == nil {
		return append(out, d.tail()...)
	}
	return appendClose(appendList(out, d.body), d)
}

// appendOpen appends d up to its ';' or the line behind its '{'.
func appendOpen(out []byte, d *Directive) []byte {
	if m := d.made; m != nil {
		out = append(out, m.lead...)
		for _, w := range m.words {
			out = append(out, w.gap...)
			out = append(out, w.raw...)
		}
		out = append(out, m.gap...)
		out = append(out, m.term...)
	} else {
		out = append(out, d.source().text[d.begin:d.termEnd()]...)
	}
	if d.body != nil {
		out = append(out, d.body.open()...)
	}
	return out
}

// appendClose appends the end of the block d, from the text before its '}' on.
func appendClose(out []byte, d *Directive) []byte {
	out = append(out, d.body.close()...)
	if d.made != nil {
		out = append(out, d.made.close...)
		return append(out, d.made.tail...)
	}
	return append(out, d.source().text[d.body.end:d.end]...)
}
