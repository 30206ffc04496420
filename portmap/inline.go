package portmap

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A value is what a cell says, without the markup around it.
type value struct {
	text string
	// The bytes of the source that say it. Where markup stands inside the
	// text, they are those of the whole cell without its outer blanks.
	start, end int
}

// readCell reads the bytes of a table cell as a renderer of GitHub's Markdown
// shows them: emphasis, code, links and tags give their text, escapes and
// entities what they stand for.
func readCell(src string, start, end int) value {
	begin := start
	for start < end && isBlank(src[start]) {
		start++
	}
	for start < end && isBlank(src[end-1]) {
		end--
	}
	if start == end { // the place for a value is behind one blank
		at := min(begin+1, end)
		return value{"", at, at}
	}
	// GitHub takes "\|" for a pipe before it looks for any other markup, so
	// it does so in code as well.
	raw := src[start:end]
	at := func(i int) int { return start + i }
	if strings.Contains(raw, `\|`) {
		var b strings.Builder
		offsets := make([]int, 0, len(raw)+1)
		for i := 0; i < len(raw); i++ {
			offsets = append(offsets, start+i)
			if raw[i] == '\\' && i+1 < len(raw) && raw[i+1] == '|' {
				i++
			}
			b.WriteByte(raw[i])
		}
		offsets = append(offsets, end)
		raw = b.String()
		at = func(i int) int { return offsets[i] }
	}
	text, from, to := plainText(raw)
	v := value{text, start, end}
	if text != "" && src[at(from):at(to)] == text {
		v.start, v.end = at(from), at(to)
	}
	return v
}

// What becomes of a byte of inline Markdown.
const (
	shown   = iota // markup has not claimed it
	literal        // shown as it is: escaped, or in code
	dropped        // markup
)

// plainText returns the text of inline Markdown without its markup and outer
// blanks, and the bytes from and to between which it stands. It takes linear
// time and does not recurse: emphasis that crosses other emphasis is dropped
// like any other, which a renderer would show.
func plainText(s string) (text string, from, to int) {
	fate := make([]byte, len(s))
	markCodeAndEscapes(s, fate)
	markLinks(s, fate)
	markEmphasis(s, fate)

	var b strings.Builder
	end := 0 // length of b up to the last rune that is no blank
	emit := func(t string, i, j int) {
		for _, r := range t {
			blank := unicode.IsSpace(r)
			if blank && b.Len() == 0 {
				continue
			}
			if b.Len() == 0 {
				from = i
			}
			b.WriteRune(r)
			if !blank {
				end, to = b.Len(), j
			}
		}
	}
	for i := 0; i < len(s); {
		if fate[i] == dropped {
			i++
			continue
		}
		if fate[i] == shown && s[i] == '&' {
			if n := strings.IndexByte(s[i:min(i+33, len(s))], ';'); n > 0 {
				if t := html.UnescapeString(s[i : i+n+1]); t != s[i:i+n+1] {
					emit(t, i, i+n+1)
					i += n + 1
					continue
				}
			}
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			// Not UTF-8: the byte is kept, as text it would be lost.
			if b.Len() == 0 {
				from = i
			}
			b.WriteByte(s[i])
			end, to = b.Len(), i+1
		} else {
			emit(s[i:i+n], i, i+n)
		}
		i += n
	}
	return b.String()[:end], from, to
}

// markCodeAndEscapes finds what keeps other markup from being markup: "\*",
// `code`, <tags> and <https://autolinks>.
func markCodeAndEscapes(s string, fate []byte) {
	// closing[i] is where the next run of backticks as long as the one at i
	// begins.
	closing := map[int]int{}
	later := map[int]int{} // by length
	for i := len(s); i > 0; {
		j := i
		for i > 0 && s[i-1] == '`' {
			i--
		}
		if i == j {
			i--
			continue
		}
		if c, ok := later[j-i]; ok {
			closing[i] = c
		}
		later[j-i] = i
	}
	const longestTag = 500 // a bound on the search for ">"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && isPunct(s[i+1]):
			fate[i] = dropped
			i++
			fate[i] = literal
		case c == '`':
			n := 1
			for i+n < len(s) && s[i+n] == '`' {
				n++
			}
			if j, ok := closing[i]; ok {
				fill(fate[i:i+n], dropped)
				fill(fate[i+n:j], literal)
				fill(fate[j:j+n], dropped)
				i = j
			}
			i += n - 1
		case c == '<':
			n := strings.IndexByte(s[i:min(i+longestTag, len(s))], '>')
			if n < 0 {
				continue
			}
			inner := s[i+1 : i+n]
			switch {
			case strings.Contains(inner, "://") && !strings.ContainsAny(inner, " <"):
				fate[i], fate[i+n] = dropped, dropped
				fill(fate[i+1:i+n], literal)
				i += n
			case isTag(inner):
				fill(fate[i:i+n+1], dropped)
				i += n
			}
		}
	}
}

