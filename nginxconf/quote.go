package nginxconf

import "strings"

// unquote returns what nginx makes of a word as written: the quotes around it
// go, and of all escapes only \" \' \\ \t \r \n are undone, in bare words too.
// It allocates only if there is an escape to undo.
func unquote(raw string) string {
	if raw == "" {
		return raw
	}
	if q := raw[0]; q == '"' || q == '\'' {
		raw = raw[1:]
		// A quote that the file's end leaves open has nothing to cut off.
		if end := quotedEnd(raw, 0, q); end < len(raw) {
			raw = raw[:end]
		}
	}
	i := strings.IndexByte(raw, '\\')
	if i < 0 {
		return raw
	}
	var b strings.Builder
	b.Grow(len(raw))
	for ; i >= 0 && i+1 < len(raw); i = strings.IndexByte(raw, '\\') {
		b.WriteString(raw[:i])
		switch c := raw[i+1]; c {
		case '"', '\'', '\\':
			b.WriteByte(c)
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		default:
			// The backslash stays, and so does the byte behind it.
			b.WriteByte('\\')
			raw = raw[i+1:]
			continue
		}
		raw = raw[i+2:]
	}
	b.WriteString(raw)
	return b.String()
}

// quote writes value as one word that nginx reads back as value, with the
// quote character like (0: none, if it can go without).
func quote(value string, like byte) string {
	if like == 0 {
		// Doubling a backslash may set free what another one protected.
		if raw := escape(value, 0); isBare(value) && isBare(raw) {
			return raw
		}
		like = '"'
		if strings.IndexByte(value, '"') >= 0 && strings.IndexByte(value, '\'') < 0 {
			like = '\''
		}
	}
	return string(like) + escape(value, like) + string(like)
}

// isBare tells whether raw, escapes and all, is one word without quotes.
func isBare(raw string) bool {
	if raw == "" || strings.IndexByte("\"'#}", raw[0]) >= 0 {
		return false
	}
	// The lexer is asked, so that "${x}" stays as people write it.
	return bareEnd(raw, 0) == len(raw) && !endsInEscape(raw)
}

// endsInEscape tells whether the last backslash of raw has nothing to protect.
func endsInEscape(raw string) bool {
	n := len(raw) - len(strings.TrimRight(raw, `\`))
	return n%2 == 1
}

// escape doubles those backslashes that nginx would take for the start of an
// escape, and protects the quote character. Others stay, as in "\d": that is
// how people write regular expressions.
func escape(value string, q byte) string {
	if strings.IndexByte(value, '\\') < 0 && (q == 0 || strings.IndexByte(value, q) < 0) {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == q && q != 0:
			b.WriteByte('\\')
		case c == '\\':
			if i+1 == len(value) || strings.IndexByte(`"'\trn`, value[i+1]) >= 0 {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
