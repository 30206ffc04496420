package validate

import (
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
	label      string              // the longest part of a wildcard between dots
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
		if len(label) > len(k.label) {
			k.label = label
		}
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

// hashSizes are what directives such as map_hash_max_size and
// map_hash_bucket_size say, plus one; 0 is not set.
type hashSizes struct{ max, bucket int64 }

// of returns the size that a directive sets.
func (s *hashSizes) of(f *bound) *int64 {
	if strings.HasSuffix(f.Name, "_bucket_size") {
		return &s.bucket
	}
	return &s.max
}

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

// or returns the sizes that are set, else those given. nginx makes buckets of
// whole cache lines.
func (s hashSizes) or(maxSize, bucketSize uint64) (uint64, uint64) {
	if s.max != 0 {
		maxSize = uint64(s.max - 1)
	}
	if s.bucket != 0 {
		bucketSize = uint64(align(int(s.bucket-1), cacheLine))
	}
	return maxSize, bucketSize
}

// hashOf builds the hash tables of the keys that were gathered, and reports at
// the end of the block d what nginx says of that. It tells whether they can be.
func (c *checker) hashOf(d *nginxconf.Directive, table string, k *hashKeys, maxSize, bucketSize uint64) bool {
	late := c.late
	c.late = d
	defer func() { c.late = late }()
	if len(k.names) > 0 && !c.hash(table, hashedNames(k.names...), maxSize, bucketSize) {
		return false
	}
	return k.label == "" || c.hash(table, hashedNames(k.label), maxSize, bucketSize)
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
