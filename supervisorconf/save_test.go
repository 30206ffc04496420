//go:build unix

package supervisorconf

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
	main := write("supervisord.conf", "[supervisord]\n[include]\nfiles = conf.d/*.conf\n")
	real := write("available/scout", "[program:scout]\ncommand = run ; it\npriority = 80\n")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "conf.d"), 0o755))
	link := filepath.Join(dir, "conf.d/scout.conf")
	require.NoError(t, os.Symlink("../available/scout", link))
	require.NoError(t, os.Chmod(real, 0o604))
	before, err := os.Stat(main)
	require.NoError(t, err)

	for _, load := range []struct {
		config   func() (*Config, error)
		root     string
		priority string
	}{
		{func() (*Config, error) { return LoadFile(main) }, "/", "81"},
		{func() (*Config, error) { return Load(os.DirFS(dir), "supervisord.conf", nil) }, dir, "82"},
	} {
		c, err := load.config()
		require.NoError(t, err)
		require.NoError(t, c.Programs[0].Option("priority").SetValue(load.priority))
		require.Len(t, slices.Collect(c.Changed()), 1)
		require.NoError(t, c.Save(load.root))
		require.Empty(t, slices.Collect(c.Changed()))
		text, err := os.ReadFile(real)
		require.NoError(t, err)
		require.Equal(t, "[program:scout]\ncommand = run ; it\npriority = "+load.priority+"\n", string(text))
		info, err := os.Stat(real)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o604), info.Mode())
		to, err := os.Readlink(link)
		require.NoError(t, err)
		require.Equal(t, "../available/scout", to)
	}
	after, err := os.Stat(main)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "what did not change is not written")
	left, err := os.ReadDir(filepath.Join(dir, "available"))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file is left")
}

func TestSaveDoesNotOverwriteWhatSomebodyElseChanged(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"s": "[supervisord]\n[include]\nfiles=a b\n", "a": "[program:a]\ncommand=1\n", "b": "[program:b]\ncommand=1\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	c, err := Load(os.DirFS(dir), "s", nil)
	require.NoError(t, err)
	for _, p := range c.Programs {
		require.NoError(t, p.Option("command").SetValue("2"))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), []byte("[program:b]\ncommand=3\n"), 0o600))
	require.ErrorIs(t, c.Save(dir), ErrChanged)
	for name, want := range map[string]string{"a": "[program:a]\ncommand=1\n", "b": "[program:b]\ncommand=3\n"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 3)
}
