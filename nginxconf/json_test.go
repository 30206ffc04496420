package nginxconf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// compact takes the white space out of JSON, so that goldens can be laid out
// for people and still pin the order of members.
func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, []byte(text)))
	return b.String()
}

func parsed(t *testing.T, src string) *File {
	t.Helper()
	f, err := Parse("x.conf", []byte(src))
	require.NoError(t, err)
	return f
}

// fromJSON returns the text of the file that JSON describes.
func fromJSON(t *testing.T, text string) string {
	t.Helper()
	var f File
	require.NoError(t, json.Unmarshal([]byte(text), &f))
	return string(f.Bytes())
}

func TestJSONForm(t *testing.T) {
	f := parsed(t, `# scout

# the site
server { # here
  server_name "a b" # one
    c;

  set_by_lua_block $x {return 1} # lua

  # last
}
events {}
# end
`)
	out, err := f.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, compact(t, `{
  "name": "x.conf",
  "directives": [
    {
      "name": "server",
      "args": [],
      "blank_above": true,
      "start": {"offset": 20, "line": 4, "column": 1},
      "end": {"offset": 120, "line": 11, "column": 2},
      "spans": [[20, 26]],
      "comments": [
        {"text": "# scout", "place": "detached",
          "start": {"offset": 0, "line": 1, "column": 1}, "end": {"offset": 7, "line": 1, "column": 8}},
        {"text": "# the site", "place": "above",
          "start": {"offset": 9, "line": 3, "column": 1}, "end": {"offset": 19, "line": 3, "column": 11}},
        {"text": "# here", "place": "open",
          "start": {"offset": 29, "line": 4, "column": 10}, "end": {"offset": 35, "line": 4, "column": 16}},
        {"text": "# last", "place": "last", "blank_above": true,
          "start": {"offset": 112, "line": 10, "column": 3}, "end": {"offset": 118, "line": 10, "column": 9}}
      ],
      "block": [
        {
          "name": "server_name",
          "args": ["a b", "c"],
          "raw": ["server_name", "\"a b\"", "c"],
          "start": {"offset": 38, "line": 5, "column": 3},
          "end": {"offset": 68, "line": 6, "column": 7},
          "spans": [[38, 49], [50, 55], [66, 67]],
          "comments": [
            {"text": "# one", "place": "inside", "word": 2,
              "start": {"offset": 56, "line": 5, "column": 21}, "end": {"offset": 61, "line": 5, "column": 26}}
          ]
        },
        {
          "name": "set_by_lua_block",
          "args": ["$x", "return 1"],
          "lua": true,
          "blank_above": true,
          "start": {"offset": 72, "line": 8, "column": 3},
          "end": {"offset": 102, "line": 8, "column": 33},
          "spans": [[72, 88], [89, 91], [93, 101]],
          "comments": [
            {"text": "# lua", "place": "end",
              "start": {"offset": 103, "line": 8, "column": 34}, "end": {"offset": 108, "line": 8, "column": 39}}
          ]
        }
      ]
    },
    {
      "name": "events",
      "args": [],
      "start": {"offset": 121, "line": 12, "column": 1},
      "end": {"offset": 130, "line": 12, "column": 10},
      "spans": [[121, 127]],
      "block": []
    }
  ],
  "comments": [
    {"text": "# end", "place": "last",
      "start": {"offset": 131, "line": 13, "column": 1}, "end": {"offset": 136, "line": 13, "column": 6}}
  ]
}`), string(out))
}

func TestJSONOfOneDirective(t *testing.T) {
	d := NewBlock("location", "= /a b")
	d.Body().Append(New("return", "204"))
	out, err := json.Marshal(d)
	require.NoError(t, err)
	// It was never parsed: it has no positions.
	require.JSONEq(t, `{"name": "location", "args": ["= /a b"], "raw": ["location", "\"= /a b\""],
		"block": [{"name": "return", "args": ["204"]}]}`, string(out))
}

