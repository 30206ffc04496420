//go:build unix

package procmgr

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// follower reads what is followed, piece by piece.
type follower struct {
	t    *testing.T
	next func() ([]byte, error, bool)
}

// limited is for what should not take long.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func follow(t *testing.T, chunks iter.Seq2[[]byte, error], err error) *follower {
	require.NoError(t, err)
	next, stop := iter.Pull2(chunks)
	t.Cleanup(stop)
	return &follower{t, next}
}

// expect reads until all of text has come.
func (f *follower) expect(text string) {
	f.t.Helper()
	got := ""
	for len(got) < len(text) {
		b, err, ok := f.next()
		require.True(f.t, ok, "it ends after %q", got)
		require.NoError(f.t, err)
		got += string(b)
	}
	assert.Equal(f.t, text, got)
}

func TestFollowShowsTheEndAndWhatComes(t *testing.T) {
	watchForLeaks(t)
	d := newLogDir(t, 0, 0)
	d.write("0123456789")
	chunks, err := d.Follow(limited(t), 4)
	f := follow(t, chunks, err)
	f.expect("6789")
	d.write("abc")
	f.expect("abc")
	chunks, err = d.Follow(limited(t), 100)
	follow(t, chunks, err).expect("0123456789abc")
	chunks, err = d.Follow(limited(t), 0)
	none := follow(t, chunks, err)
	d.write("d")
	none.expect("d")
}

func TestFollowGoesOnAfterARotation(t *testing.T) {
	d := newLogDir(t, 10, 3)
	chunks, err := d.Follow(limited(t), 0)
	f := follow(t, chunks, err)
	d.write("0123456789\n")
	f.expect("0123456789\n")
	d.write("a\n")
	f.expect("a\n")
	require.NoError(t, d.Clear())
	d.write("b\n")
	f.expect("b\n")
	require.NoError(t, os.Rename(d.path, d.path+".old"))
	d.write("c\n")
	require.NoError(t, d.Reopen())
	d.write("d\n")
	f.expect("c\nd\n")
}

func TestFollowCatchesUpWithSeveralRotations(t *testing.T) {
	d := newLogDir(t, 10, 5)
	chunks, err := d.Follow(limited(t), 0)
	f := follow(t, chunks, err)
	want := ""
	for i := range 5 {
		line := strings.Repeat(string(rune('a'+i)), 10) + "\n"
		d.write(line)
		want += line
	}
	d.write("last\n")
	f.expect(want + "last\n")
}

func TestFollowMissesNothingOfALogThatIsRotated(t *testing.T) {
	d := newLogDir(t, 1000, 200)
	chunks, err := d.Follow(limited(t), 0)
	f := follow(t, chunks, err)
	var want strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	done := make(chan error, 1)
	go func() {
		var errs []error
		for line := range strings.Lines(want.String()) {
			_, err := d.LogFile.Write([]byte(line))
			errs = append(errs, err)
		}
		done <- errors.Join(errs...)
	}()
	f.expect(want.String())
	require.NoError(t, <-done)
}

func TestFollowTellsThatAFileWasEmptied(t *testing.T) {
	d := newLogDir(t, 0, 0)
	d.write("0123456789")
	chunks, err := d.Follow(limited(t), 0)
	f := follow(t, chunks, err)
	require.NoError(t, os.Truncate(d.path, 0))
	d.write("ab")
	_, err, _ = f.next()
	assert.ErrorIs(t, err, ErrTruncated)
	f.expect("ab")
}

func TestFollowEndsWithItsContext(t *testing.T) {
	watchForLeaks(t)
	d := newLogDir(t, 0, 0)
	ctx, cancel := context.WithCancel(t.Context())
	chunks, err := d.Follow(ctx, 0)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range chunks {
			t.Error("there is nothing to read")
		}
	}()
	cancel()
	<-ended
	assert.Zero(t, d.tails.count.Load())

	// One that is never ranged over lets go of its file, too.
	ctx, cancel = context.WithCancel(t.Context())
	chunks, err = d.Follow(ctx, 0)
	require.NoError(t, err)
	cancel()
	for range chunks {
		t.Error("its context is done")
	}
}

func TestFollowOfNoFileIsAnError(t *testing.T) {
	d := newLogDir(t, 0, 0)
	require.NoError(t, os.Remove(d.path))
	_, err := d.Follow(limited(t), 0)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.Zero(t, d.tails.count.Load())
}

func TestFollowMissesNothing(t *testing.T) {
	d := newLogDir(t, 0, 0)
	chunks, err := d.Follow(limited(t), 0)
	f := follow(t, chunks, err)
	line := strings.Repeat("x", 99) + "\n"
	done := make(chan error, 1)
	go func() {
		var errs []error
		for range 2000 {
			_, err := d.LogFile.Write([]byte(line))
			errs = append(errs, err)
		}
		done <- errors.Join(errs...)
	}()
	f.expect(strings.Repeat(line, 2000))
	require.NoError(t, <-done)
}
