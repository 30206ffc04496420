package pcre

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// A generator makes patterns at random of all that PCRE2 knows. Half of them
// are calm: their parts are well-formed, so that PCRE2 gets far in them.
type generator struct {
	*rand.Rand
	left  int // pieces to come
	calm  bool
	fixed bool // in a lookbehind, when calm
}

func newGenerator(seed, n uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, n))}
}

func (g *generator) pick(s ...string) string { return s[g.IntN(len(s))] }

// from picks one of the fields of s.
func (g *generator) from(s string) string { return g.pick(strings.Fields(s)...) }

func (g *generator) pattern() string {
	g.left = 1 + g.IntN(14)
	g.calm = g.IntN(2) == 0
	s := g.sequence(0)
	if g.calm && g.IntN(2) == 0 { // so that references find something
		s = g.pick("(a)(?<n>b)(?<m>c)", "(a(?<=b|cd)e)(?<n>f|g)", "(?|(a)|(?<n>bc)|(?<n>d))", "(?J)(?<n>a)(?<n>b(?=c(?<!d|ef)))(?<m>(g))", "(?<n>a(?<=(?1)|b))") + s
		if g.IntN(3) == 0 {
			s += g.pick("(?<n>a(?<=b|cd|e)f)", "(?<m>a|b)(?<R1>(?<=a|bc))")
		}
	}
	if g.IntN(20) == 0 {
		s = g.from("(*UTF8) (*UTF) (*UCP) (*CRLF) (*ANY) (*ANYCRLF) (*CR) (*NUL) (*LIMIT_MATCH=10) (*LIMIT_HEAP=9 (*LIMIT_DEPTH=) (*NO_JIT) (*UTF16) (*NOTEMPTY) (*BSR_UNICODE)") + s
	}
	if g.IntN(3) == 0 && !g.calm {
		s = g.mutate(s)
	}
	return s
}

// mutate changes a few bytes.
func (g *generator) mutate(s string) string {
	for range 1 + g.IntN(2) {
		if s == "" {
			return g.piece(0)
		}
		i := g.IntN(len(s))
		j := min(len(s), i+1+g.IntN(3))
		switch g.IntN(5) {
		case 0:
			s = s[:i] + s[j:]
		case 1:
			s = s[:i]
		case 2:
			s = s[:i] + string(`()[]{}?*+|\^$.-:<>=!'#&PRCQEJxn1290, _a`[g.IntN(39)]) + s[i:]
		case 3:
			s = s[:i] + s[i:j] + s[i:]
		case 4:
			k := g.IntN(len(s))
			s = s[:k] + s[i:j] + s[k:]
		}
	}
	return s
}

func (g *generator) sequence(depth int) string {
	var s strings.Builder
	for g.left > 0 {
		if depth > 0 && g.IntN(4) == 0 {
			break
		}
		g.left--
		if g.calm {
			s.WriteString(g.calmPiece(depth))
		} else {
			s.WriteString(g.piece(depth))
			if g.IntN(3) == 0 {
				s.WriteString(g.quantifier())
			}
		}
		if g.IntN(6) == 0 {
			s.WriteByte('|')
		}
	}
	return s.String()
}

