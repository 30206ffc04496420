package validate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// charsets are what ngx_http_charset_filter_module keeps.
type charsets struct {
	names  []string       // as first written
	index  map[string]int // into names, by name in lower case
	tables [][2]int       // of charset_map
	uses   []charsetUse
	source bool // there is a source_charset
}

// A charsetUse is a charset or source_charset directive.
type charsetUse struct {
	b      *block
	d      *nginxconf.Directive
	source bool
	name   int // in charsets.names, or one of the constants
}

const (
	charsetOff      = -1
	charsetVariable = -2
)

// add returns the number of a charset.
func (s *charsets) add(name string) int {
	key := lower(cset(name))
	i, ok := s.index[key]
	if !ok {
		if s.index == nil {
			s.index = map[string]int{}
		}
		i = len(s.names)
		s.names = append(s.names, name)
		s.index[key] = i
	}
	return i
}

// readCharset reads charset and source_charset (nginx 1.22:
// ngx_http_set_charset_slot).
func readCharset(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	s := &c.http.charsets
	name := d.Arg(0)
	use := charsetUse{b: b, d: d, source: f.Name == "source_charset"}
	switch {
	case !use.source && cstring(name) == "off":
		use.name = charsetOff
	case strings.HasPrefix(name, "$"):
		use.name = charsetVariable
		if !c.http.variables.use(d, 1, name[1:]) {
			return
		}
	default:
		use.name = s.add(name)
	}
	s.source = s.source || use.source
	s.uses = append(s.uses, use)
}

// A charsetMap is a charset_map block being read.
type charsetMap struct {
	c    *checker
	utf8 bool
	to   [256]string // of utf8: what was mapped so far
}

// readCharsetMap reads a charset_map block (nginx 1.22:
// ngx_http_charset_map_block).
func readCharsetMap(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	s := &c.http.charsets
	from, to := d.Arg(0), d.Arg(1)
	table := [2]int{s.add(from), s.add(to)}
	m := charsetMap{c: c, utf8: strings.EqualFold(cstring(to), "utf-8")}
	switch {
	case table[0] == table[1]:
		c.fail(d, 2, "invalid-charset-map", `"charset_map" between the same charsets "%s" and "%s"`, from, to)
	case len(s.tables) > 0 && (table == s.tables[0] || table == [2]int{s.tables[0][1], s.tables[0][0]}):
		// nginx compares with the first one only.
		c.fail(d, 2, "duplicate-charset-map", `duplicate "charset_map" between "%s" and "%s"`, from, to)
	case c.since(1, 31, 3) && strings.EqualFold(cstring(from), "utf-8"):
		c.fail(d, 1, "invalid-charset-map", `"charset_map" with "utf-8" charset should be given in the second column`)
	default:
		s.tables = append(s.tables, table)
	}
	c.words(d, m.read)
}

// read reads an entry (nginx 1.22: ngx_http_charset_map).
func (m *charsetMap) read(e *nginxconf.Directive) {
	if e.NumArgs() != 1 {
		m.c.fail(e, 0, "wrong-arguments", "invalid parameters number")
		return
	}
	from, ok := hexByte(e.Name())
	if !ok {
		m.c.fail(e, 0, "invalid-value", `invalid value "%s"`, e.Name())
		return
	}
	text := e.Arg(0)
	if !m.utf8 {
		_, ok = hexByte(text)
	} else {
		ok = m.toUTF8(from, text)
	}
	if !ok {
		m.c.fail(e, 1, "invalid-value", `invalid value "%s"`, text)
	}
}

// hexByte reads a hexadecimal number up to 255 (nginx: ngx_hextoi).
func hexByte(s string) (n byte, ok bool) {
	for i := range len(s) {
		k := hexDigit(s[i])
		if k < 0 || n > 15 {
			return 0, false
		}
		n = n<<4 | byte(k)
	}
	return n, s != ""
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// maxUTF8 is how many bytes nginx keeps for a character (NGX_UTF_LEN - 1).
const maxUTF8 = 3

// toUTF8 reads the bytes that from is mapped to. They must start with a
// character of two or three bytes.
func (m *charsetMap) toUTF8(from byte, text string) bool {
	if len(text)/2 > maxUTF8 && m.c.since(1, 27, 5) {
		return false
	}
	var bytes [maxUTF8 + 1]byte // nginx looks at no more
	for i := 0; i < len(text); i += 2 {
		if i+1 == len(text) {
			return false
		}
		k, ok := hexByte(text[i : i+2])
		if !ok {
			return false
		}
		if i/2 < len(bytes) {
			bytes[i/2] = k
		}
	}
	n := min(len(text)/2, len(bytes))
	if n > 0 {
		m.to[from] = string(bytes[:n])
	}
	// Without a byte, nginx looks at what is there.
	return utf8Start(m.to[from])
}

// utf8Start tells whether s starts with a character of two or three bytes, as
// ngx_utf8_decode reads it: a byte that continues one is any from 0x80 on.
func utf8Start(s string) bool {
	switch {
	case len(s) < 2 || s[0] < 0xc2 || s[0] >= 0xf0 || s[1] < 0x80:
		return false
	case s[0] < 0xe0:
		return true
	}
	return len(s) > 2 && s[2] >= 0x80 && (s[0] > 0xe0 || s[1]&0x3f >= 0x20)
}

// finishCharsets reports conversions without a charset_map (nginx 1.22:
// ngx_http_charset_postconfiguration). They are made where the settings of a
// server or location meet those around it.
func (c *checker) finishCharsets(h *httpMain) {
	s := &h.charsets
	if !s.source {
		return
	}
	type setting struct{ charset, source *charsetUse }
	set := map[*block]setting{}
	var blocks []*block
	for i := range s.uses {
		u := &s.uses[i]
		at, known := set[u.b]
		if u.source {
			at.source = u
		} else {
			at.charset = u
		}
		set[u.b] = at
		if !known && u.b != h.block {
			blocks = append(blocks, u.b)
		}
	}
	for _, server := range h.servers {
		blocks = append(blocks, &server.root.block)
	}
	slices.SortFunc(blocks, func(a, b *block) int { return cmp.Compare(a.order, b.order) })

	mapped := map[[2]int]bool{}
	for _, t := range s.tables {
		mapped[t] = true
		mapped[[2]int{t[1], t[0]}] = true
	}
	for _, b := range slices.Compact(blocks) {
		var charset, source *charsetUse
		for ; b != nil && b.context != directive.Main; b = b.up {
			charset = cmp.Or(charset, set[b].charset)
			source = cmp.Or(source, set[b].source)
		}
		if charset == nil || source == nil || charset.name < 0 || source.name < 0 || charset.name == source.name {
			continue
		}
		if pair := [2]int{source.name, charset.name}; !mapped[pair] {
			mapped[pair] = true
			c.fail(source.d, 1, "missing-charset-map", `no "charset_map" between the charsets "%s" and "%s"`, s.names[source.name], s.names[charset.name])
		}
	}
}
