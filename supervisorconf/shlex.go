package supervisorconf

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A lexer is Python's shlex.shlex, in the three ways in which Supervisor uses
// it: environment= up to 4.3 (legacy), environment= from 4.4 (POSIX), and
// command= (shlex.split, POSIX).
type lexer struct {
	in        string
	posix     bool
	split     bool   // words end at white space alone
	comment   string // "#", or none
	wordchars string // beyond ASCII letters, digits and "_"

	state    rune // ' ', 'a', a quote, or '\\'
	done     bool
	pushback string // a token seen too early
	skipped  bool   // there was a comment
	buf      bytes.Buffer
}

// latin1 is what shlex takes for letters of words in POSIX mode.
const latin1 = "ßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞ"

func isWhitespace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }
func isQuote(r rune) bool      { return r == '\'' || r == '"' }

func (l *lexer) isWord(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
		return true
	}
	return strings.ContainsRune(l.wordchars, r)
}

// next returns the next token, or the message of a ValueError; ok is false at
// the end.
func (l *lexer) next() (token string, ok bool, message string) {
	if t := l.pushback; t != "" {
		l.pushback = ""
		return t, true, ""
	}
	b := &l.buf
	b.Reset()
	quoted := false
	escaped := ' ' // the state to return to after a backslash
	if l.state == 0 {
		l.state = ' '
	}
	emit := func() bool { return b.Len() > 0 || l.posix && quoted }
loop:
	for !l.done {
		r, n := utf8.DecodeRuneInString(l.in)
		char := l.in[:n]
		l.in = l.in[n:]
		end := n == 0
		switch {
		case l.state == ' ':
			switch {
			case end:
				l.done = true
			case isWhitespace(r):
				if emit() {
					break loop
				}
			case l.isComment(r):
				l.skipLine()
			case l.posix && r == '\\':
				escaped, l.state = 'a', r
			case l.isWord(r):
				b.Reset()
				b.WriteString(char)
				l.state = 'a'
			case isQuote(r):
				if !l.posix {
					b.Reset()
					b.WriteString(char)
				}
				l.state = r
			default:
				b.Reset()
				b.WriteString(char)
				if !l.split {
					break loop
				}
				l.state = 'a'
			}
		case isQuote(l.state):
			quoted = true
			switch {
			case end:
				return "", false, "No closing quotation"
			case r == l.state && !l.posix:
				b.WriteString(char)
				l.state = ' '
				break loop
			case r == l.state:
				l.state = 'a'
			case l.posix && r == '\\' && l.state == '"':
				escaped, l.state = l.state, r
			default:
				b.WriteString(char)
			}
		case l.state == '\\':
			if end {
				return "", false, "No escaped character"
			}
			if isQuote(escaped) && r != '\\' && r != escaped {
				b.WriteByte('\\')
			}
			b.WriteString(char)
			l.state = escaped
		default: // in a word
			switch {
			case end:
				l.done = true
			case isWhitespace(r):
				l.state = ' '
				if emit() {
					break loop
				}
			case l.isComment(r):
				l.skipLine()
				if l.posix { // legacy mode goes on with the word on the next line
					l.state = ' '
					if emit() {
						break loop
					}
				}
			case l.posix && isQuote(r):
				l.state = r
			case l.posix && r == '\\':
				escaped, l.state = 'a', r
			case l.isWord(r), isQuote(r), l.split:
				b.WriteString(char)
			default:
				l.pushback = char
				l.state = ' '
				if emit() {
					break loop
				}
			}
		}
	}
	return b.String(), emit(), ""
}

func (l *lexer) isComment(r rune) bool { return strings.ContainsRune(l.comment, r) }

func (l *lexer) skipLine() {
	l.skipped = true
	_, l.in, _ = strings.Cut(l.in, "\n")
}

// tokens returns all tokens, or a message.
func (l *lexer) tokens() ([]string, string) {
	list := make([]string, 0, 8)
	for {
		t, ok, message := l.next()
		if message != "" {
			return nil, message
		}
		if !ok {
			return list, ""
		}
		list = append(list, t)
	}
}

// splitCommand is shlex.split.
func splitCommand(s string) ([]string, string) {
	l := lexer{in: s, posix: true, split: true, wordchars: latin1}
	return l.tokens()
}

// A pair is a variable of an environment. The last of a name wins.
type pair struct{ key, value string }

// A loss is what Supervisor drops of an environment, without a word.
type loss struct {
	after   string // the variable
	comma   bool   // it is taken for the comma, and a variable follows
	comment bool   // it is what follows a "#" in a word
}

// toPairs is dict_of_key_value_pairs. Tokens are taken in fours, KEY = value
// and a separator, which may be any token at all.
func toPairs(s string, posix bool) ([]pair, string) {
	pairs, _, message := readPairs(s, posix)
	return pairs, message
}

func readPairs(s string, posix bool) ([]pair, []loss, string) {
	if s == "" {
		return nil, nil, ""
	}
	const words = "/.+-():"
	l := lexer{in: s, posix: posix, comment: "#", wordchars: words}
	if posix {
		l.wordchars = words + latin1
	}
	tokens, message := l.tokens()
	if message != "" {
		return nil, nil, message
	}
	var lost []loss
	pairs := make([]pair, 0, (len(tokens)+3)/4)
	for i := 0; i < len(tokens); i += 4 {
		if len(tokens) < i+3 || tokens[i+1] != "=" {
			return nil, nil, "Unexpected end of key/value pairs in value '" + s + "'"
		}
		p := pair{tokens[i], tokens[i+2]}
		if !posix {
			p.value = strings.Trim(p.value, `'"`)
		}
		pairs = append(pairs, p)
		if len(tokens) > i+3 && tokens[i+3] != "," {
			lost = append(lost, loss{after: p.key, comma: len(tokens) > i+4})
		}
	}
	if l.skipped && len(pairs) > 0 {
		lost = append(lost, loss{after: pairs[len(pairs)-1].key, comment: true})
	}
	return pairs, lost, ""
}
