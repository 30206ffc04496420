package lint

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// An ignoring is one name in a comment that takes findings away.
type ignoring struct {
	comment nginxconf.Comment
	verb    string // "lint:ignore" or "lint:file-ignore"
	name    string // ID or Name of a check
	line    int    // of the findings; 0: any
	used    bool
}

// A target is what an ignoring speaks of.
type target struct {
	file string
	line int
	name string
}

// ignore takes away what comments ask to ignore, and reports comments that
// have no reason or, if they name a check that ran, no use.
func (s *session) ignore(ran map[string]bool) {
	var all []*ignoring
	var notes nginxconf.Diagnostics
	note := func(c nginxconf.Comment, code, message string) {
		notes = append(notes, &nginxconf.Diagnostic{
			Start: c.Start, End: c.End, Level: slog.LevelWarn, Code: code, Message: message,
		})
	}
	for _, f := range s.files() {
		list, unreasoned := ignorings(f)
		all = append(all, list...)
		for _, c := range unreasoned {
			note(c, "ignore-without-reason", `say what to ignore, and why: "# lint:ignore NX101 reason"`)
		}
	}
	by := map[target][]*ignoring{}
	for _, ig := range all {
		key := target{ig.comment.Start.Filename, ig.line, ig.name}
		by[key] = append(by[key], ig)
	}
	kept := s.found[:0]
	for i, d := range s.found {
		ignored := false
		look := func(line int) {
			for _, name := range []string{s.by[i].Name, s.by[i].ID} {
				for _, ig := range by[target{d.Start.Filename, line, name}] {
					ig.used, ignored = true, true
				}
			}
		}
		look(0)
		for line := d.Start.Line; line > 0 && line <= d.End.Line; line++ {
			look(line)
		}
		if !ignored {
			kept = append(kept, d)
		}
	}
	for _, ig := range all {
		if ran[ig.name] && !ig.used {
			note(ig.comment, "ignore-unused", ig.verb+" "+ig.name+" has nothing to ignore")
		}
	}
	s.found = append(kept, notes...)
}

// files returns the files of the configuration. A Config that was not loaded
// has its Root only.
func (s *session) files() []*nginxconf.File {
	files := slices.Collect(s.config.Files())
	if !slices.Contains(files, s.config.Root) {
		files = append(files, s.config.Root)
	}
	return files
}

// ignorings reads the comments of a file. Those that lack a reason take
// nothing away.
func ignorings(f *nginxconf.File) (list []*ignoring, unreasoned []nginxconf.Comment) {
	var lines []int // that hold comments
	for c := range f.Comments() {
		if !c.Start.IsValid() {
			continue // an edit wrote it
		}
		lines = append(lines, c.Start.Line)
		verb, names, reason := parseIgnore(c.Text)
		if verb == "" {
			continue
		}
		if reason == "" {
			unreasoned = append(unreasoned, c)
			continue
		}
		for _, name := range names {
			ig := &ignoring{comment: c, verb: verb, name: name}
			if verb == "lint:ignore" {
				ig.line = c.Start.Line
			}
			list = append(list, ig)
		}
	}
	if len(list) == 0 {
		return nil, unreasoned
	}
	// One on a line of its own speaks of the next line that holds more than a
	// comment.
	code := codeLines(f)
	speaksOf := map[int]int{}
	for _, line := range slices.Backward(lines) {
		speaksOf[line] = line
		if !code[line] {
			speaksOf[line] = max(line+1, speaksOf[line+1])
		}
	}
	for _, ig := range list {
		ig.line = speaksOf[ig.line] // of a file-ignore, 0
	}
	return list, unreasoned
}

// codeLines returns the lines of a file on which directives stand, from the
// first word to the last and with their braces.
func codeLines(f *nginxconf.File) map[int]bool {
	code := map[int]bool{}
	for d := range f.All() {
		for i := range d.NumArgs() + 1 {
			start, end := d.Span(i)
			for line := start.Line; line <= end.Line; line++ {
				code[line] = true
			}
		}
		code[d.TermPos().Line] = true
		code[d.End().Line] = true
	}
	return code
}

// parseIgnore reads "# lint:ignore NX101,NX203 reason". The verb is empty if
// the comment is of another kind.
func parseIgnore(comment string) (verb string, names []string, reason string) {
	text := strings.TrimLeft(comment, "# \t")
	text, _, _ = strings.Cut(text, "#")
	words := strings.Fields(text)
	if len(words) == 0 || words[0] != "lint:ignore" && words[0] != "lint:file-ignore" {
		return "", nil, ""
	}
	i := 1
	for ; i < len(words); i++ {
		names = append(names, strings.Split(words[i], ",")...)
		if !strings.HasSuffix(words[i], ",") {
			i++
			break
		}
	}
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	if i > len(words) || len(names) == 0 {
		return words[0], nil, ""
	}
	return words[0], names, strings.Join(words[i:], " ")
}
