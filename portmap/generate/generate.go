package generate

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/portmap"
)

// Options say how a host is set up. The zero value, like nil, is a sound
// start: services listen on loopback only, and nginx reaches them there by
// address.
type Options struct {
	// UsersShape writes bind and proxy_pass as many hosts have them:
	// --bind=":PORT" and proxy_pass http://localhost:PORT, and no default
	// server. The program then listens on every interface, so nginx's IP rules
	// can be walked around, and localhost may be an address it does not
	// listen on.
	UsersShape bool

	// Domain is that of services whose map does not say one.
	Domain string

	// HTTP and HTTPS are what nginx listens on, as arguments of listen without
	// parameters: "80" and "443" if empty.
	HTTP, HTTPS string

	// Certificate and CertificateKey are the house's, as nginx finds them:
	// /etc/nginx/ssl/house.crt and .key if empty.
	Certificate, CertificateKey string

	// Rules are the IP rules of a service, in their order; nil: none, the
	// service is open to all.
	Rules func(portmap.Service) []Rule

	// Command is the command line of a service that listens on bind
	// ("127.0.0.1:8080", "unix:/run/scout.sock"), as Supervisor reads it; nil:
	// Gunicorn, with four workers, two in stage, running the Flask application
	// that [Application] names.
	Command func(s portmap.Service, bind string) string

	// LogDir is where Supervisor keeps the programs' output;
	// /var/log/supervisor if empty.
	LogDir string
}

// A Rule is an access rule: "allow" or "deny", and what it is about.
type Rule struct{ Action, Argument string }

// Application returns the conventional name of a service's application: that
// of its code, which production and stage, and a site and its API, share:
// "clinical-api-stage" gives "clinical.server.auto:app".
func Application(s portmap.Service) string {
	name := strings.TrimSuffix(s.Subdomain, "-stage")
	name = strings.TrimSuffix(name, "-api")
	return strings.ReplaceAll(name, "-", "_") + ".server.auto:app"
}

// A plan is what both files of a service are written from.
type plan struct {
	*Options
	service portmap.Service
	host    string // the server name
	bind    string // what the program listens on
	target  string // what nginx proxies to
}

func (o *Options) plan(s portmap.Service) (*plan, error) {
	if o == nil {
		o = &Options{}
	}
	p := &plan{Options: o, service: s}
	fail := func(format string, args ...any) (*plan, error) {
		where := ""
		if s.Place.Row.IsValid() {
			where = s.Place.Row.Start.String() + ": "
		}
		return nil, fmt.Errorf("generate: %s%s: %w", where, cmp.Or(s.Subdomain, s.Name, "a service"), fmt.Errorf(format, args...))
	}
	if s.Subdomain == "" {
		return fail("it has no subdomain, by which files and programs are named")
	}
	if strings.ContainsAny(s.Subdomain, "/:[] \t") {
		return fail("%q cannot name a file and a program", s.Subdomain)
	}
	named := s
	named.Domain = cmp.Or(s.Domain, o.Domain)
	host, err := named.ServerName()
	if err != nil {
		return fail("%w", err)
	}
	p.host = host
	switch {
	case s.Socket != "":
		if !strings.HasPrefix(s.Socket, "/") {
			return fail("the socket %q is no absolute path", s.Socket)
		}
		p.bind, p.target = "unix:"+s.Socket, "http://unix:"+s.Socket
	case s.Port == 0:
		return fail("it has neither port nor socket")
	case o.UsersShape:
		p.bind, p.target = ":"+s.Port.String(), "http://localhost:"+s.Port.String()
	default:
		bind := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if s.Bind != "" {
			if bind, err = netip.ParseAddr(s.Bind); err != nil {
				return fail("the bind address %q is none", s.Bind)
			}
		}
		at := bind
		switch bind { // who listens everywhere is reached on loopback
		case netip.IPv4Unspecified():
			at = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		case netip.IPv6Unspecified():
			at = netip.IPv6Loopback()
		}
		p.bind = netip.AddrPortFrom(bind, uint16(s.Port)).String()
		p.target = "http://" + netip.AddrPortFrom(at, uint16(s.Port)).String()
	}
	return p, nil
}
