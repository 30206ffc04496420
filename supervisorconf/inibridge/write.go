package inibridge

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/onehost-go/onehost/supervisorconf"
	"gopkg.in/ini.v1"
)

// AppendText appends f to b as a file that Supervisor reads back equal, comments
// included. Where a file was made by ini.v1 with shadow keys, the last value
// counts, as in Supervisor.
//
// The error names the first header, option or value that no file can hold (see
// [supervisorconf.CheckOption]); b is then returned as it was.
func AppendText(b []byte, f *ini.File) ([]byte, error) {
	list, err := sections(f)
	if err != nil {
		return b, err
	}
	text := appendSections(nil, list)
	if err := check(text, list); err != nil {
		return b, err
	}
	return append(b, text...), nil
}

// Write writes f to w as [AppendText] does. If it returns an error that is not
// w's, it has written nothing.
func Write(w io.Writer, f *ini.File) error {
	text, err := AppendText(nil, f)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// ToFile returns f as a file of that name, which [AppendText] would write.
func ToFile(name string, f *ini.File) (*supervisorconf.File, error) {
	text, err := AppendText(nil, f)
	if err != nil {
		return nil, err
	}
	return supervisorconf.Parse(name, text)
}

// A section is an *ini.Section as plain data.
type section struct {
	header, comment string
	options         []option
}

type option struct{ key, value, comment string }

// sections returns what f says. A [DEFAULT] without options says nothing, and
// is in every *ini.File.
func sections(f *ini.File) ([]section, error) {
	var list []section
	for _, from := range f.Sections() {
		if from.Body() != "" {
			return nil, fmt.Errorf("inibridge: the raw body of [%s] has no options", from.Name())
		}
		s := section{header: from.Name(), comment: from.Comment}
		for _, k := range from.Keys() {
			if len(k.NestedValues()) > 0 {
				return nil, fmt.Errorf("inibridge: %s in [%s] has nested values, which Supervisor does not know", k.Name(), from.Name())
			}
			o := option{k.Name(), k.Value(), k.Comment}
			if all := k.ValueWithShadows(); len(all) > 1 {
				o.value = all[len(all)-1]
			}
			s.options = append(s.options, o)
		}
		if s.header != ini.DefaultSection || len(s.options) > 0 {
			list = append(list, s)
		}
	}
	return list, nil
}

func appendSections(b []byte, list []section) []byte {
	for i, s := range list {
		if i > 0 {
			b = append(b, '\n')
		}
		b = appendComment(b, s.comment)
		b = append(b, '[')
		b = append(b, s.header...)
		b = append(b, "]\n"...)
		for _, o := range s.options {
			b = appendComment(b, o.comment)
			b = append(b, o.key...)
			b = append(b, '=')
			for j, line := range strings.Split(o.value, "\n") {
				if j > 0 && line != "" {
					b = append(b, "    "...)
				}
				b = append(b, line...)
				b = append(b, '\n')
			}
		}
	}
	return b
}

func appendComment(b []byte, comment string) []byte {
	for line := range strings.FieldsFuncSeq(comment, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.ToValidUTF8(strings.TrimSpace(line), string(utf8.RuneError))
		if line == "" {
			continue
		}
		if line[0] != ';' && line[0] != '#' {
			b = append(b, "; "...)
		}
		b = append(b, line...)
		b = append(b, '\n')
	}
	return b
}

// check tells whether text is read as what it was made of.
func check(text []byte, list []section) error {
	f, err := supervisorconf.Parse("", text)
	var read []section
	for s := range f.Sections() {
		r := section{header: s.Header()}
		for o := range s.Options() {
			r.options = append(r.options, option{key: o.Key(), value: o.Value()})
		}
		read = append(read, r)
	}
	for i, s := range list {
		if i >= len(read) || read[i].header != s.header {
			return wrong(list, fmt.Errorf("inibridge: a header cannot be %q", s.header))
		}
		for j, o := range s.options {
			if got := read[i].options; j >= len(got) || got[j].key != o.key || got[j].value != o.value {
				return wrong(list, fmt.Errorf("inibridge: Supervisor would read another %s in [%s]", o.key, s.header))
			}
		}
		if len(read[i].options) > len(s.options) {
			return wrong(list, fmt.Errorf("inibridge: Supervisor would read more in [%s]", s.header))
		}
	}
	if err != nil || len(read) > len(list) {
		return wrong(list, errors.New("inibridge: Supervisor would not read it"))
	}
	return nil
}

// wrong returns why no file can hold the list, or otherwise err.
func wrong(list []section, err error) error {
	for _, s := range list {
		if _, err := new(supervisorconf.File).AddSection(s.header, ""); err != nil {
			return fmt.Errorf("inibridge: a header cannot be %q", s.header)
		}
		for _, o := range s.options {
			if err := supervisorconf.CheckOption(o.key, o.value); err != nil {
				return fmt.Errorf("inibridge: in [%s]: %w", s.header, err)
			}
		}
	}
	return err
}
