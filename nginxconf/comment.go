package nginxconf

import (
	"go/token"
	"iter"
	"strings"
)

// A Comment is a comment with its '#' and without its newline.
type Comment struct {
	Text       string
	Start, End token.Position // zero if it was not parsed
}

// Comments ranges over the comments that belong to the directive: those on the
// lines right above it with no blank line between, those between its
// arguments, and the one at the end of its last line. Those inside a block
// belong to its Body.
func (d *Directive) Comments() iter.Seq[Comment] {
	return func(yield func(Comment) bool) {
		lead := d.lead()
		detached := len(lead) - len(attached(lead))
		_ = d.commentsIn(lead, detached, int(d.begin), yield) && d.commentsInside(yield) && d.commentsBehind(yield)
	}
}

// Comments ranges over all comments of a file, or within a block, in order.
func (b *Body) Comments() iter.Seq[Comment] {
	return func(yield func(Comment) bool) {
		if d := b.owner; d != nil && !d.commentsIn(b.open(), 0, d.termEnd(), yield) {
			return
		}
		more := true
		b.walk(0, func(d *Directive, _ int) bool {
			more = d.commentsIn(d.lead(), 0, int(d.begin), yield) && d.commentsInside(yield)
			if more && d.body != nil {
				more = d.commentsIn(d.body.open(), 0, d.termEnd(), yield)
			} else if more {
				more = d.commentsBehind(yield)
			}
			return more
		}, func(d *Directive, _ int) {
			more = more && d.commentsIn(d.body.close(), 0, int(d.body.end)-len(d.body.close()), yield) && d.commentsBehind(yield)
		})
		switch {
		case !more:
		case b.owner != nil:
			b.owner.commentsIn(b.close(), 0, int(b.end)-len(b.close()), yield)
		default:
			(&Directive{made: &made{src: b.src}}).commentsIn(b.close(), 0, int(b.end)-len(b.close()), yield)
		}
	}
}

// commentsInside ranges over those between the words.
func (d *Directive) commentsInside(yield func(Comment) bool) bool {
	for i := 1; i <= d.numWords(); i++ {
		off := -1
		if d.made == nil {
			off = int(d.span(i - 1).end())
		} else if w := d.made.words[i-1]; w.off >= 0 {
			off = w.off + len(w.raw)
		}
		if !d.commentsIn(d.gap(i), 0, off, yield) {
			return false
		}
	}
	return true
}

// commentsBehind ranges over that at the end of the last line.
func (d *Directive) commentsBehind(yield func(Comment) bool) bool {
	off := -1
	if d.source() != nil {
		off = d.endOffset()
	}
	return d.commentsIn(d.tail(), 0, off, yield)
}

// commentsIn ranges over the comments of a text between words, from a place in
// it on. off is where the text stood in the source, if it did.
func (d *Directive) commentsIn(text string, from, off int, yield func(Comment) bool) bool {
	if d.source() == nil || off < 0 || !strings.HasPrefix(d.source().text[min(off, len(d.source().text)):], text) {
		off = -1
	}
	for i := from; i < len(text); {
		if text[i] != '#' {
			i++
			continue
		}
		end := commentEnd(text, i)
		c := Comment{Text: strings.TrimSuffix(text[i:end], "\r")}
		if off >= 0 {
			c.Start = d.source().position(off + i)
			c.End = d.source().position(off + i + len(c.Text))
		}
		if !yield(c) {
			return false
		}
		i = end
	}
	return true
}

// attached returns the part of a lead that belongs to its directive: what
// stands behind the last blank line.
func attached(lead string) string {
	rest := lead
	for {
		i := strings.LastIndexByte(rest, '\n')
		if i < 0 {
			return lead
		}
		// The line that this newline ends.
		start := strings.LastIndexByte(rest[:i], '\n') + 1
		if strings.TrimSpace(rest[start:i]) == "" {
			return lead[i+1:]
		}
		rest = rest[:i]
	}
}
