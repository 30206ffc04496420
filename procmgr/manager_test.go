package procmgr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var background = context.Background()

func TestStartReturnsWhenRunning(t *testing.T) {
	inFakeTime(t, &fakeBackend{}, func(w *world) {
		assert.Equal(t, Stopped, w.status("x").State)
		require.NoError(t, w.Start(background, "x"))
		assert.Equal(t, time.Second, time.Since(w.began))
		s := w.status("x")
		assert.Equal(t, Running, s.State)
		assert.Equal(t, 1, s.PID)
		assert.Equal(t, w.began, s.Start)
		assert.Equal(t, []string{
			"0 SUPERVISOR_STATE_CHANGE_RUNNING", "0 x STARTING", "1 x RUNNING",
		}, w.told())
	}, Program{Name: "x", Manual: true})
}

func TestStartThatItsCallerGivesUpGoesOn(t *testing.T) {
	inFakeTime(t, &fakeBackend{}, func(w *world) {
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		assert.ErrorIs(t, w.Start(ctx, "x"), context.DeadlineExceeded)
		assert.Equal(t, Starting, w.status("x").State)
		w.pass(2 * time.Second)
		assert.Equal(t, Running, w.status("x").State)
	}, Program{Name: "x", Manual: true, StartSecs: 3})
}

func TestStartTellsTheFirstFailure(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(_ string, c *fakeChild) error { c.die(0); return nil }
	inFakeTime(t, b, func(w *world) {
		err := w.Start(background, "x")
		assert.ErrorIs(t, err, ErrSpawn)
		assert.NotErrorIs(t, err, ErrFatal)
		assert.EqualError(t, err, "x: spawn error: Exited too quickly (process log may have details)")
		assert.Equal(t, Backoff, w.status("x").State)
		assert.ErrorIs(t, w.Start(background, "x"), ErrAlreadyStarted, "BACKOFF counts as started")
	}, Program{Name: "x", Manual: true})
}

func TestStartTellsWhenItIsTheLast(t *testing.T) {
	b := &fakeBackend{behave: func(string, *fakeChild) error { return errFork }}
	inFakeTime(t, b, func(w *world) {
		err := w.Start(background, "x")
		assert.ErrorIs(t, err, ErrFatal)
		assert.ErrorIs(t, err, ErrSpawn)
		var pe *ProcessError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, &ProcessError{Name: "x", Err: ErrFatal, Reason: errFork.Error()}, pe)
		assert.Equal(t, Fatal, w.status("x").State)
		assert.Equal(t, errFork.Error(), w.status("x").Description())
	}, Program{Name: "x", Manual: true, StartRetries: Zero})
}

func TestStartLooksForTheCommandFirst(t *testing.T) {
	b := &fakeBackend{missing: map[string]error{}}
	inFakeTime(t, b, func(w *world) {
		require.NoError(t, w.Start(background, "x"))
		assert.ErrorIs(t, w.Start(background, "x"), ErrAlreadyStarted)
		b.missing["x"] = errNope
		err := w.Start(background, "x")
		assert.ErrorIs(t, err, ErrNoFile)
		assert.EqualError(t, err, "x: no such file: can't find command 'nope'")
		assert.Equal(t, Running, w.status("x").State)
	}, Program{Name: "x", Manual: true})
}

func TestStopWhileStartingIsAbnormalTermination(t *testing.T) {
	inFakeTime(t, &fakeBackend{}, func(w *world) {
		started := make(chan error, 1)
		go func() { started <- w.Start(background, "x") }()
		synctest.Wait()
		require.NoError(t, w.Stop(background, "x"))
		assert.ErrorIs(t, <-started, ErrAbnormalTermination)
		assert.Equal(t, Stopped, w.status("x").State)
	}, Program{Name: "x", Manual: true, StartSecs: 20})
}

// supervisord logs "already running" and then finds that the process is
// neither STARTING nor RUNNING.
func TestStartWhileStoppingIsAbnormalTermination(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error { stubborn(b, name, c); return nil }
	inFakeTime(t, b, func(w *world) {
		stopped := make(chan error, 1)
		go func() { stopped <- w.Stop(background, "x") }()
		synctest.Wait()
		assert.ErrorIs(t, w.Start(background, "x"), ErrAbnormalTermination)
		assert.ErrorIs(t, w.Stop(background, "x"), ErrNotRunning, "it is stopping already")
		assert.NoError(t, <-stopped)
	}, Program{Name: "x"})
}

