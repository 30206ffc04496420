package nginxconf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func apply(t *testing.T, text string, edits []Edit) string {
	t.Helper()
	out, err := Apply([]byte(text), edits)
	require.NoError(t, err)
	return string(out)
}

func TestApplyRefusesEditsThatOverlap(t *testing.T) {
	f, err := Parse("x", []byte("a b c;"))
	require.NoError(t, err)
	start, end := f.At(0).Span(1)
	last := f.At(0).End()
	one := Edit{Start: start, End: end, NewText: "x"}
	got, err := Apply([]byte("a b c;"), []Edit{{Start: last, End: last, NewText: "\n"}, one, one})
	require.NoError(t, err)
	require.Equal(t, "a x c;\n", string(got))
	_, err = Apply([]byte("a b c;"), []Edit{one, {Start: start, End: last}})
	require.EqualError(t, err, "nginxconf: x:1:3: the edit overlaps with another, or ends before it starts")
	_, err = Apply([]byte("a\nb c;"), []Edit{one})
	require.EqualError(t, err, "nginxconf: x:1:3: there is no such place to edit", "the text has changed")
	_, err = Apply([]byte("a"), []Edit{{Start: last, End: last}})
	require.EqualError(t, err, "nginxconf: x:1:7: there is no such place to edit")
}

func FuzzEdits(f *testing.F) {
	f.Add("a;\nb;\nc;\n", "a;\nx;\nc;\n")
	f.Add("a\nb\na\nb\n", "b\na\nb\na")
	f.Add("", "a\n")
	f.Add("a", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		edits := Edits("x", []byte(before), []byte(after))
		require.Equal(t, after, apply(t, before, edits))
		if before == after {
			require.Empty(t, edits)
			require.Nil(t, Diff("x", []byte(before), []byte(after)))
		}
	})
}

func TestDiffShowsTheChangedLinesAlone(t *testing.T) {
	f, err := Parse("scout.conf", []byte(site))
	require.NoError(t, err)
	first(t, f, "server", "location", "proxy_pass").SetArgs("http://127.0.0.1:8083")
	first(t, f, "server").Body().Append(New("index", "x"))
	require.Equal(t, `--- scout.conf
+++ scout.conf
@@ -7,6 +7,7 @@
 
 	# everything
 	return 301 https://$host$request_uri;
+	index x;
 }
 
 server {
@@ -20,6 +21,6 @@
 	allow 192.0.2.0/24;
 	deny all;
 
-	location / { proxy_pass http://localhost:8083; }
+	location / { proxy_pass http://127.0.0.1:8083; }
 	# the end
 }
`, string(Diff(f.Name, f.Original(), f.Bytes())))
	edits := Edits(f.Name, f.Original(), f.Bytes())
	require.Len(t, edits, 2)
	require.Equal(t, "scout.conf:23:33", edits[1].Start.String())
	require.Equal(t, "127.0.0.1", edits[1].NewText)
}

// TestDiffIsWhatPatchTakes has patch(1) make the change.
func TestDiffIsWhatPatchTakes(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("patch is not installed")
	}
	for _, c := range [][2]string{
		{site, strings.Replace(site, "listen 80", "listen 81", 1)},
		{site, site[20:]},
		{site, site + "more"},
		{site + "more", site},
		{"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "a\nB\nc\nd\ne\nf\ng\nh\nI\nj\nk\n"},
		{"a\n", ""},
	} {
		name := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(name, []byte(c[0]), 0o600))
		cmd := exec.Command(patch, "-s", name)
		cmd.Stdin = strings.NewReader(string(Diff("x", []byte(c[0]), []byte(c[1]))))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		got, err := os.ReadFile(name)
		if c[1] == "" && os.IsNotExist(err) {
			continue // patch removes what it emptied
		}
		require.NoError(t, err)
		require.Equal(t, c[1], string(got))
	}
}
