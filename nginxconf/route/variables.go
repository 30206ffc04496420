package route

import (
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/nginxconf/value"
)

// Expand replaces the variables in a value, as nginx does for this request.
// It knows what the request and the files tell: $host, $request_uri, $uri,
// $args, $arg_…, $is_args, $request_method, $scheme, $https, $remote_addr,
// $server_addr, $server_port, $server_name, $http_…, $content_length,
// $content_type, $proxy_host, $proxy_port, $proxy_add_x_forwarded_for. The
// error for any other, and for one that the configuration sets itself, wraps
// [ErrVariable].
func (m *Match) Expand(s string) (string, error) {
	return value.Expand(s, func(name string) (string, error) {
		v, ok := m.variable(name)
		if !ok {
			return "", fmt.Errorf("%w $%s", ErrVariable, name)
		}
		return v, nil
	})
}

func (m *Match) variable(name string) (v string, ok bool) {
	name = lower(name) // nginx does not mind the case
	st := &m.state
	if st.r == nil || st.server == nil || st.r.defined[name] {
		return "", false
	}
	q, u := &st.q, &st.uri
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
		return u.raw, true
	case "uri", "document_uri":
		return u.path, true
	case "args", "query_string":
		return u.args, st.setArgs == nil
	case "is_args":
		if u.args != "" {
			return "?", st.setArgs == nil
		}
		return "", st.setArgs == nil
	case "request_method":
		if q.Method == "" {
			return "GET", true
		}
		return q.Method, true
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
	if arg, found := strings.CutPrefix(name, "arg_"); found {
		return argument(u.args, arg), st.setArgs == nil
	}
	return "", false
}

// client is the text of the client's address.
func (m *Match) client() (string, bool) {
	q := &m.state.q
	if !q.Client.IsValid() {
		return "unix:", q.Unix != ""
	}
	return q.Client.String(), true
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
