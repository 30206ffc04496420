package route

import (
	"math/rand/v2"
	"strings"
)

// regexes makes patterns and subjects at random, of few letters, so that
// they have to do with each other.
type regexes struct {
	*rand.Rand
	groups int
	left   int
}

func (g *regexes) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g *regexes) pattern() string {
	g.groups, g.left = 0, 1+g.IntN(12)
	return g.pick("", "", "", "^", "^/", "(?i)", "(?s)", "(?m)", "(?x)") + g.alternatives(0) + g.pick("", "", "", "$", `\z`, `\Z`)
}

func (g *regexes) alternatives(depth int) string {
	s := g.sequence(depth)
	for g.IntN(4) == 0 {
		s += "|" + g.sequence(depth)
	}
	return s
}

func (g *regexes) sequence(depth int) string {
	var b strings.Builder
	for range g.IntN(5 - depth) {
		if g.left--; g.left < 0 {
			break
		}
		b.WriteString(g.item(depth))
	}
	return b.String()
}

func (g *regexes) item(depth int) string {
	switch n := g.IntN(20); {
	case n < 6:
		return g.pick("a", "b", "A", "/", "ab", "1", `\.`, " ", "\xe9", `\n`, `\x61`, `\141`, `\Qa*\E`, "-") + g.quantifier()
	case n < 9:
		return g.pick(".", `\d`, `\w`, `\s`, `\S`, `\W`, `\D`, `\h`, `\v`, `\H`, `\V`, `\N`) + g.quantifier()
	case n < 12:
		return g.class() + g.quantifier()
	case n < 13:
		return g.pick("^", "$", `\b`, `\B`, `\A`, `\z`, `\Z`, `\G`, `\K`, "(?i)", "(?-i)", "(?s)", "(?m)", "(?x) # c\n", "(?#c)")
	case n < 14 && g.groups > 0:
		k := string(rune('0' + 1 + g.IntN(min(g.groups, 9))))
		return g.pick(`\`+k, `\g{`+k+`}`, `\g{-1}`) + g.quantifier()
	case depth > 2:
		return "a"
	case n < 16:
		g.groups++
		return "(" + g.pick("", "", "?<n"+string(rune('a'+g.groups%26))+string(rune('a'+g.groups/26))+">") + g.alternatives(depth+1) + ")" + g.quantifier()
	case n < 17:
		return "(?" + g.pick(":", ":", "i:", "s-i:", "m:", ">") + g.alternatives(depth+1) + ")" + g.quantifier()
	case n < 18:
		return g.pick("(?=", "(?!") + g.alternatives(depth+1) + ")"
	case n < 19:
		return g.pick("(?<=", "(?<!") + g.pick("a", "b", "/a", "a|bc", "[ab]", `\n`, `^`, `a{2}`, "(a|b)") + ")"
	}
	return g.pick("a", "b", "ab", ".") + g.pick("*", "+", "?", "{0,2}", "{2}", "{1,}") + g.pick("+", "?")
}

func (g *regexes) class() string {
	var b strings.Builder
	b.WriteString("[" + g.pick("", "", "^") + g.pick("", "]", "-"))
	for range 1 + g.IntN(3) {
		b.WriteString(g.pick("a", "b", "a-c", "A-Z", `\d`, `\w`, `\s`, `\W`, "[:alpha:]", "[:^digit:]", "[:upper:]", "[:^lower:]", "[:punct:]", "/", `\n`, `\b`, "\xe9", `\x2f`, "[", "[:", ".", "$"))
	}
	return b.String() + g.pick("", "", "-") + "]"
}

func (g *regexes) quantifier() string {
	if g.IntN(3) > 0 {
		return ""
	}
	return g.pick("*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "{,2}", "{0,}") + g.pick("", "", "", "?", "+")
}

func (g *regexes) subject() string {
	var b strings.Builder
	for range g.IntN(9) {
		b.WriteString(g.pick("a", "a", "b", "ab", "A", "/", "1", ".", " ", "\n", "\xe9", "\r", "-", "abc", "\t", "B", "_", "\x0b", "*"))
	}
	return b.String()
}
