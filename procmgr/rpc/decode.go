package rpc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth is how deep elements may nest. A value in an array in a struct in
// the arguments of a multicall is at 20.
const maxDepth = 64

// A decoder reads the XML of one request or reply: elements, text, CDATA,
// comments, but no entities of the document's own. The strict one refuses what
// a parser of XML would. The other takes what supervisord sends, which puts log
// text into its replies without a look at it: control characters and bytes that
// are no UTF-8 stay what they are.
type decoder struct {
	src    string
	pos    int
	strict bool
	depth  int
	closes string // the end tag that <name/> implies
}

type token struct {
	kind tokenKind
	text string // the name of a tag, or the text
}

type tokenKind int

const (
	tokenNone  tokenKind = iota // the end of the document
	tokenOpen                   // <name>
	tokenClose                  // </name>
	tokenText
)

func (d *decoder) fail(format string, args ...any) error {
	return fmt.Errorf("rpc: byte %d: %s", d.pos, fmt.Sprintf(format, args...))
}

// parseCall reads a request. As in supervisord, the parameters may be missing,
// and it does not matter what the outermost element is called.
func parseCall(src string) (method string, args []any, err error) {
	d := &decoder{src: src, strict: true}
	err = d.document(func(name string) (err error) {
		switch name {
		case "methodName":
			method, err = d.element(name, d.skip)
		case "params":
			args, err = d.params(name)
		default:
			err = d.skip(name)
		}
		return err
	})
	if err == nil && method == "" {
		err = errors.New("rpc: the request names no method")
	}
	return method, args, err
}

