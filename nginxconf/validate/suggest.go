package validate

import (
	"fmt"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// What a finding offers beyond nginx's own words: a fix where one is likely to
// be right, else a hint, which is a fix without edits.

// hint adds advice that no edit can carry out.
func hint(f *nginxconf.Diagnostic, format string, args ...any) {
	f.Fixes = append(f.Fixes, nginxconf.Fix{Message: fmt.Sprintf(format, args...)})
}

// rename offers to write something else for word i of d.
func rename(f *nginxconf.Diagnostic, d *nginxconf.Directive, i int, to, format string, args ...any) {
	start, end := d.Span(i)
	if !start.IsValid() {
		return
	}
	f.Fixes = append(f.Fixes, nginxconf.Fix{
		Message: fmt.Sprintf(format, args...),
		Edits:   []nginxconf.Edit{{Start: start, End: end, NewText: to}},
	})
}

// suggestName offers the names that an unknown one may have been meant for.
func (c *checker) suggestName(f *nginxconf.Diagnostic, d *nginxconf.Directive, cmd *command) {
	if len(cmd.forms) > 0 { // of modules that do not come with nginx
		c.suggestContext(f, cmd)
		return
	}
	if c.otherVersion(f, cmd) {
		return
	}
	if !cmd.searched {
		cmd.searched = true
		cmd.near = c.table.Near(cmd.name)
	}
	for _, name := range cmd.near {
		rename(f, d, 0, name, `write "%s"`, name)
	}
}

// otherVersion says which versions or modules know a directive that this nginx
// does not.
func (c *checker) otherVersion(f *nginxconf.Diagnostic, cmd *command) bool {
	forms := directive.All().Lookup(cmd.name)
	if len(forms) == 0 {
		return false
	}
	for _, r := range directive.Replacements(cmd.name) {
		if r.Parameter == "" && !r.Gone.IsZero() && c.version.Compare(r.Gone) >= 0 {
			if r.Instead != "" {
				hint(f, `write "%s": the directive "%s" is gone since nginx %s`, r.Instead, cmd.name, r.Gone)
			} else {
				hint(f, `remove it: the directive "%s" is gone since nginx %s`, cmd.name, r.Gone)
			}
			return true
		}
	}
	var since, last directive.Version
	for _, form := range forms {
		switch {
		case form.In(c.version):
			hint(f, `add the module %s, which has the directive "%s"`, form.Module, cmd.name)
			return true
		case !form.Since.IsZero() && form.Since.Compare(c.version) > 0:
			if since.IsZero() || form.Since.Compare(since) < 0 {
				since = form.Since
			}
		case !form.Last.IsZero():
			if form.Last.Compare(last) > 0 {
				last = form.Last
			}
		}
	}
	switch {
	case !since.IsZero():
		hint(f, `use nginx %s or newer, which knows the directive "%s"`, since, cmd.name)
	case !last.IsZero():
		hint(f, `remove it: nginx %s was the last to know the directive "%s"`, last, cmd.name)
	default:
		return false
	}
	return true
}

// suggestContext says where a misplaced directive may stand.
func (c *checker) suggestContext(f *nginxconf.Diagnostic, cmd *command) {
	var where directive.Context
	module := ""
	for i := range cmd.forms {
		where |= cmd.forms[i].Contexts
		if cmd.forms[i].Addon {
			module = " (module " + cmd.forms[i].Module + ")"
		}
	}
	names := where.Names()
	switch n := len(names); {
	case n == 0:
	case n == 1:
		hint(f, `move it to the context %s%s`, names[0], module)
	default:
		hint(f, `move it to one of the contexts %s or %s%s`, strings.Join(names[:n-1], ", "), names[n-1], module)
	}
}

// suggestArguments says how many arguments there should be.
func suggestArguments(f *nginxconf.Diagnostic, form *bound) {
	if form.Args == directive.Take0 {
		hint(f, `write "%s" without arguments`, form.Name)
		return
	}
	s := "s"
	if form.Args == directive.Take1 {
		s = ""
	}
	hint(f, `give "%s" %s argument%s`, form.Name, form.Args, s)
}

// deprecatedHTTP2 offers the http2 directive for the parameter of listen (since
// nginx 1.25.1): one fix for all listen directives of the server, at the first.
func deprecatedHTTP2(f *nginxconf.Diagnostic, d *nginxconf.Directive) {
	fix := nginxconf.Fix{Message: `write "http2 on;" instead`}
	has := false
	for e := range d.Container().Directives() {
		switch e.Name() {
		case "http2":
			has = true
		case "listen":
			for i := 1; i < e.NumArgs(); i++ {
				if e.Arg(i) != "http2" {
					continue
				}
				if len(fix.Edits) == 0 && e != d {
					return // offered there
				}
				_, from := e.Span(i)
				_, to := e.Span(i + 1)
				if !from.IsValid() || !to.IsValid() {
					return
				}
				fix.Edits = append(fix.Edits, nginxconf.Edit{Start: from, End: to})
			}
		}
	}
	if at := d.End(); !has && at.IsValid() {
		fix.Edits = append(fix.Edits, nginxconf.Edit{Start: at, End: at, NewText: " http2 on;"})
	}
	f.Fixes = append(f.Fixes, fix)
}
