package portmap

import (
	"go/token"
	"sort"
	"strings"
	"unicode"
)

// A source is Markdown text cut into lines, with the pipe tables in it.
type source struct {
	name   string
	text   string
	lines  []line
	tables []*table
}

// A line is text[start:end], without its line end; next is where the next line
// begins. The first line starts behind a byte order mark.
type line struct{ start, end, next int }

// A table is a pipe table as GitHub's Markdown knows it.
type table struct {
	header, delimiter row
	rows              []row
	env               string // from the nearest heading or paragraph that says it

	fields [numFields]int // column of each field, -1: none
	hosts  bool           // the subdomain column holds full host names
	ours   bool           // a port table, complete
}

// A row is one line of a table.
type row struct {
	line        int // index
	start, end  int // without outer blanks
	lead, trail bool
	cells       []cell
}

// A cell is the bytes between two pipes, blanks included.
type cell struct{ start, end int }

// last is the row's or, in a table without rows, the delimiter's line index.
func (t *table) last() int { return t.delimiter.line + len(t.rows) }

func (s *source) position(offset int) token.Position {
	i := sort.Search(len(s.lines), func(i int) bool { return s.lines[i].next > offset })
	i = min(i, len(s.lines)-1)
	start := s.lines[i].start
	if i == 0 {
		start = 0 // columns count the bytes of the file, a byte order mark among them
	}
	return token.Position{Filename: s.name, Offset: offset, Line: i + 1, Column: offset - start + 1}
}

func (s *source) span(start, end int) Span { return Span{s.position(start), s.position(end)} }

const byteOrderMark = "\ufeff"

// splitLines returns at least one line. The line behind a final line end is
// the empty one at the end of the file.
func splitLines(text string) []line {
	lines := make([]line, 0, strings.Count(text, "\n")+1)
	start := 0
	if strings.HasPrefix(text, byteOrderMark) {
		start = len(byteOrderMark)
	}
	for {
		n := strings.IndexByte(text[start:], '\n')
		if n < 0 {
			return append(lines, line{start, len(text), len(text) + 1})
		}
		end := start + n
		next := end + 1
		if end > start && text[end-1] == '\r' {
			end--
		}
		lines = append(lines, line{start, end, next})
		start = next
	}
}

// scanMarkdown finds the pipe tables, and leaves alone what only looks like
// one: in fenced or indented code, in HTML and its comments.
func scanMarkdown(name, text string) *source {
	src := &source{name: name, text: text, lines: splitLines(text)}
	s := &scanner{source: src}
	for i := 0; i < len(src.lines); {
		i = s.block(i)
	}
	return src
}

// A scanner goes over the lines and knows in which block it stands: CommonMark
// 0.30 with the tables of GitHub's. Block quotes are not looked into.
type scanner struct {
	*source
	items     []int  // columns at which the content of the open list items begins
	fence     string // of the open code block, "" outside
	html      string // what ends the open HTML block; "\n": a blank line
	paragraph int    // lines of the open paragraph
	last      int    // where the content of its last line begins
	quoted    bool   // it stands in a block quote
	said      mention

	headings [7]string // the environment each level's heading names
	aside    string    // the environment a paragraph below them names
}

// deepest is how far list items may be nested: nobody goes there, and without
// it "- - - - …" would take quadratic time.
const deepest = 100

