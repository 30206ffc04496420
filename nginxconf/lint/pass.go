package lint

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// A Pass is one check at work on one configuration. It is used by one
// goroutine, while [Check.Run] runs.
type Pass struct {
	Check  *Check
	Config *nginxconf.Config // with includes; a check reads it and changes nothing

	*session
}

// Whole tells whether this is a whole configuration: its main context has an
// http or an events block. Otherwise it is a fragment, and the blocks around
// it are not in view.
func (p *Pass) Whole() bool {
	for d := range p.Config.In(nil) {
		if name := d.Name(); name == "http" || name == "events" {
			return true
		}
	}
	return false
}

// All ranges over the directives of these names, or over all if none is given,
// with the blocks around them, in the order of [nginxconf.Config.All]. What a
// file holds that is included twice comes twice, in two contexts.
func (p *Pass) All(names ...string) iter.Seq2[*nginxconf.Directive, nginxconf.Context] {
	if len(names) == 0 {
		return p.Config.All()
	}
	return func(yield func(*nginxconf.Directive, nginxconf.Context) bool) {
		for d, ctx := range p.Config.All() {
			if slices.Contains(names, d.Name()) && !yield(d, ctx) {
				return
			}
		}
	}
}

// In returns the directives of these names that the innermost block of ctx
// itself holds (the main context, if ctx is empty), includes expanded, in
// nginx's order. The slice is not to be modified.
func (p *Pass) In(ctx nginxconf.Context, names ...string) []*nginxconf.Directive {
	key := levelKey{names: strings.Join(names, " ")}
	if len(ctx) > 0 {
		key.block = ctx[len(ctx)-1]
	}
	// Remembered, or each of a thousand servers would look through http anew.
	list, known := p.levels[key]
	if !known {
		for d := range p.Config.In(ctx) {
			if slices.Contains(names, d.Name()) {
				list = append(list, d)
			}
		}
		list = slices.Clip(list)
		p.levels[key] = list
	}
	return list
}

// A levelKey asks for the directives of some names in a block. What a block
// holds does not depend on where it stands.
type levelKey struct {
	block *nginxconf.Directive // nil: the main context
	names string
}

// Effective returns the directives of these names that are in force in the
// innermost block of ctx: those of the nearest block that holds any of them,
// in nginx's order, and the context of that block. nginx replaces such lists
// as a whole, so nothing comes from further out. Ask for those together that
// are replaced together: Effective(ctx, "allow", "deny"). The slice is not to
// be modified. It is [nginxconf.Config.Effective], remembered while Run runs.
//
// It is for directives that are inherited. Some are not, such as proxy_pass,
// return and rewrite: ask [Pass.In] for these.
func (p *Pass) Effective(ctx nginxconf.Context, names ...string) ([]*nginxconf.Directive, nginxconf.Context) {
	for n := len(ctx); n >= 0; n-- {
		if list := p.In(ctx[:n], names...); len(list) > 0 {
			return list, ctx[:n:n]
		}
	}
	return nil, nil
}

// effective returns the first argument of a directive that may stand only
// once in a block, as it is in force in ctx.
func (p *Pass) effective(ctx nginxconf.Context, name string) (v string, ok bool) {
	list, _ := p.Effective(ctx, name)
	if len(list) == 0 {
		return "", false
	}
	return arg(list[len(list)-1], 0), true
}

// Report reports a finding at a directive: from its name to its last argument.
// The message is one line, without a full stop. The fix may be nil; one
// without edits is taken for nil, so that it can be made of [Pass.InsertAfter]
// and [Pass.ReplaceArg] as they come. Several findings may ask for the same
// edit: who applies them applies it once.
//
// If d is nil, the finding is about the configuration as a whole, and its
// place is the main file.
func (p *Pass) Report(d *nginxconf.Directive, fix *nginxconf.Fix, format string, args ...any) {
	diag := &nginxconf.Diagnostic{Level: p.Check.Level, Code: p.Check.Name, Message: fmt.Sprintf(format, args...)}
	if d == nil {
		diag.Start.Filename = p.Config.Root.Name
	} else {
		diag.Start = d.Pos()
		if f := d.File(); f != nil && !diag.Start.IsValid() { // made, not parsed
			diag.Start.Filename = f.Name
		}
		_, diag.End = d.Span(d.NumArgs())
	}
	if !diag.End.IsValid() {
		diag.End = diag.Start
	}
	if fix != nil && len(fix.Edits) > 0 {
		diag.Fixes = []nginxconf.Fix{*fix}
	}
	p.add(p.Check, diag)
}

// enclosing returns ctx up to and with its innermost block of that name, or
// nil.
func enclosing(ctx nginxconf.Context, name string) nginxconf.Context {
	for n := len(ctx); n > 0; n-- {
		if ctx[n-1].Name() == name {
			return ctx[:n:n]
		}
	}
	return nil
}

// arg returns argument i, or "" if there is none: what is linted need not be
// what nginx accepts.
func arg(d *nginxconf.Directive, i int) string {
	if i >= d.NumArgs() {
		return ""
	}
	return d.Arg(i)
}
