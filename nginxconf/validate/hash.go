package validate

import (
	"fmt"

	"github.com/onehost-go/onehost/nginxconf"
)

// A hashed is a name that nginx puts in a hash table.
type hashed struct {
	key  uint64
	size int // of its entry
}

// hashedName is ngx_hash_key_lc and NGX_HASH_ELT_SIZE, on a machine of 64 bits.
func hashedName(name string) hashed {
	key := uint64(0)
	for i := range len(name) {
		b := name[i]
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		key = key*31 + uint64(b)
	}
	return hashed{key, hashEntry(len(name))}
}

// hashEntry is the size of the entry of a name of that length.
func hashEntry(length int) int { return pointer + align(length+2, pointer) }

func hashedNames(names ...string) []hashed {
	list := make([]hashed, len(names))
	for i, name := range names {
		list[i] = hashedName(name)
	}
	return list
}

const (
	pointer   = 8  // sizeof(void *)
	cacheLine = 64 // ngx_cacheline_size
)

func align(n, to int) int { return (n + to - 1) &^ (to - 1) }

// hashKey stands for a list of names, in any order, and for what they are to
// be put in.
type hashKey struct {
	sum           uint64
	names         int
	size, buckets uint64
}

// hashRefusal returns what nginx says if it cannot build a hash table because
// of its sizes, and of that of the largest entry; else nothing (ngx_hash_init).
func hashRefusal(table string, entry int, maxSize, bucketSize uint64) string {
	switch {
	case maxSize == 0:
		return fmt.Sprintf("could not build %s, you should increase %s_max_size: %d", table, table, maxSize)
	case bucketSize > 65536-cacheLine:
		return fmt.Sprintf("could not build %s, too large %s_bucket_size: %d", table, table, bucketSize)
	case bucketSize < uint64(entry+pointer):
		return fmt.Sprintf("could not build %s, you should increase %s_bucket_size: %d", table, table, bucketSize)
	}
	return ""
}

// hash builds a hash table as ngx_hash_init does, and reports, at the end of
// the block that is being finished, if it cannot. Names that do not fit as they
// should draw a warning.
func (c *checker) hash(table string, names []hashed, maxSize, bucketSize uint64) bool {
	largest := -pointer
	for _, n := range names {
		largest = max(largest, n.size)
	}
	if text := hashRefusal(table, largest, maxSize, bucketSize); text != "" {
		c.failLate("hash-size", "%s", text)
		return false
	}
	key := hashKey{names: len(names), size: maxSize, buckets: bucketSize}
	for _, n := range names {
		// Any mixing will do that keeps the order out of it.
		x := n.key*0x9e3779b97f4a7c15 + uint64(n.size)
		key.sum += x ^ x>>29
	}
	fits, known := c.hashes[key]
	if !known {
		fits = fit(names, maxSize, bucketSize)
		if c.hashes == nil {
			c.hashes = map[hashKey]bool{}
		}
		c.hashes[key] = fits
	}
	if !fits {
		c.warnHash(table, maxSize, bucketSize)
	}
	return true
}

func (c *checker) warnHash(table string, maxSize, bucketSize uint64) {
	c.warnLate("hash-size", `could not build optimal %s, you should increase either %s_max_size: %d or %s_bucket_size: %d; ignoring %s_bucket_size`,
		table, table, maxSize, table, bucketSize, table)
}

// maxFit is how many names fit looks at.
const maxFit = 4096

// fit tells whether there is a number of buckets that all names fit in.
func fit(names []hashed, maxSize, bucketSize uint64) bool {
	room := bucketSize - pointer
	from := uint64(1)
	n, total := uint64(len(names)), uint64(0)
	if n > 0 {
		from = max(1, n/max(1, room/(2*pointer)))
		if maxSize > 10000 && maxSize/n < 100 {
			from = maxSize - 1000
		}
	}
	for _, n := range names {
		total += uint64(n.size)
	}
	switch {
	case total > maxSize*room:
		return false
	case maxSize > 1<<20 || n > maxFit || maxSize*n > 1<<26: // so many are not worth the while
		return true
	case total <= room && from <= maxSize:
		return true
	}
	var full []uint16
	for size := from; size <= maxSize; size++ {
		if uint64(len(full)) < size {
			full = make([]uint16, min(2*size, maxSize))
		}
		in := 0
		for ; in < len(names); in++ {
			b := &full[names[in].key%size]
			if uint64(*b)+uint64(names[in].size) > room {
				break
			}
			*b += uint16(names[in].size)
		}
		if in == len(names) {
			return true
		}
		for _, n := range names[:in] { // the rest is clear
			full[n.key%size] = 0
		}
	}
	return false
}

// failLate reports an error at the '}' of the block that is being finished,
// and the same one once only.
func (c *checker) failLate(code, format string, args ...any) {
	c.onlyOnce(c.failAtEnd(c.late, code, format, args...))
}

func (c *checker) warnLate(code, format string, args ...any) {
	c.onlyOnce(c.warnAtEnd(c.late, code, format, args...))
}

// onlyOnce takes back a finding that was there before.
func (c *checker) onlyOnce(f *nginxconf.Diagnostic) {
	key := f.Start.String() + f.Message
	last := len(c.diags) - 1
	if c.said[key] && last >= 0 && c.diags[last] == f {
		c.diags = c.diags[:last]
		return
	}
	if c.said == nil {
		c.said = map[string]bool{}
	}
	c.said[key] = true
}
