package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// httpMain is what nginx keeps of the http block.
type httpMain struct {
	block     *block
	variables variables
	servers   []*server
}

// A server is a server block of http.
type server struct {
	block *block
	root  location // the server itself, seen as a location
}

// A location is a location block, or the server around it, or the http block.
type location struct {
	block *block
	up    *location
	inner []*location
}

// readHTTP reads the http block (nginx: ngx_http_block).
func readHTTP(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.http != nil {
		c.refuse(d, "is duplicate")
		return
	}
	c.modules = true
	h := &httpMain{variables: newVariables(c, directive.HTTP)}
	c.http = h
	h.block = &block{context: directive.HTTP, up: b, d: d, location: &location{}}
	h.block.location.block = h.block
	c.within(h.block)
	c.finishHTTP(h)
}

// finishHTTP is what nginx does at the end of the http block: in its order,
// which decides what is reported first.
func (c *checker) finishHTTP(h *httpMain) {
	// init_main_conf and merge_*_conf, module by module in the order of
	// ngx_modules[]: each function goes over the servers and locations for its
	// modules.

	// Then the location trees, the postconfiguration functions, the variables,
	// and at last the addresses and server names.
	h.variables.finish()
}

// readHTTPServer reads a server block of http (nginx: ngx_http_core_server).
func readHTTPServer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	s := &server{}
	s.root.up = b.location
	s.block = &block{context: directive.HTTPServer, up: b, d: d, server: s, location: &s.root}
	s.root.block = s.block
	c.http.servers = append(c.http.servers, s)
	c.within(s.block)
}

// readBlock reads a block that is nothing but a context.
func readBlock(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.inside(b, d, f.Inside(b.context))
}
