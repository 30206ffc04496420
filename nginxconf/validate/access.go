package validate

import (
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// readAccess reads allow and deny (nginx 1.22: ngx_http_access_rule,
// ngx_stream_access_rule).
func readAccess(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := d.Arg(0)
	if v == "all" || v == "unix:" {
		return
	}
	switch _, hostBits, err := value.ParseCIDR(v); {
	case err != nil:
		c.fail(d, 1, "invalid-parameter", `invalid parameter "%s"`, v)
	case hostBits:
		c.hostBits(d, 1, v)
	}
}

// readRealIPFrom reads set_real_ip_from (nginx 1.22: ngx_http_realip_from,
// ngx_stream_realip_from).
func readRealIPFrom(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := d.Arg(0)
	if cstring(v) == "unix:" {
		return
	}
	switch _, hostBits, err := value.ParseCIDR(v); {
	case err == nil && hostBits:
		c.hostBits(d, 1, v)
	case err != nil && !c.resolves(v):
		c.fail(d, 1, "unknown-host", `host not found in set_real_ip_from "%s"`, v)
	}
}

// resolves tells whether a host name is found, if the caller wants that looked
// up. No name has a slash or is empty.
func (c *checker) resolves(host string) bool {
	if host == "" || strings.IndexByte(host, '/') >= 0 {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil || isNumericHost(host) {
		return true
	}
	return c.options.Resolve == nil || c.options.Resolve(host) == nil
}

// readNetwork reads geoip_proxy.
func readNetwork(c *checker, b *block, d *nginxconf.Directive, f *bound) { c.network(d, 1, d.Arg(0)) }

// readUserFile reads auth_basic_user_file (nginx 1.22:
// ngx_http_auth_basic_user_file).
func readUserFile(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) {
		c.http.variables.fileText(d, 1)
	}
}
