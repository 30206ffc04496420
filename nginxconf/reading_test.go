package nginxconf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reading is a second reading of nginx's grammar, as a machine that takes one
// byte at a time and knows nothing of trees. It returns the words and the ends
// of directives, up to the first error.
func reading(src string) (out string, ok bool) {
	type state int
	const (
		between state = iota // words
		comment
		bare
		dollar // in a bare word, behind '$' and the '{'s that follow it
		escape // in a bare word
		quoted
		quotedEscape
		behindQuote
	)
	var b strings.Builder
	var word []byte
	var quote byte
	now, words, depth := between, 0, 0
	var since int // where the word or comment starts, for nginx's buffer

	finish := func() {
		// The escapes that nginx undoes.
		text := string(word)
		text = strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`, `\t`, "\t", `\r`, "\r", `\n`, "\n").Replace(text)
		fmt.Fprintf(&b, "%q ", text)
		word = word[:0]
		words++
		now = between
	}
	for i := 0; i < len(src); i++ {
		c := src[i]
		if i-since == 4096 {
			return b.String(), false
		}
		if now == behindQuote {
			switch c {
			case ' ', '\t', '\r', '\n':
				now = between
				continue // nginx's buffer is not started afresh yet
			case ';', '{', ')':
				now = between
			default:
				return b.String(), false
			}
			if c == ';' || c == '{' {
				since = i
			}
		}
		blank := c == ' ' || c == '\t' || c == '\r' || c == '\n'
		ends := blank || c == ';' || c == '{'
		switch now {
		case comment:
			if c == '\n' {
				now, since = between, i
			}
			continue
		case escape:
			word, now = append(word, c), bare
			continue
		case quotedEscape:
			word, now = append(word, c), quoted
			continue
		case quoted:
			switch c {
			case quote:
				finish()
				now = behindQuote
			case '\\':
				word, now = append(word, c), quotedEscape
			default:
				word = append(word, c)
			}
			continue
		case dollar:
			if c == '{' {
				word = append(word, c)
				continue
			}
			now = bare
			fallthrough
		case bare:
			switch {
			case ends:
				finish()
				if blank {
					continue // as behind a quote
				}
			case c == '\\':
				word, now = append(word, c), escape
				continue
			case c == '$':
				word, now = append(word, c), dollar
				continue
			default:
				word = append(word, c)
				continue
			}
		}
		// Between words.
		since = i
		switch c {
		case ' ', '\t', '\r', '\n':
		case ';', '{':
			if words == 0 {
				return b.String(), false
			}
			b.WriteByte(c)
			b.WriteByte('\n')
			words = 0
			since = i + 1
			if c == '{' {
				depth++
			}
		case '}':
			if words > 0 || depth == 0 {
				return b.String(), false
			}
			b.WriteString("}\n")
			depth--
			since = i + 1
		case '#':
			now = comment
		case '"', '\'':
			now, quote, since = quoted, c, i+1
		case '\\':
			word, now = append(word, c), escape
		case '$':
			word, now = append(word, c), dollar
		default:
			word, now = append(word, c), bare
		}
	}
	return b.String(), depth == 0 && words == 0 && (now == between || now == comment)
}

// FuzzSecondReading compares trees with that reading.
func FuzzSecondReading(f *testing.F) {
	for _, s := range odd {
		f.Add([]byte(s))
	}
	for _, s := range []string{" ", "#", "w", `"`, " \n"} {
		f.Add([]byte("a " + strings.Repeat(s, 4093) + "b \";# x\n;"))
		f.Add([]byte("a " + strings.Repeat(s, 4095) + "b \";# x\n;"))
		f.Add([]byte(`a "` + strings.Repeat("w", 4093) + `" ;`))
		f.Add([]byte(`a "` + strings.Repeat("w", 4094) + `";`))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if !strings.Contains(string(src), "_by_lua_block") {
			readTwice(t, src)
		}
	})
}

func readTwice(t *testing.T, src []byte) {
	want, ok := reading(string(src))
	file, err := Parse("", src)
	if ok != (err == nil) {
		require.FailNow(t, "only one accepts it", "%q: %v", src, err)
	}
	if !ok {
		return
	}
	var b strings.Builder
	file.walk(0, func(d *Directive, _ int) bool {
		for _, w := range append([]string{d.Name()}, d.Args()...) {
			fmt.Fprintf(&b, "%q ", w)
		}
		if d.Body() != nil {
			b.WriteString("{\n")
		} else {
			b.WriteString(";\n")
		}
		return true
	}, func(*Directive, int) { b.WriteString("}\n") })
	if want != b.String() {
		require.Equal(t, want, b.String(), "%q", src)
	}
}

// The bytes of a word are looked at eight at a time: none may hide another.
func TestAllPairsOfBytesAreReadInAWord(t *testing.T) {
	for i := range 1 << 16 {
		readTwice(t, []byte{'a', ' ', 'b', byte(i), byte(i >> 8), 'c', 'c', 'c', 'c', 'c', 'c', 'c', ';'})
	}
}
