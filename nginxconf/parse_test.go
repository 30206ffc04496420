package nginxconf

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAllSyntaxErrorsAreReportedAndTheTreeIsKept(t *testing.T) {
	const src = "a b\n}\nserver {\n  listen 80\n}\n;\n\"x\"y z;\nlocation / {\n  c d;\n"
	f, err := Parse("x.conf", []byte(src))
	require.EqualError(t, err, strings.Join([]string{
		`x.conf:2:1: unexpected "}" [unexpected-brace]`,
		`x.conf:5:1: unexpected "}" [unexpected-brace]`,
		`x.conf:6:1: unexpected ";" [unexpected-semicolon]`,
		`x.conf:7:4: unexpected "y" [unexpected-character]`,
		`x.conf:10:1: unexpected end of file, expecting "}" [unexpected-end]`,
	}, "\n"))
	require.Equal(t, src, string(f.Bytes()))
	require.Equal(t, []string{"80"}, first(t, f, "server", "listen").Args())
	require.Equal(t, []string{"d"}, first(t, f, "location[/]", "c").Args())
}

func TestAMissingSemicolonComesWithItsFix(t *testing.T) {
	const src = "server {\n  listen 80 # plain\n}\n"
	_, err := Parse("x.conf", []byte(src))
	d := err.(Diagnostics)[0]
	require.Equal(t, "x.conf:3:1", d.Start.String())
	require.Len(t, d.Fixes, 1)
	e := d.Fixes[0].Edits[0]
	require.Equal(t, "x.conf:2:12", e.Start.String())
	mended := src[:e.Start.Offset] + e.NewText + src[e.End.Offset:]
	_, err = Parse("x.conf", []byte(mended))
	require.NoError(t, err)
}

func TestAnErrorFarFromItsCauseComesWithAFixAtTheCause(t *testing.T) {
	for _, c := range []struct{ name, src, at, fix, mended string }{
		{
			"a brace missing far above",
			"http {\n    server {\n        location / {\n            a;\n    }\n    b;\n}\n",
			"x:8:1: unexpected end of file, expecting \"}\" [unexpected-end]", "close the location block of line 3",
			"http {\n    server {\n        location / {\n            a;\n        }\n    }\n    b;\n}\n",
		}, {
			"a brace missing at the end",
			"http {\n    server {\n    }\n",
			"x:4:1: unexpected end of file, expecting \"}\" [unexpected-end]", "close the http block of line 1",
			"http {\n    server {\n    }\n}\n",
		}, {
			"a brace too many far above",
			"http {\n    server {\n    }\n    }\n    b;\n}\n",
			"x:6:1: unexpected \"}\" [unexpected-brace]", "remove the \"}\" that closes the http block of line 1 early",
			"http {\n    server {\n    }\n    \n    b;\n}\n",
		}, {
			"a brace too many",
			"http {\n}\n}\n",
			"x:3:1: unexpected \"}\" [unexpected-brace]", "remove the \"}\"",
			"http {\n}\n\n",
		}, {
			"a quote that is not closed",
			"a \"b c;\nd e;\n",
			"x:3:1: unexpected end of file, expecting \";\" or \"}\" [unexpected-end]", "close the quote of line 1",
			"a \"b c\";\nd e;\n",
		}, {
			"a quote that is not closed in a long file",
			"a 'b c;\n" + strings.Repeat("d e;\n", 2000),
			"x:1:3: too long parameter, probably missing terminating \"'\" character [too-long-parameter]", "close the quote of line 1",
			"a 'b c';\n" + strings.Repeat("d e;\n", 2000),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("x", []byte(c.src))
			require.Error(t, err)
			d := err.(Diagnostics)[0]
			require.Equal(t, c.at, d.Error())
			require.Len(t, d.Fixes, 1)
			require.Equal(t, c.fix, d.Fixes[0].Message)
			require.Equal(t, c.mended, apply(t, c.src, d.Fixes[0].Edits))
			_, err = Parse("x", []byte(c.mended))
			require.NoError(t, err)
		})
	}
}

