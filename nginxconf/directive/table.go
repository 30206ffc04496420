package directive

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// A Table is what one nginx knows: the directives and variables of its modules.
// It is a value that never changes; the methods that compose return a new one.
// It may be used by several goroutines.
type Table struct {
	version Version
	modules []string            // in nginx's order
	forms   []Form              // by name, those of one name in the order of the modules
	names   map[string]span     // into forms
	vars    []Variable          // by name, those of HTTP before those of Stream
	merged  map[string]Variable // of one name
	// prefixes are the names of families, the longest first: nginx takes the
	// longest that fits.
	prefixes []string
}

type span struct{ from, to int32 }

// newTable takes over forms and vars, which are in the order of the modules.
func newTable(v Version, modules []string, forms []Form, vars []Variable) *Table {
	t := &Table{version: v, modules: modules, forms: forms}
	slices.SortStableFunc(forms, func(a, b Form) int { return strings.Compare(a.Name, b.Name) })
	t.names = make(map[string]span, len(forms))
	for i := 0; i < len(forms); {
		from, name := i, forms[i].Name
		for i++; i < len(forms) && forms[i].Name == name; i++ {
		}
		t.names[name] = span{int32(from), int32(i)}
	}
	t.addVariables(vars)
	return t
}

func (t *Table) addVariables(vars []Variable) {
	slices.SortStableFunc(vars, func(a, b Variable) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Area, b.Area))
	})
	t.vars = vars
	t.merged = make(map[string]Variable, len(vars))
	for _, v := range vars {
		if known, ok := t.merged[v.Name]; ok {
			known.Area |= v.Area
			v = known
		} else if v.Prefix {
			t.prefixes = append(t.prefixes, v.Name)
		}
		t.merged[v.Name] = v
	}
	slices.SortStableFunc(t.prefixes, func(a, b string) int { return len(b) - len(a) })
}

// Version returns the release that the table describes. It is zero for All.
func (t *Table) Version() Version { return t.version }

// Lookup returns the forms of a directive, in the order in which nginx asks its
// modules, or nil if none knows the name. The slice is not to be changed.
//
// The first form whose Contexts hold the place is the one that nginx uses; if
// there is none, the directive "is not allowed here". In All, forms of several
// releases lie side by side, the older ones first.
func (t *Table) Lookup(name string) []Form {
	s, ok := t.names[name]
	if !ok {
		return nil
	}
	return t.forms[s.from:s.to:s.to]
}

// Forms returns all forms, sorted by name.
func (t *Table) Forms() iter.Seq[Form] { return slices.Values(t.forms) }

// Modules returns the names of the modules, in the order in which nginx asks
// them.
func (t *Table) Modules() iter.Seq[string] { return slices.Values(t.modules) }

// Variable returns the variable of that name, without "$". As in nginx, case
// does not matter. A name that belongs to a family ("http_x_real_ip") yields the
// family ("http_").
func (t *Table) Variable(name string) (Variable, bool) {
	// No name in the table is longer, and no family's: the rest of a long name
	// does not decide.
	var buffer [64]byte
	lower := buffer[:copy(buffer[:], name)]
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	if len(name) == len(lower) {
		if v, ok := t.merged[string(lower)]; ok { // does not allocate
			return v, true
		}
	}
	for _, p := range t.prefixes {
		if len(lower) >= len(p) && string(lower[:len(p)]) == p {
			return t.merged[p], true
		}
	}
	return Variable{}, false
}

// Variables returns all variables, sorted by name; one of HTTP and Stream comes
// twice.
func (t *Table) Variables() iter.Seq[Variable] { return slices.Values(t.vars) }

// With returns a table that knows further forms as well. Modules that are new
// in it come last, as a module that is loaded does.
func (t *Table) With(forms ...Form) *Table {
	modules := slices.Clone(t.modules)
	all := slices.Concat(t.forms, forms)
	for _, f := range forms {
		if !slices.Contains(modules, f.Module) {
			modules = append(modules, f.Module)
		}
	}
	place := make(map[string]int, len(modules))
	for i, m := range modules {
		place[m] = i
	}
	slices.SortStableFunc(all, func(a, b Form) int { return place[a.Module] - place[b.Module] })
	return newTable(t.version, modules, all, slices.Clone(t.vars))
}

// WithVariables returns a table that knows further variables as well. If one is
// known already, in the same area, the new one takes its place.
func (t *Table) WithVariables(vars ...Variable) *Table {
	all := slices.Clone(vars)
	for _, v := range t.vars {
		if !slices.ContainsFunc(vars, func(w Variable) bool { return w.Name == v.Name && w.Area&v.Area != 0 }) {
			all = append(all, v)
		}
	}
	return newTable(t.version, t.modules, slices.Clone(t.forms), all)
}

// Own returns a table with just the modules that come with nginx, and what With
// added.
func (t *Table) Own() *Table {
	addons := t.addons()
	return t.filter(func(m string) bool { return !addons[m] })
}

// addons returns the modules that do not come with nginx.
func (t *Table) addons() map[string]bool {
	addons := make(map[string]bool)
	for i := range t.forms {
		if t.forms[i].Addon {
			addons[t.forms[i].Module] = true
		}
	}
	return addons
}

// Without returns a table without those modules. Names that it does not know
// are no error.
func (t *Table) Without(modules ...string) *Table {
	return t.filter(func(m string) bool { return !slices.Contains(modules, m) })
}

// Only returns a table with just those modules, in the order that they have in
// t. Names that it does not know are no error.
func (t *Table) Only(modules ...string) *Table {
	return t.filter(func(m string) bool { return slices.Contains(modules, m) })
}

func (t *Table) filter(keep func(module string) bool) *Table {
	var forms []Form
	for _, f := range t.forms {
		if keep(f.Module) {
			forms = append(forms, f)
		}
	}
	var vars []Variable
	for _, v := range t.vars {
		if keep(v.Module) {
			vars = append(vars, v)
		}
	}
	modules := slices.DeleteFunc(slices.Clone(t.modules), func(m string) bool { return !keep(m) })
	return newTable(t.version, modules, forms, vars)
}