func TestStopWaitSecsThenKill(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error { stubborn(b, name, c); return nil }
	inFakeTime(t, b, func(w *world) {
		w.pass(2 * time.Second)
		w.told()
		require.NoError(t, w.Stop(background, "x"))
		assert.Equal(t, []string{"2 x STOPPING", "12 x STOPPED"}, w.told())
		assert.Equal(t, "start x, terminated x, killed x", b.took())
		assert.Equal(t, -1, w.status("x").ExitStatus)
		w.pass(time.Hour)
		assert.Equal(t, Stopped, w.status("x").State, "stopped on request, it is not restarted")
	}, Program{Name: "x", AutoRestart: RestartAlways})
}

func TestStopThatItsCallerGivesUpGoesOn(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error { stubborn(b, name, c); return nil }
	inFakeTime(t, b, func(w *world) {
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		assert.ErrorIs(t, w.Stop(ctx, "x"), context.DeadlineExceeded)
		assert.Equal(t, Stopping, w.status("x").State)
		w.pass(9 * time.Second)
		assert.Equal(t, Stopped, w.status("x").State)
	}, Program{Name: "x"})
}

func TestRestartIsStopAndStart(t *testing.T) {
	b := &fakeBackend{}
	inFakeTime(t, b, func(w *world) {
		w.pass(5 * time.Second)
		w.told()
		require.NoError(t, w.Restart(background, "x"))
		assert.Equal(t, []string{"5 x STOPPING", "5 x STOPPED", "5 x STARTING", "6 x RUNNING"}, w.told())
		require.NoError(t, w.Stop(background, "x"))
		require.NoError(t, w.Restart(background, "x"), "of a stopped process it is a start")
	}, Program{Name: "x"})
}

func TestBackoffTiming(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(_ string, c *fakeChild) error {
		go func() {
			<-time.After(500 * time.Millisecond)
			c.die(1)
		}()
		return nil
	}
	inFakeTime(t, b, func(w *world) {
		w.pass(time.Minute)
		assert.Equal(t, []string{
			"0 SUPERVISOR_STATE_CHANGE_RUNNING", "0 x STARTING", "0.5 x BACKOFF",
			"1.5 x STARTING", "2 x BACKOFF",
			"4 x STARTING", "4.5 x BACKOFF",
			"7.5 x STARTING", "8 x BACKOFF", "8 x FATAL",
		}, w.told())
		assert.Equal(t, "Exited too quickly (process log may have details)", w.status("x").Description())
	}, Program{Name: "x"})
}

func TestStopInBackoffIsAtOnce(t *testing.T) {
	b := &fakeBackend{behave: func(_ string, c *fakeChild) error { c.die(1); return nil }}
	inFakeTime(t, b, func(w *world) {
		require.Equal(t, Backoff, w.status("x").State)
		require.NoError(t, w.Stop(background, "x"))
		assert.Equal(t, Stopped, w.status("x").State)
		w.pass(time.Hour)
		assert.Equal(t, Stopped, w.status("x").State)
		assert.Equal(t, "start x", b.took())
	}, Program{Name: "x", StartRetries: 50})
}

func TestACrashLoopIsHeldToOneStartASecond(t *testing.T) {
	b := &fakeBackend{behave: func(_ string, c *fakeChild) error { c.die(1); return nil }}
	inFakeTime(t, b, func(w *world) {
		w.pass(59500 * time.Millisecond)
		assert.Equal(t, 60, strings.Count(b.took(), "start x"))
		assert.Equal(t, Exited, w.status("x").State)
	}, Program{Name: "x", StartSecs: Zero})
}

func TestStopCallsOffARestart(t *testing.T) {
	b := &fakeBackend{behave: func(_ string, c *fakeChild) error { c.die(1); return nil }}
	inFakeTime(t, b, func(w *world) {
		require.Equal(t, Exited, w.status("x").State)
		assert.ErrorIs(t, w.Stop(background, "x"), ErrNotRunning)
		w.pass(time.Hour)
		assert.Equal(t, "start x", b.took())
	}, Program{Name: "x", StartSecs: Zero})
}

