package route

import (
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/nginxconf/value"
)

// A variable is one that the configuration defines.
type variable struct {
	kind variableKind
	m    *mapping
}

type variableKind uint8

const (
	setVariable     variableKind = iota // by set or an expression; empty until then
	mapVariable                         // by a map block
	unknownVariable                     // by geo, an auth_request_set, a script …
)

// define notes a variable. A map that stands beside a set gives the value that
// counts until then.
func (b *builder) define(name string, v variable) {
	name = lower(strings.TrimPrefix(name, "$"))
	if old, found := b.r.variables[name]; found && old.kind >= v.kind {
		return
	}
	b.r.variables[name] = v
}

// A variableValue is what a variable was set to, or why that is not known.
type variableValue struct {
	text string
	err  error
}

var (
	// In these two cases nginx 1.22 writes more than it has measured. Later
	// versions, and distributions, answer 500.
	errCaptures = errors.New("a map changes the captures while they are used")
	errMemory   = errors.New("captures are longer than measured")
	errMap      = errors.New("a map is not decided")
)

func (st *state) set(name, text string) {
	if st.vars == nil {
		st.vars = map[string]variableValue{}
	}
	st.vars[name] = variableValue{text: text}
}

// assign is a set directive.
func (m *Match) assign(name, text string) {
	if name == "args" {
		m.state.args, m.state.unparsed = text, false
		return
	}
	m.state.set(name, text)
}

// Expand replaces the variables in a value, as nginx does for this request
// where m has come to. It knows what the request and the files tell: $host,
// $request_uri, $uri, $args, $arg_…, $is_args, $request_method, $scheme,
// $https, $remote_addr, $server_addr, $server_port, $server_name, $http_…,
// $cookie_…, $content_length, $content_type, $proxy_host, $proxy_port,
// $proxy_add_x_forwarded_for, captures, and those of set and map. Others it asks
// [Request.Variable] for. The error for those that are not known wraps
// [ErrVariable].
func (m *Match) Expand(s string) (string, error) { return m.evaluate(s, &engine{}) }

// evaluate replaces the variables in a value of a script.
func (m *Match) evaluate(s string, e *engine) (string, error) {
	if strings.IndexByte(s, '$') < 0 {
		return s, nil
	}
	st := &m.state
	execs := st.execs
	positional := false
	v, err := value.Expand(s, func(name string) (string, error) {
		if !isCapture(name) {
			return m.value(name)
		}
		positional = true
		v := st.capture(int(name[0] - '0'))
		if st.uri.coded() && (e.quote || e.args) {
			escaped := escapeArgs(v)
			if len(escaped) != len(v) && !e.quote {
				return "", errMemory
			}
			return escaped, nil
		}
		return v, nil
	})
	if err == nil && positional && execs != st.execs {
		err = errCaptures
	}
	return v, err
}

// value is the value of a variable.
func (m *Match) value(name string) (string, error) {
	name = lower(name) // nginx does not mind the case
	st := &m.state
	if v, found := st.vars[name]; found {
		return v.text, v.err
	}
	if st.r == nil || st.server == nil {
		return "", unknown(name)
	}
	if v, found := st.r.variables[name]; found {
		switch v.kind {
		case mapVariable:
			return m.mapped(name, v.m)
		case setVariable:
			if name != "args" {
				return "", nil
			}
		default:
			return m.asked(name)
		}
	}
	if v, ok := m.builtin(name); ok {
		return v, nil
	}
	return m.asked(name)
}

func unknown(name string) error { return fmt.Errorf("%w $%s", ErrVariable, name) }

// asked is what the caller knows of a variable.
func (m *Match) asked(name string) (string, error) {
	if ask := m.state.q.Variable; ask != nil {
		if v, ok := ask(name); ok {
			return v, nil
		}
	}
	return "", unknown(name)
}

