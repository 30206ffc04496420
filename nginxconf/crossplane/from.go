package crossplane

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

const (
	// maxDepth is how many blocks in one another are entered, as in Config.All
	// of nginxconf.
	maxDepth = 12_000
	// maxCopies is how many directives a combined config may hold beyond those
	// of all files: files can include files twice each, many levels deep.
	maxCopies = 1_000_000
)

// Options are the options of [FromConfig]. The zero value is right.
type Options struct {
	// Comments takes comments in, as directives named "#". One between the
	// words of a directive follows it, with the directive's line.
	Comments bool
	// Combine puts what is included in the place of the include directives, so
	// that there is one config. Each directive tells its file then.
	Combine bool
	// Single leaves the included files out, with their errors; the directives
	// tell no includes.
	Single bool
	// Ignore names directives to leave out, with all that they hold.
	Ignore []string
	// Diagnostics are what is told as errors, if of slog.LevelError; nil is
	// what Load found, or with Single, the syntax errors of the main file. Give
	// those of nginxconf/validate to have crossplane's strict mode, and more.
	Diagnostics nginxconf.Diagnostics
}

// FromConfig returns a configuration as crossplane does. Lines are those of
// the text as it is now, edits included.
//
// The payload shares nothing with c. Of blocks in one another, only the first
// 12,000 are entered; Load reports deeper ones.
func FromConfig(c *nginxconf.Config, o *Options) *Payload {
	if o == nil {
		o = &Options{}
	}
	r := reader{config: c, options: o, index: map[*nginxconf.File]int{}}
	r.queue(c.Root, "")
	p := &Payload{Status: StatusOK, Errors: []PayloadError{}, Config: []Config{}}
	for i := 0; i < len(r.files); i++ { // more come meanwhile
		f := r.files[i]
		p.Config = append(p.Config, Config{
			File:   f.file.Name,
			Status: StatusOK,
			Errors: []ConfigError{},
			Parsed: r.file(f.file, f.within),
		})
	}
	diags := o.Diagnostics
	switch {
	case diags != nil:
	case o.Single:
		diags = r.syntax
	default:
		diags = c.Diagnostics()
	}
	p.report(diags, o.Single)
	if o.Combine {
		p.combine(r.count + maxCopies)
	}
	return p
}

// report adds errors to the files they are in, and to the payload in the order
// of the files. With single, those of other files are left out.
func (p *Payload) report(diags nginxconf.Diagnostics, single bool) {
	at := map[string]int{}
	for i := range p.Config {
		at[p.Config[i].File] = i
	}
	var elsewhere []PayloadError
	for _, d := range diags {
		if d.Level < slog.LevelError {
			continue
		}
		e := PayloadError{File: d.Start.Filename, Line: Line(d.Start.Line), Error: d.Message + " in " + d.Start.Filename}
		if e.Line > 0 {
			e.Error += fmt.Sprintf(":%d", e.Line)
		}
		if i, ok := at[e.File]; ok {
			p.Config[i].fail(e)
		} else if !single || e.File == "" {
			elsewhere = append(elsewhere, e)
		}
	}
	for _, c := range p.Config {
		for _, e := range c.Errors {
			p.Errors = append(p.Errors, PayloadError{File: c.File, Line: e.Line, Error: e.Error})
		}
	}
	p.Errors = append(p.Errors, elsewhere...)
	if len(p.Errors) > 0 {
		p.Status = StatusFailed
	}
}

func (c *Config) fail(e PayloadError) {
	c.Status = StatusFailed
	c.Errors = append(c.Errors, ConfigError{e.Line, e.Error})
}

// A reader makes directives of files.
type reader struct {
	config  *nginxconf.Config
	options *Options
	files   []queued
	index   map[*nginxconf.File]int // in files
	count   int                     // of directives, comments included
	syntax  nginxconf.Diagnostics   // of the last file
}

// A queued is a file to read, and the name of the block that it is first
// included in.
type queued struct {
	file   *nginxconf.File
	within string
}

// queue returns the index of a file.
func (r *reader) queue(f *nginxconf.File, within string) int {
	i, ok := r.index[f]
	if !ok {
		i = len(r.files)
		r.index[f] = i
		r.files = append(r.files, queued{f, within})
	}
	return i
}

// An open is a block being read, or the file.
type open struct {
	d     *nginxconf.Directive // nil for the file
	name  string
	into  *[]*Directive // nil: what it holds is left out
	after []*Directive  // comments that come behind it
}

