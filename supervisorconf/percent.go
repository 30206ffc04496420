package supervisorconf

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Values are expanded by Python's "s % mapping", with all it can do: CPython
// 3.11, unicode_format. "%(here)s" is what people mean; "%d" alone is an error,
// and "%s" alone inserts the whole mapping, environment included.

// A value is what a name stands for: a str or an int.
type value struct {
	str   string
	num   integer
	isInt bool
}

func (v value) String() string {
	if v.isInt {
		return v.num.String()
	}
	return v.str
}

// A table is a dict: it keeps the order in which names came. A nil table is
// empty.
type table struct {
	keys  []string
	vals  []value
	index map[string]int // once there are many
}

// newTable returns an empty table with room for n names.
func newTable(n int) *table {
	return &table{keys: make([]string, 0, n), vals: make([]value, 0, n)}
}

func (t *table) clear() {
	t.keys, t.vals, t.index = t.keys[:0], t.vals[:0], nil
}

func (t *table) find(key string) int {
	if t == nil {
		return -1
	}
	if t.index != nil {
		if i, ok := t.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range t.keys {
		if k == key {
			return i
		}
	}
	return -1
}

func (t *table) get(key string) (value, bool) {
	if i := t.find(key); i >= 0 {
		return t.vals[i], true
	}
	return value{}, false
}

func (t *table) set(key string, v value) {
	if i := t.find(key); i >= 0 {
		t.vals[i] = v
		return
	}
	t.keys, t.vals = append(t.keys, key), append(t.vals, v)
	if len(t.keys) == 16 {
		t.index = map[string]int{}
		for i, k := range t.keys {
			t.index[k] = i
		}
	} else if t.index != nil {
		t.index[key] = len(t.keys) - 1
	}
}

// A scope is the names that a value may use.
type scope struct {
	env   *table // ENV_X of supervisord
	fixed *table // here, program_name, …
	own   *table // ENV_X of the program's own environment, which win
}

func (sc *scope) lookup(key string) (value, bool) {
	if v, ok := sc.own.get(key); ok {
		return v, true
	}
	if v, ok := sc.fixed.get(key); ok {
		return v, true
	}
	return sc.env.get(key)
}

// keys returns all names in the order of the dict that Supervisor builds,
// which only "%s" without a name shows.
func (sc *scope) keys(fixedFirst bool) []string {
	first, second := sc.env, sc.fixed
	if fixedFirst {
		first, second = second, first
	}
	var keys []string
	for _, t := range []*table{first, second, sc.own} {
		if t == nil {
			continue
		}
		for _, k := range t.keys {
			if _, known := sc.env.get(k); t == sc.own && known {
				continue
			}
			keys = append(keys, k)
		}
	}
	return keys
}

// repr is the repr of the whole mapping.
func (sc *scope) repr(fixedFirst bool) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, k := range sc.keys(fixedFirst) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(repr(k))
		b.WriteString(": ")
		if v, _ := sc.lookup(k); v.isInt {
			b.WriteString(v.num.String())
		} else {
			b.WriteString(repr(v.str))
		}
	}
	b.WriteByte('}')
	return b.String()
}

// maxExpanded bounds one expansion. Supervisor has no bound but its memory.
const maxExpanded = 16 << 20

// A nameError is Python's KeyError.
type nameError struct{ name string }

func (e *nameError) Error() string { return "unknown name " + repr(e.name) }

// A formatError is any other error of "s % mapping".
type formatError struct{ reason string }

func (e *formatError) Error() string { return e.reason }

func badFormat(format string, args ...any) error {
	return &formatError{fmt.Sprintf(format, args...)}
}

// expand is Supervisor's expand(s, expansions, name). The error is in its
// words, but the caller may want to know what kind it is: it wraps a
// *nameError or a *formatError.
func (sc *scope) expand(s, name string, fixedFirst bool) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	f := formatter{in: s, sc: sc, fixedFirst: fixedFirst, left: true}
	err := f.run()
	if err == nil {
		return string(f.out), nil
	}
	e := &expandError{value: s, option: name, cause: err}
	if _, ok := err.(*nameError); ok {
		e.available = sc.keys(false)
		slices.Sort(e.available)
	}
	return "", e
}

// An expandError keeps its parts, so that a secret value can be left out.
type expandError struct {
	value, option string
	available     []string
	cause         error
}

func (e *expandError) Unwrap() error { return e.cause }

func (e *expandError) Error() string { return e.message(repr(e.value)) }

func (e *expandError) message(value string) string {
	if n, ok := e.cause.(*nameError); ok {
		// KeyError shows as the repr of the name.
		return fmt.Sprintf("Format string %s for %s contains names (%s) which cannot be expanded. Available names: %s",
			value, repr(e.option), repr(n.name), strings.Join(e.available, ", "))
	}
	return fmt.Sprintf("Format string %s for %s is badly formatted: %s", value, repr(e.option), e.cause)
}

