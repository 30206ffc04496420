package validate

import (
	"strings"
	"time"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// readAddHeader reads add_header and add_trailer (nginx 1.22:
// ngx_http_headers_add).
func readAddHeader(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.http.variables.text(d, 2) && d.NumArgs() == 3 && cstring(d.Arg(2)) != "always" {
		c.fail(d, 3, "invalid-parameter", `invalid parameter "%s"`, d.Arg(2))
	}
}

// readExpires reads expires (nginx 1.22: ngx_http_headers_expires).
func readExpires(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	word := d.NumArgs()
	modified := word == 2
	if modified && cstring(d.Arg(0)) != "modified" {
		c.refuse(d, "invalid value")
		return
	}
	s := d.Arg(word - 1)
	if strings.IndexByte(s, '$') >= 0 {
		c.http.variables.script(d, word, s)
		return
	}
	if !modified && (s == "epoch" || s == "max" || s == "off") {
		return
	}
	daily := false
	if s != "" {
		switch s[0] {
		case '@':
			if modified {
				c.refuse(d, `daily time cannot be used with "modified" parameter`)
				return
			}
			daily = true
			s = s[1:]
		case '+', '-':
			s = s[1:]
		}
	}
	switch t, err := value.ParseSeconds(s); {
	case err != nil:
		c.refuse(d, "invalid value")
	case daily && t > 24*time.Hour:
		c.refuse(d, "daily time value must be less than 24 hours")
	}
}

// readUserIDExpires reads userid_expires.
func readUserIDExpires(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	switch cstring(d.Arg(0)) {
	case "max", "off":
		return
	}
	_, err := value.ParseSeconds(d.Arg(0))
	c.valid(d, err == nil)
}

// readUserIDMark reads userid_mark.
func readUserIDMark(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	v := d.Arg(0)
	if cstring(v) == "off" || len(v) == 1 && (v[0] == '=' || v[0] != '_' && isVariable[v[0]]) {
		return
	}
	c.refuse(d, `value must be "off" or a single letter, digit or "="`)
}

// A secureLink is where one of the secure_link directives stands.
type secureLink struct {
	b      *block
	d      *nginxconf.Directive
	secret bool
}

// readSecureLink reads secure_link, secure_link_md5 and secure_link_secret.
func readSecureLink(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.slot(b, d, f) {
		c.http.secureLinks = append(c.http.secureLinks, secureLink{b, d, f.Name == "secure_link_secret"})
	}
}

// mergeSecureLinks reports blocks that use both ways of ngx_http_secure_link_module
// (nginx 1.22: ngx_http_secure_link_merge_conf).
func (c *checker) mergeSecureLinks(h *httpMain) {
	secret := map[*block]bool{}
	for _, l := range h.secureLinks {
		if l.secret {
			secret[l.b] = true
		}
	}
	for _, l := range h.secureLinks {
		if !l.secret && secret[l.b] && l.b != h.block {
			c.failAtEnd(h.block.d, "conflicting-directive", `"secure_link_secret" cannot be mixed with "secure_link" and "secure_link_md5"`)
			return
		}
	}
}
