package directive

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// eachName yields the names of the directives, sorted, each once.
func (t *Table) eachName() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range t.forms {
			if (i == 0 || t.forms[i-1].Name != t.forms[i].Name) && !yield(t.forms[i].Name) {
				return
			}
		}
	}
}

// Complete returns the names of the directives that begin with prefix and may
// stand in one of the contexts, sorted.
func (t *Table) Complete(c Context, prefix string) []string {
	i, _ := slices.BinarySearchFunc(t.forms, prefix, func(f Form, p string) int { return cmp.Compare(f.Name, p) })
	var names []string
	for ; i < len(t.forms) && strings.HasPrefix(t.forms[i].Name, prefix); i++ {
		f := &t.forms[i]
		if f.Contexts&c != 0 && (len(names) == 0 || names[len(names)-1] != f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// A Doc describes a directive to people.
type Doc struct {
	Name    string `json:"name"`
	Text    string `json:"text,omitempty"`    // a sentence on what it is for; empty: none is known here
	Default string `json:"default,omitempty"` // the arguments that nginx takes to be there; empty: there is none, or it is not known here
	Forms   []Form `json:"forms"`             // not to be changed
}

// Describe returns what there is to say about a directive in some contexts
// (Anywhere: in any). It reports false if it is unknown, or may not stand there.
func (t *Table) Describe(name string, in Context) (Doc, bool) {
	doc := Doc{Name: name}
	var where Context
	for _, f := range t.Lookup(name) {
		if f.Contexts&in != 0 {
			doc.Forms = append(doc.Forms, f)
			where |= f.Contexts
		}
	}
	if doc.Forms == nil {
		return Doc{}, false
	}
	i, found := slices.BinarySearchFunc(docs[:], name, func(d docRow, n string) int { return cmp.Compare(d.name, n) })
	for ; found && i < len(docs) && docs[i].name == name; i++ {
		if d := &docs[i]; d.in == 0 || d.in&where != 0 {
			doc.Text, doc.Default = d.text, d.def
			break
		}
	}
	return doc, true
}
