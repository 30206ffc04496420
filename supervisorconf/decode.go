package supervisorconf

import (
	"fmt"
	"unicode/utf8"
)

// A badByte is where a file is not UTF-8, which is what supervisord reads
// wherever its locale is not one of the last century.
type badByte struct {
	off     int
	decoded int // the bytes before were good, and their lines already read
	message string
}

// chunkSize is how much Python decodes at a time. The positions in its messages
// count from the start of such a piece.
const chunkSize = 8192

// decodingFault returns the first bad byte, or nil.
func decodingFault(text string) *badByte {
	if utf8.ValidString(text) {
		return nil
	}
	start := 0
	for end := 0; end < len(text); {
		end = min(end+chunkSize, len(text))
		n, bad, reason := decodable(text[start:end])
		if reason != "" {
			return newBadByte(text, start, n, bad, reason)
		}
		start += n // the rest may be complete with the next piece
	}
	if rest := text[start:]; len(rest) == 2 && !continues(rest[0], rest[1], 1) {
		return newBadByte(text, start, 0, 1, "invalid continuation byte")
	}
	return newBadByte(text, start, 0, len(text)-start, "unexpected end of data")
}

func newBadByte(text string, start, n, bad int, reason string) *badByte {
	b := &badByte{off: start + n, decoded: start}
	if bad > 1 {
		b.message = fmt.Sprintf("'utf-8' codec can't decode bytes in position %d-%d: %s", n, n+bad-1, reason)
	} else {
		b.message = fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", text[b.off], n, reason)
	}
	return b
}

// decodable returns how many bytes of s are UTF-8, and how many bytes behind
// them are bad and why. A character that s ends in the middle of is not bad.
func decodable(s string) (n, bad int, reason string) {
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r != utf8.RuneError || size > 1 {
			n += size
			continue
		}
		rest := s[n:]
		lead := rest[0]
		if lead < 0xc2 || lead > 0xf4 {
			return n, 1, "invalid start byte"
		}
		want := 2
		if lead >= 0xe0 {
			want++
		}
		if lead >= 0xf0 {
			want++
		}
		for i := 1; i < want; i++ {
			if i == len(rest) {
				return n, 0, ""
			}
			if !continues(lead, rest[i], i) {
				if lead == 0xed && len(rest) == 2 && rest[1] >= 0xa0 && rest[1] <= 0xbf {
					return n, 0, "" // Python waits for the third byte of a surrogate
				}
				return n, i, "invalid continuation byte"
			}
		}
	}
	return n, 0, ""
}

// continues tells whether c may be byte i of a character that starts with lead.
func continues(lead, c byte, i int) bool {
	lo, hi := byte(0x80), byte(0xbf)
	if i == 1 {
		switch lead {
		case 0xe0:
			lo = 0xa0
		case 0xed:
			hi = 0x9f
		case 0xf0:
			lo = 0x90
		case 0xf4:
			hi = 0x8f
		}
	}
	return lo <= c && c <= hi
}
