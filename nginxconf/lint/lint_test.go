package lint_test

import (
	"errors"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
	"github.com/onehost-go/onehost/nginxconf/lint/linttest"
)

// builtIn returns the built-in check of that ID.
func builtIn(t testing.TB, id string) *lint.Check {
	t.Helper()
	all := lint.Default()
	i := slices.IndexFunc(all, func(c *lint.Check) bool { return c.ID == id })
	require.GreaterOrEqual(t, i, 0, "no check %s", id)
	return all[i]
}

// load returns the configuration of these files: name, text, name, text. The
// first is the main file. It may be wrong: then what is there is returned.
func load(t testing.TB, files ...string) *nginxconf.Config {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	c, _ := nginxconf.Load(fsys, files[0], nil)
	require.NotNil(t, c)
	return c
}

// each returns a check that reports every directive of that name.
func each(name string) *lint.Check {
	return &lint.Check{Name: "each-" + name, Level: slog.LevelWarn, Run: func(p *lint.Pass) error {
		for d := range p.All(name) {
			p.Report(d, nil, "%s here", name)
		}
		return nil
	}}
}

func lines(ds nginxconf.Diagnostics) []string {
	var list []string
	for _, d := range ds {
		list = append(list, d.Error())
	}
	return list
}

// Each check has inputs below testdata that say what it must find, and what it
// must leave alone.
func TestChecks(t *testing.T) {
	for _, c := range lint.Default() {
		t.Run(c.ID, func(t *testing.T) { linttest.Run(t, c, os.DirFS("testdata/"+c.ID)) })
	}
}

func TestCommentsIgnoreFindings(t *testing.T) {
	check := &lint.Check{ID: "X2", Name: "localhost", Run: func(p *lint.Pass) error {
		for d := range p.All() {
			if d.Body() == nil && strings.Contains(d.String(), "localhost") {
				p.Report(d, nil, "localhost here")
			}
		}
		return nil
	}}
	linttest.Run(t, check, os.DirFS("testdata/ignore"))
}

func TestIgnoreOfCheckThatDidNotRunIsNotJudged(t *testing.T) {
	c := load(t, "nginx.conf", "# lint:ignore NX210 why not\n# lint:ignore each-a,each-b both\na;\n")
	for name, tt := range map[string]struct {
		checks []*lint.Check
		want   []string
	}{
		"none":   {},
		"one":    {[]*lint.Check{each("a")}, nil},
		"other":  {[]*lint.Check{each("b")}, []string{"nginx.conf:2:1: lint:ignore each-b has nothing to ignore [ignore-unused]"}},
		"NX210":  {[]*lint.Check{builtIn(t, "NX210")}, []string{"nginx.conf:1:1: lint:ignore NX210 has nothing to ignore [ignore-unused]"}},
		"failed": {[]*lint.Check{{Name: "each-b", Run: func(*lint.Pass) error { return errors.New("no") }}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, _ := lint.Run(c, tt.checks...)
			assert.Equal(t, tt.want, lines(found))
		})
	}
}

// What an edit wrote has no place yet, so it says nothing of a line; what was
// read still does.
func TestIgnoreInEditedFile(t *testing.T) {
	c := load(t, "x.conf", "first;\n# lint:ignore each-a as read\na;\na;\n")
	c.Root.At(0).Remove()
	require.NoError(t, c.Root.InsertText(0, "# lint:file-ignore each-a as written\nb;\n"))
	found, err := lint.Run(c, each("a"))
	require.NoError(t, err)
	assert.Equal(t, []string{"x.conf:4:1: a here [each-a]"}, lines(found))
}

// The catalogue is binding: a check has the number, the name and the level
// that stand there.
func TestDefaultIsAsCatalogued(t *testing.T) {
	want := map[string]string{
		"NX101": "acl-allow-without-deny error",
		"NX201": "proxy-host-header-missing warning",
		"NX203": "proxy-forwarded-headers-missing warning",
		"NX210": "proxy-localhost-name warning",
		"NX302": "default-server-implicit warning",
	}
	level := map[slog.Level]string{slog.LevelError: "error", slog.LevelWarn: "warning", slog.LevelInfo: "info"}
	got := map[string]string{}
	for _, c := range lint.Default() {
		got[c.ID] = c.Name + " " + level[c.Level]
		summary, _, _ := strings.Cut(c.Doc, "\n\n")
		assert.True(t, strings.HasSuffix(summary, "."), "%s: the first paragraph of Doc is no sentence", c.ID)
		assert.Contains(t, c.Doc, "The fix, to be reviewed", c.ID)
	}
	assert.Equal(t, want, got)

	for id, as := range got {
		assert.Equal(t, catalogue(t)[id].as, as, id)
	}
}

// An entry is what the catalogue says of a check.
type entry struct {
	as        string // name and level
	bad, good string // examples
}

// catalogue reads the entries of the checks for nginx.
func catalogue(t *testing.T) map[string]entry {
	t.Helper()
	text, err := os.ReadFile("../../../shared/CHECKS.md")
	if err != nil {
		t.Skip("the catalogue is not here")
	}
	pattern := regexp.MustCompile("(?s)\n#### (NX\\d+) `([a-z0-9-]+)` — (error|warning|info) ·.*?\n```nginx\n# bad\n(.*?)# good\n(.*?)```")
	entries := map[string]entry{}
	for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
		entries[m[1]] = entry{m[2] + " " + m[3], m[4], m[5]}
	}
	return entries
}

