package route

import (
	"fmt"
	"strings"
	"sync"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/internal/regex"
)

// An expression is a regular expression of the configuration. It is compiled
// when it is first needed: most never are.
type expression struct {
	d        *nginxconf.Directive // where it stands
	pattern  string
	caseless bool

	once sync.Once
	re   *regex.Regex
	err  error
}

// match returns the positions of the match and its groups, nil if there is
// none, or an error if that cannot be told.
func (x *expression) match(s string) ([]int32, error) {
	x.once.Do(func() { x.re, x.err = regex.Compile(x.pattern, x.caseless) })
	if x.err != nil {
		return nil, x.err
	}
	return x.re.Match(s)
}

// doubt says that a decision rests on an expression that is not judged.
func (x *expression) doubt(err error) string {
	return fmt.Sprintf("%v depends on the regular expression %q: %v", x.d.Pos(), x.pattern, err)
}

// expression notes an expression and the variables that its groups are.
func (b *builder) expression(d *nginxconf.Directive, pattern string, caseless bool) *expression {
	if hasNames(pattern) {
		info, _ := pcre.Check(pattern, caseless)
		for _, name := range info.Names {
			b.define(name, variable{kind: setVariable})
		}
	}
	x := b.expressions.New()
	x.d, x.pattern, x.caseless = d, pattern, caseless
	return x
}

// hasNames tells whether there may be groups with a name in a pattern.
func hasNames(pattern string) bool {
	for {
		_, rest, found := strings.Cut(pattern, "(?")
		if !found {
			return false
		}
		if strings.HasPrefix(rest, "P<") || strings.HasPrefix(rest, "'") ||
			strings.HasPrefix(rest, "<") && !strings.HasPrefix(rest, "<=") && !strings.HasPrefix(rest, "<!") {
			return true
		}
		pattern = rest
	}
}

// exec matches as nginx does for a request: a match leaves its captures and
// named groups behind (nginx 1.22: ngx_http_regex_exec).
func (st *state) exec(x *expression, s string) (bool, error) {
	m, err := x.match(s)
	if m == nil {
		return false, err
	}
	st.captures, st.captured = m, s
	st.execs++
	for _, n := range x.re.Names {
		st.set(n.Name, group(m, s, n.Group))
	}
	return true, nil
}

// group is what group n captured, or empty.
func group(m []int32, s string, n int) string {
	if 2*n+1 >= len(m) || m[2*n] < 0 {
		return ""
	}
	return s[m[2*n]:m[2*n+1]]
}

// capture is "$1" to "$9".
func (st *state) capture(n int) string { return group(st.captures, st.captured, n) }

// forget drops the captures, as an expression of the rewrite module that does
// not match makes nginx do.
func (st *state) forget() { st.captures = nil }
