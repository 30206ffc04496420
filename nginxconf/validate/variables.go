package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// variables are those of the http or of the stream module: what is defined in
// the configuration, and what is used of what is not.
type variables struct {
	c       *checker
	area    directive.Context // directive.HTTP or directive.Stream
	defined map[string]*variable
	used    map[string]bool // names that were looked up, defined or not
	recent  [slots]string   // some of them: an array before the map, as checker.recent
	unknown []use           // the first use of each name that was not defined then
}

// A variable is one that the configuration defines, or that a module does and
// the configuration changes.
type variable struct {
	fixed bool // nginx: not NGX_HTTP_VAR_CHANGEABLE
}

// A use is a place where a variable is used.
type use struct {
	name string
	d    *nginxconf.Directive
	word int
}

func newVariables(c *checker, area directive.Context) variables {
	return variables{c: c, area: area, defined: map[string]*variable{}, used: map[string]bool{}}
}

// changeable are the variables of nginx's own modules that "set" may change,
// and that a map, a geo … may define anew.
func (v *variables) changeable(name string) bool {
	return v.area == directive.HTTP && (name == "args" || name == "limit_rate")
}

// define adds a variable, as ngx_http_add_variable does; fixed if none may
// define it again. Word i of d names it, name is without the "$". It tells
// whether that was possible, and reports it if not.
func (v *variables) define(d *nginxconf.Directive, i int, name string, fixed bool) bool {
	if name == "" {
		v.c.fail(d, i, "invalid-variable", `invalid variable name "$"`)
		return false
	}
	lower := strings.ToLower(name)
	old := v.defined[lower]
	if old == nil {
		if known, ok := v.c.table.Variable(lower); ok && known.Area&v.area != 0 && !known.Prefix {
			old = &variable{fixed: !v.changeable(lower)}
			v.defined[lower] = old
		}
	}
	if old == nil {
		v.defined[lower] = &variable{fixed: fixed}
		return true
	}
	if old.fixed {
		v.c.fail(d, i, "duplicate-variable", `the duplicate "%s" variable`, name)
		return false
	}
	return true
}

// use notes that word i of d uses a variable: once all is read, it must be
// there (nginx: ngx_http_get_variable_index).
func (v *variables) use(d *nginxconf.Directive, i int, name string) {
	last := &v.recent[slotOf(name)]
	if *last == name {
		return
	}
	*last = name
	if v.used[name] {
		return
	}
	lower := strings.ToLower(name)
	v.used[name] = true
	if lower != name {
		if v.used[lower] {
			return
		}
		v.used[lower] = true
	}
	if v.defined[lower] != nil {
		return
	}
	if known, ok := v.c.table.Variable(lower); ok && known.Area&v.area != 0 {
		return
	}
	v.unknown = append(v.unknown, use{lower, d, i})
}

// finish reports the variables that are used and that nothing defines. nginx
// names no place; ours is that of the first use.
func (v *variables) finish() {
	for _, u := range v.unknown {
		if v.defined[u.name] == nil {
			v.c.fail(u.d, u.word, "unknown-variable", `unknown "%s" variable`, u.name)
		}
	}
}

// script reads word i of d as text with variables in it, such as "$host$1"
// (nginx: ngx_http_script_compile; that of stream is alike). It returns how many
// variables there are, captures included, and reports what is wrong; ok is
// false then.
func (v *variables) script(d *nginxconf.Directive, i int, s string) (n int, ok bool) {
	for {
		at := strings.IndexByte(s, '$')
		if at < 0 {
			return n, true
		}
		s = s[at+1:]
		if s == "" {
			v.c.fail(d, i, "invalid-variable", "invalid variable name")
			return n, false
		}
		n++
		if '1' <= s[0] && s[0] <= '9' {
			s = s[1:]
			continue
		}
		bracket := s[0] == '{'
		if bracket {
			s = s[1:]
		}
		end := 0
		for end < len(s) && isVariable[s[end]] {
			end++
		}
		name := s[:end]
		switch {
		case bracket && s == "":
			v.c.fail(d, i, "invalid-variable", "invalid variable name")
			return n, false
		case bracket && (end == len(s) || s[end] != '}'):
			v.c.fail(d, i, "invalid-variable", `the closing bracket in "%s" variable is missing`, name)
			return n, false
		case name == "":
			v.c.fail(d, i, "invalid-variable", "invalid variable name")
			return n, false
		}
		if bracket {
			end++
		}
		s = s[end:]
		v.use(d, i, name)
	}
}

// isVariable holds the bytes of a variable's name.
var isVariable = func() (set [256]bool) {
	for c := range 256 {
		set[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
	}
	return set
}()

// variables returns those of the module that the block b belongs to, or nil.
func (c *checker) variables(b *block) *variables {
	switch {
	case b.context&inHTTP != 0 && c.http != nil:
		return &c.http.variables
	case b.context&inStream != 0 && c.stream != nil:
		return &c.stream.variables
	}
	return nil
}

// complex reads the arguments of a directive as texts with variables. It
// returns how many variables they have.
func (c *checker) complex(b *block, d *nginxconf.Directive) (variables int, ok bool) {
	v := c.variables(b)
	if v == nil {
		return 0, true
	}
	for i := range d.NumArgs() {
		n, ok := v.script(d, i+1, d.Arg(i))
		if !ok {
			return 0, false
		}
		variables += n
	}
	return variables, true
}
