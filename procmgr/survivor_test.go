package procmgr

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// survivedAs is what was left of a process, which began so long before 2000,
// when time begins in a bubble.
func survivedAs(pid int, age time.Duration) survivor {
	return survivor{childRecord{pid: pid}, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(-age)}
}

func TestASurvivorIsNotStartedASecondTime(t *testing.T) {
	b := &fakeBackend{survivors: map[string]survivor{
		"x:x": survivedAs(71, time.Minute), "g:young": survivedAs(72, time.Second), "g:manual": survivedAs(73, time.Hour),
	}}
	g := Group{Name: "g", Programs: []Program{{Name: "young", StartSecs: 10}, {Name: "manual", Manual: true}}}
	inFakeTimeGroups(t, b, func(w *world) {
		assert.ElementsMatch(t, []string{
			"0 SUPERVISOR_STATE_CHANGE_RUNNING",
			"0 x survived as 71", "0 x STARTING", "0 x RUNNING",
			"0 g:young survived as 72", "0 g:young STARTING",
			"0 g:manual survived as 73", "0 g:manual STARTING", "0 g:manual RUNNING",
		}, w.told())
		s := w.status("x")
		assert.Equal(t, 71, s.PID)
		assert.True(t, s.Adopted)
		assert.Equal(t, "pid 71, uptime 0:01:00", s.Description())
		b.took()

		require.NoError(t, w.Restart(background, "x"))
		assert.Equal(t, "terminated x, start x", b.took())
		assert.False(t, w.status("x").Adopted)
		w.told()
		w.pass(9 * time.Second)
		assert.Equal(t, []string{"9 g:young RUNNING"}, w.told(), "it has lived for ten seconds in all")
	}, append(groupsOf([]Program{{Name: "x", StartSecs: Zero}}), g)...)
}

func TestASurvivorThatEndsIsRestarted(t *testing.T) {
	b := &fakeBackend{survivors: map[string]survivor{"x:x": survivedAs(71, time.Minute)}}
	var first *fakeChild
	b.behave = func(_ string, c *fakeChild) error {
		if first == nil {
			first = c
		}
		return nil
	}
	inFakeTime(t, b, func(w *world) {
		w.told()
		w.pass(5 * time.Second)
		first.die(-1)
		w.pass(0)
		assert.Equal(t, []string{"5 x EXITED", "5 x STARTING"}, w.told())
	}, Program{Name: "x"})
}

func TestASurvivorThatHasJustEndedIsStarted(t *testing.T) {
	b := &fakeBackend{survivors: map[string]survivor{"x:x": survivedAs(71, time.Minute)}, gone: os.ErrProcessDone}
	inFakeTime(t, b, func(w *world) {
		assert.Equal(t, "adopt x, start x", b.took())
		assert.Equal(t, 1, w.status("x").PID)
	}, Program{Name: "x"})
}

func TestASurvivorThatCannotBeWatchedIsLeftAlone(t *testing.T) {
	b := &fakeBackend{survivors: map[string]survivor{"x:x": survivedAs(71, time.Minute)}, gone: errors.New("too many open files")}
	inFakeTime(t, b, func(w *world) {
		assert.Equal(t, Unknown, w.status("x").State)
		assert.ErrorIs(t, w.Start(background, "x"), ErrUnknownState)
		w.end()
		assert.Equal(t, "adopt x, close", b.took())
	}, Program{Name: "x"})
}

func TestASurvivorWithoutAProgramIsReportedAndWaitsForOne(t *testing.T) {
	b := &fakeBackend{survivors: map[string]survivor{"old:p": survivedAs(71, time.Minute)}}
	inFakeTime(t, b, func(w *world) {
		assert.Contains(t, w.told(), "0 old:p survived as 71")
		assert.Equal(t, "start x", b.took(), "it is not touched")
		require.NoError(t, w.AddGroup(Group{Name: "old", Programs: []Program{{Name: "p", Command: "x"}}}))
		assert.Equal(t, "adopt old:p", b.took())
		assert.Equal(t, 71, w.status("old:p").PID)
	}, Program{Name: "x"})
}
