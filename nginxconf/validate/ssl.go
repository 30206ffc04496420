package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// sslConf is what the http block or a server says of TLS, and, once merged,
// what a server inherits (nginx 1.22: ngx_http_ssl_srv_conf_t).
type sslConf struct {
	certificates, keys *listed // the last first
	*sslMore                   // never nil: see checker.noSSL
}

// sslMore is what few servers say themselves.
type sslMore struct {
	tickets, commands, protocols *listed // the last first

	enable, reject, verify, client, trusted, crl, ocsp, responder, dhparam, curve, ciphers, stapling, compression *nginxconf.Directive
	staplingFile                                                                                                  *nginxconf.Directive
}

// sslConf returns what the block b, of http, stream or mail, says of TLS, to be
// added to.
func (c *checker) sslConf(b *block) *sslConf {
	var of **sslConf
	switch {
	case b.context == directive.Stream:
		of = &c.stream.ssl
	case b.context == directive.StreamServer:
		of = &c.stream.server().ssl
	case b.context == directive.Mail:
		of = &c.mailMain().ssl
	case b.context == directive.MailServer:
		of = &c.mailServer().ssl
	case b.server != nil:
		of = &b.server.ssl
	default:
		of = &c.http.ssl
	}
	if *of == nil {
		*of = c.newSSL()
	}
	return *of
}

func (c *checker) newSSL() *sslConf {
	s := c.sslSlab.New()
	s.sslMore = &c.noSSL
	return s
}

// moreSSL returns what few servers say, to be added to.
func (c *checker) moreSSL(s *sslConf) *sslMore {
	if s.sslMore == &c.noSSL {
		s.sslMore = &sslMore{}
	}
	return s.sslMore
}

// sslReader knows the directives of ngx_http_ssl_module, and those of
// ngx_stream_ssl_module and ngx_mail_ssl_module that are alike.
func sslReader(f *directive.Form) reader {
	switch f.Name {
	case "ssl":
		return readSSL
	case "ssl_session_cache":
		return readSessionCache
	case "ssl_ocsp_cache":
		return readOCSPCache
	case "ssl_password_file":
		return readPasswords
	case "ssl_certificate_cache":
		return readCertificateCache
	case "ssl_ocsp":
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.enum(d, 0, []string{"off", "on", "leaf"}) {
				c.moreSSL(c.sslConf(b)).ocsp = d
			}
		}
	}
	if of := notedSSL(f.Name); of != nil {
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) {
				*of(c.moreSSL(c.sslConf(b))) = d
			}
		}
	}
	if of := notedSSLList(f.Name); of != nil {
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if c.slot(b, d, f) {
				c.list(of(c.moreSSL(c.sslConf(b))), d)
			}
		}
	}
	if f.Name == "ssl_certificate" || f.Name == "ssl_certificate_key" {
		return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
			if !c.slot(b, d, f) {
				return
			}
			s := c.sslConf(b)
			to := &s.certificates
			if f.Name == "ssl_certificate_key" {
				to = &s.keys
			}
			name := d.Arg(0)
			c.list(to, d).special = strings.IndexByte(name, '$') >= 0 || strings.HasPrefix(name, "data:")
		}
	}
	return nil
}

func notedSSL(name string) func(*sslMore) **nginxconf.Directive {
	switch name {
	case "ssl_reject_handshake":
		return func(s *sslMore) **nginxconf.Directive { return &s.reject }
	case "ssl_verify_client":
		return func(s *sslMore) **nginxconf.Directive { return &s.verify }
	case "ssl_client_certificate":
		return func(s *sslMore) **nginxconf.Directive { return &s.client }
	case "ssl_trusted_certificate":
		return func(s *sslMore) **nginxconf.Directive { return &s.trusted }
	case "ssl_crl":
		return func(s *sslMore) **nginxconf.Directive { return &s.crl }
	case "ssl_ocsp_responder":
		return func(s *sslMore) **nginxconf.Directive { return &s.responder }
	case "ssl_dhparam":
		return func(s *sslMore) **nginxconf.Directive { return &s.dhparam }
	case "ssl_ecdh_curve":
		return func(s *sslMore) **nginxconf.Directive { return &s.curve }
	case "ssl_ciphers":
		return func(s *sslMore) **nginxconf.Directive { return &s.ciphers }
	case "ssl_stapling":
		return func(s *sslMore) **nginxconf.Directive { return &s.stapling }
	case "ssl_stapling_file":
		return func(s *sslMore) **nginxconf.Directive { return &s.staplingFile }
	case "ssl_certificate_compression":
		return func(s *sslMore) **nginxconf.Directive { return &s.compression }
	}
	return nil
}

func notedSSLList(name string) func(*sslMore) **listed {
	switch name {
	case "ssl_session_ticket_key":
		return func(s *sslMore) **listed { return &s.tickets }
	case "ssl_conf_command":
		return func(s *sslMore) **listed { return &s.commands }
	case "ssl_protocols":
		return func(s *sslMore) **listed { return &s.protocols }
	}
	return nil
}

// readSSL reads ssl, which is deprecated since nginx 1.15 and gone since
// 1.25.1.
func readSSL(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.flag(d) {
		return
	}
	c.warn(d, 0, "deprecated-directive", `the "ssl" directive is deprecated, use the "listen ... ssl" directive instead`)
	c.moreSSL(c.sslConf(b)).enable = d
}

func readPasswords(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) {
		c.passwordFile(d)
	}
}
