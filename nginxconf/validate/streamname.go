package validate

import "github.com/onehost-go/onehost/nginxconf"

// readStreamServerName reads server_name of stream (nginx 1.25.5:
// ngx_stream_core_server_name).
func readStreamServerName(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	srv := c.stream.server()
	if captures, regex := c.serverNames(d, &srv.names, &c.stream.variables); regex {
		srv.captures = captures
	}
}

// finishStreamServerNames compares the names of the servers of each socket
// (nginx 1.25.5: ngx_stream_server_names).
func (c *checker) finishStreamServerNames(s *streamMain) {
	for _, at := range s.listens.list {
		if len(at.servers) < 2 && (at.defaultServer == nil || !at.defaultServer.captures) {
			continue
		}
		set := newNameSet(c, at.Socket, len(at.servers), s.common.names)
		ok := true
		for _, srv := range at.servers {
			if ok = set.add(srv.block.d, srv.names); !ok {
				break
			}
		}
		if ok {
			set.hashed.build(c, s.block.d)
		}
	}
}
