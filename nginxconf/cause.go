package nginxconf

import (
	"fmt"
	"strings"
)

// nginx reports a missing or a surplus brace, and a quote that is not closed,
// where it can go no further: often at the end of the file. What follows
// guesses the place by the indentation, for a Fix.

// explain adds fixes to the errors that nginx reports far from their cause.
func (p *parser) explain() {
	if p.atEnd != nil {
		p.atEnd.Fixes = append(p.atEnd.Fixes, p.missingBrace())
	}
	if p.stray != nil {
		p.stray.Fixes = append(p.stray.Fixes, p.surplusBrace())
	}
}

// indentAt returns the blanks before off, and whether nothing else stands before
// off on its line.
func (p *parser) indentAt(off int) (indent string, first bool) {
	start := off
	for start > 0 && (p.text[start-1] == ' ' || p.text[start-1] == '\t') {
		start--
	}
	return p.text[start:off], start == 0 || p.text[start-1] == '\n'
}

// closedAt returns the first block that a brace on a line of its own closes
// whose indentation is less, or more, than that of the block.
func (p *parser) closedAt(deeper bool) *Directive {
	var found *Directive
	for d := range p.file.All() {
		if d.body == nil || d.n&noClose != 0 {
			continue
		}
		outer, opens := p.indentAt(int(d.span(0).start))
		inner, closes := p.indentAt(int(d.body.end))
		if !opens || !closes || len(inner) == len(outer) || (len(inner) > len(outer)) != deeper {
			continue
		}
		if found == nil || d.body.end < found.body.end {
			found = d
		}
	}
	return found
}

func (p *parser) missingBrace() Fix {
	if d := p.closedAt(false); d != nil {
		// Its brace seems to be that of a block around it.
		indent, _ := p.indentAt(int(d.span(0).start))
		brace, _ := p.indentAt(int(d.body.end))
		at := p.src.position(int(d.body.end) - len(brace))
		return Fix{
			Message: fmt.Sprintf("close the %s block of line %d", oneLine.Replace(d.Name()), p.src.position(int(d.span(0).start)).Line),
			Edits:   []Edit{{Start: at, End: at, NewText: indent + "}" + p.file.newline()}},
		}
	}
	// The innermost that is open at the end of the file.
	var last *Directive
	for d := range p.file.All() {
		if d.n&noClose != 0 {
			last = d
		}
	}
	at := p.src.position(len(p.text))
	nl := p.file.newline()
	text := "}" + nl
	if !endsLine(p.text) {
		text = nl + text
	}
	fix := Fix{Message: "close the block", Edits: []Edit{{Start: at, End: at, NewText: text}}}
	if last != nil {
		fix.Message = fmt.Sprintf("close the %s block of line %d", oneLine.Replace(last.Name()), p.src.position(int(last.span(0).start)).Line)
	}
	return fix
}

func (p *parser) surplusBrace() Fix {
	if d := p.closedAt(true); d != nil {
		return Fix{
			Message: fmt.Sprintf(`remove the "}" that closes the %s block of line %d early`, oneLine.Replace(d.Name()), p.src.position(int(d.span(0).start)).Line),
			Edits:   []Edit{{Start: p.src.position(int(d.body.end)), End: p.src.position(int(d.body.end) + 1)}},
		}
	}
	return Fix{Message: `remove the "}"`, Edits: []Edit{{Start: p.stray.Start, End: p.stray.End}}}
}

// missingQuote is the fix for a quoted word, opened at start, that is not
// closed where it should be: most likely at the end of its line.
func (p *parser) missingQuote(start int) Fix {
	end := len(p.text)
	if n := strings.IndexByte(p.text[start:], '\n'); n >= 0 {
		end = start + n
	}
	line := strings.TrimRight(p.text[start+1:end], " \t\r")
	line = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(line, ";"), "{"), " \t")
	at := p.src.position(start + 1 + len(line))
	return Fix{
		Message: fmt.Sprintf("close the quote of line %d", at.Line),
		Edits:   []Edit{{Start: at, End: at, NewText: p.text[start : start+1]}},
	}
}
