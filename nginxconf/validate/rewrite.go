package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// readSet reads set and auth_request_set (nginx 1.22: ngx_http_rewrite_set,
// ngx_stream_set, ngx_http_auth_request_set).
func readSet(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := c.variables(b)
	name, ok := v.dollar(d, 1)
	if !ok || !v.define(d, 1, name, false) {
		return
	}
	v.use(d, 1, name)
	v.text(d, 2)
}

// readRewrite reads rewrite (nginx 1.22: ngx_http_rewrite).
func readRewrite(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := &c.http.variables
	to := d.Arg(1)
	if to == "" {
		c.fail(d, 2, "invalid-value", "empty replacement")
		return
	}
	if !c.regex(v, d, 1, d.Arg(0), false) {
		return
	}
	if d.NumArgs() == 3 {
		switch cstring(d.Arg(2)) {
		case "last", "break", "redirect", "permanent":
		default:
			c.fail(d, 3, "invalid-parameter", `invalid parameter "%s"`, d.Arg(2))
			return
		}
	}
	// A "?" at the end drops the arguments and is no part of the text.
	v.script(d, 2, strings.TrimSuffix(to, "?"))
}

// readReturn reads return of http (nginx 1.22: ngx_http_rewrite_return).
func readReturn(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	code := d.Arg(0)
	n, err := value.ParseNumber(code)
	switch {
	case err != nil && d.NumArgs() == 1 && redirects(code):
		c.http.variables.text(d, 1)
	case err != nil || n > 999:
		c.fail(d, 1, "invalid-return-code", `invalid return code "%s"`, code)
	case d.NumArgs() == 2:
		c.http.variables.text(d, 2)
	}
}

// redirects tells whether return takes a text alone for an address.
func redirects(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "$scheme")
}

// readIf reads an if block (nginx 1.22: ngx_http_rewrite_if).
func readIf(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.condition(d)
	c.inside(b, d, f.Inside(b.context))
}

// condition reads the words of if (nginx 1.22: ngx_http_rewrite_if_condition).
// It tells whether they are right.
func (c *checker) condition(d *nginxconf.Directive) bool {
	v := &c.http.variables
	end := d.NumArgs()
	cur, last := 1, end
	cut := 0 // bytes to leave out at the end of the last word
	arg := func(i int) string {
		s := d.Arg(i - 1)
		if i == 1 && cur == 1 {
			s = s[1:]
		}
		if i == end {
			s = s[:len(s)-cut]
		}
		return s
	}
	invalid := func(i int, s string) bool {
		c.fail(d, i, "invalid-condition", `invalid condition "%s"`, s)
		return false
	}
	first := d.Arg(0)
	switch {
	case first == "" || first[0] != '(':
		return invalid(1, first)
	case first == "(":
		cur = 2
	}
	switch s := arg(end); {
	case s == "" || s[len(s)-1] != ')':
		return invalid(end, s)
	case s == ")":
		last--
	default:
		cut = 1
	}
	s := arg(cur)
	switch {
	case len(s) > 1 && s[0] == '$':
		if cur != last && cur+2 != last {
			return invalid(cur, s)
		}
		v.use(d, cur, s[1:])
		if cur == last {
			return true
		}
		right := arg(last)
		switch op := arg(cur + 1); op {
		case "=", "!=":
			_, ok := v.script(d, last, right)
			return ok
		case "~", "~*", "!~", "!~*":
			return c.regex(v, d, last, right, op[len(op)-1] == '*')
		default:
			c.fail(d, cur+1, "invalid-condition", `unexpected "%s" in condition`, op)
			return false
		}
	case len(s) == 2 && s[0] == '-', len(s) == 3 && s[0] == '!' && s[1] == '-':
		if cur+1 != last {
			return invalid(cur, s)
		}
		name := arg(last)
		if strings.HasSuffix(name, "${") {
			name += "\x00" // nginx reads the NUL behind it, too
		}
		if _, ok := v.script(d, last, name); !ok {
			return false
		}
		switch s[len(s)-1] {
		case 'f', 'd', 'e', 'x':
			return true
		}
	}
	return invalid(cur, s)
}