// block reads the line i, or the table that has its delimiter row there, and
// returns the line to go on with.
func (s *scanner) block(i int) int {
	end := s.lines[i].end
	at, column := s.skipBlanks(s.lines[i].start, end, 0)
	if at == end {
		if s.fence == "" && (s.html == "" || s.html == "\n") {
			s.html = ""
			s.endParagraph()
		}
		return i + 1
	}
	depth := 0 // of so many list items the line is part
	for depth < len(s.items) && column >= s.items[depth] {
		depth++
	}
	if depth < len(s.items) { // code and HTML end with their item
		s.fence, s.html = "", ""
	}
	indent := column - s.content(depth)
	content := s.trimmed(at, end)
	if s.inside(content, indent) {
		return i + 1
	}
	kind, arg := blockStart(content, indent)
	// Outside its item or quote a line may still carry on the paragraph, which
	// no table's delimiter row and no underline of a heading does.
	lazy := s.paragraph > 0 && (depth < len(s.items) || s.quoted)
	if s.paragraph > 0 && !kind.interrupts(content, arg, lazy) {
		kind = none
	}
	if kind == none && lazy {
		s.continueParagraph(at, content)
		return i + 1
	}
	if depth < len(s.items) {
		s.endParagraph()
		s.items = s.items[:depth]
	}
	if s.paragraph > 0 && indent < 4 {
		if strings.Trim(content, "=") == "" || strings.Trim(content, "-") == "" {
			s.setextHeading(content[0])
			return i + 1
		}
		if kind == none {
			if t := s.tableAt(i, at); t != nil {
				s.endParagraph()
				t.env = s.environment()
				s.tables = append(s.tables, t)
				return t.last() + 1
			}
		}
	}
	for kind == listItem {
		s.endParagraph()
		if len(s.items) == deepest {
			return i + 1
		}
		behind := column + len(arg)
		at, column = s.skipBlanks(at+len(arg), end, behind)
		content = s.trimmed(at, end)
		base := column
		if content == "" || column-behind > 4 { // the rest is indented code
			base = behind + 1
		}
		s.items = append(s.items, base)
		if content == "" {
			return i + 1
		}
		kind, arg = blockStart(content, column-base)
	}
	s.open(kind, arg, at, content)
	return i + 1
}

// inside reports that a line belongs to an open block of code or HTML, and
// closes the block if the line does.
func (s *scanner) inside(content string, indent int) bool {
	switch {
	case s.fence != "":
		if indent < 4 && len(content) >= len(s.fence) && strings.Trim(content, s.fence[:1]) == "" {
			s.fence = ""
		}
	case s.html != "":
		if containsFold(content, s.html) {
			s.html = ""
		}
	default:
		return false
	}
	return true
}

// open begins a block, or goes on with the open paragraph.
func (s *scanner) open(kind blockKind, arg string, at int, content string) {
	if kind == none {
		s.continueParagraph(at, content)
		return
	}
	s.endParagraph()
	switch kind {
	case fencedCode:
		s.fence = arg
	case htmlBlock, htmlTag:
		if arg == "\n" || !containsFold(content, arg) {
			s.html = arg
		}
	case heading:
		s.setHeading(len(arg), mentionIn(content))
	case quoted:
		inner := strings.Trim(content, "> \t\v\f\r")
		s.continueParagraph(at, inner)
		if inner == "" {
			s.endParagraph()
		} else if kind, _ := blockStart(inner, 0); kind != none {
			s.endParagraph()
		}
		s.quoted = s.paragraph > 0
	}
}

// content is the column at which the content of the innermost of n list items
// begins.
func (s *scanner) content(n int) int {
	if n == 0 {
		return 0
	}
	return s.items[n-1]
}

// skipBlanks returns where the blanks from an offset on end, and the column
// there, with tab stops every four columns.
func (s *source) skipBlanks(at, end, column int) (offset, newColumn int) {
	for ; at < end && isBlank(s.text[at]); at++ {
		if s.text[at] == '\t' {
			column += 4 - column%4
		} else {
			column++
		}
	}
	return at, column
}

// trimmed is the text without the blanks at its end.
func (s *source) trimmed(start, end int) string {
	for end > start && isBlank(s.text[end-1]) {
		end--
	}
	return s.text[start:end]
}

