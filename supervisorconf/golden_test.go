package supervisorconf

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const scout = `; scout, kept by the web team

; The archive runs elsewhere.
[program:scout]
command      = gunicorn --workers=4 scout.server.auto:app   ; see the wiki
autorestart  = true
stopwaitsecs = 10                                           ; Gunicorn's workers want 30
environment  = LANG="C.UTF-8",
    ; what it connects to
    DB_HOST="db1",   ; the old one
    DB_PORT="5432"

; about nipt

; one worker in stage
[program:nipt]
  command: gunicorn nipt.server.auto:app
  ; off for now
  ;user: nipt
  priority: 5

[group:all]
programs=scout,nipt
`

func TestEditsChangeOnlyWhatWasAsked(t *testing.T) {
	set := func(typ, name, key, value string) func(t *testing.T, f *File) {
		return func(t *testing.T, f *File) { require.NotNil(t, f.Section(typ, name).Set(key, value)) }
	}
	edits := []struct {
		name string
		in   string
		edit func(t *testing.T, f *File)
	}{
		{"a value, and the comment behind it stays", scout, set("program", "scout", "stopwaitsecs", "30")},
		{"a name in another case", scout, set("program", "nipt", "PRIORITY", "7")},
		{"an option like its aligned neighbours", scout, set("program", "scout", "user", "www-data")},
		{"an option like its indented neighbours", scout, set("program", "nipt", "user", "nipt")},
		{"an option of a section without blanks", scout, set("group", "all", "priority", "5")},
		{"one variable of an environment", scout, set("program", "scout", "environment", "LANG=\"C.UTF-8\",\nDB_HOST=\"db2\",\nDB_PORT=\"5432\"")},
		{"one variable more", scout, set("program", "scout", "environment", "LANG=\"C.UTF-8\",\nDB_HOST=\"db1\",\nDB_PORT=\"5432\",\nDB_NAME=\"scout\"")},
		{"one variable less", scout, set("program", "scout", "environment", "LANG=\"C.UTF-8\",\nDB_PORT=\"5432\"")},
		{"several lines become one", scout, set("program", "scout", "environment", "LANG=\"C\"")},
		{"remove an option", scout, func(t *testing.T, f *File) { f.Section("program", "scout").Get("autorestart").Remove() }},
		{"remove an option of several lines", scout, func(t *testing.T, f *File) { f.Section("program", "scout").Get("environment").Remove() }},
		{"remove an option with the comments above", scout, func(t *testing.T, f *File) { f.Section("program", "nipt").Get("priority").Remove() }},
		{"remove a section, and the comment set apart stays", scout, func(t *testing.T, f *File) { f.Section("program", "nipt").Remove() }},
		{"remove the last section", scout, func(t *testing.T, f *File) { f.Section("group", "all").Remove() }},
		{"add a section", scout, func(t *testing.T, f *File) {
			s, err := f.AddSection("program", "lims")
			require.NoError(t, err)
			s.Set("command", "gunicorn lims.server.auto:app")
		}},
		{"add a program", scout, func(t *testing.T, f *File) {
			p := NewProgram("lims", "gunicorn lims.server.auto:app")
			p.StopWaitSecs = 30
			_, err := f.Add(p)
			require.NoError(t, err)
		}},
		{"carriage returns", "[program:a]\r\ncommand = x\r\n\r\n[program:b]\r\ncommand = y", func(t *testing.T, f *File) {
			f.Section("program", "a").Set("user", "a")
			f.Section("program", "b").Set("user", "b")
		}},
		{"a file without options", "[supervisord]", set("supervisord", "", "nodaemon", "true")},
		{"a file of comments", "; nothing yet\n", func(t *testing.T, f *File) {
			_, err := f.Add(NewUnixServer("/run/supervisor.sock"))
			require.NoError(t, err)
		}},
	}
	golden := readArchive(t, "testdata/edits.txtar")
	var now strings.Builder
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			f, err := Parse("x.conf", []byte(e.in))
			require.NoError(t, err)
			require.False(t, f.Changed())
			e.edit(t, f)
			require.True(t, f.Changed())
			again, err := Parse("x.conf", f.Bytes())
			require.NoError(t, err)
			require.Equal(t, values(f), values(again))
			diff := strings.ReplaceAll(string(f.Diff()), "\r\n", "␍\n")
			fmt.Fprintf(&now, "-- %s --\n%s", e.name, diff)
			if !*update {
				require.Equal(t, golden[e.name], diff)
			}
		})
	}
	if *update {
		text := "What each edit of TestEditsChangeOnlyWhatWasAsked changes; ␍ is a carriage return.\n" + now.String()
		require.NoError(t, os.WriteFile("testdata/edits.txtar", []byte(text), 0o644))
	}
}

var update = flag.Bool("update", false, "rewrite the goldens")

// readArchive reads the files of a txtar archive.
func readArchive(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	files := map[string]string{}
	current := ""
	for line := range strings.Lines(string(text)) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(head, " --\n") {
			current = strings.TrimSuffix(head, " --\n")
		} else if current != "" {
			files[current] += line
		}
	}
	return files
}
