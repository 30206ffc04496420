package nginxconf

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func host(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

func names(fs []*File) (names []string) {
	for _, f := range fs {
		names = append(names, f.Name)
	}
	return names
}

func TestLoadFollowsIncludesAsNginxDoes(t *testing.T) {
	c, err := Load(host(
		"etc/nginx/nginx.conf", "events {}\nhttp {\n  include mime.types;\n  include conf.d/*.conf;\n  include nothing/*;\n  include /srv/x.conf;\n}\n",
		"etc/nginx/mime.types", "types {\n  include more.types;\n}\n",
		"etc/nginx/more.types", "text/html html;\n",
		"etc/nginx/conf.d/b.conf", "server { listen 81; }\n",
		"etc/nginx/conf.d/a.conf", "server { include deny; }\n",
		"etc/nginx/conf.d/.hidden.conf", "broken",
		"etc/nginx/conf.d/a.conf.off", "broken",
		"etc/nginx/deny", "deny all;\n",
		"srv/x.conf", "server { include deny; location / { include deny; } }\n",
	), "etc/nginx/nginx.conf", nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"etc/nginx/nginx.conf", "etc/nginx/mime.types", "etc/nginx/more.types", "etc/nginx/conf.d/a.conf",
		"etc/nginx/deny", "etc/nginx/conf.d/b.conf", "srv/x.conf",
	}, names(slices.Collect(c.Files())))
	require.Equal(t, "/etc/nginx", c.Prefix)

	var lines []string
	contexts := map[string]Context{}
	for d, ctx := range c.All() {
		at := ""
		for _, b := range ctx {
			at += b.Name() + "/"
		}
		lines = append(lines, at+d.Name())
		contexts[fmt.Sprint(len(lines))] = ctx
	}
	require.Equal(t, []string{
		"events", "http",
		"http/include", "http/types", "http/types/include", "http/types/text/html",
		"http/include", "http/server", "http/server/include", "http/server/deny", "http/server", "http/server/listen",
		"http/include", "http/include", "http/server", "http/server/include", "http/server/deny",
		"http/server/location", "http/server/location/include", "http/server/location/deny",
	}, lines)

	// The one deny stands in three places.
	count := 0
	for range c.Find("http", "server", "deny") {
		count++
	}
	require.Equal(t, 2, count)
	for d := range c.Find("http", "server", "location", "deny") {
		require.Equal(t, "etc/nginx/deny:1:1", d.Pos().String())
	}
	ctx := contexts[fmt.Sprint(len(lines))]
	var inner []string
	for d := range c.In(ctx) {
		inner = append(inner, d.Name())
	}
	require.Equal(t, []string{"include", "deny"}, inner)
}

func TestTheValueInForceIsThatOfTheNearestLevel(t *testing.T) {
	c, err := Load(host("n", "user u; http { a 1; a 2; server { location / { include l; location /x { } } } }", "l", "a 3;"), "n", nil)
	require.NoError(t, err)
	for d, ctx := range c.All() {
		if d.Body() == nil {
			continue
		}
		found, level := c.Effective(append(ctx, d), "a")
		switch d.Name() {
		case "http", "server":
			require.Len(t, found, 2)
			require.Len(t, level, 1)
		case "location":
			require.Len(t, found, 1)
			require.Equal(t, "l:1:1", found[0].Pos().String())
			require.Len(t, level, 3)
		}
		found, level = c.Effective(append(ctx, d), "user")
		require.Len(t, found, 1)
		require.Empty(t, level)
	}
}

func TestBlocksMayNestAsDeepAsNginxCanFollow(t *testing.T) {
	deep := func(n int) error {
		c, err := Load(host("n", strings.Repeat("a{", n)+strings.Repeat("}", n)), "n", nil)
		levels := 0
		for range c.All() {
			levels++
		}
		require.LessOrEqual(t, levels, maxDepth+1)
		return err
	}
	require.NoError(t, deep(12_000))
	require.EqualError(t, deep(12_001), "n:1:24002: more than 12000 blocks in one another [too-deep]")
}