func TestPriorityOrdersTheStartAndInReverseTheStop(t *testing.T) {
	b := &fakeBackend{}
	inFakeTimeGroups(t, b, func(w *world) {
		w.end()
		assert.Equal(t, "start d, start g:b, start g:c, start g:a, start e, start f, "+
			"terminated f, terminated e, terminated g:a, terminated g:c, terminated g:b, terminated d, close", b.took())
	},
		Group{Name: "e", Priority: 30, Programs: []Program{{Name: "e"}}},
		Group{Name: "g", Priority: 20, Programs: []Program{
			{Name: "a", Priority: 3}, {Name: "c", Priority: 2}, {Name: "b", Priority: 2}}},
		Group{Name: "d", Priority: Zero, Programs: []Program{{Name: "d"}}},
		Group{Name: "f", Programs: []Program{{Name: "f", Priority: -5}}},
	)
}

func TestTheEndWaitsForEachPriority(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error {
		if name != "first" {
			stubborn(b, name, c)
		}
		return nil
	}
	inFakeTimeGroups(t, b, func(w *world) {
		w.pass(2 * time.Second)
		w.told()
		w.end()
		assert.Equal(t, []string{
			"2 SUPERVISOR_STATE_CHANGE_STOPPING",
			"2 last1 STOPPING", "2 last2 STOPPING", // of one priority, at the same time
			"5 last2 STOPPED", "6 last1 STOPPED",
			"6 first STOPPING", "6 first STOPPED",
		}, sortedFrom(w.told(), 1, 3))
	},
		Group{Name: "first", Priority: 1, Programs: []Program{{Name: "first"}}},
		Group{Name: "last1", Priority: 2, Programs: []Program{{Name: "last1", StopWaitSecs: 4}}},
		Group{Name: "last2", Priority: 2, Programs: []Program{{Name: "last2", StopWaitSecs: 3}}},
	)
}

// sortedFrom sorts s[i:j], what happens at the same time in any order.
func sortedFrom(s []string, i, j int) []string {
	for a := i; a < min(j, len(s)); a++ {
		for b := a + 1; b < min(j, len(s)); b++ {
			if s[b] < s[a] {
				s[a], s[b] = s[b], s[a]
			}
		}
	}
	return s
}

func TestTheEndGivesUpBackoffAndRefusesStarts(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error {
		if name == "quick" {
			c.die(1)
		} else {
			stubborn(b, name, c)
		}
		return nil
	}
	inFakeTime(t, b, func(w *world) {
		require.Equal(t, Backoff, w.status("quick").State)
		w.cancel()
		synctest.Wait()
		assert.Equal(t, Fatal, w.status("quick").State)
		assert.Equal(t, Stopping, w.status("slow").State)
		assert.ErrorIs(t, w.Start(background, "quick"), ErrShutdown)
		assert.ErrorIs(t, w.Stop(background, "slow"), ErrShutdown)
		assert.ErrorIs(t, w.Signal("slow", syscall.SIGHUP), ErrShutdown)
		assert.ErrorIs(t, w.Add(Program{Name: "y", Command: "y"}), ErrShutdown)
		assert.ErrorIs(t, w.Remove("quick"), ErrShutdown)
	}, Program{Name: "quick"}, Program{Name: "slow"})
}

func TestTheEndTellsThoseWhoWait(t *testing.T) {
	inFakeTime(t, &fakeBackend{}, func(w *world) {
		started := make(chan error, 1)
		go func() { started <- w.Start(background, "x") }()
		synctest.Wait()
		w.end()
		assert.ErrorIs(t, <-started, ErrAbnormalTermination)
		assert.ErrorIs(t, w.Start(background, "x"), ErrNotRunning)
		assert.EqualError(t, w.Run(background), "procmgr: Run was called before")
	}, Program{Name: "x", Manual: true})
}

func TestTheEndKillsWhatIsLeftInTheGroups(t *testing.T) {
	b := &fakeBackend{left: map[int]int{1: 3}} // the first child leaves three behind
	b.behave = func(_ string, c *fakeChild) error {
		if c.pid < 3 {
			go func() {
				<-time.After(2 * time.Second)
				c.die(1)
			}()
		}
		return nil
	}
	inFakeTime(t, b, func(w *world) {
		w.pass(10 * time.Second)
		w.told()
		b.took()
		w.end()
		assert.Equal(t, []string{
			"10 SUPERVISOR_STATE_CHANGE_STOPPING", "10 x STOPPING", "10 x STOPPED", "10 x killed 3",
		}, w.told())
		assert.Equal(t, "terminated x, sweep 1, close", b.took(), "the other groups were empty")
	}, Program{Name: "x"})
}

