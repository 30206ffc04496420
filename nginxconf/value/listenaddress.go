package value

// ParseListenAddress reads the first argument of a listen directive of any
// module, as ngx_parse_url does: a port, an address, a name or the path of a
// unix domain socket. Without a port it is defaultPort, which is 80 in http and 0
// in stream and mail. last is the end of a range of ports ("8080-8090"), else
// the port. Errors are nginx's, such as "invalid port".
func ParseListenAddress(s string, defaultPort uint16) (first Socket, last uint16, err error) {
	e, err := parseEndpoint(s, true, defaultPort)
	if err != nil {
		return Socket{}, 0, err
	}
	first = Socket{Addr: e.addr, Unix: e.unix, Port: e.port}
	if !e.addr.IsValid() {
		first.Host = e.host
	}
	return first, max(e.port, e.lastPort), nil
}
