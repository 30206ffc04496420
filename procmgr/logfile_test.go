package procmgr

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logDir is a directory with one log in it, named "log".
type logDir struct {
	t    *testing.T
	path string
	*LogFile
}

func newLogDir(t *testing.T, maxBytes int64, backups int) *logDir {
	path := filepath.Join(t.TempDir(), "log")
	r, err := OpenLog(Log{File: path, MaxBytes: orZero(maxBytes), Backups: orZero(backups)})
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return &logDir{t, path, r}
}

func (d *logDir) write(s string) {
	d.t.Helper()
	n, err := d.Write([]byte(s))
	require.NoError(d.t, err)
	require.Equal(d.t, len(s), n)
}

// files returns the log and its backups, newest first.
func (d *logDir) files() (contents []string) {
	for i := 0; ; i++ {
		name := d.path
		if i > 0 {
			name += fmt.Sprint(".", i)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			require.ErrorIs(d.t, err, fs.ErrNotExist)
			return contents
		}
		contents = append(contents, string(data))
	}
}

func TestRotationComesWhenTheFileIsFull(t *testing.T) {
	d := newLogDir(t, 10, 2)
	d.write("12345678\n")
	assert.Equal(t, []string{"12345678\n"}, d.files(), "9 bytes")
	d.write("a\n")
	assert.Equal(t, []string{"", "12345678\na\n"}, d.files(), "at once, not with the next write")
	d.write("0123456789\n")
	d.write("abcdefghij\n")
	assert.Equal(t, []string{"", "abcdefghij\n", "0123456789\n"}, d.files(), "the oldest has gone")
}

func TestRotationIsAtTheEndOfALine(t *testing.T) {
	d := newLogDir(t, 10, 3)
	d.write("one two three")
	assert.Equal(t, []string{"one two three"}, d.files())
	d.write(" four\nfive")
	assert.Equal(t, []string{"five", "one two three four\n"}, d.files())
	d.write("\nsix\nseven\neight")
	assert.Equal(t, []string{"eight", "five\nsix\nseven\n", "one two three four\n"}, d.files())
}

func TestRotationOfALineWithoutEnd(t *testing.T) {
	d := newLogDir(t, 10, 2)
	endless := strings.Repeat("x", readSize)
	d.write(endless)
	assert.Equal(t, []string{endless}, d.files(), "an end may come yet")
	d.write("0123456789")
	assert.Equal(t, []string{"", endless + "0123456789"}, d.files(), "but not for ever")
}

func TestRotationWithoutBackupsEmptiesTheFile(t *testing.T) {
	d := newLogDir(t, 10, 0)
	d.write("0123456789\n")
	d.write("next\n")
	assert.Equal(t, []string{"next\n"}, d.files())
}

func TestWithoutLimitThereIsNoRotation(t *testing.T) {
	d := newLogDir(t, 0, 2)
	d.write(strings.Repeat("0123456789\n", 1000))
	assert.Len(t, d.files(), 1)
}

func TestWhatIsInTheFileCounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("12345678\n"), 0o600))
	r, err := OpenLog(Log{File: path, MaxBytes: 10, Backups: 1})
	require.NoError(t, err)
	defer r.Close()
	d := &logDir{t, path, r}
	d.write("a\n")
	assert.Equal(t, []string{"", "12345678\na\n"}, d.files())
}

func TestAFileThatSomebodyEmptiedIsNotRotated(t *testing.T) {
	d := newLogDir(t, 10, 2)
	d.write("12345678\n")
	require.NoError(t, os.Truncate(d.path, 0))
	d.write("a\n")
	assert.Equal(t, []string{"a\n"}, d.files())
	d.write("1234567\n")
	assert.Equal(t, []string{"", "a\n1234567\n"}, d.files())
}

func TestAFileThatSomebodyRemovedIsNotMissed(t *testing.T) {
	d := newLogDir(t, 10, 2)
	require.NoError(t, os.Remove(d.path))
	d.write("0123456789\n")
	d.write("next\n")
	assert.Equal(t, []string{"next\n"}, d.files())
}

