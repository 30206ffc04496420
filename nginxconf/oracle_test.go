package nginxconf

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// oracleSize returns the seed and the number of cases of a differential test.
func oracleSize(t *testing.T, cases int) (*rand.Rand, int) {
	t.Helper()
	seed, cases := testenv.Size(t, cases)
	return rand.New(rand.NewPCG(seed, 0)), cases
}

var isSyntax = regexp.MustCompile(`(?s)^(unexpected (end of file.*|".")|too long parameter.*)$`)

// TestOracleSyntax asks the installed nginx about random texts. nginx stops at
// the first error: if that is one of syntax, ours is the same; if not, we have
// none before it.
func TestOracleSyntax(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	rnd, cases := oracleSize(t, 150)
	dir := t.TempDir()
	pieces := []string{
		"add_header X ", "add_header X ", "server_name ", "server { ", "location /a ", "} ", "}", "{", ";", ";", "; ", ";\n", "\n", "\r", "\t", " ",
		`"`, `'`, `\`, "$", "${", "#", "# c\n", "a", "b}", `"a b"`, `'c d'`, `"x";`, "\x00", "\xa0", "\v", "\xef\xbb\xbf", ")", "(", `"q")`,
		strings.Repeat("w", 4090), strings.Repeat(" ", 5000), "#" + strings.Repeat("c", 4093), `"` + strings.Repeat("q", 4091),
	}
	for range cases {
		var b strings.Builder
		b.WriteString("events{}\nhttp{\n")
		for range 1 + rnd.IntN(12) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		if rnd.IntN(3) > 0 {
			b.WriteString("\n}")
		}
		src := b.String()
		_, ours := Parse("x", []byte(src))
		message, line := ask(t, nginx, dir, src)
		if message == "" {
			require.NoError(t, ours, "%q", src)
			continue
		}
		if !isSyntax.MatchString(message) {
			if ours != nil {
				require.GreaterOrEqual(t, ours.(Diagnostics)[0].Start.Line, line, "%q\nnginx: %s\nours: %v", short(src), message, ours)
			}
			continue
		}
		require.Error(t, ours, "%q\nnginx: %s:%d", short(src), message, line)
		d := ours.(Diagnostics)[0]
		require.Equal(t, message, d.Message, "%q", short(src))
		require.Equal(t, line, d.Start.Line, "%q", short(src))
	}
}

// ask returns what nginx -t says of a main file, on one line, and the line it
// names, or a big number if it names none. The message is empty if the
// configuration is sound: what else can fail has to do with who runs this.
func ask(t *testing.T, nginx, dir, src string) (message string, line int) {
	t.Helper()
	name := filepath.Join(dir, "asked.conf")
	require.NoError(t, os.WriteFile(name, []byte(src), 0o600))
	out, err := exec.Command(nginx, "-t", "-c", name, "-p", dir, "-g", "error_log stderr; pid nginx.pid;").CombinedOutput()
	if err == nil || bytes.Contains(out, []byte("syntax is ok")) {
		return "", 0
	}
	m := said.FindSubmatch(out)
	require.NotNil(t, m, "%s", out)
	line = 1 << 30
	if m[3] != nil {
		line, err = strconv.Atoi(string(m[3]))
		require.NoError(t, err)
	}
	return strings.ReplaceAll(string(m[1]), "\n", `\n`), line
}

var said = regexp.MustCompile(`(?s)\[(?:emerg|crit)\] \d+#\d+: (.*?)(?: in (\S*):(\d+))?\nnginx: configuration`)

// A sample is a configuration with what nginx said of it.
type sample struct {
	Name    string
	Config  string
	Base64  []byte `json:"config_b64"`
	OK      bool   `json:"nginx_ok"`
	Class   string
	Message string
}

func (s *sample) text() string {
	if s.Base64 != nil {
		return string(s.Base64)
	}
	return s.Config
}

