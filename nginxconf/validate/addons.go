package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// addonReader knows modules that do not come with nginx. They are read with
// care: what they may define is taken to be defined.
func addonReader(f *directive.Form) reader {
	switch f.Module {
	case "ngx_http_echo_module":
		if f.Type == directive.Custom {
			return readEcho
		}
	case "ngx_http_headers_more_filter_module":
		return readMoreHeaders
	case "ngx_http_subs_filter_module":
		if f.Name == "subs_filter" {
			return readSubsFilter
		}
	case "ngx_http_dav_ext_module":
		switch f.Name {
		case "dav_ext_lock_zone":
			return readLockZone
		case "dav_ext_lock":
			return readLock
		}
	case "ngx_http_geoip2_module", "ngx_stream_geoip2_module":
		switch f.Name {
		case "geoip2":
			return readGeoIP2
		case "geoip2_proxy":
			return readNetwork
		}
	case "ngx_http_set_misc_module", "ngx_http_lua_module", "ngx_http_js_module", "ngx_stream_js_module",
		"ngx_stream_lua_module", "ngx_http_vhost_traffic_status_module":
		if f.Type == directive.Custom {
			return readDefining
		}
	}
	return nil
}

// declare notes that a variable may be there.
func (v *variables) declare(name string) {
	key := lower(name)
	if v.defined[key] == nil && v.known(key) == nil {
		v.defined[key] = &variable{}
	}
}

// readDefining takes the words that are variables for ones that are defined.
func readDefining(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := c.variables(b)
	for i := range d.NumArgs() {
		name, ok := strings.CutPrefix(d.Arg(i), "$")
		if ok && name != "" && strings.IndexFunc(name, func(r rune) bool { return r > 0x7f || !isVariable[r] }) < 0 {
			v.declare(name)
		}
	}
}

// readEcho reads the directives of echo, whose words are text with variables
// (ngx_http_echo_helper).
func readEcho(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for i := range d.NumArgs() {
		if !c.http.variables.text(d, i+1) {
			return
		}
	}
}

// readMoreHeaders reads the directives of headers-more 0.34
// (ngx_http_headers_more_parse_directive): options, some with a word of their
// own behind them, and headers.
func readMoreHeaders(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	clear, input := strings.Contains(f.Name, "clear"), strings.Contains(f.Name, "input")
	for i := 0; i < d.NumArgs(); i++ {
		s := d.Arg(i)
		switch {
		case s == "-t", s == "-s" && !input:
			if i == d.NumArgs()-1 {
				c.fail(d, i+1, "invalid-parameter", "%s: option %s takes an argument.", f.Name, s)
				return
			}
			i++
		case s == "-r" && input, s == "-a" && !input: // -a came later
		case strings.HasPrefix(s, "-"):
			c.fail(d, i+1, "invalid-parameter", `%s: invalid option name: "%s"`, f.Name, s)
			return
		case clear: // a value counts for nothing
		default:
			start := strings.IndexAny(s, ": \t\n\v\f\r")
			if start < 0 || strings.IndexByte(s[start:], '$') < 0 {
				continue
			}
			if _, ok := c.http.variables.script(d, i+1, s[start:]+"\x00"); !ok {
				return
			}
		}
	}
}

// readSubsFilter reads subs_filter (ngx_http_subs_filter). Only newer releases
// look for variables in what is to be replaced.
func readSubsFilter(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := &c.http.variables
	options := ""
	if d.NumArgs() > 2 {
		options = d.Arg(2)
	}
	if !v.text(d, 2) || strings.IndexByte(options, 'r') < 0 {
		return
	}
	pattern, to := d.Arg(0), d.Arg(1)
	info, err := pcre.Check(pattern, strings.IndexByte(options, 'i') >= 0)
	if err != nil {
		c.fail(d, 1, "invalid-regex", "%s", err.Nginx(pattern))
		return
	}
	for i := strings.IndexByte(to, '$'); i >= 0 && i+1 < len(to); i++ {
		if n := int(to[i+1]) - '0'; to[i] == '$' && 1 <= n && n <= 9 && n > info.Captures && !info.Unsure {
			c.fail(d, 2, "invalid-regex", `You want to capture too many regex substrings, more than %d in "%s"`, info.Captures, to)
			return
		}
	}
}

