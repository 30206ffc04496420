package crossplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// config loads a configuration of files given as name and text in turn.
func config(t testing.TB, files ...string) *nginxconf.Config {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	c, _ := nginxconf.Load(fsys, files[0], nil)
	require.NotNil(t, c)
	return c
}

// written returns the JSON of a payload.
func written(t *testing.T, p *Payload) string {
	t.Helper()
	out, err := json.Marshal(p)
	require.NoError(t, err)
	return string(out)
}

// compact takes the white space out of JSON, so that goldens can be laid out
// for people and still pin the order of members.
func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, []byte(text)))
	return b.String()
}

// files returns the one file of a payload in JSON.
func built(t *testing.T, parsed string) (string, error) {
	t.Helper()
	var p Payload
	require.NoError(t, json.Unmarshal([]byte(`{"status": "ok", "errors": [], "config": [{"file": "x.conf", "status": "ok", "errors": [], "parsed": `+parsed+`}]}`), &p))
	files, err := ToFiles(&p)
	if err != nil {
		return "", err
	}
	require.Len(t, files, 1)
	require.Equal(t, "x.conf", files[0].Name)
	return string(files[0].Bytes()), nil
}

var site = []string{
	"etc/nginx.conf", `# main
events {}
http {
    include mime.types; # types
    include conf.d/*.conf;
    include none/*.conf;
    map $a $b { # here
        default 0; include extra.map;
    }
    log_format x '$a' # one
        "b\tc \"d\"" # two
        'it\'s' e\"f;
    server { listen 80; if ($x = "b c") { return 204; } }
}
`,
	"etc/mime.types", "types { text/html html; }\n",
	"etc/conf.d/a.conf", "server { include shared; }\n",
	"etc/conf.d/b.conf", "server { include shared; }\n",
	"etc/shared", "root /srv; # shared\n",
	"etc/extra.map", "~^x 1;\n",
}

// What crossplane in Python and nginx-go-crossplane 0.4.89 print for these
// files, but for what doc.go tells: Go leaves out empty lists and the include
// within map, Python leaves out mapBlockParameter.
func TestPayloadIsThatOfCrossplane(t *testing.T) {
	require.Equal(t, compact(t, `{"status": "ok", "errors": [], "config": [
		{"file": "etc/nginx.conf", "status": "ok", "errors": [], "parsed": [
			{"directive": "#", "line": 1, "args": [], "comment": " main"},
			{"directive": "events", "line": 2, "args": [], "block": []},
			{"directive": "http", "line": 3, "args": [], "block": [
				{"directive": "include", "line": 4, "args": ["mime.types"], "includes": [1]},
				{"directive": "#", "line": 4, "args": [], "comment": " types"},
				{"directive": "include", "line": 5, "args": ["conf.d/*.conf"], "includes": [2, 3]},
				{"directive": "include", "line": 6, "args": ["none/*.conf"], "includes": []},
				{"directive": "map", "line": 7, "args": ["$a", "$b"], "block": [
					{"directive": "#", "line": 7, "args": [], "comment": " here"},
					{"directive": "default", "line": 8, "args": ["0"], "mapBlockParameter": true},
					{"directive": "include", "line": 8, "args": ["extra.map"], "includes": [4], "mapBlockParameter": true}
				]},
				{"directive": "log_format", "line": 10, "args": ["x", "$a", "b\\tc \"d\"", "it's", "e\\\"f"]},
				{"directive": "#", "line": 10, "args": [], "comment": " one"},
				{"directive": "#", "line": 10, "args": [], "comment": " two"},
				{"directive": "server", "line": 13, "args": [], "block": [
					{"directive": "listen", "line": 13, "args": ["80"]},
					{"directive": "if", "line": 13, "args": ["$x", "=", "b c"], "block": [
						{"directive": "return", "line": 13, "args": ["204"]}
					]}
				]}
			]}
		]},
		{"file": "etc/mime.types", "status": "ok", "errors": [], "parsed": [
			{"directive": "types", "line": 1, "args": [], "block": [
				{"directive": "text/html", "line": 1, "args": ["html"], "mapBlockParameter": true}
			]}
		]},
		{"file": "etc/conf.d/a.conf", "status": "ok", "errors": [], "parsed": [
			{"directive": "server", "line": 1, "args": [], "block": [
				{"directive": "include", "line": 1, "args": ["shared"], "includes": [5]}
			]}
		]},
		{"file": "etc/conf.d/b.conf", "status": "ok", "errors": [], "parsed": [
			{"directive": "server", "line": 1, "args": [], "block": [
				{"directive": "include", "line": 1, "args": ["shared"], "includes": [5]}
			]}
		]},
		{"file": "etc/extra.map", "status": "ok", "errors": [], "parsed": [
			{"directive": "~^x", "line": 1, "args": ["1"], "mapBlockParameter": true}
		]},
		{"file": "etc/shared", "status": "ok", "errors": [], "parsed": [
			{"directive": "root", "line": 1, "args": ["/srv"]},
			{"directive": "#", "line": 1, "args": [], "comment": " shared"}
		]}
	]}`), written(t, FromConfig(config(t, site...), &Options{Comments: true})))
}

