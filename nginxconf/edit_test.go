package nginxconf

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// first returns the first directive at the end of a path.
func first(t *testing.T, f *File, path ...string) *Directive {
	t.Helper()
	for d := range f.Find(path...) {
		return d
	}
	require.Fail(t, "not found", "%q", path)
	return nil
}

const site = `# scout, kept by the web team

# Redirect to HTTPS.
server {
	listen 80; # plain
	server_name scout.example.se;

	# everything
	return 301 https://$host$request_uri;
}

server {
	listen 443 ssl;
	server_name "scout.example.se" # the name
		scout;

	# who may come in

	# the office
	allow 192.0.2.0/24;
	deny all;

	location / { proxy_pass http://localhost:8083; }
	# the end
}
`

func TestEditsChangeOnlyWhatWasAsked(t *testing.T) {
	edits := []struct {
		name string
		in   string
		edit func(t *testing.T, f *File)
	}{
		{
			name: "one argument", in: site,
			edit: func(t *testing.T, f *File) {
				first(t, f, "server", "location", "proxy_pass").SetArgs("http://127.0.0.1:8083")
			},
		},
		{
			name: "quotes and the comment between stay", in: site,
			edit: func(t *testing.T, f *File) {
				first(t, f, "server[listen=443]", "server_name").SetArgs("scout.example.com", "scout", "s c")
			},
		},
		{
			name: "fewer arguments", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "return").SetArgs("404") },
		},
		{
			name: "replace below a detached comment", in: "# a\n\n# b\nc; # d\ne;\n",
			edit: func(t *testing.T, f *File) { first(t, f, "c").Replace(New("x"), New("y")) },
		},
		{
			name: "replace behind a comment without a newline", in: "a; # b\n# c\nd; # e",
			edit: func(t *testing.T, f *File) { first(t, f, "d").Replace(New("x"), New("y")) },
		},
		{
			name: "replace the last on a line", in: "a; b; # c\nd; e; # f",
			edit: func(t *testing.T, f *File) {
				first(t, f, "b").Replace(New("x"))
				first(t, f, "e").Replace(New("y"))
			},
		},
		{
			name: "a one-line block without blanks", in: "a {b;}\nc {}\nd {e;}\n",
			edit: func(t *testing.T, f *File) {
				first(t, f, "a").Body().Insert(0, New("x"))
				first(t, f, "c").Body().Append(New("y"))
				first(t, f, "d").Body().Append(New("z"))
			},
		},
		{
			name: "rename", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "allow").SetName("deny") },
		},
		{
			name: "remove takes the comment on the line along", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "listen").Remove() },
		},
		{
			name: "remove takes the comment above and the blank line along", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "return").Remove() },
		},
		{
			name: "remove leaves a detached comment", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "allow").Remove() },
		},
		{
			name: "remove the first block: the header comment stays", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server").Remove() },
		},
		{
			name: "remove from a block on one line", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "location", "proxy_pass").Remove() },
		},
		{
			name: "insert between", in: site,
			edit: func(t *testing.T, f *File) {
				s := first(t, f, "server[listen=443]").Body()
				s.Insert(3, New("allow", "::1"))
			},
		},
		{
			name: "insert first, below the comment set apart", in: site,
			edit: func(t *testing.T, f *File) { f.Insert(0, New("map_hash_max_size", "64")) },
		},
		{
			name: "append keeps the comment at the end", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server[listen=443]").Body().Append(New("index", "a b")) },
		},
		{
			name: "a block on one line stays on one line", in: site,
			edit: func(t *testing.T, f *File) {
				first(t, f, "server", "location").Body().Insert(0, New("proxy_http_version", "1.1"))
			},
		},
		{
			name: "a new block takes the file's indentation", in: site,
			edit: func(t *testing.T, f *File) {
				l := NewBlock("location", "=", "/status")
				l.Body().Append(New("return", "204"), NewBlock("if", "($x)"))
				first(t, f, "server").Body().Append(l)
			},
		},
		{
			name: "inserted text takes the place's indentation and keeps its comments", in: site,
			edit: func(t *testing.T, f *File) {
				require.NoError(t, first(t, f, "server").Body().InsertText(2, `
    # status, for the monitor

    # only here
    location = /status {
        return 204; # empty
    }
`))
			},
		},
		{
			name: "inserted comments alone", in: site,
			edit: func(t *testing.T, f *File) {
				require.NoError(t, first(t, f, "server").Body().InsertText(1, "# one\n# two"))
			},
		},
		{
			name: "move to another block with its own comments", in: site,
			edit: func(t *testing.T, f *File) {
				first(t, f, "server[listen=443]").Body().Append(first(t, f, "server", "return"))
				first(t, f, "server", "server_name").Remove()
				first(t, f, "server", "listen").Remove()
			},
		},
		{
			name: "move deeper", in: "http {\n  server {\n    # x\n    a;\n  }\n}\n",
			edit: func(t *testing.T, f *File) {
				l := NewBlock("location", "/")
				first(t, f, "http", "server").Body().Append(l)
				l.Body().Append(first(t, f, "http", "server", "a"))
			},
		},
		{
			name: "Windows newlines", in: "a;\r\nb {\r\n  c;\r\n}\r\n",
			edit: func(t *testing.T, f *File) {
				f.Insert(1, New("x"))
				d := NewBlock("d")
				d.Body().Append(New("e"))
				first(t, f, "b").Body().Append(d)
			},
		},
		{
			name: "no newline at the end", in: "a;\nb;",
			edit: func(t *testing.T, f *File) { f.Append(New("c")) },
		},
		{
			name: "several on a line: remove the first", in: "s {\n  a; b; c; # d\n}\n",
			edit: func(t *testing.T, f *File) { first(t, f, "s", "a").Remove() },
		},
		{
			name: "several on a line: remove the last", in: "s {\n  a; b; c; # d\n}\n",
			edit: func(t *testing.T, f *File) { first(t, f, "s", "c").Remove() },
		},
		{
			name: "replace keeps the comments", in: site,
			edit: func(t *testing.T, f *File) {
				first(t, f, "server", "return").Replace(New("a"), New("b"))
				first(t, f, "server", "listen").Replace(New("listen", "81"))
			},
		},
		{
			name: "comment out a directive", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server", "listen").CommentOut() },
		},
		{
			name: "comment out a block", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server").CommentOut() },
		},
		{
			name: "comment out in a block on one line", in: "a { b; c; }\n",
			edit: func(t *testing.T, f *File) { first(t, f, "a", "b").CommentOut() },
		},
		{
			name: "upsert sets what is there", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server").Body().Upsert("listen", "81") },
		},
		{
			name: "upsert adds what is not, before the blocks", in: site,
			edit: func(t *testing.T, f *File) { first(t, f, "server[listen=443]").Body().Upsert("index", "x") },
		},
		{
			name: "braces on lines of their own", in: "http\n{\n\tserver\n\t{\n\t\ta;\n\t}\n}\n",
			edit: func(t *testing.T, f *File) {
				l := NewBlock("location", "/")
				l.Body().Append(New("b"), NewBlock("c"))
				first(t, f, "http", "server").Body().Append(l)
			},
		},
		{
			name: "braces without a blank", in: "http{\n  server{\n    a;\n  }\n}\n",
			edit: func(t *testing.T, f *File) {
				l := NewBlock("location", "/")
				l.Body().Append(New("b"))
				first(t, f, "http", "server").Body().Append(l)
			},
		},
		{
			name: "an empty block", in: "events {}\nhttp {\n}\n",
			edit: func(t *testing.T, f *File) {
				first(t, f, "events").Body().Append(New("worker_connections", "64"))
				first(t, f, "http").Body().Append(NewBlock("server"))
			},
		},
		{
			name: "an empty file", in: "",
			edit: func(t *testing.T, f *File) { f.Append(New("a"), New("b")) },
		},
		{
			name: "comments only", in: "# a\n# b",
			edit: func(t *testing.T, f *File) { f.Append(New("a")) },
		},
	}
	golden := readArchive(t, "testdata/edits.txtar")
	var now strings.Builder
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			f, err := Parse("x.conf", []byte(e.in))
			require.NoError(t, err)
			require.False(t, f.Changed())
			e.edit(t, f)
			require.True(t, f.Changed())
			diff := string(Diff(f.Name, f.Original(), f.Bytes()))
			fmt.Fprintf(&now, "-- %s --\n%s", e.name, strings.ReplaceAll(diff, "\r\n", "␍\n"))
			if !*update {
				require.Equal(t, golden[e.name], strings.ReplaceAll(diff, "\r\n", "␍\n"))
			}
		})
	}
	if *update {
		text := "What each edit of TestEditsChangeOnlyWhatWasAsked changes; ␍ is a carriage return.\n" + now.String()
		require.NoError(t, os.WriteFile("testdata/edits.txtar", []byte(text), 0o644))
	}
}