// readLockZone reads dav_ext_lock_zone (ngx_http_dav_ext_lock_zone).
func readLockZone(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	var name string
	var size int64
	for i := range d.NumArgs() {
		p := d.Arg(i)
		if strings.HasPrefix(p, "zone=") {
			var ok bool
			if name, size, ok = c.zoneOf(d, i+1); !ok {
				return
			}
		} else if s, ok := strings.CutPrefix(p, "timeout="); ok {
			if t, err := value.ParseSeconds(s); err != nil || t == 0 {
				c.fail(d, i+1, "invalid-parameter", `invalid timeout value "%s"`, p)
				return
			}
		} else {
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, p)
			return
		}
	}
	if name == "" {
		c.fail(d, 0, "missing-parameter", `"%s" must have "zone" parameter`, f.Name)
		return
	}
	z := c.zone(d, 1, name, size, f.Module)
	if z != nil && z.init {
		c.fail(d, 1, "duplicate-zone", `duplicate zone "%s"`, name)
	} else if z != nil {
		z.init = true
	}
}

// readLock reads dav_ext_lock (ngx_http_dav_ext_lock).
func readLock(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	name, ok := strings.CutPrefix(d.Arg(0), "zone=")
	if !ok {
		c.fail(d, 1, "invalid-parameter", `invalid parameter "%s"`, d.Arg(0))
		return
	}
	c.zone(d, 1, name, 0, f.Module)
}

// readGeoIP2 reads a geoip2 block, without its database
// (ngx_http_geoip2_parse_config).
func readGeoIP2(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := c.variables(b)
	if name := c.fullName(d.Arg(0)); !insert(&c.common(b).databases, name) {
		c.fail(d, 1, "duplicate-database", "Duplicate GeoIP2 mmdb - %s", name)
	}
	c.words(d, func(e *nginxconf.Directive) {
		name, variable := strings.CutPrefix(e.Name(), "$")
		switch {
		case variable:
			c.geoIP2Variable(v, e, name)
		case e.Name() != "auto_reload":
			c.fail(e, 0, "invalid-value", `invalid setting "%s"`, e.Name())
		case e.NumArgs() != 1:
			c.fail(e, 0, "wrong-arguments", "invalid number of arguments for auto_reload")
		default:
			if _, err := value.ParseSeconds(e.Arg(0)); err != nil {
				c.fail(e, 1, "invalid-value", `invalid interval for auto_reload "%s"`, e.Arg(0))
			}
		}
	})
}

func (c *checker) geoIP2Variable(v *variables, e *nginxconf.Directive, name string) {
	var fallback, source bool
	for i := range e.NumArgs() {
		p := e.Arg(i)
		if i == 0 && p == "metadata" || strings.IndexByte(p, '=') < 0 {
			break // from here on, where to look
		}
		if s, ok := strings.CutPrefix(p, "default="); ok && s != "" {
			if fallback {
				c.fail(e, i+1, "duplicate-parameter", `default has already been declared for  "$%s"`, name)
				return
			}
			fallback = true
		} else if s, ok := strings.CutPrefix(p, "source="); ok && s != "" {
			if source {
				c.fail(e, i+1, "duplicate-parameter", `source has already been declared for  "$%s"`, name)
				return
			}
			source = true
			if s[0] != '$' {
				c.fail(e, i+1, "invalid-variable", `invalid source variable name "%s"`, s)
				return
			}
			if _, ok := v.script(e, i+1, s); !ok {
				return
			}
		} else {
			c.fail(e, i+1, "invalid-parameter", `invalid setting "%s" for "$%s"`, p, name)
			return
		}
	}
	v.define(e, 0, name, false)
}
