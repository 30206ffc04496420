package procmgr

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hangingDisk makes an open of what is in dir wait until release is closed.
func hangingDisk(dir string, release <-chan struct{}) func(string, int) (*openLog, error) {
	return func(path string, flags int) (*openLog, error) {
		if filepath.Dir(path) == dir {
			<-release
		}
		return openLogAt(path, flags)
	}
}

func TestADiskThatHangs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		bad, good := filepath.Join(dir, "bad"), filepath.Join(dir, "good")
		require.NoError(t, os.Mkdir(bad, 0o700))
		require.NoError(t, os.Mkdir(good, 0o700))
		o := &opener{openAt: hangingDisk(bad, release)}
		open := func(path string) (time.Duration, error) {
			began := time.Now()
			f, err := o.open(path, 0)
			if err == nil {
				require.NoError(t, f.Close())
			}
			return time.Since(began), err
		}
		took, err := open(bad + "/a.log")
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.EqualError(t, err, "open "+bad+"/a.log: i/o timeout")
		assert.Equal(t, 10*time.Second, took)
		took, err = open(bad + "/b.log")
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Zero(t, took, "it is known")
		took, err = open(good + "/c.log")
		assert.NoError(t, err)
		assert.Zero(t, took)
		close(release)
		synctest.Wait()
		_, err = open(bad + "/b.log")
		assert.NoError(t, err, "it answers again")
		assert.FileExists(t, bad+"/a.log", "was opened, too late")
	})
}

func TestReopenLeavesALogThatHangsAsItIs(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		f, err := OpenLog(Log{File: filepath.Join(dir, "log")})
		require.NoError(t, err)
		defer f.Close()
		f.opener.openAt = hangingDisk(dir, release)
		assert.ErrorIs(t, f.Reopen(), os.ErrDeadlineExceeded)
		_, err = f.Write([]byte("line\n"))
		assert.NoError(t, err)
		data, err := os.ReadFile(f.Path())
		require.NoError(t, err)
		assert.Equal(t, "line\n", string(data))
	})
}
