package peers

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// words is the bare tokenizer: a plain loop that finds words and directives by
// nginx's rules, checks that they are ended and nested, and keeps nothing. No
// parser that goes byte by byte does less.
func words(src []byte) (words, directives int, err error) {
	depth, open := 0, 0 // open: words of the directive being read
	for i := 0; i < len(src); {
		switch c := src[i]; c {
		case ' ', '\t', '\r', '\n':
			i++
		case '#':
			n := bytes.IndexByte(src[i:], '\n')
			if n < 0 {
				n = len(src) - i
			}
			i += n
		case ';', '{', '}':
			if (open > 0) == (c == '}') {
				return words, directives, errWords
			}
			switch c {
			case ';':
				directives++
			case '{':
				directives++
				depth++
			case '}':
				depth--
			}
			if depth < 0 {
				return words, directives, errWords
			}
			open = 0
			i++
		case '"', '\'':
			for i++; i < len(src) && src[i] != c; i++ {
				if src[i] == '\\' {
					i++
				}
			}
			i++
			if i > len(src) || i < len(src) && src[i] != ')' && !ends[src[i]] {
				return words, directives, errWords
			}
			words++
			open++
		default:
			for ; i < len(src) && !ends[src[i]]; i++ {
				switch src[i] {
				case '\\':
					i++
				case '$':
					for i+1 < len(src) && src[i+1] == '{' {
						i++
					}
				}
			}
			words++
			open++
		}
	}
	if open > 0 || depth > 0 {
		return words, directives, errWords
	}
	return words, directives, nil
}

var errWords = errors.New("a word or a brace out of place")

// ends are the bytes that end a bare word.
var ends = [256]bool{' ': true, '\t': true, '\r': true, '\n': true, ';': true, '{': true}

// The yardstick does the work it is said to do: it finds what the parser finds.
func TestBareTokenizerFindsTheWords(t *testing.T) {
	for name, src := range texts(t) {
		f, err := nginxconf.Parse(name, src)
		require.NoError(t, err, name)
		wantWords, wantDirectives := 0, 0
		for d := range f.All() {
			if strings.HasSuffix(d.Name(), "_by_lua_block") {
				wantWords = -1 // a grammar of its own
				break
			}
			wantDirectives++
			wantWords += 1 + d.NumArgs()
		}
		if wantWords < 0 {
			continue
		}
		w, n, err := words(src)
		require.NoError(t, err, name)
		assert.Equal(t, wantWords, w, name)
		assert.Equal(t, wantDirectives, n, name)
	}
	for _, broken := range []string{"a", "a {", "a { b }", "}", ";", "{", `a "b;`, `a "b"c;`, "a; }"} {
		_, _, err := words([]byte(broken))
		assert.Error(t, err, broken)
	}
}
