package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
)

// regex reads word i of d as a regular expression (nginx: ngx_regex_compile).
// Its named groups are variables from then on.
func (c *checker) regex(v *variables, d *nginxconf.Directive, i int, pattern string, caseless bool) bool {
	info, err := pcre.Check(pattern, caseless)
	if err != nil {
		c.fail(d, i, "invalid-regex", "%s", err.Nginx(pattern))
		return false
	}
	if v != nil {
		for _, name := range info.Names {
			if !v.define(d, i, name, false) {
				return false
			}
		}
	}
	return true
}
