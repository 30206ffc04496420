//go:build unix

package procmgr

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func TestReadLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	for _, test := range []struct {
		offset, length int64
		want           string
	}{
		{0, 0, "0123456789"}, {4, 0, "456789"}, {4, 3, "456"}, {8, 10, "89"}, {10, 0, ""}, {99, 5, ""},
		{-3, 0, "789"}, {-10, 0, "0123456789"}, {-99, 0, "0123456789"}, {-1 << 63, 0, "0123456789"},
	} {
		got, err := ReadLogFile(path, test.offset, test.length)
		require.NoError(t, err)
		assert.Equal(t, test.want, string(got), "%d %d", test.offset, test.length)
	}
	for _, bad := range [][2]int64{{0, -1}, {-1, 1}, {-1, -1}} {
		_, err := ReadLogFile(path, bad[0], bad[1])
		assert.ErrorIs(t, err, ErrBadArguments, "%d", bad)
	}
	_, err := ReadLogFile(path+"x", 0, 0)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	data, err := ReadLogFile(os.DevNull, 0, 0)
	require.NoError(t, err)
	assert.Empty(t, data)
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	for _, path := range []string{fifo, t.TempDir(), "/dev/zero"} {
		_, err := ReadLogFile(path, 0, 0)
		assert.ErrorContains(t, err, "is no regular file")
		data, offset, overflow := TailLogFile(path, 3, 0)
		assert.Equal(t, []any{0, int64(3), false}, []any{len(data), offset, overflow})
		_, err = newTails().follow(t.Context(), path, 0)
		assert.Error(t, err)
	}
}

func TestAHugeLogIsNotReadAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, readMax+1)) // a hole
	_, err := ReadLogFile(path, 0, 0)
	assert.ErrorContains(t, err, "268435457 bytes are not read at once")
	data, err := ReadLogFile(path, readMax-1, 0)
	require.NoError(t, err)
	assert.Len(t, data, 2)
}

func TestTailLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	for _, test := range []struct {
		offset, length int64
		want           string
		overflow       bool
	}{
		{0, 4, "6789", true}, {6, 4, "6789", false}, {0, 10, "0123456789", false}, {0, 99, "0123456789", false},
		{8, 4, "6789", false}, // what is before the offset, too
		{10, 4, "", false}, {99, 4, "", false}, {0, 0, "", true}, {-5, 3, "789", true}, {0, -1, "", true},
		{1<<63 - 1, 1<<63 - 1, "", false},
	} {
		data, size, overflow := TailLogFile(path, test.offset, test.length)
		assert.Equal(t, test.want, string(data), "%d %d", test.offset, test.length)
		assert.Equal(t, test.overflow, overflow, "%d %d", test.offset, test.length)
		assert.EqualValues(t, 10, size)
	}
	data, offset, overflow := TailLogFile(path+"x", 7, 4)
	assert.Equal(t, []any{"", int64(7), false}, []any{string(data), offset, overflow})
}

// supervisord's own functions, for each offset and length around the edges.
func TestOracleReadAndTail(t *testing.T) {
	python := testenv.Python(t)
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	const script = `
import sys
from supervisor.options import readFile, tailFile
for offset in range(-12, 14):
    for length in range(-2, 14):
        try:
            data = readFile(sys.argv[1], offset, length).decode()
        except ValueError as e:
            data = e.args[0]
        print(offset, length, 'read', data)
        print(offset, length, 'tail', *tailFile(sys.argv[1], offset, length))
`
	want, err := exec.Command(python, "-c", script, path).Output()
	require.NoError(t, err)
	var got strings.Builder
	for offset := int64(-12); offset < 14; offset++ {
		for length := int64(-2); length < 14; length++ {
			data, err := ReadLogFile(path, offset, length)
			if err != nil {
				data = []byte("BAD_ARGUMENTS")
			}
			fmt.Fprintf(&got, "%d %d read %s\n", offset, length, data)
			tail, size, overflow := TailLogFile(path, offset, length)
			literal := map[bool]string{true: "True", false: "False"}[overflow]
			fmt.Fprintf(&got, "%d %d tail %s %d %s\n", offset, length, tail, size, literal)
		}
	}
	assert.Equal(t, string(want), got.String())
}