func TestEveryWordAndCommentHasItsPlace(t *testing.T) {
	f, err := Parse("x.conf", []byte("# far\n\n# near\n\tserver_name 'a b' # why\n\t\tc; # end\n"))
	require.NoError(t, err)
	d := f.At(0)
	require.Equal(t, "x.conf:4:2", d.Pos().String())
	require.Equal(t, "x.conf:5:5", d.End().String())
	require.Equal(t, "x.conf:5:4", d.TermPos().String())
	start, end := d.Span(1)
	require.Equal(t, "x.conf:4:14", start.String())
	require.Equal(t, "x.conf:4:19", end.String())
	require.Equal(t, "'a b'", d.Raw(1))
	require.Equal(t, "a b", d.Arg(0))
	var comments []string
	for c := range d.Comments() {
		comments = append(comments, c.Start.String()+" "+c.Text)
	}
	require.Equal(t, []string{"x.conf:3:1 # near", "x.conf:4:20 # why", "x.conf:5:6 # end"}, comments)
	require.Same(t, f, d.File())
	require.Nil(t, d.Parent())
}

func TestReadingArgumentsAllocatesOnlyToUnescape(t *testing.T) {
	f, err := Parse("x", []byte(`a bare "quoted" 'single' \d;`))
	require.NoError(t, err)
	d := f.At(0)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for i := range 3 {
			_ = d.Arg(i)
		}
		_ = d.Name()
	}))
}

func TestLongDirectivesAndBlocksAreReadInWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 0))
	var src strings.Builder
	var want []string
	directive := func(words int, end string) {
		var line []string
		for i := range words {
			line = append(line, fmt.Sprintf([]string{"w%d", `"q %d"`, "$%d"}[i%3], rnd.IntN(1_000_000)))
		}
		if end == "{ return }" {
			line[0], line[words-1] = "a_by_lua_block", " return "
			src.WriteString(strings.Join(line[:words-1], " ") + " { return }\n")
		} else {
			src.WriteString(strings.Join(line, " ") + end + "\n")
		}
		want = append(want, strings.Join(line, "\n"))
	}
	for _, n := range []int{1, 4095, 4096, 2, 4097, 3, 50_000, 5, 20_000} {
		directive(n, ";")
		directive(1+n%7, "{")
		for range n {
			directive(1+rnd.IntN(20), ";")
		}
		directive(2+n%3000, "{ return }")
		src.WriteString("}\n")
	}
	f, err := Parse("x.conf", []byte(src.String()))
	require.NoError(t, err)
	require.Equal(t, src.String(), string(f.Bytes()))
	var got []string
	for d := range f.All() {
		words := make([]string, d.NumArgs()+1)
		for i := range words {
			words[i] = d.Raw(i)
		}
		got = append(got, strings.Join(words, "\n"))
		if d.Container().At(d.Container().Index(d)) != d {
			t.Fatal("not where its index says")
		}
	}
	require.True(t, slices.Equal(want, got))
}

func TestHostileInputEndsInBoundedTimeWithAnError(t *testing.T) {
	for name, src := range map[string]string{
		"blocks in one another":   strings.Repeat("a{", 1_000_000),
		"closed, too":             strings.Repeat("a{", 1_000_000) + strings.Repeat("}", 1_000_000),
		"braces without a name":   strings.Repeat("{", 1_000_000),
		"closing braces":          strings.Repeat("}", 1_000_000),
		"one long word":           strings.Repeat("w", 10_000_000),
		"one long quote":          `a "` + strings.Repeat("w", 10_000_000),
		"one long comment":        "#" + strings.Repeat("w", 10_000_000) + "\n",
		"semicolons":              strings.Repeat(";", 1_000_000),
		"text glued to a quote":   strings.Repeat(`""x`, 500_000),
		"words without an end":    strings.Repeat("w ", 1_000_000),
		"a brace too many behind": strings.Repeat("a{b;}", 500_000) + "}",
		"a brace too few":         strings.Repeat("a{b;}", 500_000) + "c{",
		"comments without a end":  strings.Repeat("w#\n", 500_000),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Parse("x", []byte(src))
			require.Error(t, err)
			require.LessOrEqual(t, len(err.(Diagnostics)), maxDiagnostics+1)
			require.True(t, string(f.Bytes()) == src)
			n := 0
			for d := range f.All() {
				n++
				if n%1000 == 0 {
					d.Remove()
				}
			}
		})
	}
}