// tableAt returns the table whose delimiter row is line i, with its content at
// an offset; the last line of the open paragraph is then its header, and no
// part of the paragraph.
func (s *scanner) tableAt(i, at int) *table {
	content := s.trimmed(at, s.lines[i].end)
	if strings.Trim(content, "|:- \t\v\f\r") != "" || !strings.Contains(content, "|") {
		return nil
	}
	delimiter := s.row(i, at)
	for _, c := range delimiter.cells {
		if !isDelimiter(strings.Trim(s.text[c.start:c.end], " \t\v\f\r")) {
			return nil
		}
	}
	header := s.row(i-1, s.last)
	if len(header.cells) != len(delimiter.cells) {
		return nil
	}
	t := &table{header: header, delimiter: delimiter}
	base := s.content(len(s.items))
	for i++; i < len(s.lines); i++ {
		ln := s.lines[i]
		at, column := s.skipBlanks(ln.start, ln.end, 0)
		if at == ln.end || column < base || column-base >= 4 {
			break
		}
		content := s.trimmed(at, ln.end)
		if kind, _ := blockStart(content, column-base); kind != none || content == "|" {
			break
		}
		t.rows = append(t.rows, s.row(i, at))
	}
	s.said.forget(s.text[header.start:header.end])
	return t
}

// row splits the line i, whose content begins at start, at its pipes. GitHub
// does so before it looks at anything else: a pipe in a code span parts cells,
// and one behind a backslash never does, whatever stands before the backslash.
func (s *source) row(i, start int) row {
	end := start + len(s.trimmed(start, s.lines[i].end))
	r := row{line: i, start: start, end: end}
	if start < end && s.text[start] == '|' {
		r.lead = true
		start++
	}
	if start < end && s.text[end-1] == '|' && s.text[end-2] != '\\' {
		r.trail = true
		end--
	}
	from := start
	for j := start; j < end; j++ {
		if s.text[j] == '|' && (j == start || s.text[j-1] != '\\') {
			r.cells = append(r.cells, cell{from, j})
			from = j + 1
		}
	}
	r.cells = append(r.cells, cell{from, end})
	return r
}

// isDelimiter reports whether a cell of a delimiter row is ":---:" or alike.
func isDelimiter(s string) bool {
	s = strings.TrimPrefix(s, ":")
	s = strings.TrimSuffix(s, ":")
	return s != "" && strings.Trim(s, "-") == ""
}

// A blockKind is what a line begins. A paragraph is none of them.
type blockKind int

const (
	none blockKind = iota
	fencedCode
	htmlBlock
	heading
	rule
	listItem
	quoted
	indentedCode
	htmlTag // an HTML block of kind 7
)

// interrupts reports whether a block that a line would begin ends the paragraph
// above. lazy: the line stands outside the paragraph's item or quote.
func (k blockKind) interrupts(content, arg string, lazy bool) bool {
	switch k {
	case indentedCode, htmlTag:
		return false
	case listItem:
		// "2." and an empty item below text are text.
		return lazy || len(content) > len(arg) && (len(arg) == 1 || arg[:len(arg)-1] == "1")
	}
	return true
}

// blockStart says which block a line of that content, indented so much within
// its list item, begins. arg is the fence, what ends the HTML block, the
// heading's "##", or the list marker.
func blockStart(content string, indent int) (kind blockKind, arg string) {
	if indent >= 4 {
		return indentedCode, ""
	}
	switch c := content[0]; c {
	case '|':
		return none, ""
	case '`', '~':
		n := len(content) - len(strings.TrimLeft(content, string(c)))
		if n >= 3 && !(c == '`' && strings.Contains(content[n:], "`")) {
			return fencedCode, content[:n]
		}
	case '#':
		n := len(content) - len(strings.TrimLeft(content, "#"))
		if n <= 6 && (n == len(content) || isBlank(content[n])) {
			return heading, content[:n]
		}
	case '>':
		return quoted, ""
	case '<':
		if end := htmlEnd(content); end != "" {
			return htmlBlock, end
		}
		if content[len(content)-1] == '>' && !strings.Contains(content[1:], "<") && isTag(content[1:len(content)-1]) {
			return htmlTag, "\n"
		}
	case '*', '-', '_', '+':
		if c != '+' && isRule(content, c) {
			return rule, ""
		}
		if c != '_' && (len(content) == 1 || isBlank(content[1])) {
			return listItem, content[:1]
		}
	default:
		n := 0
		for n < len(content) && n < 9 && '0' <= content[n] && content[n] <= '9' {
			n++
		}
		if n > 0 && n < len(content) && (content[n] == '.' || content[n] == ')') && (n+1 == len(content) || isBlank(content[n+1])) {
			return listItem, content[:n+1]
		}
	}
	return none, ""
}

