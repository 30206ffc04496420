package validate

import (
	"go/token"
	"log/slog"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// guesses are the contexts that a fragment may be for, the likeliest first of
// those that fit as well.
var guesses = [...]directive.Context{
	directive.Main, directive.HTTP, directive.HTTPServer, directive.HTTPLocation, directive.HTTPUpstream,
	directive.Events, directive.Stream, directive.StreamServer, directive.StreamUpstream,
	directive.Mail, directive.MailServer,
}

// guess returns the context in which most directives at the top of the
// configuration may stand.
func (c *checker) guess() directive.Context {
	var fits [len(guesses)]int
	var count func(body *nginxconf.Body, depth int)
	count = func(body *nginxconf.Body, depth int) {
		for d := range body.Directives() {
			cmd := c.command(d)
			for i, context := range guesses {
				for k := range cmd.forms {
					f := &cmd.forms[k]
					if f.Contexts&context != 0 && f.Contexts != directive.Anywhere && f.Block == (d.Body() != nil) && f.Args.Takes(d.NumArgs()) {
						fits[i]++
						break
					}
				}
			}
			if depth < 100 {
				for f := range c.config.Included(d) {
					count(&f.Body, depth+1)
				}
			}
		}
	}
	count(&c.config.Root.Body, 0)
	best := 0
	for i, n := range fits {
		if n > fits[best] {
			best = i
		}
	}
	return guesses[best]
}

// start returns the block that the configuration stands in, with those around
// it, and tells whether that is the main context.
func (c *checker) start() (b *block, isMain, ok bool) {
	b = &block{context: directive.Main}
	context := directive.Main
	switch {
	case c.options.Context != nil:
		if context, ok = directive.ParseContext(c.options.Context...); !ok {
			at := token.Position{Filename: c.config.Root.Name}
			c.report(slog.LevelError, at, at, "unknown-context", `"`+strings.Join(c.options.Context, "/")+`" is no context`)
			return nil, false, false
		}
	case c.config.Fragment:
		context = c.guess()
	}
	if context == directive.Main {
		return b, !c.config.Fragment, true
	}
	c.fragment = true
	switch {
	case context&inHTTP != 0:
		return c.fragmentOfHTTP(b, context), false, true
	case context&inStream != 0:
		return c.fragmentOfStream(b, context), false, true
	}
	return &block{context: context, up: b}, false, true
}

// fragmentOfHTTP makes the blocks around a part of the http block.
func (c *checker) fragmentOfHTTP(main *block, context directive.Context) *block {
	h := c.newHTTP()
	c.http = h
	h.open(main, nil)
	if context == directive.HTTP {
		return h.block
	}
	if context == directive.HTTPUpstream {
		return &block{context: context, up: h.block, location: h.block.location, more: &blockMore{upstream: &upstream{allows: takesAll}}}
	}
	s := &server{}
	s.root.block = block{context: directive.HTTPServer, up: h.block, server: s, location: &s.root}
	h.servers = append(h.servers, s)
	if context == directive.HTTPServer {
		return &s.root.block
	}
	if context == directive.HTTPServerIf {
		return &block{context: context, up: &s.root.block, server: s, location: &s.root}
	}
	// What the location is called is not known.
	l := &location{}
	l.block = block{context: directive.HTTPLocation, up: &s.root.block, server: s, location: l}
	if context == directive.HTTPLocation {
		return &l.block
	}
	return &block{context: context, up: &l.block, server: s, location: l}
}

// fragmentOfStream makes the blocks around a part of the stream block.
func (c *checker) fragmentOfStream(main *block, context directive.Context) *block {
	s := c.newStream(main, nil)
	if context == directive.Stream {
		return s.block
	}
	return &block{context: context, up: s.block}
}