func TestStopLeavesTheGroupAlone(t *testing.T) {
	b := &fakeBackend{left: map[int]int{1: 1}}
	inFakeTime(t, b, func(w *world) {
		require.NoError(t, w.Stop(background, "x"))
		assert.Equal(t, "start x, terminated x", b.took())
		require.NoError(t, w.Remove("x"))
		w.told()
		w.end()
		assert.Equal(t, "sweep 1, close", b.took(), "what a removed program has left goes at the end")
		assert.Equal(t, []string{"0 SUPERVISOR_STATE_CHANGE_STOPPING", "0  killed 1"}, w.told())
	}, Program{Name: "x"})
}

func TestStopAsGroupWaitsForTheGroup(t *testing.T) {
	b := &fakeBackend{left: map[int]int{1: 2}}
	inFakeTime(t, b, func(w *world) {
		w.told()
		stopped := make(chan error)
		go func() { stopped <- w.Stop(background, "x") }()
		w.pass(2 * time.Second)
		assert.Equal(t, Stopped, w.status("x").State, "as under supervisord, but Stop waits")
		require.NoError(t, w.Start(background, "x"), "the process answers meanwhile")
		require.NoError(t, <-stopped)
		assert.Equal(t, []string{
			"0 x STOPPING", "0 x STOPPED", "2 x STARTING", "3 x RUNNING", "10 x killed 2",
		}, w.told())
		assert.Equal(t, "start x, terminated x, start x, sweep 1", b.took())
	}, Program{Name: "x", StopAsGroup: true})
}

func TestTheEndOfRunWaitsForGroupsThatAreStopping(t *testing.T) {
	b := &fakeBackend{left: map[int]int{1: 2}}
	inFakeTime(t, b, func(w *world) {
		stopped := make(chan error)
		go func() { stopped <- w.Stop(background, "x") }()
		w.pass(2 * time.Second)
		w.end()
		require.NoError(t, <-stopped)
		assert.Equal(t, 10*time.Second, time.Since(w.began))
	}, Program{Name: "x", StopAsGroup: true})
}

func TestWithoutRunNothingIsRunning(t *testing.T) {
	m := New(nil)
	require.NoError(t, m.Add(Program{Name: "x", Command: "x"}))
	for _, err := range []error{
		m.Start(background, "x"), m.Stop(background, "x"), m.Restart(background, "x"), m.Signal("x", syscall.SIGHUP),
	} {
		assert.ErrorIs(t, err, ErrNotRunning)
		assert.EqualError(t, err, "x: not running: the manager does not run")
	}
	assert.Equal(t, "Not started", m.Status()[0].Description())
	require.NoError(t, m.Remove("x"))
	assert.ErrorIs(t, m.Remove("x"), ErrNoSuchProcess)
	assert.Empty(t, m.Status())
}

func TestNameForms(t *testing.T) {
	b := &fakeBackend{}
	inFakeTimeGroups(t, b, func(w *world) {
		for name, want := range map[string]string{
			"g:a": "hangup g:a", "g:*": "hangup g:a, hangup g:b", "g:": "hangup g:a, hangup g:b",
			"s": "hangup s", "s:s": "hangup s", "s:*": "hangup s",
		} {
			b.took()
			require.NoError(t, w.Signal(name, syscall.SIGHUP), name)
			assert.Equal(t, want, b.took(), name)
		}
		for _, name := range []string{"a", "g", "g:c", "h:*", "*", "", ":", "g:a:b"} {
			err := w.Signal(name, syscall.SIGHUP)
			assert.ErrorIs(t, err, ErrNoSuchProcess, name)
			assert.EqualError(t, err, name+": no such process")
		}
	},
		Group{Name: "g", Programs: []Program{{Name: "b"}, {Name: "a"}}},
		Group{Name: "s", Programs: []Program{{Name: "s"}}},
	)
}

