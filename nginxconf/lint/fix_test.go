package lint_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

func TestInsertAfterLaysOutLikeTheDirective(t *testing.T) {
	block := []string{"", "b {", "\tc;", "}"}
	for name, tt := range map[string]struct {
		text  string
		lines []string
		want  string
	}{
		"a line":                    {"x { \n\ta 1;\n}\n", []string{"b;"}, "x { \n\ta 1;\n\tb;\n}\n"},
		"behind its comment":        {"  a; # why\n  c;\n", []string{"b;"}, "  a; # why\n  b;\n  c;\n"},
		"two lines":                 {"  a;\n", []string{"b;", "c;"}, "  a;\n  b;\n  c;\n"},
		"the last of a file":        {"a;", []string{"b;"}, "a;\nb;"},
		"blanks at the end":         {"  a;  \n", []string{"b;"}, "  a;  \n  b;\n"},
		"of several lines":          {"  a\n      1;\nc;\n", []string{"b;"}, "  a\n      1;\n  b;\nc;\n"},
		"first of a line":           {"a; c;\n", []string{"b;"}, "a; b; c;\n"},
		"last of a line":            {"x { a; # why\n}\n", []string{"b;"}, "x { a; b; # why\n}\n"},
		"a block on one line":       {"x { a; }\n", []string{"b;", "c;"}, "x { a; b; c; }\n"},
		"CRLF":                      {"x {\r\n\ta;\r\n}\r\n", []string{"b;"}, "x {\r\n\ta;\r\n\tb;\r\n}\r\n"},
		"CRLF at the end of a file": {"x {}\r\na;", []string{"b;"}, "x {}\r\na;\r\nb;"},
		"a block":                   {"  a {\n\t\tx;\n  }\n", block, "  a {\n\t\tx;\n  }\n\n  b {\n      c;\n  }\n"},
		"as deep as the file says":  {"x {\n\ta {\n\t\tx;\n\t}\n}\n", block, "x {\n\ta {\n\t\tx;\n\t}\n\n\tb {\n\t\tc;\n\t}\n}\n"},
		"no depth to see":           {"a {}\n", block, "a {}\n\nb {\n    c;\n}\n"},
		"a block among others":      {"a { x; } d;\n", block, "a { x; } b { c; } d;\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, "x.conf", tt.text)
			pass(t, c, func(p *lint.Pass) {
				for d := range p.All("a") {
					got, err := nginxconf.Apply([]byte(tt.text), p.InsertAfter(d, tt.lines...))
					require.NoError(t, err)
					assert.Equal(t, tt.want, string(got))
					_, err = nginxconf.Parse("", got)
					assert.NoError(t, err)
				}
			})
		})
	}
}

func TestInsertAfterNeedsAnEnd(t *testing.T) {
	for _, text := range []string{"a", "a 1", "a 1 }", "a {", "a { b; ", "x { a }"} {
		pass(t, load(t, "x.conf", text), func(p *lint.Pass) {
			for d := range p.All("a") {
				assert.Nil(t, p.InsertAfter(d, "b;"), text)
			}
		})
	}
}

func TestReplaceArgKeepsQuotes(t *testing.T) {
	for text, want := range map[string]string{
		"a x old y;":         "a x new y;",
		`a x "old" y;`:       `a x "new" y;`,
		"a\n\tx # no\n 'o';": "a\n\tx # no\n 'new';",
		`a x \"old;`:         "a x new;",
		`a x "o`:             `a x "o`, // it has no end to keep
	} {
		pass(t, load(t, "x.conf", text), func(p *lint.Pass) {
			for d := range p.All("a") {
				got, err := nginxconf.Apply([]byte(text), p.ReplaceArg(d, 1, "new"))
				require.NoError(t, err)
				assert.Equal(t, want, string(got))
			}
		})
	}
	pass(t, load(t, "x.conf", "a x;"), func(p *lint.Pass) {
		for d := range p.All("a") {
			e := p.ReplaceArg(d, 0, "two words;")
			require.Len(t, e, 1)
			assert.Equal(t, `"two words;"`, e[0].NewText)
		}
	})
}
