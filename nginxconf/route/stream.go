package route

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A StreamRequest is a connection to a server of the stream block, or a
// datagram.
type StreamRequest struct {
	// Listen is the address and port that the client connected to, or Unix the
	// path of a unix domain socket.
	Listen netip.AddrPort
	Unix   string
	// UDP tells of a datagram.
	UDP bool
}

// MatchStream finds the server of the stream block that serves a connection
// (nginx 1.22: ngx_stream_init_connection). Its Chain is where access rules
// apply, before anything else answers. Its Target is where proxy_pass leads. The
// error is [ErrNoServer].
func (r *Router) MatchStream(q StreamRequest) (Match, error) {
	on := &r.tcp
	if q.UDP {
		on = &r.udp
	}
	var m Match
	s, unsure, err := on.find(q.Listen, q.Unix)
	switch {
	case err != nil:
		return m, err
	case unsure != "":
		m.unsure(unsure)
		return m, nil
	case len(s.servers) > 1: // refused up to 1.25.4
		m.unsure(fmt.Sprintf("server: %d servers listen on %s, and the name of the TLS handshake decides", len(s.servers), s.name))
		return m, nil
	}
	srv := s.standard
	m.Server, m.Chain = srv.d, srv.context()
	if d := srv.handler; d != nil {
		m.passStream(r, d)
	}
	return m, nil
}

func (m *Match) passStream(r *Router, d *nginxconf.Directive) {
	if d.NumArgs() != 1 || strings.Contains(d.Arg(0), "$") {
		m.unsure(fmt.Sprintf("target: the variables of %s at %v are not known", d.Name(), d.Pos()))
		return
	}
	b, err := value.ParseBackend(d.Arg(0))
	if err != nil {
		m.unsure(fmt.Sprintf("target: %v in %s at %v", err, d.Name(), d.Pos()))
		return
	}
	m.Target = &Target{Directive: d, Backend: b}
	if b.PortText == "" {
		m.Target.Upstream = r.streamUpstreams[lower(b.Host)]
	}
}

// stream reads the stream block.
func (b *builder) stream(d *nginxconf.Directive) {
	up := level{d: d, extra: b.none}
	for d := range b.c.In(nginxconf.Context{d}) {
		switch name := d.Name(); {
		case d.Body() == nil:
		case name == "upstream" && d.NumArgs() == 1:
			b.r.streamUpstreams[lower(d.Arg(0))] = d
		case name == "server":
			srv := &server{level: level{d: d, up: &up, extra: b.none}}
			for d := range b.c.In(nginxconf.Context{d}) {
				switch d.Name() {
				case "listen":
					b.listenStream(srv, d)
				case "proxy_pass":
					srv.handler = d
				}
			}
		}
	}
}

func (b *builder) listenStream(srv *server, d *nginxconf.Directive) {
	args := d.Args()
	b.into = &b.r.tcp
	if i := slices.Index(args, "udp"); i > 0 {
		args = slices.Delete(args, i, i+1)
		b.into = &b.r.udp
	}
	args = slices.DeleteFunc(args, func(s string) bool { return s == "multipath" })
	l, err := value.ParseListen(args...)
	if err != nil {
		b.refuse(d, "invalid-listen", "%v", err)
		return
	}
	b.listen(srv, d, l)
}
