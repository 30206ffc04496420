package route

import (
	"fmt"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// names are the server names of one socket, as ngx_http_server_names and
// ngx_hash_add_key (nginx 1.22) put them up: of equal names the first counts.
type names struct {
	exact map[string]exactName
	head  map[string]headName // "*.x" and ".x", by x
	tail  map[string]*server  // "x.*", by x
	regex []regexName

	dotted map[string]bool // x of ".x": no exact name may follow
	host   *nginxconf.Directive
}

type exactName struct {
	server *server
	unsure bool // $hostname came before, and may be this name
}

type regexName struct {
	server *server
	regex  *expression
}

type headName struct {
	server *server
	self   bool // ".x": x itself, too
}

func (n *names) add(srv *server, name serverName) {
	d := name.d
	switch name.Kind {
	case value.ExactName:
		if _, taken := n.exact[name.Name]; taken || n.dotted[name.Name] {
			return
		}
		n.exact[name.Name] = exactName{srv, n.host != nil}
	case value.LeadingDot:
		if _, taken := n.exact[name.Name]; taken || n.dotted[name.Name] {
			return // nginx ignores the whole, "*.x" included
		}
		if n.dotted == nil {
			n.dotted = map[string]bool{}
		}
		n.dotted[name.Name] = true // even if "*.x" is taken, and x then is nobody's
		n.addHead(name.Name, headName{srv, true})
	case value.LeadingStar:
		n.addHead(name.Name, headName{srv, false})
	case value.TrailingStar:
		if n.tail == nil {
			n.tail = map[string]*server{}
		}
		if n.tail[name.Name] == nil {
			n.tail[name.Name] = srv
		}
	case value.RegexName:
		n.regex = append(n.regex, regexName{srv, name.regex})
	case value.HostName:
		n.host = d
	}
}

func (n *names) addHead(name string, h headName) {
	if n.head == nil {
		n.head = map[string]headName{}
	}
	if _, taken := n.head[name]; !taken {
		n.head[name] = h
	}
}

// find returns the server of a host, in lower case and without port, or nil,
// and the expression that is its name. The order is nginx's: exact, longest
// "*.x", longest "x.*", regular expressions. Captures are left in st, unless it
// is nil.
func (n *names) find(host string, st *state) (srv *server, x *expression, unsure string) {
	if n == nil {
		return nil, nil, ""
	}
	if e, found := n.exact[host]; found && (!e.unsure || host == "") {
		return e.server, nil, ""
	}
	if host == "" {
		return nil, nil, ""
	}
	if n.host != nil {
		return nil, nil, fmt.Sprintf("server: server_name $hostname at %v: the name of the machine is not known", n.host.Pos())
	}
	if len(n.head) > 0 {
		if h := n.head[host]; h.self {
			return h.server, nil, ""
		}
		for i := range len(host) {
			if host[i] == '.' {
				if h, found := n.head[host[i+1:]]; found {
					return h.server, nil, ""
				}
			}
		}
	}
	if len(n.tail) > 0 {
		for i := strings.LastIndexByte(host, '.'); i >= 0; i = strings.LastIndexByte(host[:i], '.') {
			if s := n.tail[host[:i]]; s != nil {
				return s, nil, ""
			}
		}
	}
	for _, r := range n.regex {
		matched := false
		var err error
		if st != nil {
			matched, err = st.exec(r.regex, host)
		} else {
			var found []int32
			found, err = r.regex.match(host)
			matched = found != nil
		}
		if err != nil {
			return nil, nil, "server: " + r.regex.doubt(err)
		}
		if matched {
			return r.server, r.regex, ""
		}
	}
	return nil, nil, ""
}

// readHost takes port and trailing dot off a host and makes the rest lower
// case (nginx 1.22: ngx_http_validate_host). It is not ok if nginx answers 400
// to it. It allocates only if there is an upper-case letter.
func readHost(s string) (host string, ok bool) {
	const (
		name = iota
		literal
		rest
	)
	end, dot, part := len(s), -2, name
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if dot == i-1 {
				return "", false
			}
			dot = i
		case c == ':' && part == name:
			end, part = i, rest
		case c == '[' && i == 0:
			part = literal
		case c == ']' && part == literal:
			end, part = i+1, rest
		case c <= ' ' || c == '/' || c == 0x7f:
			return "", false
		}
	}
	if dot == end-1 {
		end--
	}
	if end <= 0 {
		return "", false
	}
	return lower(s[:end]), true
}

// isStrictHost tells whether nginx 1.29.4 and later take a host too that older
// ones take.
func isStrictHost(s string) bool {
	host, port, _ := strings.Cut(s, ":")
	isLiteral := strings.HasPrefix(s, "[")
	if isLiteral {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		host, port = s[1:end], s[end+1:]
		if port != "" {
			if port[0] != ':' {
				return false
			}
			port = port[1:]
		}
	}
	for i := range len(host) {
		if c := host[i]; !isHostByte(c) && (c != ':' || !isLiteral) {
			return false
		}
	}
	n := 0
	for i := range len(port) {
		d := int(port[i]) - '0'
		if n = n*10 + d; d < 0 || d > 9 || n > 65535 {
			return false
		}
	}
	return true
}

func hostDrift(s string) string {
	return fmt.Sprintf("nginx does not take the host %q since 1.29.4", s)
}

// isHostByte holds for what RFC 3986 allows in a host.
func isHostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || strings.IndexByte("-._~!$&'()*+,;=%", c) >= 0
}

// lower is strings.ToLower for ASCII alone, as nginx does it. It allocates only
// if there is an upper-case letter.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