// corpus returns the real configurations and the mutants of them.
func corpus(t *testing.T) (samples []*sample) {
	t.Helper()
	for _, name := range []string{"configs.jsonl", "mutants.jsonl"} {
		f, err := os.Open(testenv.Shared(t, "corpus", "nginx", name))
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<26)
		for lines.Scan() {
			s := &sample{}
			require.NoError(t, json.Unmarshal(lines.Bytes(), s))
			samples = append(samples, s)
		}
		require.NoError(t, lines.Err())
		require.NoError(t, f.Close())
	}
	return samples
}

// TestOracleVerdicts compares the first syntax error with what nginx said of
// real configurations and mutants of them.
func TestOracleVerdicts(t *testing.T) {
	place := regexp.MustCompile(`(?s)^(.*) in (\S*):(\d+)$`)
	count := map[string]int{}
	for _, s := range corpus(t) {
		f, err := Parse("x", []byte(s.text()))
		var first *Diagnostic
		if err != nil {
			first = err.(Diagnostics)[0]
		}
		m := place.FindStringSubmatch(s.Message)
		switch {
		case s.OK:
			count["accepted"]++
			require.NoError(t, err, s.Name)
		case m != nil && m[1] == `unexpected "{"` && blockInFreeForm(f, m[3]):
			count["free form"]++ // the tree has a place for it, validate must complain
		case isSyntax.MatchString(s.Message) && m != nil:
			count["syntax"]++
			require.NotNil(t, first, "%s: %s", s.Name, s.Message)
			if strings.Contains(m[2], "/units/") {
				continue // in an included file
			}
			require.Equal(t, m[1], strings.ToValidUTF8(first.Message, "\ufffd"), s.Name) // as the corpus has it
			require.Equal(t, m[3], strconv.Itoa(first.Start.Line), s.Name)
		case m != nil && first != nil:
			count["else"]++
			line, _ := strconv.Atoi(m[3])
			require.GreaterOrEqual(t, first.Start.Line, line, "%s: %s", s.Name, s.Message)
		}
	}
	t.Log(count)
	require.Greater(t, count["accepted"], 500)
	require.Greater(t, count["syntax"], 100)
}

// blockInFreeForm tells whether a block starts on that line in the body of a
// map or its kin.
func blockInFreeForm(f *File, line string) bool {
	for d := range f.All() {
		if d.Body() == nil || d.Parent() == nil || strconv.Itoa(d.TermPos().Line) != line {
			continue
		}
		switch d.Parent().Name() {
		case "map", "types", "geo", "split_clients", "charset_map", "match":
			return true
		}
	}
	return false
}

