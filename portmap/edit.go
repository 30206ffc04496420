package portmap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SetPort gives the service with the subdomain, or with the full server name,
// another port. Only the bytes of its port cell change; where its column is
// kept in line and the blanks allow it, the column's edge stays where it is.
// It fails, and changes nothing, if there is no such row or more than one.
func (d *Document) SetPort(subdomain string, p Port) error {
	at, err := d.find(subdomain)
	if err != nil {
		return err
	}
	t, w := at.table, at.table.rows[at.row]
	col := t.fields[fieldPort]
	switch {
	case p == 0:
		return errors.New("port 0 is none to listen on: ports are 1 to 65535")
	case col < 0:
		return fmt.Errorf("%s: the table has no column for the port", d.position(t.header.start))
	}
	var text string
	if col < len(w.cells) {
		c := w.cells[col]
		v := readCell(d.text, c.start, c.end)
		lead, trail := d.text[c.start:v.start], d.text[v.end:c.end]
		width := d.width(t, col, at.row)
		if v.text == "" {
			if trail == "" {
				trail = lead
			}
			if width == 0 { // the blanks make room
				width = displayWidth(d.text[c.start:c.end])
			}
		}
		f := fit{lead, p.String(), trail, t.alignment(d.source, col), w.open(col)}
		text = d.text[:c.start] + f.to(width) + d.text[c.end:]
	} else {
		// The row ends before its port: the cells up to there are added.
		var b strings.Builder
		if !w.trail {
			b.WriteString(" |")
		}
		b.WriteString(strings.Repeat(" |", col-len(w.cells)))
		b.WriteString(" " + p.String())
		if w.trail {
			b.WriteString(" |")
		}
		text = d.text[:w.end] + b.String() + d.text[w.end:]
	}
	return d.commit(text, func(r *reading) bool {
		return len(r.services) == len(d.services) && r.services[slices.Index(d.origins, at)].Port == p
	})
}

// Add writes a row for the service below the last one of its environment's
// table: of the table whose heading or paragraph names the environment, else
// of one with a column for it. A service that does not say its environment
// goes to the last table. The row is written like its neighbours, and columns
// that are not a service's are left empty.
//
// It fails, and changes nothing, if no table fits, if the table has no column
// for something that the service says, or if the subdomain is there already.
// Ports are not compared: that is for Check.
func (d *Document) Add(s Service) error {
	s.Environment = foldEnvironment(s.Environment)
	if s.Name == "" {
		s.Name = s.Subdomain
	}
	switch {
	case s.Name == "":
		return errors.New("the service has no name")
	case s.Port == 0 && s.Socket == "":
		return fmt.Errorf("%s has neither port nor socket", s.label())
	}
	name := foldName(s.host())
	for i := range d.services {
		if o := &d.services[i]; name != "" && foldName(o.host()) == name {
			return fmt.Errorf("%s is there already", o.labelAt(o.Place.Subdomain))
		}
	}
	t, err := d.tableFor(s.Environment)
	if err != nil {
		return err
	}
	cells := make([]string, len(t.header.cells))
	for f, say := range s.say(t) {
		switch col := t.fields[f]; {
		case col < 0 && say == "":
		case col < 0:
			return fmt.Errorf("%s: the table has no column for %s", d.position(t.header.start), quote(say))
		case f == fieldSubdomain && say == "":
			cells[col] = "—" // on purpose
		default:
			text, ok := escapeCell(say)
			if !ok {
				return fmt.Errorf("a table cannot say %s", quote(say))
			}
			cells[col] = text
		}
	}
	// Without its outer pipes a row may begin some other block, or lose an
	// empty cell at its edge. Then it is written with them.
	like := d.lastRow(t)
	if err = d.commit(d.withRow(t, d.layRow(t, like, cells)), d.added(t, s)); err != nil {
		like.lead, like.trail = true, true
		err = d.commit(d.withRow(t, d.layRow(t, like, cells)), d.added(t, s))
	}
	return err
}

// added returns the test that a reading has one service more than d, s at the
// end of table t, and nothing new to complain about.
func (d *Document) added(t *table, s Service) func(*reading) bool {
	i := 0
	for _, o := range d.origins {
		if o.table.header.line <= t.header.line {
			i++
		}
	}
	return func(r *reading) bool {
		if len(r.services) != len(d.services)+1 || len(r.found) > len(d.found) {
			return false
		}
		got := r.services[i]
		got.Place, s.Place = Place{}, Place{}
		if s.Environment == "" {
			got.Environment = ""
		}
		if t.hosts && got.host() == s.host() {
			got.Subdomain, got.Domain = s.Subdomain, s.Domain
		}
		return got == s
	}
}