func TestJSONOfConfigTellsIncludesAndErrors(t *testing.T) {
	c, err := Load(fstest.MapFS{
		"etc/nginx/nginx.conf":    {Data: []byte("include conf.d/*.conf; include none/*; include gone;")},
		"etc/nginx/conf.d/a.conf": {Data: []byte("a;")},
		"etc/nginx/conf.d/b.conf": {Data: []byte("b;")},
	}, "etc/nginx/nginx.conf", nil)
	require.Error(t, err)
	out, err := json.Marshal(c)
	require.NoError(t, err)
	var got struct {
		Prefix string
		Files  []struct {
			Name       string
			Directives []struct {
				Name     string
				Includes []string
			}
		}
		Diagnostics []struct{ Code string }
	}
	require.NoError(t, json.Unmarshal(out, &got))
	assert.Equal(t, "/etc/nginx", got.Prefix)
	require.Len(t, got.Files, 3)
	root := got.Files[0].Directives
	assert.Equal(t, []string{"etc/nginx/conf.d/a.conf", "etc/nginx/conf.d/b.conf"}, root[0].Includes)
	assert.Equal(t, []string{}, root[1].Includes)
	assert.Equal(t, "etc/nginx/conf.d/b.conf", got.Files[2].Name)
	assert.Nil(t, got.Files[2].Directives[0].Includes)
	require.Len(t, got.Diagnostics, 1)
	assert.Equal(t, "include-failed", got.Diagnostics[0].Code)

	c, err = Load(fstest.MapFS{"x": {}}, "x", nil)
	require.NoError(t, err)
	out, err = json.Marshal(c)
	require.NoError(t, err)
	require.JSONEq(t, `{"prefix": "/", "files": [{"name": "x", "directives": []}], "diagnostics": []}`, string(out))
}

func TestFileFromJSONOfOtherTools(t *testing.T) {
	require.Equal(t, `server {
    listen 80;
    server_name "a b" 'say "hi"' "";
    location ~ \.php$ {
        content_by_lua_block { ngx.say("}") }
    }
    types { }
}
`, fromJSON(t, `{"directives": [{"name": "server", "block": [
		{"name": "listen", "args": ["80"]},
		{"name": "server_name", "args": ["a b", "say \"hi\"", ""]},
		{"name": "location", "args": ["~", "\\.php$"], "block": [
			{"name": "content_by_lua_block", "args": [" ngx.say(\"}\") "]}
		]},
		{"name": "types", "block": []}
	]}]}`))
}

func TestFileFromJSONHasComments(t *testing.T) {
	require.Equal(t, `# apart

# above
server { # open
    # more
    listen 80 # inside
        # again
        ssl; # end
    # more

    # last
} # behind

# of the file
`, fromJSON(t, `{
		"directives": [{"name": "server", "comments": [
			{"text": "apart", "place": "detached"}, {"text": "above"},
			{"text": "open", "place": "open"}, {"text": "# more", "place": "open"},
			{"text": "# last", "place": "last", "blank_above": true}, {"text": "# behind", "place": "end"}
		], "block": [
			{"name": "listen", "args": ["80", "ssl"], "comments": [
				{"text": "# inside", "place": "inside", "word": 2}, {"text": "# again", "place": "inside", "word": 2},
				{"text": "# end", "place": "end"}, {"text": "# more", "place": "end"}]}
		]}],
		"comments": [{"text": "# of the file", "blank_above": true}]
	}`))
}

func TestFileFromJSONKeepsQuotesOfWhatChanged(t *testing.T) {
	out, err := json.Marshal(parsed(t, `log_format main '$a' "\x41" "a\tb" c;`))
	require.NoError(t, err)
	text := strings.Replace(string(out), `["main","$a",`, `["other one","$z",`, 1)
	require.NotEqual(t, string(out), text)
	require.Equal(t, `log_format "other one" '$z' "\x41" "a\tb" c;`+"\n", fromJSON(t, text))
}

func TestJSONHoldsAnyBytes(t *testing.T) {
	f := parsed(t, "# \xe9t\xe9\na\xff \"\xfe \\\"\" \ufffd; # \xc3\n")
	out, err := json.Marshal(f)
	require.NoError(t, err)
	var got struct {
		Directives []struct {
			Name      string
			Args      []string
			RawBase64 []*string `json:"raw_base64"`
			Comments  []struct{ Text, Base64 string }
		}
	}
	require.NoError(t, json.Unmarshal(out, &got))
	d := got.Directives[0]
	assert.Equal(t, "a\ufffd", d.Name)
	assert.Equal(t, []string{"\ufffd \"", "\ufffd"}, d.Args)
	require.Len(t, d.RawBase64, 3)
	assert.Equal(t, base64.StdEncoding.EncodeToString([]byte("a\xff")), *d.RawBase64[0])
	assert.Nil(t, d.RawBase64[2])
	assert.Equal(t, "# \ufffdt\ufffd", d.Comments[0].Text)
	assert.Equal(t, string(f.Bytes()), fromJSON(t, string(out)))

	// A changed argument is taken, the odd bytes of the others stay.
	text := strings.Replace(string(out), `["\ufffd \"",`, `["new",`, 1)
	require.NotEqual(t, string(out), text)
	assert.Equal(t, "# \xe9t\xe9\na\xff \"new\" \ufffd; # \xc3\n", fromJSON(t, text))
}

