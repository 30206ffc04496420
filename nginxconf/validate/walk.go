package validate

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// A command is a name that was looked up, with the ways it may be used.
type command struct {
	name  string
	forms []bound

	searched bool
	near     []string // names that an unknown one may have been meant for
}

// A bound is a form with the code that reads it.
type bound struct {
	*directive.Form
	read reader
}

// A reader reads a directive whose place and number of arguments are right, as
// nginx's set function does, and reports what it refuses. That of a block reads
// what the block holds.
type reader func(c *checker, b *block, d *nginxconf.Directive, f *bound)

// command looks a directive's name up, in the table once. What followed the
// directive before the last time mostly does again, and asking for that and for
// those met last takes half the time of a map: of directives there are many.
func (c *checker) command(d *nginxconf.Directive) *command {
	raw := d.Raw(0)
	if next := c.last.next; next != nil && next.raw == raw {
		c.last = next
		return next.command
	}
	at := &c.recent[slotOf(raw)]
	if *at == nil || (*at).raw != raw {
		*at = &recent{raw: raw, command: c.commandOf(d.Name())}
	}
	c.last.next = *at
	c.last = *at
	return c.last.command
}

func (c *checker) commandOf(name string) *command {
	cmd := c.commands[name]
	if cmd == nil {
		forms := c.table.Lookup(name)
		cmd = &command{name: name, forms: make([]bound, len(forms))}
		for i := range forms {
			cmd.forms[i] = bound{&forms[i], readerOf(&forms[i])}
		}
		c.commands[name] = cmd
	}
	return cmd
}

// A recent is a command that was looked up, by the name as written, with the
// one that followed it.
type recent struct {
	raw     string
	command *command
	next    *recent
}

// slots is the size of the arrays before maps of names.
const slots = 128

// slotOf spreads names over the slots, few of which share one in practice.
func slotOf(name string) uint8 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return (uint8(n*7) ^ name[n-1]*5 ^ name[n/2]*3 ^ name[0]) % slots
}

// The contexts of a module type, as nginx has it.
const (
	inHTTP = directive.HTTP | directive.HTTPServer | directive.HTTPLocation | directive.HTTPUpstream |
		directive.HTTPServerIf | directive.HTTPLocationIf | directive.HTTPLimitExcept
	inStream = directive.Stream | directive.StreamServer | directive.StreamUpstream
)

// maxDepth is how deep blocks are followed; nginxconf reports deeper ones.
const maxDepth = 12_000

// file reads a file in the context of b.
func (c *checker) file(b *block, f *nginxconf.File) {
	c.body(b, &f.Body)
	if len(c.waiting) > 0 {
		c.flush(f.Name, 1<<62)
	}
}

func (c *checker) body(b *block, body *nginxconf.Body) {
	for d := range body.Directives() {
		c.directive(b, d)
	}
}

// inside reads what the block d holds, in a context of its own.
func (c *checker) inside(up *block, d *nginxconf.Directive, context directive.Context) *block {
	b := c.blocks.New()
	*b = block{context: context, up: up, d: d, server: up.server, location: up.location}
	c.within(b)
	return b
}

// within reads what the block b holds.
func (c *checker) within(b *block) {
	if c.deep == maxDepth {
		return
	}
	c.deep++
	c.order++
	b.order = c.order
	b.set = int32(len(c.set))
	c.body(b, b.d.Body())
	c.set = c.set[:b.set]
	c.deep--
	c.flushBlock(b.d)
}

// words reads the body of a block in which nginx knows no directives: read is
// called for each entry, the name being its first word.
func (c *checker) words(d *nginxconf.Directive, read func(e *nginxconf.Directive)) {
	var level func(body *nginxconf.Body)
	level = func(body *nginxconf.Body) {
		for e := range body.Directives() {
			if len(c.waiting) > 0 {
				c.flushDirective(e)
			}
			switch {
			case e.Body() != nil:
				c.fail(e, e.NumArgs()+1, "unexpected-brace", `unexpected "{"`)
			case e.Terminated():
				read(e)
				for f := range c.config.Included(e) {
					level(&f.Body)
					if len(c.waiting) > 0 {
						c.flush(f.Name, 1<<62)
					}
				}
			}
		}
	}
	level(d.Body())
	c.flushBlock(d)
}

