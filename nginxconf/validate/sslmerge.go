package validate

import (
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// mergeSSL hands what the http block says of TLS down to the servers, and looks
// at what comes of it, as nginx does at the end of the http block (nginx 1.22:
// ngx_http_ssl_merge_srv_conf).
func (c *checker) mergeSSL(h *httpMain) {
	up := h.ssl
	var inherited *sslConf
	for _, s := range h.servers {
		if s.ssl == nil {
			if up == nil {
				continue
			}
			if inherited == nil {
				inherited = c.newSSL()
				c.inheritSSL(inherited, up)
				c.finishServerSSL(h, inherited)
			}
			s.ssl = inherited
			continue
		}
		if up != nil {
			c.inheritSSL(s.ssl, up)
		}
		c.finishServerSSL(h, s.ssl)
	}
}

// inheritSSL makes s complete with what up, which is not to change any more, says.
func (c *checker) inheritSSL(s, up *sslConf) {
	s.certificates, s.keys = s.certificates.or(up.certificates), s.keys.or(up.keys)
	switch {
	case up.sslMore == &c.noSSL:
	case s.sslMore == &c.noSSL:
		s.sslMore = up.sslMore
	default:
		s.sslMore.merge(up.sslMore)
	}
}

func (l *listed) or(up *listed) *listed {
	if l == nil {
		return up
	}
	return l
}

func (s *sslMore) merge(up *sslMore) {
	for _, to := range [...]struct{ own, up **nginxconf.Directive }{
		{&s.enable, &up.enable}, {&s.reject, &up.reject}, {&s.verify, &up.verify},
		{&s.client, &up.client}, {&s.trusted, &up.trusted}, {&s.crl, &up.crl}, {&s.ocsp, &up.ocsp},
		{&s.responder, &up.responder}, {&s.dhparam, &up.dhparam}, {&s.curve, &up.curve}, {&s.ciphers, &up.ciphers},
		{&s.stapling, &up.stapling}, {&s.staplingFile, &up.staplingFile}, {&s.compression, &up.compression},
	} {
		*to.own = either(*to.own, *to.up)
	}
	s.tickets, s.commands, s.protocols = s.tickets.or(up.tickets), s.commands.or(up.commands), s.protocols.or(up.protocols)
}

func isOn(d *nginxconf.Directive) bool {
	if d == nil {
		return false
	}
	on, _ := value.ParseFlag(d.Arg(0))
	return on
}

// is tells whether the first argument is that word, in any case.
func is(d *nginxconf.Directive, word string) bool {
	return d != nil && strings.EqualFold(d.Arg(0), word)
}

func (l *listed) len() (n int) {
	for ; l != nil; l = l.next {
		n++
	}
	return n
}

// inOrder returns the directives of a list, the first first.
func (l *listed) inOrder() []*nginxconf.Directive {
	ds := make([]*nginxconf.Directive, l.len())
	for i := len(ds) - 1; i >= 0; i-- {
		ds[i] = l.d
		l = l.next
	}
	return ds
}

// finishServerSSL looks at what a server has of TLS. nginx stops at the first thing
// that is wrong with it.
func (c *checker) finishServerSSL(h *httpMain, s *sslConf) {
	if s.sslMore == &c.noSSL && s.certificates.plain() && s.keys.plain() && c.options.Files == nil {
		s.certificates.loaded = true // a certificate and a key: nearly all servers
		return
	}
	const missing = "missing-certificate"
	nothing := s.certificates == nil && !isOn(s.reject)
	keys, certificates := s.keys.len(), s.certificates.len()
	switch {
	case isOn(s.enable) && s.certificates != nil && keys == 0:
		c.fail(s.enable, 0, missing, `no "ssl_certificate_key" is defined for the "ssl" directive`)
		return
	case isOn(s.enable) && keys < certificates:
		c.fail(s.enable, 0, missing, `no "ssl_certificate_key" is defined for certificate "%s" and the "ssl" directive`, c.certificateName(s))
		return
	case isOn(s.enable) && nothing:
		c.fail(s.enable, 0, missing, `no "ssl_certificate" is defined for the "ssl" directive`)
		return
	case keys < certificates:
		c.failOnce(s.certificates.d, 1, missing, `no "ssl_certificate_key" is defined for certificate "%s"`, c.certificateName(s))
		return
	case nothing:
		return
	}
	c.useSSL(s, h.block, &h.variables, true)
}

// useSSL looks at what nginx makes a context of OpenSSL of, at the end of the
// block of http, stream or mail; v is nil where names of files have no variables.
// If not always, the certificates to trust count only where clients are asked
// for theirs.
func (c *checker) useSSL(s *sslConf, end *block, v *variables, always bool) {
	if !c.ciphers(s.ciphers) || !c.serverCertificates(s, end.d, v) || !c.clientCertificates(s) {
		return
	}
	if always || s.verifies() {
		if !c.trustedFile(s.trusted) || !c.revoked(s.crl) {
			return
		}
	}
	if !c.onlineStatus(s) || !c.dhFile(s.dhparam) || !c.curves(s.curve) || !c.ticketFiles(end.d, s.tickets) {
		return
	}
	if isOn(s.stapling) {
		if isOn(s.compression) {
			c.fail(s.stapling, 0, "conflicting-directives", `"ssl_stapling" is incompatible with "ssl_certificate_compression"`)
			return
		}
		if s.certificates != nil && !c.readable(s.staplingFile, `BIO_new_file("%s") failed`, "rb", "") {
			return
		}
	}
	c.sslCommands(s.commands)
}

// certificateName returns the name of the last certificate of a server. nginx
// makes it absolute when it loads it, for another server that has inherited it
// too.
func (c *checker) certificateName(s *sslConf) string {
	name := s.certificates.d.Arg(0)
	if s.certificates.loaded && !strings.HasPrefix(name, "data:") {
		return c.confName(name)
	}
	return name
}

// plain tells whether there is one directive, that names a file.
func (l *listed) plain() bool { return l != nil && l.next == nil && !l.special }

func (l *listed) load() {
	for ; l != nil; l = l.next {
		l.loaded = true
	}
}

// serverCertificates looks at the certificates and keys of a server, or at the
// variables in their names.
func (c *checker) serverCertificates(s *sslConf, end *nginxconf.Directive, v *variables) bool {
	if s.certificates == nil {
		return true
	}
	special := false
	for _, l := range [...]*listed{s.certificates, s.keys} {
		for ; l != nil; l = l.next {
			special = special || l.special
		}
	}
	if !special && c.options.Files == nil {
		s.certificates.load()
		return true
	}
	certificates, keys := s.certificates.inOrder(), s.keys.inOrder()
	variables := false
	for i, d := range certificates {
		variables = variables || v != nil && (strings.IndexByte(d.Arg(0), '$') >= 0 || strings.IndexByte(keys[i].Arg(0), '$') >= 0)
	}
	if !variables {
		s.certificates.load()
	}
	for i, d := range certificates {
		if !variables {
			if !c.keyPair(d, keys[i]) {
				return false
			}
			continue
		}
		for _, d := range [...]*nginxconf.Directive{d, keys[i]} {
			c.late = end
			_, ok := v.script(d, 1, d.Arg(0))
			c.late = nil
			if !ok {
				return false
			}
		}
	}
	return true
}

// verifies tells whether clients are asked for certificates.
func (s *sslConf) verifies() bool { return s.verify != nil && !is(s.verify, "off") }

func (c *checker) clientCertificates(s *sslConf) bool {
	if !s.verifies() {
		return true
	}
	client := s.client != nil && s.client.Arg(0) != ""
	if !client && !is(s.verify, "optional_no_ca") {
		trusted := c.since(1, 27, 2)
		switch {
		case !trusted:
			c.fail(s.verify, 0, "missing-certificate", "no ssl_client_certificate for ssl_verify_client")
			return false
		case s.trusted == nil || s.trusted.Arg(0) == "":
			c.fail(s.verify, 0, "missing-certificate", "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client")
			return false
		}
	}
	return c.trustedFile(s.client)
}

// onlineStatus looks at ssl_ocsp (nginx 1.22: ngx_ssl_ocsp).
func (c *checker) onlineStatus(s *sslConf) bool {
	if s.ocsp == nil || is(s.ocsp, "off") {
		return true
	}
	if is(s.verify, "optional_no_ca") {
		c.fail(s.ocsp, 0, "conflicting-directives", `"ssl_ocsp" is incompatible with "ssl_verify_client optional_no_ca"`)
		return false
	}
	if s.responder == nil || s.responder.Arg(0) == "" {
		return true
	}
	url := s.responder.Arg(0)
	const scheme = "http://"
	if len(url) <= len(scheme) || !strings.EqualFold(url[:len(scheme)], scheme) {
		c.fail(s.responder, 1, "invalid-address", `invalid URL prefix in OCSP responder "%s" in "ssl_ocsp_responder"`, url)
		return false
	}
	p, err := value.ParseProxyURL(url)
	if err == nil && p.Unix == "" && !p.Addr.IsValid() {
		err = c.resolve(value.Socket{Host: p.Host})
	}
	if err != nil {
		reason, _, _ := strings.Cut(err.Error(), " in upstream ")
		c.fail(s.responder, 1, "invalid-address", `%s in OCSP responder "%s" in "ssl_ocsp_responder"`, reason, url[len(scheme):])
		return false
	}
	return true
}

// secureBackend looks at what is said of TLS to a backend that is spoken to so
// (nginx 1.22: ngx_http_proxy_set_ssl).
func (c *checker) secureBackend(kind backend, t *backendTLS) {
	k := kind.String()
	late := c.late
	c.late = nil // nginx names no place
	defer func() { c.late = late }()
	c.useTLS(t, k)
}

// useTLS looks at what nginx makes a context of OpenSSL of for what speaks to a
// backend; the directives' names begin with k.
func (c *checker) useTLS(t *backendTLS, k string) {
	if !c.ciphers(t.ciphers) {
		return
	}
	// Between 1.21.0 and 1.23.0, "" is a file.
	if d := t.certificate; d != nil && (d.Arg(0) != "" || c.since(1, 21, 0) && !c.since(1, 23, 0)) {
		if t.key == nil {
			c.fail(d, 1, "missing-certificate", `no "%s_ssl_certificate_key" is defined for certificate "%s"`, k, d.Arg(0))
			return
		}
		if strings.IndexByte(d.Arg(0), '$') < 0 && strings.IndexByte(t.key.Arg(0), '$') < 0 && !c.keyPair(d, t.key) {
			return
		}
	}
	if isOn(t.verify) {
		if t.trusted == nil || t.trusted.Arg(0) == "" {
			c.fail(t.verify, 0, "missing-certificate", `no %s_ssl_trusted_certificate for %s_ssl_verify`, k, k)
			return
		}
		if !c.trustedFile(t.trusted) || !c.revoked(t.crl) {
			return
		}
	}
	c.sslCommands(t.commands)
}

func (t *backendTLS) merge(up *backendTLS) {
	t.certificate = either(t.certificate, up.certificate)
	t.key = either(t.key, up.key)
	t.ciphers = either(t.ciphers, up.ciphers)
	t.verify = either(t.verify, up.verify)
	t.trusted = either(t.trusted, up.trusted)
	t.crl = either(t.crl, up.crl)
	t.protocols = either(t.protocols, up.protocols)
	if t.commands == nil {
		t.commands = up.commands
	}
}

// finishSecureSockets looks for a certificate for each socket that speaks TLS
// (nginx 1.22: ngx_http_ssl_init). nginx goes from port to port.
func (c *checker) finishSecureSockets(h *httpMain) {
	if !slices.ContainsFunc(h.sockets.list, (*socket).secure) {
		return
	}
	type portOf struct {
		port             uint16
		six, local, quic bool
	}
	order := map[portOf]int{}
	var ports [][]*socket
	for _, s := range h.sockets.list {
		key := portOf{s.Port, s.Addr.Is6(), s.Unix != "", s.quic}
		n, ok := order[key]
		if !ok {
			n = len(ports)
			order[key] = n
			ports = append(ports, nil)
		}
		if s.secure() {
			ports[n] = append(ports[n], s)
		}
	}
	for _, port := range ports {
		for _, s := range port {
			c.secureSocket(s)
		}
	}
}

func (s *socket) secure() bool { return s.ssl || s.quic }

func (c *checker) secureSocket(s *socket) {
	how := "ssl"
	if s.quic {
		how = "quic"
	}
	byDefault := s.defaultServer
	if byDefault == nil {
		byDefault = s.servers[0]
	}
	conf := byDefault.ssl
	if conf != nil && conf.certificates != nil {
		if s.quic && c.since(1, 25, 4) && conf.protocols != nil && !conf.protocols.have("TLSv1.3") {
			c.failOnce(byDefault.root.block.d, 0, "insecure-protocol", `"ssl_protocols" must enable TLSv1.3 for the "listen ... %s" directive`, how)
		}
		return
	}
	servers := s.servers // if the default server has none, all are asked for theirs
	if conf == nil || !isOn(conf.reject) {
		servers = []*server{byDefault}
	}
	for _, srv := range servers {
		if conf := srv.ssl; conf == nil || conf.certificates == nil && !isOn(conf.reject) {
			c.failOnce(srv.root.block.d, 0, "missing-certificate", `no "ssl_certificate" is defined for the "listen ... %s" directive`, how)
			return
		}
	}
}

// have tells whether one of the directives has that argument, in any case.
func (l *listed) have(v string) bool {
	for ; l != nil; l = l.next {
		for i := range l.d.NumArgs() {
			if strings.EqualFold(l.d.Arg(i), v) {
				return true
			}
		}
	}
	return false
}
