package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// streamSSLReader knows ngx_stream_ssl_module.
func streamSSLReader(f *directive.Form) reader {
	if f.Name == "ssl_alpn" {
		return readALPN
	}
	return sslReader(f)
}

// readALPN reads ssl_alpn (nginx 1.21.4: ngx_stream_ssl_alpn).
func readALPN(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	for i := range d.NumArgs() {
		if len(d.Arg(i)) > maxALPN {
			c.refuse(d, "protocol too long")
			return
		}
	}
}

// readSessionCache reads ssl_session_cache of stream and mail (nginx:
// ngx_stream_ssl_session_cache, ngx_mail_ssl_session_cache).
func readSessionCache(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for i := range d.NumArgs() {
		v := d.Arg(i)
		switch s := cstring(v); {
		case s == "off", s == "none", s == "builtin":
			continue
		}
		if n, ok := strings.CutPrefix(v, "builtin:"); ok && n != "" {
			if _, err := value.ParseNumber(n); err == nil {
				continue
			}
		}
		name, size, ok := sharedCache(v)
		switch {
		case !ok:
			c.fail(d, i+1, "invalid-session-cache", `invalid session cache "%s"`, v)
			return
		case size < 8*pageSize:
			c.fail(d, i+1, "invalid-session-cache", `session cache "%s" is too small`, v)
			return
		case c.zone(d, i+1, name, size, f.Module) == nil:
			return
		}
	}
}

// sharedCache reads "shared:NAME:SIZE".
func sharedCache(v string) (name string, size int64, ok bool) {
	v, ok = strings.CutPrefix(v, "shared:")
	name, text, found := strings.Cut(v, ":")
	if !ok || !found || name == "" {
		return "", 0, false
	}
	size, err := value.ParseSize(text)
	return name, size, err == nil
}

// readOCSPCache reads ssl_ocsp_cache (nginx 1.27.2: ngx_stream_ssl_ocsp_cache).
func readOCSPCache(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := d.Arg(0)
	if c.duplicate(b, d, f) || cstring(v) == "off" {
		return
	}
	name, size, ok := sharedCache(v)
	switch {
	case !ok:
		c.fail(d, 1, "invalid-ocsp-cache", `invalid OCSP cache "%s"`, v)
	case size < 8*pageSize:
		c.fail(d, 1, "invalid-ocsp-cache", `OCSP cache "%s" is too small`, v)
	case strings.HasPrefix(f.Module, "ngx_http_"):
		c.zone(d, 1, name, size, f.Module+"_ctx") // a use of its own
	default:
		c.zone(d, 1, name, size, f.Module)
	}
}

// readCertificateCache reads ssl_certificate_cache and proxy_ssl_certificate_cache
// (nginx 1.27.4: ngx_stream_ssl_certificate_cache).
func readCertificateCache(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	limited, off := false, false
	for i := range d.NumArgs() {
		v := d.Arg(i)
		ok := cstring(v) == "off"
		off = off || ok
		name, text, equals := strings.Cut(v, "=")
		switch {
		case !equals:
		case name == "max":
			n, err := value.ParseNumber(text)
			ok = err == nil && n > 0
			limited = ok
		case name == "inactive", name == "valid":
			_, err := value.ParseSeconds(text)
			ok = err == nil
		}
		if !ok {
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, v)
			return
		}
	}
	if !off && !limited {
		c.fail(d, 0, "missing-parameter", `"%s" must have the "max" parameter`, f.Name)
	}
}

// serverSSL returns what a server of stream or mail says of TLS, with what it
// inherits.
func (c *checker) serverSSL(s, up *sslConf) *sslConf {
	if s == nil {
		s = c.newSSL()
	}
	if up != nil {
		c.inheritSSL(s, up)
	}
	return s
}