func TestAnEditGoesToTheFileItBelongsTo(t *testing.T) {
	c, err := Load(host("n.conf", "http { include a; }", "a", "server { listen 80; }"), "n.conf", nil)
	require.NoError(t, err)
	for d := range c.Find("http", "server", "listen") {
		d.SetArgs("81")
	}
	changed := slices.Collect(c.Changed())
	require.Equal(t, []string{"a"}, names(changed))
	require.Equal(t, "server { listen 81; }", string(changed[0].Bytes()))
}

func TestLoadReportsIncludesThatFail(t *testing.T) {
	fsys := host(
		"etc/n.conf", "a\nb;\ninclude nope.conf; }\ninclude d;\ninclude\n x;\ninclude loop;\ninclude bad;\n",
		"etc/d/x", "",
		"etc/loop", "include /etc/loop2;\n",
		"etc/loop2", "include /etc/loop;\n",
		"etc/bad", "x\n",
	)
	c, err := Load(fsys, "etc/n.conf", nil)
	require.NotNil(t, c)
	require.EqualError(t, err, strings.Join([]string{
		`etc/n.conf:3:9: open() "/etc/nope.conf" failed (2: No such file or directory) [include-failed]`,
		`etc/n.conf:3:20: unexpected "}" [unexpected-brace]`,
		`etc/n.conf:4:9: pread() "/etc/d" failed (21: Is a directory) [include-failed]`,
		`etc/n.conf:6:2: open() "/etc/x" failed (2: No such file or directory) [include-failed]`,
		`etc/loop2:1:9: include of "/etc/loop" closes a cycle, nginx would not come to its end [include-cycle]`,
		`etc/bad:2:1: unexpected end of file, expecting ";" or "}" [unexpected-end]`,
	}, "\n"))
	require.Equal(t, err, error(c.Diagnostics()))
	var d *Diagnostic
	require.True(t, errors.As(err, &d))
}

