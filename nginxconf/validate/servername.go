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
	seen := make(map[string]struct{}, len(at.servers)*2)
	// add tells whether a key is new.
	add := func(key string) bool {
		n := len(seen)
		seen[key] = struct{}{}
		return len(seen) > n
	}
	for _, s := range at.servers {
		if s.names.from == s.names.to && !add("") {
			c.warn(s.block.d, 0, "conflicting-server-name", `conflicting server name "" on %s, ignored`, at.Socket)
		}
		for _, n := range h.names[s.names.from:s.names.to] {
			name := n.d.Arg(n.word - 1)
			if name != "" && (name[0] == '~' || name[0] == '$' && strings.EqualFold(cstring(name), "$hostname")) {
				continue // what the machine is called is not known here
			}
			name = strings.ToLower(name)
			if !usableName(name) {
				c.fail(n.d, n.word, "invalid-server-name", `invalid server name or wildcard "%s" on %s`, name, at.Socket)
				return
			}
			isNew := true
			if len(name) > 1 && name[0] == '.' { // the name itself, and "*" before it
				isNew = add(name[1:]) && add("*"+name)
			} else {
				isNew = add(name)
			}
			if !isNew {
				c.warn(n.d, n.word, "conflicting-server-name", `conflicting server name "%s" on %s, ignored`, name, at.Socket)
			}
		}
	}
}

// usableName tells whether nginx can use the wildcard in a name, if there is
// one (nginx: ngx_hash_add_key).
func usableName(name string) bool {
	stars := 0
	for i := range len(name) {
		switch name[i] {
		case '*':
			if stars++; stars > 1 {
				return false
			}
		case '.':
			if i+1 < len(name) && name[i+1] == '.' {
				return false
			}
		case 0:
			return false
		}
	}
	return stars == 0 || len(name) > 2 && (strings.HasPrefix(name, "*.") || strings.HasSuffix(name, ".*")) || len(name) > 1 && name[0] == '.'
}
