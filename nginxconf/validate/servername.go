package validate

import (
	"hash/maphash"
	"math/bits"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A serverName is an argument of server_name. What is needed of it at the end of
// the block is noted when it is read: to look at ten thousands of names again
// would take longer than all else.
type serverName struct {
	d    *nginxconf.Directive
	name string // in lower case; empty with special
	hash uint32 // of name
	word int32
	kind serverNameKind
}

// roomForNames is how many names an array is made for.
const roomForNames = 64

type serverNameKind uint8

const (
	plainName    serverNameKind = iota
	wildcardName                // "*.example.com", ".example.com" or "www.example.*"
	unusableName                // with a wildcard that nginx cannot use
	specialName                 // a regular expression, or $hostname: what the machine is called is not known here
)

func (c *checker) hashName(name string) uint32 { return uint32(maphash.String(c.seed, name)) }

// nameBytes are the bytes of a server's name that call for a closer look.
type nameBytes uint8

const (
	upperByte nameBytes = 1 << iota
	slashByte
	starByte
	nulByte
)

var nameByte = func() (of [256]nameBytes) {
	for b := 'A'; b <= 'Z'; b++ {
		of[b] = upperByte
	}
	of['/'], of['*'], of[0] = slashByte, starByte, nulByte
	return of
}()

// bytesOf returns what of these a name has. Eight bytes are looked at together:
// of lower-case letters, digits, "-" and ".", all have the bit 0x20.
func bytesOf(name string) (seen nameBytes) {
	const each = 0x0101010101010101
	for ; len(name) >= 8; name = name[8:] {
		x := uint64(name[0]) | uint64(name[1])<<8 | uint64(name[2])<<16 | uint64(name[3])<<24 |
			uint64(name[4])<<32 | uint64(name[5])<<40 | uint64(name[6])<<48 | uint64(name[7])<<56
		slash, star := x^'/'*each, x^'*'*each
		if ^x&(0x20*each) != 0 || ((slash-each)&^slash|(star-each)&^star)&(0x80*each) != 0 {
			for i := range 8 {
				seen |= nameByte[name[i]]
			}
		}
	}
	for i := range len(name) {
		seen |= nameByte[name[i]]
	}
	return seen
}

// serverName reads a name, in which seen are.
func (c *checker) serverName(d *nginxconf.Directive, word int, name string, seen nameBytes) serverName {
	if name != "" && (name[0] == '~' || name[0] == '$' && strings.EqualFold(cstring(name), "$hostname")) {
		return serverName{d: d, word: int32(word), kind: specialName}
	}
	n := serverName{d: d, word: int32(word), name: name}
	if seen&upperByte != 0 {
		n.name = strings.ToLower(name)
	}
	n.hash = c.hashName(n.name)
	switch {
	case !usableName(name, seen):
		n.kind = unusableName
	case seen&starByte != 0 || name != "" && name[0] == '.':
		n.kind = wildcardName
	}
	return n
}

// readServerName reads server_name of http (nginx: ngx_http_core_server_name).
func readServerName(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if captures, regex := c.serverNames(d, &b.server.names, &c.http.variables); regex {
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
		seen := bytesOf(name)
		if seen&slashByte != 0 && strings.IndexByte(cstring(name), '/') >= 0 {
			c.warn(d, i+1, "suspicious-server-name", `server name "%s" has suspicious symbols`, name)
		}
		if len(*names) == cap(*names) { // the names of many servers share one array
			*names = append(make([]serverName, 0, 2*len(*names)+roomForNames), *names...)
		}
		*names = append(*names, c.serverName(d, i+1, name, seen))
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
		set := newNameSet(c, at.Socket, len(at.servers), h.common.names)
		ok := true
		for _, s := range at.servers {
			if ok = set.add(s.root.block.d, s.names); !ok {
				break
			}
		}
		if ok {
			set.hashed.build(c, h.block.d)
		}
	}
}

// A nameSet is the names of the servers of one socket: an open hash table of
// numbers, which on ten thousands of names takes a quarter of the time of a map
// of strings.
type nameSet struct {
	c     *checker
	at    value.Socket
	names []*serverName
	table []nameSlot // a power of two; at most half full

	hashed namesHashed
}

// A nameSlot is the number of a name, from 1, and its hash.
type nameSlot struct{ hash, number uint32 }

func newNameSet(c *checker, at value.Socket, servers int, sizes hashSizes) *nameSet {
	s := &nameSet{c: c, at: at, hashed: newNamesHashed(sizes)}
	s.grow(1 << bits.Len(uint(servers)*2))
	return s
}

// grow makes a table of that size.
func (s *nameSet) grow(size int) {
	names := s.names
	s.names = append(make([]*serverName, 0, size/2), names...)
	s.table = make([]nameSlot, size)
	for i, n := range names {
		s.table[s.find(n)] = nameSlot{n.hash, uint32(i + 1)}
	}
}

// find returns where a name is in the table, or where it may be put.
func (s *nameSet) find(n *serverName) uint32 {
	mask := uint32(len(s.table) - 1)
	i := n.hash & mask
	for ; s.table[i].number != 0; i = (i + 1) & mask {
		if e := s.table[i]; e.hash == n.hash && s.names[e.number-1].name == n.name {
			break
		}
	}
	return i
}

// put tells whether a name is new.
func (s *nameSet) put(n *serverName) bool {
	if 2*len(s.names) >= len(s.table) {
		s.grow(2 * len(s.table))
	}
	at := &s.table[s.find(n)]
	if at.number != 0 {
		return false
	}
	s.names = append(s.names, n)
	*at = nameSlot{n.hash, uint32(len(s.names))}
	return true
}

// putString is put for what is no name as written.
func (s *nameSet) putString(name string) bool {
	return s.put(&serverName{name: name, hash: s.c.hashName(name)})
}

// add adds the names of a server block and reports those that are there. It
// returns false if there is one that nginx cannot use, and stops at.
func (s *nameSet) add(server *nginxconf.Directive, names []serverName) bool {
	if len(names) == 0 && s.putString("") {
		s.hashed.add("", plainName)
	} else if len(names) == 0 {
		s.c.warn(server, 0, "conflicting-server-name", `conflicting server name "" on %s, ignored`, s.at)
	}
	for i := range names {
		n := &names[i]
		switch n.kind {
		case specialName:
			continue
		case unusableName:
			s.c.fail(n.d, int(n.word), "invalid-server-name", `invalid server name or wildcard "%s" on %s`, n.name, s.at)
			return false
		}
		isNew := true
		if len(n.name) > 1 && n.name[0] == '.' { // the name itself, and "*" before it
			isNew = s.putString(n.name[1:]) && s.putString("*"+n.name)
		} else {
			isNew = s.put(n)
		}
		if isNew {
			s.hashed.add(n.name, n.kind)
		} else {
			s.c.warn(n.d, int(n.word), "conflicting-server-name", `conflicting server name "%s" on %s, ignored`, n.name, s.at)
		}
	}
	return true
}

// usableName tells whether nginx can use the wildcard in a name, if there is one
// (nginx: ngx_hash_add_key).
func usableName(name string, seen nameBytes) bool {
	switch {
	case seen&nulByte != 0, strings.Contains(name, ".."), seen&starByte != 0 && strings.Count(name, "*") > 1:
		return false
	case seen&starByte == 0, name[0] == '.':
		return true
	}
	return len(name) > 2 && (strings.HasPrefix(name, "*.") || strings.HasSuffix(name, ".*"))
}