func TestCombineExpandsIncludes(t *testing.T) {
	require.Equal(t, compact(t, `{"status": "ok", "errors": [], "config": [
		{"file": "etc/nginx.conf", "status": "ok", "errors": [], "parsed": [
			{"directive": "http", "line": 1, "args": [], "file": "etc/nginx.conf", "block": [
				{"directive": "server", "line": 1, "args": [], "file": "etc/conf.d/a.conf", "block": [
					{"directive": "root", "line": 1, "args": ["/srv"], "file": "etc/shared"},
					{"directive": "#", "line": 1, "args": [], "file": "etc/shared", "comment": " shared"}
				]},
				{"directive": "server", "line": 1, "args": [], "file": "etc/conf.d/b.conf", "block": [
					{"directive": "root", "line": 1, "args": ["/srv"], "file": "etc/shared"},
					{"directive": "#", "line": 1, "args": [], "file": "etc/shared", "comment": " shared"}
				]}
			]}
		]}
	]}`), written(t, FromConfig(
		config(t, append([]string{"etc/nginx.conf", "http { include conf.d/*.conf; include none/*; }"}, site[4:]...)...),
		&Options{Comments: true, Combine: true})))
}

func TestSingleLeavesIncludesOut(t *testing.T) {
	c := config(t, "x.conf", "include a.conf; include gone;\n;", "a.conf", "b")
	require.Equal(t, compact(t, `{"status": "failed",
		"errors": [{"file": "x.conf", "line": 2, "error": "unexpected \";\" in x.conf:2"}],
		"config": [{"file": "x.conf", "status": "failed",
			"errors": [{"line": 2, "error": "unexpected \";\" in x.conf:2"}],
			"parsed": [{"directive": "include", "line": 1, "args": ["a.conf"]}, {"directive": "include", "line": 1, "args": ["gone"]}]}]}`),
		written(t, FromConfig(c, &Options{Single: true})))
}

func TestMissingIncludesAreErrors(t *testing.T) {
	p := FromConfig(config(t, "x.conf", "a;\ninclude gone;"), nil)
	require.Equal(t, []PayloadError{{File: "x.conf", Line: 2, Error: `open() "/gone" failed (2: No such file or directory) in x.conf:2`}}, p.Errors)
	require.Equal(t, []int{}, p.Config[0].Parsed[1].Includes)
}

func TestIgnoreLeavesDirectivesOutWithAllTheyHold(t *testing.T) {
	c := config(t, "x.conf", "# 0\na { # 1\n b; # 2\n c { d; # 3\n } # 4\n} # 5\nb # 6\n; # 7\ne;\ninclude y;\n", "y", "z;")
	p := FromConfig(c, &Options{Comments: true, Ignore: []string{"a", "b", "include"}})
	require.Len(t, p.Config, 1)
	var got []string
	for _, d := range p.Config[0].Parsed {
		if d.Comment != nil {
			got = append(got, *d.Comment)
		} else {
			got = append(got, d.Directive)
		}
	}
	require.Equal(t, []string{" 0", " 5", " 7", "e"}, got)
}

