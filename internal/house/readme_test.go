package house

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// firstCommands are what the README's first sh block holds: a stranger types
// these two, and .ci/run takes them from there.
var firstCommands = []string{"go run ./examples/quickstart", "go test ./..."}

// A block is a fenced code block of a Markdown text.
type block struct {
	line  int    // of the opening fence
	lang  string // first word of the info string, in lower case
	from  string // the file that the comment before it names; empty: none
	lines []string
}

var (
	fence  = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})\\s*([^`]*)$")
	marker = regexp.MustCompile(`^<!--\s*from\s+(\S+)\s*-->$`)
)

// blocks returns the fenced code blocks of a Markdown text.
func blocks(text string) []block {
	var (
		found []block
		open  string // the fence of the block we are in
		last  string // the last line that is not blank
	)
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == "" && m != nil:
			b := block{line: i + 1}
			if words := strings.Fields(m[2]); len(words) > 0 {
				b.lang = strings.ToLower(words[0])
			}
			if from := marker.FindStringSubmatch(last); from != nil {
				b.from = from[1]
			}
			found, open = append(found, b), m[1]
		case open != "" && m != nil && m[2] == "" && strings.HasPrefix(m[1], open):
			open = ""
		case open != "":
			b := &found[len(found)-1]
			b.lines = append(b.lines, line)
		}
		if s := strings.TrimSpace(line); s != "" {
			last = s
		}
	}
	return found
}

// complaints says what in the README is not what runs: repo is the repository.
func complaints(readme string, repo fs.FS) []string {
	var found []string
	report := func(line int, format string, args ...any) {
		found = append(found, fmt.Sprintf("README.md:%d: ", line)+fmt.Sprintf(format, args...))
	}

	all := blocks(readme)
	if i := slices.IndexFunc(all, func(b block) bool { return b.lang == "sh" }); i < 0 {
		report(1, "no sh block")
	} else if !slices.Equal(all[i].lines, firstCommands) {
		report(all[i].line, "the first sh block does not hold exactly %q", firstCommands)
	}

	for _, b := range all {
		if b.lang != "go" && b.lang != "golang" {
			continue
		}
		if b.from == "" {
			report(b.line, "no <!-- from FILE --> before this Go block")
		} else if err := stands(b.lines, repo, b.from); err != nil {
			report(b.line, "%v", err)
		}
	}

	for i, line := range strings.Split(readme, "\n") {
		for _, p := range packages(line) {
			if !hasGo(repo, p) {
				report(i+1, "there is no package %s", p)
			}
		}
	}
	return found
}

// stands says why lines, leading blanks aside, do not stand in a file that
// go test runs.
func stands(lines []string, repo fs.FS, name string) error {
	isTest := strings.HasSuffix(name, "_test.go")
	if !isTest {
		// A program counts if the package beside it has a test.
		if !strings.HasPrefix(name, "examples/") || path.Ext(name) != ".go" {
			return fmt.Errorf("%s is neither a test file nor a program under examples", name)
		}
		if tests, _ := fs.Glob(repo, path.Dir(name)+"/*_test.go"); len(tests) == 0 {
			return fmt.Errorf("%s has no test beside it", name)
		}
	}
	src, err := fs.ReadFile(repo, name)
	if err != nil {
		return err
	}
	want := flush(lines)
	if len(want) == 0 {
		return fmt.Errorf("this Go block is empty")
	}
	have := flush(strings.Split(string(src), "\n"))
	silent := false
	for i := 0; i+len(want) <= len(have); i++ {
		if !slices.Equal(have[i:i+len(want)], want) {
			continue
		}
		if !isTest {
			return nil
		}
		ok, err := runs(name, src, i+1, i+len(want))
		if ok || err != nil {
			return err
		}
		silent = true
	}
	if silent {
		return fmt.Errorf("the example in %s that holds this has no // Output:, so it does not run", name)
	}
	return fmt.Errorf("%s does not hold this", name)
}

// flush takes away the indentation of each line and blank lines at the end.
func flush(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t")
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

// runs reports whether go test runs the lines first to last of a test file:
// not if they lie in an example without an output comment, which is only
// compiled.
func runs(name string, src []byte, first, last int) (bool, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return false, err
	}
	spoken := make(map[string]bool)
	for _, e := range doc.Examples(file) {
		spoken["Example"+e.Name] = e.Output != "" || e.EmptyOutput
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fset.Position(fn.End()).Line < first || last < fset.Position(fn.Pos()).Line {
			continue
		}
		if ok, isExample := spoken[fn.Name.Name]; isExample && !ok {
			return false, nil
		}
	}
	return true, nil
}

var (
	goCommand  = regexp.MustCompile(`\bgo (build|doc|generate|install|list|run|test|vet)\b([^|;&#\x60]*)`)
	packageArg = regexp.MustCompile(`^\./[\w./-]*`)
)

// packages returns the ./… arguments of the Go commands on a line. Behind the
// package of go run stand the program's own arguments.
func packages(line string) []string {
	var found []string
	for _, m := range goCommand.FindAllStringSubmatch(line, -1) {
		for word := range strings.FieldsSeq(m[2]) {
			arg := packageArg.FindString(word)
			if arg == "" {
				continue
			}
			if !strings.HasSuffix(arg, "/...") {
				arg = strings.TrimRight(arg, "./") // a slash, or the end of a sentence
			}
			found = append(found, arg)
			if m[1] == "run" {
				break
			}
		}
	}
	return found
}

// hasGo reports whether repo has Go code at a package argument.
func hasGo(repo fs.FS, arg string) bool {
	dir, wild := strings.CutSuffix(arg, "/...")
	dir = path.Clean(dir)
	if !fs.ValidPath(dir) {
		return false
	}
	if !wild {
		if path.Ext(dir) == ".go" {
			_, err := fs.Stat(repo, dir)
			return err == nil
		}
		names, _ := fs.Glob(repo, path.Join(dir, "*.go"))
		return len(names) > 0
	}
	found := false
	_ = fs.WalkDir(repo, dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) == ".go" {
			found = true
			return fs.SkipAll
		}
		return err
	})
	return found
}

func TestREADMEShowsWhatRuns(t *testing.T) {
	files(t) // so that go test does not repeat an old result
	readme, err := os.ReadFile(root + "/README.md")
	if os.IsNotExist(err) {
		t.Fatal("README.md is missing")
	}
	require.NoError(t, err)
	for _, c := range complaints(string(readme), os.DirFS(root)) {
		t.Error(c)
	}
}

func TestComplaints(t *testing.T) {
	repo := fstest.MapFS{
		"acl/example_test.go":              {Data: []byte("package acl_test\n\nfunc Example() {\n\tif true {\n\t\tprintln(1)\n\n\t\tprintln(2)\n\t}\n\t// Output:\n}\n\nfunc ExampleSilent() {\n\tprintln(3)\n}\n")},
		"acl/acl_test.go":                  {Data: []byte("package acl\n\nimport \"fmt\"\n\nfunc TestA() {\r\n\tprintln(3)\r\n}\r\n")},
		"acl/acl.go":                       {Data: []byte("package acl\n")},
		"broken/a_test.go":                 {Data: []byte("package broken\nfunc {\n")},
		"examples/quickstart/main.go":      {Data: []byte("package main\n\nfunc main() {\n\tprintln(4)\n}\n")},
		"examples/quickstart/main_test.go": {Data: []byte("package main\n")},
		"examples/untested/main.go":        {Data: []byte("package main\n")},
	}
	const top = "# x\n\n```sh\ngo run ./examples/quickstart\ngo test ./...\n```\n\n" // the next line is 8
	code := func(mark, body string) string { return top + mark + "\n```go\n" + body + "```\n" }
	for name, tt := range map[string]struct {
		readme string
		want   []string // each the beginning of a complaint
	}{
		"as it should be": {readme: code("<!-- from acl/example_test.go -->\n", "if true {\n    println(1)\n\n    println(2)\n}\n")},
		"a program":       {readme: code("<!-- from examples/quickstart/main.go -->", "println(4)\n\n")},
		"imports of a test file, Windows line ends": {readme: strings.ReplaceAll(code("<!-- from acl/acl_test.go -->", "import \"fmt\"\n"), "\n", "\r\n")},
		"a test beside a silent example":            {readme: code("<!-- from acl/acl_test.go -->", "println(3)\n}\n")},
		"other languages are free":                  {readme: top + "```nginx\nallow all;\n```\n~~~text\n```go\n~~~\n````md\n```go\n```\n````\n"},

		"no first block": {readme: "# x\n", want: []string{"README.md:1: no sh block"}},
		"a third command": {
			readme: "```sh\ngo run ./examples/quickstart\ngo test ./...\nls\n```\n",
			want:   []string{"README.md:1: the first sh block does not hold exactly"},
		},
		"a prompt": {
			readme: "```sh\n$ go run ./examples/quickstart\n$ go test ./...\n```\n",
			want:   []string{"README.md:1: the first sh block does not hold exactly"},
		},
		"unmarked": {readme: code("", "println(1)\n"), want: []string{"README.md:9: no <!-- from FILE --> before this Go block"}},
		"a mark with text behind it": {
			readme: code("<!-- from acl/example_test.go -->\nand so:", "println(1)\n"),
			want:   []string{"README.md:10: no <!-- from FILE -->"},
		},
		"one word differs": {
			readme: code("<!-- from acl/example_test.go -->", "println(2)\nprintln(1)\n"),
			want:   []string{"README.md:9: acl/example_test.go does not hold this"},
		},
		"half a line": {
			readme: code("<!-- from acl/example_test.go -->", "println(1\n"),
			want:   []string{"README.md:9: acl/example_test.go does not hold this"},
		},
		"empty": {readme: code("<!-- from acl/example_test.go -->", "\n"), want: []string{"README.md:9: this Go block is empty"}},
		"compiled, not run": {
			readme: code("<!-- from acl/example_test.go -->", "println(3)\n"),
			want:   []string{"README.md:9: the example in acl/example_test.go that holds this has no // Output:"},
		},
		"no such file": {
			readme: code("<!-- from acl/gone_test.go -->", "println(3)\n"),
			want:   []string{"README.md:9: open acl/gone_test.go: file does not exist"},
		},
		"out of the repository": {
			readme: code("<!-- from ../x_test.go -->", "println(3)\n"),
			want:   []string{"README.md:9: open ../x_test.go: "},
		},
		"a file that does not parse": {
			readme: code("<!-- from broken/a_test.go -->", "func {\n"),
			want:   []string{"README.md:9: broken/a_test.go:2:6: "},
		},
		"not a test": {
			readme: code("<!-- from acl/acl.go -->", "package acl\n"),
			want:   []string{"README.md:9: acl/acl.go is neither a test file nor a program under examples"},
		},
		"a program without a test": {
			readme: code("<!-- from examples/untested/main.go -->", "package main\n"),
			want:   []string{"README.md:9: examples/untested/main.go has no test beside it"},
		},
		"a command on nothing": {
			readme: top + "Then `go run ./examples/gone -dir ./tree` and go test ./nowhere/... ./acl.\n",
			want:   []string{"README.md:8: there is no package ./examples/gone", "README.md:8: there is no package ./nowhere/..."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := complaints(tt.readme, repo)
			require.Len(t, got, len(tt.want), "%q", got)
			for i, want := range tt.want {
				assert.True(t, strings.HasPrefix(got[i], want), "%q", got[i])
			}
		})
	}
}

func TestPackages(t *testing.T) {
	for line, want := range map[string][]string{
		"go run ./examples/quickstart -dir ./tree": {"./examples/quickstart"},
		"Run `go test ./acl/ ./portmap/...`.":      {"./acl", "./portmap/..."},
		"go test -run '^$' -bench . ./...; ls ./x": {"./..."},
		"try go vet ./procmgr.":                    {"./procmgr"},
		"cd internal/peers && go test -bench .":    nil,
		"let it go, run ./configure":               nil,
	} {
		assert.Equal(t, want, packages(line), line)
	}
}
