package validate

import (
	"hash/maphash"
	"math/bits"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A serverName is an argument of server_name.
type serverName struct {
	d    *nginxconf.Directive
	word int
}

// readServerName reads server_name of http (nginx: ngx_http_core_server_name).
func readServerName(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if captures, regex := c.serverNames(d, &c.http.names, &c.http.variables); regex {
		b.server.captures = captures
	}
}

// serverNames reads the arguments of server_name, of http or stream, into a
// list. It tells whether the last regular expression among them has groups, and
// whether there is one.
func (c *checker) serverNames(d *nginxconf.Directive, names *[]serverName, v *variables) (captures, regex bool) {
	for i := range d.NumArgs() {
		name := d.Arg(i)
		if name != "" && (name[0] == '*' && (len(name) < 3 || name[1] != '.') || name[0] == '.' && len(name) < 2) {
			c.fail(d, i+1, "invalid-server-name", `server name "%s" is invalid`, name)
			return captures, regex
		}
		if strings.IndexByte(name, '/') >= 0 && strings.IndexByte(cstring(name), '/') >= 0 {
			c.warn(d, i+1, "suspicious-server-name", `server name "%s" has suspicious symbols`, name)
		}
		*names = append(*names, serverName{d, i + 1})
		if name == "" || name[0] != '~' {
			continue
		}
		if len(name) == 1 {
			c.fail(d, i+1, "invalid-server-name", `empty regex in server name "%s"`, name)
			return captures, regex
		}
		pattern := name[1:]
		caseless := strings.ContainsFunc(pattern, func(r rune) bool { return 'A' <= r && r <= 'Z' })
		if !c.regex(v, d, i+1, pattern, caseless) {
			return captures, regex
		}
		info, _ := pcre.Check(pattern, caseless)
		captures, regex = info.Captures > 0, true
	}
	return captures, regex
}

// finishServerNames compares the names of the servers of each socket (nginx:
// ngx_http_server_names).
func (c *checker) finishServerNames(h *httpMain) {
	for _, at := range h.sockets.list {
		if len(at.servers) < 2 && !at.servers[0].captures {
			continue
		}
		set := newNameSet(c, at.Socket, len(at.servers))
		ok := true
		for _, s := range at.servers {
			if ok = set.add(s.block.d, h.names[s.names.from:s.names.to]); !ok {
				break
			}
		}
		if ok {
			set.hashed.build(c, h.block.d, h.common.names)
		}
	}
}

// A nameSet is the names of the servers of one socket: an open hash table of
// numbers, which on ten thousands of names takes a quarter of the time of a map
// of strings.
type nameSet struct {
	c     *checker
	at    value.Socket
	seed  maphash.Seed
	names []string
	table []nameSlot // a power of two; at most half full

	hashed namesHashed
}

// A nameSlot is the number of a name, from 1, and a part of its hash.
type nameSlot struct{ hash, number uint32 }

func newNameSet(c *checker, at value.Socket, servers int) *nameSet {
	size := 1 << bits.Len(uint(servers)*2)
	return &nameSet{c: c, at: at, seed: maphash.MakeSeed(), names: make([]string, 0, size/2), table: make([]nameSlot, size)}
}

// put tells whether a key is new.
func (s *nameSet) put(key string) bool {
	if 2*len(s.names) >= len(s.table) {
		old, hashed := s.names, s.hashed
		*s = *newNameSet(s.c, s.at, len(s.table))
		s.hashed = hashed
		for _, name := range old {
			s.put(name)
		}
	}
	hash := maphash.String(s.seed, key)
	mask := uint64(len(s.table) - 1)
	i := hash & mask
	for ; s.table[i].number != 0; i = (i + 1) & mask {
		if e := s.table[i]; e.hash == uint32(hash>>32) && s.names[e.number-1] == key {
			return false
		}
	}
	s.names = append(s.names, key)
	s.table[i] = nameSlot{uint32(hash >> 32), uint32(len(s.names))}
	return true
}

// add adds the names of a server block and reports those that are there. It
// returns false if there is one that nginx cannot use, and stops at.
func (s *nameSet) add(server *nginxconf.Directive, names []serverName) bool {
	if len(names) == 0 && s.put("") {
		s.hashed.add("")
	} else if len(names) == 0 {
		s.c.warn(server, 0, "conflicting-server-name", `conflicting server name "" on %s, ignored`, s.at)
	}
	for _, n := range names {
		name := n.d.Arg(n.word - 1)
		if name != "" && (name[0] == '~' || name[0] == '$' && strings.EqualFold(cstring(name), "$hostname")) {
			continue // what the machine is called is not known here
		}
		name = strings.ToLower(name)
		if !usableName(name) {
			s.c.fail(n.d, n.word, "invalid-server-name", `invalid server name or wildcard "%s" on %s`, name, s.at)
			return false
		}
		isNew := true
		if len(name) > 1 && name[0] == '.' { // the name itself, and "*" before it
			isNew = s.put(name[1:]) && s.put("*"+name)
		} else {
			isNew = s.put(name)
		}
		if isNew {
			s.hashed.add(name)
		} else {
			s.c.warn(n.d, n.word, "conflicting-server-name", `conflicting server name "%s" on %s, ignored`, name, s.at)
		}
	}
	return true
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