// parseReply reads a response: its value, or its fault as the error.
func parseReply(src string) (any, error) {
	d := &decoder{src: src}
	var values []any
	var fault *Fault
	err := d.document(func(name string) (err error) {
		switch name {
		case "params":
			values, err = d.params(name)
		case "fault":
			values, err = d.values(name)
			if err == nil {
				if len(values) == 1 {
					fault = faultOf(values[0])
				}
				if fault == nil {
					err = d.fail("a fault without code and text")
				}
			}
		default:
			err = d.skip(name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case fault != nil:
		return nil, fault
	case len(values) != 1:
		return nil, fmt.Errorf("rpc: a reply has one value, this one has %d", len(values))
	}
	return values[0], nil
}

// document calls child at the start of each element in the outermost one.
func (d *decoder) document(child func(name string) error) error {
	for done := false; ; {
		t, err := d.next()
		switch {
		case err != nil:
			return err
		case t.kind == tokenNone && done:
			return nil
		case t.kind == tokenOpen && !done:
			if _, err := d.element(t.text, child); err != nil {
				return err
			}
			done = true
		case t.kind == tokenText && strings.Trim(t.text, " \t\r\n\uFEFF") == "":
		default:
			return d.fail("the document is not one element")
		}
	}
}

// element reads up to the end of the element called name, whose start has been
// read. It calls child at the start of each element in it, which reads up to
// its end, and returns the text before the first one.
func (d *decoder) element(name string, child func(name string) error) (string, error) {
	if d.depth++; d.depth > maxDepth {
		return "", d.fail("elements nest deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	text, children := "", false
	var longer []byte // the text, if it comes in pieces
	for {
		t, err := d.next()
		if err != nil {
			return "", err
		}
		switch t.kind {
		case tokenNone:
			return "", d.fail("<%s> has no end", name)
		case tokenClose:
			if t.text != name {
				return "", d.fail("</%s> in <%s>", t.text, name)
			}
			if longer != nil {
				return string(longer), nil
			}
			return text, nil
		case tokenOpen:
			children = true
			if err := child(t.text); err != nil {
				return "", err
			}
		case tokenText:
			switch {
			case children:
			case longer != nil:
				longer = append(longer, t.text...)
			case text != "":
				longer = append([]byte(text), t.text...)
			default:
				text = t.text
			}
		}
	}
}

func (d *decoder) skip(name string) error {
	_, err := d.element(name, d.skip)
	return err
}

// params reads <params>.
func (d *decoder) params(parent string) (list []any, err error) {
	_, err = d.element(parent, func(name string) error {
		if name != "param" {
			return d.fail("<%s> in <%s>", name, parent)
		}
		values, err := d.values(name)
		if err != nil {
			return err
		}
		if len(values) != 1 {
			return d.fail("a parameter has one value, this one has %d", len(values))
		}
		list = append(list, values[0])
		return nil
	})
	return list, err
}

// values reads an element that holds <value>s.
func (d *decoder) values(parent string) (list []any, err error) {
	_, err = d.element(parent, func(name string) error {
		if name != "value" {
			return d.fail("<%s> in <%s>", name, parent)
		}
		v, err := d.value(name)
		list = append(list, v)
		return err
	})
	return list, err
}

// value reads a <value>: without an element in it, it is a string.
func (d *decoder) value(parent string) (v any, err error) {
	typed := false
	text, err := d.element(parent, func(name string) (err error) {
		if typed {
			return d.fail("a second element in a value: <%s>", name)
		}
		typed = true
		v, err = d.typed(name)
		return err
	})
	if !typed {
		v = text
	}
	return v, err
}

// typed reads what is in a <value>. A type that is not known gives its text, as
// in supervisord; <nil/> is nil.
func (d *decoder) typed(name string) (any, error) {
	switch name {
	case "array":
		list := []any{}
		_, err := d.element(name, func(name string) error {
			if name != "data" {
				return d.fail("<%s> in an array", name)
			}
			more, err := d.values(name)
			list = append(list, more...)
			return err
		})
		return list, err
	case "struct":
		return d.structure(name)
	}
	text, err := d.element(name, d.skip)
	if err != nil {
		return nil, err
	}
	wrong := func() (any, error) { return nil, d.fail("%.40q is no %s", text, name) }
	switch name {
	case "int", "i4", "i8":
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil || n < math.MinInt || n > math.MaxInt {
			return wrong()
		}
		return int(n), nil
	case "boolean":
		// Supervisor takes whatever is not 1 for false.
		return text == "1", nil
	case "double":
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return wrong()
		}
		return f, nil
	case "dateTime.iso8601":
		t, err := time.Parse(dateTime, text)
		if err != nil || len(text) != len(dateTime) { // it would take a fraction
			return wrong()
		}
		return t, nil
	case "base64":
		b, err := base64.StdEncoding.DecodeString(strings.Map(dropSpace, text))
		if err != nil {
			return wrong()
		}
		return b, nil
	case "nil":
		return nil, nil
	}
	return text, nil
}

func dropSpace(r rune) rune {
	if strings.ContainsRune(" \t\r\n", r) {
		return -1
	}
	return r
}

func (d *decoder) structure(parent string) (any, error) {
	s := map[string]any{}
	_, err := d.element(parent, func(member string) error {
		if member != "member" {
			return d.fail("<%s> in a struct", member)
		}
		var key string
		var v any
		_, err := d.element(member, func(name string) (err error) {
			switch name {
			case "name":
				key, err = d.element(name, d.skip)
			case "value":
				v, err = d.value(name)
			default:
				err = d.fail("<%s> in a member", name)
			}
			return err
		})
		s[key] = v
		return err
	})
	return s, err
}

// next reads a tag, or the text up to one.
func (d *decoder) next() (token, error) {
	if d.closes != "" {
		name := d.closes
		d.closes = ""
		return token{tokenClose, name}, nil
	}
	for d.pos < len(d.src) {
		rest := d.src[d.pos:]
		switch {
		case rest[0] != '<':
			end := strings.IndexByte(rest, '<')
			if end < 0 {
				end = len(rest)
			}
			text, err := d.text(rest[:end])
			d.pos += end
			return token{tokenText, text}, err
		case strings.HasPrefix(rest, "<!--"):
			if !d.pass("<!--", "-->") {
				return token{}, d.fail("a comment has no end")
			}
		case strings.HasPrefix(rest, "<?"):
			if !d.pass("<?", "?>") {
				return token{}, d.fail("a processing instruction has no end")
			}
		case strings.HasPrefix(rest, "<![CDATA["):
			start := d.pos + len("<![CDATA[")
			if !d.pass("<![CDATA[", "]]>") {
				return token{}, d.fail("a CDATA section has no end")
			}
			text := d.src[start : d.pos-len("]]>")]
			return token{tokenText, text}, d.check(text)
		case strings.HasPrefix(rest, "<!"):
			// Only a DOCTYPE that says nothing: one that declares entities is
			// an attack.
			if !d.pass("<!", ">") || strings.Contains(rest[:len(rest)-len(d.src)+d.pos], "[") {
				return token{}, d.fail("declarations are not read")
			}
		default:
			return d.tag()
		}
	}
	return token{}, nil
}

// pass reads over what starts and ends so.
func (d *decoder) pass(start, end string) bool {
	i := strings.Index(d.src[d.pos+len(start):], end)
	if i >= 0 {
		d.pos += len(start) + i + len(end)
	}
	return i >= 0
}

// tag reads a start or end tag. Attributes mean nothing in XML-RPC.
func (d *decoder) tag() (token, error) {
	end := strings.IndexByte(d.src[d.pos:], '>')
	if end < 0 {
		return token{}, d.fail("a tag has no end")
	}
	inner := d.src[d.pos+1 : d.pos+end]
	d.pos += end + 1
	kind := tokenOpen
	if after, ok := strings.CutPrefix(inner, "/"); ok {
		kind, inner = tokenClose, after
	}
	empty := false
	if before, ok := strings.CutSuffix(inner, "/"); ok && kind == tokenOpen {
		empty, inner = true, before
	}
	name := inner
	if i := strings.IndexAny(inner, " \t\r\n"); i >= 0 {
		name = inner[:i]
	}
	if name == "" || strings.ContainsAny(inner, "<&") {
		return token{}, d.fail("%.40q is no tag", "<"+inner+">")
	}
	if empty {
		d.closes = name
	}
	return token{kind, name}, nil
}

// text resolves the entities in s.
func (d *decoder) text(s string) (string, error) {
	if err := d.check(s); err != nil {
		return "", err
	}
	amp := strings.IndexByte(s, '&')
	if amp < 0 {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for amp >= 0 {
		b = append(b, s[:amp]...)
		s = s[amp:]
		// The longest that means something is "&#x0010FFFF;", or has more zeros.
		semicolon := strings.IndexByte(s[:min(len(s), 16)], ';')
		r, ok := rune(0), false
		if semicolon > 0 {
			r, ok = entity(s[1:semicolon])
		}
		switch {
		case ok:
			b = utf8.AppendRune(b, r)
			s = s[semicolon+1:]
		case d.strict:
			return "", d.fail("%.16q is no entity", s)
		default:
			b = append(b, '&')
			s = s[1:]
		}
		amp = strings.IndexByte(s, '&')
	}
	return string(append(b, s...)), nil
}

func entity(name string) (r rune, ok bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, base := strings.TrimPrefix(name, "#"), 10
	if digits == name {
		return 0, false
	}
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	return rune(n), err == nil && n <= utf8.MaxRune && isXML(rune(n))
}

// check refuses, if strict, what no XML may hold.
func (d *decoder) check(s string) error {
	if !d.strict {
		return nil
	}
	for i, r := range s {
		if r < ' ' && !isXML(r) || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return d.fail("a character that XML does not have")
		}
	}
	return nil
}
