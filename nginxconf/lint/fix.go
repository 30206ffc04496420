package lint

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// defaultStep is what a level is indented by where the file does not show it.
const defaultStep = "    "

// InsertAfter returns the edit that puts lines behind d, indented like d; a
// tab at the start of a line stands for one level more. If d shares its line
// with other directives, so do they. It returns nil if d does not stand in the
// text of a file as it was read.
func (p *Pass) InsertAfter(d *nginxconf.Directive, lines ...string) []nginxconf.Edit {
	text, ok := p.text(d)
	if !ok {
		return nil
	}
	start, end := d.Pos(), d.End()
	if c := text[end.Offset-1]; c != ';' && c != '}' {
		return nil // cut off: nothing may follow it
	}
	indent := text[strings.LastIndexByte(text[:start.Offset], '\n')+1 : start.Offset]
	rest, _, _ := strings.Cut(text[end.Offset:], "\n")
	rest = strings.TrimSuffix(rest, "\r")
	behind := strings.TrimLeft(rest, " \t")
	var b strings.Builder
	if strings.Trim(indent, " \t") == "" && (behind == "" || behind[0] == '#') {
		end.Offset += len(rest)
		end.Column += len(rest)
		newline := newlineOf(text)
		step := stepOf(d, text, indent)
		for _, line := range lines {
			b.WriteString(newline)
			if line != "" {
				b.WriteString(indent + strings.ReplaceAll(line, "\t", step))
			}
		}
	} else {
		for _, line := range lines {
			if line != "" {
				b.WriteString(" " + strings.TrimLeft(line, "\t"))
			}
		}
	}
	return []nginxconf.Edit{{Start: end, End: end, NewText: b.String()}}
}

// ReplaceArg returns the edit that gives argument i of d another value, in the
// quotes that it has. It returns nil if the argument does not stand in the text
// of a file as it was read.
func (p *Pass) ReplaceArg(d *nginxconf.Directive, i int, value string) []nginxconf.Edit {
	if _, ok := p.text(d); !ok {
		return nil
	}
	start, end := d.Span(i + 1)
	f, err := nginxconf.Parse("", []byte("x "+d.Raw(i+1)+";"))
	if err != nil || f.Len() != 1 || f.At(0).NumArgs() != 1 {
		return nil
	}
	f.At(0).SetArg(0, value)
	return []nginxconf.Edit{{Start: start, End: end, NewText: f.At(0).Raw(1)}}
}

// text returns the text of the file in which d stands, if it is still the one
// that the places of its directives speak of.
func (p *Pass) text(d *nginxconf.Directive) (string, bool) {
	f := d.File()
	if f == nil {
		return "", false
	}
	text, known := p.texts[f]
	if !known {
		if !f.Changed() {
			text = string(f.Bytes())
		}
		p.texts[f] = text
	}
	return text, text != ""
}

func newlineOf(text string) string {
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// stepOf returns what a level is indented by, as d and the first directive in
// it show.
func stepOf(d *nginxconf.Directive, text, indent string) string {
	if d.Body() == nil || d.Body().Len() == 0 {
		return defaultStep
	}
	at := d.Body().At(0).Pos()
	line := text[strings.LastIndexByte(text[:at.Offset], '\n')+1 : at.Offset]
	step, ok := strings.CutPrefix(line, indent)
	if !ok || step == "" || strings.Trim(step, " \t") != "" {
		return defaultStep
	}
	return step
}
