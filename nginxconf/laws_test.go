package nginxconf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// odd holds texts at the edges of nginx's grammar.
var odd = []string{
	"", " ", "\n", "\r\n", "#", "# comment", "# a\r\n", "a;", "a b;", "a b c{}", "a{b{c;}}",
	"add_header X a}b;", "add_header X a#b;", "server_name a};", "location /x{ }", "location ~ a{2} {}",
	"$host{ }", "a ${b};", "a ${{b};", `a \${b};`, `a "b"c;`, `a "b""c";`, `a "b"};`, `a "b"#c;`, `if ($x = "b"){ }`,
	`a b"c;`, `a \;;`, "a \\\n;", `a "\"";`, `a '\'';`, `a "b`, `a 'b`, `a "b\`, `a \`, "a", "a b", "a b # c", "a{", "a{b", "a{b;",
	"}", "a}", "{", ";", ";;", "a;}", "a{}}", "{a;}", "{{a;}b;}", "a{;}", "};", "\xef\xbb\xbfa;", "a\x00;", "a;\x00", "a\v;", "a\u00a0b;",
	"a b\rc;\r", "a # b\rc;\nd;", "# a\n\n# b\na; # c\n\n# d\n}", "a\n# b\nc # d\n; # e\nf;", "server { listen 80; } # x\n",
	"content_by_lua_block { ngx.say('}') -- }\n } a;", "set_by_lua_block $x { return [==[ }]] ]==] --[[ } ]] .. \"}\" } b;",
	"a_by_lua_block { { } ' } c;", "a_by_lua_block { [[ }", "a_by_lua_block { {", "a_by_lua_block;", "a_by_lua_block x", "a_by_lua_block {}", "_by_lua_block {",
	"types { text/html html; text/x; }", "map $a $b { default 0; ~^x{2} 1; }",
	"\na \"b\r\nc\";", "\r\na \"b\nc\";", "a \"b\r\nc\";",
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range odd {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := Parse("x.conf", src)
		require.Equal(t, string(src), string(file.Bytes()))
		require.False(t, file.Changed())
		for d := range file.All() {
			require.NotEmpty(t, d.Raw(0))
			require.Same(t, d, d.Container().At(d.Container().Index(d)))
			d.Args()
			for range d.Comments() {
			}
			pos, end := d.Pos(), d.End()
			require.True(t, pos.IsValid())
			require.LessOrEqual(t, pos.Offset, end.Offset)
			for i := range d.NumArgs() + 1 {
				start, end := d.Span(i)
				require.Equal(t, d.Raw(i), string(src[start.Offset:end.Offset]))
				if d.n&lua == 0 {
					require.Equal(t, unquote(d.Raw(i)), d.word(i))
				}
			}
		}
		// Text of its own prints the same as text of the source.
		for d := range file.All() {
			d.own()
		}
		require.Equal(t, string(src), string(file.Bytes()))
		var ds Diagnostics
		if err != nil {
			require.True(t, errors.As(err, &ds))
			for _, d := range ds {
				require.True(t, d.Start.IsValid())
			}
		}
	})
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", "a b", `a"b`, `a'b`, `"'`, `\`, `\\`, `\d`, `\;`, `a\ b`, "${x}", "a{b", "#", "}", "\n", `\n`, `\\"`, `\\${`, `\\ `, `\\;`, `\\\{`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if len(value) > 2000 {
			return // may not fit nginx's buffer once quoted
		}
		for _, like := range []byte{0, '"', '\''} {
			raw := quote(value, like)
			file, err := Parse("", []byte("a "+raw+";"))
			require.NoError(t, err, "%q", raw)
			d := file.At(0)
			require.Equal(t, 1, file.Len(), "%q", raw)
			require.Equal(t, []string{value}, d.Args(), "%q", raw)
		}
	})
}

