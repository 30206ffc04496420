package portmap

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// A golden file holds several texts, each below a line "-- name --": in.md is
// the input, do the edits, one a line, out.md and findings what they lead to.
func readGolden(t *testing.T, name string) (order []string, parts map[string]string) {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	parts = map[string]string{}
	key := ""
	for line := range strings.Lines(string(data)) {
		if title, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(title, " --") {
			key = strings.TrimSuffix(title, " --")
			order = append(order, key)
			continue
		}
		parts[key] += line
	}
	return order, parts
}

// do makes one edit: "set SUBDOMAIN PORT", "remove SUBDOMAIN", "fix" (what Check
// offers first) or "add NAME ; SUBDOMAIN ; PORT ; KEY=VALUE …".
func do(d *Document, edit string) error {
	verb, rest, _ := strings.Cut(edit, " ")
	switch verb {
	case "set":
		f := strings.Fields(rest)
		p, err := ParsePort(f[1])
		if err != nil {
			return err
		}
		return d.SetPort(f[0], p)
	case "remove":
		return d.Remove(rest)
	case "fix":
		for _, f := range d.Check(nil) {
			if len(f.Fixes) > 0 {
				return d.Apply(f.Fixes[0])
			}
		}
		return fmt.Errorf("nothing to fix")
	case "add":
		f := strings.Split(rest, " ; ")
		s := Service{Name: f[0], Subdomain: f[1]}
		s.Port, _ = ParsePort(f[2])
		for _, kv := range f[3:] {
			switch k, v, _ := strings.Cut(kv, "="); k {
			case "env":
				s.Environment = v
			case "domain":
				s.Domain = v
			case "bind":
				s.Bind = v
			case "socket":
				s.Socket = v
			default:
				return fmt.Errorf("unknown %s", kv)
			}
		}
		return d.Add(s)
	}
	return fmt.Errorf("unknown edit %q", edit)
}

func TestEditsChangeOnlyWhatTheyMust(t *testing.T) {
	files, err := filepath.Glob("testdata/edit/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			_, parts := readGolden(t, name)
			d, _ := ParseMarkdown("in.md", []byte(parts["in.md"]))
			require.Equal(t, parts["in.md"], string(d.Bytes()))
			said := ""
			for edit := range strings.Lines(parts["do"]) {
				if err := do(d, strings.TrimSuffix(edit, "\n")); err != nil {
					said += err.Error() + "\n"
				}
			}
			for _, f := range d.Check(nil) {
				said += strings.ToLower(f.Level.String()) + " " + f.Error() + "\n"
			}
			if *update {
				text := parts[""] + "-- in.md --\n" + parts["in.md"] + "-- do --\n" + parts["do"] + "-- out.md --\n" + string(d.Bytes())
				if said != "" {
					text += "-- said --\n" + said
				}
				require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
				return
			}
			assert.Equal(t, parts["out.md"], string(d.Bytes()))
			assert.Equal(t, parts["said"], said)
		})
	}
}