func TestSignalLeavesTheStateAlone(t *testing.T) {
	b := &fakeBackend{}
	b.behave = func(name string, c *fakeChild) error {
		c.signal = func(_ *fakeChild, sig syscall.Signal, group bool) error {
			b.note("%s %s %t", sig, name, group)
			if sig == syscall.SIGTERM {
				c.die(0)
			}
			return nil
		}
		return nil
	}
	inFakeTimeGroups(t, b, func(w *world) {
		require.NoError(t, w.Signal("g:a", syscall.SIGUSR1))
		assert.Equal(t, "start g:a, user defined signal 1 g:a false", b.took(), "never to the group of pids")
		assert.Equal(t, Starting, w.status("g:a").State)
		assert.ErrorIs(t, w.Signal("g:b", syscall.SIGUSR1), ErrNotRunning)
		assert.NoError(t, w.Signal("g:*", syscall.SIGUSR1), "of a group, those that are alive")
	}, Group{Name: "g", Programs: []Program{{Name: "a", StopAsGroup: true}, {Name: "b", Manual: true}}})
}

func TestUnknownEndsWithTheProcess(t *testing.T) {
	b := &fakeBackend{}
	var c *fakeChild
	b.behave = func(_ string, child *fakeChild) error {
		c = child
		c.signal = func(*fakeChild, syscall.Signal, bool) error { return errDenied }
		return nil
	}
	inFakeTime(t, b, func(w *world) {
		w.pass(time.Second)
		assert.ErrorIs(t, w.Stop(background, "x"), syscall.EPERM)
		assert.Equal(t, Unknown, w.status("x").State)
		err := w.Start(background, "x")
		assert.ErrorIs(t, err, ErrUnknownState)
		assert.EqualError(t, err, "x: is in an unknown process state")
		assert.ErrorIs(t, w.Stop(background, "x"), ErrNotRunning)
		c.die(0)
		synctest.Wait()
		assert.Equal(t, Stopped, w.status("x").State)
		require.NoError(t, w.Start(background, "x"))
		assert.ErrorIs(t, w.Signal("x", syscall.SIGHUP), syscall.EPERM)
		assert.Equal(t, Unknown, w.status("x").State, "Run ends all the same")
	}, Program{Name: "x"})
}

func TestAddAndRemoveDuringRun(t *testing.T) {
	b := &fakeBackend{}
	inFakeTime(t, b, func(w *world) {
		w.told()
		require.NoError(t, w.AddGroup(Group{Name: "g", Programs: []Program{
			{Name: "b", Command: "x", Priority: 1}, {Name: "a", Command: "x", Priority: 2}, {Name: "c", Command: "x", Manual: true},
		}}))
		assert.Equal(t, "start g:b, start g:a", b.took())
		assert.ErrorIs(t, w.AddGroup(Group{Name: "g", Programs: []Program{{Name: "b", Command: "x"}}}), ErrAlreadyAdded)
		err := w.Remove("g")
		assert.ErrorIs(t, err, ErrStillRunning)
		assert.EqualError(t, err, "g: process still running")
		require.NoError(t, w.Start(background, "g:c"), "a refused removal changes nothing")
		assert.ErrorIs(t, w.Remove("g:a"), ErrNoSuchProcess)
		synctest.Wait()
		require.NoError(t, w.Stop(background, "g:*"))
		require.NoError(t, w.Remove("g"))
		assert.ErrorIs(t, w.Start(background, "g:a"), ErrNoSuchProcess)
		assert.Empty(t, w.Status())
		assert.Equal(t, []string{
			"0 PROCESS_GROUP_ADDED g", "0 g:b STARTING", "0 g:a STARTING", "0 g:c STARTING",
			"1 g:a RUNNING", "1 g:b RUNNING", "1 g:c RUNNING",
			"1 g:a STOPPED", "1 g:a STOPPING", "1 g:b STOPPED", "1 g:b STOPPING", "1 g:c STOPPED", "1 g:c STOPPING",
			"1 PROCESS_GROUP_REMOVED g",
		}, sortedFrom(sortedFrom(w.told(), 4, 7), 7, 13))
	})
}

