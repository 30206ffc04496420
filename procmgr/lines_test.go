package procmgr

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lineList keeps what each Write was.
type lineList []string

func (l *lineList) Write(b []byte) (int, error) {
	*l = append(*l, string(b))
	if string(b) == "fail" {
		return 0, errors.New("failed")
	}
	return len(b), nil
}

func TestLinesAreHandedOnWhole(t *testing.T) {
	var got lineList
	w := NewLineWriter(&got)
	write := func(s string, want ...string) {
		t.Helper()
		got = nil
		n, err := w.Write([]byte(s))
		require.NoError(t, err)
		assert.Equal(t, len(s), n)
		assert.Equal(t, lineList(want), got)
	}
	write("one\ntwo\n", "one", "two")
	write("thr")
	write("ee")
	write("\n\nfour\nfi", "three", "", "four")
	long := strings.Repeat("x", maxLine)
	write(long, "fi"+long[2:])
	write("\n", "xx")
	got = nil
	require.NoError(t, w.Flush())
	assert.Empty(t, got)
	write("no end")
	require.NoError(t, w.Flush())
	assert.Equal(t, lineList{"no end"}, got)
	n, err := w.Write([]byte("fail\nnext\n"))
	assert.EqualError(t, err, "failed")
	assert.Equal(t, 10, n)
	assert.Equal(t, lineList{"no end", "fail", "next"}, got)
}

func TestLinesBecomeRecords(t *testing.T) {
	var out bytes.Buffer
	h := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	w := NewSlogWriter(slog.New(h).With("process", "scout"), slog.LevelWarn)
	w.Write([]byte("one\ntwo\n"))
	assert.Equal(t, "level=WARN msg=one process=scout\nlevel=WARN msg=two process=scout\n", out.String())
}

func FuzzLinesDoNotDependOnThePieces(f *testing.F) {
	f.Add("one\ntwo\nthree", 2)
	f.Fuzz(func(t *testing.T, in string, size int) {
		if size <= 0 {
			t.Skip()
		}
		var whole, pieces lineList
		NewLineWriter(&whole).Write([]byte(in))
		w := NewLineWriter(&pieces)
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			w.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		assert.Equal(t, whole, pieces)
	})
}