// builtin is a variable of nginx's own.
func (m *Match) builtin(name string) (v string, ok bool) {
	st := &m.state
	q := &st.q
	switch name {
	case "host":
		if st.host != "" {
			return st.host, true
		}
		return st.server.first, !st.server.firstUnknown
	case "server_name":
		return st.server.first, !st.server.firstUnknown
	case "http_host":
		return q.Host, true
	case "request_uri":
		return st.uri.raw, true
	case "uri", "document_uri":
		return st.path, true
	case "args", "query_string":
		return st.args, true
	case "is_args":
		if st.args != "" {
			return "?", true
		}
		return "", true
	case "request_method":
		return st.method, true
	case "scheme":
		if q.TLS {
			return "https", true
		}
		return "http", true
	case "https":
		if q.TLS {
			return "on", true
		}
		return "", true
	case "remote_addr":
		return m.client()
	case "realip_remote_addr":
		return m.peer()
	case "server_addr":
		a := q.Listen.Addr()
		return a.String(), q.Unix == "" && a.IsValid() && !a.IsUnspecified()
	case "server_port":
		return strconv.Itoa(int(q.Listen.Port())), q.Unix == ""
	case "proxy_host":
		if st.pass != nil {
			return st.pass.HostHeader(), true
		}
		return "", false
	case "proxy_port":
		if st.pass == nil || st.pass.Unix != "" {
			return "", st.pass != nil
		}
		return strconv.Itoa(int(st.pass.Port)), true
	case "proxy_add_x_forwarded_for":
		client, ok := m.client()
		list := q.Header["X-Forwarded-For"]
		return strings.Join(append(list[:len(list):len(list)], client), ", "), ok
	case "content_length", "content_type":
		return m.field(name)
	}
	if field, found := strings.CutPrefix(name, "http_"); found {
		return m.field(field)
	}
	if cookie, found := strings.CutPrefix(name, "cookie_"); found {
		return m.cookie(cookie)
	}
	if arg, found := strings.CutPrefix(name, "arg_"); found {
		return argument(st.args, arg), true
	}
	return "", false
}

// client is the text of the client's address.
func (m *Match) client() (string, bool) {
	if a := m.state.q.RealIP; a.IsValid() {
		return addrText(a), true
	}
	return m.peer()
}

// peer is the text of the address that the connection comes from.
func (m *Match) peer() (string, bool) {
	q := &m.state.q
	if !q.Client.IsValid() {
		return "unix:", q.Unix != ""
	}
	return addrText(q.Client), true
}

// addrText writes an address as nginx does: of one with six or seven zero words
// in front, the rest looks like IPv4 (nginx 1.22: ngx_sock_ntop).
func addrText(a netip.Addr) string {
	a = a.WithZone("")
	if b := a.As16(); a.Is6() && [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0 || b[14] != 0 && b[15] != 1) {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

// field is a header field by its name in a variable. Of several fields of one
// name, nginx took the first up to 1.22 and joins them since 1.23; two names
// have always been joined.
func (m *Match) field(name string) (string, bool) {
	values := m.state.q.Header[textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))]
	switch {
	case len(values) == 0:
		return "", true
	case len(values) == 1:
		return values[0], true
	case name == "x_forwarded_for":
		return strings.Join(values, ", "), true
	case name == "cookie":
		return strings.Join(values, "; "), true
	}
	return "", false
}

// argument is the first argument of that name, in any case (nginx 1.22:
// ngx_http_arg). It is not decoded.
func argument(args, name string) string {
	if name == "" {
		return ""
	}
	for arg := range strings.SplitSeq(args, "&") {
		if k, v, found := strings.Cut(arg, "="); found && len(k) == len(name) && lower(k) == lower(name) {
			return v
		}
	}
	return ""
}

// cookie is the first one of that name, in any case (nginx 1.22:
// ngx_http_parse_multi_header_lines).
func (m *Match) cookie(name string) (string, bool) {
	for _, line := range m.state.q.Header["Cookie"] {
		for line != "" {
			if n := len(name); len(line) >= n && lower(line[:n]) == name {
				line = strings.TrimLeft(line[n:], " ")
				if value, is := strings.CutPrefix(line, "="); is {
					value, _, _ = strings.Cut(strings.TrimLeft(value, " "), ";")
					return value, true
				}
				line = line[min(1, len(line)):] // be it the ";": then the next one is lost
			}
			end := strings.IndexAny(line, ";,")
			if end < 0 {
				break
			}
			line = strings.TrimLeft(line[end+1:], " ")
		}
	}
	return "", true
}
