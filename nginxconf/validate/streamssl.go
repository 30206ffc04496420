package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// streamSSLReader knows ngx_stream_ssl_module.
func streamSSLReader(f *directive.Form) reader {
	switch f.Name {
	case "ssl_password_file":
		return once
	case "ssl_certificate", "ssl_certificate_key", "ssl_client_certificate", "ssl_trusted_certificate", "ssl_verify_client",
		"ssl_reject_handshake", "ssl_ocsp", "ssl_stapling", "ssl_certificate_compression":
		return readKept
	case "ssl_session_cache":
		return readSessionCache
	case "ssl_alpn":
		return readALPN
	case "ssl_certificate_cache":
		return readCertificateCache
	case "ssl_ocsp_cache":
		return readOCSPCache
	}
	return nil
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

// keptLast returns the last directive of that name in the nearest block that has
// one, and how many there are in it, as nginx merges arrays.
func (b *block) keptLast(name string) (d *nginxconf.Directive, n int) {
	for ; b != nil && n == 0; b = b.up {
		for i := range b.noted() {
			if b.noted()[i].name == name {
				d = b.noted()[i].d
				n++
			}
		}
	}
	return d, n
}

// finishSSL looks at what the server block b, with what it inherits, says of
// TLS (nginx: ngx_stream_ssl_merge_conf, ngx_mail_ssl_merge_conf). The directive
// d turned it on; mode is how nginx names it.
func (c *checker) finishSSL(b *block, d *nginxconf.Directive, mode string) {
	certificate, n := b.keptLast("ssl_certificate")
	_, keys := b.keptLast("ssl_certificate_key")
	switch {
	case n == 0:
		c.fail(d, 0, "missing-certificate", `no "ssl_certificate" is defined for the "%s" directive`, mode)
	case keys == 0:
		c.fail(d, 0, "missing-certificate-key", `no "ssl_certificate_key" is defined for the "%s" directive`, mode)
	case keys < n:
		c.fail(d, 0, "missing-certificate-key", `no "ssl_certificate_key" is defined for certificate "%s" and the "%s" directive`, certificate.Arg(0), mode)
	case b.context == directive.MailServer || c.compileCertificates(b):
		c.finishVerify(b, d)
	}
}

// compileCertificates reads the names of certificates and keys of a server of
// stream as texts with variables, if there is one among them.
func (c *checker) compileCertificates(b *block) bool {
	variables := false
	names := [...]string{"ssl_certificate", "ssl_certificate_key"}
	for _, name := range names {
		for d := range b.keptAll(name) {
			variables = variables || strings.IndexByte(d.Arg(0), '$') >= 0
		}
	}
	if !variables {
		return true
	}
	for _, name := range names {
		for d := range b.keptAll(name) {
			for _, err := range value.Parts(d.Arg(0)) {
				if err != nil {
					c.failAtEnd(c.stream.block.d, "invalid-variable", "%s", err)
					return false
				}
			}
			c.stream.variables.script(d, 1, d.Arg(0))
		}
	}
	return true
}

// keptAll ranges over the directives of that name in the nearest block that has
// one.
func (b *block) keptAll(name string) func(yield func(*nginxconf.Directive) bool) {
	return func(yield func(*nginxconf.Directive) bool) {
		for ; b != nil; b = b.up {
			found := false
			for _, n := range b.noted() {
				if n.name == name {
					found = true
					if !yield(n.d) {
						return
					}
				}
			}
			if found {
				return
			}
		}
	}
}

// inheritedArg returns the argument of a directive that is in force in b, or "".
func (b *block) inheritedArg(name string) string {
	if d := b.inherited(name); d != nil {
		return d.Arg(0)
	}
	return ""
}

// finishVerify looks at ssl_verify_client. nginx names no place.
func (c *checker) finishVerify(b *block, d *nginxconf.Directive) bool {
	verify := strings.ToLower(b.inheritedArg("ssl_verify_client"))
	if verify == "" || verify == "off" || verify == "optional_no_ca" || b.inheritedArg("ssl_client_certificate") != "" {
		return true
	}
	switch {
	case !c.since(1, 27, 2):
		c.fail(b.inherited("ssl_verify_client"), 0, "missing-client-certificate", "no ssl_client_certificate for ssl_verify_client")
	case b.inheritedArg("ssl_trusted_certificate") == "":
		c.fail(b.inherited("ssl_verify_client"), 0, "missing-client-certificate", "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client")
	default:
		return true
	}
	return false
}

// finishStreamSSL does the same for stream since it has virtual servers (nginx
// 1.25.5: ngx_stream_ssl_merge_srv_conf, ngx_stream_ssl_init).
func (c *checker) finishStreamSSL(s *streamMain) {
	for _, srv := range s.servers {
		b := srv.block
		certificate, n := b.keptLast("ssl_certificate")
		_, keys := b.keptLast("ssl_certificate_key")
		reject := strings.EqualFold(b.inheritedArg("ssl_reject_handshake"), "on")
		switch {
		case keys < n:
			c.fail(certificate, 1, "missing-certificate-key", `no "ssl_certificate_key" is defined for certificate "%s"`, certificate.Arg(0))
		case n == 0 && !reject:
		case c.compileCertificates(b) && c.finishVerify(b, b.d):
			c.finishOCSP(b)
		}
	}
	for _, at := range s.listens.list {
		if !at.ssl || at.defaultServer.certified() {
			continue
		}
		blame := []*streamServer{at.defaultServer}
		if at.defaultServer.rejects() {
			blame = at.servers
		}
		for _, srv := range blame {
			if !srv.certified() && !srv.rejects() {
				c.fail(srv.block.d, 0, "missing-certificate", `no "ssl_certificate" is defined for the "listen ... ssl" directive`)
				break
			}
		}
	}
}

func (s *streamServer) certified() bool {
	_, n := s.block.keptLast("ssl_certificate")
	return n > 0
}

func (s *streamServer) rejects() bool {
	return strings.EqualFold(s.block.inheritedArg("ssl_reject_handshake"), "on")
}

func (c *checker) finishOCSP(b *block) {
	ocsp := strings.ToLower(b.inheritedArg("ssl_ocsp"))
	if ocsp != "" && ocsp != "off" && strings.EqualFold(b.inheritedArg("ssl_verify_client"), "optional_no_ca") {
		c.fail(b.inherited("ssl_ocsp"), 0, "conflicting-directives", `"ssl_ocsp" is incompatible with "ssl_verify_client optional_no_ca"`)
		return
	}
	if strings.EqualFold(b.inheritedArg("ssl_stapling"), "on") && strings.EqualFold(b.inheritedArg("ssl_certificate_compression"), "on") {
		c.fail(b.inherited("ssl_stapling"), 0, "conflicting-directives", `"ssl_stapling" is incompatible with "ssl_certificate_compression"`)
	}
}

// finishProxySSL looks at what a server says of TLS to its backend (nginx:
// ngx_stream_proxy_set_ssl). nginx names no place.
func (c *checker) finishProxySSL(b *block) {
	if on := b.inherited("proxy_ssl"); on == nil || !strings.EqualFold(on.Arg(0), "on") {
		return
	}
	certificate := b.inherited("proxy_ssl_certificate")
	if certificate != nil && (certificate.Arg(0) != "" || !c.since(1, 23, 0)) && b.inherited("proxy_ssl_certificate_key") == nil {
		c.fail(certificate, 1, "missing-certificate-key", `no "proxy_ssl_certificate_key" is defined for certificate "%s"`, certificate.Arg(0))
		return
	}
	if verify := b.inherited("proxy_ssl_verify"); verify != nil && strings.EqualFold(verify.Arg(0), "on") && b.inheritedArg("proxy_ssl_trusted_certificate") == "" {
		c.fail(verify, 0, "missing-trusted-certificate", "no proxy_ssl_trusted_certificate for proxy_ssl_verify")
	}
}