func TestErrorsKeepTheTree(t *testing.T) {
	c := config(t, "x.conf", "include y.conf;\na {\n b;\n", "y.conf", "c;\nd }\n")
	p := FromConfig(c, nil)
	assert.Equal(t, StatusFailed, p.Status)
	assert.Equal(t, []PayloadError{
		{File: "x.conf", Line: 4, Error: `unexpected end of file, expecting "}" in x.conf:4`},
		{File: "y.conf", Line: 2, Error: `unexpected "}" in y.conf:2`},
	}, p.Errors)
	assert.Equal(t, StatusFailed, p.Config[1].Status)
	assert.Equal(t, []ConfigError{{Line: 2, Error: `unexpected "}" in y.conf:2`}}, p.Config[1].Errors)
	assert.Len(t, p.Config[0].Parsed, 2)
	assert.Equal(t, "b", p.Config[0].Parsed[1].Block[0].Directive)
	assert.Len(t, p.Config[1].Parsed, 2)
}

func TestDiagnosticsOfOthersAreErrors(t *testing.T) {
	c := config(t, "x.conf", "a;\n")
	warning := &nginxconf.Diagnostic{Level: slog.LevelWarn, Message: "odd"}
	general := &nginxconf.Diagnostic{Level: slog.LevelError, Message: "no events section"}
	general.Start.Filename = "x.conf"
	p := FromConfig(c, &Options{Diagnostics: nginxconf.Diagnostics{warning, general}})
	require.Equal(t, compact(t, `{"status": "failed", "errors": [{"file": "x.conf", "line": null, "error": "no events section in x.conf"}],
		"config": [{"file": "x.conf", "status": "failed", "errors": [{"line": null, "error": "no events section in x.conf"}],
			"parsed": [{"directive": "a", "line": 1, "args": []}]}]}`), written(t, p))
	p = FromConfig(c, &Options{Diagnostics: nginxconf.Diagnostics{}})
	require.Equal(t, StatusOK, p.Status)
}

