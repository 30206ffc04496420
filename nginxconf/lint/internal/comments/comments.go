// Package comments finds the comments of a file, those that belong to no
// directive too.
package comments

import (
	"iter"
	"strings"

	"go/token"

	"github.com/onehost-go/onehost/nginxconf"
)

// All ranges over the comments of f as it is now, in their order, and tells
// of each whether it has its line for itself.
func All(f *nginxconf.File) iter.Seq2[nginxconf.Comment, bool] {
	return func(yield func(nginxconf.Comment, bool) bool) {
		text := string(f.Bytes())
		// Parsed anew, so that all words have a place. What is wrong with the
		// text does not matter: outside of words, # starts a comment.
		words, _ := nginxconf.Parse(f.Name, []byte(text))
		line, lineStart, at := 1, 0, 0
		gap := func(end int) bool {
			for ; at < end; at++ {
				switch text[at] {
				case '\n':
					line, lineStart = line+1, at+1
				case '#':
					comment, _, _ := strings.Cut(text[at:], "\n")
					comment = strings.TrimSuffix(comment, "\r")
					place := func(off int) token.Position {
						return token.Position{Filename: f.Name, Offset: off, Line: line, Column: off - lineStart + 1}
					}
					c := nginxconf.Comment{Text: comment, Start: place(at), End: place(at + len(comment))}
					if !yield(c, strings.TrimSpace(text[lineStart:at]) == "") {
						return false
					}
					at += len(comment) - 1
				}
			}
			return true
		}
		for d := range words.All() {
			for i := range d.NumArgs() + 1 {
				start, end := d.Span(i)
				if !gap(start.Offset) {
					return
				}
				if n := strings.LastIndexByte(text[at:end.Offset], '\n'); n >= 0 {
					line, lineStart = end.Line, at+n+1
				}
				at = end.Offset
			}
		}
		gap(len(text))
	}
}
