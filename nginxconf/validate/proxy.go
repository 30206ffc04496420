package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// readProxyRedirect reads proxy_redirect (nginx 1.22: ngx_http_proxy_redirect).
func readProxyRedirect(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	n := c.backendConf(b, proxyBackend)
	state := &n.own().redirect
	strict := c.since(1, 19, 3) // before, what follows "off" is as if it were not there
	if *state == off {
		if strict {
			c.refuse(d, "is duplicate")
		}
		return
	}
	first := cstring(d.Arg(0))
	if d.NumArgs() == 1 {
		switch {
		case first == "off" && *state == on && strict:
			c.refuse(d, "is duplicate")
		case first == "false" && !strict:
			*state = off
		case first == "off":
			*state = off
		case first != "default":
			c.parameter(d, 0)
		case n.pass == passesVariable:
			c.fail(d, 1, "invalid-value", `"proxy_redirect default" cannot be used with "proxy_pass" directive with variables`)
		case n.pass != passesURL:
			c.fail(d, 1, "invalid-value", `"proxy_redirect default" should be placed after the "proxy_pass" directive`)
		default:
			*state = on
		}
		return
	}
	*state = on
	c.rewrite(d, 0)
}

// rewrite reads what a header is compared with, argument i, and, in the next
// one, what takes the place of that.
func (c *checker) rewrite(d *nginxconf.Directive, i int) {
	s := d.Arg(i)
	if pattern, ok := strings.CutPrefix(s, "~"); ok {
		pattern, caseless := strings.CutPrefix(pattern, "*")
		if !c.regex(&c.http.variables, d, i+1, pattern, caseless) {
			return
		}
	} else if _, ok := c.http.variables.script(d, i+1, s); !ok {
		return
	}
	c.http.variables.script(d, i+2, d.Arg(i+1))
}

// cookieReader reads a directive that is off, or tells what to do with a
// cookie: what does not come alone is left to read.
func cookieReader(of func(*backendMore) *given, read func(c *checker, d *nginxconf.Directive)) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		state := of(c.backendConf(b, proxyBackend).own())
		strict := c.since(1, 19, 3) // see readProxyRedirect
		switch {
		case *state == off:
			if strict {
				c.refuse(d, "is duplicate")
			}
		case d.NumArgs() > 1:
			*state = on
			read(c, d)
		case cstring(d.Arg(0)) != "off":
			c.parameter(d, 0)
		case *state == on && strict:
			c.refuse(d, "is duplicate")
		default:
			*state = off
		}
	}
}

// cookieDomain reads proxy_cookie_domain (nginx 1.22:
// ngx_http_proxy_cookie_domain).
func (c *checker) cookieDomain(d *nginxconf.Directive) {
	s, to := d.Arg(0), d.Arg(1)
	v := &c.http.variables
	if pattern, ok := strings.CutPrefix(s, "~"); ok {
		if !c.regex(v, d, 1, pattern, true) {
			return
		}
	} else if _, ok := v.script(d, 1, s); !ok {
		return
	}
	v.script(d, 2, to)
}

// cookiePath reads proxy_cookie_path (nginx 1.22: ngx_http_proxy_cookie_path).
func (c *checker) cookiePath(d *nginxconf.Directive) { c.rewrite(d, 0) }

// cookieFlags reads proxy_cookie_flags (nginx 1.22:
// ngx_http_proxy_cookie_flags).
func (c *checker) cookieFlags(d *nginxconf.Directive) {
	s := d.Arg(0)
	v := &c.http.variables
	if pattern, ok := strings.CutPrefix(s, "~"); ok {
		if !c.regex(v, d, 1, pattern, true) {
			return
		}
	} else if _, ok := v.script(d, 1, s); !ok {
		return
	}
	for i := 1; i < d.NumArgs(); i++ {
		if _, ok := v.script(d, i+1, d.Arg(i)); !ok {
			return
		}
	}
}
