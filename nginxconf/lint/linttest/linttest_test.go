package linttest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
	"github.com/onehost-go/onehost/nginxconf/lint/linttest"
)

// A recorder keeps what a test says. Another of its methods would panic.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Error(args ...any)                 { r.said = append(r.said, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

func run(check *lint.Check, fsys fs.FS) []string {
	r := &recorder{}
	linttest.Run(r, check, fsys)
	return r.said
}

func files(nameText ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(nameText); i += 2 {
		fsys[nameText[i]] = &fstest.MapFile{Data: []byte(nameText[i+1])}
	}
	return fsys
}

// old reports the directive old, and offers to write new in its place.
var old = &lint.Check{Name: "old", Level: slog.LevelWarn, Run: func(p *lint.Pass) error {
	for d := range p.All("old") {
		start, end := d.Span(0)
		p.Report(d, &nginxconf.Fix{Message: "write new", Edits: []nginxconf.Edit{{Start: start, End: end, NewText: "new"}}}, "%s is old", d.String())
	}
	return nil
}}

// odd reports the directive odd, and each argument of it.
var odd = &lint.Check{Name: "odd", Run: func(p *lint.Pass) error {
	for d := range p.All("odd") {
		p.Report(d, nil, "odd")
		for _, a := range d.Args() {
			p.Report(d, nil, "argument %s", a)
		}
	}
	return nil
}}

func TestInputsAreAsTheySay(t *testing.T) {
	for name, tt := range map[string]struct {
		check *lint.Check
		files fstest.MapFS
	}{
		"nothing to find":     {odd, files("a.conf", "even;\n")},
		"one":                 {odd, files("a.conf", "odd; # want \"odd\"\n")},
		"several of a line":   {odd, files("a.conf", "odd x y; # want `argument y` \"^odd .odd.$\" \"argument x\"\n")},
		"behind a comment":    {odd, files("a.conf", "# lint:ignore odd # want `ignore-without-reason`\nodd; # really # want \"odd\"\n")},
		"over several lines":  {odd, files("a.conf", "odd # want `^odd` `argument`\n  x;\n")},
		"in an included file": {odd, files("a.conf", "include sub/b.conf;\n", "sub/b.conf", "odd; # want `odd`\n")},
		"several files":       {odd, files("a.conf", "odd; # want `odd`\n", "b.conf", "", "sub/c.conf", "odd;\n")},
		"a fix":               {old, files("a.conf", "old 1; # want `old 1; is old`\n", "a.conf.fixed", "new 1; # want `old 1; is old`\n")},
		"a fix in an included file, from two configurations": {old, files(
			"a.conf", "include sub/b.conf;\n", "c.conf", "include sub/b.conf;\ninclude sub/b.conf;\n",
			"sub/b.conf", "old; # want `old`\n", "sub/b.conf.fixed", "new; # want `old`\n")},
		"equal edits are one": {twice(old), files("a.conf", "old; # want `is old` `again`\n", "a.conf.fixed", "new; # want `is old` `again`\n")},
	} {
		t.Run(name, func(t *testing.T) { linttest.Run(t, tt.check, tt.files) })
	}
}

// twice reports all that a check reports, and again.
func twice(c *lint.Check) *lint.Check {
	return &lint.Check{Name: c.Name, Run: func(p *lint.Pass) error {
		for d := range p.All("old") {
			start, end := d.Span(0)
			p.Report(d, &nginxconf.Fix{Edits: []nginxconf.Edit{{Start: start, End: end, NewText: "new"}}}, "again")
		}
		return c.Run(p)
	}}
}