func TestGroupsStartAndStopWhatIsConcerned(t *testing.T) {
	b := &fakeBackend{missing: map[string]error{"g:c": errNope}}
	inFakeTimeGroups(t, b, func(w *world) {
		b.took()
		err := w.Start(background, "g:*")
		assert.ErrorIs(t, err, ErrNoFile)
		assert.EqualError(t, err, "g:c: no such file: can't find command 'nope'", "one of three failed")
		assert.Equal(t, time.Second, time.Since(w.began), "they start side by side")
		assert.Equal(t, "start g:b", b.took(), "a is started already")
		require.NoError(t, w.Stop(background, "g:*"))
		assert.NoError(t, w.Stop(background, "g:*"), "of a group, those that run: none")
	}, Group{Name: "g", Programs: []Program{{Name: "a"}, {Name: "b", Manual: true}, {Name: "c", Manual: true}}})
}

func TestASlowReaderSeesWhatItMissed(t *testing.T) {
	m := New(&Options{EventBuffer: 3})
	slow, stop := iter.Pull(m.Events(background))
	defer stop()
	add := func(n int) {
		require.NoError(t, m.Add(Program{Name: fmt.Sprint("p", n), Command: "x"}))
	}
	for n := range 5 {
		add(n)
	}
	var got []string
	for range 2 {
		e, _ := slow()
		got = append(got, fmt.Sprintf("%s missed %d", e.Group, e.Missed))
	}
	add(5)
	add(6)
	add(7)
	for range 3 {
		e, _ := slow()
		got = append(got, fmt.Sprintf("%s missed %d", e.Group, e.Missed))
	}
	assert.Equal(t, []string{"p2 missed 2", "p3 missed 0", "p5 missed 1", "p6 missed 0", "p7 missed 0"}, got)
}

func TestEventsComeFromTheCallOn(t *testing.T) {
	m := New(nil)
	require.NoError(t, m.Add(Program{Name: "before", Command: "x"}))
	ctx, cancel := context.WithCancel(background)
	events := m.Events(ctx)
	require.NoError(t, m.Add(Program{Name: "after", Command: "x"}))
	for e := range events {
		assert.Equal(t, "after", e.Group)
		break
	}
	for range events {
		t.Error("a sequence that was left has ended")
	}
	abandoned := m.Events(ctx)
	cancel()
	for range abandoned {
		t.Error("its context is done")
	}
}

func TestASubscriptionNobodyReadsEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(nil)
		ctx, cancel := context.WithCancel(background)
		m.Events(ctx)
		assert.Len(t, m.hub.subs, 1)
		cancel()
		synctest.Wait()
		assert.Empty(t, m.hub.subs)
	})
}

func TestEventsAfterRunEndAtOnce(t *testing.T) {
	inFakeTime(t, &fakeBackend{}, func(w *world) {
		w.end()
		for range w.Events(background) {
			t.Error("nothing happens any more")
		}
	})
}

func TestLogger(t *testing.T) {
	var text bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		m := New(&Options{Logger: slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))})
		m.backend = &fakeBackend{left: map[int]int{1: 1}}
		require.NoError(t, m.AddGroup(Group{Name: "g", Programs: []Program{{Name: "x", Command: "x", StartSecs: Zero}}}))
		ctx, cancel := context.WithCancel(background)
		done := make(chan error)
		go func() { done <- m.Run(ctx) }()
		synctest.Wait()
		cancel()
		require.NoError(t, <-done)
	})
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	for _, want := range []string{
		`level=INFO msg="spawned: 'x' with pid 1" group=g process=x`,
		`level=INFO msg="success: x entered RUNNING state, process has stayed up for > than 0 seconds (startsecs)" group=g process=x`,

		`level=WARN msg="stopped: x ()" group=g process=x`,
		`level=WARN msg="killed what 'x' left in its process group" group=g process=x`,
	} {
		assert.Contains(t, lines, want)
	}

}

func TestFailedRestartIsTold(t *testing.T) {
	b := &fakeBackend{missing: map[string]error{}}
	inFakeTime(t, b, func(w *world) {
		b.missing["x"] = errNope
		err := w.Restart(background, "x")
		assert.ErrorIs(t, err, ErrNoFile)
		assert.True(t, errors.Is(err, ErrNoFile))
		assert.Equal(t, Stopped, w.status("x").State, "as with supervisorctl, it is stopped first")
	}, Program{Name: "x"})
}
