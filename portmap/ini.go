package portmap

import (
	"bytes"
	"fmt"
	"strings"

	"gopkg.in/ini.v1"
)

// ParseINI reads a port map written as an INI file: a section for each service,
// named as the service is, with the keys port, subdomain, domain, environment,
// bind and socket. A name may come twice, such as for production and stage.
// Keys above the first section or in [DEFAULT], which may be domain,
// environment and bind, hold for every section that does not say them itself.
//
//	domain = example.se
//
//	[Scout (Archive)]
//	subdomain   = scout-archive
//	port        = 8084
//	environment = production
//
// A line that begins with "#" or ";" is a comment, and so is the rest of a line
// behind one that follows a blank. A value is one line, perhaps in quotes. An
// empty subdomain is that of a service which is not reached by name. The Map is
// never nil; the error is nil or Diagnostics with all that is wrong: a line that
// is none, a key that is missing, unknown or there twice, a port that is none, a
// subdomain that is listed twice, no service at all. The places of the services
// are those of the file.
func ParseINI(name string, src []byte) (*Map, error) {
	r := &iniReader{
		source:   &source{name: name, text: string(src), lines: splitLines(string(src))},
		m:        &Map{},
		defaults: &section{},
	}
	r.open = r.defaults
	for i := range r.lines {
		r.line(i)
	}
	for _, s := range r.sections {
		r.service(s)
	}
	if len(r.m.Services) == 0 && len(r.found) == 0 {
		at := Span{r.position(0), r.position(0)}
		r.report(at, codeNoTable, "no port table: the file has no section for a service")
	}
	r.found = append(r.found, r.m.repeatedNames()...)
	r.found.Sort()
	return r.m, r.found.Err()
}

// INI writes the map as ParseINI reads it. The error says which service cannot
// be written so, such as one without a name or with a line break in a value.
func (m *Map) INI() ([]byte, error) {
	f := ini.Empty(iniOptions())
	for _, s := range m.Services {
		if s.Name == "" || s.Name == ini.DefaultSection || strings.ContainsAny(s.Name, "\r\n") {
			return nil, fmt.Errorf("an INI file cannot name a service %s", quote(s.Name))
		}
		sec, err := f.NewSection(s.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", quote(s.Name), err)
		}
		values := s.values()
		for f, key := range iniKeys() {
			if key == "" || values[f] == "" && f != fieldSubdomain {
				continue
			}
			if _, err := sec.NewKey(key, values[f]); err != nil {
				return nil, fmt.Errorf("%s: %w", quote(s.Name), err)
			}
		}
	}
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		return nil, err
	}
	// On Windows ini.v1 ends lines with CR LF; the map has one form.
	out := bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n"))
	// Not every value has a spelling that ini.v1 reads as it wrote it.
	back, _ := ParseINI("", out) // faults of the map are Check's to report
	for i, s := range m.Services {
		if len(back.Services) != len(m.Services) || !sameValues(s, back.Services[i]) {
			return nil, fmt.Errorf("an INI file cannot say %s as it is", quote(s.Name))
		}
	}
	return out, nil
}

// sameValues compares what a reader can read.
func sameValues(a, b Service) bool {
	a.Place, b.Place = Place{}, Place{}
	a.Environment, b.Environment = foldEnvironment(a.Environment), foldEnvironment(b.Environment)
	return a == b
}

// iniOptions are those of a file that people write by hand: no line goes on in
// the next one, paths may hold "#", keys are known in any case, and a service
// may come once for each environment.
func iniOptions() ini.LoadOptions {
	return ini.LoadOptions{
		IgnoreContinuation:       true,
		SpaceBeforeInlineComment: true,
		InsensitiveKeys:          true,
		AllowNonUniqueSections:   true,
	}
}

// iniKeys returns the key of each field. The name is the section's.
func iniKeys() [numFields]string {
	return [numFields]string{
		fieldSubdomain: "subdomain", fieldPort: "port", fieldDomain: "domain",
		fieldBind: "bind", fieldSocket: "socket", fieldEnvironment: "environment",
	}
}

// An iniReader gives each line to ini.v1 by itself, which is as good as the whole
// file: with iniOptions no line depends on another. The whole file would cost
// the places and all but the first error, which ini.v1 does not tell, and
// quadratic time in the keys of a section.
type iniReader struct {
	*source
	m              *Map
	defaults, open *section
	sections       []*section // of services
	found          Diagnostics
}