func TestTheJSONOfAFindingIsTheOneOfAllPackages(t *testing.T) {
	_, err := Parse("x.conf", []byte("a {\n b\n}"))
	got, err := json.Marshal(err.(Diagnostics)[0])
	require.NoError(t, err)
	require.Equal(t, `{"start":{"file":"x.conf","offset":7,"line":3,"column":1},`+
		`"end":{"file":"x.conf","offset":8,"line":3,"column":2},"level":"ERROR","code":"unexpected-brace","message":"unexpected \"}\"",`+
		`"fixes":[{"message":"insert the missing semicolon","edits":[{"start":{"file":"x.conf","offset":6,"line":2,"column":3},`+
		`"end":{"file":"x.conf","offset":6,"line":2,"column":3},"new_text":";"}]}]}`, string(got))
}

func TestFindingsSortByPlaceAndOnlyErrorsAreAnError(t *testing.T) {
	f, _ := Parse("b", []byte("a;\nb;\n"))
	at := func(file string, i int, l slog.Level) *Diagnostic {
		p := f.At(i).Pos()
		p.Filename = file
		return &Diagnostic{Start: p, Level: l}
	}
	ds := Diagnostics{at("b", 1, slog.LevelWarn), at("b", 1, slog.LevelError), at("b", 0, slog.LevelInfo), at("a", 1, slog.LevelWarn)}
	want := []*Diagnostic{ds[3], ds[2], ds[1], ds[0]}
	ds.Sort()
	require.True(t, slices.Equal(want, ds))
	require.Error(t, ds.Err())
	require.NoError(t, ds[:2].Err())
	require.NoError(t, Diagnostics(nil).Err())
}

// fleet is n sites in the shape of the quickstart's.
func fleet(n int) []byte {
	var b strings.Builder
	for i := range n {
		name := "app" + strings.Repeat("x", i%7)
		b.WriteString("# " + name + "\nserver {\n    listen 80;\n    server_name " + name + ".example.se;\n    return 301 https://$host$request_uri;\n}\n\n" +
			"server {\n    listen 443 ssl;\n    server_name " + name + ".example.se;\n\n    ssl_certificate /etc/ssl/house.crt;\n    ssl_certificate_key /etc/ssl/house.key;\n\n" +
			"    allow 192.0.2.0/24; # office\n    allow 2001:db8::/32;\n    deny all;\n\n    location / {\n        proxy_set_header Host $host;\n        proxy_set_header X-Real-IP $remote_addr;\n" +
			"        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n        proxy_set_header X-Forwarded-Proto $scheme;\n        proxy_pass http://127.0.0.1:8080;\n    }\n}\n\n")
	}
	return []byte(b.String())
}

// BenchmarkLoad reads 5,000 included sites from disk.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	size := 0
	write := func(name string, text []byte) {
		size += len(text)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o700); err != nil {
		b.Fatal(err)
	}
	write("nginx.conf", []byte("events {}\nhttp {\n    include conf.d/*.conf;\n}\n"))
	for i := range 5000 {
		write(fmt.Sprintf("conf.d/%04d.conf", i), fleet(1))
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := LoadFile(filepath.Join(dir, "nginx.conf")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []struct {
		name  string
		sites int
	}{{"one site", 1}, {"10 MB", 13_300}} {
		src := fleet(size.sites)
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("x.conf", src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