// isRule reports a thematic break: three or more of one character.
func isRule(content string, c byte) bool {
	n := 0
	for i := range len(content) {
		switch {
		case content[i] == c:
			n++
		case !isBlank(content[i]):
			return false
		}
	}
	return n >= 3
}

// htmlEnd returns what ends the HTML block that the line begins: the text
// itself for a comment, script and the like, "\n" for other block tags.
// CommonMark 0.30, section 4.6, kinds 1, 2 and 6.
func htmlEnd(content string) string {
	if strings.HasPrefix(content, "<!--") {
		return "-->"
	}
	name := strings.TrimPrefix(content[1:], "/")
	n := 0
	for n < len(name) && (isLetter(name[n]) || n > 0 && '1' <= name[n] && name[n] <= '6') {
		n++
	}
	if n == 0 || n > 10 || n < len(name) && !isBlank(name[n]) && name[n] != '>' && name[n] != '/' {
		return ""
	}
	switch tag := strings.ToLower(name[:n]); tag {
	case "pre", "script", "style", "textarea":
		if content[1] != '/' {
			return "</" + tag + ">"
		}
	case "address", "article", "aside", "base", "basefont", "blockquote", "body", "caption", "center", "col",
		"colgroup", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure",
		"footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html",
		"iframe", "legend", "li", "link", "main", "menu", "menuitem", "nav", "noframes", "ol", "optgroup",
		"option", "p", "param", "section", "source", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
		"title", "tr", "track", "ul":
		return "\n"
	}
	return ""
}

func containsFold(s, sub string) bool { return strings.Contains(strings.ToLower(s), sub) }

// A mention counts the environments that a text names.
type mention struct{ production, stage int }

// mentionIn looks for the words production (or prod) and stage (or staging),
// in any case. A word inside a longer one, such as a host name, does not count.
func mentionIn(text string) (m mention) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return !isWord(r) && r != '-' && r != '.'
	}) {
		switch foldEnvironment(strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) })) {
		case Production:
			m.production++
		case Stage:
			m.stage++
		}
	}
	return m
}

func (m *mention) forget(text string) {
	n := mentionIn(text)
	m.production -= n.production
	m.stage -= n.stage
}

// environment returns the one that is named; a text that names both decides
// nothing.
func (m mention) environment() string {
	switch {
	case m.production > 0 && m.stage == 0:
		return Production
	case m.stage > 0 && m.production == 0:
		return Stage
	}
	return ""
}

func (s *scanner) continueParagraph(at int, content string) {
	m := mentionIn(content)
	s.said.production += m.production
	s.said.stage += m.stage
	s.paragraph++
	s.last = at
}

func (s *scanner) endParagraph() {
	if env := s.said.environment(); env != "" {
		s.aside = env
	}
	s.said, s.paragraph, s.quoted = mention{}, 0, false
}

// setextHeading makes a heading of the paragraph above "===" or "---".
func (s *scanner) setextHeading(underline byte) {
	said := s.said
	s.said, s.paragraph = mention{}, 0
	if underline == '=' {
		s.setHeading(1, said)
	} else {
		s.setHeading(2, said)
	}
}

// setHeading opens a section, which ends those of its level and below.
func (s *scanner) setHeading(level int, said mention) {
	clear(s.headings[level:])
	s.headings[level] = said.environment()
	s.aside = ""
}

// environment returns the one in force: that of the last paragraph of this
// section to name one, else that of the nearest heading above which does.
func (s *scanner) environment() string {
	if s.aside != "" {
		return s.aside
	}
	for level := len(s.headings) - 1; level > 0; level-- {
		if s.headings[level] != "" {
			return s.headings[level]
		}
	}
	return ""
}
