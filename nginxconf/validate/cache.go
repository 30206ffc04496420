package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// storeReader reads proxy_store and its kin (nginx 1.22: ngx_http_proxy_store;
// 1.27.3 refuses an empty path).
func storeReader(kind backend) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		if c.duplicate(b, d, f) {
			return
		}
		n := c.backendConf(b, kind).own()
		s := d.Arg(0)
		if cstring(s) == "off" {
			n.store = off
			return
		}
		switch {
		case s == "" && c.since(1, 27, 3):
			c.fail(d, 1, "invalid-value", "empty path")
			return
		case n.cache == on:
			c.refuse(d, `is incompatible with "`+kind.String()+`_cache"`)
			return
		}
		n.store = on
		if cstring(s) != "on" {
			// nginx compiles the NUL behind the path too.
			if strings.HasSuffix(s, "${") {
				s += "\x00"
			}
			c.http.variables.script(d, 1, s)
		}
	}
}

// cacheReader reads proxy_cache and its kin (nginx 1.22: ngx_http_proxy_cache).
func cacheReader(kind backend) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		if c.duplicate(b, d, f) {
			return
		}
		n := c.backendConf(b, kind).own()
		s := d.Arg(0)
		if cstring(s) == "off" {
			n.cache = off
			return
		}
		if n.store == on {
			c.refuse(d, `is incompatible with "`+kind.String()+`_store"`)
			return
		}
		n.cache = on
		if vars, ok := c.http.variables.script(d, 1, s); ok && vars == 0 {
			n.cacheZone = c.zone(d, 1, s, 0, kind.module())
		}
	}
}

// cacheKeyReader reads proxy_cache_key and its kin.
func cacheKeyReader(kind backend) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		if c.duplicate(b, d, f) {
			return
		}
		c.backendConf(b, kind).own().hasKey = true
		c.http.variables.script(d, 1, d.Arg(0))
	}
}

// readCacheValid reads proxy_cache_valid and its kin (nginx 1.22:
// ngx_http_file_cache_valid_set_slot).
func readCacheValid(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	last := d.NumArgs() - 1
	if _, err := value.ParseSeconds(d.Arg(last)); err != nil {
		c.fail(d, last+1, "invalid-value", `invalid time value "%s"`, d.Arg(last))
		return
	}
	for i := range last {
		s := d.Arg(i)
		if cstring(s) == "any" {
			continue
		}
		if status, err := value.ParseNumber(s); err != nil || status < 100 || status > 599 {
			c.fail(d, i+1, "invalid-value", `invalid status "%s"`, s)
			return
		}
	}
}

// readCachePath reads proxy_cache_path and its kin (nginx 1.22:
// ngx_http_file_cache_set_slot).
func readCachePath(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	var p cachePath
	for i := 1; i < d.NumArgs(); i++ {
		if !c.cacheParameter(d, i, &p) {
			return
		}
	}
	if p.zone == "" || p.size == 0 {
		c.fail(d, 0, "missing-parameter", `"%s" must have "keys_zone" parameter`, d.Name())
		return
	}
	if !c.addPath(d, d.Arg(0), p.levels, d) {
		return
	}
	z := c.zone(d, p.word, p.zone, p.size, f.Module)
	switch {
	case z == nil:
	case z.init:
		c.fail(d, p.word, "duplicate-zone", `duplicate zone "%s"`, p.zone)
	default:
		z.init = true
		// nginx needs two pages beside the one that the allocator takes, or one
		// if the two things that it puts there are of like size.
		n := len(" in cache keys zone \"\"\x00") + len(p.zone)
		z.cramped = p.size < 3*pageSize && (n <= 64 || n > 128)
	}
}

// maxLevels is how many levels of directories a path may have below it (nginx:
// NGX_MAX_PATH_LEVEL).
const maxLevels = 3

// A cachePath is what the parameters of proxy_cache_path say.
type cachePath struct {
	levels [maxLevels]int64
	width  int // of the directories' names, with their slashes
	zone   string
	word   int // of keys_zone
	size   int64
}

// cacheParameter reads argument i. Most errors of nginx name the parameter
// with its value.
func (c *checker) cacheParameter(d *nginxconf.Directive, i int, p *cachePath) bool {
	a := d.Arg(i)
	name, v, ok := strings.Cut(a, "=")
	if !ok {
		name = ""
	}
	var err error
	switch name {
	case "levels":
		if !p.parseLevels(v) {
			c.fail(d, i+1, "invalid-value", `invalid "levels" "%s"`, a)
			return false
		}
	case "use_temp_path":
		if v := cstring(v); v != "on" && v != "off" {
			c.fail(d, i+1, "invalid-value", `invalid use_temp_path value "%s", it must be "on" or "off"`, a)
			return false
		}
	case "keys_zone":
		return c.keysZone(d, i, v, p)
	case "inactive":
		_, err = value.ParseSeconds(v)
	case "max_size", "min_free":
		if name == "min_free" && !c.since(1, 19, 1) {
			c.parameter(d, i)
			return false
		}
		_, err = value.ParseOffset(v)
	case "loader_files", "manager_files":
		_, err = value.ParseNumber(v)
	case "loader_sleep", "loader_threshold", "manager_sleep", "manager_threshold":
		_, err = value.ParseTime(v)
	default:
		c.parameter(d, i)
		return false
	}
	if err != nil {
		c.fail(d, i+1, "invalid-value", `invalid %s value "%s"`, name, a)
		return false
	}
	return true
}

// parseLevels reads "1:2:2": up to three levels, of one or two characters. A
// second parameter adds to what the first said.
func (p *cachePath) parseLevels(s string) bool {
	for n := 0; n < maxLevels && s != ""; n++ {
		if s[0] != '1' && s[0] != '2' {
			return false
		}
		p.levels[n] = int64(s[0] - '0')
		p.width += int(p.levels[n]) + 1
		s = s[1:]
		if s == "" {
			break
		}
		if s[0] != ':' || n == maxLevels-1 || len(s) == 1 {
			return false
		}
		s = s[1:]
	}
	return p.width < 10+maxLevels
}

func (c *checker) keysZone(d *nginxconf.Directive, i int, v string, p *cachePath) bool {
	zone, s, ok := strings.Cut(v, ":")
	size, err := value.ParseSize(s)
	p.zone, p.word = zone, i+1
	switch {
	case !ok || err != nil:
		c.fail(d, i+1, "invalid-zone", `invalid keys zone size "%s"`, d.Arg(i))
	case size < 2*pageSize:
		c.fail(d, i+1, "invalid-zone", `keys zone "%s" is too small`, d.Arg(i))
	default:
		p.size = size
		return true
	}
	return false
}