// What a golden file in text cannot show: line ends, a byte order mark, the end
// of the file.
func TestEditsKeepTheFormOfTheFile(t *testing.T) {
	const head = "|service|subdomain|port|\n|-|-|-|\n"
	windows := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for _, c := range []struct{ what, src, edit, want string }{
		{"Windows: add", windows(head + "|a|b|8080|\n\ntext\n"), "add c ; d ; 8081", windows(head + "|a|b|8080|\n|c|d|8081|\n\ntext\n")},
		{"Windows: add at the end", windows(head + "|a|b|8080|"), "add c ; d ; 8081", windows(head + "|a|b|8080|\n|c|d|8081|")},
		{"Windows: remove", windows(head + "|a|b|8080|\n|c|d|8081|\n"), "remove b", windows(head + "|c|d|8081|\n")},
		{"Windows: remove the last", windows(head + "|a|b|8080|\n|c|d|8081|"), "remove d", windows(head + "|a|b|8080|")},
		{"Windows: set", windows(head + "|a|b|8080|\n"), "set b 80", windows(head + "|a|b|80|\n")},
		{"lines of both kinds", windows(head) + "|a|b|8080|\n", "add c ; d ; 8081", windows(head) + "|a|b|8080|\n|c|d|8081|\n"},
		{"a mark: add", "\ufeff" + head + "|a|b|8080|\n", "add c ; d ; 8081", "\ufeff" + head + "|a|b|8080|\n|c|d|8081|\n"},
		{"a mark: set", "\ufeff" + head + "|a|b|8080|\n", "set b 8081", "\ufeff" + head + "|a|b|8081|\n"},
		{"no final line end: add", head + "|a|b|8080|", "add c ; d ; 8081", head + "|a|b|8080|\n|c|d|8081|"},
		{"no final line end: to a table without rows", "\ufeff|service|subdomain|port|\n|-|-|-|", "add c ; d ; 8081", "\ufeff" + head + "|c|d|8081|"},
		{"no final line end: remove", head + "|a|b|8080|\n|c|d|8081|", "remove d", head + "|a|b|8080|"},
		{"no final line end: remove the only one", head + "|a|b|8080|", "remove b", strings.TrimSuffix(head, "\n")},
		{"no final line end: set", head + "|a|b|8080|", "set b 8082", head + "|a|b|8082|"},
		{"a backslash before a pipe", head + "|a|b|8080|\n", `add c\ ; d ; 8081`, head + "|a|b|8080|\n" + `|c\ |d|8081|` + "\n"},
		{"trailing blanks stay", head + "|a|b|8080|  \n", "set b 8082", head + "|a|b|8082|  \n"},
		{"tabs stay", head + "|\ta|b |\t8080\t|\n", "set b 8082", head + "|\ta|b |\t8082\t|\n"},
		{"bytes that are not UTF-8 stay", "\xff\n\n" + head + "|\xe9|b|8080|\n", "set b 8082", "\xff\n\n" + head + "|\xe9|b|8082|\n"},
	} {
		t.Run(c.what, func(t *testing.T) {
			d := parse(t, c.src)
			require.NoError(t, do(d, c.edit))
			assert.Equal(t, c.want, string(d.Bytes()))
		})
	}
}

func TestEditsThatCannotBeMadeChangeNothing(t *testing.T) {
	const src = "production\n\n|service|subdomain|port|\n|-|-|-|\n|a|b|8080|\n|c|d|8081|\n\nstage\n\n|service|subdomain|port|\n|-|-|-|\n|e|d|8082|\n"
	for edit, want := range map[string]string{
		"set x 8080":                         `no service has the subdomain "x"`,
		"set d 8090":                         `"d" stands in more than one row: d (s.md:6:4) and d (s.md:12:4)`,
		"remove d":                           `"d" stands in more than one row`,
		"remove ":                            `no service has the subdomain ""`,
		"add x ; B ; 8090":                   "b (s.md:5:4) is there already",
		"add x ; x ; 0":                      "x has neither port nor socket",
		"add  ;  ; 8090":                     "the service has no name",
		"add x ; x ; 8090 ; env=test":        `s.md has no table for the environment "test"`,
		"add x ; x ; 8090 ; domain=a.se":     `s.md:10:1: the table has no column for "a.se"`,
		"add x ; x ; 8090 ; bind=127.0.0.1":  `the table has no column for "127.0.0.1"`,
		"add x ; x ; 8090 ; socket=/run/a.s": `the table has no column for "/run/a.s"`,
		"add x\ny ; x ; 8090":                `a table cannot say "x\ny"`,
		"add x\r ; x ; 8090":                 `a table cannot say "x\r"`,
		"add — ; x ; 8090":                   `a table cannot say "—"`,
		"add x  ; x ; 8090":                  `a table cannot say "x "`,
		"add x ; \x7f ; 8090":                "a table cannot say",
	} {
		d, _ := ParseMarkdown("s.md", []byte(src))
		err := do(d, edit)
		require.Error(t, err, edit)
		assert.Contains(t, err.Error(), want, edit)
		assert.Equal(t, src, string(d.Bytes()), edit)
		assert.Len(t, d.Map().Services, 3)
	}

	d := parse(t, "|service|subdomain|socket|\n|-|-|-|\n|a|b|/run/a.sock|\n")
	assert.EqualError(t, d.SetPort("b", 8080), "s.md:1:1: the table has no column for the port")
	assert.EqualError(t, d.SetPort("b", 0), "port 0 is none to listen on: ports are 1 to 65535")
	d, _ = ParseMarkdown("s.md", nil)
	assert.EqualError(t, d.Add(Service{Name: "a", Subdomain: "a", Port: 1}), "s.md has no port table")
}

