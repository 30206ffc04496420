package supervisorconf

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Supervisor is a Python program, and what it reads is what Python's str, int
// and repr make of a text. These are the rules of CPython 3.11, measured.

// isSpace is str.isspace for one character. Go's unicode.IsSpace lacks the four
// separators U+001C to U+001F.
func isSpace(r rune) bool {
	switch {
	case r <= ' ':
		return r >= '\t' && r <= '\r' || r >= 0x1c && r <= ' '
	case r < 0x85:
		return false
	}
	switch r {
	case 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}

// trimLeft, trimRight and trim are str.lstrip, rstrip and strip.
func trimLeft(s string) string {
	for len(s) > 0 {
		r, n := rune(s[0]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s)
		}
		if !isSpace(r) {
			break
		}
		s = s[n:]
	}
	return s
}

func trimRight(s string) string {
	for len(s) > 0 {
		r, n := rune(s[len(s)-1]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeLastRuneInString(s)
		}
		if !isSpace(r) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}

func trim(s string) string { return trimRight(trimLeft(s)) }

// fields is str.split without an argument.
func fields(s string) []string { return strings.FieldsFunc(s, isSpace) }

// lower is str.lower. Beyond strings.ToLower, a capital I with a dot becomes
// two characters, and a capital sigma at the end of a word its final form.
func lower(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii || !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	rs := []rune(s)
	for i, r := range rs {
		switch r {
		case 'İ':
			b.WriteString("i̇")
		case 'Σ':
			if cased(rs, i, -1) && !cased(rs, i, 1) {
				b.WriteRune('ς')
			} else {
				b.WriteRune('σ')
			}
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// cased tells whether the next character of rs from i in direction step is a
// letter with case, passing over those that case ignores.
func cased(rs []rune, i, step int) bool {
	for i += step; i >= 0 && i < len(rs); i += step {
		r := rs[i]
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·’", r) {
			continue
		}
		return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r)
	}
	return false
}

// upper is str.upper for the letters that occur in the names it is used on.
func upper(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS") }

// repr is repr of a str, or with ascii set what ascii makes of it.
func repr(s string) string  { return quoted(s, false) }
func ascii(s string) string { return quoted(s, true) }

func quoted(s string, onlyASCII bool) string {
	q := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		q = '"'
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, q)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == rune(q) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == utf8.RuneError && n == 1: // os.environ holds it as a lone surrogate
			b = fmt.Appendf(b, `\udc%02x`, s[i])
		case r < ' ' || r == 0x7f:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < utf8.RuneSelf:
			b = append(b, byte(r))
		case !onlyASCII && unicode.IsPrint(r):
			b = append(b, s[i:i+n]...)
		case r <= 0xff:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
		i += n
	}
	return string(append(b, q))
}

// An integer is a Python int: of any size, though almost always a small one.
type integer struct {
	small int64
	big   *big.Int // set instead of small where that is not enough
}

// clamp returns i, or the nearest int to it.
func (i integer) clamp() int { return int(max(math.MinInt, min(math.MaxInt, i.clamp64()))) }

func (i integer) clamp64() int64 {
	switch {
	case i.big == nil:
		return i.small
	case i.big.Sign() < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// fits tells whether clamp changes nothing.
func (i integer) fits() bool { return i.big == nil && int64(i.clamp()) == i.small }

func (i integer) Big() *big.Int {
	if i.big != nil {
		return i.big
	}
	return big.NewInt(i.small)
}

func (i integer) String() string {
	if i.big != nil {
		return i.big.String()
	}
	return strconv.FormatInt(i.small, 10)
}

func fromBig(b *big.Int) integer {
	if b.IsInt64() {
		return integer{small: b.Int64()}
	}
	return integer{big: b}
}

func (i integer) add(j integer) integer {
	if s := i.small + j.small; i.big == nil && j.big == nil && (s > i.small) == (j.small > 0) {
		return integer{small: s}
	}
	return fromBig(new(big.Int).Add(i.Big(), j.Big()))
}

func (i integer) times(m int64) integer {
	if p := i.small * m; i.big == nil && p/m == i.small {
		return integer{small: p}
	}
	return fromBig(new(big.Int).Mul(i.Big(), big.NewInt(m)))
}

// maxDigits is sys.get_int_max_str_digits, which keeps int("9"*1000000) from
// taking long.
const maxDigits = 4300

// parseInt is int(s, base) for base 8 or 10; message is that of its ValueError.
func parseInt(s string, base int) (n integer, message string) {
	fail := func() (integer, string) {
		r := []rune(repr(s))
		return integer{}, fmt.Sprintf("invalid literal for int() with base %d: %s", base, string(r[:min(len(r), 200)]))
	}
	t := strings.Trim(decimal(s), " \t\n\v\f\r")
	neg := strings.HasPrefix(t, "-")
	if neg || strings.HasPrefix(t, "+") {
		t = t[1:]
	}
	if base == 8 && (strings.HasPrefix(t, "0o") || strings.HasPrefix(t, "0O")) {
		t = strings.TrimPrefix(t[2:], "_")
	}
	digits := make([]byte, 0, 20)
	i := 0
	for prev := byte('_'); i < len(t); i++ {
		c := t[i]
		if c == '_' && prev == '_' || c != '_' && (c < '0' || c >= '0'+byte(base)) {
			break
		}
		if c != '_' {
			digits = append(digits, c)
		}
		prev = c
	}
	if base == 10 && len(digits) > maxDigits && (i == len(t) || t[i] != '_') && t[i-1] != '_' {
		return integer{}, fmt.Sprintf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits; use sys.set_int_max_str_digits() to increase the limit", maxDigits, len(digits))
	}
	if i < len(t) || len(digits) == 0 || t[i-1] == '_' {
		return fail()
	}
	if v, err := strconv.ParseInt(string(digits), base, 64); err == nil {
		if neg {
			v = -v
		}
		return integer{small: v}, ""
	}
	b, _ := new(big.Int).SetString(string(digits), base)
	if neg {
		b.Neg(b)
	}
	return fromBig(b), ""
}

// decimal replaces the decimal digits of all scripts by 0 to 9 and white space
// beyond ASCII by blanks, as int does first.
func decimal(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		ascii = ascii && s[i] < utf8.RuneSelf
	}
	if ascii {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x7f:
			return r
		case isSpace(r):
			return ' '
		}
		if unicode.Is(unicode.Nd, r) {
			return '0' + digitValue(r)
		}
		return '?'
	}, s)
}

