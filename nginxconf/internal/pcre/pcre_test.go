package pcre

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRefused has PCRE2 10.42's answers.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		pattern, message string
		offset           int
	}{
		// quantifiers
		{`*a`, `quantifier does not follow a repeatable item`, 0},
		{`+`, `quantifier does not follow a repeatable item`, 0},
		{`a**`, `quantifier does not follow a repeatable item`, 2},
		{`a+++`, `quantifier does not follow a repeatable item`, 3},
		{`(?:+a)`, `quantifier does not follow a repeatable item`, 3},
		{`a|*`, `quantifier does not follow a repeatable item`, 2},
		{`^*`, `quantifier does not follow a repeatable item`, 1},
		{`$+`, `quantifier does not follow a repeatable item`, 1},
		{`\b?`, `quantifier does not follow a repeatable item`, 2},
		{`(?i)+`, `quantifier does not follow a repeatable item`, 4},
		{`a{3,2}`, `numbers out of order in {} quantifier`, 5},
		{`a{65536}`, `number too big in {} quantifier`, 7},
		{`a{1,65536}`, `number too big in {} quantifier`, 9},
		{`a{2}{3}`, `quantifier does not follow a repeatable item`, 6},
		{`(*)`, `quantifier does not follow a repeatable item`, 1},
		{`(*F)+`, `quantifier does not follow a repeatable item`, 4},
		{`(?C)?`, `quantifier does not follow a repeatable item`, 4},
		{`(?(?=a)b)(?(?=a)+b)`, `quantifier does not follow a repeatable item`, 16},
		// parentheses
		{`(`, `missing closing parenthesis`, 1},
		{`(a`, `missing closing parenthesis`, 2},
		{`a)`, `unmatched closing parenthesis`, 1},
		{`(a))`, `unmatched closing parenthesis`, 3},
		{`(?`, `missing closing parenthesis`, 2},
		{`(?:a`, `missing closing parenthesis`, 4},
		{`(?a)`, `unrecognized character after (? or (?-`, 2},
		{`(?i`, `missing closing parenthesis`, 3},
		{`(?i-s-m)`, `invalid hyphen in option setting`, 5},
		{`(?^-i)`, `invalid hyphen in option setting`, 3},
		{`(?ik:a)`, `unrecognized character after (? or (?-`, 3},
		{`(?P`, `missing closing parenthesis`, 3},
		{`(?Px)`, `unrecognized character after (?P`, 3},
		{`(?#a`, `missing ) after (?# comment`, 4},
		{`(?|(a)|(b)`, `missing closing parenthesis`, 10},
		{`((?i)a`, `missing closing parenthesis`, 6},
		// names
		{`(?<a`, `syntax error in subpattern name (missing terminator?)`, 4},
		{`(?<>a)`, `subpattern name expected`, 3},
		{`(?<1a>b)`, `subpattern name must start with a non-digit`, 3},
		{`(?<a-b>c)`, `syntax error in subpattern name (missing terminator?)`, 4},
		{`(?'a>b)`, `syntax error in subpattern name (missing terminator?)`, 4},
		{`(?P<a b>c)`, `syntax error in subpattern name (missing terminator?)`, 5},
		{`(?<abcdefghijklmnopqrstuvwxyz0123456>a)`, `subpattern name is too long (maximum 32 code units)`, 36},
		{`(?<n>a)(?<n>b)`, `two named subpatterns have the same name (PCRE2_DUPNAMES not set)`, 12},
		{`(?|(?<n>a)|(?<m>b))`, `different names for subpatterns of the same number are not allowed`, 16},
		{`(?J)(?<n>a)(?-J)(?<n>b)`, `two named subpatterns have the same name (PCRE2_DUPNAMES not set)`, 21},
		{`(?&`, `subpattern name expected`, 3},
		{`(?&n)`, `reference to non-existent subpattern`, 3},
		{`(?P>n)`, `reference to non-existent subpattern`, 4},
		{`(?P=n)`, `reference to non-existent subpattern`, 4},
		{`(?P=n`, `syntax error in subpattern name (missing terminator?)`, 5},
		{`\k`, `\k is not followed by a braced, angle-bracketed, or quoted name`, 2},
		{`\ka`, `\k is not followed by a braced, angle-bracketed, or quoted name`, 2},
		{`\k<n>`, `reference to non-existent subpattern`, 3},
		{`\k{n`, `syntax error in subpattern name (missing terminator?)`, 4},
		{`\g<n>`, `reference to non-existent subpattern`, 3},
		// references
		{`\1`, `reference to non-existent subpattern`, 1},
		{`(a)\2`, `reference to non-existent subpattern`, 4},
		{`\9(a)`, `reference to non-existent subpattern`, 1},
		{`(a)\g3`, `reference to non-existent subpattern`, 5},
		{`\g`, `\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number`, 2},
		{`\ga`, `\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number`, 2},
		{`\g{1`, `\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number`, 2},
		{`\g{-1}`, `reference to non-existent subpattern`, 2},
		{`\g{0}`, `reference to non-existent subpattern`, 5},
		{`(a)\g{-2}`, `reference to non-existent subpattern`, 5},
		{`(a)\g{-0}`, `a relative value of zero is not allowed`, 5},
		{`(?1)`, `reference to non-existent subpattern`, 3},
		{`(?+1)`, `reference to non-existent subpattern`, 4},
		{`(?-1)`, `reference to non-existent subpattern`, 4},
		{`(?+)`, `digit expected after (?+ or (?-`, 2},
		{`(?R`, `(?R (recursive pattern call) must be followed by a closing parenthesis`, 3},
		{`(?Rx)`, `(?R (recursive pattern call) must be followed by a closing parenthesis`, 3},
		{`(?1x)`, `missing closing parenthesis`, 3},
		{`(a)(?2)`, `reference to non-existent subpattern`, 6},
		{`\g<1>`, `reference to non-existent subpattern`, 4},
		{`\g'0`, `\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number`, 2},
		{`\70000`, `octal value is greater than \377 in 8-bit non-UTF-8 mode`, 4},
		{`\g99999`, `subpattern number is too big`, 7},
		{`(?65536)`, `subpattern number is too big`, 7},
		// conditions
		{`(?(`, `missing closing parenthesis`, 3},
		{`(?()a)`, `subpattern name expected`, 3},
		{`(?(1)a)`, `reference to non-existent subpattern`, 2},
		{`(?(0)a)`, `reference to non-existent subpattern`, 4},
		{`(?(1`, `missing closing parenthesis for condition`, 4},
		{`(a)(?(1)b|c|d)`, `conditional subpattern contains more than two branches`, 3},
		{`(?(?=a)b|c|d)`, `conditional subpattern contains more than two branches`, 0},
		{`(?(DEFINE)a|b)`, `DEFINE subpattern contains more than one branch`, 3},
		{`(?(n)a)`, `reference to non-existent subpattern`, 3},
		{`(?(<n)a)`, `syntax error in subpattern name (missing terminator?)`, 5},
		{`(?(R&n)a)`, `reference to non-existent subpattern`, 5},
		{`(?(R1)a)`, `reference to non-existent subpattern`, 3},
		{`(?(R65536)a)`, `subpattern number is too big`, 8},
		{`(?(?a)b)`, `assertion expected after (?( or (?(?C)`, 2},
		{`(?(?:a)b)`, `assertion expected after (?( or (?(?C)`, 2},
		{`(?(?C1)a)`, `assertion expected after (?( or (?(?C)`, 7},
		{`(?(*sr:a)b)`, `assertion expected after (?( or (?(?C)`, 6},
		{`(?(*napla:a)b)`, `atomic assertion expected after (?( or (?(?C)`, 9},
		{`(?(VERSION>10)a)`, `syntax error or number too big in (?(VERSION condition`, 11},
		{`(?(VERSION=10.)a)`, `syntax error or number too big in (?(VERSION condition`, 14},
		{`(?(-1)a)`, `reference to non-existent subpattern`, 5},
		{`(?(+1)a)`, `reference to non-existent subpattern`, 3},
		// callouts and verbs
		{`(?C`, `missing closing parenthesis`, 3},
		{`(?Cx)`, `unrecognized string delimiter follows (?C`, 3},
		{`(?C256)`, `number after (?C is greater than 255`, 6},
		{`(?C1`, `closing parenthesis for (?C expected`, 4},
		{`(?C'a)`, `missing terminating delimiter for callout with string argument`, 3},
		{`(?C'a'x)`, `closing parenthesis for (?C expected`, 6},
		{`(*FOO)`, `(*VERB) not recognized or malformed`, 5},
		{`(*accept)`, `(*alpha_assertion) not recognized`, 8},
		{`(*foo:a)`, `(*alpha_assertion) not recognized`, 5},
		{`(*pla`, `(*alpha_assertion) not recognized`, 5},
		{`(*MARK)`, `(*MARK) must have an argument`, 6},
		{`(*:)`, `(*MARK) must have an argument`, 3},
		{`(*MARK:a`, `(*VERB) not recognized or malformed`, 8},
		{`(*F`, `(*VERB) not recognized or malformed`, 3},
		{`(*LIMIT_MATCH=)a`, `(*VERB) not recognized or malformed`, 14},
		{`(*LIMIT_MATCH=1x)`, `(*VERB) not recognized or malformed`, 16},
		{`(*UTF16)a`, `(*VERB) not recognized or malformed`, 7},
		// classes
		{`[`, `missing terminating ] for character class`, 1},
		{`[]`, `missing terminating ] for character class`, 2},
		{`[^]`, `missing terminating ] for character class`, 3},
		{`[a`, `missing terminating ] for character class`, 2},
		{`[a\]`, `missing terminating ] for character class`, 4},
		{`[\E`, `\ at end of pattern`, 3},
		{`[b-a]`, `range out of order in character class`, 3},
		{`[a-\x40]`, `range out of order in character class`, 6},
		{`[\d-z]`, `invalid range in character class`, 3},
		{`[a-\d]`, `invalid range in character class`, 5},
		{`[z-[:alpha:]]`, `invalid range in character class`, 4},
		{`[[:alpha:]-z]`, `invalid range in character class`, 10},
		{`[[:foo:]]`, `unknown POSIX class name`, 3},
		{`[[:^foo:]]`, `unknown POSIX class name`, 4},
		{`[[.a.]]`, `POSIX collating elements are not supported`, 1},
		{`[[=a=]]`, `POSIX collating elements are not supported`, 1},
		{`[:alpha:]`, `POSIX named classes are supported only within a class`, 0},
		{`[.a.]`, `POSIX collating elements are not supported`, 0},
		{`[=a=]`, `POSIX collating elements are not supported`, 0},
		{`[\B]`, `escape sequence is invalid in character class`, 2},
		{`[\R]`, `escape sequence is invalid in character class`, 2},
		{`[\A]`, `escape sequence is invalid in character class`, 2},
		{`[\K]`, `escape sequence is invalid in character class`, 2},
		{`[\N]`, `\N is not supported in a class`, 3},
		{`[\i]`, `unrecognized character follows \`, 2},
		{`[\Qa-z`, `missing terminating ] for character class`, 6},
		{`[\x{100}]`, `character code point value in \x{} or \o{} is too large`, 7},
		{`[\p{foo}]`, `unknown property after \P or \p`, 8},
		{`[a[:<:]]`, `unknown POSIX class name`, 4},
		// escapes
		{`\`, `\ at end of pattern`, 1},
		{`a\`, `\ at end of pattern`, 2},
		{`\c`, `\c at end of pattern`, 2},
		{`\cé`, `\c must be followed by a printable ASCII character`, 2},
		{`\i`, `unrecognized character follows \`, 1},
		{`\y`, `unrecognized character follows \`, 1},
		{`\F`, `PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u`, 2},
		{`\L`, `PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u`, 2},
		{`\l`, `PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u`, 2},
		{`\U`, `PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u`, 2},
		{`\u`, `PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u`, 2},
		{`\N{name}`, `PCRE2 does not support \F, \L, \l, \N{name}, \U, or \u`, 2},
		{`\N{U+41}`, `\N{U+dddd} is supported only in Unicode (UTF) mode`, 2},
		{`\N{3,2}`, `numbers out of order in {} quantifier`, 2},
		{`\x{`, `digits missing in \x{} or \o{} or \N{U+}`, 3},
		{`\x{}`, `digits missing in \x{} or \o{} or \N{U+}`, 3},
		{`\x{g}`, `non-hex character in \x{} (closing brace missing?)`, 3},
		{`\x{41`, `non-hex character in \x{} (closing brace missing?)`, 4},
		{`\x{100}`, `character code point value in \x{} or \o{} is too large`, 6},
		{`\o`, `missing opening brace after \o`, 1},
		{`\o{}`, `digits missing in \x{} or \o{} or \N{U+}`, 3},
		{`\o{8}`, `non-octal character in \o{} (closing brace missing?)`, 3},
		{`\o{400}`, `character code point value in \x{} or \o{} is too large`, 6},
		{`\400`, `octal value is greater than \377 in 8-bit non-UTF-8 mode`, 4},
		{`\p`, `malformed \P or \p sequence`, 2},
		{`\p1`, `malformed \P or \p sequence`, 3},
		{`\p{`, `malformed \P or \p sequence`, 3},
		{`\p{Lu`, `malformed \P or \p sequence`, 5},
		{`\p{foo}`, `unknown property after \P or \p`, 7},
		{`\pB`, `unknown property after \P or \p`, 3},
		{`\P{^foo}`, `unknown property after \P or \p`, 8},
		{`\p{sc:Lu}`, `unknown property after \P or \p`, 9},
		{`\p{foo:Lu}`, `unknown property after \P or \p`, 10},
		{`(*UTF8)\x{d800}`, `disallowed Unicode code point (>= 0xd800 && <= 0xdfff)`, 14},
		{`(*UTF8)\x{110000}`, `character code point value in \x{} or \o{} is too large`, 16},
		// lookbehinds
		{`(?<=a+)`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=a*b)c`, `lookbehind assertion is not fixed length`, 0},
		{`(?<!a{1,2})`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=\R)`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=\X)`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=(a|bc))`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=(?:a|bc)d)`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=(?1))(a+)`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=(?R))`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=\1)(a|bc)`, `lookbehind assertion is not fixed length`, 0},
		{`(?<=(?<!a|b+))`, `lookbehind assertion is not fixed length`, 4},
		{`(?=(?<=b*))`, `lookbehind assertion is not fixed length`, 3},
		{`(*plb:a?)`, `lookbehind assertion is not fixed length`, 2},
		{`(*nlb:a?)`, `lookbehind assertion is not fixed length`, 2},
		{`(?<=(?3))(a)`, `reference to non-existent subpattern`, 7},
		{`(a)(?|b)(?<=\1)`, `lookbehind assertion is not fixed length`, 8},
		{`(?J)(?<n>a)(?<n>b)(?<=\k<n>)`, `lookbehind assertion is not fixed length`, 18},
		{`(?<=a{65535}b)`, `lookbehind assertion is too long`, 0},
		{`(*UTF8)(?<=\C)`, `\C is not allowed in a lookbehind assertion in UTF-8 mode`, 7},
		{`(?=\K)`, `\K is not allowed in lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)`, 6},
		{`(?<=a\K)`, `\K is not allowed in lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)`, 8},
		{`(?!(b\K))`, `\K is not allowed in lookarounds (but see PCRE2_EXTRA_ALLOW_LOOKAROUND_BSK)`, 9},
		// large
		{`(?:a{3}){20000}`, `regular expression is too large`, 15},
		{"((a{1,9}){1000}){60}", "regular expression is too large", 20},

		// UTF-8
		{"(*UTF8)\xff", "UTF-8 error: illegal byte (0xfe or 0xff)", 7},
		{"(*UTF8)a\x80", "UTF-8 error: isolated byte with 0x80 bit set", 8},
		{"(*UTF8)\xe2\x82", "UTF-8 error: 1 byte missing at end", 7},
		{"(*UTF8)\xc3(", "UTF-8 error: byte 2 top bits not 0x80", 7},
		{"(*UTF8)\xc0\x80", "UTF-8 error: overlong 2-byte sequence", 7},
		{"(*UTF8)\xed\xa0\x80", "UTF-8 error: code points 0xd800-0xdfff are not defined", 7},
		{"(*UTF8)\xf4\x90\x80\x80", "UTF-8 error: code points greater than 0x10ffff are not defined", 7},
		{"(*UTF8)\xf8\x88\x80\x80\x80", "UTF-8 error: 5-byte character is not allowed (RFC 3629)", 7},

		// limits
		{strings.Repeat("(", 252), "parentheses are too deeply nested", 251},
		{strings.Repeat("()", 65536), "too many capturing groups (maximum 65535)", 131071},
		{"(*F:" + strings.Repeat("a", 256) + ")", "name is too long in (*MARK), (*PRUNE), (*SKIP), or (*THEN)", 260},
		{strings.Repeat("(?<=a)", 2002), "lookbehind is too complicated", 12006},
		{strings.Repeat("a", 32765), "regular expression is too large", 32765},
	} {
		for _, caseless := range []bool{false, true} {
			_, err := Check(tt.pattern, caseless)
			if assert.NotNil(t, err, "%.60s", tt.pattern) {
				assert.Equal(t, tt.message, err.Message, "%.60s", tt.pattern)
				assert.Equal(t, tt.offset, err.Offset, "%.60s", tt.pattern)
			}
		}
	}
}

func TestAccepted(t *testing.T) {
	for _, tt := range []struct {
		pattern  string
		captures int
		names    string
	}{
		{`\.php$`, 0, ""},
		{`^(/.+\.php)(/.*)?$`, 2, ""},
		{`^/u/(?<user>\w+)/(?<path>.*)`, 2, "path user"},
		{`(?P<b>a)(?'a'b)(?<aa>c)(d)`, 4, "a aa b"},
		{`(?J)(?<n>a)|(?<n>b)`, 2, "n n"},
		{`(?|(?<n>a)|(?<n>b)(c))(d)`, 3, "n"},
		{`(?n)(a)(?<n>b)`, 1, "n"},
		{`a{,3}b{x}c{1,2,3}d{`, 0, ""}, // no quantifiers
		{`[]a][^]a][a-][-a][\w-]`, 0, ""},
		{`[[:alpha:][:^digit:]_-][a[:b]`, 0, ""},
		{`[[:<:]]word[[:>:]]+`, 0, ""},
		{`\Q(*[\E*`, 0, ""},
		{`a++b*+c?+d{2}+e*?`, 0, ""},
		{`(?x) a # (`, 0, ""},
		{`(?#(()a`, 0, ""},
		{`(?<=ab|c)(?<!a{3})`, 0, ""},
		{`(a)(?<=\1)(?(1)b|c)(?1)\g{-1}\g{+1}(d)`, 2, ""},
		{`(?<n>a|b(?&n)c)\k<n>\k'n'\k{n}\g{n}(?P=n)(?P>n)\g<n>`, 1, "n"},
		{`(?(DEFINE)(?<n>a))(?(R)b)(?(<n>)c)(?(VERSION>=10.4)d|e)`, 1, "n"},
		{`(*ACCEPT)+(*MARK:x)(*:y)(*THEN)`, 0, ""},
		{`(*pla:a)(*nlb:b)(*atomic:c)(*sr:d)(*asr:e)`, 0, ""},
		{`\p{Lu}\pL\P{^greek}\p{ Script-Extensions = Latn }\p{bc:AL}\X\R\C`, 0, ""},
		{`\x{ff}\x\o{101}\012[\81]\cA\N{2}`, 0, ""},
		{`(*UTF8)^/\x{20ac}é[à-ü]\N{U+20ac}(?<é>x)`, 1, "é"},
		{`(*LIMIT_MATCH=1000)(*CRLF)(?x)#\n` + "\r\n(a)", 1, ""},
		{"(?C)(?C1)(?C'a''b')(?(?C2)(?=a)b)", 0, ""},
		{strings.Repeat("(", 250) + strings.Repeat(")", 250), 250, ""},
		{strings.Repeat("a", 32764), 0, ""},

		// Errors that PCRE2 10.42 does not see: a lookbehind of several
		// branches that it measures twice confuses it.
		{`(?<=(?1))(?<n>a(?<=b|cd))(?<=a+)`, 1, "n"},
		{`(?<n>a(?<=b|cd))(?<=(?1)|abcd)`, 1, "n"},
	} {
		for _, caseless := range []bool{false, true} {
			info, err := Check(tt.pattern, caseless)
			require.Nil(t, err, "%.60s", tt.pattern)
			assert.Equal(t, Info{Captures: tt.captures, Names: fields(tt.names)}, info, "%.60s", tt.pattern)
		}
	}
}

func fields(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Fields(s)
}

// TestNginx has lines that nginx 1.22 logged.
func TestNginx(t *testing.T) {
	for pattern, want := range map[string]string{
		`^/(a`:           `pcre2_compile() failed: missing closing parenthesis in "^/(a"`,
		`^/a)b`:          `pcre2_compile() failed: unmatched closing parenthesis in "^/a)b" at ")b"`,
		`[b-a]`:          `pcre2_compile() failed: range out of order in character class in "[b-a]" at "a]"`,
		`(*LIMIT_HEAP=1`: `pcre2_compile() failed: (*VERB) not recognized or malformed in "(*LIMIT_HEAP=1" at ""`,
		`(?<n>a+`:        `pcre2_compile() failed: missing closing parenthesis in "(?<n>a+"`,
	} {
		_, err := Check(pattern, false)
		require.NotNil(t, err, pattern)
		assert.Equal(t, want, err.Nginx(pattern))
	}
	long := strings.Repeat("a", 1100) + "("
	_, err := Check(long, false)
	require.NotNil(t, err)
	assert.Equal(t, (`pcre2_compile() failed: missing closing parenthesis in "` + long)[:1024], err.Nginx(long))

	_, err = Check("a**", false)
	require.NotNil(t, err)
	assert.Equal(t, "quantifier does not follow a repeatable item at offset 2", err.Error())
}

// TestCheckAllocatesNothing: what has no names and is right costs no memory.
func TestCheckAllocatesNothing(t *testing.T) {
	for _, pattern := range typical {
		allocs := testing.AllocsPerRun(100, func() {
			if _, err := Check(pattern, true); err != nil {
				t.Fatal(err)
			}
		})
		assert.Zero(t, allocs, pattern)
	}
}
