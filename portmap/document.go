package portmap

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// A Document is a Markdown text with port tables in it. It keeps the text as
// it is; Add, SetPort, Remove and Apply change the bytes they must and no
// others. ParseMarkdown makes one. It may be read from several goroutines, edited from one.
type Document struct{ *reading }

// A reading is what one state of a document's text says.
type reading struct {
	*source
	services []Service
	origins  []origin // of services
	found    Diagnostics
}

// An origin is the row a service was read from.
type origin struct {
	table *table
	row   int
}

// ParseMarkdown reads the port tables of a Markdown text, all of them, in
// order. The Document is never nil, and its Bytes are src whatever src holds.
// The error is nil or Diagnostics with everything that is wrong: a missing
// column or cell, a port that is none, a subdomain that is listed twice, a
// text without any port table.
//
// A port table is a pipe table of GitHub's Markdown with a column for the
// subdomain and one for the port (or the socket). Columns are known by their
// header, in any order and case: "service" or "name"; "subdomain", "host" or
// "server name"; "port"; "domain"; "bind"; "socket"; "environment" or "env".
// Others are kept, and not looked at. Below "host" and "server name" stand
// full names, which are split by SplitServerName; "host", "hostname" and
// "name" alone do not make a table a port table, many tables have those.
//
// The environment of a row is its cell's. Where there is none it is the word
// production or prod, stage or staging in the nearest paragraph of the same
// section, else in the nearest heading of the sections around the table. Text
// that names both decides nothing.
//
// Tables in block quotes, in code and in HTML are not looked at.
func ParseMarkdown(name string, src []byte) (*Document, error) {
	d := &Document{read(name, string(src))}
	return d, d.found.Err()
}

// Name returns the name that ParseMarkdown was given and positions carry.
func (d *Document) Name() string { return d.name }

// Bytes returns the text.
func (d *Document) Bytes() []byte { return []byte(d.text) }

// Map returns what the port tables say. Rows with faults are in it as far as
// they can be read; a port that cannot be read is 0. The map is the caller's
// own, to keep or to change.
func (d *Document) Map() *Map { return &Map{Services: slices.Clone(d.services)} }

// Diagnostics returns what was found in reading the text as it is now:
// what ParseMarkdown returns as an error, and warnings.
func (d *Document) Diagnostics() Diagnostics { return slices.Clone(d.found) }

// Check returns everything there is to say about the tables, each finding
// once: the Diagnostics and what Map.Check finds.
func (d *Document) Check(o *CheckOptions) Diagnostics {
	type finding struct {
		at   int
		code string
	}
	all := d.Diagnostics()
	known := map[finding]bool{}
	unreadable := map[int]bool{} // ports that were reported in reading
	for _, f := range all {
		known[finding{f.Start.Offset, f.Code}] = true
		unreadable[f.Start.Offset] = unreadable[f.Start.Offset] || f.Code == codePortInvalid
	}
	for _, f := range (&Map{d.services}).Check(o) {
		if !known[finding{f.Start.Offset, f.Code}] && !(f.Code == codePortMissing && unreadable[f.Start.Offset]) {
			all = append(all, f)
		}
	}
	all.Sort()
	return all
}

// The fields of a service that a table may have a column for.
const (
	fieldName = iota
	fieldSubdomain
	fieldPort
	fieldDomain
	fieldBind
	fieldSocket
	fieldEnvironment
	numFields
)

// values returns the fields as text.
func (s *Service) values() [numFields]string {
	v := [numFields]string{
		fieldName: s.Name, fieldSubdomain: s.Subdomain, fieldDomain: s.Domain,
		fieldBind: s.Bind, fieldSocket: s.Socket, fieldEnvironment: s.Environment,
	}
	if s.Port != 0 {
		v[fieldPort] = s.Port.String()
	}
	return v
}

// A column is what a header means.
type column struct {
	field int
	rank  int  // the lower wins where two mean the same field
	hosts bool // holds full host names
	weak  bool // too common to make a table a port table
}

// columnFor reads a header. Case, blanks, hyphens and underscores do not count.
func columnFor(header string) (column, bool) {
	switch strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' {
			return -1
		}
		return r
	}, strings.ToLower(header)) {
	case "service", "servicename", "webservice":
		return column{field: fieldName}, true
	case "name", "app", "application", "program":
		return column{field: fieldName, rank: 1}, true
	case "subdomain", "subdomainname":
		return column{field: fieldSubdomain}, true
	case "servername", "fqdn", "virtualhost", "vhost":
		return column{field: fieldSubdomain, rank: 1, hosts: true}, true
	case "host", "hostname":
		return column{field: fieldSubdomain, rank: 2, hosts: true, weak: true}, true
	case "port":
		return column{field: fieldPort}, true
	case "portnumber", "portno", "tcpport":
		return column{field: fieldPort, rank: 1}, true
	case "domain", "domainname":
		return column{field: fieldDomain}, true
	case "bind", "bindaddress":
		return column{field: fieldBind}, true
	case "listen", "listenaddress", "address":
		return column{field: fieldBind, rank: 1}, true
	case "socket", "unixsocket", "socketpath":
		return column{field: fieldSocket}, true
	case "environment", "env":
		return column{field: fieldEnvironment}, true
	}
	return column{}, false
}

