package directive

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// group is a module of the generated table.
type group struct {
	name  string
	addon bool // does not come with nginx
	forms []row
	vars  []varRow
}

// row is a Form as the generated table spells it: small, and laid out by the
// linker, so that a program that never asks pays with nothing but size.
type row struct {
	name        string
	in, opens   Context
	args        Args
	typ         Type
	flags       flags
	values      uint8 // of valueLists
	since, last Version
}

type varRow struct {
	name        string
	area        Context
	flags       flags
	since, last Version
}

type flags uint8

const (
	once flags = 1 << iota
	block
	deprecated
	prefix
	changeable
)

// known is the table of everything and, made when first asked for, that of each
// release.
type known struct {
	all      *Table
	releases []func() *Table // of each of the releases
	ports    []func() *Table // of each of the backports
}

var load = sync.OnceValue(func() *known {
	var names []string
	var forms []Form
	var vars []Variable
	lists := make([][]string, len(valueLists))
	for i, words := range valueLists {
		lists[i] = strings.Fields(words)
	}
	for _, g := range modules {
		names = append(names, g.name)
		for _, r := range g.forms {
			f := Form{
				Name: r.name, Module: g.name, Contexts: r.in, Args: r.args, Type: r.typ, Opens: r.opens,
				Once: r.flags&once != 0 && r.typ != Custom, CustomOnce: r.flags&once != 0 && r.typ == Custom,
				Block: r.flags&block != 0, Deprecated: r.flags&deprecated != 0,
				Addon: g.addon,
				Since: r.since, Last: r.last,
			}
			if r.values != 0 {
				f.Values = lists[r.values]
			}
			forms = append(forms, f)
		}
		for _, r := range g.vars {
			vars = append(vars, Variable{
				Name: r.name, Module: g.name, Area: r.area, Addon: g.addon, Since: r.since, Last: r.last,
				Prefix: r.flags&prefix != 0, Changeable: r.flags&changeable != 0,
			})
		}
	}
	k := &known{all: newTable(Version{}, names, forms, vars)}
	for _, v := range releases {
		k.releases = append(k.releases, sync.OnceValue(func() *Table { return k.all.release(v) }))
	}
	for _, p := range backports {
		k.ports = append(k.ports, sync.OnceValue(func() *Table { return k.all.release(p.of).With(p.forms...) }))
	}
	return k
})

// release returns what one release has of a table of several.
func (t *Table) release(v Version) *Table {
	var forms []Form
	for _, f := range t.forms {
		if f.In(v) {
			forms = append(forms, f)
		}
	}
	var vars []Variable
	for _, w := range t.vars {
		if v.in(w.Since, w.Last) {
			vars = append(vars, w)
		}
	}
	return newTable(v, t.modules, forms, vars)
}

// All returns what is known of every release, and of the modules that do not
// come with nginx. Where a directive changed, it has a form for each stretch of
// releases.
func All() *Table { return load().all }

// Releases returns the releases of nginx that are known, sorted.
func Releases() []Version { return slices.Clone(releases[:]) }

// Nginx returns what one nginx knows: that of a release ("1.22.1") or of a
// distribution's package ("1.22.1-9+deb12u11", "1:1.20.1-14.el9"), which adds
// what the distribution ported back. Empty is the newest stable release. All
// modules are in it, those too that do not come with nginx; narrow it with Own,
// Only or Without.
//
// A release that was never made counts as the one before it, and so does one
// newer than those known here: the table's Version says which it is. A version
// older than the first of Releases is an error.
func Nginx(version string) (*Table, error) {
	k := load()
	if version == "" {
		for i, v := range slices.Backward(releases[:]) {
			if v.Stable() {
				return k.releases[i](), nil
			}
		}
	}
	upstream := upstreamVersion(version)
	v, err := ParseVersion(upstream)
	if err != nil {
		return nil, fmt.Errorf(`nginx version %q is neither a release ("1.22.1") nor that of a package ("1.22.1-9+deb12u11")`, version)
	}
	if v.Compare(releases[0]) < 0 {
		return nil, fmt.Errorf("nginx version %q is older than %s, the oldest that is known", version, releases[0])
	}
	if upstream != version {
		for i, p := range backports {
			if p.of == v && p.covers(version) {
				return k.ports[i](), nil
			}
		}
	}
	i, found := slices.BinarySearchFunc(releases[:], v, Version.Compare)
	if !found {
		i--
	}
	return k.releases[i](), nil
}

// upstreamVersion returns the part of a package's version that is nginx's:
// without the epoch ("1:") and what the packager appends.
func upstreamVersion(s string) string {
	if epoch, rest, ok := strings.Cut(s, ":"); ok && strings.Trim(epoch, "0123456789") == "" {
		s = rest
	}
	end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end < 0 {
		return s
	}
	return s[:end]
}
