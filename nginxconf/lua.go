package nginxconf

import "strings"

// isLua tells whether a directive of that name takes its block as one raw
// argument of Lua code (lua-nginx-module: ngx_http_lua_conf_lua_block_parse).
func isLua(name string) bool { return strings.HasSuffix(name, "_by_lua_block") }

// luaEnd returns where the Lua code that starts at i ends: the offset of the
// '}' that closes it, or the end of text. The module looks for braces outside
// of comments, strings and long brackets; a quote that is not closed on its
// line is nothing special to it.
//
// If the code has no end, at is the offset whose line the module reports, and
// message what it says.
func luaEnd(text string, i int) (end, at int, message string) {
	open := i // the line of the last '{' is where an open end is reported
	for depth := 1; i < len(text); {
		switch c := text[i]; c {
		case '{':
			open = i
			depth++
		case '}':
			if depth--; depth == 0 {
				return i, 0, ""
			}
		case '"', '\'':
			if e := luaStringEnd(text, i+1, c); e > 0 {
				i = e
			}
		case '-', '[':
			j := i
			comment := strings.HasPrefix(text[i:], "--")
			if comment {
				j += 2
			}
			if closing := longBracket(text[j:]); closing != "" {
				n := strings.Index(text[j+len(closing):], closing)
				if n < 0 {
					return len(text), i, `Lua code block missing the closing long bracket "` + closing + `", the inlined Lua code may be too long`
				}
				i = j + len(closing) + n + len(closing) - 1
			} else if comment {
				i = commentEnd(text, i)
			}
		}
		i++
	}
	return len(text), open, "unexpected end of file, expecting terminating characters for lua code block"
}

// luaStringEnd returns the offset of the quote q that closes a string on its
// line, or 0.
func luaStringEnd(text string, i int, q byte) int {
	for i < len(text) && text[i] != '\n' {
		switch text[i] {
		case q:
			return i
		case '\\':
			if i++; i < len(text) && text[i] == '\n' {
				return 0
			}
		}
		i++
	}
	return 0
}

// longBracket returns what closes the long bracket that text starts with,
// "]==]" for "[==[", or nothing if it starts with none.
func longBracket(text string) string {
	if text == "" || text[0] != '[' {
		return ""
	}
	n := 1
	for n < len(text) && text[n] == '=' {
		n++
	}
	if n == len(text) || text[n] != '[' {
		return ""
	}
	return "]" + text[1:n] + "]"
}