func TestFileFromJSONRefuses(t *testing.T) {
	deep := strings.Repeat(`{"name": "a", "block": [`, 5001) + strings.Repeat(`]}`, 5001)
	tests := []struct{ json, want string }{
		{`{"directives": [{"name": "a"}, {"name": "b", "block": [{"args": ["x"]}]}]}`, `nginxconf: directives[1].block[0]: the name is missing`},
		{`{"directives": [null]}`, `nginxconf: directives[0]: the name is missing`},
		{`{"directives": [{"name": "a", "arg": ["x"]}]}`, `nginxconf: json: unknown field "arg"`},
		{`{"directives": [{"name": "a", "comments": [{"text": "# a\nb;"}]}]}`, `nginxconf: directives[0].comments[0]: a comment is one line`},
		{`{"directives": [{"name": "a", "comments": [{"text": "# a", "place": "last"}]}]}`, `nginxconf: directives[0].comments[0]: no comment can have the place "last" here`},
		{`{"directives": [{"name": "a", "comments": [{"text": "# a", "place": "inside", "word": 2}]}]}`, `nginxconf: directives[0].comments[0]: there is no word 2`},
		{`{"directives": [], "comments": [{"text": "# a", "place": "above"}]}`, `nginxconf: comments[0]: no comment can have the place "above" here`},
		{`{"directives": [{"name": "content_by_lua_block", "args": ["} evil;"]}]}`, `nginxconf: directives[0]: the Lua code does not fit between its braces`},
		{`{"directives": [{"name": "content_by_lua_block", "args": ["-- x"]}]}`, `nginxconf: directives[0]: the Lua code does not fit between its braces`},
		{`{"directives": [{"name": "a", "args": ["x"], "lua": true}]}`, `nginxconf: directives[0]: "a" takes no Lua code here`},
		{`{"directives": [{"name": "a", "args": ["` + strings.Repeat("x", 4096) + `"]}]}`,
			`nginxconf: nginx could not read the file that the JSON describes: 1:3: too long parameter "xxxxxxxxxx..." started [too-long-parameter]`},
		{`{"directives": [` + deep + `]}`, `nginxconf: more blocks in one another than encoding/json reads: `},
		{`{"directives": [` + strings.Repeat(`{"name": "a", "block": [`, 10000), `nginxconf: more blocks in one another than encoding/json reads: invalid character `},
	}
	for _, test := range tests {
		f := parsed(t, "before;")
		err := f.UnmarshalJSON([]byte(test.json))
		require.ErrorContains(t, err, test.want)
		require.Equal(t, "before;", string(f.Bytes()))
		require.False(t, f.Changed())
	}
	require.EqualError(t, new(File).UnmarshalJSON([]byte(`{"directives": []} {}`)), "nginxconf: more than one value of JSON")
}

func TestJSONIntoALoadedFileIsAnEdit(t *testing.T) {
	c, err := Load(fstest.MapFS{"x.conf": {Data: []byte("a;\nb { c; }\n")}}, "x.conf", nil)
	require.NoError(t, err)
	old := c.Root.At(0)
	require.NoError(t, json.Unmarshal([]byte(`{"directives": [{"name": "a"}, {"name": "b", "block": [{"name": "d"}]}]}`), c.Root))
	require.Equal(t, "a;\nb {\n    d;\n}\n", string(c.Root.Bytes()))
	require.True(t, c.Root.Changed())
	require.Equal(t, "a;\nb { c; }\n", string(c.Root.Original()))
	require.Equal(t, "x.conf", c.Root.Name)
	require.Nil(t, old.Container())
	for d := range c.Root.All() {
		require.Same(t, c.Root, d.File())
		pos := d.Pos()
		require.True(t, pos.IsValid())
	}
	c.Root.Append(New("e"))
	require.Equal(t, "a;\nb {\n    d;\n}\ne;\n", string(c.Root.Bytes()))
}

