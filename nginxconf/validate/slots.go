package validate

import (
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
	case directive.Complex, directive.ComplexSize, directive.Predicate:
		return c.complex(b, d, f)
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
	for i := range d.NumArgs() {
		if !c.enum(d, i, f.Values) {
			return false
		}
		// TODO duplicates
	}
	return true
}