// A formatter is one run of "s % mapping".
type formatter struct {
	in         string
	pos        int // of the next character
	out        []byte
	sc         *scope
	fixedFirst bool

	// The argument that a conversion takes: the mapping itself, until a
	// "(name)" puts another in its place. It can be taken once.
	arg   value
	named bool
	left  bool
}

type conversion struct {
	left, sign, blank, alt, zero bool
	width, prec                  int // -1: none
	verb                         rune
}

// next reads a character; at the end it returns false.
func (f *formatter) next(r *rune) bool {
	if f.pos >= len(f.in) {
		return false
	}
	c, n := utf8.DecodeRuneInString(f.in[f.pos:])
	f.pos += n
	*r = c
	return true
}

// take is getnextarg.
func (f *formatter) take() error {
	if !f.left {
		return badFormat("not enough arguments for format string")
	}
	f.left = false
	return nil
}

func (f *formatter) run() error {
	for {
		i := strings.IndexByte(f.in[f.pos:], '%')
		if i < 0 {
			return f.write(f.in[f.pos:])
		}
		if err := f.write(f.in[f.pos : f.pos+i]); err != nil {
			return err
		}
		f.pos += i + 1
		if f.pos < len(f.in) && f.in[f.pos] == '%' {
			f.pos++
			f.out = append(f.out, '%')
			continue
		}
		if err := f.convert(); err != nil {
			return err
		}
	}
}

func (f *formatter) write(s string) error {
	if len(f.out)+len(s) > maxExpanded {
		return badFormat("the result is longer than %d bytes", maxExpanded)
	}
	f.out = append(f.out, s...)
	return nil
}

func (f *formatter) convert() error {
	c := conversion{width: -1, prec: -1}
	if f.pos < len(f.in) && f.in[f.pos] == '(' {
		if err := f.name(); err != nil {
			return err
		}
	}
	var r rune
	ok := f.next(&r)
	for ; ok; ok = f.next(&r) {
		switch r {
		case '-':
			c.left = true
			continue
		case '+':
			c.sign = true
			continue
		case ' ':
			c.blank = true
			continue
		case '#':
			c.alt = true
			continue
		case '0':
			c.zero = true
			continue
		}
		break
	}
	var err error
	if c.width, ok, err = f.number(&r, ok, "width"); err != nil {
		return err
	}
	if ok && r == '.' {
		ok = f.next(&r)
		if c.prec, ok, err = f.number(&r, ok, "precision"); err != nil {
			return err
		}
		c.prec = max(c.prec, 0)
	}
	if ok && (r == 'h' || r == 'l' || r == 'L') {
		ok = f.next(&r)
	}
	if !ok {
		return badFormat("incomplete format")
	}
	c.verb = r
	return f.format(c)
}

