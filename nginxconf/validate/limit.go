package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// limitReader knows ngx_http_limit_req_module, ngx_http_limit_conn_module and
// ngx_stream_limit_conn_module.
func limitReader(f *directive.Form) reader {
	switch f.Name {
	case "limit_req_zone", "limit_conn_zone":
		return readLimitZone
	case "limit_req":
		return readLimitReq
	case "limit_conn":
		return readLimitConn
	case "limit_req_status", "limit_conn_status":
		return readLimitStatus
	}
	return nil
}

func readLimitStatus(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.bounded(b, d, f, 400, 599)
}

// bounded reads a number of a slot that checks its bounds (nginx:
// ngx_conf_check_num_bounds).
func (c *checker) bounded(b *block, d *nginxconf.Directive, f *bound, low, high int64) {
	if !c.slot(b, d, f) {
		return
	}
	if n, _ := value.ParseNumber(d.Arg(0)); n < low || n > high {
		c.fail(d, 1, "invalid-value", "value must be between %d and %d", low, high)
	}
}

// zoneOf reads word i of d, "zone=name:size" (nginx: limit_req_zone and its
// like).
func (c *checker) zoneOf(d *nginxconf.Directive, i int) (name string, size int64, ok bool) {
	p := d.Arg(i - 1)
	rest := p[len("zone="):]
	colon := strings.IndexByte(cstring(rest), ':')
	if colon >= 0 {
		name = rest[:colon]
		n, err := value.ParseSize(rest[colon+1:])
		size, ok = n, err == nil
	}
	if !ok {
		c.fail(d, i, "invalid-zone", `invalid zone size "%s"`, p)
		return "", 0, false
	}
	if size < 8*pageSize {
		c.fail(d, i, "invalid-zone", `zone "%s" is too small`, p)
		return "", 0, false
	}
	return name, size, true
}

// readLimitZone reads limit_req_zone and limit_conn_zone (nginx 1.22:
// ngx_http_limit_req_zone, ngx_http_limit_conn_zone, ngx_stream_limit_conn_zone).
func readLimitZone(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.variables(b).text(d, 1) {
		return
	}
	var name string
	var size int64
	for i := 1; i < d.NumArgs(); i++ {
		p := d.Arg(i)
		ok := false
		switch {
		case strings.HasPrefix(p, "zone="):
			if name, size, ok = c.zoneOf(d, i+1); !ok {
				return
			}
		case strings.HasPrefix(p, "rate=") && f.Name == "limit_req_zone":
			rate := p[len("rate="):]
			if strings.HasSuffix(p, "r/s") || strings.HasSuffix(p, "r/m") {
				rate = rate[:len(rate)-len("r/s")]
			}
			if n, err := value.ParseNumber(rate); err != nil || n == 0 {
				c.fail(d, i+1, "invalid-parameter", `invalid rate "%s"`, p)
				return
			}
		default:
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, p)
			return
		}
	}
	if name == "" {
		c.fail(d, 0, "missing-parameter", `"%s" must have "zone" parameter`, f.Name)
		return
	}
	z := c.zone(d, 2, name, size, f.Module)
	switch {
	case z == nil:
	case z.init:
		c.fail(d, 1, "duplicate-zone", `%s "%s" is already bound to key "%s"`, f.Name, name, z.key)
	default:
		z.init, z.key = true, d.Arg(0)
	}
}

// readLimitReq reads limit_req (nginx 1.22: ngx_http_limit_req).
func readLimitReq(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	var z *zone
	for i := range d.NumArgs() {
		p := d.Arg(i)
		if name, ok := strings.CutPrefix(p, "zone="); ok {
			if z = c.zone(d, i+1, name, 0, f.Module); z == nil {
				return
			}
			continue
		}
		what, text := "", ""
		if s, ok := strings.CutPrefix(p, "burst="); ok {
			what, text = "burst", s
		} else if s, ok := strings.CutPrefix(p, "delay="); ok {
			what, text = "delay", s
		} else if cstring(p) != "nodelay" {
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, p)
			return
		} else {
			continue
		}
		if n, err := value.ParseNumber(text); err != nil || n == 0 {
			c.fail(d, i+1, "invalid-parameter", `invalid %s value "%s"`, what, p)
			return
		}
	}
	if z == nil {
		c.fail(d, 0, "missing-parameter", `"%s" must have "zone" parameter`, f.Name)
	} else if _, again := c.common(b).limits.add(b, z); again {
		c.refuse(d, "is duplicate")
	}
}

// readLimitConn reads limit_conn (nginx 1.22: ngx_http_limit_conn,
// ngx_stream_limit_conn).
func readLimitConn(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	z := c.zone(d, 1, d.Arg(0), 0, f.Module)
	if z == nil {
		return
	}
	if _, again := c.common(b).limits.add(b, z); again {
		c.refuse(d, "is duplicate")
		return
	}
	n, err := value.ParseNumber(d.Arg(1))
	if err != nil || n == 0 {
		c.fail(d, 2, "invalid-value", `invalid number of connections "%s"`, d.Arg(1))
	} else if n > 65535 {
		c.fail(d, 2, "invalid-value", "connection limit must be less 65536")
	}
}
