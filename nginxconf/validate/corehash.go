package validate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// coreHashes are the hash tables of the extensions that types blocks name.
type coreHashes struct {
	types map[*block]hashSizes // of types_hash, by the block that sets them
	named []typesNamed
}

// typesNamed are the extensions of the types blocks of a block.
type typesNamed struct {
	b     *block
	names map[string]string
}

func coreHashReader(f *directive.Form) reader {
	switch {
	case strings.HasPrefix(f.Name, "variables_hash_"):
		return readVariablesHash
	case strings.HasPrefix(f.Name, "server_names_hash_"):
		return readServerNamesHash
	case strings.HasPrefix(f.Name, "types_hash_"):
		return readTypesHash
	}
	return nil
}

func readServerNamesHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.numberOnce(d, c.common(b).names.of(f))
}

func readTypesHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	h := &c.http.hashes
	sizes := h.types[b]
	c.numberOnce(d, sizes.of(f))
	if h.types == nil {
		h.types = map[*block]hashSizes{}
	}
	h.types[b] = sizes
}

// mergeCoreTypes builds the hash tables of types where the settings of a server
// or location meet those around it (nginx 1.22: ngx_http_core_merge_loc_conf).
func (c *checker) mergeCoreTypes(h *httpMain) {
	all := &h.hashes
	if len(all.types) == 0 && len(all.named) == 0 {
		return
	}
	own := map[*block]map[string]string{}
	blocks := make([]*block, 0, len(h.servers))
	for _, s := range h.servers {
		blocks = append(blocks, &s.root.block)
	}
	for _, t := range all.named {
		own[t.b] = t.names
		if t.b != h.block {
			blocks = append(blocks, t.b)
		}
	}
	slices.SortFunc(blocks, func(a, b *block) int { return cmp.Compare(a.order, b.order) })
	shared, has := own[h.block] // built with the sizes of the first server
	fallback := map[string]string{"html": "", "gif": "", "jpg": ""}
	if has {
		fallback = nil
	}
	late := c.late
	c.late = h.block.d
	defer func() { c.late = late }()
	for _, b := range slices.Compact(blocks) {
		maxSize, bucketSize := all.typesOf(b).or(1024, 64)
		build := func(names map[string]string) bool {
			return c.hash("types_hash", hashedNames(slices.Collect(maps.Keys(names))...), maxSize, bucketSize)
		}
		server := b.context == directive.HTTPServer
		if server && shared != nil {
			if !build(shared) {
				return
			}
			shared = nil
		}
		names, has := own[b]
		if !has && server {
			names, has = fallback, fallback != nil
		}
		if has && !build(names) {
			return
		}
	}
}

// namesHashed is what the hash tables of the names of a socket's servers hold.
type namesHashed struct {
	maxSize, bucketSize uint64

	exact   []string // those without a wildcard, as long as they may fit
	total   uint64   // size of their entries
	largest int      // of their entries
	label   int      // the longest part of a wildcard between dots, in bytes
}

func newNamesHashed(sizes hashSizes) (t namesHashed) {
	t.maxSize, t.bucketSize = sizes.or(512, cacheLine)
	return t
}

// mayFit tells whether there may be room for all names: else nobody asks where
// each of them is put.
func (t *namesHashed) mayFit() bool {
	return t.total <= t.maxSize*(t.bucketSize-pointer) && len(t.exact) <= maxFit
}

// add adds a name that was not there.
func (t *namesHashed) add(name string, kind serverNameKind) {
	if kind == wildcardName {
		for part := range strings.SplitSeq(strings.Trim(name, "*."), ".") {
			t.label = max(t.label, len(part))
		}
		return
	}
	size := hashEntry(len(name))
	t.total += uint64(size)
	t.largest = max(t.largest, size)
	if t.mayFit() {
		t.exact = append(t.exact, name)
	}
}

// build builds them at the end of the block main (nginx 1.22:
// ngx_http_server_names).
func (t *namesHashed) build(c *checker, main *nginxconf.Directive) {
	if t.largest == 0 && t.label == 0 {
		return
	}
	late := c.late
	c.late = main
	defer func() { c.late = late }()
	const table = "server_names_hash"
	if text := hashRefusal(table, max(t.largest, hashEntry(t.label)), t.maxSize, t.bucketSize); text != "" {
		c.failLate("hash-size", "%s", text)
		return
	}
	switch {
	case t.mayFit():
		c.hash(table, hashedNames(t.exact...), t.maxSize, t.bucketSize)
	case t.total > t.maxSize*(t.bucketSize-pointer):
		c.warnHash(table, t.maxSize, t.bucketSize)
	}
}

// typesOf returns the sizes that hold in a block.
func (a *coreHashes) typesOf(b *block) (set hashSizes) {
	for ; b != nil; b = b.up {
		at := a.types[b]
		set = hashSizes{cmp.Or(set.max, at.max), cmp.Or(set.bucket, at.bucket)}
	}
	return set
}
