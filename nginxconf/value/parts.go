package value

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// A Part is a piece of a value: literal text, or a variable.
type Part struct {
	Text string // as it stands in the value: "https://", "$host", "${host}"
	// Name is the variable's name, "host", or the number of a capture, "1" to
	// "9". It is empty for literal text.
	Name string
}

// Parts ranges over the parts of a value, as ngx_http_script_compile divides
// it. Put together, the Texts are the value. At a "$" that starts no variable
// it ends with an error in nginx's words, and the rest of the value as Text:
//
//	invalid variable name
//	the closing bracket in "host" variable is missing
//
// Whether a variable of that name exists is not looked at.
func Parts(s string) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		for s != "" {
			p, err := firstPart(s)
			if !yield(p, err) || err != nil {
				return
			}
			s = s[len(p.Text):]
		}
	}
}

func firstPart(s string) (Part, error) {
	switch i := strings.IndexByte(s, '$'); {
	case i < 0:
		return Part{Text: s}, nil
	case i > 0:
		return Part{Text: s[:i]}, nil
	}
	if len(s) > 1 && '1' <= s[1] && s[1] <= '9' {
		return Part{s[:2], s[1:2]}, nil // "$10" is "$1" and a zero
	}
	start := 1
	bracket := len(s) > 1 && s[1] == '{'
	if bracket {
		start++
	}
	if start == len(s) {
		return Part{Text: s}, errors.New("invalid variable name")
	}
	end := start
	for end < len(s) && isNameByte(s[end]) {
		end++
	}
	name := s[start:end]
	if bracket {
		if end == len(s) || s[end] != '}' {
			return Part{Text: s}, fmt.Errorf(`the closing bracket in "%s" variable is missing`, name)
		}
		end++
	}
	if name == "" {
		return Part{Text: s}, errors.New("invalid variable name")
	}
	return Part{s[:end], name}, nil
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// Expand returns a value with the variables replaced by what lookup says. It
// ends with the first error, of lookup or of [Parts].
func Expand(s string, lookup func(name string) (string, error)) (string, error) {
	if strings.IndexByte(s, '$') < 0 {
		return s, nil
	}
	var b strings.Builder
	for p, err := range Parts(s) {
		if err != nil {
			return "", err
		}
		text := p.Text
		if p.Name != "" {
			if text, err = lookup(p.Name); err != nil {
				return "", err
			}
		}
		b.WriteString(text)
	}
	return b.String(), nil
}