// say returns what the cells of a service's row are to say in a table. What the
// table says by other means is empty.
func (s *Service) say(t *table) [numFields]string {
	say := s.values()
	if t.hosts {
		say[fieldSubdomain] = s.host()
		if t.fields[fieldDomain] < 0 {
			say[fieldDomain] = ""
		}
	}
	if t.fields[fieldName] < 0 && s.Name == s.Subdomain {
		say[fieldName] = ""
	}
	if t.fields[fieldEnvironment] < 0 {
		say[fieldEnvironment] = ""
	}
	return say
}

// Remove takes the row of the service with the subdomain, or with the full
// server name, out. It fails, and changes nothing, if there is no such row or
// more than one.
func (d *Document) Remove(subdomain string) error {
	at, err := d.find(subdomain)
	if err != nil {
		return err
	}
	n := at.table.rows[at.row].line
	start, end := d.lines[n].start, d.lines[n].next
	if end > len(d.text) {
		// The last line has no line end, and the one above is to have none.
		start, end = d.lines[n-1].end, len(d.text)
	}
	return d.commit(d.text[:start]+d.text[end:], func(r *reading) bool {
		return len(r.services) == len(d.services)-1
	})
}

// Apply makes the edits of a Fix that a check of this document has offered. It
// fails, and changes nothing, if they overlap or do not fit the text: positions
// are those of the text at the time of the check, so check again after an edit.
func (d *Document) Apply(f Fix) error {
	edits := slices.Clone(f.Edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.Start.Offset, b.Start.Offset) })
	var b strings.Builder
	done := 0
	for _, e := range edits {
		start, end := e.Start.Offset, e.End.Offset
		switch {
		case e.Start.Filename != d.name || e.End.Filename != d.name:
			return fmt.Errorf("%s: the edit is not for %s", e.Start, d.name)
		case start < done || end < start || end > len(d.text):
			return fmt.Errorf("%s: the edit overlaps another or lies outside the text", e.Start)
		case d.position(start) != e.Start || d.position(end) != e.End || d.insideWord(start) || d.insideWord(end):
			return fmt.Errorf("%s: the edit does not fit: the text has changed since", e.Start)
		}
		b.WriteString(d.text[done:start])
		b.WriteString(e.NewText)
		done = end
	}
	b.WriteString(d.text[done:])
	return d.commit(b.String(), func(*reading) bool { return true })
}

// insideWord reports that an edit at the offset would tear a word or a number
// apart, which no fix does on the text it was made for.
func (d *Document) insideWord(offset int) bool {
	if offset == 0 || offset == len(d.text) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(d.text[:offset])
	after, _ := utf8.DecodeRuneInString(d.text[offset:])
	return isWord(before) && isWord(after)
}

// commit makes text the document's, if what it reads as is what was meant.
func (d *Document) commit(text string, meant func(*reading) bool) error {
	r := read(d.name, text)
	if !meant(r) {
		return errors.New("the edit would not be read back as meant")
	}
	d.reading = r
	return nil
}

// find returns the one row of a service.
func (d *Document) find(subdomain string) (origin, error) {
	want := foldName(subdomain)
	found := -1
	for i := range d.services {
		s := &d.services[i]
		if !s.answersTo(want) {
			continue
		}
		if found >= 0 {
			o := &d.services[found]
			return origin{}, fmt.Errorf("%s stands in more than one row: %s and %s",
				quote(subdomain), o.labelAt(o.Place.Subdomain), s.labelAt(s.Place.Subdomain))
		}
		found = i
	}
	if found < 0 {
		return origin{}, fmt.Errorf("no service has the subdomain %s", quote(subdomain))
	}
	return d.origins[found], nil
}

// tableFor returns the table that a service of the environment belongs to.
func (d *Document) tableFor(env string) (*table, error) {
	var named, column, last *table
	for _, t := range d.tables {
		if !t.ours {
			continue
		}
		last = t
		if t.fields[fieldEnvironment] >= 0 {
			column = t
		} else if t.env == env {
			named = t
		}
	}
	switch {
	case named != nil:
		return named, nil
	case column != nil:
		return column, nil
	case last == nil:
		return nil, fmt.Errorf("%s has no port table", d.name)
	case env == "":
		return last, nil
	}
	return nil, fmt.Errorf("%s has no table for the environment %s", d.name, quote(env))
}

// lastRow returns the row a new one is written like.
func (d *Document) lastRow(t *table) row {
	for _, w := range slices.Backward(t.rows) {
		if len(w.cells) == len(t.header.cells) {
			return w
		}
	}
	return t.header
}