func TestDeviationsFail(t *testing.T) {
	fixing := func(edits ...nginxconf.Edit) *lint.Check {
		return &lint.Check{Name: "fixing", Run: func(p *lint.Pass) error {
			for d := range p.All("old") {
				p.Report(d, &nginxconf.Fix{Edits: edits}, "old")
			}
			return nil
		}}
	}
	edit := func(start, end nginxconf.Edit, text string) nginxconf.Edit {
		return nginxconf.Edit{Start: start.Start, End: end.Start, NewText: text}
	}
	at := func(file string, offset int) (e nginxconf.Edit) {
		e.Start.Filename, e.Start.Offset, e.Start.Line, e.Start.Column = file, offset, 1, offset+1
		return e
	}
	for name, tt := range map[string]struct {
		check *lint.Check
		files fstest.MapFS
		want  []string // each a part of what is said
	}{
		"no input":          {odd, files("a.txt", "odd;"), []string{"no *.conf to test odd with"}},
		"unexpected":        {odd, files("a.conf", "even;\n  odd;\n"), []string{"unexpected: a.conf:2:3: odd [odd]"}},
		"not reported":      {odd, files("a.conf", "even; # want `odd`\n"), []string{"a.conf:1: nothing reported that matches \"odd\""}},
		"another line":      {odd, files("a.conf", "odd;\neven; # want `odd`\n"), []string{"unexpected: a.conf:1:1: odd", "a.conf:2: nothing reported"}},
		"another message":   {odd, files("a.conf", "odd; # want `even`\n"), []string{"unexpected: a.conf:1:1: odd", "a.conf:1: nothing reported"}},
		"wanted twice":      {odd, files("a.conf", "odd; # want `odd` `odd`\n"), []string{"a.conf:1: nothing reported"}},
		"no quotes":         {odd, files("a.conf", "odd; # want odd\n"), []string{"a.conf:1:6: not a list of quoted regular expressions: odd", "unexpected: a.conf:1:1"}},
		"no expression":     {odd, files("a.conf", "odd; # want `(`\n"), []string{"a.conf:1:6: not a list of quoted", "unexpected: a.conf:1:1"}},
		"a syntax error":    {odd, files("a.conf", "odd }\n"), []string{`a.conf:1:5: unexpected "}"`}},
		"an error":          {&lint.Check{Name: "x", Run: func(*lint.Pass) error { return errors.New("no") }}, files("a.conf", ""), []string{"a.conf: lint: check x: no"}},
		"fix not kept":      {old, files("a.conf", "old; # want `old`\n"), []string{"a.conf.fixed is missing; the fixes make of a.conf:\nnew; # want"}},
		"fix differs":       {old, files("a.conf", "old; # want `old`\n", "a.conf.fixed", "new;\n"), []string{"a.conf.fixed is not what the fixes make of a.conf:\nnew; # want"}},
		"nothing to fix":    {old, files("a.conf", "new;\n", "a.conf.fixed", "new;\n"), []string{"a.conf.fixed: no finding in a.conf has a fix"}},
		"fix of no file":    {fixing(edit(at("b.conf", 0), at("b.conf", 1), "")), files("a.conf", "old; # want `old`\n"), []string{`a fix of a.conf edits "b.conf", which is no file`}},
		"fix of no place":   {fixing(edit(at("a.conf", 0), at("a.conf", 99), "")), files("a.conf", "old; # want `old`\n"), []string{"a.conf: nginxconf: a.conf:1:100: there is no such place to edit"}},
		"fix upside down":   {fixing(edit(at("a.conf", 3), at("a.conf", 1), "")), files("a.conf", "old; # want `old`\n"), []string{"the edit overlaps with another, or ends before it starts"}},
		"overlapping fixes": {fixing(edit(at("a.conf", 0), at("a.conf", 3), "x"), edit(at("a.conf", 1), at("a.conf", 3), "y")), files("a.conf", "old; # want `old`\n"), []string{"the edit overlaps with another, or ends before it starts"}},
		"fix breaks the file": {fixing(edit(at("a.conf", 3), at("a.conf", 4), "")), files("a.conf", "old; # want `old`", "a.conf.fixed", "old # want `old`"),
			[]string{"a.conf, fixed: a.conf:1:17: unexpected end of file"}},
		"fix mends nothing": {fixing(edit(at("a.conf", 3), at("a.conf", 3), " x")), files("a.conf", "old; # want `old`", "a.conf.fixed", "old x; # want `old`"),
			[]string{"the fixed file has it still: a.conf:1:1: old [fixing]"}},
	} {
		t.Run(name, func(t *testing.T) {
			said := run(tt.check, tt.files)
			require.Len(t, said, len(tt.want), "%q", said)
			for i, want := range tt.want {
				assert.True(t, strings.Contains(said[i], want), "%q has no %q", said[i], want)
			}
		})
	}
}