// JSON takes no more stack for a deeper tree.
func TestAFileFromJSONHasTheBracesOfItsNewLayout(t *testing.T) {
	f, err := Parse("x", []byte("a\n{\n}\n"))
	require.NoError(t, err)
	f.Append(NewBlock("b"))
	require.Equal(t, "a\n{\n}\nb\n{ }\n", string(f.Bytes()))
	require.NoError(t, json.Unmarshal([]byte(`{"directives": [{"name": "c", "block": []}]}`), f))
	f.Append(NewBlock("d"))
	require.Equal(t, "c { }\nd { }\n", string(f.Bytes()))
}

func TestJSONOfADeepTree(t *testing.T) {
	const depth = 20_000
	f, err := Parse("", []byte(strings.Repeat("a{", depth)))
	require.ErrorContains(t, err, "more than 12000 blocks")
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	out, err := f.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, depth, bytes.Count(out, []byte(`"name":"a"`)))
	require.True(t, bytes.HasSuffix(out, []byte(strings.Repeat("]}", depth)+"]}")))
	require.ErrorContains(t, new(File).UnmarshalJSON(out), "exceeded max depth")
	_, err = json.Marshal(f)
	require.ErrorContains(t, err, "exceeded max depth")
}

// FuzzJSON writes JSON of any valid file and reads it back: nginx sees the
// same, and the comments are the same.
func FuzzJSON(f *testing.F) {
	for _, s := range odd {
		f.Add([]byte(s))
	}
	f.Add([]byte(site))
	f.Add([]byte("a " + strings.Repeat("w", 4095) + "{}b \"" + strings.Repeat("q", 4094) + "\");"))
	f.Fuzz(func(t *testing.T, src []byte) {
		file, syntax := Parse("x.conf", src)
		out, err := file.MarshalJSON()
		require.NoError(t, err)
		var again File
		err = again.UnmarshalJSON(out) // whatever it is
		if syntax != nil || err != nil && strings.Contains(err.Error(), "encoding/json reads") {
			return
		}
		require.NoError(t, err, "%s", out)
		require.Equal(t, "x.conf", again.Name)
		require.Equal(t, tokens(&file.Body), tokens(&again.Body), "%s\n%s", out, again.Bytes())
		require.Equal(t, commentTexts(file), commentTexts(&again), "%s\n%s", out, again.Bytes())
	})
}

func commentTexts(f *File) (list []string) {
	for c := range f.Comments() {
		list = append(list, strings.TrimRight(c.Text, " \t\r"))
	}
	return list
}

// FuzzFromJSON reads any JSON: nginx sees the names and arguments that it
// tells, and writing and reading it again changes nothing.
func FuzzFromJSON(f *testing.F) {
	for _, s := range odd {
		file, _ := Parse("x.conf", []byte(s))
		out, err := json.Marshal(file)
		require.NoError(f, err)
		f.Add(out)
	}
	f.Add([]byte(`{"directives":[{"name":"a","args":["b\\"],"raw":["x","'"],"comments":[{"text":"x"}],"block":[{"name":""}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var file File
		if json.Unmarshal(data, &file) != nil {
			return
		}
		var told jsonFile
		require.NoError(t, json.Unmarshal(data, &told))
		var read strings.Builder
		file.walk(0, func(d *Directive, _ int) bool {
			words := append([]string{d.Name()}, d.Args()...)
			for i, w := range words {
				words[i] = toUTF8(w)
			}
			fmt.Fprintf(&read, "%q %t\n", words, d.Body() != nil)
			return true
		}, func(*Directive, int) { read.WriteString("}\n") })
		require.Equal(t, told.tokens(), read.String(), "%s", file.Bytes())
		out, err := json.Marshal(&file)
		require.NoError(t, err)
		var again File
		require.NoError(t, json.Unmarshal(out, &again))
		require.Equal(t, string(file.Bytes()), string(again.Bytes()), "%s", out)
	})
}

// tokens is what nginx is to see.
func (j *jsonFile) tokens() string {
	var s strings.Builder
	var write func(list []*jsonDirective)
	write = func(list []*jsonDirective) {
		for _, d := range list {
			fmt.Fprintf(&s, "%q %t\n", append([]string{*d.Name}, d.Args...), d.Block != nil)
			if d.Block != nil {
				write(d.Block)
				s.WriteString("}\n")
			}
		}
	}
	write(j.Directives)
	return s.String()
}
