package regex

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// found is what a pattern matches and captures, in brackets.
func found(t testing.TB, pattern, s string) string {
	t.Helper()
	re, err := Compile(pattern, false)
	require.NoError(t, err, pattern)
	m, err := re.Match(s)
	require.NoError(t, err, pattern)
	if m == nil {
		return "no"
	}
	var b strings.Builder
	for i := 0; i < len(m); i += 2 {
		if m[i] < 0 {
			b.WriteString("[-]")
		} else {
			fmt.Fprintf(&b, "[%s]", s[m[i]:m[i+1]])
		}
	}
	return b.String()
}

// TestOracleRegex of nginxconf/route asks nginx about such things.
func TestMatchesAsPCRE2Does(t *testing.T) {
	for _, c := range [][3]string{
		{`^/a$`, "/a", "[/a]"},
		{`^/a$`, "/a\n", "[/a]"}, // "$" is in front of a last line feed, too
		{`^/a\z`, "/a\n", "no"},
		{`/a$`, "/a\n\n", "no"},
		{`(?m)^a`, "b\na", "[a]"},
		{`(?m)^`, "\n", "[]"},
		{`x(?m)^`, "x\n", "no"},
		{`.`, "\n", "no"},
		{`(?s).`, "\n", "[\n]"},
		{`.`, "\r", "[\r]"},
		{`\s`, "\v", "[\v]"},
		{`\w`, "\xe9", "no"}, // bytes, and ASCII alone
		{`.`, "\xc3\xa9", "[\xc3]"},
		{`(?i)É`, "é", "no"},
		{`(?i)[k-m]`, "\xe2\x84\xaa", "no"}, // the Kelvin sign
		{`a|ab`, "ab", "[a]"},               // the first that matches, not the longest
		{`(a*)*`, "b", "[][]"},
		{`(a|b)*`, "ab", "[ab][b]"},
		{`(a)|(b)`, "a", "[a][a]"}, // no more groups than took part
		{`(a)|(b)`, "b", "[b][-][b]"},
		{`a*+a`, "aaa", "no"},
		{`(ab)++c`, "ababc", "[ababc][ab]"},
		{`(?>a|ab)c`, "abc", "no"},
		{`(a)(?=b)`, "ab", "[a][a]"},
		{`(?=(a))`, "ab", "[][a]"},
		{`(?=ab)a`, "ab", "[a]"},
		{`a(?!b)`, "abac", "[a]"},
		{`(?<=a|bc)d`, "bcd", "[d]"},
		{`(?<!a)b`, "ab", "no"},
		{`(a|b)\1`, "abb", "[bb][b]"},
		{`(?i)(a)\1`, "aA", "[aA][a]"},
		{`(a)?\1b`, "b", "no"}, // a group that took no part
		{`a\Kb`, "ab", "[b]"},
		{`a{,2}`, "a{,2}", "[a{,2}]"}, // literal up to PCRE2 10.42
		{`a{1,2}?`, "aa", "[a]"},
		{`[]a]`, "]", "[]]"},
		{`[\d-]`, "-", "[-]"},
		{`[[:alpha:][:^digit:]]`, "1", "no"},
		{`\x41\101\cA`, "AA\x01", "[AA\x01]"},
		{`\Qa.b\E+`, "a.bb", "[a.bb]"},
		{`(?x) a b # c`, "ab", "[ab]"},
		{`a(?i)b|c`, "C", "[C]"}, // the option holds for what follows, other branches too
		{`(?i:a)b`, "AB", "no"},
		{`\bfoo\b`, "a foo", "[foo]"},
		{`^(?<year>\d{4})-(?P<m>\d\d)$`, "2026-11", "[2026-11][2026][11]"},
		{`(a(b)?)+`, "aba", "[aba][a][b]"}, // an inner group keeps what it had
		{`(?:a?)*?b`, "aab", "[aab]"},
		{`(?:|a)+b`, "aab", "[aab]"},
	} {
		assert.Equal(t, c[2], found(t, c[0], c[1]), c)
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	for _, p := range []string{
		`(?R)`, `(a)(?1)`, `(?(1)a|b)(c)`, `(*ACCEPT)`, `a(*SKIP)`, `(*UTF8)a`, `\p{L}`, `\X`, `\R`, `(?|(a)|(b))`, `(?J)(?<n>a)(?<n>b)`,
		`(?C)`, `(?n)(a)`, `(a\1?)`, `(?>a?)b`, `(ab)?+b`, `(?=a)*`, `(?=ab)x?a`, `(?i)(?:y|(?=ab))(x|)A`, `a{0}`, `(((a{99}){99}){99}){99}`,
	} {
		_, err := Compile(p, false)
		require.Error(t, err, p)
		if !errors.Is(err, ErrUnsupported) {
			assert.Contains(t, err.Error(), "regular expression is too large", p)
		}
	}
	_, err := Compile(`(`, false)
	assert.EqualError(t, err, "missing closing parenthesis at offset 1")
}

func TestNamesOfGroups(t *testing.T) {
	re, err := Compile(`(x)(?<b>y)(?'a'z)`, false)
	require.NoError(t, err)
	assert.Equal(t, []Name{{"a", 3}, {"b", 2}}, re.Names)
	assert.Equal(t, 3, re.Captures)
}

func TestLongSearchIsGivenUp(t *testing.T) {
	re, err := Compile(`^(a+)+$`, false)
	require.NoError(t, err)
	_, err = re.Match(strings.Repeat("a", 40) + "b")
	assert.ErrorIs(t, err, ErrSteps)
}

// FuzzMatch compares with package regexp where the two mean the same.
func FuzzMatch(f *testing.F) {
	f.Add(`^/(a|b)*\.php$`, "/ab.php", true)
	f.Add(`(?<=a)b\1(?:x|(y))??`, "aby", false)
	f.Add(`[[:^alpha:]\d-]{2,}+`, "1-\n", false)
	f.Add(`(?>a*)(?!b|c)\Q.\E`, "aa.", false)
	f.Fuzz(func(t *testing.T, pattern, s string, caseless bool) {
		if len(pattern) > 200 || len(s) > 200 {
			return
		}
		re, err := Compile(pattern, caseless)
		if err != nil {
			return
		}
		m, err := re.Match(s)
		if err != nil {
			return
		}
		for i := 0; i < len(m); i += 2 {
			require.True(t, m[i] < 0 && m[i+1] < 0 || 0 <= m[i] && m[i] <= m[i+1] && int(m[i+1]) <= len(s), "%v", m)
		}
		if !sameInGo(pattern) || !sameInGo(s) {
			return
		}
		if caseless {
			pattern = "(?i)" + pattern
		}
		theirs, err := regexp.Compile(pattern)
		if err != nil {
			return
		}
		want := theirs.FindStringSubmatchIndex(s)
		require.Equal(t, want == nil, m == nil)
		for i := range m {
			require.Equal(t, want[i], int(m[i]))
		}
	})
}

// sameInGo leaves out what Go reads otherwise: "$", classes, repeats of groups,
// options, escapes, and what is not printable ASCII.
func sameInGo(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && !strings.ContainsAny(s, `$\?*+{[`)
}
