package route

import "strings"

// A requestURI is the URI of a request line, taken apart.
type requestURI struct {
	host string // of "http://host:80/path", with the port, else empty
	raw  string // from the path on, as sent: $request_uri
	path string // normalised: $uri
	args string // behind the first "?"
	// escaped tells that there was a "%" in the path, plus that there was a "+",
	// and noPath that nginx put the path's "/" there. They matter to what the
	// backend sees.
	escaped bool
	plus    bool
	noPath  bool
}

// coded tells whether nginx takes it that the path had something to decode.
func (u *requestURI) coded() bool { return u.escaped || u.plus }

// readURI reads the URI of a request line (nginx 1.22:
// ngx_http_parse_request_line). It is not ok if nginx answers 400 to it.
func readURI(s string, mergeSlashes bool) (u requestURI, ok bool) {
	s = strings.Trim(s, " ") // more than one blank is fine around it
	if strings.HasPrefix(s, "/") {
		u.raw = s
	} else if u.host, u.raw, ok = cutScheme(s); !ok {
		return u, false
	}
	u.noPath = strings.HasPrefix(u.raw, "?")
	normal := !u.noPath // no look at single segments is needed
	end := len(u.raw)   // of the path
	for i := range len(u.raw) {
		switch c := u.raw[i]; {
		case c <= ' ' || c == 0x7f:
			return u, false
		case c == '#':
			normal = false
		case i > end: // only "#" matters in arguments
		case c == '?':
			end = i
		case c == '+':
			u.plus = u.plus || normal || strings.IndexByte(u.raw[:i], '#') < 0
		case c == '%':
			u.escaped, normal = true, false
		case (c == '/' || c == '.') && i > 0 && u.raw[i-1] == '/':
			normal = false
		}
	}
	if normal {
		u.path = u.raw[:end]
		if end < len(u.raw) {
			u.args = u.raw[end+1:]
		}
		return u, true
	}
	return u, u.normalise(mergeSlashes)
}

// cutScheme divides "http://host:80/path".
func cutScheme(s string) (host, raw string, ok bool) {
	scheme, rest, found := strings.Cut(s, "://")
	if !found || scheme == "" || !isLetter(scheme[0]) {
		return "", "", false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return "", "", false
		}
	}
	end := 0
	if strings.HasPrefix(rest, "[") {
		for end = 1; end < len(rest) && rest[end] != ']'; end++ {
			if c := rest[end]; !isLetter(c) && !isDigit(c) && strings.IndexByte(":-._~!$&'()*+,;=", c) < 0 {
				return "", "", false
			}
		}
		if end == len(rest) {
			return "", "", false
		}
		end++
	} else {
		for end < len(rest) && (isLetter(rest[end]) || isDigit(rest[end]) || rest[end] == '.' || rest[end] == '-') {
			end++
		}
	}
	if end < len(rest) && rest[end] == ':' {
		for end++; end < len(rest) && isDigit(rest[end]); {
			end++
		}
	}
	host, rest = rest[:end], rest[end:]
	switch {
	case host == "":
		return "", "", false
	case rest == "":
		return host, "/", true
	case rest[0] == '/' || rest[0] == '?':
		return host, rest, true
	}
	return "", "", false
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// normalise makes the path of the raw URI (nginx 1.22:
// ngx_http_parse_complex_uri). What "%" stands for is subject to the rules
// for slashes and dots, so "/a/%2e%2e" is "/"; only "%25", "%23" and "%3F" are
// plain characters then.
func (u *requestURI) normalise(mergeSlashes bool) bool {
	out := make([]byte, 0, len(u.raw)+1)
	if u.noPath {
		out = append(out, '/')
	}
	// How what is in out ends.
	const (
		plain  = iota
		slash  // "/"
		dot    // "/."
		dotDot // "/.."
	)
	tail := plain
	// up takes a "/.", or "/.." with the segment before it, back to the slash.
	up := func() bool {
		switch tail {
		case dot:
			out = out[:len(out)-1]
		case dotDot:
			i := len(out) - len("/..") - 1
			for i >= 0 && out[i] != '/' {
				i--
			}
			if i < 0 {
				return false
			}
			out = out[:i+1]
		}
		return true
	}
	raw := u.raw
	for i := 0; i < len(raw); i++ {
		c, literal := raw[i], false
		switch c {
		case '%':
			if i+2 >= len(raw) {
				return false
			}
			high, low := hexDigit(raw[i+1]), hexDigit(raw[i+2])
			if high < 0 || low < 0 {
				return false
			}
			c = byte(high<<4 | low)
			if c == 0 {
				return false
			}
			literal = c == '%' || c == '#' || c == '?'
			u.escaped = true
			i += 2
		case '?', '#':
			if !up() {
				return false
			}
			if c == '?' {
				u.args, _, _ = strings.Cut(raw[i+1:], "#")
			}
			u.path = string(out)
			return true
		}
		switch {
		case literal:
			tail = plain
		case c == '/':
			if tail == slash && !mergeSlashes {
				break
			}
			if tail == plain {
				tail = slash
				break
			}
			if !up() {
				return false
			}
			tail = slash
			continue // the slash is there
		case c == '.' && tail == slash:
			tail = dot
		case c == '.' && tail == dot:
			tail = dotDot
		default:
			tail = plain
		}
		out = append(out, c)
	}
	if !up() {
		return false
	}
	u.path = string(out)
	return true
}

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// escapeURI writes a path as nginx does in a URI of its own (nginx 1.22:
// ngx_escape_uri with NGX_ESCAPE_URI).
func escapeURI(s string) string {
	n := 0
	for i := range len(s) {
		if mustEscape(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; mustEscape(c) {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// escapeArgs is NGX_ESCAPE_ARGS.
func escapeArgs(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f || mustEscape(byte(r)) || strings.ContainsRune("&+;", r) }) {
		return s
	}
	var out []byte
	for i := range len(s) {
		if c := s[i]; mustEscape(c) || c == '&' || c == '+' || c == ';' {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// unescapeRedirect decodes up to a "?" what needs no encoding there (nginx 1.22:
// ngx_unescape_uri with NGX_UNESCAPE_REDIRECT).
func unescapeRedirect(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '?':
			return string(append(out, s[i:]...))
		case c != '%':
			out = append(out, c)
			continue
		case i+1 == len(s):
			return string(out)
		}
		high := hexDigit(s[i+1])
		if high < 0 { // the "%" is lost
			out = append(out, s[i+1])
			i++
			continue
		}
		if i+2 == len(s) {
			return string(out)
		}
		low := hexDigit(s[i+2])
		if low < 0 { // all of it is
			i += 2
			continue
		}
		switch c := byte(high<<4 | low); {
		case c == '?' && low >= 10: // a mark that ends the path, but only if it is "%3F"
			return string(append(append(out, c), s[i+3:]...))
		case c > '%' && c < 0x7f:
			out = append(out, c)
		default:
			out = append(out, s[i:i+3]...)
		}
		i += 2
	}
	return string(out)
}

const upperHex = "0123456789ABCDEF"

func mustEscape(c byte) bool {
	return c <= ' ' || c >= 0x7f || strings.IndexByte("\"#%<>?\\^`{|}", c) >= 0
}