var update = flag.Bool("update", false, "rewrite the goldens")

// readArchive reads the files of a txtar archive.
func readArchive(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	files := map[string]string{}
	current := ""
	for line := range strings.Lines(string(text)) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(head, " --\n") {
			current = strings.TrimSuffix(head, " --\n")
		} else if current != "" {
			files[current] += line
		}
	}
	return files
}

func TestABraceDoesNotBecomePartOfTheWordBefore(t *testing.T) {
	f, err := Parse("x", []byte("a b{c{}}"))
	require.NoError(t, err)
	first(t, f, "a").SetArgs("$")
	first(t, f, "a", "c").SetName("c$")
	first(t, f, "a").Body().Append(NewBlock("d", "x$"))
	require.Equal(t, "a $ {c$ {} d x$ { }}", strings.Join(strings.Fields(string(f.Bytes())), " "))
	again, err := Parse("x", f.Bytes())
	require.NoError(t, err)
	require.Equal(t, tokens(&f.Body), tokens(&again.Body))
}

func TestInsertTextWithASyntaxErrorInsertsNothing(t *testing.T) {
	f, err := Parse("x.conf", []byte(site))
	require.NoError(t, err)
	err = f.InsertText(0, "server {\n  listen 80\n}\n")
	require.EqualError(t, err, `3:1: unexpected "}" [unexpected-brace]`)
	require.False(t, f.Changed())
}