// finishSSL looks at what a server of stream or mail has of TLS, which the
// directive d turned on; mode is how nginx names it (nginx 1.22:
// ngx_stream_ssl_merge_conf, ngx_mail_ssl_merge_conf).
func (c *checker) finishSSL(s *sslConf, d *nginxconf.Directive, mode string, end *block, v *variables) {
	keys, certificates := s.keys.len(), s.certificates.len()
	switch {
	case certificates == 0:
		c.fail(d, 0, "missing-certificate", `no "ssl_certificate" is defined for the "%s" directive`, mode)
	case keys == 0:
		c.fail(d, 0, "missing-certificate", `no "ssl_certificate_key" is defined for the "%s" directive`, mode)
	case keys < certificates:
		c.fail(d, 0, "missing-certificate", `no "ssl_certificate_key" is defined for certificate "%s" and the "%s" directive`, c.certificateName(s), mode)
	default:
		c.useSSL(s, end, v, false)
	}
}

// finishStreamSSL does the same for stream since it has virtual servers (nginx
// 1.25.5: ngx_stream_ssl_merge_srv_conf).
func (c *checker) finishStreamSSL(s *streamMain, conf *sslConf) {
	switch {
	case conf.keys.len() < conf.certificates.len():
		c.failOnce(conf.certificates.d, 1, "missing-certificate", `no "ssl_certificate_key" is defined for certificate "%s"`, c.certificateName(conf))
	case conf.certificates != nil || isOn(conf.reject):
		c.useSSL(conf, s.block, &s.variables, true)
	}
}

// finishSecureStreams looks for a certificate for each socket that speaks TLS
// (nginx 1.25.5: ngx_stream_ssl_init).
func (c *checker) finishSecureStreams(s *streamMain) {
	for _, at := range s.listens.list {
		if !at.ssl || at.defaultServer.ssl.certificates != nil {
			continue
		}
		servers := []*streamServer{at.defaultServer}
		if isOn(at.defaultServer.ssl.reject) {
			servers = at.servers
		}
		for _, srv := range servers {
			if srv.ssl.certificates == nil && !isOn(srv.ssl.reject) {
				c.fail(srv.block.d, 0, "missing-certificate", `no "ssl_certificate" is defined for the "listen ... ssl" directive`)
				break
			}
		}
	}
}

// finishProxySSL looks at what a server says of TLS to its backend (nginx:
// ngx_stream_proxy_set_ssl).
func (c *checker) finishProxySSL(s *streamMain, srv *streamServer) {
	if srv.tls == nil {
		srv.tls = &backendTLS{}
	}
	if s.tls != nil {
		srv.tls.merge(s.tls)
	}
	if isOn(srv.block.inherited("proxy_ssl")) {
		c.useTLS(srv.tls, "proxy")
	}
}

// notedTLS returns the place for a directive of ngx_stream_proxy_module that
// speaks of TLS.
func notedTLS(name string) func(*backendTLS) **nginxconf.Directive {
	switch name {
	case "proxy_ssl_certificate":
		return func(t *backendTLS) **nginxconf.Directive { return &t.certificate }
	case "proxy_ssl_certificate_key":
		return func(t *backendTLS) **nginxconf.Directive { return &t.key }
	case "proxy_ssl_ciphers":
		return func(t *backendTLS) **nginxconf.Directive { return &t.ciphers }
	case "proxy_ssl_verify":
		return func(t *backendTLS) **nginxconf.Directive { return &t.verify }
	case "proxy_ssl_trusted_certificate":
		return func(t *backendTLS) **nginxconf.Directive { return &t.trusted }
	case "proxy_ssl_crl":
		return func(t *backendTLS) **nginxconf.Directive { return &t.crl }
	}
	return nil
}

// streamTLS returns what the block b of stream says of TLS to backends, to be
// added to.
func (c *checker) streamTLS(b *block) *backendTLS {
	of := &c.stream.tls
	if b.context == directive.StreamServer {
		of = &c.stream.server().tls
	}
	if *of == nil {
		*of = &backendTLS{}
	}
	return *of
}
