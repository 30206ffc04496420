package route

import (
	"errors"
	"net/http"
	"net/netip"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A Router knows the servers and locations of a configuration. It is for any
// number of goroutines. What only some requests need, it reads when one first
// does: the configuration has to stay as it is, and after an edit another Router
// is needed.
type Router struct {
	c         *nginxconf.Config
	listeners // of http
	upstreams map[string]*nginxconf.Directive
	tcp, udp  listeners // of stream
	// Upstreams of stream.
	streamUpstreams map[string]*nginxconf.Directive

	variables map[string]variable // those that the configuration defines
}

// A Request is what nginx knows of a request when it looks for its location.
type Request struct {
	// Listen is the address and port that the client connected to. The
	// unspecified address stands for one that no server listens on by itself.
	Listen netip.AddrPort
	// Unix is the path of the unix domain socket that the client connected to,
	// instead of Listen.
	Unix string
	// TLS tells that the connection is encrypted, and ServerName is the name
	// that the client asked for in the handshake (SNI), or empty.
	TLS        bool
	ServerName string
	// Host is the Host header field as sent, with its port. It is empty if
	// there is none, which nginx allows up to HTTP/1.0 only.
	Host string
	// Method is GET if it is empty.
	Method string
	// URI is as on the request line: "/a%20b?c", or "http://host/path".
	URI string
	// Header holds the other header fields, under canonical keys. It may be
	// nil, and is not written to.
	Header http.Header
	// Client is the address of the client, and RealIP the one that the realip
	// module puts in its place, if it does: $remote_addr.
	Client, RealIP netip.Addr
	// Variable, unless it is nil, tells the value of variables that Match does
	// not know of itself: those of geo, for example. Names are in lower case.
	Variable func(name string) (value string, ok bool)
}

// A Match is what nginx makes of a request. What is set is certain. Unsure
// says why the rest is not there.
type Match struct {
	// Server and Location are the blocks that serve the request. Location is
	// nil if the request is answered before a location is looked for, or if
	// none matches: the server itself is then its place.
	Server, Location *nginxconf.Directive
	// Chain is the blocks whose directives are in force where access is checked,
	// outermost first: http, server, and then the locations around Location and
	// itself. It ends with limit_except if the request's method is subject to it,
	// or with the if block in the location that was chosen last. It is not to be
	// modified.
	Chain nginxconf.Context
	// Path is the path that names of locations are compared with: decoded, and
	// without dot segments and, unless merge_slashes is off, double slashes. It is
	// what the last of Moves made it, and Args are the arguments then.
	Path, Args string
	// Answer is what replies before the access phase, or nil if nothing does.
	Answer *Answer
	// Status is what error_page makes of the status of the content, if the
	// request came here by one: 403 where a refusal has a page of its own. It is
	// 0 if the content has its own.
	Status int
	// Target is where proxy_pass or another directive of that kind leads, once
	// access is granted, or nil.
	Target *Target
	// Captures is what the last regular expression on the way matched, and then
	// its groups: $1 is Captures[1].
	Captures []string
	// Moves are the changes of the URI on the way, in order.
	Moves []Move
	// Unsure holds what could not be decided, and why. Each text starts with
	// what it is about: "server:", "location:" and "answer:" end the search
	// there; "target:" leaves the location as it is, but the request may move
	// on to another one once it was granted access to this: see Next.
	Unsure []string

	state state
}

// A Move is a change of the URI that leads to another location, or may do so.
type Move struct {
	// By is the rewrite, error_page, index or try_files.
	By *nginxconf.Directive
	// To is the new path, or the name of a named location.
	To string
}

// An Answer is a response that nginx gives before it comes to the access phase,
// so access rules do not matter to it; or what [Match.Next] and [Match.Refuse]
// come to behind it.
type Answer struct {
	// Status is that of the response. With 408, 444 or 499 and no Body, nginx
	// closes the connection without any.
	Status int
	// Location is the header field of that name.
	Location string
	// Body is the text of a return directive. If it is empty, and the status
	// is 300 or above, nginx sends a page of its own.
	Body string
	// By is the return directive, or nil if nginx answers of itself.
	By *nginxconf.Directive
	// Reason tells in a few words why: "return", "slash redirect".
	Reason string
	// Phase is where nginx was by then.
	Phase Phase
}

// A Target is where proxy_pass leads, or fastcgi_pass, grpc_pass, memcached_pass,
// scgi_pass or uwsgi_pass.
type Target struct {
	// Directive is one of these.
	Directive *nginxconf.Directive
	// Pass is the argument of proxy_pass, and Backend that of the others, with
	// variables replaced.
	Pass    value.ProxyPass
	Backend value.Backend
	// Upstream is the upstream block that they name, or nil.
	Upstream *nginxconf.Directive
	// URI is what stands on the request line to the backend of proxy_pass or
	// grpc_pass.
	URI string
	// Headers are the header fields that nginx sets, in order; it passes the
	// client's fields of other names on. With fastcgi_pass, scgi_pass and
	// uwsgi_pass they are the parameters. It is not to be modified.
	Headers []Header
}

// A Header is a field that nginx sets, in the request to a backend or in the
// response: one of the nearest level that has any such directive, or one that
// nginx sets unless told otherwise.
type Header struct {
	Name string
	// Value may have variables: see [Match.Expand]. A field whose value is
	// empty is not sent.
	Value string
	// Directive is the proxy_set_header, add_header or fastcgi_param, or nil.
	Directive *nginxconf.Directive
}

var (
	// ErrNoServer means that no server listens on the address and port.
	ErrNoServer = errors.New("route: no server listens there")
	// ErrHandshake means that there is no connection by TLS: the server does
	// not speak it on this socket, or has ssl_reject_handshake.
	ErrHandshake = errors.New("route: the TLS handshake fails")
	// ErrVariable means that a value holds a variable that this package has no
	// value for.
	ErrVariable = errors.New("unknown variable")
)

// New reads the http and stream blocks of a configuration. The error is a
// [nginxconf.Diagnostics]: what nginx refuses the configuration for, as far as
// servers, locations and what they do with a request are concerned.
func New(c *nginxconf.Config) (*Router, error) {
	if err := c.Diagnostics().Err(); err != nil {
		return nil, err
	}
	b := builder{c: c, passes: map[string]*pass{}, none: &extra{}, listens: map[string]*listenMemo{}, r: &Router{
		c:         c,
		listeners: newListeners(),
		tcp:       newListeners(),
		udp:       newListeners(),
		upstreams: map[string]*nginxconf.Directive{},

		streamUpstreams: map[string]*nginxconf.Directive{},
		variables:       map[string]variable{},
	}}
	b.config()
	if err := b.diags.Err(); err != nil {
		return nil, err
	}
	return b.r, nil
}
