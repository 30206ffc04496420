package nginxconf

import (
	"math/bits"
	"strings"
)

// The rules below are those of ngx_conf_read_token (nginx 1.18 to 1.31).

// bufferSize is NGX_CONF_BUFFER: nginx refuses a word or a comment when this
// many bytes of it are read and the file goes on.
const bufferSize = 4096

// ends holds the bytes that end a bare word, unless they are protected.
var ends = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ';': true, '{': true}

// bareEnd returns where the bare word that starts at i ends.
func bareEnd(text string, i int) int {
	for i < len(text) {
		if i+8 <= len(text) {
			m := bareStops(eight(text[i:]))
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) >> 3
		}
		switch text[i] {
		case ' ', '\t', '\r', '\n', ';', '{':
			return i
		case '\\': // protects any byte, a newline too
			i = min(i+2, len(text))
		case '$': // a run of '{' right behind it is part of the word
			for i++; i < len(text) && text[i] == '{'; i++ {
			}
		default:
			i++
		}
	}
	return i
}

// eight returns the first eight bytes of s, the first one lowest.
func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

const each = 0x0101010101010101 // times a byte: eight of that byte

// bareStops sets the top bit of each byte of x at which a look is needed inside
// a bare word: blanks, ';', '{', '\\' and '$', and some others: all below '%' or
// above 'z'. VT, FF, NUL, '}' and '#' are ordinary there to nginx. Only the
// lowest bit set can be relied on, for a subtraction borrows from the byte above.
func bareStops(x uint64) uint64 {
	const top = 0x80 * each
	semicolon, backslash := (x^';'*each)-each, (x^'\\'*each)-each // of zero, the top bit
	return (x | (x + (0x7f-'z')*each) | (x - '%'*each) | semicolon | backslash) & top
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

// What a byte means between words.
const (
	bare = iota
	blank
	sharp     // a comment
	ender     // ends a directive, or a block
	quoteMark // starts a quoted word
)

var kinds = [256]uint8{
	' ': blank, '\t': blank, '\r': blank, '\n': blank,
	'#': sharp, ';': ender, '{': ender, '}': ender, '"': quoteMark, '\'': quoteMark,
}
