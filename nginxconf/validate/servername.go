package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
)

// A serverName is an argument of server_name.
type serverName struct {
	d    *nginxconf.Directive
	word int
}

// readServerName reads server_name of http (nginx: ngx_http_core_server_name).
func readServerName(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for i := range d.NumArgs() {
		v := d.Arg(i)
		if v != "" && (v[0] == '*' && (len(v) < 3 || v[1] != '.') || v[0] == '.' && len(v) < 2) {
			c.fail(d, i+1, "invalid-server-name", `server name "%s" is invalid`, v)
			return
		}
		if strings.IndexByte(v, '/') >= 0 && strings.IndexByte(cstring(v), '/') >= 0 {
			c.warn(d, i+1, "suspicious-server-name", `server name "%s" has suspicious symbols`, v)
		}
		c.http.names = append(c.http.names, serverName{d, i + 1})
		if v == "" || v[0] != '~' {
			continue
		}
		if len(v) == 1 {
			c.fail(d, i+1, "invalid-server-name", `empty regex in server name "%s"`, v)
			return
		}
		pattern := v[1:]
		caseless := strings.ContainsFunc(pattern, func(r rune) bool { return 'A' <= r && r <= 'Z' })
		if !c.regex(&c.http.variables, d, i+1, pattern, caseless) {
			return
		}
		info, _ := pcre.Check(pattern, caseless)
		b.server.captures = info.Captures > 0
	}
}

// finishServerNames compares the names of the servers of each socket (nginx:
// ngx_http_server_names).
func (c *checker) finishServerNames(h *httpMain) {
	for _, at := range h.sockets.list {
		if len(at.servers) < 2 && !at.servers[0].captures {
			continue
		}
		at.names(c, h)
	}
}

func (at *socket) names(c *checker, h *httpMain) {
	seen := make(map[string]bool, len(at.servers)*2)
	for _, s := range at.servers {
		if s.names.from == s.names.to {
			if seen[""] {
				c.warn(s.block.d, 0, "conflicting-server-name", `conflicting server name "" on %s, ignored`, at.Socket)
			}
			seen[""] = true
			continue
		}
		for _, n := range h.names[s.names.from:s.names.to] {
			name := n.d.Arg(n.word - 1)
			if strings.HasPrefix(name, "~") {
				continue
			}
			if strings.EqualFold(cstring(name), "$hostname") {
				continue // the machine's, unknown here
			}
			name = strings.ToLower(name)
			key, ok := nameKey(name)
			if !ok {
				c.fail(n.d, n.word, "invalid-server-name", `invalid server name or wildcard "%s" on %s`, name, at.Socket)
				return
			}
			if seen[key] {
				c.warn(n.d, n.word, "conflicting-server-name", `conflicting server name "%s" on %s, ignored`, name, at.Socket)
			}
			seen[key] = true
		}
	}
}

// nameKey returns what names are compared by; ok is false if nginx cannot use
// the wildcard (nginx: ngx_hash_add_key).
func nameKey(name string) (key string, ok bool) {
	stars := 0
	for i := range len(name) {
		switch name[i] {
		case '*':
			if stars++; stars > 1 {
				return "", false
			}
		case '.':
			if i+1 < len(name) && name[i+1] == '.' {
				return "", false
			}
		case 0:
			return "", false
		}
	}
	wild := len(name) > 1 && name[0] == '.' ||
		len(name) > 2 && (strings.HasPrefix(name, "*.") || strings.HasSuffix(name, ".*"))
	if stars > 0 && !wild {
		return "", false
	}
	return name, true
}
