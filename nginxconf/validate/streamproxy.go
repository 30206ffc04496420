package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// streamProxyReader knows ngx_stream_proxy_module.
func streamProxyReader(f *directive.Form) reader {
	switch f.Name {
	case "proxy_pass":
		return readStreamProxyPass
	case "proxy_bind":
		return readBind
	case "proxy_ssl_password_file":
		return readPasswords
	case "proxy_ssl":
		return readKept
	case "proxy_ssl_alpn":
		return readStreamProxyALPN
	case "proxy_ssl_certificate_cache":
		return readCertificateCache
	case "proxy_ssl_conf_command":
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) {
				t := c.streamTLS(b)
				t.commands = &listed{d: d, next: t.commands}
			}
		}
	}
	if of := notedTLS(f.Name); of != nil {
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) {
				*of(c.streamTLS(b)) = d
			}
		}
	}
	return nil
}

// readKept reads a directive that a module looks at when its block has been
// read.
func readKept(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.slot(b, d, f) {
		b.keep(f.Name, d)
	}
}

// readStreamProxyPass reads proxy_pass of stream (nginx: ngx_stream_proxy_pass).
func readStreamProxyPass(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	s := c.stream
	s.server().handler = true
	if n, ok := s.variables.script(d, 1, d.Arg(0)); !ok || n > 0 {
		return
	}
	to, err := value.ParseAddress(d.Arg(0), 0)
	if err != nil {
		c.fail(d, 1, "invalid-upstream", `%s in upstream "%s"`, err, d.Arg(0))
		return
	}
	s.upstreams.use(c, d, to)
}

// maxALPN is the longest name of a protocol.
const maxALPN = 255

func readStreamProxyALPN(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	for i := range d.NumArgs() {
		n, ok := c.stream.variables.script(d, i+1, d.Arg(i))
		if !ok {
			return
		}
		if n == 0 && len(d.Arg(i)) > maxALPN {
			c.refuse(d, "protocol too long")
			return
		}
	}
}

func readStreamReturn(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) {
		c.stream.server().handler = true
		c.stream.variables.script(d, 1, d.Arg(0))
	}
}

// readStreamPass reads pass (nginx 1.25.5: ngx_stream_pass).
func readStreamPass(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	c.stream.server().handler = true
	if n, ok := c.stream.variables.script(d, 1, d.Arg(0)); !ok || n > 0 {
		return
	}
	to, err := value.ParseAddress(d.Arg(0), 0)
	switch {
	case err != nil:
		c.fail(d, 1, "invalid-address", `%s in "%s" of the "pass" directive`, err, d.Arg(0))
	case to.Host != "":
		c.refuse(d, "has no addresses")
	case to.Port == 0 && to.Unix == "":
		c.refuse(d, "has no port")
	}
}
