package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// common is what modules that http and stream both have keep of their block.
type common struct {
	maps    hashSizes // of map blocks
	names   hashSizes // of server_names_hash
	formats logFormats
	limits  perBlock[*zone]

	databases map[string]struct{} // of geoip2
}

// common returns that of the module that the block b belongs to.
func (c *checker) common(b *block) *common {
	if b.context&inStream != 0 && c.stream != nil {
		return &c.stream.common
	}
	return &c.http.common
}

// perBlock lists what directives said in the blocks that are open, the innermost
// block last. It holds some of blocks that were closed, which does no harm.
type perBlock[T comparable] struct{ list []ofBlock[T] }

type ofBlock[T comparable] struct {
	b   *block
	v   T
	nth int // of its block
}

// add adds a value of the block that is being read, if it is not there. It
// returns how many its block had, and whether v was one of them; of a block with
// very many, it does not look for v.
func (p *perBlock[T]) add(b *block, v T) (n int, again bool) {
	top := len(p.list)
	for top > 0 && p.list[top-1].b.order > b.order {
		top--
	}
	if top > 0 && p.list[top-1].b == b {
		n = p.list[top-1].nth + 1
	}
	p.list = p.list[:top]
	if n > maxPerBlock {
		return n, false
	}
	for _, e := range p.list[top-n:] {
		if e.v == v {
			return n, true
		}
	}
	p.list = append(p.list, ofBlock[T]{b, v, n})
	return n, false
}

const maxPerBlock = 2000

// entries reads a block whose body is not directives but entries of the
// module's own. nginx compiles parts of them in the context that the block
// itself was met in, so what it says of those in an included file is said of
// the include.
type entries struct {
	c       *checker
	v       *variables
	d       *nginxconf.Directive // the block
	include *nginxconf.Directive // the last one in the block itself
}

// included reads the entry if it is an include that the module knows: Load has
// read the file.
func (b *entries) included(e *nginxconf.Directive) bool {
	if cstring(e.Name()) != "include" {
		return false
	}
	if b.include == nil || e.Pos().Filename == b.d.Pos().Filename {
		b.include = e
	}
	return true
}

// place returns what to blame for word i of the entry e.
func (b *entries) place(e *nginxconf.Directive, i int) (*nginxconf.Directive, int) {
	if b.include != nil && e.Pos().Filename != b.d.Pos().Filename {
		return b.include, 1
	}
	return e, i
}

// dollar returns the name of the variable that word i of d is: "$name".
func (v *variables) dollar(d *nginxconf.Directive, i int) (name string, ok bool) {
	s := d.Arg(i - 1)
	if name, ok = strings.CutPrefix(s, "$"); !ok {
		v.c.fail(d, i, "invalid-variable", `invalid variable name "%s"`, s)
	}
	return name, ok
}

// dollarDefine reads word i of d as a variable that the directive defines.
func (v *variables) dollarDefine(d *nginxconf.Directive, i int) bool {
	name, ok := v.dollar(d, i)
	return ok && v.define(d, i, name, false)
}

// text reads word i of d as text with variables.
func (v *variables) text(d *nginxconf.Directive, i int) bool {
	s := d.Arg(i - 1)
	if strings.IndexByte(s, '$') < 0 {
		return true
	}
	_, ok := v.script(d, i, s)
	return ok
}

// fileText is text of a file's name, which is relative to nginx's prefix: that
// nginx copies up to a NUL.
func (v *variables) fileText(d *nginxconf.Directive, i int) bool {
	s := d.Arg(i - 1)
	if strings.IndexByte(s, '$') < 0 {
		return true
	}
	if s[0] != '/' {
		s = cstring(s)
	}
	_, ok := v.script(d, i, s)
	return ok
}
