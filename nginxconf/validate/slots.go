package validate

import (
	"errors"
	"io/fs"
	slash "path"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// slot reads the arguments of a directive that has no reader of its own, by
// their type: the ngx_conf_set_*_slot functions (nginx 1.18 to 1.31:
// ngx_conf_file.c). It tells whether they are right.
func (c *checker) slot(b *block, d *nginxconf.Directive, f *bound) bool {
	switch f.Type {
	case directive.Flag:
		return c.flag(d)
	case directive.Number:
		return c.number(d)
	case directive.Size:
		_, err := value.ParseSize(d.Arg(0))
		return c.valid(d, err == nil)
	case directive.Offset:
		_, err := value.ParseOffset(d.Arg(0))
		return c.valid(d, err == nil)
	case directive.TimeMS:
		_, err := value.ParseTime(d.Arg(0))
		return c.valid(d, err == nil)
	case directive.TimeS:
		_, err := value.ParseSeconds(d.Arg(0))
		return c.valid(d, err == nil)
	case directive.Buffers:
		n, err := value.ParseNumber(d.Arg(0))
		size, err2 := value.ParseSize(d.Arg(1))
		return c.valid(d, err == nil && err2 == nil && n > 0 && size > 0)
	case directive.Enum:
		return c.enum(d, 0, f.Values)
	case directive.Bitmask:
		return c.bitmask(b, d, f)
	case directive.Complex, directive.Predicate:
		_, ok := c.complex(b, d)
		return ok
	case directive.ComplexSize:
		n, ok := c.complex(b, d)
		if ok && n == 0 {
			_, err := value.ParseSize(d.Arg(0))
			ok = c.valid(d, err == nil)
		}
		return ok
	case directive.Path:
		return c.path(d)
	case directive.Access:
		return c.access(d)
	}
	return true
}

func (c *checker) valid(d *nginxconf.Directive, ok bool) bool {
	if !ok {
		c.refuse(d, "invalid value")
	}
	return ok
}

func (c *checker) flag(d *nginxconf.Directive) bool {
	v := cstring(d.Arg(0))
	if _, ok := value.ParseFlag(v); ok {
		return true
	}
	c.fail(d, 1, "invalid-flag", `invalid value "%s" in "%s" directive, it must be "on" or "off"`, v, d.Name())
	return false
}

func (c *checker) number(d *nginxconf.Directive) bool {
	if _, err := value.ParseNumber(d.Arg(0)); err != nil {
		c.refuse(d, "invalid number")
		return false
	}
	return true
}

// enum reads argument i, one of the values in any case.
func (c *checker) enum(d *nginxconf.Directive, i int, values []string) bool {
	if len(values) == 0 {
		return true // not in the table
	}
	v := d.Arg(i)
	for _, want := range values {
		if len(v) == len(want) && strings.EqualFold(cstring(v), want) {
			return true
		}
	}
	c.fail(d, i+1, "invalid-value", `invalid value "%s"`, cstring(v))
	return false
}

// bitmask reads arguments that are values of a set. One that is there already
// draws a warning, also if an earlier directive of the block had it.
func (c *checker) bitmask(b *block, d *nginxconf.Directive, f *bound) bool {
	return c.bitmaskOf(b, d, f, f.Values)
}

// bitmaskOf is bitmask for values that are not in the table.
func (c *checker) bitmaskOf(b *block, d *nginxconf.Directive, f *bound, values []string) bool {
	for i := range d.NumArgs() {
		if !c.enum(d, i, values) {
			return false
		}
		v := d.Arg(i)
		if b.has(f, v) {
			c.warn(d, i+1, "duplicate-value", `duplicate value "%s"`, cstring(v))
			continue
		}
		more := b.own()
		more.masks = append(more.masks, maskValue{f, v})
	}
	return true
}

// A maskValue is a value that a directive of a block has set.
type maskValue struct {
	f     *bound
	value string
}

func (b *block) has(f *bound, value string) bool {
	if b.more == nil {
		return false
	}
	for _, m := range b.more.masks {
		if m.f == f && strings.EqualFold(m.value, value) {
			return true
		}
	}
	return false
}

// path reads a directory and its levels (nginx: ngx_conf_set_path_slot).
func (c *checker) path(d *nginxconf.Directive) bool {
	var levels [3]int64
	sum := int64(0)
	for i := 1; i < d.NumArgs(); i++ {
		n, err := value.ParseNumber(d.Arg(i))
		if !c.valid(d, err == nil && n > 0) {
			return false
		}
		levels[i-1] = n
		sum += min(n, 100)
	}
	// Each level adds its digits and a slash; the slashes are no part of the limit.
	if !c.valid(d, sum <= 10) {
		return false
	}
	return c.addPath(d, d.Arg(0), levels, nil)
}

// A path is a directory that nginx makes.
type path struct {
	levels [3]int64
	owner  any // of a cache: two may not share a directory
	d      *nginxconf.Directive
}

// addPath notes a directory: the same one with other levels, or of another
// cache, is refused (nginx: ngx_add_path).
func (c *checker) addPath(d *nginxconf.Directive, name string, levels [3]int64, owner any) bool {
	if absolute := strings.HasPrefix(name, "/"); absolute {
		name = strings.TrimSuffix(name, "/")
	} else {
		name = c.fullName(strings.TrimSuffix(name, "/"))
	}
	old, ok := c.paths[name]
	if !ok {
		if c.paths == nil {
			c.paths = map[string]path{}
		}
		c.paths[name] = path{levels, owner, d}
		c.pathList = append(c.pathList, name)
		return true
	}
	at := old.d.TermPos()
	if old.owner != owner {
		c.fail(d, 1, "duplicate-path", `the same path name "%s" used in %s:%d and`, name, c.shown(at.Filename), at.Line)
		return false
	}
	if old.levels != levels {
		c.fail(d, 1, "duplicate-path", `the same path name "%s" in %s:%d has the different levels than`, name, c.shown(at.Filename), at.Line)
		return false
	}
	return true
}

// finishPaths looks whether nginx can make the directories that it keeps files
// in: those around them must be there (nginx: ngx_create_paths). nginx names no
// place.
func (c *checker) finishPaths() {
	if c.options.Files == nil {
		return
	}
	made := map[string]bool{}
	for _, name := range c.pathList {
		in := strings.TrimPrefix(slash.Clean("/"+cstring(name)), "/")
		if in == "" {
			continue
		}
		if _, err := fs.Stat(c.options.Files, in); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		made[in] = true
		if _, err := fs.Stat(c.options.Files, slash.Dir(in)); errors.Is(err, fs.ErrNotExist) && !made[slash.Dir(in)] {
			c.fail(c.paths[name].d, 1, "missing-directory", `mkdir() "%s" failed (2: No such file or directory)`, name)
			return
		}
	}
}

// fullName makes a path absolute as nginx does: it is relative to the prefix.
func (c *checker) fullName(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return strings.TrimSuffix(c.config.Prefix, "/") + "/" + name
}

// shown is a file's name as nginx prints it, which is absolute.
func (c *checker) shown(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + name
}

// access reads rights such as "user:rw group:r" (nginx:
// ngx_conf_set_access_slot).
func (c *checker) access(d *nginxconf.Directive) bool {
	for i := range d.NumArgs() {
		v := d.Arg(i)
		who, rights, _ := strings.Cut(cstring(v), ":")
		if who != "user" && who != "group" && who != "all" || rights != "rw" && rights != "r" {
			c.fail(d, i+1, "invalid-value", `invalid value "%s"`, v)
			return false
		}
	}
	return true
}
