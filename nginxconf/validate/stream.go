package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// streamMain is what nginx keeps of the stream block.
type streamMain struct {
	block     *block
	variables variables
	servers   []*streamServer
	upstreams streamUpstreams
	listens   streamSockets
	common    common
	ssl       *sslConf
	tls       *backendTLS
}

// A streamServer is a server block of stream.
type streamServer struct {
	block    *block
	listens  bool                 // it has a listen directive
	handler  bool                 // it has proxy_pass, return or pass
	secure   *nginxconf.Directive // its last listen with ssl
	ssl      *sslConf
	tls      *backendTLS
	names    []serverName
	captures bool
}

// streamVirtual tells whether stream has server names, and so one socket several
// servers.
func (c *checker) streamVirtual() bool { return c.since(1, 25, 5) }

// streamReader knows the modules of stream.
func streamReader(f *directive.Form) reader {
	switch f.Module {
	case "ngx_stream_core_module":
		switch f.Name {
		case "server":
			return readStreamServer
		case "listen":
			return readStreamListen
		case "error_log":
			return readErrorLog
		case "resolver":
			return readStreamResolver
		case "server_name":
			return readStreamServerName
		case "variables_hash_max_size", "variables_hash_bucket_size", "server_names_hash_max_size", "server_names_hash_bucket_size":
			return coreHashReader(f)
		}
	case "ngx_stream_proxy_module":
		return streamProxyReader(f)
	case "ngx_stream_upstream_module", "ngx_stream_upstream_hash_module", "ngx_stream_upstream_least_conn_module",
		"ngx_stream_upstream_least_time_module", "ngx_stream_upstream_random_module", "ngx_stream_upstream_zone_module":
		return streamUpstreamReader(f)
	case "ngx_stream_ssl_module":
		return streamSSLReader(f)
	case "ngx_stream_return_module":
		return readStreamReturn
	case "ngx_stream_pass_module":
		return readStreamPass
	case "ngx_stream_set_module":
		return readSet
	case "ngx_stream_log_module":
		return logReader(f)
	case "ngx_stream_limit_conn_module":
		return limitReader(f)
	case "ngx_stream_map_module", "ngx_stream_split_clients_module":
		return mapReader(f)
	case "ngx_stream_geo_module":
		return readGeo
	case "ngx_stream_access_module":
		return readAccess
	case "ngx_stream_realip_module":
		return readRealIPFrom
	case "ngx_stream_geoip_module":
		return readGeoIP
	}
	if r := addonReader(f); r != nil {
		return r
	}
	return nil
}

// readStream reads the stream block (nginx: ngx_stream_block).
func readStream(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.stream != nil {
		c.refuse(d, "is duplicate")
		return
	}
	c.modules = true
	s := c.newStream(b, d)
	c.within(s.block)
	c.finishStream(s)
}

func (c *checker) newStream(b *block, d *nginxconf.Directive) *streamMain {
	c.stream = &streamMain{
		variables: newVariables(c, directive.Stream),
		block:     &block{context: directive.Stream, up: b, d: d},
	}
	return c.stream
}

// finishStream is what nginx does at the end of the stream block: each module in
// turn, in the order of ngx_modules[], goes over all servers; then the
// postconfiguration functions, the variables, and at last the server names.
func (c *checker) finishStream(s *streamMain) {
	if !c.since(1, 27, 1) {
		for _, srv := range s.servers {
			if !srv.handler {
				c.fail(srv.block.d, 0, "missing-handler", "no handler for server")
			}
		}
	}
	for _, srv := range s.servers {
		c.finishProxySSL(s, srv)
	}
	c.finishStreamUpstreams(s)
	for _, srv := range s.servers {
		srv.ssl = c.serverSSL(srv.ssl, s.ssl)
		switch {
		case c.streamVirtual():
			c.finishStreamSSL(s, srv.ssl)
		case srv.secure != nil:
			c.finishSSL(srv.ssl, srv.secure, "listen ... ssl", s.block, &s.variables)
		}
	}
	if c.streamVirtual() {
		c.finishSecureStreams(s)
	}
	s.variables.finish()
	if c.streamVirtual() {
		c.finishStreamServerNames(s)
	}
	c.listening += s.listens.count()
}

// readStreamServer reads a server block of stream (nginx:
// ngx_stream_core_server).
func readStreamServer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	srv := &streamServer{block: &block{context: directive.StreamServer, up: b, d: d}}
	c.stream.servers = append(c.stream.servers, srv)
	c.within(srv.block)
	if !srv.listens {
		c.fail(d, 0, "missing-listen", `no "listen" is defined for server`)
	}
}

// server returns the server block of stream that is being read; that of a
// fragment is made up.
func (s *streamMain) server() *streamServer {
	if len(s.servers) == 0 {
		s.servers = append(s.servers, &streamServer{block: s.block})
	}
	return s.servers[len(s.servers)-1]
}

func readStreamResolver(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) {
		b.keep("resolver", d)
		c.resolver(d)
	}
}
