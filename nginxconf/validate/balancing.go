package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// balanced notes that an upstream block chooses a balancing method. A second
// choice replaces the first, and nginx warns.
func (c *checker) balanced(u *upstream, d *nginxconf.Directive, allows balance) {
	if u.method {
		c.warn(d, 0, "redefined-method", "load balancing method redefined")
	}
	u.method, u.allows = true, allows
}

// method returns the reader of a balancing method that has no parameters
// (nginx 1.22: ngx_http_upstream_ip_hash, ngx_http_upstream_least_conn).
func method(allows balance) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		c.balanced(b.more.upstream, d, allows)
	}
}

// readHash reads hash (nginx 1.22: ngx_http_upstream_hash).
func readHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if _, ok := c.http.variables.script(d, 1, d.Arg(0)); !ok {
		return
	}
	c.balanced(b.more.upstream, d, takesAll&^takesBackup)
	if d.NumArgs() > 1 && cstring(d.Arg(1)) != "consistent" {
		c.parameter(d, 1)
	}
}

// parameter reports argument i as one that a directive does not know.
func (c *checker) parameter(d *nginxconf.Directive, i int) {
	c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, d.Arg(i))
}

// readLeastTime reads least_time (nginx 1.31: ngx_http_upstream_least_time).
func readLeastTime(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.balanced(b.more.upstream, d, takesAll)
	if d.NumArgs() > 1 && cstring(d.Arg(1)) != "inflight" {
		c.parameter(d, 1)
		return
	}
	if !c.duplicate(b, d, f) {
		c.enum(d, 0, []string{"header", "last_byte"})
	}
}

// readRandom reads random (nginx 1.22: ngx_http_upstream_random).
func readRandom(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.balanced(b.more.upstream, d, takesAll&^takesBackup)
	switch {
	case d.NumArgs() > 0 && cstring(d.Arg(0)) != "two":
		c.parameter(d, 0)
	case d.NumArgs() > 1 && cstring(d.Arg(1)) != "least_conn":
		c.parameter(d, 1)
	}
}

// readKeepalive reads keepalive. Up to nginx 1.29.6 it counts as a balancing
// method: it must come last (ngx_http_upstream_keepalive).
func readKeepalive(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	byDefault := c.since(1, 29, 7)
	n, err := value.ParseNumber(d.Arg(0))
	if err != nil || n == 0 && !byDefault {
		c.fail(d, 1, "invalid-value", `invalid value "%s" in "%s" directive`, d.Arg(0), d.Name())
		return
	}
	if d.NumArgs() > 1 && cstring(d.Arg(1)) != "local" {
		c.parameter(d, 1)
		return
	}
	if !byDefault {
		b.more.upstream.method = true
	}
}

// readUpstreamZone reads zone (nginx 1.22: ngx_http_upstream_zone).
func readUpstreamZone(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if z := c.upstreamZone(d, "ngx_http_upstream_module"); z != nil {
		b.more.upstream.zone = z
	}
}

// upstreamZone reads the arguments of zone, of http or stream.
func (c *checker) upstreamZone(d *nginxconf.Directive, module string) *zone {
	name := d.Arg(0)
	if name == "" {
		c.fail(d, 1, "invalid-zone", `invalid zone name "%s"`, name)
		return nil
	}
	size := int64(0)
	if d.NumArgs() > 1 {
		var err error
		size, err = value.ParseSize(d.Arg(1))
		switch {
		case err != nil:
			c.fail(d, 2, "invalid-zone", `invalid zone size "%s"`, d.Arg(1))
			return nil
		case size < 8*pageSize:
			c.fail(d, 2, "invalid-zone", `zone "%s" is too small`, name)
			return nil
		}
	}
	return c.zone(d, 1, name, size, module)
}

// readSticky reads sticky (nginx 1.31: ngx_http_upstream_sticky).
func readSticky(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	b.more.upstream.method = true
	switch cstring(d.Arg(0)) {
	case "cookie":
		c.stickyCookie(d)
	case "route":
		for i := 1; i < d.NumArgs(); i++ {
			name, ok := strings.CutPrefix(d.Arg(i), "$")
			if !ok {
				c.fail(d, i+1, "invalid-variable", `invalid variable name "%s"`, name)
				return
			}
			if !c.http.variables.index(d, i+1, name) {
				return
			}
		}
	case "learn":
		c.stickyLearn(b, d)
	default:
		c.fail(d, 1, "invalid-parameter", `unknown parameter "%s"`, d.Arg(0))
	}
}

