package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A script is the directives of the rewrite module of a level, those of its if
// blocks included, as nginx compiles them (nginx 1.22:
// ngx_http_rewrite_module).
type script []op

// An op is one directive of a script.
type op struct {
	d    *nginxconf.Directive
	kind opKind

	re   *expression // of a rewrite, or of an if that compares with one
	text string      // of return, set, rewrite; of an if, what is compared with
	name string      // the variable of set and if, in lower case

	not      bool  // of an if: "!=", "!~"
	last     bool  // a rewrite that ends the script
	leave    bool  // a rewrite with "break"
	dropArgs bool  // its replacement ends with "?"
	lengths  bool  // nginx measures the replacement before it writes it
	status   int32 // of a return; of a rewrite that redirects, or 0
	end      int32 // of an if: the op behind its block

	level *level // of an if in a location: what is in force then
}

type opKind uint8

const (
	opBreak opKind = iota
	opReturn
	opRewrite
	opSet
	opIf      // the variable is not empty or "0"
	opIfEqual // it is the text
	opIfMatch // it matches
	opUnknown // nobody knows what it does: a file test, a script of Lua
)

// op adds a directive of the rewrite module.
func (r *reader) op(name string, d *nginxconf.Directive) {
	o := op{d: d}
	n := d.NumArgs()
	switch name {
	case "break":
	case "return":
		var args [3]string // one more than it may have
		n = min(n, len(args))
		for i := range n {
			args[i] = d.Arg(i)
		}
		v, err := value.ParseReturn(args[:n]...)
		if err != nil {
			r.b.refuse(d, "invalid-return", "%v", err)
			return
		}
		o.kind, o.status, o.text = opReturn, int32(v.Status), v.Text
	case "set":
		if n != 2 || !strings.HasPrefix(d.Arg(0), "$") {
			if n == 2 {
				r.b.refuse(d, "invalid-variable", `invalid variable name "%s"`, d.Arg(0))
			}
			return
		}
		o.kind, o.name, o.text = opSet, lower(d.Arg(0)[1:]), d.Arg(1)
		r.b.define(o.name, variable{kind: setVariable})
	case "rewrite":
		if n < 2 || !r.rewrite(&o) {
			return
		}
	case "if":
		if r.part == scriptPart {
			r.b.refuse(d, "not-allowed", `"if" directive is not allowed here`)
			return
		}
		r.ifBlock(&o)
		return
	default:
		o.kind = opUnknown
	}
	r.script = append(r.script, o)
}

// rewrite reads the arguments of a rewrite (nginx 1.22: ngx_http_rewrite).
func (r *reader) rewrite(o *op) bool {
	d := o.d
	o.kind = opRewrite
	o.re = r.b.expression(d, d.Arg(0), false)
	o.text = d.Arg(1)
	if o.text == "" {
		r.b.refuse(d, "empty-replacement", "empty replacement")
		return false
	}
	o.text, o.dropArgs = strings.CutSuffix(o.text, "?")
	for _, scheme := range []string{"http://", "https://", "$scheme"} {
		if strings.HasPrefix(o.text, scheme) {
			o.status, o.last = 302, true
		}
	}
	if d.NumArgs() > 2 {
		o.last = true
		switch flag := d.Arg(2); flag {
		case "last":
		case "break":
			o.leave = true
		case "redirect":
			o.status = 302
		case "permanent":
			o.status = 301
		default:
			r.b.refuse(d, "invalid-parameter", `invalid parameter "%s"`, flag)
			return false
		}
	}
	var seen []string
	for p := range value.Parts(o.text) {
		if p.Name != "" {
			o.lengths = o.lengths || !isCapture(p.Name) || slices.Contains(seen, p.Name)
			seen = append(seen, p.Name)
		}
	}
	return true
}

func isCapture(name string) bool { return len(name) == 1 && '1' <= name[0] && name[0] <= '9' }

