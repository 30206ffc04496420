package inibridge

import (
	"errors"
	"fmt"

	"github.com/onehost-go/onehost/supervisorconf"
	"gopkg.in/ini.v1"
)

// Apply makes f say what from says, with the fewest changes of lines: an option
// that has another value gets it, in the lines that differ; one that is new
// goes below the last of its section, and a new section to the end of the file,
// spaced like their neighbours; what from does not have is removed, with the
// comments right above it. All else stays as it is. The order of sections and
// options is not looked at, nor are comments.
//
// Usually from was made by [FromFile] of f. The error names what no file can
// hold; f is then as it was.
func Apply(f *supervisorconf.File, from *ini.File) error {
	list, err := sections(from)
	if err != nil {
		return err
	}
	want := merge(list)
	if _, err := FromFile(f); err != nil {
		return err
	}
	trial, _ := supervisorconf.Parse(f.Name, f.Bytes())
	if err := apply(trial, want); err != nil {
		return err
	}
	read, _ := supervisorconf.Parse(f.Name, trial.Bytes())
	if !want.equal(read) {
		return errors.New("inibridge: Supervisor would read other values")
	}
	return apply(f, want)
}

// A merged file is what counts in the end: the last value of each option.
type merged struct {
	headers []string
	names   map[string][]string // by header, in order
	values  map[string]map[string]string
}

func merge(list []section) *merged {
	m := &merged{names: map[string][]string{}, values: map[string]map[string]string{}}
	for _, s := range list {
		values := m.values[s.header]
		if values == nil {
			values = map[string]string{}
			m.headers = append(m.headers, s.header)
			m.values[s.header] = values
		}
		for _, o := range s.options {
			name := nameOf(o.key)
			if _, ok := values[name]; !ok {
				m.names[s.header] = append(m.names[s.header], name)
			}
			values[name] = o.value
		}
	}
	return m
}

// nameOf returns a key as Supervisor compares it. Its lower case is not quite
// that of package strings.
func nameOf(key string) string {
	f, _ := supervisorconf.Parse("", []byte("[s]\n"+key+"="))
	for s := range f.Sections() {
		for o := range s.Options() {
			return o.Name()
		}
	}
	return key
}

func (m *merged) equal(f *supervisorconf.File) bool {
	for s := range f.Sections() {
		for o := range s.Options() {
			if _, ok := m.values[s.Header()][o.Name()]; !ok {
				return false
			}
		}
	}
	for _, header := range m.headers {
		s := f.Section(header, "")
		if s == nil {
			return false
		}
		for _, name := range m.names[header] {
			if o := s.Get(name); o == nil || o.Value() != m.values[header][name] {
				return false
			}
		}
	}
	return true
}

func apply(f *supervisorconf.File, want *merged) error {
	var gone []interface{ Remove() }
	for s := range f.Sections() {
		values, ok := want.values[s.Header()]
		if !ok {
			gone = append(gone, s)
			continue
		}
		for o := range s.Options() {
			if _, ok := values[o.Name()]; !ok {
				gone = append(gone, o)
			}
		}
	}
	for _, node := range gone {
		node.Remove()
	}
	for _, header := range want.headers {
		s, err := f.AddSection(header, "")
		if err != nil {
			return fmt.Errorf("inibridge: a header cannot be %q", header)
		}
		for _, name := range want.names[header] {
			value := want.values[header][name]
			if o := s.Get(name); o != nil && o.Value() == value || s.Set(name, value) != nil {
				continue
			}
			if err := supervisorconf.CheckOption(name, value); err != nil {
				return fmt.Errorf("inibridge: in [%s]: %w", header, err)
			}
			return fmt.Errorf("inibridge: %s in [%s] cannot be written where it stands", name, header)
		}
	}
	return nil
}