// markLinks drops all of [text](target), [text][label], ![alt](src) and the
// footnote [^1] but the text.
func markLinks(s string, fate []byte) {
	match := map[int]int{} // brackets and parentheses, opening to closing
	var square, round []int
	for i := range len(s) {
		if fate[i] != shown {
			continue
		}
		switch s[i] {
		case '[':
			square = append(square, i)
		case '(':
			round = append(round, i)
		case ']':
			if n := len(square); n > 0 {
				match[square[n-1]] = i
				square = square[:n-1]
			}
		case ')':
			if n := len(round); n > 0 {
				match[round[n-1]] = i
				round = round[:n-1]
			}
		}
	}
	for i := 0; i < len(s); i++ {
		j, ok := match[i]
		if s[i] != '[' || !ok || fate[i] != shown {
			continue
		}
		if strings.HasPrefix(s[i:], "[^") {
			fill(fate[i:j+1], dropped)
			continue
		}
		if j+1 >= len(s) || s[j+1] != '(' && s[j+1] != '[' {
			continue
		}
		k, ok := match[j+1]
		if !ok || s[j+1] == '[' && strings.HasPrefix(s[k+1:], "(") {
			continue
		}
		fate[i] = dropped
		if i > 0 && s[i-1] == '!' && fate[i-1] == shown {
			fate[i-1] = dropped
		}
		fill(fate[j:k+1], dropped)
	}
}

// markEmphasis drops the delimiters of *emphasis*, **strong**, _emphasis_ and
// ~~deleted~~ text: runs of one length, the first before text and the second
// behind it, as CommonMark 0.30 has it in section 6.2. It does not take runs
// apart as CommonMark does in "**a*", which nobody means.
func markEmphasis(s string, fate []byte) {
	type delimiter struct {
		char   byte
		length int
	}
	open := map[delimiter][]int{}
	for i := 0; i < len(s); {
		c := s[i]
		if fate[i] != shown || c != '*' && c != '_' && c != '~' {
			i++
			continue
		}
		j := i
		for j < len(s) && s[j] == c && fate[j] == shown {
			j++
		}
		before, after := ' ', ' '
		if i > 0 {
			before, _ = utf8.DecodeLastRuneInString(s[:i])
		}
		if j < len(s) {
			after, _ = utf8.DecodeRuneInString(s[j:])
		}
		opens := flanks(before, after)
		closes := flanks(after, before)
		if c == '_' { // inside a word it is no delimiter
			opens, closes = opens && (!closes || isPunctuation(before)), closes && (!opens || isPunctuation(after))
		}
		d := delimiter{c, j - i}
		switch starts := open[d]; {
		case closes && len(starts) > 0:
			start := starts[len(starts)-1]
			open[d] = starts[:len(starts)-1]
			fill(fate[start:start+d.length], dropped)
			fill(fate[i:j], dropped)
		case opens && !(c == '~' && d.length > 2):
			open[d] = append(starts, i)
		}
		i = j
	}
}

// flanks reports whether a run of delimiters belongs to the text at its inner
// side: to punctuation only if there is no word at its outer side.
func flanks(outer, inner rune) bool {
	return !unicode.IsSpace(inner) && (!isPunctuation(inner) || unicode.IsSpace(outer) || isPunctuation(outer))
}

// isTag reports whether the text between "<" and ">" makes an HTML tag.
func isTag(s string) bool {
	s = strings.TrimPrefix(s, "/")
	return s != "" && isLetter(s[0]) && !strings.ContainsAny(s, "<")
}

// escapeCell writes a text so that readCell gives it back, with as few escapes
// as will do. ok is false where no cell can say it, such as a line break.
func escapeCell(text string) (cell string, ok bool) {
	if strings.ContainsFunc(text, unicode.IsControl) || isNone(text) {
		return "", false
	}
	says := func(cell string) bool { return readCell(cell, 0, len(cell)).text == text }
	cell = strings.ReplaceAll(text, "|", `\|`)
	if says(cell) {
		return cell, true
	}
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte("\\`*_~[]<>&|!", text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	cell = b.String()
	return cell, says(cell)
}

// isNone reports a cell that says "none" on purpose: a dash of any length.
func isNone(text string) bool { return text == "-" || text == "–" || text == "—" }

func fill(s []byte, c byte) {
	for i := range s {
		s[i] = c
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isPunct(c byte) bool {
	return '!' <= c && c <= '/' || ':' <= c && c <= '@' || '[' <= c && c <= '`' || '{' <= c && c <= '~'
}

func isPunctuation(r rune) bool { return unicode.IsPunct(r) || r < 0x80 && isPunct(byte(r)) }

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
