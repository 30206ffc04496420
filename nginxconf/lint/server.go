package lint

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

func implicitDefaultServer() *Check {
	return &Check{
		ID:    "NX302",
		Name:  "default-server-implicit",
		Level: slog.LevelWarn,
		Doc: `Where several servers listen on a socket and none is its default_server, requests
for unknown names and for the bare address go to the one that nginx reads
first, whichever file that is in.

Sockets are told apart as nginx does: 80 is *:80 is 0.0.0.0:80, while [::]:80
is another; quic and tcp are apart; a server without listen is on *:80. A
socket with one server is not reported, nor is anything in a fragment.

The fix, to be reviewed, adds a default server that answers nobody. For ssl it
takes nginx 1.19.4 or later.`,
		Run: runImplicitDefaultServer,
	}
}

func runImplicitDefaultServer(p *Pass) error {
	if !p.Whole() {
		return nil
	}
	all, err := p.allSockets()
	if err != nil {
		return err
	}
	reported := map[*nginxconf.Directive]bool{} // a range of ports is many sockets
	for _, s := range all.list {
		at := s.first.place()
		if s.servers < 2 || s.hasDefault || reported[at] {
			continue
		}
		reported[at] = true
		fix := &nginxconf.Fix{Message: "add a default server that answers nobody"}
		lines := []string{"", "server {", "\tlisten " + s.defaultListen() + ";", "\tserver_name _;"}
		if s.tls {
			fix.Message += " (nginx 1.19.4 or later)"
			lines = append(lines, "\tssl_reject_handshake on;")
		}
		fix.Edits = p.InsertAfter(s.first.server, append(lines, "\treturn 444;", "}")...)
		p.Report(at, fix, "%d servers listen on %s and none is its default_server: unknown names get this one, because nginx reads it first",
			s.servers, s.key.Socket)
	}
	return nil
}

// maxSockets bounds what listen directives may stand for: each can name all
// ports there are.
const maxSockets = 1 << 20

// sockets are those that the servers of the http block listen on.
type sockets struct {
	list []*socket // in the order in which nginx comes to them
	by   map[socketKey]*socket
	n    int                           // how often servers listen
	tls  map[*nginxconf.Directive]bool // of the servers that were asked for
	err  error
}

// A socketKey is equal where nginx puts servers on one socket.
type socketKey struct {
	value.Socket
	quic bool
}

type socket struct {
	key        socketKey
	first      listening
	servers    int
	last       int // number of the last server that was counted
	hasDefault bool
	tls        bool
}

// A listening is a server on a socket.
type listening struct {
	server *nginxconf.Directive
	listen *nginxconf.Directive // nil: the server has none
	value  value.Listen
}

// place is where a finding about it is reported.
func (l listening) place() *nginxconf.Directive {
	if l.listen != nil {
		return l.listen
	}
	return l.server
}

func (p *Pass) allSockets() (*sockets, error) {
	if p.sockets == nil {
		all := &sockets{by: map[socketKey]*socket{}, tls: map[*nginxconf.Directive]bool{}}
		p.session.sockets = all
		number := 0
		for d, ctx := range p.All("server") {
			if d.Body() == nil || enclosing(ctx, "upstream") != nil || inStream(ctx) || enclosing(ctx, "mail") != nil {
				continue
			}
			number++
			for _, l := range p.listenings(append(ctx, d)) {
				if all.err = all.add(l, number); all.err != nil {
					return nil, all.err
				}
			}
		}
	}
	return p.sockets, p.sockets.err
}

// listenings returns how the server that is the innermost block of ctx
// listens. What nginx would refuse is left out.
func (p *Pass) listenings(ctx nginxconf.Context) []listening {
	server := ctx[len(ctx)-1]
	listens := p.In(ctx, "listen")
	if len(listens) == 0 {
		l, _ := value.ParseListen("80") // of a master process that is root's
		return []listening{{server: server, value: l}}
	}
	var list []listening
	for _, d := range listens {
		if l, err := value.ParseListen(d.Args()...); err == nil {
			list = append(list, listening{server, d, l})
		}
	}
	return list
}

func (all *sockets) add(l listening, number int) error {
	for key := range l.value.Sockets() {
		if all.n++; all.n > maxSockets {
			return fmt.Errorf("%s: servers listen more than %d times", l.place().Pos(), maxSockets)
		}
		key := socketKey{key, l.value.QUIC}
		s := all.by[key]
		if s == nil {
			s = &socket{key: key, first: l}
			all.by[key] = s
			all.list = append(all.list, s)
		}
		if s.last != number {
			s.servers++
			s.last = number
		}
		s.hasDefault = s.hasDefault || l.value.DefaultServer
		s.tls = s.tls || l.value.SSL || l.value.QUIC
	}
	return nil
}

// defaultListen returns the arguments of listen for a default server: the
// address as the first one writes it, and what belongs to the protocol.
// Options of the socket may be given once only.
func (s *socket) defaultListen() string {
	args := []string{"80"}
	if s.first.listen != nil {
		args[0] = s.first.listen.Raw(1)
	}
	args = append(args, "default_server")
	l := s.first.value
	switch {
	case l.QUIC:
		args = append(args, "quic")
	case s.tls:
		args = append(args, "ssl")
	}
	if l.HTTP2 {
		args = append(args, "http2")
	}
	if l.ProxyProtocol {
		args = append(args, "proxy_protocol")
	}
	return strings.Join(args, " ")
}

// servesTLS tells whether the server around a block has an ssl listener. What
// any server says of a socket holds for all.
func (p *Pass) servesTLS(ctx nginxconf.Context) (bool, error) {
	ctx = enclosing(ctx, "server")
	if ctx == nil {
		return false, nil
	}
	all, err := p.allSockets()
	if err != nil {
		return false, err
	}
	server := ctx[len(ctx)-1]
	tls, known := all.tls[server]
	if !known {
		v, _ := p.effective(ctx, "ssl") // until nginx 1.25.1
		tls = strings.EqualFold(v, "on")
		for _, l := range p.listenings(ctx) {
			for key := range l.value.Sockets() {
				// Not there: a server of another module, out of place.
				s := all.by[socketKey{key, l.value.QUIC}]
				tls = tls || s != nil && s.tls
			}
		}
		all.tls[server] = tls
	}
	return tls, nil
}