// name reads "(name)" and makes what it names the argument.
func (f *formatter) name() error {
	depth := 0
	for i := f.pos; i < len(f.in); i++ {
		switch f.in[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth > 0 {
			continue
		}
		key := f.in[f.pos+1 : i]
		v, ok := f.sc.lookup(key)
		if !ok {
			return &nameError{key}
		}
		f.arg, f.named, f.left = v, true, true
		f.pos = i + 1
		return nil
	}
	return badFormat("incomplete format key")
}

// number reads a width or precision, which r may begin: -1 if it does not.
func (f *formatter) number(r *rune, ok bool, what string) (int, bool, error) {
	n := -1
	if ok && *r == '*' {
		if err := f.take(); err != nil {
			return 0, false, err
		}
		if !f.named || !f.arg.isInt {
			return 0, false, badFormat("* wants int")
		}
		if n := f.arg.num; n.big != nil && what == "width" {
			return 0, false, badFormat("Python int too large to convert to C ssize_t")
		} else if what == "precision" && int64(int32(n.clamp64())) != n.clamp64() {
			return 0, false, badFormat("Python int too large to convert to C int")
		}
		// What it says matters no more: it was the only argument, and the
		// conversion will find none.
		return 0, f.next(r), nil
	}
	for ; ok && *r >= '0' && *r <= '9'; ok = f.next(r) {
		n = max(n, 0)*10 + int(*r-'0')
		if n > maxExpanded {
			return 0, false, badFormat("%s too big", what)
		}
	}
	return n, ok, nil
}

func (f *formatter) format(c conversion) error {
	if err := f.take(); err != nil {
		return err
	}
	var s string
	signed := false
	switch c.verb {
	case 's', 'r', 'a':
		s = f.text(c.verb)
	case 'd', 'i', 'u', 'o', 'x', 'X':
		if !f.named || !f.arg.isInt {
			kind := "an integer"
			if strings.ContainsRune("diu", c.verb) {
				kind = "a real number"
			}
			return badFormat("%%%c format: %s is required, not %s", c.verb, kind, f.typeName())
		}
		s, signed = formatInt(f.arg.num, c), true
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if !f.named || !f.arg.isInt {
			return badFormat("must be real number, not %s", f.typeName())
		}
		x, _ := new(big.Float).SetInt(f.arg.num.Big()).Float64()
		if x-x != 0 {
			return badFormat("int too large to convert to float")
		}
		s, signed = formatFloat(x, c), true
	case 'c':
		switch {
		case f.named && f.arg.isInt:
			n := f.arg.num
			if n.big != nil || n.small < 0 || n.small > utf8.MaxRune {
				return badFormat("%%c arg not in range(0x110000)")
			}
			s = string(rune(n.small))
		case f.named && utf8.RuneCountInString(f.arg.str) == 1:
			s = f.arg.str
		default:
			return badFormat("%%c requires int or char")
		}
	default:
		shown := c.verb
		if shown < 31 || shown > 126 {
			shown = '?'
		}
		return badFormat("unsupported format character '%c' (0x%x) at index %d", shown, c.verb, utf8.RuneCountInString(f.in[:f.pos])-1)
	}
	return f.pad(s, c, signed)
}

// text is str, repr or ascii of the argument.
func (f *formatter) text(verb rune) string {
	switch {
	case !f.named:
		s := f.sc.repr(f.fixedFirst)
		if verb == 'a' { // repr has escaped all but letters
			s = asciiOnly(s)
		}
		return s
	case f.arg.isInt || verb == 's':
		return f.arg.String()
	case verb == 'a':
		return ascii(f.arg.str)
	}
	return repr(f.arg.str)
}

func asciiOnly(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func (f *formatter) typeName() string {
	switch {
	case !f.named:
		return "dict"
	case f.arg.isInt:
		return "int"
	}
	return "str"
}

func formatInt(n integer, c conversion) string {
	s := n.String()
	prefix := ""
	switch c.verb {
	case 'o':
		s, prefix = n.Big().Text(8), "0o"
	case 'x', 'X':
		s, prefix = n.Big().Text(16), "0x"
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	if len(s) < c.prec {
		s = strings.Repeat("0", c.prec-len(s)) + s
	}
	if c.alt {
		s = prefix + s
	}
	if c.verb == 'X' {
		s = strings.ToUpper(s)
	}
	return sign + s
}

func formatFloat(x float64, c conversion) string {
	prec := c.prec
	if prec < 0 {
		prec = 6
	}
	verb := byte(c.verb | 0x20)
	if verb == 'g' {
		return upperIf(formatG(x, max(prec, 1), c.alt), c.verb)
	}
	s := strconv.FormatFloat(x, verb, prec, 64)
	if c.alt && prec == 0 { // "#" keeps the point
		mantissa, exp, ok := strings.Cut(s, "e")
		s = mantissa + "."
		if ok {
			s += "e" + exp
		}
	}
	return upperIf(s, c.verb)
}

// formatG is C's %g, with "#" keeping trailing zeros.
func formatG(x float64, prec int, alt bool) string {
	e := strconv.FormatFloat(x, 'e', prec-1, 64)
	mantissa, expText, _ := strings.Cut(e, "e")
	exp, _ := strconv.Atoi(expText)
	if exp < -4 || exp >= prec {
		if !alt && strings.Contains(mantissa, ".") {
			mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
		} else if alt && !strings.Contains(mantissa, ".") {
			mantissa += "."
		}
		return mantissa + "e" + expText
	}
	s := strconv.FormatFloat(x, 'f', prec-1-exp, 64)
	if !alt && strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	} else if alt && !strings.Contains(s, ".") {
		s += "."
	}
	return s
}

func upperIf(s string, verb rune) string {
	if verb < 'a' {
		return strings.ToUpper(s)
	}
	return s
}

// pad is unicode_format_arg_output.
func (f *formatter) pad(s string, c conversion, signed bool) error {
	if c.width == -1 && c.prec == -1 && !c.sign && !c.blank {
		return f.write(s)
	}
	n := utf8.RuneCountInString(s)
	if strings.ContainsRune("sra", c.verb) && c.prec >= 0 && n > c.prec {
		s, n = string([]rune(s)[:c.prec]), c.prec
	}
	sign, prefix := "", ""
	if signed {
		switch {
		case s[0] == '-':
			sign, s, n = "-", s[1:], n-1
		case c.sign:
			sign = "+"
		case c.blank:
			sign = " "
		}
		if c.alt && strings.ContainsRune("xXo", c.verb) {
			prefix, s, n = s[:2], s[2:], n-2
		}
	}
	gap := max(0, c.width-n-len(sign)-len(prefix))
	fill := strings.Repeat(" ", gap)
	switch {
	case c.left:
		return f.write(sign + prefix + s + fill)
	case signed && c.zero:
		return f.write(sign + prefix + strings.Repeat("0", gap) + s)
	}
	return f.write(fill + sign + prefix + s)
}