// digitValue is the value of a decimal digit. Unicode lays them out in runs of
// ten.
func digitValue(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	return 0
}

// Python's os.path, for POSIX.

func joinPath(base, p string) string {
	switch {
	case strings.HasPrefix(p, "/"):
		return p
	case base == "" || strings.HasSuffix(base, "/"):
		return base + p
	}
	return base + "/" + p
}

func dirName(p string) string {
	head := p[:strings.LastIndexByte(p, '/')+1]
	if t := strings.TrimRight(head, "/"); t != "" {
		return t
	}
	return head
}

// isNormal tells whether p is plainly absolute and normal already.
func isNormal(p string) bool {
	if p == "" || p[0] != '/' || p[len(p)-1] == '/' {
		return false
	}
	for i := 1; i < len(p); i++ {
		if p[i-1] == '/' && (p[i] == '/' || p[i] == '.') {
			return false
		}
	}
	return true
}

// normPath is os.path.normpath, which unlike path.Clean keeps two leading
// slashes.
func normPath(p string) string {
	if isNormal(p) {
		return p
	}
	if p == "" {
		return "."
	}
	lead := ""
	if strings.HasPrefix(p, "/") {
		lead = "/"
		if strings.HasPrefix(p, "//") && !strings.HasPrefix(p, "///") {
			lead = "//"
		}
	}
	var out []string
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "" || part == ".":
		case part != ".." || lead == "" && (len(out) == 0 || out[len(out)-1] == ".."):
			out = append(out, part)
		case len(out) > 0:
			out = out[:len(out)-1]
		}
	}
	if s := lead + strings.Join(out, "/"); s != "" {
		return s
	}
	return "."
}