func TestApplyRefusesWhatDoesNotFit(t *testing.T) {
	const src = "|service|subdomain|port|\n|-|-|-|\n|a|b|8080|\n|c|d|8081|\n"
	d := parse(t, src)
	at := func(offset int) (e Edit) {
		e.Start, e.End = d.position(offset), d.position(offset+4)
		e.NewText = "9000"
		return e
	}
	first, second := strings.Index(src, "8080"), strings.Index(src, "8081")
	changed := func(f func(*Edit)) Edit {
		e := at(first)
		f(&e)
		return e
	}
	for what, edits := range map[string][]Edit{
		"another file":         {changed(func(e *Edit) { e.Start.Filename = "other.md" })},
		"another file's end":   {changed(func(e *Edit) { e.End.Filename = "other.md" })},
		"backwards":            {changed(func(e *Edit) { e.Start, e.End = e.End, e.Start })},
		"outside":              {changed(func(e *Edit) { e.End.Offset = len(src) + 1 })},
		"before the beginning": {changed(func(e *Edit) { e.Start.Offset = -1 })},
		"a wrong line":         {changed(func(e *Edit) { e.Start.Line++ })},
		"a wrong column":       {changed(func(e *Edit) { e.End.Column++ })},
		"a number torn apart":  {changed(func(e *Edit) { e.End = d.position(first + 2) })},
		"overlapping":          {at(first), at(first)},
		"one good, one bad":    {at(first), changed(func(e *Edit) { e.Start.Line++ })},
	} {
		assert.Error(t, d.Apply(Fix{Edits: edits}), what)
		assert.Equal(t, src, string(d.Bytes()), what)
	}
	require.NoError(t, d.Apply(Fix{Edits: []Edit{at(second), at(first)}}), "in any order")
	assert.Equal(t, strings.NewReplacer("8080", "9000", "8081", "9000").Replace(src), string(d.Bytes()))
	require.NoError(t, d.Apply(Fix{}))
}

func TestAStaleFixIsRefused(t *testing.T) {
	d := parse(t, "|service|subdomain|port|\n|-|-|-|\n|a|b|9999|\n|c|d|9999|\n")
	found := d.Check(nil)
	require.Len(t, found, 1)
	require.NoError(t, d.SetPort("b", 10001))
	assert.Error(t, d.Apply(found[0].Fixes[0]), "the row has moved by a byte")
	require.NoError(t, d.Remove("b"))
	assert.Error(t, d.Apply(found[0].Fixes[0]))
}

func TestFixKeepsTheColumnInLine(t *testing.T) {
	row := func(name, port string) string { return fmt.Sprintf("| %-9s | %s |\n", name, port) }
	table := func(ports ...string) string {
		s := "| subdomain | port   |\n|-----------|--------|\n"
		for i, p := range ports {
			s += row(string(rune('a'+i%5))+map[bool]string{true: "-stage"}[i > 4], p)
		}
		return s
	}
	d := parse(t, table("10001 ", "10002 ", "10003 ", "10004 ", "10005 ", "9001  ", "9002  ", "9003  ", "9004  ", "10011 "))
	found := d.Check(&CheckOptions{Allow: []Port{9001}})
	require.Equal(t, []string{"stage-offset-broken"}, codes(found))
	require.NoError(t, d.Apply(found[0].Fixes[0]))
	assert.Equal(t, table("10001 ", "10002 ", "10003 ", "10004 ", "10005 ", "9001  ", "9002  ", "9003  ", "9004  ", "9005  "), string(d.Bytes()))

	d = parse(t, table("9001  ", "9002  ", "9003  ", "9004  ", "9005  ", "10001 ", "10002 ", "10003 ", "10004 ", "1105  "))
	found = d.Check(&CheckOptions{Allow: []Port{9001}})
	require.Equal(t, []string{"stage-offset-broken"}, codes(found))
	require.NoError(t, d.Apply(found[0].Fixes[0]))
	assert.Equal(t, table("9001  ", "9002  ", "9003  ", "9004  ", "9005  ", "10001 ", "10002 ", "10003 ", "10004 ", "10005 "), string(d.Bytes()))
}

func TestDisplayWidthCountsColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "åäö": 3, "e\u0301": 1, "漢字": 4, "한국": 4, "ｱ": 2, "🙂": 2, "—": 1, "\xff": 1} {
		assert.Equal(t, want, displayWidth(s), s)
	}
}
