package portmap

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// seeds returns the Markdown of the tests.
func seeds(f *testing.F) (texts []string) {
	f.Helper()
	files, err := filepath.Glob("testdata/edit/*.txtar")
	require.NoError(f, err)
	for _, name := range append(files, "testdata/services.md") {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		texts = append(texts, string(data))
	}
	const table = "|service|subdomain|port|\n|-|-|-|\n|a|b|8080|\n|c|d|8081|\n"
	return append(texts, "", "\ufeff", table, strings.ReplaceAll(table, "\n", "\r\n"), strings.TrimSuffix(table, "\n"),
		"\ufeff"+strings.ReplaceAll(table, "|\n", "\n"), "- "+strings.ReplaceAll(table, "\n", "\n  "), "> "+table, "```\n"+table,
		"service|server name|socket|env|domain|bind|port\n-|-|-|-|-|-|-\na|`b`.example.se|—|prod|x|127.0.0.1|**80**|z\n\\||[c](d)\n",
		"Stage\n=====\n<!-- -->\n1. x\n   |port|host|\n   |:-:|--:|\n   |&nbsp;8080|a|\n   |<b>1</b>|~~c~~|\n")
}

func FuzzParseMarkdown(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := ParseMarkdown("s.md", src)
		require.NotNil(t, d)
		require.True(t, bytes.Equal(src, d.Bytes()), "any bytes come back")
		require.Equal(t, err, d.Diagnostics().Err())
		m := d.Map()
		if err == nil {
			for _, s := range m.Services {
				require.True(t, s.Port != 0 || s.Socket != "", "a sound service can be reached")
			}
		}
		for _, s := range m.Services {
			for _, span := range []Span{s.Place.Row, s.Place.Name, s.Place.Subdomain, s.Place.Port, s.Place.Bind} {
				if span.IsValid() {
					require.True(t, s.Place.Row.Start.Offset <= span.Start.Offset && span.Start.Offset <= span.End.Offset)
					require.LessOrEqual(t, span.End.Offset, s.Place.Row.End.Offset)
					require.Equal(t, s.Place.Row.Start.Line, span.End.Line)
				}
			}
		}
		for _, found := range d.Check(nil) {
			require.NotEmpty(t, found.Code)
			require.NotContains(t, found.Message, "\n")
			for _, fix := range found.Fixes {
				mended, _ := ParseMarkdown("s.md", src)
				require.NoError(t, mended.Apply(fix), "a fix fits the text it was made for")
				require.Len(t, mended.Map().Services, len(m.Services))
			}
		}
		for _, environment := range []string{Production, Stage} {
			if p, err := m.NextFree(environment); err == nil {
				for range m.ByPort(p) {
					t.Fatalf("port %d is taken", p)
				}
			}
		}
	})
}

