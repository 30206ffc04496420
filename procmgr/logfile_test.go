package procmgr

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

func TestRotationByTheClock(t *testing.T) {
	inTime(t, func() {
		now := time.Now()
		<-time.After(time.Until(time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.Local)))
		d := newLogDir(t, 0, 3)
		d.every = 24 * time.Hour
		d.write("first day\nmid")
		<-time.After(24 * time.Hour)
		d.write("dle")
		assert.Equal(t, []string{"first day\nmiddle"}, d.files(), "not within a line")
		d.write(" of a line\nsecond day\n")
		assert.Equal(t, []string{"second day\n", "first day\nmiddle of a line\n"}, d.files())
		<-time.After(23 * time.Hour)
		d.write("still\n")
		<-time.After(time.Hour)
		d.write("third day\n")
		assert.Equal(t, []string{"third day\n", "second day\nstill\n", "first day\nmiddle of a line\n"}, d.files())
		<-time.After(72 * time.Hour)
		assert.Len(t, d.files(), 3, "an idle program makes no empty files")
	})
}

func TestRotationByTheClockKnowsHowOldAFileIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("old\n"), 0o600))
	yesterday := time.Now().Add(-24 * time.Hour)
	require.NoError(t, os.Chtimes(path, yesterday, yesterday))
	f, err := OpenLog(Log{File: path, RotateEvery: 24 * time.Hour})
	require.NoError(t, err)
	defer f.Close()
	d := &logDir{t, path, f}
	d.write("new\n")
	assert.Equal(t, []string{"new\n", "old\n"}, d.files())
}

// inTime runs test where time passes only as it is waited for.
func inTime(t *testing.T, test func()) {
	synctest.Test(t, func(*testing.T) { test() })
}

func TestBackupsAreCompressed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path+".1", []byte("older\n"), 0o640), "from before there was Gzip")
	f, err := OpenLog(Log{File: path, MaxBytes: 4, Backups: 3, Gzip: true})
	require.NoError(t, err)
	for _, line := range []string{"one\n", "two\n"} {
		_, err := f.Write([]byte(line))
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	names := func() (names []string) {
		entries, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	content := func(name string) string {
		file, err := os.Open(name)
		require.NoError(t, err)
		defer file.Close()
		r, err := gzip.NewReader(file)
		require.NoError(t, err)
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		return string(data)
	}
	assert.Equal(t, []string{"log", "log.1.gz", "log.2.gz", "log.3"}, names())
	assert.Equal(t, "two\n", content(path+".1.gz"))
	assert.Equal(t, "one\n", content(path+".2.gz"))

	f, err = OpenLog(Log{File: path, MaxBytes: 4, Backups: 3, Gzip: true})
	require.NoError(t, err)
	_, err = f.Write([]byte("three\n"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.Equal(t, []string{"log", "log.1.gz", "log.2.gz", "log.3.gz"}, names(), "the oldest has gone")
	assert.Equal(t, "one\n", content(path+".3.gz"))
}

func TestABackupThatCannotBeCompressedStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.MkdirAll(path+".1.gz.part", 0o700))
	f, err := OpenLog(Log{File: path, MaxBytes: 4, Gzip: true})
	require.NoError(t, err)
	_, err = f.Write([]byte("one\n"))
	require.NoError(t, err)
	assert.Error(t, f.Close())
	data, err := os.ReadFile(path + ".1")
	require.NoError(t, err)
	assert.Equal(t, "one\n", string(data))
}

func TestNamesOfOpenFilesAreNotOurs(t *testing.T) {
	for path, want := range map[string]bool{
		"/dev/stdout": true, "/dev//stderr": true, "/dev/fd/3": true, "/proc/self/fd/1": true, "/proc/1/fd/1": true,
		"/dev/shm/log": false, "/var/log/x": false, "dev/stdout": false,
	} {
		assert.Equal(t, want, isOurOwn(path), path)
	}
}

func TestBadLogsAreRefused(t *testing.T) {
	for _, l := range []Log{{MaxBytes: -1}, {Backups: -1}, {RotateEvery: time.Millisecond}, {RotateEvery: -time.Hour}} {
		l.File = filepath.Join(t.TempDir(), "log")
		_, err := OpenLog(l)
		assert.Error(t, err, "%v", l)
	}
}
