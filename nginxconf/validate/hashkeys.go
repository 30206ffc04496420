package validate

import (
	"fmt"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// hashKeys gathers the keys of a hash and finds those that conflict (nginx 1.18
// to 1.31: ngx_hash_add_key). Its zero value is ready.
type hashKeys struct {
	exact      map[string]struct{} // keys, and what ".key" covers besides its subdomains
	head, tail map[string]struct{} // of "*.example.com" and "www.example.*", without the star
	names      []string            // those that go into the hash of exact keys
	longest    int                 // of the names, in bytes
	label      int                 // the longest part of a wildcard between dots
}

// A hashResult is what became of a key.
type hashResult uint8

const (
	hashAdded hashResult = iota
	hashConflict
	hashInvalid
)

// add adds a key; wildcards tells whether a star or a leading dot means
// something. It returns the key as nginx leaves it, which is in lower case.
func (k *hashKeys) add(key string, wildcards bool) (string, hashResult) {
	skip, last := -1, len(key)
	if wildcards {
		var valid bool
		if skip, last, valid = wildcard(key); !valid {
			return key, hashInvalid
		}
	}
	key = lower(key)
	if skip < 0 {
		if !insert(&k.exact, cset(key)) {
			return key, hashConflict
		}
		k.names = append(k.names, key)
		k.longest = max(k.longest, len(key))
		return key, hashAdded
	}
	name, set := key[skip:last], &k.head
	if skip == 1 && !insert(&k.exact, name) {
		return key, hashConflict
	}
	if skip == 0 {
		set = &k.tail
	}
	if !insert(set, name) {
		return key, hashConflict
	}
	for label := range strings.SplitSeq(name, ".") {
		k.label = max(k.label, len(label))
	}
	return key, hashAdded
}

// wildcard finds the kind of a key: skip is 1 for ".example.com", 2 for
// "*.example.com", 0 for "www.example.*", and negative for a key without a
// wildcard. The name itself is key[skip:last].
func wildcard(key string) (skip, last int, valid bool) {
	stars := 0
	for i := range len(key) {
		switch key[i] {
		case '*':
			stars++
		case '.':
			if i+1 < len(key) && key[i+1] == '.' {
				return 0, 0, false
			}
		case 0:
			return 0, 0, false
		}
	}
	n := len(key)
	switch {
	case stars > 1:
		return 0, 0, false
	case n > 1 && key[0] == '.':
		return 1, n, true
	case n > 2 && strings.HasPrefix(key, "*."):
		return 2, n, true
	case n > 2 && strings.HasSuffix(key, ".*"):
		return 0, n - 2, true
	}
	return -1, n, stars == 0
}

// insert adds s to a set, and tells whether it was not there.
func insert(set *map[string]struct{}, s string) bool {
	if *set == nil {
		*set = map[string]struct{}{}
	}
	n := len(*set)
	(*set)[s] = struct{}{}
	return len(*set) > n
}

// A hashSize is how large nginx may make a hash. The directives of these names
// set it.
type hashSize struct {
	name        string // "map_hash"
	max, bucket int64
}

// hashSizes are what directives such as map_hash_max_size and
// map_hash_bucket_size say, plus one; 0 is not set.
type hashSizes struct{ max, bucket int64 }

// numberOnce reads a number that may be set once, and sets n to it plus one.
func (c *checker) numberOnce(d *nginxconf.Directive, n *int64) {
	switch v, err := value.ParseNumber(d.Arg(0)); {
	case *n != 0:
		c.refuse(d, "is duplicate")
	case err != nil:
		c.refuse(d, "invalid number")
	default:
		*n = min(v, 1<<62) + 1
	}
}

const (
	ptrSize  = 8  // NGX_PTR_SIZE, on 64 bits
	lineSize = 64 // of the machines that nginx mostly runs on
)

// element is the room that a key takes (nginx: NGX_HASH_ELT_SIZE).
func element(length int) int64 { return ptrSize + roundUp(int64(length)+2, ptrSize) }

func roundUp(n, to int64) int64 { return (n + to - 1) &^ (to - 1) }

// refusal is what nginx says if it cannot build the hash because of the longest
// key, or "".
func (h hashSize) refusal(longest int) string {
	switch {
	case h.max == 0:
		return fmt.Sprintf("could not build %s, you should increase %s_max_size: 0", h.name, h.name)
	case h.bucket > 65536-lineSize:
		return fmt.Sprintf("could not build %s, too large %s_bucket_size: %d", h.name, h.name, h.bucket)
	case h.bucket < element(longest)+ptrSize:
		return fmt.Sprintf("could not build %s, you should increase %s_bucket_size: %d", h.name, h.name, h.bucket)
	}
	return ""
}

// holds tells whether nginx finds a size for the hash in which no bucket is
// larger than it should be (1.18 to 1.31: ngx_hash_init).
func (h hashSize) holds(keys []string) bool {
	n, bucket := int64(len(keys)), h.bucket-ptrSize
	if n == 0 || h.max > 1<<20 {
		return true
	}
	var total int64
	for _, key := range keys {
		total += element(len(key))
	}
	size := max(n/(bucket/(2*ptrSize)), 1)
	if h.max > 10_000 && h.max/n < 100 {
		size = h.max - 1000
	}
	if total > h.max*bucket {
		return false
	}
	if size == 1 && total <= bucket {
		return true
	}
	hashes := make([]uint64, n)
	for i, key := range keys {
		for k := range len(key) {
			hashes[i] = hashes[i]*31 + uint64(key[k])
		}
	}
	var filled []uint16
next:
	for ; size <= h.max; size++ {
		if int64(len(filled)) < size {
			filled = make([]uint16, min(2*size, h.max))
		}
		clear(filled[:size])
		for i, hash := range hashes {
			at := hash % uint64(size)
			length := int64(filled[at]) + element(len(keys[i]))
			if length > bucket {
				continue next
			}
			filled[at] = uint16(length)
		}
		return true
	}
	return false
}

// buildHash builds the hash of the keys that were gathered in the block d, and
// reports at its end what nginx says of that. It tells whether it can be.
func (c *checker) buildHash(d *nginxconf.Directive, k *hashKeys, h hashSize) bool {
	if len(k.names) > 0 || k.label > 0 {
		if text := h.refusal(max(k.longest, k.label)); text != "" {
			c.failAtEnd(d, "hash-too-small", "%s", text)
			return false
		}
	}
	if !h.holds(k.names) {
		c.warnAtEnd(d, "hash-too-small", "could not build optimal %s, you should increase either %s_max_size: %d or %s_bucket_size: %d; ignoring %s_bucket_size",
			h.name, h.name, h.max, h.name, h.bucket, h.name)
	}
	return true
}

// lower is ngx_strlow: ASCII alone.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

// cset returns s as a member of a set whose members nginx compares by length
// and ngx_strncmp: what stands behind a NUL counts by its length alone.
func cset(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i] + strings.Repeat("\x00", len(s)-i)
	}
	return s
}
