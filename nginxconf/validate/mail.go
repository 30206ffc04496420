package validate

import (
	"errors"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// mailMain is what nginx keeps of the mail block.
type mailMain struct {
	block   *block
	servers []*mailServer
	listens streamSockets
	ssl     *sslConf
}

// A mailServer is a server block of mail.
type mailServer struct {
	block    *block
	listens  bool                 // it has a listen directive
	protocol bool                 // said, or known by a port
	secure   *nginxconf.Directive // its last listen with ssl
	ssl      *sslConf
}

// mailReader knows the modules of mail.
func mailReader(f *directive.Form) reader {
	switch f.Name {
	case "server":
		return readMailServer
	case "listen":
		return readMailListen
	case "protocol":
		return readMailProtocol
	case "error_log":
		return readErrorLog
	case "resolver":
		return readMailResolver
	case "auth_http":
		return readAuthHTTP
	case "ssl":
		return readMailSSL
	case "starttls":
		return readStartTLS
	case "set_real_ip_from":
		return readRealIPFrom
	}
	if f.Module == "ngx_mail_ssl_module" {
		return sslReader(f)
	}
	return nil
}

// readMail reads the mail block (nginx: ngx_mail_block).
func readMail(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.mail != nil {
		c.refuse(d, "is duplicate")
		return
	}
	c.modules = true
	m := c.newMail(b, d)
	c.within(m.block)
	c.finishMail(m)
}

func (c *checker) newMail(b *block, d *nginxconf.Directive) *mailMain {
	c.mail = &mailMain{block: &block{context: directive.Mail, up: b, d: d}}
	return c.mail
}

// mailMain returns the mail block that is being read; that of a fragment is made
// up.
func (c *checker) mailMain() *mailMain {
	if c.mail == nil {
		c.newMail(nil, nil)
	}
	return c.mail
}

// finishMail is what nginx does at the end of the mail block: each module in
// turn, in the order of ngx_modules[], goes over all servers.
func (c *checker) finishMail(m *mailMain) {
	for _, srv := range m.servers {
		if !srv.protocol {
			c.fail(srv.block.d, 0, "missing-protocol", "unknown mail protocol for server")
		}
	}
	for _, srv := range m.servers {
		if mode, d := srv.tls(); d != nil {
			c.finishSSL(c.serverSSL(srv.ssl, m.ssl), d, mode, m.block, nil)
		}
	}
	for _, srv := range m.servers {
		if srv.block.inherited("auth_http") == nil {
			c.fail(srv.block.d, 0, "missing-auth-http", `no "auth_http" is defined for server`)
		}
	}
	c.listening += m.listens.count()
}

// tls returns how a server has TLS, and the directive that nginx holds
// responsible; nil if it has none.
func (s *mailServer) tls() (mode string, d *nginxconf.Directive) {
	switch {
	case s.secure != nil:
		return "listen ... ssl", s.secure
	case isOn(s.block.inherited("ssl")):
		mode = "ssl"
	case s.block.inherited("starttls") != nil && !is(s.block.inherited("starttls"), "off"):
		mode = "starttls"
	default:
		return "", nil
	}
	// Both of them note their place, the last one wins, and it is inherited.
	for b := s.block; b != nil && d == nil; b = b.up {
		for _, n := range b.noted() {
			if n.name == "ssl" || n.name == "starttls" {
				d = n.d
			}
		}
	}
	return mode, d
}

// readMailServer reads a server block of mail (nginx: ngx_mail_core_server).
func readMailServer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	srv := &mailServer{block: &block{context: directive.MailServer, up: b, d: d}}
	c.mail.servers = append(c.mail.servers, srv)
	c.within(srv.block)
	if !srv.listens {
		c.fail(d, 0, "missing-listen", `no "listen" is defined for server`)
	}
}

// mailServer returns the server block of mail that is being read; that of a
// fragment is made up.
func (c *checker) mailServer() *mailServer {
	m := c.mailMain()
	if len(m.servers) == 0 {
		m.servers = append(m.servers, &mailServer{block: m.block})
	}
	return m.servers[len(m.servers)-1]
}

// readMailListen reads listen of mail (nginx: ngx_mail_core_listen).
func readMailListen(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	srv := c.mailServer()
	srv.listens = true
	first, last, ok := c.listenAddress(d)
	if !ok {
		return
	}
	switch first.Port {
	case 25, 465, 587, 143, 993, 110, 995:
		srv.protocol = true
	}
	var o listenOptions
	for i := 1; i < d.NumArgs(); i++ {
		v := d.Arg(i)
		known, ok := c.listenOption(d, i, &o)
		switch {
		case !ok:
			return
		case known:
		case cstring(v) == "proxy_protocol" && c.since(1, 19, 8):
		default:
			c.invalidListenParameter(d, i)
			return
		}
		if cstring(v) == "ssl" {
			srv.secure = d
		}
	}
	for p := int(first.Port); p <= int(last); p++ {
		id := streamSocketID{Socket: first}
		id.Port = uint16(p)
		s, old := c.mailMain().listens.add(id)
		if old && id.Host == "" { // two names may have two addresses
			c.fail(d, 1, "duplicate-listen", `duplicate "%s" address and port pair`, socketName(id.Socket, d))
			return
		}
		s.bind = s.bind || o.bind
	}
}

func readMailProtocol(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	switch cstring(d.Arg(0)) {
	case "pop3", "imap", "smtp":
		c.mailServer().protocol = true
	default:
		c.fail(d, 1, "unknown-protocol", `unknown protocol "%s"`, d.Arg(0))
	}
}

func readMailResolver(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) && cstring(d.Arg(0)) != "off" {
		c.resolver(d)
	}
}

// readAuthHTTP reads auth_http (nginx: ngx_mail_auth_http).
func readAuthHTTP(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	b.keep("auth_http", d)
	url := strings.TrimPrefix(d.Arg(0), "http://")
	p, err := value.ParseProxyURL("http://" + url)
	if err != nil {
		err = errors.Unwrap(err)
	} else if p.Unix == "" && !p.Addr.IsValid() {
		err = c.resolve(value.Socket{Host: p.Host})
	}
	if err != nil {
		c.fail(d, 1, "invalid-address", `%s in auth_http "%s"`, err, url)
	}
}

// readMailSSL reads ssl of mail (nginx 1.25.0 and older: ngx_mail_ssl_enable).
func readMailSSL(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !f.Once && c.duplicate(b, d, f) || !c.flag(d) {
		return
	}
	b.keep("ssl", d)
	if starttls := b.kept("starttls"); isOn(d) && starttls != nil && !is(starttls, "off") {
		c.fail(d, 0, "conflicting-directives", `"starttls" directive conflicts with "ssl on"`)
	}
}

// readStartTLS reads starttls (nginx: ngx_mail_ssl_starttls).
func readStartTLS(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !f.Once && c.duplicate(b, d, f) || !c.enum(d, 0, startTLS[:]) {
		return
	}
	b.keep("starttls", d)
	if isOn(b.kept("ssl")) && !is(d, "off") {
		c.fail(d, 0, "conflicting-directives", `"ssl" directive conflicts with "starttls"`)
	}
}

var startTLS = [...]string{"off", "on", "only"}