// Each edit shows when the text is read again, and leaves the bytes of all
// other lines as they were.
func FuzzEdit(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add([]byte(s), "New", "new", "", uint16(9090+i))
		f.Add([]byte(s), "a|`b` *c*", "b.c", "example.se", uint16(80))
	}
	f.Fuzz(func(t *testing.T, src []byte, name, subdomain, domain string, port uint16) {
		d, _ := ParseMarkdown("s.md", src)
		same := func(before, after string, at int) {
			t.Helper()
			// One stretch of bytes may differ: it lies in, or right above, the
			// line at.
			start, end := 0, 0
			for start < min(len(before), len(after)) && before[start] == after[start] {
				start++
			}
			for end < min(len(before), len(after))-start && before[len(before)-1-end] == after[len(after)-1-end] {
				end++
			}
			require.LessOrEqual(t, strings.Count(before[start:len(before)-end], "\n"), at)
			require.LessOrEqual(t, strings.Count(after[start:len(after)-end], "\n"), at)
		}

		added := Service{Name: name, Subdomain: subdomain, Domain: domain, Port: Port(port), Environment: Stage}
		before := string(d.Bytes())
		n := len(d.Map().Services)
		if err := d.Add(added); err != nil {
			require.Equal(t, before, string(d.Bytes()))
		} else {
			same(before, string(d.Bytes()), 1)
			require.Len(t, d.Map().Services, n+1)
			found := false
			for _, s := range d.Map().Services {
				found = found || s.Port == added.Port && s.host() == added.host() && s.Environment == Stage && (s.Name == name || name == "")
			}
			require.True(t, found)
		}

		for i, s := range d.Map().Services {
			if i > 5 {
				break
			}
			before = string(d.Bytes())
			if err := d.SetPort(s.host(), Port(port)); err != nil {
				require.Equal(t, before, string(d.Bytes()))
				continue
			}
			same(before, string(d.Bytes()), 0)
			got := d.Map().Services[i]
			require.Equal(t, Port(port), got.Port)
			s.Port, s.Place, got.Place = got.Port, Place{}, Place{}
			require.Equal(t, s, got)
		}

		for i, s := range d.Map().Services {
			before, n = string(d.Bytes()), len(d.Map().Services)
			if err := d.Remove(s.host()); err != nil {
				require.Equal(t, before, string(d.Bytes()))
				continue
			}
			same(before, string(d.Bytes()), 1)
			require.Len(t, d.Map().Services, n-1)
			_, there := d.Map().BySubdomain(s.host())
			assert.False(t, there)
			if i > 5 {
				break
			}
		}
	})
}

func FuzzParseINI(f *testing.F) {
	for _, s := range []string{"", iniSource, "[a]\nsubdomain=a\nport=8080\n", "\ufeff[a]\r\nport:1\r\n", "[a\n]=\n`x`=y\n\"\"\"=\n=\"\"\"\n[DEFAULT]\nbind=x ; y\n-=1\n[[]]\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := ParseINI("ports.ini", src)
		require.NotNil(t, m)
		if err != nil {
			var ds Diagnostics
			require.ErrorAs(t, err, &ds)
			for _, d := range ds {
				require.True(t, d.Start.IsValid(), d.Message)
				require.LessOrEqual(t, d.End.Offset, len(src))
				require.NotContains(t, d.Message, "\n")
			}
		}
		text, err := m.INI()
		if err != nil {
			return
		}
		back, _ := ParseINI("again.ini", text)
		require.Len(t, back.Services, len(m.Services))
		for i, s := range m.Services {
			require.True(t, sameValues(s, back.Services[i]), "%s", text)
		}
		m.Check(nil)
	})
}

// A cell says what it was written to say, or it is not written.
func FuzzCellText(f *testing.F) {
	for _, s := range []string{"", "Scout (Archive)", "a|b", `a\|b`, `\`, `\\`, "**x**", "`x`", "[a](b)", "_x_", "a_b", "&amp;", "<b>", "~~a~~", "![x]", " x", "\xff", "—", "a\u00a0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell, ok := escapeCell(text)
		if !ok {
			return
		}
		require.Equal(t, text, readCell(cell, 0, len(cell)).text)
		src := "|service|subdomain|port|\n|-|-|-|\n|" + cell + " |b|8080|\n"
		d, _ := ParseMarkdown("s.md", []byte(src))
		require.Len(t, d.Map().Services, 1)
		require.Equal(t, text, d.Map().Services[0].Name)
	})
}

func FuzzSplitServerName(f *testing.F) {
	for _, s := range []string{"", "scout.example.se", "a.b.example.co.uk.", "co.uk", "bücher.example.se", "。a.se", "xn--a.se", "a..b", "-a.se", "127.0.0.1", "::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		subdomain, domain, err := SplitServerName(host)
		if err != nil {
			require.Empty(t, subdomain+domain)
			return
		}
		want, err := toASCII(host)
		require.NoError(t, err)
		got, err := Service{Subdomain: subdomain, Domain: domain}.ServerName()
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
