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
	"a_by_lua_block { { } ' } c;", "a_by_lua_block { [[ }", "a_by_lua_block { {", "a_by_lua_block;", "a_by_lua_block x", "a_by_lua_block {}",
	"types { text/html html; text/x; }", "map $a $b { default 0; ~^x{2} 1; }",
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
	for _, s := range []string{"", "a", "a b", `a"b`, `a'b`, `"'`, `\`, `\\`, `\d`, `\;`, `a\ b`, "${x}", "a{b", "#", "}", "\n", `\n`, `\\"`} {
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
