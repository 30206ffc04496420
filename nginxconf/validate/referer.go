package validate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
)

// referers are the valid_referers directives of a block.
type referers struct {
	b           *block
	d           *nginxconf.Directive // the last one
	keys        hashKeys
	none        bool // also "blocked"
	serverNames bool
	sizes       hashSizes
}

// refererReader knows ngx_http_referer_module.
func refererReader(f *directive.Form) reader {
	switch f.Name {
	case "valid_referers":
		return readValidReferers
	case "referer_hash_max_size", "referer_hash_bucket_size":
		return readRefererHash
	}
	return nil
}

// refererOf returns those of a block.
func (h *httpMain) refererOf(b *block) *referers {
	r := h.referers[b]
	if r == nil {
		if h.referers == nil {
			h.referers = map[*block]*referers{}
		}
		r = &referers{b: b}
		h.referers[b] = r
	}
	return r
}

func readRefererHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.numberOnce(d, c.http.refererOf(b).sizes.of(f))
}

// readValidReferers reads valid_referers (nginx 1.22: ngx_http_valid_referers).
func readValidReferers(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	r := c.http.refererOf(b)
	r.d = d
	for i := range d.NumArgs() {
		v := d.Arg(i)
		if v == "" {
			c.fail(d, i+1, "invalid-referer", `invalid referer "%s"`, v)
			return
		}
		switch cstring(v) {
		case "none", "blocked":
			r.none = true
			continue
		case "server_names":
			r.serverNames = true
			continue
		case "~":
			if len(v) == 1 {
				c.fail(d, i+1, "invalid-regex", `empty regex in "%s"`, v)
				return
			}
		}
		if v[0] == '~' {
			if _, err := pcre.Check(v[1:], true); err != nil {
				c.fail(d, i+1, "invalid-regex", "%s", err.Nginx(v[1:]))
				return
			}
			continue
		}
		name := v
		if slash := strings.IndexByte(cstring(v), '/'); slash >= 0 {
			name = v[:slash]
		}
		if text := r.add(name); text != "" {
			c.fail(d, i+1, "invalid-referer", "%s", text)
			return
		}
	}
}

// add adds a name, and returns what is wrong with it (nginx:
// ngx_http_add_referer).
func (r *referers) add(name string) string {
	switch name, result := r.keys.add(name, true); result {
	case hashInvalid:
		return `invalid hostname or wildcard "` + name + `"`
	case hashConflict:
		return `conflicting parameter "` + name + `"`
	}
	return ""
}

// mergeReferers is what nginx does where the referers of a block meet those
// around it (1.22: ngx_http_referer_merge_conf).
func (c *checker) mergeReferers(h *httpMain) {
	list := make([]*referers, 0, len(h.referers))
	for _, r := range h.referers {
		if r.d != nil {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *referers) int { return cmp.Compare(a.b.order, b.b.order) })
	for _, r := range list {
		if !c.mergeReferer(h, r) {
			return
		}
	}
}

func (c *checker) mergeReferer(h *httpMain, r *referers) bool {
	at := h.block.d
	if r.serverNames {
		names := r.b.server.names
		if len(names) == 0 { // nginx gives such a server the empty name
			if text := r.add(""); text != "" {
				c.failAtEnd(at, "invalid-referer", "%s", text)
				return false
			}
		}
		for _, n := range names {
			name := n.d.Arg(int(n.word) - 1)
			if strings.HasPrefix(name, "~") {
				continue
			}
			if text := r.add(name); text != "" {
				c.failAtEnd(at, "invalid-referer", "%s", text)
				return false
			}
		}
	}
	if r.none && len(r.keys.exact) == 0 && len(r.keys.head) == 0 && len(r.keys.tail) == 0 {
		c.failAtEnd(at, "invalid-referer", `the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid referer`)
		return false
	}
	var set hashSizes
	for b := r.b; b != nil; b = b.up {
		if up := h.referers[b]; up != nil {
			set = hashSizes{cmp.Or(set.max, up.sizes.max), cmp.Or(set.bucket, up.sizes.bucket)}
		}
	}
	maxSize, bucketSize := set.or(2048, 64)
	return c.hashOf(at, "referer_hash", &r.keys, maxSize, bucketSize)
}
