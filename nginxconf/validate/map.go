package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// mapReader knows the modules of map and split_clients, of http and stream.
func mapReader(f *directive.Form) reader {
	switch f.Name {
	case "map":
		return readMap
	case "split_clients":
		return readSplitClients
	case "map_hash_max_size", "map_hash_bucket_size":
		return readMapHash
	}
	return nil
}

func readMapHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.numberOnce(d, c.common(b).maps.of(f))
}

// A mapBlock is a map block being read.
type mapBlock struct {
	entries
	keys                  hashKeys
	hostnames, hasDefault bool
}

// readMap reads a map block (nginx 1.22: ngx_http_map_block,
// ngx_stream_map_block).
func readMap(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	sizes := &c.common(b).maps // the first block sets what is not set by now
	if sizes.max == 0 {
		sizes.max = 2048 + 1
	}
	if sizes.bucket == 0 {
		sizes.bucket = cacheLine + 1
	}
	m := mapBlock{entries: entries{c: c, v: c.variables(b), d: d}}
	if m.v.text(d, 1) {
		m.v.dollarDefine(d, 2)
	}
	c.words(d, m.read)
	maxSize, bucketSize := sizes.or(0, 0)
	c.hashOf(d, "map_hash", &m.keys, maxSize, bucketSize)
}

// read reads an entry (nginx 1.22: ngx_http_map).
func (m *mapBlock) read(e *nginxconf.Directive) {
	key := e.Name()
	switch n := e.NumArgs(); {
	case n == 0 && cstring(key) == "hostnames":
		m.hostnames = true
		return
	case n == 0 && cstring(key) == "volatile":
		return
	case n != 1:
		m.c.fail(e, 0, "wrong-arguments", "invalid number of the map parameters")
		return
	}
	if m.included(e) {
		return
	}
	if v := e.Arg(0); strings.IndexByte(v, '$') >= 0 {
		at, word := m.place(e, 1)
		if _, ok := m.v.script(at, word, v); !ok {
			return
		}
	}
	switch {
	case cstring(key) == "default":
		if m.hasDefault {
			m.c.fail(e, 0, "duplicate-default", "duplicate default map parameter")
		}
		m.hasDefault = true
		return
	case key != "" && key[0] == '~':
		pattern, caseless := strings.CutPrefix(key[1:], "*")
		at, word := m.place(e, 0)
		m.c.regex(m.v, at, word, pattern, caseless)
		return
	}
	switch name, result := m.keys.add(strings.TrimPrefix(key, `\`), m.hostnames); result {
	case hashInvalid:
		m.c.fail(e, 0, "invalid-host-name", `invalid hostname or wildcard "%s"`, name)
	case hashConflict:
		m.c.fail(e, 0, "conflicting-parameter", `conflicting parameter "%s"`, name)
	}
}

// readSplitClients reads a split_clients block (nginx 1.22:
// ngx_conf_split_clients_block, ngx_stream_split_clients_block).
func readSplitClients(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if v := c.variables(b); v.text(d, 1) {
		v.dollarDefine(d, 2)
	}
	const whole = 100_00 // 100 %
	sum, over := uint32(0), false
	c.words(d, func(e *nginxconf.Directive) {
		share := e.Name()
		if share == "*" {
			sum = whole
			return
		}
		text, percent := strings.CutSuffix(share, "%")
		n, ok := fixed(text, 2)
		if !percent || !ok || n == 0 {
			c.fail(e, 0, "invalid-percent", `invalid percent value "%s"`, share)
			return
		}
		if sum += uint32(n); uint32(n) == 0 {
			sum = whole
		}
		over = over || sum > whole
	})
	if over {
		c.failAtEnd(d, "invalid-percent", "percent total is greater than 100%%")
	}
}

// fixed reads a number with up to that many digits behind a point, and returns
// it times ten to the power of them (nginx: ngx_atofp).
func fixed(s string, digits int) (n int64, ok bool) {
	const limit = 1<<63 - 1
	dot := false
	for i := range len(s) {
		k := int64(s[i]) - '0'
		switch {
		case digits == 0:
			return 0, false
		case s[i] == '.' && !dot:
			dot = true
			continue
		case k < 0 || k > 9 || n > (limit-k)/10:
			return 0, false
		}
		n = n*10 + k
		if dot {
			digits--
		}
	}
	for range digits {
		if n > limit/10 {
			return 0, false
		}
		n *= 10
	}
	return n, s != ""
}
