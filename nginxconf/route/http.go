package route

import (
	"net"
	"net/http"
	"net/netip"
)

// FromHTTP returns what a server of net/http knows of a request, with the
// address that the server was connected to as Listen or Unix. It leaves the
// header to r.
func FromHTTP(r *http.Request) Request {
	q := Request{Host: r.Host, Method: r.Method, URI: r.RequestURI, Header: r.Header}
	switch a := r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		q.Listen = a.AddrPort()
	case *net.UnixAddr:
		q.Unix = a.Name
	}
	if r.TLS != nil {
		q.TLS, q.ServerName = true, r.TLS.ServerName
	}
	if client, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		q.Client = client.Addr()
	}
	return q
}
