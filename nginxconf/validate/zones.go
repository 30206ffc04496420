package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
)

// A zone is a shared memory zone (nginx: ngx_shm_zone_t). Its name is one of
// the whole configuration, http and stream alike.
type zone struct {
	name string
	size int64                // 0: not said yet
	use  string               // which module's it is
	d    *nginxconf.Directive // the first that names it
	word int
	key  string // what the module notes of it
	init bool   // a directive that defines it was met

	cramped bool // the module cannot allocate in it what it needs to start with
}

// pageSize is that of the machines nginx mostly runs on (nginx: ngx_pagesize).
// Zones have at least eight pages.
const pageSize = 4096

// zone adds a shared memory zone, or finds it, as ngx_shared_memory_add does;
// size is 0 where it is only used. Word i of d names it. It returns nil if the
// zone cannot be, and reports that.
func (c *checker) zone(d *nginxconf.Directive, i int, name string, size int64, use string) *zone {
	z := c.zones[name]
	switch {
	case z == nil:
		if c.zones == nil {
			c.zones = map[string]*zone{}
		}
		z = &zone{name: name, size: size, use: use, d: d, word: i}
		c.zones[name] = z
		c.zoneList = append(c.zoneList, z)
		return z
	case z.use != use:
		c.fail(d, i, "conflicting-zone", `the shared memory zone "%s" is already declared for a different use`, name)
		return nil
	case z.size == 0:
		z.size = size
	case size != 0 && size != z.size:
		c.fail(d, i, "conflicting-zone", `the size %d of shared memory zone "%s" conflicts with already declared size %d`, size, name, z.size)
		return nil
	}
	return z
}

// finishZones reports the zones that are used and that nothing defines, as
// ngx_init_cycle does in the end. nginx names no place.
func (c *checker) finishZones() {
	for _, z := range c.zoneList {
		if z.size == 0 {
			c.fail(z.d, z.word, "unknown-zone", `zero size shared memory zone "%s"`, z.name)
		} else if z.cramped {
			c.fail(z.d, z.word, "invalid-zone", "ngx_slab_alloc() failed: no memory")
		}
	}
}
