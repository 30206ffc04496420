//go:build unix

package nginxconf

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSaveReplacesTheChangedFilesAlone(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o640))
		return p
	}
	main := write("nginx.conf", "http { include sites-enabled/*; }\n")
	real := write("sites-available/scout", "server { listen 80; }\n")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sites-enabled"), 0o755))
	link := filepath.Join(dir, "sites-enabled/scout")
	require.NoError(t, os.Symlink("../sites-available/scout", link))
	require.NoError(t, os.Chmod(real, 0o604))
	before, err := os.Stat(main)
	require.NoError(t, err)

	for _, load := range []struct {
		config func() (*Config, error)
		root   string
		port   string
	}{
		{func() (*Config, error) { return LoadFile(main) }, "/", "81"},
		{func() (*Config, error) { return Load(os.DirFS(dir), "nginx.conf", nil) }, dir, "82"},
	} {
		c, err := load.config()
		require.NoError(t, err)
		for d := range c.Find("http", "server", "listen") {
			d.SetArgs(load.port)
		}
		require.NoError(t, c.Save(load.root))
		require.Empty(t, slices.Collect(c.Changed()))
		text, err := os.ReadFile(real)
		require.NoError(t, err)
		require.Equal(t, "server { listen "+load.port+"; }\n", string(text))
		info, err := os.Stat(real)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o604), info.Mode())
		to, err := os.Readlink(link)
		require.NoError(t, err)
		require.Equal(t, "../sites-available/scout", to)
	}
	after, err := os.Stat(main)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "what did not change is not written")
	left, err := os.ReadDir(filepath.Join(dir, "sites-available"))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file is left")
}

func TestSaveDoesNotOverwriteWhatSomebodyElseChanged(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"n": "include a; include b;", "a": "x 1;", "b": "x 1;"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	c, err := Load(os.DirFS(dir), "n", nil)
	require.NoError(t, err)
	for d := range c.Find("x") {
		d.SetArgs("2")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), []byte("x 3;"), 0o600))
	require.ErrorIs(t, c.Save(dir), ErrChanged)
	for name, want := range map[string]string{"a": "x 1;", "b": "x 3;"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 3)
}