// tokens is a file as nginx sees it.
func tokens(b *Body) string {
	var s strings.Builder
	b.walk(0, func(d *Directive, _ int) bool {
		fmt.Fprintf(&s, "%q", append([]string{d.Name()}, d.Args()...))
		if d.body != nil {
			s.WriteString("{")
		}
		s.WriteString("\n")
		return true
	}, func(*Directive, int) { s.WriteString("}\n") })
	return s.String()
}

// FuzzEdit removes, inserts and moves directives of any valid file: the file
// then parses, and holds what the tree holds.
func FuzzEdit(f *testing.F) {
	for _, s := range odd {
		f.Add([]byte(s), uint16(0), uint16(1))
		f.Add([]byte(s), uint16(1), uint16(0))
	}
	f.Fuzz(func(t *testing.T, src []byte, from, to uint16) {
		file, err := Parse("x.conf", src)
		if err != nil {
			return
		}
		var all []*Directive
		bodies := []*Body{&file.Body}
		for d := range file.All() {
			all = append(all, d)
			if d.Body() != nil {
				bodies = append(bodies, d.Body())
			}
		}
		check := func(what string) {
			again, err := Parse("x.conf", file.Bytes())
			require.NoError(t, err, "%s: %q", what, file.Bytes())
			require.Equal(t, tokens(&file.Body), tokens(&again.Body), "%s: %q", what, file.Bytes())
		}
		to %= uint16(len(bodies))
		b := bodies[to]
		b.Insert(int(from)%(b.Len()+1), New("new", "a b"))
		check("insert")
		block := NewBlock("block")
		block.Body().Append(New("inner", "$x{"), NewBlock("empty"))
		b.Append(block)
		check("append a block")
		require.NoError(t, b.InsertText(int(from)%(b.Len()+1), "# one\n\n# two\nthree; # four\n# five"))
		check("insert text")
		if len(all) == 0 {
			return
		}
		d := all[int(from)%len(all)]
		inside := false
		for up := b; up != nil; up = up.above() {
			inside = inside || d.body == up
		}
		if !inside {
			b.Insert(0, d)
			check("move")
		}
		d.SetArgs("x", "y;")
		check("set arguments")
		d.Replace(New("replaced"), d)
		check("replace")
		d.Container().Upsert("upserted", "1")
		d.Container().Upsert("upserted", "2")
		check("upsert")
		if i := int(to) % d.Container().Len(); true {
			d.Container().At(i).CommentOut()
			check("comment out")
		}
		if d.Container() == nil {
			return
		}
		d.Remove()
		check("remove")
		d.Remove()
		check("remove again")
	})
}

