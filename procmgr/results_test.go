package procmgr

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStartNoWaitReturnsWhenSpawned(t *testing.T) {
	b := &fakeBackend{missing: map[string]error{}}
	inFakeTime(t, b, func(w *world) {
		require.NoError(t, w.StartNoWait("x"))
		assert.Equal(t, Starting, w.status("x").State)
		assert.ErrorIs(t, w.StartNoWait("x"), ErrAlreadyStarted)
		assert.ErrorIs(t, w.StartNoWait("z"), ErrNoSuchProcess)
		w.pass(10 * time.Second)
		require.NoError(t, w.StopNoWait("x"))
		assert.Equal(t, w.began.Add(10*time.Second), time.Now())
		synctest.Wait()
		assert.Equal(t, Stopped, w.status("x").State)
		assert.ErrorIs(t, w.StopNoWait("x"), ErrNotRunning)
	}, Program{Name: "x", Manual: true, StartSecs: 5})
}

func TestStartNoWaitTellsAFailedSpawn(t *testing.T) {
	b := &fakeBackend{behave: func(string, *fakeChild) error { return errFork }}
	inFakeTime(t, b, func(w *world) {
		err := w.StartNoWait("x")
		assert.ErrorIs(t, err, ErrSpawn)
		assert.EqualError(t, err, "x: spawn error: "+errFork.Error())
		assert.ErrorIs(t, w.StartNoWait("y"), ErrFatal)
	}, Program{Name: "x", Manual: true}, Program{Name: "y", Manual: true, StartRetries: Zero})
}

func TestEachTellsWhatCameOfEveryProcess(t *testing.T) {
	b := &fakeBackend{missing: map[string]error{"g:gone": errNope}}
	manual := func(name string, secs int) Program { return Program{Name: name, Manual: true, StartSecs: secs} }
	inFakeTimeGroups(t, b, func(w *world) {
		require.NoError(t, w.Start(background, "g:up"))
		results, err := w.StartEach(background, "g:*", true)
		require.NoError(t, err)
		require.Len(t, results, 3, "those that were not started")
		// First what was known at once.
		assert.Equal(t, "g:gone", results[0].FullName())
		assert.ErrorIs(t, results[0].Err, ErrNoFile)
		assert.Equal(t, []Result{{Group: "g", Name: "quick"}, {Group: "g", Name: "a"}}, results[1:])
		assert.Equal(t, w.began.Add(5*time.Second), time.Now())

		results, err = w.StartEach(background, "*", false)
		require.NoError(t, err)
		require.Len(t, results, 2)
		assert.Equal(t, Result{Group: "first", Name: "first"}, results[0], "groups by priority")

		results, err = w.SignalEach("*", syscall.SIGHUP)
		require.NoError(t, err)
		assert.Len(t, results, 4)
		_, err = w.SignalEach("*", 0)
		assert.ErrorIs(t, err, ErrBadSignal)

		results, err = w.StopEach(background, "g:*", true)
		require.NoError(t, err)
		assert.Len(t, results, 3)
		results, err = w.StopEach(background, "*", false)
		require.NoError(t, err)
		assert.Equal(t, []Result{{Group: "first", Name: "first"}}, results)
		_, err = w.StopEach(background, "h:*", true)
		assert.ErrorIs(t, err, ErrNoSuchProcess)
	},
		Group{Name: "g", Programs: []Program{manual("a", 5), manual("gone", 1), manual("quick", Zero), manual("up", Zero)}},
		Group{Name: "first", Priority: 1, Programs: []Program{manual("first", 1)}})
}

func TestEachGivesUpWithItsContext(t *testing.T) {
	inFakeTime(t, &fakeBackend{}, func(w *world) {
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		results, err := w.StartEach(ctx, "x:*", true)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, results, 1)
		assert.ErrorIs(t, results[0].Err, context.DeadlineExceeded)
		assert.Equal(t, Starting, w.status("x").State)
	}, Program{Name: "x", Manual: true, StartSecs: 3})
}

func TestTheManagerTellsItsState(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error { stubborn(b, name, c); return nil }
	inFakeTime(t, b, func(w *world) {
		assert.Equal(t, ManagerRunning, w.State())
		assert.Equal(t, []string{"x"}, w.Groups())
		s, err := w.StatusOf("x")
		require.NoError(t, err)
		assert.Equal(t, "x", s.Name)
		_, err = w.StatusOf("x:*")
		assert.ErrorIs(t, err, ErrNoSuchProcess)
		w.cancel()
		synctest.Wait()
		assert.Equal(t, ManagerShutdown, w.State())
		assert.ErrorIs(t, w.StartNoWait("x"), ErrShutdown)
		_, err = w.StartEach(background, "*", false)
		assert.ErrorIs(t, err, ErrShutdown)
		w.end()
		assert.Equal(t, ManagerShutdown, w.State())
	}, Program{Name: "x"})
}