func TestExamplesOfTheCatalogue(t *testing.T) {
	entries := catalogue(t)
	for _, c := range lint.Default() {
		wrap := func(example string) string {
			if strings.HasPrefix(example, "server {") {
				return "events {}\nhttp {\n" + example + "}\n"
			}
			return "events {}\nhttp {\nserver {\nlisten 80;\nlocation / {\n" + example + "}\n}\n}\n"
		}
		found, err := lint.Run(load(t, "nginx.conf", wrap(entries[c.ID].bad)), c)
		require.NoError(t, err)
		assert.Len(t, found, 1, "%s: %s", c.ID, entries[c.ID].bad)
		found, err = lint.Run(load(t, "nginx.conf", wrap(entries[c.ID].good)), c)
		require.NoError(t, err)
		assert.Empty(t, found, "%s: %s", c.ID, entries[c.ID].good)
	}
}

func TestDefaultIsTheCallersOwn(t *testing.T) {
	all := lint.Default()
	for i := range all {
		all[i].Level = slog.LevelInfo
		all[i].Run = nil
	}
	clear(all)
	for _, c := range lint.Default() {
		assert.NotNil(t, c.Run)
		assert.GreaterOrEqual(t, c.Level, slog.LevelWarn)
	}
}

func TestFindingsHaveTheLevelOfTheCheck(t *testing.T) {
	c := load(t, "x.conf", "upstream app { server localhost; }")
	check := *builtIn(t, "NX210")
	for _, level := range []slog.Level{check.Level, slog.LevelInfo, slog.LevelError} {
		check.Level = level
		found, err := lint.Run(c, &check)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, level, found[0].Level)
		assert.Equal(t, "proxy-localhost-name", found[0].Code)
	}
}

func TestFindingsAreSortedAndReportedOnce(t *testing.T) {
	c := load(t,
		"b.conf", "http {\n\tserver { include a.conf; b; }\n\tserver { include a.conf; b; }\n}\n",
		"a.conf", "b;\na;\n")
	found, err := lint.Run(c, each("b"), each("a"), each("b"))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"a.conf:1:1: b here [each-b]",
		"a.conf:2:1: a here [each-a]",
		"b.conf:2:27: b here [each-b]",
		"b.conf:3:27: b here [each-b]",
	}, lines(found))
}

func TestRunWithoutChecksFindsNothing(t *testing.T) {
	found, err := lint.Run(load(t, "x.conf", "upstream app { server localhost; }"))
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestErrorsOfChecksAreJoinedAndOthersRun(t *testing.T) {
	no := errors.New("no inventory")
	found, err := lint.Run(load(t, "x.conf", "a;"),
		&lint.Check{Name: "first", Run: func(*lint.Pass) error { return no }},
		&lint.Check{ID: "HOUSE1"},
		&lint.Check{Name: "empty"},
		each("a"))
	assert.ErrorIs(t, err, no)
	assert.EqualError(t, err, "lint: check first: no inventory\nlint: check \"HOUSE1\" has no Name or no Run\nlint: check \"empty\" has no Name or no Run")
	assert.Equal(t, []string{"x.conf:1:1: a here [each-a]"}, lines(found))
}

func TestPanicOfCheckIsNotCaught(t *testing.T) {
	c := load(t, "x.conf", "a;")
	assert.PanicsWithValue(t, "a fault", func() {
		_, _ = lint.Run(c, &lint.Check{Name: "panics", Run: func(*lint.Pass) error { panic("a fault") }})
	})
}

// A file that was parsed becomes a configuration without includes.
func TestRunOnParsedFile(t *testing.T) {
	f, err := nginxconf.Parse("x.conf", []byte("# lint:ignore each-a for a reason\na;\nb;\n"))
	require.NoError(t, err)
	found, err := lint.Run(&nginxconf.Config{Root: f}, each("a"), each("b"))
	require.NoError(t, err)
	assert.Equal(t, []string{"x.conf:3:1: b here [each-b]"}, lines(found))
}

func TestRunsMayShareConfiguration(t *testing.T) {
	c := load(t, "nginx.conf", many(20))
	want, err := lint.Run(c, lint.Default()...)
	require.NoError(t, err)
	require.NotEmpty(t, want)
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			found, err := lint.Run(c, lint.Default()...)
			assert.NoError(t, err)
			assert.Equal(t, want, found)
		})
	}
}

// A listen directive may name all ports there are, and every server have one.
func TestTooManySocketsIsAnError(t *testing.T) {
	c := load(t, "nginx.conf", "http {\n"+strings.Repeat("server { listen 1-65535; location / { proxy_pass http://127.0.0.1; } }\n", 17)+"}")
	_, err := lint.Run(c, builtIn(t, "NX302"))
	assert.EqualError(t, err, "lint: check default-server-implicit: nginx.conf:18:10: servers listen more than 1048576 times")
	_, err = lint.Run(c, builtIn(t, "NX203"), builtIn(t, "NX302"))
	assert.ErrorContains(t, err, "lint: check proxy-forwarded-headers-missing: ")
	assert.ErrorContains(t, err, "lint: check default-server-implicit: ")
}
