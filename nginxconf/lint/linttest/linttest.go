// Package linttest tests a check on configuration files that say themselves
// what is wrong with them.
//
//	func TestOffice(t *testing.T) {
//		linttest.Run(t, officeOnly, os.DirFS("testdata"))
//	}
//
// where testdata/office.conf holds
//
//	events {}
//	http {
//		server {
//			listen 80;
//			allow 192.0.2.0/24; # want "without deny"
//		}
//	}
package linttest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// Run runs a check over each file "*.conf" at the top of fsys, a configuration
// or a fragment of its own. Files in directories are there to be included,
// relative to the top ("include shared/deny.conf;").
//
// A comment "# want" at the end of a line says what the check reports on that
// line: one or more regular expressions, each in double or back quotes, each
// of which matches "message [code]" of one finding. It may stand behind another
// comment ("# lint:ignore NX101 # want `without-reason`"), and in included
// files. What is reported and not wanted fails the test, and so does what is
// wanted and not reported. A file without a want holds what the check must
// leave alone.
//
// If findings have fixes, these are applied to the files, and each file that
// they change must be equal to the file of the same name with ".fixed" behind
// it: "office.conf.fixed". The check then runs once more, on the fixed files:
// a finding that offers a fix must be gone.
func Run(t testing.TB, check *lint.Check, fsys fs.FS) {
	t.Helper()
	names, err := fs.Glob(fsys, "*.conf")
	if err != nil || len(names) == 0 {
		t.Errorf("linttest: no *.conf to test %s with (%v)", check.Name, err)
		return
	}
	for _, name := range names {
		for _, problem := range problems(check, fsys, name) {
			t.Error(problem)
		}
	}
}

// problems says what is not as a configuration says it is.
func problems(check *lint.Check, fsys fs.FS, name string) []string {
	var list []string
	report := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	c, err := nginxconf.Load(fsys, name, nil)
	if err != nil {
		report("%v", err)
		return list
	}
	found, err := lint.Run(c, check)
	if err != nil {
		report("%s: %v", name, err)
	}

	wants, bad := wanted(c)
	list = append(list, bad...)
	for _, d := range found {
		text := d.Message
		if d.Code != "" {
			text += " [" + d.Code + "]"
		}
		i := slices.IndexFunc(wants, func(w *want) bool {
			return !w.met && w.file == d.Start.Filename && w.line == d.Start.Line && w.re.MatchString(text)
		})
		if i < 0 {
			report("unexpected: %v", d)
			continue
		}
		wants[i].met = true
	}
	for _, w := range wants {
		if !w.met {
			report("%s:%d: nothing reported that matches %q", w.file, w.line, w.re)
		}
	}
	return append(list, fixes(check, c, fsys, name, found)...)
}

type want struct {
	file string
	line int
	re   *regexp.Regexp
	met  bool
}

// wanted returns what the comments of a configuration want, and what is wrong
// with them.
func wanted(c *nginxconf.Config) (list []*want, bad []string) {
	for f := range c.Files() {
		for comment := range f.Comments() {
			_, text, found := strings.Cut(comment.Text, "# want ")
			if !found {
				continue
			}
			for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
				quoted, err := strconv.QuotedPrefix(text)
				var pattern string
				if err == nil {
					pattern, err = strconv.Unquote(quoted)
				}
				var re *regexp.Regexp
				if err == nil {
					re, err = regexp.Compile(pattern)
				}
				if err != nil {
					bad = append(bad, fmt.Sprintf("%v: not a list of quoted regular expressions: %s (%v)", comment.Start, text, err))
					break
				}
				list = append(list, &want{file: f.Name, line: comment.Start.Line, re: re})
				text = text[len(quoted):]
			}
		}
	}
	return list, bad
}

// fixes says what is wrong with the fixes of the findings.
func fixes(check *lint.Check, c *nginxconf.Config, fsys fs.FS, name string, found nginxconf.Diagnostics) []string {
	var list []string
	report := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	asked := map[string][]nginxconf.Edit{}
	for _, d := range found {
		if len(d.Fixes) > 0 {
			for _, e := range d.Fixes[0].Edits {
				asked[e.Start.Filename] = append(asked[e.Start.Filename], e)
			}
		}
	}
	fixed := overlay{FS: fsys, files: map[string][]byte{}}
	for f := range c.Files() {
		golden, err := fs.ReadFile(fsys, f.Name+".fixed")
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			report("%v", err)
			continue
		case len(asked[f.Name]) == 0:
			// One that is included may be fixed in another configuration.
			if err == nil && f.Name == name {
				report("%s.fixed: no finding in %s has a fix for it", f.Name, f.Name)
			}
			continue
		}
		got, applyErr := nginxconf.Apply(f.Bytes(), asked[f.Name])
		if applyErr != nil {
			report("%s: %v", f.Name, applyErr)
			continue
		}
		delete(asked, f.Name)
		fixed.files[f.Name] = got
		if err != nil {
			report("%s.fixed is missing; the fixes make of %s:\n%s", f.Name, f.Name, got)
		} else if string(got) != string(golden) {
			report("%s.fixed is not what the fixes make of %s:\n%s", f.Name, f.Name, got)
		}
	}
	for file := range asked {
		if c.File(file) == nil {
			report("a fix of %s edits %q, which is no file of the configuration", name, file)
		}
	}
	if len(fixed.files) == 0 || len(list) > 0 {
		return list
	}

	again, err := nginxconf.Load(fixed, name, nil)
	if err != nil {
		report("%s, fixed: %v", name, err)
		return list
	}
	left, err := lint.Run(again, check)
	if err != nil {
		report("%s, fixed: %v", name, err)
	}
	for _, d := range left {
		if len(d.Fixes) > 0 {
			report("the fixed file has it still: %v", d)
		}
	}
	return list
}

// An overlay is a file system with some files replaced.
type overlay struct {
	fs.FS
	files map[string][]byte
}

func (o overlay) ReadFile(name string) ([]byte, error) {
	if text, ok := o.files[path.Clean(name)]; ok {
		return text, nil
	}
	return fs.ReadFile(o.FS, name)
}