// ifBlock reads an if block: its condition, and then its directives, which
// stand in the same script.
func (r *reader) ifBlock(o *op) {
	if o.d.Body() == nil {
		return
	}
	if why := r.condition(o); why != "" {
		r.b.refuse(o.d, "invalid-condition", "%s", why)
		return
	}
	at := len(r.script)
	r.script = append(r.script, *o)
	if r.l.location {
		l := r.b.newLevel(r.l, o.d)
		l.modifier, l.condition = r.l.modifier, true
		r.script[at].level = l
		r.conditions = append(r.conditions, l)
	}
	inner := reader{b: r.b, l: r.l, part: scriptPart, script: r.script}
	inner.body(o.d.Body())
	r.script = inner.script
	r.script[at].end = int32(len(r.script))
}

// condition reads the condition of an if (nginx 1.22:
// ngx_http_rewrite_if_condition). It tells why nginx refuses it.
func (r *reader) condition(o *op) string {
	args := o.d.Args()
	invalid := func(s string) string { return fmt.Sprintf(`invalid condition "%s"`, s) }
	if len(args) == 0 {
		return `invalid number of arguments in "if" directive`
	}
	if !strings.HasPrefix(args[0], "(") {
		return invalid(args[0])
	}
	if args[0] = args[0][1:]; args[0] == "" {
		args = args[1:]
	}
	if len(args) == 0 {
		return invalid("(")
	}
	last := len(args) - 1
	if !strings.HasSuffix(args[last], ")") {
		return invalid(args[last])
	}
	if args[last] = args[last][:len(args[last])-1]; args[last] == "" {
		args = args[:last]
	}
	if len(args) == 0 {
		return invalid("")
	}
	first := args[0]
	if len(first) < 2 || first[0] != '$' {
		if len(args) == 2 && (len(first) == 2 && first[0] == '-' || len(first) == 3 && strings.HasPrefix(first, "!-")) &&
			strings.IndexByte("fdex", first[len(first)-1]) >= 0 {
			o.kind = opUnknown
			return ""
		}
		return invalid(first)
	}
	if len(args) != 1 && len(args) != 3 {
		return invalid(first)
	}
	o.kind, o.name = opIf, lower(first[1:])
	if len(args) == 1 {
		return ""
	}
	o.text = args[2]
	switch args[1] {
	case "=":
		o.kind = opIfEqual
	case "!=":
		o.kind, o.not = opIfEqual, true
	case "~", "~*", "!~", "!~*":
		o.kind, o.not = opIfMatch, args[1][0] == '!'
		o.re = r.b.expression(o.d, o.text, strings.HasSuffix(args[1], "*"))
	default:
		return fmt.Sprintf(`unexpected "%s" in condition`, args[1])
	}
	return ""
}

// An engine is what nginx keeps while it runs a script.
type engine struct {
	// quote and args say whether captures are escaped as arguments if the
	// request's path had something to decode. nginx starts with quote, and never
	// takes args back (nginx 1.22: ngx_http_rewrite_handler,
	// ngx_http_script_start_args_code).
	quote, args bool
}

// script runs the directives of a level. It returns where to go on.
func (m *Match) script(ops script, then phase) phase {
	st := &m.state
	e := engine{quote: true}
	for i := 0; i < len(ops); i++ {
		o := &ops[i]
		holds, err := true, error(nil)
		switch o.kind {
		case opBreak:
			if st.changed {
				st.validLocation, st.changed = false, false
			}
			return then
		case opReturn:
			return m.returned(o)
		case opSet:
			var v string
			if v, err = m.evaluate(o.text, &e); err == nil {
				m.assign(o.name, v)
			} else if errors.Is(err, ErrVariable) && o.name != "args" && !m.mapIn(o.text) {
				m.state.set(o.name, "")
				m.state.vars[o.name] = variableValue{err: err} // matters only where it is used
				err = nil
			}
		case opRewrite:
			matched, doubt := st.exec(o.re, st.path)
			if doubt != nil {
				m.unsure("answer: " + o.re.doubt(doubt))
				return done
			}
			if !matched {
				st.forget()
				continue
			}
			var to phase
			if to, err = m.replace(o, &e); err == nil && (to != proceed || o.last) {
				if to == proceed {
					to = then
				}
				return to
			}
		case opUnknown:
			m.unsure(fmt.Sprintf("answer: %s at %v is not decided", o.d.Name(), o.d.Pos()))
			return done
		default:
			holds, err = m.condition(o, &e)
		}
		if err != nil {
			m.unsure(fmt.Sprintf("answer: %v in %s at %v", err, o.d.Name(), o.d.Pos()))
			return done
		}
		switch {
		case !holds:
			i = int(o.end) - 1
		case o.level != nil:
			m.at(o.level)
		}
	}
	return then
}

