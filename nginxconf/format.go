package nginxconf

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Format returns a file in its canonical layout: one directive a line, four
// blanks a level, one blank between words, at most one blank line in a row.
// Comments stay where they are; those at the ends of lines that stood below
// each other still do. Arguments stay on the lines they are on, one level
// deeper from the second line on. Newlines are those of the first line.
//
// nginx reads the same words: quotes, escapes and Lua code stay as written.
// Formatting twice is formatting once. A file with syntax errors is not
// formatted; the error is that of [Parse].
func Format(src []byte) ([]byte, error) {
	f, err := Parse("", src)
	if err != nil {
		return nil, err
	}
	p := printer{nl: f.newline(), first: true}
	f.walk(0, func(d *Directive, depth int) bool {
		p.directive(d, depth)
		return true
	}, func(d *Directive, depth int) {
		p.closeBlock(d, depth)
	})
	p.trivia(f.close(), 0)
	return p.bytes(), nil
}

// A printed is a line of output. Its text may hold newlines of quoted words.
type printed struct {
	text    string
	comment string // at its end
	column  int    // where the comment stood in the source
	blank   bool   // a blank line comes before
}

type printer struct {
	nl    string
	lines []printed
	blank bool // the source has a blank line here
	first bool // nothing stands in the file, or the block, yet
}

func (p *printer) line(l printed) {
	l.blank = p.blank && !p.first
	p.blank, p.first = false, false
	p.lines = append(p.lines, l)
}

// indentTo stops at a depth that nobody reads, so that the output grows with
// the input.
func indentTo(depth int) string { return strings.Repeat(defaultStep, min(depth, 100)) }

// trivia prints the lines of a text between directives.
func (p *printer) trivia(text string, depth int) {
	for i := 0; i < len(text); {
		switch {
		case text[i] == '#':
			end := commentEnd(text, i)
			p.line(printed{text: indentTo(depth) + strings.TrimRight(text[i:end], " \t\r")})
			i = end + 1 // its newline ends it, and is no blank line
		case text[i] == '\n':
			p.blank = true
			i++
		default:
			i++
		}
	}
}

// endOfLine adds the comment in the rest of a line to the line before.
func (p *printer) endOfLine(rest string, off int, src *source) {
	i := strings.IndexByte(rest, '#')
	if i < 0 {
		return
	}
	last := &p.lines[len(p.lines)-1]
	last.comment = strings.TrimRight(rest[i:], " \t\r\n")
	last.column = src.position(off + i).Column
}

func (p *printer) directive(d *Directive, depth int) {
	p.trivia(d.lead(), depth)
	var b strings.Builder
	b.WriteString(indentTo(depth))
	n := d.numWords()
	for i := range n {
		last := i == n-1 && d.n&lua != 0
		if i > 0 {
			gap := d.gap(i)
			if last {
				gap = gap[:strings.LastIndexByte(gap, '{')]
			}
			p.gap(&b, d, i, gap, depth)
		}
		if last {
			b.WriteByte('{')
		}
		b.WriteString(d.Raw(i))
	}
	if d.n&lua != 0 {
		b.WriteByte('}')
		p.line(printed{text: b.String()})
		p.endOfLine(d.tail(), d.endOffset(), d.source())
		return
	}
	gap := d.gap(n)
	switch {
	case d.body != nil:
		p.gap(&b, d, n, gap, depth)
		b.WriteByte('{')
	case strings.Contains(gap, "#"):
		p.gap(&b, d, n, gap, depth)
		b.WriteByte(';')
	default:
		b.WriteByte(';')
	}
	if d.body == nil {
		p.line(printed{text: b.String()})
		p.endOfLine(d.tail(), d.endOffset(), d.source())
		return
	}
	if d.body.Len() == 0 && !strings.Contains(d.body.open()+d.body.close(), "#") {
		b.WriteString(" }")
		p.line(printed{text: b.String()})
		return
	}
	p.line(printed{text: b.String()})
	p.endOfLine(d.body.open(), d.termEnd(), d.source())
	p.first = true
}

func (p *printer) closeBlock(d *Directive, depth int) {
	if d.body.Len() > 0 || strings.Contains(d.body.open()+d.body.close(), "#") {
		p.trivia(d.body.close(), depth+1)
		p.blank = false
		p.line(printed{text: indentTo(depth) + "}"})
	}
	p.endOfLine(d.tail(), d.endOffset(), d.source())
}

// gap writes what stands before word i of d: a blank, or line ends with the
// comments before them.
func (p *printer) gap(b *strings.Builder, d *Directive, i int, gap string, depth int) {
	if gap == "" && len(d.Raw(i-1)) > bufferSize-16 {
		return // nginx's buffer has no room for a blank behind the word
	}
	fresh := false // at the start of a line
	for line := range strings.Lines(gap) {
		if c := strings.IndexByte(line, '#'); c >= 0 {
			if !fresh {
				b.WriteByte(' ')
			}
			b.WriteString(strings.TrimRight(line[c:], " \t\r\n"))
			fresh = false
		}
		if endsLine(line) && !fresh {
			b.WriteString(p.nl + indentTo(depth+1))
			fresh = true
		}
	}
	if !fresh {
		b.WriteByte(' ')
	}
}

// bytes joins the lines and puts comments at their ends below each other
// where they were.
func (p *printer) bytes() []byte {
	var out bytes.Buffer
	for i := 0; i < len(p.lines); {
		// A run of lines whose comments stood in one column.
		n, width := i, 0
		for n < len(p.lines) && p.lines[n].comment != "" && p.lines[n].column == p.lines[i].column && (n == i || !p.lines[n].blank) {
			width = max(width, lastWidth(p.lines[n].text))
			n++
		}
		for end := max(n, i+1); i < end; i++ {
			l := p.lines[i]
			if l.blank {
				out.WriteString(p.nl)
			}
			out.WriteString(l.text)
			if l.comment != "" {
				out.WriteString(strings.Repeat(" ", width-lastWidth(l.text)+1) + l.comment)
			}
			if i == len(p.lines)-1 && (len(l.comment) >= bufferSize || strings.HasPrefix(l.text, "#") && len(l.text) >= bufferSize) {
				return out.Bytes() // a comment that nginx takes only at the very end
			}
			out.WriteString(p.nl)
		}
	}
	return out.Bytes()
}

// lastWidth is how wide a text is on its last line.
func lastWidth(text string) int {
	return utf8.RuneCountInString(text[strings.LastIndexByte(text, '\n')+1:])
}
