package value

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// An UpstreamServer is a server directive of an upstream block.
type UpstreamServer struct {
	// Host is a name or an address, as written; an IPv6 address has its
	// brackets. It is empty with Unix.
	Host string
	Addr netip.Addr // if Host is an address
	Port uint16     // 80 if none is given
	Unix string     // the path of a unix domain socket

	Weight      int64         // 1
	MaxConns    int64         // 0: no limit
	MaxFails    int64         // 1
	FailTimeout time.Duration // 10 s; in whole seconds
	Backup      bool
	Down        bool

	// Others are the parameters of newer or commercial versions, as written:
	// resolve, service=, slow_start=, route=, drain.
	Others []string
}

// ParseUpstreamServer reads the arguments of a server directive of an upstream
// block (nginx 1.22: ngx_http_upstream_server). Errors are nginx's, such as
//
//	invalid parameter "weight=0"
//	invalid port in upstream "127.0.0.1:0"
//
// Whether the balancing method knows the parameters is not looked at.
func ParseUpstreamServer(args ...string) (UpstreamServer, error) {
	s := UpstreamServer{Weight: 1, MaxFails: 1, FailTimeout: 10 * time.Second}
	if len(args) == 0 {
		return s, errors.New(`invalid number of arguments in "server" directive`)
	}
	for _, a := range args[1:] {
		name, value, _ := strings.Cut(a, "=")
		ok := true
		switch {
		case a == "backup":
			s.Backup = true
		case a == "down":
			s.Down = true
		case a == "resolve" || a == "drain":
			s.Others = append(s.Others, a)
		case name == a:
			ok = false
		case name == "weight":
			s.Weight, ok = number(value)
			ok = ok && s.Weight > 0
		case name == "max_conns":
			s.MaxConns, ok = number(value)
		case name == "max_fails":
			s.MaxFails, ok = number(value)
		case name == "fail_timeout":
			var err error
			s.FailTimeout, err = ParseSeconds(value)
			ok = err == nil
		case name == "service" || name == "slow_start" || name == "route":
			s.Others = append(s.Others, a)
		default:
			ok = false
		}
		if !ok {
			return s, fmt.Errorf(`invalid parameter "%s"`, a)
		}
	}
	e, err := parseServer(args[0], 80)
	if err != nil {
		return s, fmt.Errorf(`%w in upstream "%s"`, err, args[0])
	}
	s.Host, s.Addr, s.Port, s.Unix = e.host, e.addr, e.port, e.unix
	return s, nil
}

// parseServer reads an address that no URI may follow.
func parseServer(s string, defaultPort uint16) (endpoint, error) {
	if len(s) >= 5 && strings.EqualFold(s[:5], "unix:") {
		return parseUnix(s[5:], false)
	}
	uri := "/?"
	rest := s
	if strings.HasPrefix(s, "[") {
		uri, rest = "/", s[strings.IndexByte(s, ']')+1:]
	}
	if strings.ContainsAny(rest, uri) {
		return endpoint{}, errors.New("invalid host")
	}
	return parseEndpoint(s, false, defaultPort)
}

// Address returns what [net.Dial] takes to reach the server.
func (s UpstreamServer) Address() (network, address string) {
	if s.Unix != "" {
		return "unix", s.Unix
	}
	host := strings.Trim(s.Host, "[]")
	if s.Addr.IsValid() {
		host = s.Addr.String() // nginx takes some that net does not
	}
	return "tcp", net.JoinHostPort(host, strconv.Itoa(int(s.Port)))
}
