package inibridge

import (
	"fmt"
	"iter"
	"strings"

	"github.com/onehost-go/onehost/supervisorconf"
	"gopkg.in/ini.v1"
)

// options are those of all files made here. Reading is not what they are for:
// they keep a dot in a header from making it the child of another, and WriteTo
// from putting back quotes around what has a ";".
func options() ini.LoadOptions {
	return ini.LoadOptions{
		InsensitiveKeys:       true,
		ChildSectionDelimiter: "\n", // which no header holds
		IgnoreInlineComment:   true,
	}
}

// maxNames is how many sections, and options of one section, an *ini.File may
// have here. It looks for each new one among all others: 20,000 take a second,
// a million would take an hour.
const maxNames = 20_000

// FromFile returns what Supervisor reads in one file, before anything is
// expanded or included: sections in the order in which they first come, the
// options of repeated headers gathered, the later of equal options in the place
// of the first, all names in lower case. Comments stand at the option or
// section that they are above, in or behind. What the file holds beside,
// errors included, is left out.
//
// The error says that there are more names than an *ini.File can cope with.
func FromFile(f *supervisorconf.File) (*ini.File, error) {
	b := newBuilder()
	for s := range f.Sections() {
		section := b.section(s.Header())
		comment(&section.Comment, s.Comments())
		for o := range s.Options() {
			key := b.key(section, o.Name(), o.Value())
			key.Comment = ""
			comment(&key.Comment, o.Comments())
		}
	}
	return b.file, b.err
}

// FromConfig returns what Supervisor holds when it has read a file and all that
// this includes, see [supervisorconf.Config.Sections]. [include] itself is left
// out, for nothing remains to be read, and so are comments.
//
// The error is that of [FromFile].
func FromConfig(c *supervisorconf.Config) (*ini.File, error) {
	b := newBuilder()
	for header, options := range c.Sections() {
		if header == "include" {
			continue
		}
		section := b.section(header)
		for name, value := range options {
			b.key(section, name, value)
		}
	}
	return b.file, b.err
}

// A builder makes an *ini.File. Once it has an error, it makes no more.
type builder struct {
	file     *ini.File
	sections int
	keys     map[*ini.Section]int
	err      error
}

func newBuilder() *builder {
	return &builder{file: ini.Empty(options()), keys: map[*ini.Section]int{}}
}

func (b *builder) section(header string) *ini.Section {
	if s, err := b.file.GetSection(header); err == nil {
		return s
	}
	if b.sections++; b.sections > maxNames && b.err == nil {
		b.err = fmt.Errorf("inibridge: an *ini.File is too slow for more than %d sections", maxNames)
	}
	if b.err == nil {
		s, err := b.file.NewSection(header)
		if err == nil {
			return s
		}
		b.err = fmt.Errorf("inibridge: %w", err)
	}
	return &ini.Section{}
}

func (b *builder) key(s *ini.Section, name, value string) *ini.Key {
	if b.keys[s]++; b.keys[s] > maxNames && b.err == nil {
		b.err = fmt.Errorf("inibridge: an *ini.File is too slow for more than %d options in [%s]", maxNames, s.Name())
	}
	if b.err == nil {
		k, err := s.NewKey(name, value)
		if err == nil {
			return k
		}
		b.err = fmt.Errorf("inibridge: [%s]: %w", s.Name(), err)
	}
	return &ini.Key{}
}

// comment adds comments to that of a section or key, one a line.
func comment(to *string, comments iter.Seq[supervisorconf.Comment]) {
	var lines []string
	if *to != "" {
		lines = append(lines, *to)
	}
	for c := range comments {
		lines = append(lines, c.Text)
	}
	*to = strings.Join(lines, "\n")
}