// TestManyEditsKeepTheLaws edits two files at random, and moves directives
// between them: nothing is lost but what is removed, and what the trees hold is
// what nginx reads.
func TestManyEditsKeepTheLaws(t *testing.T) {
	rnd, cases := oracleSize(t, 3000)
	pieces := []string{
		"a;", "b 1 2;", "c { }", "d { e; }", "f { g 1; h { i; } }", "j {k;}", "\n", "\n", "\n\n", "    ", "\t", "# 1\n", "# 2\n", " # 3\n", "# 4\n\n",
		"l {\n    m;\n", "n {\n", "}", "}\n", " } # 5\n", "o 'x y';", "p \"q\n r\";", "q a\n    b # 6\n    c;", "r\n{\n", "s ${x};",
		"x_by_lua_block { return }", "t {# 7\n u;\n # 8\n}\n",
	}
	inserted := []string{"", "\n", "1;", "# 1\n2; # 2", "3 {\n\t4;\n}\n", "# 3", "\n\n5;\n\n# 4\n\n6 { 7; } # 5\n# 6\n", "8;\r\n9 {\r\n}\r\n", "10; 11; # 7"}
	text := func() string {
		for {
			var b strings.Builder
			for range 1 + rnd.IntN(14) {
				b.WriteString(pieces[rnd.IntN(len(pieces))])
			}
			if rnd.IntN(3) == 0 {
				b.WriteString("# end")
			}
			s := b.String()
			if rnd.IntN(3) == 0 {
				s = strings.ReplaceAll(s, "\n", "\r\n")
			}
			if _, err := Parse("", []byte(s)); err == nil {
				return s
			}
		}
	}
	for range cases {
		texts := map[string]string{"one": text(), "two": text()}
		var files []*File
		for _, name := range []string{"one", "two"} {
			f, err := Parse(name, []byte(texts[name]))
			require.NoError(t, err)
			files = append(files, f)
		}
		history := fmt.Sprintf("%q\n%q", texts["one"], texts["two"])
		for range 8 {
			var ds []*Directive
			var bodies []*Body
			var before []string
			for _, f := range files {
				bodies = append(bodies, &f.Body)
				for d := range f.All() {
					ds = append(ds, d)
					if d.Body() != nil {
						bodies = append(bodies, d.Body())
					}
				}
				before = append(before, commentTexts(f)...)
			}
			b := bodies[rnd.IntN(len(bodies))]
			i := rnd.IntN(b.Len() + 1)
			var d *Directive
			if len(ds) > 0 {
				d = ds[rnd.IntN(len(ds))]
			}
			gone := []string{}
			switch op := rnd.IntN(7); {
			case op == 0:
				history += fmt.Sprintf("\ninsert at %d", i)
				b.Insert(i, New("new", "1"))
			case op == 1:
				history += fmt.Sprintf("\ninsert a block at %d", i)
				block := NewBlock("block")
				if rnd.IntN(2) == 0 {
					block.Body().Append(New("in"))
				}
				b.Insert(i, block)
			case op == 2:
				more := inserted[rnd.IntN(len(inserted))]
				history += fmt.Sprintf("\ninsert %q at %d", more, i)
				f, err := Parse("", []byte(more))
				require.NoError(t, err)
				before = append(before, commentTexts(f)...)
				require.NoError(t, b.InsertText(i, more))
			case d == nil:
			case op < 5:
				if d.Container() == b {
					i = max(0, i-1)
				}
				inside := false
				for up := b; up != nil; up = up.above() {
					inside = inside || up == d.Body()
				}
				if !inside {
					history += fmt.Sprintf("\nmove %q to %d", d, i)
					b.Insert(i, d)
				}
			case op == 5:
				history += fmt.Sprintf("\nremove %q", d)
				for c := range d.Comments() {
					gone = append(gone, c.Text)
				}
				if d.Body() != nil {
					for c := range d.Body().Comments() {
						gone = append(gone, c.Text)
					}
				}
				d.Remove()
			default:
				history += fmt.Sprintf("\nreplace %q", d)
				f, err := Parse("", []byte(d.String()))
				require.NoError(t, err)
				gone = append(gone, commentTexts(f)...) // those around it stay
				d.Replace(New("x"), New("y"))
			}
			after := gone
			for _, f := range files {
				what := fmt.Sprintf("%s\n%q", history, f.Bytes())
				again, err := Parse("", f.Bytes())
				require.NoError(t, err, what)
				require.Equal(t, tokens(&f.Body), tokens(&again.Body), what)
				require.Equal(t, commentTexts(f), commentTexts(again), what)
				after = append(after, commentTexts(f)...)

				formatted, err := Format(f.Bytes())
				require.NoError(t, err, what)
				twice, err := Format(formatted)
				require.NoError(t, err, what)
				require.Equal(t, string(formatted), string(twice), what)
			}
			require.ElementsMatch(t, before, after, history)
			for _, d := range ds {
				for i := range d.NumArgs() + 1 {
					if start, end := d.Span(i); start.IsValid() {
						require.Equal(t, d.Raw(i), texts[start.Filename][start.Offset:end.Offset], history)
					}
				}
			}
		}
	}
}