func read(name, text string) *reading {
	r := &reading{source: scanMarkdown(name, text)}
	some := false
	for _, t := range r.tables {
		if r.readHeader(t) {
			some = true
		}
		if !t.ours {
			continue
		}
		port := t.fields[fieldPort]
		inLine := port >= 0 && r.width(t, port, -1) > 0 && t.alignment(r.source, port) == left
		for i := range t.rows {
			r.services = append(r.services, r.readRow(t, t.rows[i], inLine))
			r.origins = append(r.origins, origin{t, i})
		}
	}
	if !some {
		at := Span{r.position(0), r.position(0)}
		r.report(at, codeNoTable, "no port table: none of the tables has a column for the subdomain and one for the port")
	}
	r.found = append(r.found, (&Map{r.services}).repeatedNames()...)
	r.found.Sort()
	return r
}

func (r *reading) report(at Span, code, format string, args ...any) {
	r.found = append(r.found, errorAt(at.Start, at.End, code, format, args...))
}

// readHeader finds the columns and reports whether this is meant as a port
// table; t.ours says that it is a complete one.
func (r *reading) readHeader(t *table) bool {
	var columns [numFields]column
	for f := range t.fields {
		t.fields[f] = -1
	}
	type clash struct {
		at    Span
		title string
	}
	var clashes []clash
	for i, c := range t.header.cells {
		title := readCell(r.text, c.start, c.end)
		col, ok := columnFor(title.text)
		if !ok {
			continue
		}
		had := t.fields[col.field] >= 0
		switch {
		case had && columns[col.field].rank == col.rank:
			clashes = append(clashes, clash{r.span(title.start, title.end), title.text})
		case !had || col.rank < columns[col.field].rank:
			t.fields[col.field], columns[col.field] = i, col
		}
	}
	subdomain, port, socket := t.fields[fieldSubdomain] >= 0, t.fields[fieldPort] >= 0, t.fields[fieldSocket] >= 0
	if !port && (!subdomain || columns[fieldSubdomain].weak) {
		return false
	}
	t.hosts = columns[fieldSubdomain].hosts
	header := r.span(t.header.start, t.header.end)
	for _, c := range clashes {
		r.report(c.at, codeColumnTwice, "column %s means what another column means already", quote(c.title))
	}
	if !subdomain {
		r.report(header, codeColumnMissing, `the table has no column for the subdomain: name one "subdomain" or "server name"`)
	}
	if !port && !socket {
		r.report(header, codeColumnMissing, `the table has no column for the port: name one "port"`)
	}
	t.ours = subdomain && (port || socket)
	return true
}

// readRow reads one row and reports what is wrong with it. inLine says that the
// blanks behind the port keep its column's edge straight.
func (r *reading) readRow(t *table, w row, inLine bool) Service {
	var text [numFields]string
	var at [numFields]Span
	var none [numFields]bool
	for f, col := range t.fields {
		switch {
		case col < 0:
		case col >= len(w.cells):
			at[f] = r.span(w.end, w.end) // the row ends before it
		default:
			v := readCell(r.text, w.cells[col].start, w.cells[col].end)
			text[f], at[f] = v.text, r.span(v.start, v.end)
			if isNone(v.text) {
				text[f], none[f] = "", true
			}
		}
	}
	s := Service{
		Name: text[fieldName], Subdomain: text[fieldSubdomain], Domain: text[fieldDomain],
		Socket: text[fieldSocket], Bind: text[fieldBind], Environment: foldEnvironment(text[fieldEnvironment]),
		Place: Place{
			Row: r.span(w.start, w.end), Name: at[fieldName], Subdomain: at[fieldSubdomain], Domain: at[fieldDomain],
			Port: at[fieldPort], Socket: at[fieldSocket], Bind: at[fieldBind], Environment: at[fieldEnvironment],
			blanks: -1,
		},
	}
	switch {
	case s.Subdomain == "" && !none[fieldSubdomain]:
		r.report(at[fieldSubdomain], codeSubdomainMissing, "the row has no subdomain")
	case t.hosts && s.Domain == "":
		if sub, domain, err := SplitServerName(s.Subdomain); err == nil {
			s.Subdomain, s.Domain, s.Place.Domain = sub, domain, s.Place.Subdomain
		}
	}
	if t.fields[fieldName] < 0 {
		s.Name = cmp.Or(s.Subdomain, s.Domain)
	} else if s.Name == "" {
		r.report(at[fieldName], codeNameMissing, "the row has no service name")
	}
	if s.Environment == "" {
		s.Environment = t.env
	}
	switch port := text[fieldPort]; {
	case port != "":
		p, err := ParsePort(port)
		if err != nil {
			r.report(at[fieldPort], codePortInvalid, "%s", err)
		}
		s.Port = p
	case s.Socket != "":
	case t.fields[fieldPort] >= 0:
		r.report(at[fieldPort], codePortMissing, "the row has no port")
	default:
		r.report(at[fieldSocket], codePortMissing, "the row has no socket")
	}
	if inLine && s.Port != 0 && !w.open(t.fields[fieldPort]) {
		behind := r.text[at[fieldPort].End.Offset:w.cells[t.fields[fieldPort]].end]
		s.Place.blanks = len(behind) - len(strings.TrimLeft(behind, " "))
	}
	r.reportSurplus(t, w)
	return s
}

// reportSurplus warns of cells behind the last column: GitHub drops them, so
// nobody sees what they say.
func (r *reading) reportSurplus(t *table, w row) {
	n := len(t.header.cells)
	if len(w.cells) <= n {
		return
	}
	v := readCell(r.text, w.cells[n].start, w.cells[len(w.cells)-1].end)
	at := r.span(v.start, v.end)
	r.found = append(r.found, &Diagnostic{
		Start: at.Start, End: at.End, Level: slog.LevelWarn, Code: codeCellsSurplus,
		Message: fmt.Sprintf("the row has %d cells, the table %d columns: the rest is not shown", len(w.cells), n),
	})
}