// calmPiece returns a well-formed piece with a fitting quantifier, if any. Its
// references may still go nowhere.
func (g *generator) calmPiece(depth int) string {
	n := strconv.Itoa(1 + g.IntN(4))
	name := g.pick("n", "n", "m", "R1", "R")
	s := ""
	switch g.IntN(14) {
	case 0:
		return g.pick("^", "$", `\b`, `\A`, "(*MARK:n)", "(*ACCEPT)", "(*F)", "(*THEN)", "(*SKIP:abc)", "(?C)", "(?C'abc')", "(?i)", "(?J)", "(?n)", "(?-n)", "(?#x)", `\K`, `\Q`, `\Qa\E`, "(?x)")
	case 1, 2:
		s = g.pick("a", "b", "[ab]", "[aA]", "[kK]", "[^a]", `[^\d]`, `[\p{L}]`, `[\pLa]`, "[a-c]", "[a-a]", "[[:alpha:]]", "[]]")
	case 3:
		s = g.pick(".", `\d`, `\x41`, `\pL`, `\p{Any}`, `\P{Any}`, `\R`, `\X`, `\C`, `\h`, `\N`)
	case 4:
		s = g.pick(`\`+n, `\g{-`+n+`}`, `\k<`+name+`>`, "(?"+n+")", "(?-"+n+")", "(?+"+n+")", "(?&"+name+")", "(?R)", `\g<`+n+`>`, `\10`, `\g{11}`, "(?P="+name+")")
	case 5, 6:
		s = "(" + g.inside(depth) + ")"
	case 7:
		s = g.pick("(?:", "(?|", "(?>", "(?i:", "(*sr:", "(*asr:", "(*atomic:", "(?|") + g.inside(depth) + ")"
	case 8:
		s = "(?<" + name + ">" + g.inside(depth) + ")"
	case 9:
		s = g.pick("(?=", "(?!", "(?*") + g.inside(depth) + ")"
	case 10, 11:
		fixed := g.fixed
		g.fixed = g.IntN(8) > 0
		s = g.pick("(?<=", "(?<!", "(?<*", "(*plb:") + g.inside(depth) + ")"
		g.fixed = fixed
		if fixed {
			return s
		}
	default:
		s = "(?" + g.pick("("+n+")", "(-"+n+")", "("+name+")", "(<"+name+">)", "(R)", "(R"+n+")", "(R&"+name+")", "(DEFINE)", "(?=a)", "(?<!ab)", "(?C1)(?=a)", "(VERSION>=10.4)", "(*nla:a)", "(?C'abc')(?!b)") +
			g.inside(depth) + ")"
	}
	switch {
	case g.fixed && g.IntN(5) == 0:
		s += g.pick("{2}", "{1}", "{0}", "{3}+", "{2}?", "{30}")
	case !g.fixed && g.IntN(3) == 0:
		s += g.pick("*", "+", "?", "{2}", "{1,2}", "{0}", "{0,3}", "{2,}", "{1}", "{2,9}", "{60}", "{0,200}", "{7,8}", "{30,40}")
		s += g.pick("", "", "", "?", "+")
	}
	return s
}

// inside returns what a group contains.
func (g *generator) inside(depth int) string {
	if depth > 6 {
		return ""
	}
	return g.sequence(depth + 1)
}

func (g *generator) piece(depth int) string {
	switch g.IntN(16) {
	case 0, 1, 2:
		return g.from("a b ab / k \xe9 é 0 - , # } ] : = ' < > & ! _ ü 日")
	case 3, 4:
		return g.escape()
	case 5, 6:
		return g.class()
	case 7:
		return g.pick("^", "$", ".", " ", "\n", "\r\n", "\u0085", "\x85", "{", "#", "{,3}", "(?#c)", "|", ")", "(*)")
	case 8:
		return g.reference()
	case 9:
		return g.setting()
	case 10:
		return g.special()
	}
	return g.group(depth)
}

func (g *generator) number() string {
	if g.IntN(40) == 0 {
		return g.from("65535 65536 65534 99999999999 00 01 007 1000 2147483648 10 250")
	}
	return strconv.Itoa(g.IntN(5))
}

func (g *generator) quantifier() string {
	q := g.pick("*", "+", "?", "*", "+", "?", "{"+g.number()+"}", "{"+g.number()+",}", "{"+g.number()+","+g.number()+"}",
		"{,"+g.number()+"}", "{", "{1, 2}", "{}", "{,}", "{2"+strings.Repeat("0", g.IntN(4))+"}")
	if g.IntN(3) == 0 {
		q += g.pick("?", "+", "+", "?", "*", "(?#x)?", `\E+`, `\Q\E?`)
	}
	return q
}

func (g *generator) name() string {
	if g.IntN(12) == 0 {
		return g.pick("", "1", "a-b", "é", "abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz0123456", "a b", "_")
	}
	return g.from("n n n m n1 R R1 R2 DEFINE a VERSION")
}

func (g *generator) escape() string {
	switch g.IntN(10) {
	case 0:
		return `\` + string(rune(' '+g.IntN(96)))
	case 1:
		return g.from(`\x \x4 \x41 \x{41} \x{} \x{ \x{g} \x{100} \x{d800} \x{110000} \x{41 \x{0000041} \x{ff} \xzz`)
	case 2:
		return g.from(`\o \o{} \o{101} \o{400} \o{377} \o{8} \o{12 \o{ \0 \01 \012 \0123 \400 \777 \377 \8 \81 \9 \18 \12 \11 \123`)
	case 3:
		return g.property()
	case 4:
		return g.from(`\N \N{U+41} \N{U+} \N{2} \N{2,1} \N{name} \N{ \N{65536} \c \ca \c{ \c\ \cé \c! \C \K \K \R \X`)
	case 5:
		return g.pick(`\Q`, `\E`, `\Qab\E`, `\Q\E`, `\Q(*\E`, `\Q[\`, `\`)
	}
	return g.from(`\d \D \w \W \s \S \h \H \v \V \b \B \A \z \Z \G \n \t \e \. \/ \- \_ \] \a`)
}

func (g *generator) property() string {
	p := g.pick(`\p`, `\P`)
	return p + g.pick("L", "{L}", "{Lu}", "{^Lu}", "{Any}", "{^any}", "{greek}", "{sc:greek}", "{scx=Greek}", "{sc:Lu}", "{sc:any}", "{bc:L}", "{bidi_class=control}",
		"{xx}", "{", "", "{}", "{L", "1", "{L&}", "{Lc}", "{ L u }", "{ ^L}", "{x:L}", "{:}", "{sc:}", "{bc:}", "X", "l", "u", "{Xan}", "{script extensions:Latn}", "{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", "{\x00}")
}

func (g *generator) class() string {
	var s strings.Builder
	s.WriteString("[")
	if g.IntN(3) == 0 {
		s.WriteString("^")
	}
	for range 1 + g.IntN(4) {
		switch g.IntN(10) {
		case 0, 1:
			s.WriteString(g.escape())
		case 2:
			s.WriteString(g.pick("[:alpha:]", "[:^digit:]", "[:foo:]", "[:<:]", "[.a.]", "[=a=]", "[:", ":]", "[:a[:digit:]", "[:w\\]ord:]", "[:word:]", "[:^:]", "[::]"))
		case 3:
			s.WriteString(g.from("] [ ^ - -- a- é - \\] \\b \\g \\k [. Aa kK"))
		case 4, 5:
			s.WriteString(g.from("a-z 0-9 z-a a-a A-Z \\x41-\\x5a a-\\d \\d-a \\w- +-. é-ü \\Qa\\E-z -a k-K \\n-\\r [-]"))
		case 6:
			s.WriteString(g.pick(" ", "\t", "\\E", "\\Q\\E", "|", "(", ")"))
		default:
			s.WriteString(g.from("a b A B k K s S 0 . / _ é"))
		}
	}
	if g.IntN(12) > 0 {
		s.WriteString("]")
	}
	return g.pick(s.String(), s.String(), s.String(), s.String(), s.String(), "[[:<:]]", "[[:>:]]", "[]a]", "[^]a]", "[]", "[^]", "[[:alpha:]]", "[:alpha:]", "[a]", "[aA]", "[\\d]", "[^a]", "[\\p{L}]", "[\\p{L}a]")
}

func (g *generator) reference() string {
	n, name := g.number(), g.name()
	return g.pick(`\`+n, `\`+n, `\g`+n, `\g{`+n+`}`, `\g{-`+n+`}`, `\g-`+n, `\g{+`+n+`}`, `\g{`+name+`}`, `\g<`+name+`>`, `\g'`+n+`'`, `\g<-`+n+`>`, `\g<+`+n+`>`,
		`\g<`+n+`>`, `\k{`+name+`}`, `\k<`+name+`>`, `\k'`+name+`'`, `\k`, `\k{`+name, `\g`, `\g{`, `(?P=`+name+`)`, `(?P>`+name+`)`, `(?&`+name+`)`,
		`(?R)`, `(?`+n+`)`, `(?-`+n+`)`, `(?+`+n+`)`, `(?R`, `(?Rx)`, `(?1`, `(?+`, `(?P`, `(?Px`, `(?P=n`, `(?`+n+`x)`)
}

func (g *generator) setting() string {
	o := g.pick("i", "s", "m", "x", "xx", "n", "J", "U", "-i", "^", "^i", "^-i", "i-s", "-", "i--s", "x-x", "xx-x", "k", "", "J", "x", "n", "-J", "xi")
	return "(?" + o + g.pick(")", ")", ")", ":", "")
}

// special is what has a parenthesis and is no group.
func (g *generator) special() string {
	return g.pick("(*ACCEPT)", "(*FAIL)", "(*F)", "(*COMMIT)", "(*PRUNE:a)", "(*SKIP)", "(*THEN:)", "(*MARK:n)", "(*:n)", "(*MARK)", "(*:)", "(*ACCEPT:x)", "(*FAIL:x", "(*accept)", "(*FOO)", "(*F:"+strings.Repeat("y", 254+g.IntN(4))+")", "(*COMMIT:x)",
		"(?C)", "(?C1)", "(?C255)", "(?C256)", "(?C'x')", "(?C{x}}y})", "(?C'x", "(?Cx)", "(?C", "(?C1", "(?C\"\"\")", "(?#", "(?", "(", "(?<", "(?<a", "(?'", "(*", "(*a", "(*VERB", "(?C''')")
}

func (g *generator) group(depth int) string {
	if depth > 6 {
		return "()"
	}
	var open string
	switch g.IntN(12) {
	case 0, 1, 2:
		open = "("
	case 3:
		open = g.pick("(?:", "(?|", "(?>", "(?i:", "(?x:", "(?xx:", "(?n:", "(?^:", "(?J:", "(?|")
	case 4, 5:
		open = g.pick("(?=", "(?!", "(?<=", "(?<!", "(?<=", "(?<!", "(?*", "(?<*")
	case 6, 7:
		name := g.name()
		open = g.pick("(?<"+name+">", "(?'"+name+"'", "(?P<"+name+">")
	case 8:
		open = "(*" + g.from("pla plb nla nlb napla naplb atomic sr asr script_run positive_lookbehind negative_lookahead foo non_atomic_positive_lookahead atomic_script_run") + ":"
	case 9, 10:
		n, name := g.number(), g.name()
		open = "(?" + g.pick("("+n+")", "(+"+n+")", "(-"+n+")", "("+name+")", "(<"+name+">)", "('"+name+"')", "(R)", "(R"+n+")", "(R&"+name+")", "(DEFINE)", "(?=a)", "(?!a)", "(?<=a)", "(?C1)(?=a)",
			"(VERSION>="+g.pick("10", "10.4", "10.42", "10.424", "10.", "1001")+")", "(VERSION="+n+".0)", "(*pla:a)", "(*napla:a)", "(*sr:a)", "(a", "()", "(?a)", "(?C'x')(?!b)", "(0)", "(65536)", "(R65536)", "(R99)")
	case 11:
		open = g.pick("(?(?=", "(?(?<!", "(?(*plb:", "(?(")
	}
	s := open + g.sequence(depth+1)
	if g.IntN(25) > 0 {
		s += ")"
	}
	return s
}