// A section is what its lines say, by field, and where.
type section struct {
	head Span
	text [numFields]string
	at   [numFields]Span
}

func (r *iniReader) report(at Span, code, format string, args ...any) {
	r.found = append(r.found, errorAt(at.Start, at.End, code, format, args...))
}

func (r *iniReader) line(i int) {
	start, _ := r.skipBlanks(r.lines[i].start, r.lines[i].end, 0)
	text := r.trimmed(start, r.lines[i].end)
	if text == "" || text[0] == '#' || text[0] == ';' {
		return
	}
	at := r.span(start, start+len(text))
	f, err := ini.LoadSources(iniOptions(), []byte(text))
	if text[0] == '[' && err == nil {
		err = r.header(f.Sections()[len(f.Sections())-1].Name(), at)
	} else if text[0] == '[' {
		r.open = &section{} // its lines are read, but make no service
	}
	if err != nil {
		r.report(at, codeINISyntax, "%s", clip(strings.Join(strings.Fields(err.Error()), " ")))
		return
	}
	for _, key := range f.Section(ini.DefaultSection).Keys() {
		r.key(key.Name(), strings.TrimSpace(key.Value()), at)
	}
}

// header opens a section.
func (r *iniReader) header(name string, at Span) error {
	if name == ini.DefaultSection {
		r.open = r.defaults
		return nil
	}
	r.open = &section{head: at}
	r.open.text[fieldName] = strings.TrimSpace(name)
	if r.open.text[fieldName] == "" {
		return fmt.Errorf("no service can be named %q", name)
	}
	r.sections = append(r.sections, r.open)
	return nil
}

// key takes one value over.
func (r *iniReader) key(name, value string, line Span) {
	s := r.open
	field := -1
	for f, known := range iniKeys() {
		if known == name && name != "" {
			field = f
		}
	}
	switch {
	case field < 0:
		r.report(line, codeKeyUnknown, "unknown key %s: a service has port, subdomain, domain, environment, bind and socket", quote(name))
		return
	case s == r.defaults && field != fieldDomain && field != fieldEnvironment && field != fieldBind:
		r.report(line, codeKeyUnknown, "key %s belongs to one service, and stands where it would hold for all", quote(name))
		return
	case s.at[field].IsValid():
		r.report(line, codeKeyTwice, "key %s comes twice in one section", quote(name))
		return
	}
	s.text[field] = value
	start, end := line.Start.Offset, line.End.Offset
	start += strings.IndexAny(r.text[start:end], "=:") + 1
	if n := strings.Index(r.text[start:end], value); n >= 0 && value != "" {
		start, end = start+n, start+n+len(value)
	}
	s.at[field] = r.span(start, end)
}

// service makes a service of a section.
func (r *iniReader) service(k *section) {
	for f := range k.text {
		if !k.at[f].IsValid() && r.defaults.at[f].IsValid() {
			k.text[f], k.at[f] = r.defaults.text[f], r.defaults.at[f]
		}
	}
	s := Service{
		Name: k.text[fieldName], Subdomain: k.text[fieldSubdomain], Domain: k.text[fieldDomain],
		Socket: k.text[fieldSocket], Bind: k.text[fieldBind], Environment: foldEnvironment(k.text[fieldEnvironment]),
		Place: Place{
			Row: k.head, Name: k.head, Subdomain: k.at[fieldSubdomain], Domain: k.at[fieldDomain], Port: k.at[fieldPort],
			Socket: k.at[fieldSocket], Bind: k.at[fieldBind], Environment: k.at[fieldEnvironment], blanks: -1,
		},
	}
	if !k.at[fieldSubdomain].IsValid() {
		r.report(k.head, codeSubdomainMissing, "service %s has no subdomain", quote(s.Name))
	}
	switch port := k.text[fieldPort]; {
	case port != "":
		n, err := ParsePort(port)
		if err != nil {
			r.report(k.at[fieldPort], codePortInvalid, "%s", err)
		}
		s.Port = n
	case s.Socket == "":
		r.report(k.head, codePortMissing, "service %s has no port", quote(s.Name))
	}
	r.m.Services = append(r.m.Services, s)
}