// TestOracleTokens compares trees with the reference tokenizer on real
// configurations and mutants of them: words, where they stand, errors.
func TestOracleTokens(t *testing.T) {
	tool := testenv.Shared(t, "oracle", "nginx", "ref_tokens.py")
	python := testenv.Program(t, "python3")
	rnd, cases := oracleSize(t, 400)
	var texts []string
	for _, c := range corpus(t) {
		texts = append(texts, c.text())
	}
	rnd.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	texts = append(slices.Clone(odd), texts[:min(cases, len(texts))]...)
	// The judge knows nginx's own grammar only.
	texts = slices.DeleteFunc(texts, func(s string) bool { return strings.Contains(s, "_by_lua_block") })

	type event struct {
		Args  []string
		Spans [][2]int
		Term  string // ";", "{", "}"
		Error string
		Line  int
	}
	var bytesOf [][]byte // JSON strings cannot hold them
	for _, text := range texts {
		bytesOf = append(bytesOf, []byte(text))
	}
	in, err := json.Marshal(bytesOf)
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", `
import base64, json, sys
sys.path.insert(0, sys.argv[1])
from ref_tokens import events, ConfError
for text in json.load(sys.stdin):
    out = []
    try:
        for e in events(base64.b64decode(text)):
            if e["k"] == "dir":
                out.append({"args": [a.decode("latin-1") for a in e["args"]], "spans": e["spans"], "term": e["term"], "line": e["line"]})
            elif e["k"] == "end":
                out.append({"term": "}"})
    except ConfError as e:
        out.append({"error": e.msg, "line": e.line})
    print(json.dumps(out))
`, filepath.Dir(tool))
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	results := bufio.NewScanner(bytes.NewReader(out))
	results.Buffer(nil, 1<<26)
	refused := 0
	for _, text := range texts {
		require.True(t, results.Scan())
		var want []event
		require.NoError(t, json.Unmarshal(results.Bytes(), &want))
		f, err := Parse("x.conf", []byte(text))
		require.Equal(t, text, string(f.Bytes()))
		if n := len(want); n > 0 && want[n-1].Error != "" {
			refused++
			require.Error(t, err, "%q", text)
			d := err.(Diagnostics)[0]
			require.Contains(t, latin1(d.Message), want[n-1].Error, "%q", text)
			require.Equal(t, want[n-1].Line, d.Start.Line, "%q", text)
			continue
		}
		require.NoError(t, err, "%q", text)
		got := []event{}
		f.walk(0, func(d *Directive, _ int) bool {
			e := event{Term: ";", Line: d.TermPos().Line}
			if d.Body() != nil {
				e.Term = "{"
			}
			for i := range d.NumArgs() + 1 {
				start, end := d.Span(i)
				e.Spans = append(e.Spans, [2]int{start.Offset, end.Offset})
			}
			for _, a := range append([]string{d.Name()}, d.Args()...) {
				e.Args = append(e.Args, latin1(a))
			}
			got = append(got, e)
			return true
		}, func(*Directive, int) { got = append(got, event{Term: "}"}) })
		require.Equal(t, want, got, "%q", text)
	}
	t.Logf("%d texts agree, %d of them refused", len(texts), refused)
}

// latin1 turns bytes into runes one by one, for JSON.
func latin1(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

var long = regexp.MustCompile(`w{9,}|q{9,}|c{9,}| {9,}`)

func short(src string) string { return long.ReplaceAllString(src, "…") }

// TestOracleLua asks an nginx with the Lua module where blocks of Lua code end.
func TestOracleLua(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	modules := "/usr/lib/nginx/modules/"
	if _, err := os.Stat(modules + "ngx_http_lua_module.so"); err != nil {
		testenv.Missing(t, "nginx's Lua module is not installed")
	}
	rnd, cases := oracleSize(t, 150)
	pieces := []string{"{", "}", " ", "\n", "'", `"`, `\`, "[[", "]]", "[=[", "]=]", "--", "--[[", "--[=[", "x", "]", "[", "= ", `\"`, `'}'`, `"{"`, "-- }\n"}
	dir := t.TempDir()
	refused := 0
	for range cases {
		var b strings.Builder
		fmt.Fprintf(&b, "load_module %sndk_http_module.so;\nload_module %sngx_http_lua_module.so;\nevents{}\nhttp{\n server {\n  listen unix:s;\n  location / {\n  content_by_lua_block {x ", modules, modules)
		for range rnd.IntN(9) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		b.WriteString("}\n}\n}\n}\n")
		src := b.String()
		_, ours := Parse("x", []byte(src))
		message, line := ask(t, nginx, dir, src)
		if message == "" {
			require.NoError(t, ours, "%s", src)
			continue
		}
		if strings.HasPrefix(message, "unknown directive") {
			continue // the code ended early, and what follows is no directive
		}
		refused++
		require.Error(t, ours, "%s\n%s", src, message)
		d := ours.(Diagnostics)[0]
		require.Equal(t, message, d.Message, "%s", src)
		require.Equal(t, line, d.Start.Line, "%s", src)
	}
	t.Logf("%d of %d refused", refused, cases)
}