// layRow writes a row with the indentation, the outer pipes and the blanks of
// another.
func (d *Document) layRow(t *table, like row, cells []string) string {
	var b strings.Builder
	b.WriteString(d.text[d.lines[like.line].start:like.start])
	if like.lead {
		b.WriteByte('|')
	}
	for i, text := range cells {
		if i > 0 {
			b.WriteByte('|')
		}
		// One blank where the neighbour has any; the rest is the column's.
		c := like.cells[i]
		f := fit{text: text, align: t.alignment(d.source, i), open: like.open(i)}
		if raw := d.text[c.start:c.end]; raw != "" && (isBlank(raw[0]) || isBlank(raw[len(raw)-1])) {
			f.lead, f.trail = " ", " "
		}
		if i == 0 && !like.lead {
			f.lead = ""
		}
		switch {
		case f.open:
			f.trail = ""
		case strings.HasSuffix(text, `\`): // or it would escape the pipe
			f.trail = " "
		}
		b.WriteString(f.to(d.width(t, i, -1)))
	}
	if like.trail {
		b.WriteByte('|')
	}
	return b.String()
}

// withRow returns the text with a line below the table, ended as lines are
// ended there.
func (d *Document) withRow(t *table, line string) string {
	above := d.lines[t.last()]
	if above.next > len(d.text) { // the file ends without a line end
		prev := d.lines[t.last()-1]
		return d.text + d.text[prev.end:prev.next] + line
	}
	return d.text[:above.next] + line + d.text[above.end:above.next] + d.text[above.next:]
}

// width returns the width of the cells of a column that is kept in line: that of
// the header, if the delimiter row's is the same, and so are the rows' but for
// the fewer half, such as where a long value did not fit. One row may be left
// out of account. The width is 0 if the column is not kept in line.
func (s *source) width(t *table, col, except int) int {
	of := func(w row) int { return displayWidth(s.text[w.cells[col].start:w.cells[col].end]) }
	n := of(t.header)
	if of(t.delimiter) != n {
		return 0
	}
	votes := 0
	for i, w := range t.rows {
		switch {
		case i == except || col >= len(w.cells):
		case of(w) == n:
			votes++
		default:
			votes--
		}
	}
	if votes < 0 {
		return 0
	}
	return n
}

// An alignment is the side of its column that a cell's text stands at.
type alignment int

const (
	left alignment = iota
	right
	center
)

// alignment reads the colons of the delimiter row.
func (t *table) alignment(s *source, col int) alignment {
	c := t.delimiter.cells[col]
	text := strings.TrimFunc(s.text[c.start:c.end], unicode.IsSpace)
	switch {
	case !strings.HasSuffix(text, ":"):
		return left
	case strings.HasPrefix(text, ":"):
		return center
	}
	return right
}

// open reports whether the cell ends with the line, not with a pipe.
func (w row) open(col int) bool { return col == len(w.cells)-1 && !w.trail }

// A fit is the content of a cell with what stands around it: blanks, perhaps
// with markup.
type fit struct {
	lead, text, trail string
	align             alignment
	open              bool // no pipe ends it, and blanks at its end would be idle
}

// to returns the cell, made as wide as its column by more or fewer blanks at
// its edges, of which one stays where one was. Width 0 is a column that is not
// kept in line.
func (f fit) to(width int) string {
	if width > 0 {
		missing := width - displayWidth(f.lead+f.text+f.trail)
		switch f.align {
		case left:
			if !f.open {
				f.trail, _ = stretch(f.trail, missing, false)
			}
		case right:
			f.lead, _ = stretch(f.lead, missing, true)
		case center:
			rest := 0
			f.lead, rest = stretch(f.lead, missing/2, true)
			if !f.open {
				f.trail, rest = stretch(f.trail, missing-missing/2+rest, false)
				f.lead, _ = stretch(f.lead, rest, true)
			}
		}
	}
	return f.lead + f.text + f.trail
}

// stretch adds n blanks to the outer edge of s, or takes up to -n away, and
// returns how many it could not take (as a negative number).
func stretch(s string, n int, atStart bool) (string, int) {
	if n >= 0 {
		if atStart {
			return strings.Repeat(" ", n) + s, 0
		}
		return s + strings.Repeat(" ", n), 0
	}
	for ; n < 0; n++ {
		switch {
		case atStart && strings.HasPrefix(s, "  "):
			s = s[1:]
		case !atStart && strings.HasSuffix(s, "  "):
			s = s[:len(s)-1]
		default:
			return s, n
		}
	}
	return s, 0
}

// displayWidth is the columns a text takes on a terminal: two for East Asian
// characters and emoji, none for marks that join the one before.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r < 0x300:
			n++
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
			0x3000 <= r && r <= 0x303E, 0xFF01 <= r && r <= 0xFF60, 0xFFE0 <= r && r <= 0xFFE6,
			0x1F300 <= r && r <= 0x1F64F, 0x1F680 <= r && r <= 0x1F6FF, 0x1F900 <= r && r <= 0x1F9FF:
			n += 2
		default:
			n++
		}
	}
	return n
}