// file returns the directives of a file. within is the name of the block
// around them.
func (r *reader) file(f *nginxconf.File, within string) []*Directive {
	// Parsed anew, so that edited text has lines too. The directives are the
	// same, in the same order.
	tree, err := nginxconf.Parse(f.Name, f.Bytes())
	r.syntax = nil
	errors.As(err, &r.syntax)
	included := r.included(f)
	comments := r.comments(tree)
	parsed := []*Directive{}
	stack := []open{{name: within, into: &parsed}}

	// upTo takes the comments before an offset.
	upTo := func(offset int, into *[]*Directive) {
		for len(comments) > 0 && comments[0].offset < offset {
			if into != nil {
				*into = append(*into, comments[0].directive)
				r.count++
			}
			comments = comments[1:]
		}
	}
	pop := func() {
		top := stack[len(stack)-1]
		end := top.d.End()
		upTo(end.Offset, top.into)
		stack = stack[:len(stack)-1]
		if into := stack[len(stack)-1].into; into != nil {
			*into = append(*into, top.after...)
		}
	}
	n := -1
	for d := range tree.All() {
		n++
		for stack[len(stack)-1].d != d.Parent() {
			pop()
		}
		top := stack[len(stack)-1]
		pos, term := d.Pos(), d.TermPos()
		upTo(pos.Offset, top.into)
		name := argument(d, 0)
		var after []*Directive
		upTo(term.Offset, &after)
		if top.into == nil || slices.Contains(r.options.Ignore, name) {
			if d.Body() != nil {
				stack = append(stack, open{d: d})
			}
			continue
		}
		out := &Directive{Directive: name, Line: pos.Line, Args: make([]string, d.NumArgs())}
		for i := range out.Args {
			out.Args[i] = argument(d, i+1)
		}
		if name == "if" {
			out.Args = withoutParentheses(out.Args)
		}
		if r.options.Combine {
			out.File = f.Name
		}
		if name == "include" && !r.options.Single {
			out.Includes = []int{}
			for _, g := range included[n] {
				out.Includes = append(out.Includes, r.queue(g, top.name))
			}
		}
		out.IsMapBlockParameter = isMap(top.name)
		*top.into = append(*top.into, out)
		r.count++
		for _, c := range after {
			c.Line = out.Line
		}
		if d.Body() == nil {
			*top.into = append(*top.into, after...)
			continue
		}
		out.Block = []*Directive{}
		inner := open{d: d, name: name, after: after}
		if len(stack) <= maxDepth {
			inner.into = &out.Block
		}
		stack = append(stack, inner)
	}
	for len(stack) > 1 {
		pop()
	}
	upTo(1<<62, &parsed)
	return parsed
}

// included returns the files that the directives of f stand for, by the number
// of the directive.
func (r *reader) included(f *nginxconf.File) map[int][]*nginxconf.File {
	if r.options.Single {
		return nil
	}
	files := map[int][]*nginxconf.File{}
	n := 0
	for d := range f.All() {
		for g := range r.config.Included(d) {
			files[n] = append(files[n], g)
		}
		n++
	}
	return files
}

type comment struct {
	offset    int
	directive *Directive
}

// comments returns the comments of a file, if they are asked for.
func (r *reader) comments(f *nginxconf.File) []comment {
	if !r.options.Comments {
		return nil
	}
	var list []comment
	for c := range f.Comments() {
		text := strings.TrimPrefix(c.Text, "#")
		d := &Directive{Directive: "#", Line: c.Start.Line, Args: []string{}, Comment: &text}
		if r.options.Combine {
			d.File = f.Name
		}
		list = append(list, comment{c.Start.Offset, d})
	}
	return list
}

// argument returns word i of d as crossplane has it: as written, but without
// its quotes and the backslashes that protect those.
func argument(d *nginxconf.Directive, i int) string {
	raw := d.Raw(i)
	q := d.Quote(i)
	if q == 0 {
		return raw
	}
	var b strings.Builder
	for k := 1; k < len(raw) && raw[k] != q; k++ {
		if raw[k] == '\\' && k+1 < len(raw) {
			if raw[k+1] != q {
				b.WriteByte('\\')
			}
			k++
		}
		b.WriteByte(raw[k])
	}
	return b.String()
}

// withoutParentheses takes off those around a condition. (crossplane takes
// blanks inside them off too; they stand only in conditions that nginx
// refuses.)
func withoutParentheses(args []string) []string {
	n := len(args)
	if n == 0 || !strings.HasPrefix(args[0], "(") || !strings.HasSuffix(args[n-1], ")") {
		return args
	}
	args[0] = args[0][1:]
	if args[n-1] = strings.TrimSuffix(args[n-1], ")"); args[n-1] == "" {
		args = args[:n-1]
	}
	if len(args) > 0 && args[0] == "" {
		args = args[1:]
	}
	return args
}

// isMap tells whether crossplane takes what a block of that name holds for data
// (nginx-go-crossplane 0.4.89: analyze_map.go).
func isMap(block string) bool {
	switch block {
	case "charset_map", "geo", "geoip2", "map", "match", "otel_exporter", "split_clients", "types":
		return true
	}
	return false
}

// combine makes one config of all, of no more directives than limit.
func (p *Payload) combine(limit int) {
	all := Config{File: p.Config[0].File, Status: StatusOK, Errors: []ConfigError{}}
	for _, c := range p.Config {
		all.Errors = append(all.Errors, c.Errors...)
		if c.Status == StatusFailed {
			all.Status = StatusFailed
		}
	}
	m := combiner{from: p.Config, limit: limit}
	all.Parsed = m.list([]*Directive{}, p.Config[0].Parsed, 0)
	for _, message := range []string{m.tooMany, m.tooDeep} {
		if message != "" {
			e := PayloadError{File: all.File, Error: message + " in " + all.File}
			all.fail(e)
			p.Errors = append(p.Errors, e)
			p.Status = StatusFailed
		}
	}
	p.Config = []Config{all}
}

type combiner struct {
	from             []Config
	count, limit     int
	tooMany, tooDeep string
}

// list appends copies of directives, with includes in place.
func (m *combiner) list(to, from []*Directive, depth int) []*Directive {
	for _, d := range from {
		if d.Includes != nil {
			for _, i := range d.Includes {
				if m.tooMany != "" {
					return to
				}
				to = m.list(to, m.from[i].Parsed, depth)
			}
			continue
		}
		if m.count++; m.count > m.limit {
			m.tooMany = fmt.Sprintf("more than %d directives", m.limit)
			return to
		}
		c := *d
		c.Args = slices.Clone(d.Args)
		if c.Block != nil {
			c.Block = []*Directive{}
			if depth < maxDepth {
				c.Block = m.list(c.Block, d.Block, depth+1)
			} else if len(d.Block) > 0 {
				m.tooDeep = fmt.Sprintf("more than %d blocks in one another", maxDepth)
			}
		}
		to = append(to, &c)
	}
	return to
}