// mapIn tells whether a value has a variable of a map, which may change the
// captures.
func (m *Match) mapIn(text string) bool {
	for p := range value.Parts(text) {
		if p.Name != "" && m.state.r.variables[lower(p.Name)].kind == mapVariable {
			return true
		}
	}
	return false
}

// condition decides an if.
func (m *Match) condition(o *op, e *engine) (bool, error) {
	v, err := m.value(o.name)
	if err != nil {
		return false, err
	}
	switch o.kind {
	case opIfEqual:
		text, err := m.evaluate(o.text, e)
		return (v == text) != o.not, err
	case opIfMatch:
		matched, err := m.state.exec(o.re, v)
		if err != nil {
			return false, fmt.Errorf("%q: %w", o.re.pattern, err)
		}
		if !matched {
			m.state.forget()
		}
		return matched != o.not, nil
	}
	return v != "" && v != "0", nil
}

// replace makes the new URI of a rewrite whose expression matched, or redirects
// to it (nginx 1.22: ngx_http_script_regex_start_code,
// ngx_http_script_regex_end_code).
func (m *Match) replace(o *op, e *engine) (phase, error) {
	st := &m.state
	st.internal = true
	st.unparsed = false
	if o.leave {
		st.validLocation, st.changed = false, false
	} else {
		st.changed = true
	}
	redirect := o.status != 0
	e.quote = redirect
	text, args, err := m.expandURI(o, e)
	if err != nil {
		return done, err
	}
	e.quote = false
	if redirect {
		text = unescapeRedirect(text)
		if !o.dropArgs && st.args != "" {
			if args >= 0 {
				text += "&" + st.args
			} else {
				text += "?" + st.args
			}
		}
		st.location = text
		return m.special(int(o.status), o.d, "rewrite"), nil
	}
	if args >= 0 {
		own := text[args:]
		text = text[:args]
		if !o.dropArgs && st.args != "" {
			own += "&" + st.args
		}
		st.args = own
	} else if o.dropArgs {
		st.args = ""
	}
	st.path = text
	m.move(o.d, text)
	if text == "" {
		return m.special(500, o.d, "a rewrite to nothing"), nil
	}
	return proceed, nil
}

// expandURI replaces the variables of a rewrite. The second value is where the
// arguments start: behind the first "?" that the configuration has; or, with a
// redirect, whether it has one.
func (m *Match) expandURI(o *op, e *engine) (text string, args int, err error) {
	var b []byte
	args = -1
	redirect := o.status != 0
	execs := m.state.execs
	positional, inArgs := false, false
	for p, err := range value.Parts(o.text) {
		if err != nil {
			return "", 0, err
		}
		switch {
		case isCapture(p.Name):
			positional = true
			v := m.state.capture(int(p.Name[0] - '0'))
			if m.state.uri.coded() && (e.quote || e.args) {
				escaped := escapeArgs(v)
				if o.lengths && len(escaped) != len(v) && !e.quote && !inArgs {
					return "", 0, errMemory
				}
				v = escaped
			}
			b = append(b, v...)
		case p.Name != "":
			v, err := m.value(p.Name)
			if err != nil {
				return "", 0, err
			}
			b = append(b, v...)
		case args < 0 && strings.Contains(p.Text, "?"):
			path, own, _ := strings.Cut(p.Text, "?")
			b = append(b, path...)
			if redirect {
				args = 0
				b = append(b, '?')
			} else {
				args = len(b)
				e.args, inArgs = true, true
			}
			b = append(b, own...)
		default:
			b = append(b, p.Text...)
		}
	}
	if positional && execs != m.state.execs {
		return "", 0, errCaptures
	}
	return string(b), args, nil
}