// directive reads one directive (nginx 1.22: ngx_conf_handler).
func (c *checker) directive(b *block, d *nginxconf.Directive) {
	if len(c.waiting) > 0 {
		c.flushDirective(d)
	}
	if !d.Terminated() {
		return // nginx reads no further than this, and that is reported
	}
	cmd := c.command(d)
	var found *bound
	for i := range cmd.forms {
		if f := &cmd.forms[i]; f.Contexts&b.context != 0 {
			found = f
			break
		}
	}
	switch {
	case found == nil && c.has(cmd):
		c.misplaced(d, cmd)
		return
	case found == nil:
		c.unknown(d, cmd)
		return
	case found.Block != (d.Body() != nil) && !inlineLua(d):
		if found.Block {
			c.fail(d, 0, "no-opening-brace", `directive "%s" has no opening "{"`, found.Name)
		} else {
			c.fail(d, 0, "not-terminated", `directive "%s" is not terminated by ";"`, found.Name)
		}
		return
	case !found.Args.Takes(d.NumArgs()) && !(inlineLua(d) && found.Args.Takes(d.NumArgs()-1)):
		f := c.fail(d, 0, "wrong-arguments", `invalid number of arguments in "%s" directive`, found.Name)
		suggestArguments(f, found)
		if !found.Block || found.Args != directive.Take0 {
			return
		}
		// What the block holds can be read all the same.
	}
	if found.Once && c.duplicate(b, d, found) {
		return
	}
	if found.read != nil {
		found.read(c, b, d, found)
	} else {
		c.slot(b, d, found)
	}
}

// inlineLua tells whether d has Lua code between braces, which is an argument and
// no body.
func inlineLua(d *nginxconf.Directive) bool {
	return strings.HasSuffix(d.Name(), "_by_lua_block") && d.Body() == nil && strings.HasSuffix(d.String(), "}")
}

// duplicate tells whether a once-only directive stands in the block already,
// and reports it then. Else it does from now on.
func (c *checker) duplicate(b *block, d *nginxconf.Directive, f *bound) bool {
	if !c.again(b, f) {
		return false
	}
	c.refuse(d, "is duplicate")
	return true
}

// again tells whether a directive of this form was met in the block already,
// and notes that it is now.
func (c *checker) again(b *block, f *bound) bool {
	for _, s := range c.set[b.set:] {
		if s == f {
			return true
		}
	}
	c.set = append(c.set, f)
	return false
}

// refuse reports what a set function of nginx returns as a text: it is put
// behind the directive's name.
func (c *checker) refuse(d *nginxconf.Directive, text string) *nginxconf.Diagnostic {
	code := "invalid-value"
	if text == "is duplicate" {
		code = "duplicate-directive"
	}
	return c.fail(d, 0, code, `"%s" directive %s`, cstring(d.Name()), text)
}

// has tells whether the nginx that is spoken for knows the name. Modules that do
// not come with nginx count only if the caller named the modules: where they
// would be of use, they are taken to be there, but few have them all.
func (c *checker) has(cmd *command) bool {
	for i := range cmd.forms {
		if !cmd.forms[i].Addon || c.options.Modules != nil {
			return true
		}
	}
	return false
}

// misplaced reports a directive in a context that none of its forms is for.
func (c *checker) misplaced(d *nginxconf.Directive, cmd *command) {
	f := c.fail(d, 0, "wrong-context", `"%s" directive is not allowed here`, cstring(cmd.name))
	c.suggestContext(f, cmd)
}

func (c *checker) unknown(d *nginxconf.Directive, cmd *command) {
	f := c.fail(d, 0, "unknown-directive", `unknown directive "%s"`, cstring(cmd.name))
	c.suggestName(f, d, cmd)
}

// queue takes what Parse and Load found, to be reported when nginx would come
// to it.
func (c *checker) queue(ds nginxconf.Diagnostics) {
	if len(ds) == 0 {
		return
	}
	c.waiting = map[string]nginxconf.Diagnostics{}
	for _, d := range ds {
		if c.fragment && d.Code == "include-failed" {
			// Relative to the main file's directory, which is not known.
			d = &nginxconf.Diagnostic{Start: d.Start, End: d.End, Level: slog.LevelInfo, Code: d.Code, Message: d.Message}
		}
		c.waiting[d.Start.Filename] = append(c.waiting[d.Start.Filename], d)
	}
}

// flush reports what waits for a file up to an offset.
func (c *checker) flush(file string, offset int) {
	ds := c.waiting[file]
	n := 0
	for n < len(ds) && ds[n].Start.Offset <= offset {
		n++
	}
	c.diags = append(c.diags, ds[:n]...)
	if n == len(ds) {
		delete(c.waiting, file)
	} else {
		c.waiting[file] = ds[n:]
	}
}

// flushDirective reports what nginx comes to before it has read the words of d.
func (c *checker) flushDirective(d *nginxconf.Directive) {
	if at := d.TermPos(); at.IsValid() {
		c.flush(at.Filename, at.Offset)
	}
}

// flushBlock reports what nginx comes to before the '}' of d.
func (c *checker) flushBlock(d *nginxconf.Directive) {
	if len(c.waiting) == 0 {
		return
	}
	if at := d.End(); at.IsValid() {
		c.flush(at.Filename, at.Offset)
	}
}

// waitingFiles are the files whose problems nginx does not come to, in order.
func (c *checker) waitingFiles() []string {
	return slices.Sorted(maps.Keys(c.waiting))
}