func TestABlockCannotBePutIntoItself(t *testing.T) {
	f, err := Parse("x.conf", []byte("a { b { } }"))
	require.NoError(t, err)
	require.Panics(t, func() { first(t, f, "a", "b").Body().Append(first(t, f, "a")) })
	require.False(t, f.Changed())
}

func TestALoopMayRemoveWhatItIsAt(t *testing.T) {
	f, err := Parse("x.conf", []byte("a;\nb {\n  a;\n  c;\n}\na;\n"))
	require.NoError(t, err)
	for d := range f.All() {
		if d.Name() == "a" {
			d.Remove()
		}
	}
	require.Equal(t, "b {\n  c;\n}\n", string(f.Bytes()))
}

func TestALoopSeesNothingThatMovedMeanwhile(t *testing.T) {
	for _, src := range []string{"a;\nb;\nc;\nd;\n", "x {\n    a;\n    b;\n    c;\n    d;\n}\n"} {
		for _, edited := range []bool{false, true} {
			f, err := Parse("x.conf", []byte(src))
			require.NoError(t, err)
			b := &f.Body
			if f.At(0).Body() != nil {
				b = f.At(0).Body()
			}
			if edited {
				b.At(0).Remove()
				b.Insert(0, New("a"))
			}
			var seen []string
			for d := range b.Directives() {
				seen = append(seen, d.Name())
				if d.Name() == "a" {
					b.Insert(0, b.At(2))
					b.Append(b.At(1), New("e"))
				}
			}
			require.Equal(t, []string{"a", "b", "d"}, seen, "%q, edited: %t", src, edited)
			seen = nil
			for d := range b.Directives() {
				seen = append(seen, d.Name())
				require.Same(t, d, b.At(b.Index(d)))
			}
			require.Equal(t, []string{"c", "b", "d", "a", "e"}, seen, "%q, edited: %t", src, edited)
		}
	}
}

func TestAFileThatWasNotParsedIsEmpty(t *testing.T) {
	var f File
	for range f.Comments() {
		t.Fail()
	}
	require.Empty(t, f.Bytes())
	require.Zero(t, f.Len())
	f.Append(New("a"))
	require.NoError(t, f.InsertText(0, "# b\nc { }\n"))
	require.Equal(t, "# b\nc { }\na;\n", string(f.Bytes()))
}

