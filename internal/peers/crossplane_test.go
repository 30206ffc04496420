package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
	"github.com/onehost-go/onehost/nginxconf"
	payload "github.com/onehost-go/onehost/nginxconf/crossplane"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write puts files, given as name and text in turn, into a new directory, and
// returns the path of the first.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(files[i+1]), 0o600))
	}
	return filepath.Join(dir, files[0])
}

// crossplanePayload returns what crossplane makes of a file, without its checks
// of names, contexts and counts.
func crossplanePayload(name string, o crossplane.ParseOptions) (p *crossplane.Payload, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("panic: %v", e)
		}
	}()
	o.SkipDirectiveArgsCheck, o.SkipDirectiveContextCheck = true, true
	o.LexOptions.Lexers = []crossplane.RegisterLexer{(&crossplane.Lua{}).RegisterLexer()}
	p, err = crossplane.Parse(name, &o)
	return p, crossplaneError(p, err)
}

// ourPayload is the same of ours, in what crossplane's JSON keeps.
func ourPayload(t *testing.T, name string, o *payload.Options) *payload.Payload {
	t.Helper()
	c, err := nginxconf.LoadFile(name)
	require.NotNil(t, c, err)
	p := payload.FromConfig(c, o)
	var drop func(list []*payload.Directive)
	drop = func(list []*payload.Directive) {
		for _, d := range list {
			if len(d.Includes) == 0 || d.IsMapBlockParameter {
				d.Includes = nil
			}
			if len(d.Block) == 0 {
				d.Block = nil
			}
			drop(d.Block)
		}
	}
	for _, f := range p.Config {
		drop(f.Parsed)
	}
	return p
}

func indented(t *testing.T, v any) string {
	t.Helper()
	out, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	return string(out)
}

