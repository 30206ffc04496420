package value

import (
	"errors"
	"strings"
)

// ParseAddress reads an address with an optional port as ngx_parse_url does
// where no URI may follow: that of a resolver, a syslog server, or mail's
// auth_http. Without a port it is defaultPort. Errors are nginx's, such as
// "invalid port" and "no host"; nginx names the directive behind them.
func ParseAddress(s string, defaultPort uint16) (Socket, error) {
	var e endpoint
	var err error
	switch {
	case len(s) >= 5 && strings.EqualFold(s[:5], "unix:"):
		e, err = parseUnix(s[5:], false)
	case s != "" && s[0] == '[':
		_, rest, _ := strings.Cut(s, "]")
		if strings.IndexByte(rest, '/') >= 0 {
			return Socket{}, errors.New("invalid host")
		}
		e, err = parseInet6(s, false, defaultPort)
	case strings.ContainsAny(s, "/?"):
		return Socket{}, errors.New("invalid host")
	default:
		e, err = parseInet(s, false, defaultPort)
	}
	if err != nil {
		return Socket{}, err
	}
	socket := Socket{Addr: e.addr, Unix: e.unix, Port: e.port}
	if !e.addr.IsValid() {
		socket.Host = e.host
	}
	return socket, nil
}