func TestWhatNewMakesIsReadBackByNginxRules(t *testing.T) {
	d := New("add_header", "X", "", "a b", `say "hi"`, `\d+`, `ends\`, "#no", "${host}", "a{b", "café")
	require.Equal(t, `add_header X "" "a b" 'say "hi"' \d+ "ends\\" "#no" ${host} "a{b" café;`, d.String())
	b := NewBlock("server")
	require.Equal(t, "server { }", b.String())
	b.Body().Append(New("listen", "80"))
	require.Equal(t, "server {\n    listen 80;\n}", b.String())
}

func TestCommentsOfAFileComeInOrderWithTheirPlaces(t *testing.T) {
	const src = "# a\n\nx { # b\n  # c\n  y 1 # d\n    2; # e\n  # f\n} # g\n# h"
	f, err := Parse("x", []byte(src))
	require.NoError(t, err)
	check := func() (places []string) {
		var texts []string
		for c := range f.Comments() {
			texts = append(texts, c.Text)
			places = append(places, c.Start.String())
			if c.Start.IsValid() {
				require.Equal(t, c.Text, src[c.Start.Offset:c.End.Offset])
			}
		}
		require.Equal(t, []string{"# a", "# b", "# c", "# d", "# e", "# f", "# g", "# h"}, texts)
		return places
	}
	require.Equal(t, []string{"x:1:1", "x:3:5", "x:4:3", "x:5:7", "x:6:8", "x:7:3", "x:8:3", "x:9:1"}, check())
	first(t, f, "x", "y").SetArg(1, "3")
	require.Equal(t, []string{"x:1:1", "x:3:5", "x:4:3", "x:5:7", "x:6:8", "x:7:3", "x:8:3", "x:9:1"}, check(), "an edit moves no comment in the source")
	var inner []string
	for c := range first(t, f, "x").Body().Comments() {
		inner = append(inner, c.Text)
	}
	require.Equal(t, []string{"# b", "# c", "# d", "# e", "# f"}, inner)
	for range f.Comments() {
		break
	}
}

func TestQuoteTellsHowAWordIsWritten(t *testing.T) {
	f, err := Parse("x", []byte(`a "b" 'c' d"e; x_by_lua_block {"x"}`))
	require.NoError(t, err)
	for i, want := range []byte{0, '"', '\'', 0} {
		require.Equal(t, want, f.At(0).Quote(i))
	}
	require.Zero(t, f.At(1).Quote(1))
}

func TestALuaBlockIsOneRawArgument(t *testing.T) {
	const src = "location / {\n  set_by_lua_block $x { return \"}\" } # why\n  content_by_lua_block {\n    -- }\n    ngx.say([[ } ]], '\\'}')\n  }\n}\n"
	f, err := Parse("x.conf", []byte(src))
	require.NoError(t, err)
	set := first(t, f, "location", "set_by_lua_block")
	require.Equal(t, []string{"$x", ` return "}" `}, set.Args())
	require.Nil(t, set.Body())
	require.Equal(t, "\n    -- }\n    ngx.say([[ } ]], '\\'}')\n  ", first(t, f, "location", "content_by_lua_block").Arg(0))

	set.SetArgs("$y", " return 1 ")
	set.Container().Append(New("access_by_lua_block", " deny() "))
	require.Equal(t, strings.NewReplacer(`$x { return "}" }`, `$y { return 1 }`, "  }\n}\n", "  }\n  access_by_lua_block { deny() }\n}\n").Replace(src), string(f.Bytes()))
	require.Panics(t, func() { set.SetName("set") })

	for src, want := range map[string]string{
		"a;\nx_by_lua_block {\n  if {\n}\n":   "x:3:6: unexpected end of file, expecting terminating characters for lua code block [unexpected-end]",
		"a;\nx_by_lua_block {\n  [==[ }\n}\n": `x:3:3: Lua code block missing the closing long bracket "]==]", the inlined Lua code may be too long [unexpected-end]`,
	} {
		_, err := Parse("x", []byte(src))
		require.EqualError(t, err, want)
	}
}

func TestRemovingAllOfManyIsCheap(t *testing.T) {
	const n = 100_000
	f, err := Parse("x.conf", []byte(strings.Repeat("a;\n", n)))
	require.NoError(t, err)
	for d := range f.Directives() {
		d.Remove()
	}
	require.Zero(t, f.Len())
	require.Empty(t, f.Bytes())
	for range n {
		f.Append(New("a"))
	}
	require.Len(t, f.Bytes(), 3*n)
}
