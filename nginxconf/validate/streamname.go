package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
)

// readStreamServerName reads server_name of stream (nginx 1.25.5:
// ngx_stream_core_server_name).
func readStreamServerName(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	srv := c.stream.server()
	for i := range d.NumArgs() {
		v := d.Arg(i)
		if v != "" && (v[0] == '*' && (len(v) < 3 || v[1] != '.') || v[0] == '.' && len(v) < 2) {
			c.fail(d, i+1, "invalid-server-name", `server name "%s" is invalid`, v)
			return
		}
		if strings.IndexByte(cstring(v), '/') >= 0 {
			c.warn(d, i+1, "suspicious-server-name", `server name "%s" has suspicious symbols`, v)
		}
		srv.names = append(srv.names, serverName{d, i + 1})
		if v == "" || v[0] != '~' {
			continue
		}
		if len(v) == 1 {
			c.fail(d, i+1, "invalid-server-name", `empty regex in server name "%s"`, v)
			return
		}
		pattern := v[1:]
		caseless := strings.ContainsFunc(pattern, func(r rune) bool { return 'A' <= r && r <= 'Z' })
		if !c.regex(&c.stream.variables, d, i+1, pattern, caseless) {
			return
		}
		info, _ := pcre.Check(pattern, caseless)
		srv.captures = info.Captures > 0
	}
}

// finishStreamServerNames compares the names of the servers of each socket
// (nginx 1.25.5: ngx_stream_server_names).
func (c *checker) finishStreamServerNames(s *streamMain) {
	for _, at := range s.listens.list {
		if len(at.servers) > 1 || at.defaultServer != nil && at.defaultServer.captures {
			at.compareNames(c)
		}
	}
}

func (s *streamSocket) compareNames(c *checker) {
	seen := make(map[string]bool, len(s.servers)*2)
	for _, srv := range s.servers {
		if len(srv.names) == 0 {
			if seen[""] {
				c.warn(srv.block.d, 0, "conflicting-server-name", `conflicting server name "" on %s, ignored`, s.Socket)
			}
			seen[""] = true
			continue
		}
		for _, n := range srv.names {
			name := n.d.Arg(n.word - 1)
			if strings.HasPrefix(name, "~") || strings.EqualFold(cstring(name), "$hostname") {
				continue // $hostname is the machine's name, unknown here
			}
			name = strings.ToLower(name)
			key, ok := nameKey(name)
			if !ok {
				c.fail(n.d, n.word, "invalid-server-name", `invalid server name or wildcard "%s" on %s`, name, s.Socket)
				return
			}
			if seen[key] {
				c.warn(n.d, n.word, "conflicting-server-name", `conflicting server name "%s" on %s, ignored`, name, s.Socket)
			}
			seen[key] = true
		}
	}
}