func TestPayloadOfAnEditedConfig(t *testing.T) {
	c := config(t, "x.conf", "a; # one\ninclude y.conf;\n", "y.conf", "z;\n")
	require.NoError(t, c.Root.InsertText(0, "# new\nb {\n    c;\n}"))
	p := FromConfig(c, &Options{Comments: true})
	require.Equal(t, compact(t, `[
		{"directive": "#", "line": 1, "args": [], "comment": " new"},
		{"directive": "b", "line": 2, "args": [], "block": [{"directive": "c", "line": 3, "args": []}]},
		{"directive": "a", "line": 5, "args": []},
		{"directive": "#", "line": 5, "args": [], "comment": " one"},
		{"directive": "include", "line": 6, "args": ["y.conf"], "includes": [1]}
	]`), marshal(t, p.Config[0].Parsed))
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

// TestWords pins how words become arguments, and arguments words.
func TestWords(t *testing.T) {
	tests := []struct{ text, arg, back string }{
		{`a`, `a`, `a`},
		{`"a"`, `a`, `a`},
		{`"a b"`, `a b`, `"a b"`},
		{`""`, ``, `""`},
		{`\.php$`, `\.php$`, `\.php$`},
		{`"\x41\\ \t"`, `\x41\\ \t`, `"\x41\\ \t"`},
		{`'it\'s "x"'`, `it's "x"`, `"it's \"x\""`},
		{`"say \"x\""`, `say "x"`, `'say "x"'`},
		{`a\"b`, `a\"b`, `a\"b`},
		{`a\ b`, `a\ b`, `a\ b`},
		{`"{"`, `{`, `"{"`},
		{`"}"`, `}`, `"}"`},
		{`"#a"`, `#a`, `"#a"`},
		{`a}b#c"d`, `a}b#c"d`, `a}b#c"d`},
		{`${a}`, `${a}`, `${a}`},
		{`"\${a}"`, `\${a}`, `"\${a}"`},
		{`";"`, `;`, `";"`},
	}
	for _, test := range tests {
		p := FromConfig(config(t, "x.conf", "a "+test.text+";"), nil)
		require.Equal(t, StatusOK, p.Status, test.text)
		require.Equal(t, []string{test.arg}, p.Config[0].Parsed[0].Args, test.text)
		files, err := ToFiles(p)
		require.NoError(t, err)
		require.Equal(t, "a "+test.back+";\n", string(files[0].Bytes()))
	}
}

func TestConditions(t *testing.T) {
	tests := []struct {
		text string
		args []string
		back string
	}{
		{`($x)`, []string{"$x"}, `($x)`},
		{`( $x )`, []string{"$x"}, `($x)`},
		{`($x = "b")`, []string{"$x", "=", "b"}, `($x = b)`},
		{`($x ~ "b c")`, []string{"$x", "~", "b c"}, `($x ~ "b c")`},
		{`($x = "")`, []string{"$x", "=", ""}, `($x = "")`},
		{`( "a b" )`, []string{"a b"}, `( "a b")`},
		{`("$x" = b)`, []string{`"$x"`, "=", "b"}, `("$x" = b)`},
		{`(-f $x)`, []string{"-f", "$x"}, `(-f $x)`},
		{`($x ~ \))`, []string{"$x", "~", `\)`}, `($x ~ \))`},
		{`()`, []string{}, `()`}, // nginx-go-crossplane panics
		{`$x`, []string{"$x"}, `($x)`},
	}
	for _, test := range tests {
		p := FromConfig(config(t, "x.conf", "if "+test.text+" { }"), nil)
		require.Equal(t, StatusOK, p.Status, test.text)
		require.Equal(t, test.args, p.Config[0].Parsed[0].Args, test.text)
		files, err := ToFiles(p)
		require.NoError(t, err)
		require.Equal(t, "if "+test.back+" { }\n", string(files[0].Bytes()))
	}
}

func TestLuaCodeIsAnArgument(t *testing.T) {
	const text = "set_by_lua_block $x { return '}' -- }\n}\ncontent_by_lua_block {}\n"
	p := FromConfig(config(t, "x.conf", text), nil)
	require.Equal(t, compact(t, `[
		{"directive": "set_by_lua_block", "line": 1, "args": ["$x", " return '}' -- }\n"]},
		{"directive": "content_by_lua_block", "line": 3, "args": [""]}
	]`), marshal(t, p.Config[0].Parsed))
	files, err := ToFiles(p)
	require.NoError(t, err)
	require.Equal(t, strings.Replace(text, "block {}", "block {}", 1), string(files[0].Bytes()))
}

func TestFilesOfACrossplanePayload(t *testing.T) {
	text, err := built(t, `[
		{"directive": "#", "line": 1, "args": [], "comment": " main"},
		{"directive": "events", "line": 3, "args": [], "block": []},
		{"directive": "#", "line": 3, "args": [], "comment": " none"},
		{"directive": "http", "line": 4, "args": [], "block": [
			{"directive": "#", "line": 4, "args": [], "comment": " open"},
			{"directive": "log_format", "line": 5, "args": ["x", "$a \"b\""]},
			{"directive": "#", "line": 5, "args": [], "comment": " one"},
			{"directive": "#", "line": 5, "args": [], "comment": " two"},
			{"directive": "server", "args": [], "block": [
				{"directive": "#", "args": [], "comment": "no line"},
				{"directive": "if", "args": ["$host", "!=", "x"], "block": [{"directive": "return", "args": ["444"]}]}
			]},
			{"directive": "types", "line": 9, "args": [], "block": [
				{"directive": "text/html", "line": 9, "args": ["html"], "mapBlockParameter": true}
			]}
		]}
	]`)
	require.NoError(t, err)
	require.Equal(t, `# main
events { } # none
http { # open
    log_format x '$a "b"'; # one
    # two
    server {
        #no line
        if ($host != x) {
            return 444;
        }
    }
    types {
        text/html html;
    }
}
`, text)
	text, err = built(t, `[]`)
	require.NoError(t, err)
	require.Empty(t, text)
}

func TestToFilesRefuses(t *testing.T) {
	tests := []struct{ parsed, want string }{
		{`[null]`, `crossplane: x.conf: a directive is null`},
		{`[{"directive": "#", "line": 3, "comment": "a\nb;"}]`, `crossplane: x.conf: line 3: a comment is one line`},
		{`[{"directive": "content_by_lua_block", "line": 3, "args": ["} evil;"]}]`, `crossplane: x.conf: line 3: the Lua code does not fit between its braces`},
		{`[{"directive": "content_by_lua_block", "line": 3, "args": [], "block": [{"directive": "x"}]}]`, `crossplane: x.conf: line 3: content_by_lua_block takes Lua code as an argument, not a block`},
		{`[{"directive": "a", "args": ["` + strings.Repeat("x", 4096) + `"]}]`, `crossplane: nginx could not read the file: x.conf:1:3: too long parameter "xxxxxxxxxx..." started [too-long-parameter]`},
	}
	for _, test := range tests {
		_, err := built(t, test.parsed)
		require.EqualError(t, err, test.want)
	}
	deep := []*Directive{}
	for range 12_001 {
		deep = []*Directive{{Directive: "a", Block: deep}}
	}
	_, err := ToFiles(&Payload{Config: []Config{{File: "x.conf", Parsed: deep}}})
	require.EqualError(t, err, "crossplane: x.conf: more than 12000 blocks in one another")
	_, err = ToFiles(&Payload{Config: []Config{{File: "x.conf", Parsed: deep[0].Block}}})
	require.NoError(t, err)
}

func TestPayloadComesBackFromJSON(t *testing.T) {
	text := compact(t, `{"status": "failed", "errors": [{"file": "x.conf", "line": null, "error": "odd", "callback": "trace"}],
		"config": [{"file": "x.conf", "status": "failed", "errors": [{"line": null, "error": "odd"}], "parsed": [
			{"directive": "include", "line": 1, "args": ["a"], "includes": []},
			{"directive": "include", "line": 1, "args": ["b"]},
			{"directive": "events", "line": 2, "args": [], "block": []},
			{"directive": "#", "line": 3, "args": [], "comment": ""}
		]}]}`)
	var p Payload
	require.NoError(t, json.Unmarshal([]byte(text), &p))
	require.Equal(t, text, written(t, &p))
}

func TestDeepBlocksAreCut(t *testing.T) {
	const depth = 20_000
	c := config(t, "x.conf", strings.Repeat("a {", depth)+"# x\n")
	p := FromConfig(c, &Options{Comments: true})
	require.Equal(t, StatusFailed, p.Status)
	require.Equal(t, 12_001, strings.Count(written(t, p), `"a"`))

	half := strings.Repeat("a {", 7000)
	c = config(t, "x.conf", half+"include y.conf;"+strings.Repeat("}", 7000), "y.conf", half+strings.Repeat("}", 7000))
	p = FromConfig(c, &Options{Combine: true})
	require.Equal(t, StatusFailed, p.Status)
	require.Equal(t, "more than 12000 blocks in one another in x.conf", p.Errors[0].Error)
	require.Equal(t, 12_001, strings.Count(written(t, p), `"a"`))
}

func TestCombineIsBounded(t *testing.T) {
	files := []string{"x.conf", "include 0;"}
	for i := range 18 {
		files = append(files, fmt.Sprint(i), strings.Repeat(fmt.Sprintf("include %d;", i+1), 2))
	}
	files = append(files, "18", strings.Repeat("a;", 8)) // 2^18 times
	p := FromConfig(config(t, files...), &Options{Combine: true})
	require.Equal(t, StatusFailed, p.Status)
	require.Equal(t, "more than 1000045 directives in x.conf", p.Errors[0].Error)
	require.Len(t, p.Config[0].Parsed, 1000045)
}

// tokens is a file as nginx sees it, the parentheses of conditions aside.
func tokens(f *nginxconf.File) string {
	var s strings.Builder
	var up *nginxconf.Directive
	depth := 0
	for d := range f.All() {
		for ; d.Parent() != up; depth-- {
			up = up.Parent()
		}
		args := d.Args()
		if d.Name() == "if" {
			args = withoutParentheses(args)
		}
		fmt.Fprintf(&s, "%d %q %t\n", depth, append([]string{d.Name()}, args...), d.Body() != nil)
		if d.Body() != nil {
			up = d
			depth++
		}
	}
	return s.String()
}

// comments counts those of a file.
func comments(f *nginxconf.File) map[string]int {
	m := map[string]int{}
	for c := range f.Comments() {
		m[strings.TrimRight(c.Text, "\r")]++
	}
	return m
}

// hasNoLua tells whether a directive whose name promises Lua code has none.
// nginx refuses it, and the payload cannot tell it from one that has.
func hasNoLua(f *nginxconf.File) bool {
	for d := range f.All() {
		end := d.End()
		if strings.HasSuffix(d.Name(), "_by_lua_block") && d.NumArgs() > 0 && f.Original()[end.Offset-1] != '}' {
			return true
		}
	}
	return false
}

// odd holds texts at the edges of nginx's grammar and of crossplane's form.
var odd = []string{
	"", "a;", "a b;", "a{b{c;}}", "a {} # x\n", "# a\n\n# b\na; # c\n\n# d\n", "a # b\nc # d\n; # e\nf;", "a { # b\n}",
	"add_header X a}b;", "add_header X a#b;", "location ~ a{2} {}", "$host{ }", "a ${b};", "a ${{b};", `a \${b};`,
	`a "\"";`, `a '\'';`, `a "\\";`, `a \\;`, `a b"c;`, `a "\'" '\"' "'\"";`, "a \\\n;", `a \;;`, `a "x\ty" x\ty;`,
	`"#" "#" "";`, `"}" "}";`, `a "\`, `if ($x = "b"){ }`, `if ( $x ) {}`, `if () {}`, `if {}`, `if ("" = $x) {}`,
	`if ( "" = "a b" ) {}`, `if ( "a b") {}`, `if ($x\) {}`, `if ( {}`, `if (( {}`, `if "(a b)" {}`,
	"content_by_lua_block { ngx.say('}') -- }\n } a;", "set_by_lua_block $x { return [==[ }]] ]==] }",
	"map $a $b { default 0; ~^x{2} 1; include x; }", "a\xff \"\xfe \"; # \xe9", "a\r\nb;\r\n", "a\v\u00a0b;",
	"a {", "a }", "a b", "}", "a {} }", "\xef\xbb\xbfa;",
	"a " + strings.Repeat("w", 4095) + "{}", `a "` + strings.Repeat("q", 4094) + `");`,
	`if ($x = "` + strings.Repeat("q", 4094) + `"){}`,
}

// FuzzFromConfig makes a payload of any file and files of the payload: for a
// valid file, nginx sees the same again, and no comment is lost.
func FuzzFromConfig(f *testing.F) {
	for _, s := range odd {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		c := config(t, "x.conf", src)
		_, syntax := nginxconf.Parse("x.conf", []byte(src))
		for _, o := range []*Options{nil, {Comments: true}, {Combine: true, Comments: true}, {Single: true, Ignore: []string{"a"}}} {
			p := FromConfig(c, o)
			written(t, p)
			files, err := ToFiles(p)
			if syntax != nil || o != nil && (o.Combine || o.Single) || hasNoLua(c.Root) {
				continue
			}
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.Equal(t, tokens(c.Root), tokens(files[0]), "%q", files[0].Bytes())
			if o != nil {
				require.Equal(t, comments(c.Root), comments(files[0]), "%q", files[0].Bytes())
			}
		}
	})
}

// FuzzToFiles builds files of any payload: they hold no more and no less
// directives and comments, and building from them what nginx sees is stable.
func FuzzToFiles(f *testing.F) {
	for _, s := range odd {
		out, err := json.Marshal(FromConfig(config(f, "x.conf", s), &Options{Comments: true}))
		require.NoError(f, err)
		f.Add(out)
	}
	f.Add([]byte(`{"config":[{"parsed":[{"directive":"#"},{"directive":"if","args":["","x\\"]},{"directive":"a\\","args":["\\"],"block":[]},{"directive":"if","block":[{"directive":"#","comment":"x"}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p Payload
		if json.Unmarshal(data, &p) != nil {
			return
		}
		files, err := ToFiles(&p)
		if err != nil {
			return
		}
		require.Len(t, files, len(p.Config))
		for i, file := range files {
			directives, comments := count(p.Config[i].Parsed)
			for range file.All() {
				directives--
			}
			for range file.Comments() {
				comments--
			}
			require.Zero(t, directives, "%s", file.Bytes())
			require.Zero(t, comments, "%s", file.Bytes())
			again, err := ToFiles(FromConfig(&nginxconf.Config{Root: file}, nil))
			require.NoError(t, err)
			require.Equal(t, tokens(file), tokens(again[0]))
		}
	})
}

func count(list []*Directive) (directives, comments int) {
	for _, d := range list {
		if d.Directive == "#" && d.Comment != nil {
			comments++
			continue
		}
		n, m := count(d.Block)
		directives, comments = directives+n+1, comments+m
	}
	return directives, comments
}