func TestAMainFileThatCannotBeReadIsAFileSystemError(t *testing.T) {
	c, err := Load(host(), "etc/nginx/nginx.conf", nil)
	require.Nil(t, c)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = LoadFile(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestIncludesThatDoubleAtEachLevelEnd(t *testing.T) {
	fsys := host("0", "include 1; include 1;")
	for i := 1; i < 60; i++ {
		n := fmt.Sprint(i + 1)
		fsys[fmt.Sprint(i)] = &fstest.MapFile{Data: []byte("include " + n + "; include " + n + ";")}
	}
	fsys["60"] = &fstest.MapFile{Data: []byte("a;")}
	c, err := Load(fsys, "0", nil)
	require.ErrorContains(t, err, "more than 1000000 files included")
	n := 0
	for range c.All() {
		n++
	}
	require.Less(t, n, 5_000_000)
}

func TestFindUnderstandsSelectors(t *testing.T) {
	f, err := Parse("x", []byte(`
http {
	server { listen 80; server_name a b.example; location / { x 1; } location = /s { x 2; } location ~ \.php$ { x 3; } }
	server { listen 81; server_name c; location /a/b { x 4; } location [x] { x 5; } }
}`))
	require.NoError(t, err)
	found := func(path ...string) (args []string) {
		for d := range f.Find(path...) {
			args = append(args, d.Args()...)
		}
		return args
	}
	require.Equal(t, []string{"80", "81"}, found("http", "server", "listen"))
	require.Equal(t, []string{"80"}, found("http", "server[server_name=b.example]", "listen"))
	require.Equal(t, []string{"1"}, found("http", "server", "location[/]", "x"))
	require.Equal(t, []string{"2"}, found("http", "server", "location[= /s]", "x"))
	require.Equal(t, []string{"3"}, found("http", "server", `location[~ \.php$]`, "x"))
	require.Equal(t, []string{"4", "5"}, found("http", "server[listen=81]", "location", "x"))
	require.Equal(t, []string{"81"}, found("http", "server[listen=81][server_name=c]", "listen"))
	require.Equal(t, []string{"1", "2", "3", "4", "5"}, found("*", "*", "*", "*"))
	require.Empty(t, found("http", "server[listen=82]", "listen"))
	require.Empty(t, found("http", "server", "listen", "x"))
	require.Empty(t, found())

	for d := range f.Query("http/server[server_name=c]/location[/a/b]/x") {
		require.Equal(t, []string{"4"}, d.Args())
	}
	require.Equal(t, []string{"http", "server[listen=81]", "location[~ /[a]/]", "x"}, splitPath("http/server[listen=81]/location[~ /[a]/]/x"))
}

func TestGlobIsTheOneOfTheCLibrary(t *testing.T) {
	for _, g := range []struct {
		pattern, name string
		match         bool
	}{
		{"*.conf", "a.conf", true}, {"*.conf", ".conf", false}, {".*", ".a", true}, {"?a", ".a", false}, {"[.]a", ".a", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"[a-c]", "b", true}, {"[!a-c]", "b", false}, {"[^a-c]", "d", true},
		{"[]a]", "]", true}, {"[a", "[a", true}, {"[[:digit:]]x", "7x", true}, {"[[:alpha:]_]", "7", false}, {`\*`, "*", true}, {`\*`, "a", false},
		{"*a*b*c", "xxaxxbxxc", true}, {"*a*b*c", "xxaxxbxx", false}, {"**", "", true}, {"[a-]", "-", true}, {`[\]]`, "]", true},
	} {
		require.Equal(t, g.match, matchGlob(g.pattern, g.name), "%s %s", g.pattern, g.name)
	}
}

// TestOracleIncludes asks the installed nginx which files it reads, and in
// which order.
func TestOracleIncludes(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	rnd, cases := oracleSize(t, 60)
	atoms := []string{"a", "b", ".h", "*", "?", "[ab]", "[!a]", "[[:alpha:]]", "[", "]", "-", `\*`, "A", "é"}
	entry := func(n int) string {
		var s string
		for range 1 + rnd.IntN(n) {
			s += atoms[rnd.IntN(len(atoms))]
		}
		return s
	}
	for range cases {
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
		for range 1 + rnd.IntN(12) {
			p := filepath.Join(dir, "d", strings.ReplaceAll(entry(3), `\`, ""))
			if rnd.IntN(3) == 0 {
				_ = os.MkdirAll(p, 0o700)
				p = filepath.Join(p, strings.ReplaceAll(entry(2), `\`, ""))
			}
			if _, err := os.Stat(p); err != nil {
				_ = os.WriteFile(p, []byte("\n"), 0o600)
			}
		}
		pattern := entry(3)
		if rnd.IntN(3) == 0 {
			pattern += "/" + entry(2)
		}
		main := filepath.Join(dir, "main.conf")
		text := "events{}\ninclude " + quote("d/"+pattern, 0) + ";\n"
		require.NoError(t, os.WriteFile(main, []byte(text), 0o600))
		out, err := exec.Command(nginx, "-T", "-q", "-c", main, "-p", dir, "-g", "error_log stderr; pid nginx.pid;").CombinedOutput()
		c, ours := LoadFile(main)
		if err != nil {
			require.Error(t, ours, "%s\n%s", text, out)
			require.Contains(t, string(out), ours.(Diagnostics)[0].Message, text)
			continue
		}
		require.NoError(t, ours, "%s\n%s", text, out)
		var dump bytes.Buffer
		require.NoError(t, c.Dump(&dump))
		require.Equal(t, string(out), dump.String(), text)
		var want []string
		for _, m := range regexp.MustCompile(`(?m)^# configuration file (.*):$`).FindAllStringSubmatch(string(out), -1) {
			want = append(want, filepath.Clean(m[1]))
		}
		require.Equal(t, want, names(slices.Collect(c.Files())), text)
	}
}

func TestAConfigKnowsWhereItWasReadFrom(t *testing.T) {
	fsys := fstest.MapFS{"nginx.conf": {Data: []byte("events {}")}, "users": {Data: []byte("ada:x")}}
	c, err := Load(fsys, "nginx.conf", nil)
	require.NoError(t, err)
	users, err := fs.ReadFile(c.FS(), "users")
	require.NoError(t, err)
	require.Equal(t, "ada:x", string(users))
	require.Nil(t, c.Root.Config().FS())
}
