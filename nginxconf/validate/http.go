package validate

import (
	"slices"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
)

// httpMain is what nginx keeps of the http block.
type httpMain struct {
	block     *block
	variables variables
	servers   []*server
	sockets   sockets
	names     []serverName // room for those of the next server
	sized     bool         // there is a directive that mergeServers looks at
	common    common
	httpModules

	serverSlab   slab.Slab[server]
	locationSlab slab.Slab[location]

	upstreams   upstreams
	urls        map[string]proxyURL    // of proxy_pass
	backends    [backends]*backendConf // what the http block says of them; nil: no block says anything
	backendSlab slab.Slab[backendConf]
	listedSlab  slab.Slab[listed]
	noHeaders   [backends]headerList // where their lists of headers begin
	headerNames []hashed             // room to work in
	ssl         *sslConf
}

// A server is a server block of http.
type server struct {
	root     location // the server itself, seen as a location
	names    []serverName
	ssl      *sslConf // what it says of TLS, or nil
	listens  bool     // it has a listen directive
	captures bool     // the last regular expression among its names has groups
}

// readHTTP reads the http block (nginx: ngx_http_block).
func readHTTP(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.http != nil {
		c.refuse(d, "is duplicate")
		return
	}
	c.modules = true
	h := c.newHTTP()
	c.http = h
	h.open(b, d)
	c.within(h.block)
	c.finishHTTP(h)
}

func (c *checker) newHTTP() *httpMain {
	return &httpMain{variables: newVariables(c, directive.HTTP)}
}

// open makes the http block itself.
func (h *httpMain) open(up *block, d *nginxconf.Directive) {
	root := &location{}
	root.block = block{context: directive.HTTP, up: up, d: d, location: root}
	h.block = &root.block
}

// finishHTTP is what nginx does at the end of the http block: in its order,
// which decides what is reported first.
func (c *checker) finishHTTP(h *httpMain) {
	// init_main_conf and merge_*_conf, module by module in the order of
	// ngx_modules[]: each function goes over the servers and locations for its
	// modules.
	c.mergeServers(h)
	c.mergeCoreTypes(h)
	h.upstreams.finish(c, h.block.kept("resolver") != nil)
	c.mergeReferers(h)
	c.mergeSSL(h)
	for kind := range backends {
		c.mergeBackend(h, kind)
	}
	c.mergeSecureLinks(h)
	c.mergeTypes(h)

	for _, s := range h.servers {
		c.duplicateLocations(&s.root)
	}

	// The postconfiguration functions.
	c.finishSecureSockets(h)
	c.finishCharsets(h)

	h.variables.finish()
	c.finishServerNames(h)
	c.listening += h.sockets.count()
}

// readHTTPServer reads a server block of http (nginx: ngx_http_core_server).
func readHTTPServer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	h := c.http
	s := h.serverSlab.New()
	s.root.block = block{context: directive.HTTPServer, up: b, d: d, server: s, location: &s.root}
	s.names = h.names
	h.servers = slab.Append(h.servers, s)
	c.within(&s.root.block)
	h.names = s.names[len(s.names):]
	s.names = slices.Clip(s.names)
	if !s.listens {
		c.listenByDefault(s)
	}
}

// readBlock reads a block that is nothing but a context.
func readBlock(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.inside(b, d, f.Inside(b.context))
}