// readsOtherwise tells whether crossplane is known to read a text otherwise
// than nginx does; see the document of nginxconf/crossplane.
func readsOtherwise(src []byte) bool {
	odd := func(r rune) bool { return unicode.IsSpace(r) && r != ' ' && r != '\t' && r != '\n' }
	if !utf8.Valid(src) || bytes.ContainsFunc(bytes.ReplaceAll(src, []byte("\r\n"), nil), odd) {
		return true
	}
	f, _ := nginxconf.Parse("", src)
	for c := range f.Comments() {
		if strings.HasSuffix(c.Text, `\`) {
			return true
		}
	}
	for d := range f.All() {
		if up := d.Parent(); up != nil && slices.Contains([]string{"map", "types", "geo", "split_clients"}, up.Name()) {
			from, to := d.Pos(), d.TermPos()
			for c := range d.Comments() {
				if c.Start.Offset > from.Offset && c.Start.Offset < to.Offset {
					return true
				}
			}
		}
		for i := range d.NumArgs() + 1 {
			raw := strings.NewReplacer(`\\`, "", `\}`, "").Replace(d.Raw(i))
			if strings.Contains(raw, "\r") || d.Quote(i) == 0 && strings.Count(raw, "}") != strings.Count(raw, "${") {
				return true
			}
		}
	}
	return false
}

// allTexts returns configurations without syntax errors by name: those of texts,
// and those in files of the corpus, where it lies beside the checkout.
func allTexts(t *testing.T, files ...string) map[string][]byte {
	t.Helper()
	all := texts(t)
	for _, name := range files {
		corpus, err := os.Open(filepath.Join("..", "..", "..", "shared", "corpus", "nginx", name))
		if err != nil {
			return all // texts says so
		}
		defer corpus.Close()
		lines := json.NewDecoder(corpus)
		for i := 1; lines.More(); i++ {
			var c struct{ Config string }
			require.NoError(t, lines.Decode(&c))
			all[fmt.Sprintf("%s:%d", name, i)] = []byte(c.Config)
		}
	}
	maps.DeleteFunc(all, func(_ string, src []byte) bool {
		_, err := nginxconf.Parse("", src)
		return err != nil
	})
	return all
}

func TestPayloadIsThatOfCrossplane(t *testing.T) {
	same, refused, otherwise := 0, 0, 0
	for name, src := range allTexts(t, "configs.jsonl", "mutants.jsonl") {
		if readsOtherwise(src) {
			otherwise++
			continue
		}
		file := write(t, "nginx.conf", string(src))
		theirs, err := crossplanePayload(file, crossplane.ParseOptions{SingleFile: true, ParseComments: true})
		if err != nil {
			refused++
			continue
		}
		ours := ourPayload(t, file, &payload.Options{Single: true, Comments: true})
		require.Equal(t, indented(t, theirs), indented(t, ours), name)
		same++
	}
	t.Logf("%d payloads are the same, %d files crossplane refuses, %d it reads otherwise", same, refused, otherwise)
	assert.Greater(t, same, 5*(refused+otherwise))
}

var includingFiles = []string{
	"nginx.conf", "# main\nhttp {\n    include mime.types; # types\n    include conf.d/*.conf;\n    include none/*.conf;\n}\nstream { include shared; }\n",
	"mime.types", "types {\n    text/html html; # HTML\n}\n",
	"conf.d/b.conf", "server { include shared; }\n",
	"conf.d/a.conf", "include more; server { if ($x = \"a b\") { include shared; } }\n",
	"shared", "access_log off;\n# shared\n",
	"more", "map $a $b { default 0; }\n",
}

func TestIncludesAreThoseOfCrossplane(t *testing.T) {
	file := write(t, includingFiles...)
	for _, combine := range []bool{false, true} {
		theirs, err := crossplanePayload(file, crossplane.ParseOptions{ParseComments: true, CombineConfigs: combine})
		require.NoError(t, err)
		if combine {
			// It keeps an include of nothing, in Go only.
			theirs.Config[0].Parsed = withoutEmptyIncludes(theirs.Config[0].Parsed)
		}
		require.Equal(t, indented(t, theirs), indented(t, ourPayload(t, file, &payload.Options{Comments: true, Combine: combine})))
	}
}

func withoutEmptyIncludes(list crossplane.Directives) crossplane.Directives {
	list = slices.DeleteFunc(list, func(d *crossplane.Directive) bool { return d.Directive == "include" })
	for _, d := range list {
		d.Block = withoutEmptyIncludes(d.Block)
	}
	return list
}

// tokens is a file as nginx sees it, but for the parentheses of conditions,
// which a payload does not hold, and empty blocks, which crossplane's JSON
// does not tell from simple directives.
func tokens(t *testing.T, src []byte) string {
	t.Helper()
	f, err := nginxconf.Parse("nginx.conf", src)
	require.NoError(t, err, "%s", src)
	var s strings.Builder
	for d := range f.All() {
		args := d.Args()
		if d.Name() == "if" {
			args = strings.Fields(strings.Trim(strings.Join(args, " "), "() "))
		}
		fmt.Fprintf(&s, "%q %t\n", append([]string{d.Name()}, args...), d.Body() != nil && d.Body().Len() > 0)
	}
	return s.String()
}

// Payloads that crossplane wrote build to what nginx reads.
func TestFilesOfCrossplanesPayload(t *testing.T) {
	n := 0
	for name, src := range allTexts(t, "configs.jsonl", "mutants.jsonl") {
		if readsOtherwise(src) {
			continue
		}
		theirs, err := crossplanePayload(write(t, "nginx.conf", string(src)), crossplane.ParseOptions{SingleFile: true, ParseComments: true})
		if err != nil {
			continue
		}
		var p payload.Payload
		require.NoError(t, json.Unmarshal([]byte(indented(t, theirs)), &p))
		files, err := payload.ToFiles(&p)
		require.NoError(t, err, name)
		require.Equal(t, tokens(t, src), tokens(t, files[0].Bytes()), name)
		n++
	}
	t.Logf("%d payloads", n)
	assert.NotZero(t, n)
}

// Payloads of ours build with crossplane, too. (Not those of mutants: it writes
// "if ("$host" = a)", which nginx refuses, with other quotes.)
func TestCrossplaneBuildsOurPayload(t *testing.T) {
	n := 0
	for name, src := range allTexts(t, "configs.jsonl") {
		if readsOtherwise(src) {
			continue
		}
		f, err := nginxconf.Parse("nginx.conf", src)
		require.NoError(t, err)
		ours := payload.FromConfig(&nginxconf.Config{Root: f}, &payload.Options{Comments: true})
		var p crossplane.Payload
		require.NoError(t, json.Unmarshal([]byte(indented(t, ours)), &p))
		var b bytes.Buffer
		require.NoError(t, crossplane.Build(&b, p.Config[0], &crossplane.BuildOptions{
			Builders: []crossplane.RegisterBuilder{(&crossplane.Lua{}).RegisterBuilder()},
		}))
		require.Equal(t, tokens(t, src), tokens(t, b.Bytes()), name)
		n++
	}
	t.Logf("%d payloads", n)
	assert.NotZero(t, n)
}

// TestCrossplaneReadsOtherwise holds what the document of nginxconf/crossplane
// says of it.
func TestCrossplaneReadsOtherwise(t *testing.T) {
	tests := []struct {
		text string
		ours []string // the arguments of the first directive
		them []string // nil: refused
	}{
		{`add_header X a}b;`, []string{"X", "a}b"}, nil},
		{`server_name ${a b};`, []string{"${a", "b}"}, nil},
		{`a "b"c;`, nil, []string{"b", "c"}},
		{"a b\vc;", []string{"b\vc"}, []string{"b", "c"}},
		{"a b\u00a0c;", []string{"b\u00a0c"}, []string{"b", "c"}},
		{"a b\rc;", []string{"b", "c"}, []string{"bc"}},
		{"a \"b\r\nc\";", []string{"b\r\nc"}, []string{"b\nc"}},
		{"a \xff;", []string{"\xff"}, []string{"\ufffd"}},
		{"a " + strings.Repeat("w", 4096) + ";", nil, []string{strings.Repeat("w", 4096)}},
		{"content_by_lua_block { --'\n}", []string{" --'\n"}, nil},
		{"if () { b; }", []string{}, nil}, // a panic
	}
	for _, test := range tests {
		file := write(t, "nginx.conf", test.text)
		theirs, err := crossplanePayload(file, crossplane.ParseOptions{})
		if test.them == nil {
			assert.True(t, err != nil || len(theirs.Config[0].Parsed) == 0 || !slices.Equal(test.ours, theirs.Config[0].Parsed[0].Args), test.text)
		} else if assert.NoError(t, err, test.text) {
			assert.Equal(t, test.them, theirs.Config[0].Parsed[0].Args, test.text)
		}
		ours := ourPayload(t, file, nil)
		if test.ours == nil {
			assert.Equal(t, payload.StatusFailed, ours.Status, test.text)
		} else {
			assert.Equal(t, payload.StatusOK, ours.Status, test.text)
			assert.Equal(t, test.ours, ours.Config[0].Parsed[0].Args, test.text)
		}
	}
}