// index notes the use of the variable that word i of d names, as
// ngx_http_get_variable_index does.
func (v *variables) index(d *nginxconf.Directive, i int, name string) bool {
	if name == "" {
		v.c.fail(d, i, "invalid-variable", `invalid variable name "$"`)
		return false
	}
	v.use(d, i, name)
	return true
}

func (c *checker) stickyCookie(d *nginxconf.Directive) {
	if d.Arg(1) == "" {
		c.refuse(d, "empty cookie name")
		return
	}
	var seen [6]bool
	for i := 2; i < d.NumArgs(); i++ {
		a := d.Arg(i)
		name, v, assigned := strings.Cut(a, "=")
		n := 0
		switch {
		case assigned && name == "domain":
		case assigned && name == "path":
			n = 1
		case assigned && name == "expires":
			n = 2
		case cstring(a) == "httponly":
			n, name = 3, "httponly"
		case cstring(a) == "secure":
			n, name = 4, "secure"
		case assigned && name == "samesite":
			n = 5
		default:
			c.fail(d, i+1, "invalid-parameter", `unknown parameter "%s"`, a)
			return
		}
		if seen[n] {
			c.refuse(d, `parameter "`+name+`" is duplicate`)
			return
		}
		seen[n] = true
		if !c.stickyParameter(d, i, name, v) {
			return
		}
	}
	c.http.variables.use(d, 2, "cookie_"+d.Arg(1))
}

// stickyParameter reads the value of a parameter of "sticky cookie".
func (c *checker) stickyParameter(d *nginxconf.Directive, i int, name, v string) bool {
	switch name {
	case "domain", "path":
		if v == "" {
			c.refuse(d, `no value for "`+name+`"`)
			return false
		}
		if name == "domain" {
			_, ok := c.http.variables.script(d, i+1, v)
			return ok
		}
	case "expires":
		if _, err := value.ParseSeconds(v); err != nil && cstring(v) != "max" {
			c.refuse(d, `invalid "expires" parameter value`)
			return false
		}
	case "samesite":
		n, ok := c.http.variables.script(d, i+1, v)
		if !ok {
			return false
		}
		if n == 0 && !strings.EqualFold(v, "strict") && !strings.EqualFold(v, "lax") && !strings.EqualFold(v, "none") {
			c.refuse(d, `invalid "samesite" parameter value`)
			return false
		}
	}
	return true
}

func (c *checker) stickyLearn(b *block, d *nginxconf.Directive) {
	var zone string
	size := int64(0)
	timeout, create, lookup := false, false, false
	for i := 1; i < d.NumArgs(); i++ {
		a := d.Arg(i)
		name, v, assigned := strings.Cut(a, "=")
		wrong := ""
		switch {
		case assigned && name == "zone":
			zone, size, wrong = stickyZone(v, size)
		case assigned && name == "timeout":
			t, err := value.ParseTime(v)
			switch {
			case timeout:
				wrong = "duplicate timeout"
			case err != nil || t == 0:
				wrong = "invalid timeout"
			}
			timeout = true
		case assigned && (name == "create" || name == "lookup"):
			name, ok := strings.CutPrefix(v, "$")
			if !ok {
				wrong = `missing variable in the "` + a[:6] + `" parameter`
			} else if !c.http.variables.index(d, i+1, name) {
				return
			}
			if a[0] == 'c' {
				create = true
			} else {
				lookup = true
			}
		case cstring(a) == "header":
		default:
			c.fail(d, i+1, "invalid-parameter", `unknown parameter "%s"`, a)
			return
		}
		if wrong != "" {
			c.refuse(d, wrong)
			return
		}
	}
	switch {
	case !lookup:
		c.refuse(d, `"lookup" parameter is not specified`)
	case !create:
		c.refuse(d, `"create" parameter is not specified`)
	case size == 0:
		c.refuse(d, `"zone" parameter is not specified`)
	default:
		z := c.zone(d, 0, zone, size, "ngx_http_upstream_sticky_module")
		if z == nil {
			return
		}
		if z.init {
			c.fail(d, 0, "duplicate-zone", `sticky zone "%s" is already used in upstream "%s"`, zone, z.key)
			return
		}
		z.init, z.key = true, b.more.upstream.host
	}
}

// stickyZone reads "name:size"; the size before it is that of another one.
func stickyZone(v string, before int64) (zone string, size int64, wrong string) {
	if before != 0 {
		return "", before, "duplicate zone"
	}
	zone, s, ok := strings.Cut(v, ":")
	size, err := value.ParseSize(s)
	switch {
	case !ok:
		wrong = "zone size is not specified"
	case zone == "":
		wrong = "zone name is not specified"
	case err != nil:
		wrong = "invalid zone size"
	case size < 8*pageSize:
		wrong = "zone is too small"
	}
	return zone, size, wrong
}