func TestARotationThatFailsLosesNothing(t *testing.T) {
	d := newLogDir(t, 10, 1)
	require.NoError(t, os.MkdirAll(d.path+".1/full", 0o700)) // cannot be overwritten
	n, err := d.Write([]byte("0123456789\n"))
	assert.Error(t, err, "it is told")
	assert.Equal(t, 11, n, "all is written")
	d.write("next\n")
	data, err := os.ReadFile(d.path)
	require.NoError(t, err)
	assert.Equal(t, "0123456789\nnext\n", string(data))
	require.NoError(t, os.RemoveAll(d.path+".1"))
	d.write("and more\n")
	assert.Equal(t, []string{"", "0123456789\nnext\nand more\n"}, d.files(), "tried again")
}

func TestWritesAfterCloseFail(t *testing.T) {
	d := newLogDir(t, 10, 1)
	require.NoError(t, d.Close())
	_, err := d.Write([]byte("x"))
	assert.ErrorIs(t, err, fs.ErrClosed)
}

func FuzzRotationLosesNothing(f *testing.F) {
	f.Add([]byte("one\ntwo\nthree\n"), 4, 3)
	f.Add([]byte("onetwothree"), 1, 1)
	f.Fuzz(func(t *testing.T, data []byte, maxBytes, chunk int) {
		if maxBytes < 0 || chunk <= 0 || maxBytes > 0 && len(data)/maxBytes > 50 {
			t.Skip()
		}
		d := newLogDir(t, int64(maxBytes), 100)
		for rest := data; len(rest) > 0; {
			n := min(chunk, len(rest))
			d.write(string(rest[:n]))
			rest = rest[n:]
		}
		var all bytes.Buffer
		files := d.files()
		for i := len(files) - 1; i >= 0; i-- {
			all.WriteString(files[i])
			if i > 0 {
				assert.GreaterOrEqual(t, len(files[i]), maxBytes)
				assert.True(t, strings.HasSuffix(files[i], "\n"), "%q", files[i])
			}
		}
		require.Equal(t, string(data), all.String())
	})
}

// orZero is n as a Log wants it, where 0 would be the default.
func orZero[T ~int | ~int64](n T) T {
	if n == 0 {
		return Zero
	}
	return n
}

func TestReopenLeavesTheMovedFileAlone(t *testing.T) {
	d := newLogDir(t, 0, 0)
	d.write("one\n")
	require.NoError(t, os.Rename(d.path, d.path+".1"))
	d.write("two\n")
	require.NoError(t, d.Reopen())
	d.write("three\n")
	assert.Equal(t, []string{"three\n", "one\ntwo\n"}, d.files())
}

func TestClearLeavesTheBackups(t *testing.T) {
	d := newLogDir(t, 10, 2)
	d.write("0123456789\n")
	d.write("two\n")
	require.NoError(t, d.Clear())
	assert.Equal(t, []string{"", "0123456789\n"}, d.files())
	d.write("three\n")
	assert.Equal(t, []string{"three\n", "0123456789\n"}, d.files(), "an emptied file has room")
}

func TestClearDoesNotRemoveADevice(t *testing.T) {
	f, err := OpenLog(Log{File: os.DevNull, MaxBytes: Zero})
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Clear())
	_, err = os.Stat(os.DevNull)
	assert.NoError(t, err)
}

// Whoever reopens or clears does it while the program writes.
func TestReopenWhileSomethingIsWrittenLosesNothing(t *testing.T) {
	d := newLogDir(t, 0, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 1000 {
			d.write("line\n")
		}
	}()
	for i := range 20 {
		require.NoError(t, os.Rename(d.path, d.path+fmt.Sprint(".", i+1)))
		require.NoError(t, d.Reopen())
	}
	<-done
	assert.Equal(t, strings.Repeat("line\n", 1000), strings.Join(d.files(), ""))
}
