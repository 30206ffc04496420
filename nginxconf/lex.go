package nginxconf

import "strings"

// The rules below are those of ngx_conf_read_token (nginx 1.18 to 1.31).

// bufferSize is NGX_CONF_BUFFER: nginx refuses a word or a comment when this
// many bytes of it are read and the file goes on.
const bufferSize = 4096

// bareStop holds the bytes at which a look is needed inside a bare word. VT,
// FF, NUL, '}' and '#' are not among them: to nginx they are ordinary there.
var bareStop = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ';': true, '{': true, '\\': true, '$': true}

// bareEnd returns where the bare word that starts at i ends.
func bareEnd(text string, i int) int {
	for i < len(text) {
		c := text[i]
		if !bareStop[c] {
			i++
			continue
		}
		switch c {
		case '\\': // protects any byte, a newline too
			i = min(i+2, len(text))
		case '$': // a run of '{' right behind it is part of the word
			for i++; i < len(text) && text[i] == '{'; i++ {
			}
		default:
			return i
		}
	}
	return i
}

// quotedEnd returns where the quote q, opened just before i, closes: the
// offset of the closing quote, or the end of text.
func quotedEnd(text string, i int, q byte) int {
	for i < len(text) && text[i] != q {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(text))
}

// commentEnd returns where the comment at i ends, its LF not included. A CR
// does not end it.
func commentEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
