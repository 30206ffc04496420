package crossplane

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// ToFiles returns the files that a payload describes, in its order, laid out
// as nginxconf.Format lays files out. A comment with the line of the directive
// before it stands at the end of that line, as crossplane has it; other line
// numbers do not count.
//
// nginx reads the names and the arguments that the payload tells. What it could
// not read is an error: a word too long, a comment of two lines, Lua code that
// its braces do not hold or that was read as directives, more than 12,000 blocks
// in one another.
//
// A Config that has failed may lack what could not be read. ToFiles makes a
// file of the rest: look at the status before you write it.
func ToFiles(p *Payload) ([]*nginxconf.File, error) {
	var files []*nginxconf.File
	for _, c := range p.Config {
		var w writer
		if err := w.list(c.Parsed, 0, 0); err != nil {
			return nil, fmt.Errorf("crossplane: %s: %w", c.File, err)
		}
		if len(w.out) > 0 {
			w.out = append(w.out[1:], '\n') // each line starts with its newline
		}
		f, err := nginxconf.Parse(c.File, w.out)
		if err != nil {
			return nil, fmt.Errorf("crossplane: nginx could not read the file: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}

// bufferSize is NGX_CONF_BUFFER: nginx refuses a word of which it has read as
// many bytes.
const bufferSize = 4096

type writer struct {
	out       []byte
	last      string // the word written last
	commented bool   // a comment ends the line that is being written
}

func (w *writer) add(texts ...string) {
	for _, s := range texts {
		w.out = append(w.out, s...)
	}
}

// newline starts a line. Indentation ends somewhere, or the text would grow
// with the square of the depth.
func (w *writer) newline(depth int) {
	w.add("\n", strings.Repeat("    ", min(depth, 100)))
	w.commented = false
}

// list writes directives. line is that of what stands on the line already.
func (w *writer) list(list []*Directive, depth, line int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d blocks in one another", maxDepth)
	}
	for _, d := range list {
		if d == nil {
			return errors.New("a directive is null")
		}
		if err := w.directive(d, depth, line); err != nil {
			return err
		}
		line = d.Line
	}
	return nil
}

func (w *writer) directive(d *Directive, depth, line int) error {
	if d.Directive == "#" && d.Comment != nil {
		text := strings.TrimRight(*d.Comment, "\r")
		if strings.Contains(text, "\n") {
			return at(d, "a comment is one line")
		}
		if d.Line > 0 && d.Line == line && !w.commented {
			w.add(" ")
		} else {
			w.newline(depth)
		}
		w.add("#", text)
		w.commented = true
		return nil
	}
	w.newline(depth)
	args := d.Args
	isLua := strings.HasSuffix(d.Directive, "_by_lua_block")
	switch {
	case isLua && d.Block != nil:
		return at(d, "%s takes Lua code as an argument, not a block", d.Directive)
	case isLua && len(args) > 0:
		code := args[len(args)-1]
		if !isLuaCode(code) {
			return at(d, "the Lua code does not fit between its braces")
		}
		w.words(append([]string{d.Directive}, args[:len(args)-1]...))
		w.brace()
		w.add(code, "}")
		return nil
	case d.Directive == "if":
		w.words([]string{"if"})
		w.condition(args)
	default:
		w.words(append([]string{d.Directive}, args...))
	}
	if d.Block == nil {
		w.add(";")
		return nil
	}
	w.brace()
	if err := w.list(d.Block, depth+1, d.Line); err != nil {
		return err
	}
	if len(d.Block) == 0 {
		w.add(" }")
		return nil
	}
	w.newline(depth)
	w.add("}")
	return nil
}

func at(d *Directive, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", d.Line, fmt.Sprintf(format, args...))
}

// words writes the name and the arguments of a directive.
func (w *writer) words(args []string) {
	for i, a := range args {
		if i > 0 {
			w.blank(strings.HasPrefix(a, ")") && isQuote(w.last[0]))
		}
		w.last = quote(a)
		w.add(w.last)
	}
}

// brace opens a block.
func (w *writer) brace() {
	w.blank(true)
	w.add("{")
}

// blank writes one behind a word. If it is optional, and nginx's buffer has no
// room for it, it is left out.
func (w *writer) blank(optional bool) {
	n := len(w.last)
	if isQuote(w.last[0]) {
		n-- // the opening quote does not count
	}
	if n+1 < bufferSize || !optional {
		w.add(" ")
	}
}

func isQuote(c byte) bool { return c == '"' || c == '\'' }

// condition writes the arguments of "if" with parentheses around them. A
// parenthesis is a word of its own beside an argument in quotes.
func (w *writer) condition(args []string) {
	w.add(" ")
	n := len(args)
	if n == 0 {
		args = []string{"()"}
		w.words(args)
		return
	}
	args = slices.Clone(args)
	if s := "(" + args[0]; len(s) > 1 && isBare(s) {
		args[0] = s
	} else {
		args = slices.Insert(args, 0, "(")
		n++
	}
	if s := args[n-1] + ")"; len(s) > 1 && isBare(s) {
		args[n-1] = s
		w.words(args)
		return
	}
	w.words(args)
	w.last = ")" // behind a quote it needs no blank
	w.add(w.last)
}

// quote writes an argument as one word. The escapes in it stay as they are.
func quote(arg string) string {
	if isBare(arg) {
		return arg
	}
	q := byte('"')
	if strings.IndexByte(arg, '"') >= 0 && strings.IndexByte(arg, '\'') < 0 {
		q = '\''
	}
	b := []byte{q}
	for i := 0; i < len(arg); i++ {
		switch c := arg[i]; {
		case c == q:
			b = append(b, '\\', c)
		case c != '\\':
			b = append(b, c)
		case i+1 < len(arg):
			i++
			b = append(b, c, arg[i])
		default: // a backslash that protects nothing
			b = append(b, c, c)
		}
	}
	return string(append(b, q))
}

// isBare tells whether an argument can stand in a file without quotes.
func isBare(arg string) bool {
	if arg == "" || strings.IndexByte("\"'#}", arg[0]) >= 0 {
		return false
	}
	for i := 0; i < len(arg); i++ {
		switch arg[i] {
		case ' ', '\t', '\r', '\n', ';', '{':
			return false
		case '\\':
			if i++; i == len(arg) {
				return false
			}
		case '$': // a run of '{' behind it is part of the word
			for i+1 < len(arg) && arg[i+1] == '{' {
				i++
			}
		}
	}
	return true
}

// isLuaCode tells whether Lua code ends where the brace behind it closes it.
func isLuaCode(code string) bool {
	f, err := nginxconf.Parse("", []byte("content_by_lua_block {"+code+"}"))
	return err == nil && f.Len() == 1 && f.At(0).NumArgs() == 1 && f.At(0).Arg(0) == code
}
