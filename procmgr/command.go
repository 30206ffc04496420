package procmgr

import (
	"fmt"
	"strings"
	"unicode"
)

// A commandError is a command that cannot be run: Supervisor's NotFound
// (ErrNoFile), and its BadCommand, NotExecutable and NoPermission, which all
// are the fault NOT_EXECUTABLE.
type commandError struct {
	kind error
	text string
}

func (e *commandError) Error() string { return e.text }
func (e *commandError) Unwrap() error { return e.kind }

// words returns the program's command as a list: supervisor.process,
// get_execv_args.
func (p *Program) words() ([]string, error) {
	if p.Args != nil {
		return p.Args, nil
	}
	words, err := splitWords(p.Command)
	if err != nil {
		return nil, &commandError{ErrNotExecutable, fmt.Sprintf("can't parse command %s: %s", pyRepr(p.Command), err)}
	}
	if len(words) == 0 {
		return nil, &commandError{ErrNotExecutable, "command is empty"}
	}
	return words, nil
}

// splitWords splits as Python's shlex.split(s), which is what supervisord
// uses: a POSIX shell's quotes and backslashes, no comments, no expansions.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	open := false // a word has begun, perhaps with nothing in it
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote && quote != 0:
			quote = 0
		case quote == '\'':
			word.WriteByte(c)
		case c == '\\':
			if i++; i == len(s) {
				return nil, message("No escaped character")
			}
			// Within quotes a backslash is itself unless before one of these;
			// outside, shlex knows no continuation of lines.
			if quote == '"' && s[i] != '"' && s[i] != '\\' {
				word.WriteByte('\\')
			}
			word.WriteByte(s[i])
			open = true
		case quote == '"':
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, open = c, true
		case strings.IndexByte(" \t\r\n", c) >= 0:
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, message("No closing quotation")
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// pyRepr quotes as Python's repr, in which Supervisor's messages are written.
func pyRepr(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b := []byte{quote}
	for i, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], "\uFFFD"):
			b = fmt.Appendf(b, `\udc%02x`, s[i]) // how Python holds a byte that is no UTF-8
		case unicode.IsPrint(r):
			b = append(b, string(r)...)
		case r < 0x100:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return string(append(b, quote))
}
