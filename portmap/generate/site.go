package generate

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/portmap"
)

// Site returns the nginx file of a service, named conf.d/SUBDOMAIN.conf. The
// error says what keeps the service from having one.
func Site(s portmap.Service, o *Options) (*nginxconf.File, error) {
	p, err := o.plan(s)
	if err != nil {
		return nil, err
	}
	return file("conf.d/"+s.Subdomain+".conf", p.site())
}

// Main returns the main nginx file, nginx.conf, which includes the sites. It
// holds default servers that turn away names nobody serves, unless
// UsersShape is set.
func Main(o *Options) (*nginxconf.File, error) {
	if o == nil {
		o = &Options{}
	}
	var t text
	t.line(0, "events", "{")
	t.line(0, "}")
	t.blank()
	t.line(0, "http", "{")
	if !o.UsersShape {
		t.comment(1, "Names that no site has are not for us.")
		t.line(1, "server", "{")
		t.directive(2, "listen", o.http(), "default_server")
		t.directive(2, "server_name", "_")
		t.directive(2, "return", "444")
		t.line(1, "}")
		t.blank()
		t.line(1, "server", "{")
		t.directive(2, "listen", o.https(), "ssl", "default_server")
		t.directive(2, "server_name", "_")
		t.directive(2, "ssl_certificate", o.certificate())
		t.directive(2, "ssl_certificate_key", o.certificateKey())
		t.directive(2, "return", "444")
		t.line(1, "}")
		t.blank()
	}
	t.directive(1, "include", "conf.d/*.conf")
	t.line(0, "}")
	return file("nginx.conf", t.String())
}

func (o *Options) http() string        { return cmp.Or(o.HTTP, "80") }
func (o *Options) https() string       { return cmp.Or(o.HTTPS, "443") }
func (o *Options) certificate() string { return cmp.Or(o.Certificate, "/etc/nginx/ssl/house.crt") }
func (o *Options) certificateKey() string {
	return cmp.Or(o.CertificateKey, "/etc/nginx/ssl/house.key")
}

// httpsPort is what a redirect has to name: nothing for 443.
func (o *Options) httpsPort() string {
	https := o.https()
	port := https[strings.LastIndexByte(https, ':')+1:]
	if port == "443" {
		return ""
	}
	return ":" + port
}

func (p *plan) site() string {
	var t text
	title := cmp.Or(p.service.Name, p.service.Subdomain)
	if p.service.Environment != "" {
		title += " (" + p.service.Environment + ")"
	}
	t.comment(0, title)
	t.line(0, "server", "{")
	t.directive(1, "listen", p.http())
	t.directive(1, "server_name", p.host)
	t.directive(1, "return", "301", "https://$host"+p.httpsPort()+"$request_uri")
	t.line(0, "}")
	t.blank()
	t.line(0, "server", "{")
	t.directive(1, "listen", p.https(), "ssl")
	t.directive(1, "server_name", p.host)
	t.blank()
	t.directive(1, "ssl_certificate", p.certificate())
	t.directive(1, "ssl_certificate_key", p.certificateKey())
	t.blank()
	if p.Rules != nil {
		rules := p.Rules(p.service)
		for _, r := range rules {
			t.directive(1, r.Action, r.Argument)
		}
		if len(rules) > 0 {
			t.blank()
		}
	}
	t.line(1, "location", "/", "{")
	t.directive(2, "proxy_set_header", "Host", "$host")
	t.directive(2, "proxy_set_header", "X-Real-IP", "$remote_addr")
	t.directive(2, "proxy_set_header", "X-Forwarded-For", "$proxy_add_x_forwarded_for")
	t.directive(2, "proxy_set_header", "X-Forwarded-Proto", "$scheme")
	t.directive(2, "proxy_pass", p.target)
	t.line(1, "}")
	t.line(0, "}")
	return t.String()
}

// A text is written line by line; blank lines part its paragraphs, as people
// write them.
type text struct{ strings.Builder }

func (t *text) line(depth int, words ...string) {
	t.WriteString(strings.Repeat("    ", depth) + strings.Join(words, " ") + "\n")
}

func (t *text) directive(depth int, name string, args ...string) {
	t.line(depth, nginxconf.New(name, args...).String())
}

func (t *text) blank() { t.WriteByte('\n') }

func (t *text) comment(depth int, s string) {
	t.line(depth, "# "+strings.Join(strings.Fields(s), " "))
}

// file reads back what was written. That fails only if an option holds what no
// configuration can.
func file(name, text string) (*nginxconf.File, error) {
	f, err := nginxconf.Parse(name, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	return f, nil
}
