package procmgr

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A turn is one call of step: at so many seconds something happens, the
// machine does what want says, and asks to be called again after wait.
type turn struct {
	at   float64
	in   input
	want string
	wait float64
}

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second)))
}

func spawned(pid int) input { return input{kind: inSpawned, pid: pid} }
func end(code int) input    { return input{kind: inExited, exit: exitStatus{code: code}} }

// told renders what a step does. Log lines are left out: they have a test.
func told(todo []effect) string {
	var parts []string
	for _, e := range todo {
		switch e.kind {
		case doSpawn:
			parts = append(parts, "spawn")
		case doSignal:
			to := ""
			if e.group {
				to = " group"
			}
			parts = append(parts, fmt.Sprintf("signal%s %d", to, int(e.sig)))
		case doEvent:
			v := e.event
			s := v.From.String() + ">" + v.To.String()
			switch v.To {
			case Starting, Backoff:
				s += fmt.Sprintf(" tries:%d", v.Tries)
			case Running, Stopping:
				s += fmt.Sprintf(" pid:%d", v.PID)
			case Stopped:
				s += fmt.Sprintf(" pid:%d status:%d", v.PID, v.ExitStatus)
			case Exited:
				s += fmt.Sprintf(" pid:%d status:%d expected:%t", v.PID, v.ExitStatus, v.Expected)
			}
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

var (
	auto     = input{kind: inAutoStart}
	start    = input{kind: inStart}
	stop     = input{kind: inStop}
	shutdown = input{kind: inShutdown}
	freeze   = input{kind: inFreeze}
	thaw     = input{kind: inThaw}
	timer    = input{kind: inTimer}
)

// The facts are those of Supervisor 4.2.5, supervisor/process.py, but where
// the name of a test says "here".
func TestStep(t *testing.T) {
	for _, test := range []struct {
		fact  string
		prog  Program
		turns []turn
	}{
		{"RunningAfterStartSecs", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0.4, timer, "", 0.6},
			{1, timer, "STARTING>RUNNING pid:7", 0},
		}},
		{"StartSecsCountsFromBeforeTheFork", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0.3, spawned(7), "", 0.7},
		}},
		{"StartSecsZeroIsRunningAtOnce", Program{StartSecs: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "STARTING>RUNNING pid:7", 0},
		}},
		{"ManualIsNotStartedByItself", Program{Manual: true}, []turn{
			{0, auto, "", 0},
			{0, start, "STOPPED>STARTING tries:0, spawn", 0},
		}},
		{"QuickExitIsBackoffWhateverTheCode", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0.9, end(0), "STARTING>BACKOFF tries:1", 1},
		}},
		{"BackoffGrowsByASecondThenFatal", Program{StartRetries: 2}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0.5, end(1), "STARTING>BACKOFF tries:1", 1},
			{1.5, timer, "BACKOFF>STARTING tries:1, spawn", 0},
			{1.5, spawned(8), "", 1},
			{2, end(1), "STARTING>BACKOFF tries:2", 2},
			{4, timer, "BACKOFF>STARTING tries:2, spawn", 0},
			{4, spawned(9), "", 1},
			{4, end(1), "STARTING>BACKOFF tries:3, BACKOFF>FATAL", 0},
		}},
		{"StartRetriesZeroIsFatalAtOnce", Program{StartRetries: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, end(1), "STARTING>BACKOFF tries:1, BACKOFF>FATAL", 0},
		}},
		{"SpawnFailureIsBackoff", Program{StartRetries: 1}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, input{kind: inSpawnFailed, text: "can't find command 'x'"}, "STARTING>BACKOFF tries:1", 1},
			{1, timer, "BACKOFF>STARTING tries:1, spawn", 0},
			{1, input{kind: inSpawnFailed, text: "can't find command 'x'"}, "STARTING>BACKOFF tries:2, BACKOFF>FATAL", 0},
		}},
		{"RunningForgetsTheFailures", Program{AutoRestart: RestartAlways}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, end(1), "STARTING>BACKOFF tries:1", 1},
			{1, timer, "BACKOFF>STARTING tries:1, spawn", 0},
			{1, spawned(8), "", 1},
			{2, timer, "STARTING>RUNNING pid:8", 0},
			{3, end(0), "RUNNING>EXITED pid:8 status:0 expected:true, EXITED>STARTING tries:0, spawn", 0},
		}},
		{"FailuresSurviveAStartByHand", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, end(1), "STARTING>BACKOFF tries:1", 1},
			{0, stop, "BACKOFF>STOPPED pid:0 status:0", 0},
			{5, start, "STOPPED>STARTING tries:1, spawn", 0},
			{5, spawned(8), "", 1},
			{5, end(1), "STARTING>BACKOFF tries:2", 2},
		}},
		{"FatalForgetsTheFailures", Program{StartRetries: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, end(1), "STARTING>BACKOFF tries:1, BACKOFF>FATAL", 0},
			{1, start, "FATAL>STARTING tries:0, spawn", 0},
		}},
		{"ExpectedExitStays", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{9, end(0), "RUNNING>EXITED pid:7 status:0 expected:true", 0},
		}},
		{"UnexpectedExitIsRestartedAtOnceIfItRanLongEnough", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{9, end(3), "RUNNING>EXITED pid:7 status:3 expected:false, EXITED>STARTING tries:0, spawn", 0},
		}},
		{"ExitCodesDecide", Program{ExitCodes: []int{3, 4}}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{9, end(4), "RUNNING>EXITED pid:7 status:4 expected:true", 0},
			{10, start, "EXITED>STARTING tries:0, spawn", 0},
			{10, spawned(8), "", 1},
			{11, timer, "STARTING>RUNNING pid:8", 0},
			{12, end(0), "RUNNING>EXITED pid:8 status:0 expected:false, EXITED>STARTING tries:0, spawn", 0},
		}},
		{"NoExitCodeIsExpectedOfAnEmptyList", Program{ExitCodes: []int{}, AutoRestart: RestartNever}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{9, end(0), "RUNNING>EXITED pid:7 status:0 expected:false", 0},
		}},
		{"ASignalIsStatusMinusOne", Program{AutoRestart: RestartNever}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{2, end(-1), "RUNNING>EXITED pid:7 status:-1 expected:false", 0},
		}},
		{"ExitSeenBeforeTheTimerIsStillRunningFirst", Program{AutoRestart: RestartNever}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1.5, end(0), "STARTING>RUNNING pid:7, RUNNING>EXITED pid:7 status:0 expected:true", 0},
		}},
		{"HereTheRestartFloorHolds", Program{StartSecs: Zero, AutoRestart: RestartAlways}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "STARTING>RUNNING pid:7", 0},
			{0.25, end(0), "RUNNING>EXITED pid:7 status:0 expected:true", 0.75},
			{1, timer, "EXITED>STARTING tries:0, spawn", 0},
			{1, spawned(8), "STARTING>RUNNING pid:8", 0},
			{1, end(0), "RUNNING>EXITED pid:8 status:0 expected:true", 1},
		}},
		{"HereTheRestartFloorCanBeTakenAway", Program{StartSecs: Zero, RestartFloor: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "STARTING>RUNNING pid:7", 0},
			{0, end(1), "RUNNING>EXITED pid:7 status:1 expected:false, EXITED>STARTING tries:0, spawn", 0},
		}},
		{"HereAStopCallsOffTheRestart", Program{StartSecs: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "STARTING>RUNNING pid:7", 0},
			{0, end(1), "RUNNING>EXITED pid:7 status:1 expected:false", 1},
			{0.5, stop, "", 0},
			{1, timer, "", 0},
		}},
		{"StopSignalsTheLeader", Program{StopSignal: 10}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0.5, stop, "STARTING>STOPPING pid:7, signal 10", 10},
			{0.6, end(-1), "STOPPING>STOPPED pid:7 status:-1", 0},
		}},
		{"StopAsGroupImpliesKillAsGroup", Program{StopAsGroup: true, StopWaitSecs: 2}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{1, stop, "RUNNING>STOPPING pid:7, signal group 15", 2},
			{3, timer, "signal group 9", 2},
		}},
		{"KillAsGroupAlone", Program{KillAsGroup: true, StopWaitSecs: 2}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{1, stop, "RUNNING>STOPPING pid:7, signal 15", 2},
			{3, timer, "signal group 9", 2},
		}},
		{"KillIsRepeatedForEver", Program{StopWaitSecs: 3}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, stop, "STARTING>STOPPING pid:7, signal 15", 3},
			{3, timer, "signal 9", 3},
			{6, timer, "signal 9", 3},
		}},
		{"HereKillIsNotRepeatedFasterThanSupervisordsLoop", Program{StopWaitSecs: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, stop, "STARTING>STOPPING pid:7, signal 15, signal 9", 1},
			{1, timer, "signal 9", 1},
		}},
		{"AStoppedProcessKeepsItsStatus", Program{AutoRestart: RestartAlways}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0.1, stop, "STARTING>STOPPING pid:7, signal 15", 10},
			{0.2, end(5), "STOPPING>STOPPED pid:7 status:5", 0},
			{9, auto, "", 0}, // it has been started before
		}},
		{"ShutdownGivesUpBackoff", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, end(1), "STARTING>BACKOFF tries:1", 1},
			{0.5, shutdown, "BACKOFF>FATAL", 0},
		}},
		{"ShutdownStopsAndRestartsNothing", Program{AutoRestart: RestartAlways}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{2, shutdown, "RUNNING>STOPPING pid:7, signal 15", 10},
			{2, end(0), "STOPPING>STOPPED pid:7 status:0", 0},
		}},
		{"ShutdownCallsOffTheRestart", Program{StartSecs: Zero, AutoRestart: RestartAlways}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "STARTING>RUNNING pid:7", 0},
			{0, end(0), "RUNNING>EXITED pid:7 status:0 expected:true", 1},
			{0.5, shutdown, "", 0},
			{2, timer, "", 0},
		}},
		{"ShutdownStartsNothing", Program{}, []turn{
			{0, shutdown, "", 0},
			{0, auto, "", 0},
		}},
		{"ShutdownLeavesAStopAlone", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{0, stop, "STARTING>STOPPING pid:7, signal 15", 10},
			{4, shutdown, "", 6},
		}},
		{"HereARestartSurvivesAFailedRemoval", Program{StartSecs: Zero}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "STARTING>RUNNING pid:7", 0},
			{0, end(1), "RUNNING>EXITED pid:7 status:1 expected:false", 1},
			{0.5, freeze, "", 0},
			{1.5, timer, "", 0},
			{2, thaw, "EXITED>STARTING tries:0, spawn", 0},
		}},
		{"FailedSignalIsUnknown", Program{}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{1, input{kind: inSignalFailed, text: "operation not permitted"}, "RUNNING>UNKNOWN", 0},
			{2, end(0), "UNKNOWN>EXITED pid:7 status:0 expected:true", 0},
		}},
		{"HereUnknownAfterAStopEndsStopped", Program{AutoRestart: RestartAlways}, []turn{
			{0, auto, "STOPPED>STARTING tries:0, spawn", 0},
			{0, spawned(7), "", 1},
			{1, timer, "STARTING>RUNNING pid:7", 0},
			{1, stop, "RUNNING>STOPPING pid:7, signal 15", 10},
			{1, input{kind: inSignalFailed, text: "operation not permitted"}, "STOPPING>UNKNOWN", 0},
			{2, end(0), "UNKNOWN>STOPPED pid:7 status:0", 0},
		}},
	} {
		t.Run(test.fact, func(t *testing.T) {
			m := machine{prog: test.prog.resolved(), name: "x"}
			for i, turn := range test.turns {
				turn.in.now = at(turn.at)
				if turn.in.kind == inExited {
					turn.in.exit.at = turn.in.now
				}
				todo, wait := m.step(turn.in)
				assert.Equal(t, turn.want, told(todo), "turn %d", i)
				assert.Equal(t, time.Duration(turn.wait*float64(time.Second)), wait, "turn %d: wait", i)
			}
		})
	}
}

// Under load the end of a child is heard of late. What counts is when it was.
func TestTooQuicklyIsMeasuredAtTheEndOfTheChild(t *testing.T) {
	m := machine{prog: (&Program{}).resolved()}
	m.step(input{kind: inAutoStart, now: at(0)})
	m.step(input{kind: inSpawned, now: at(0), pid: 7})
	todo, wait := m.step(input{kind: inExited, now: at(3), exit: exitStatus{at: at(0.5)}})
	assert.Equal(t, "STARTING>BACKOFF tries:1", told(todo))
	assert.Equal(t, time.Second, wait, "the delay counts from now, as in supervisord")
}

func TestStatusFieldsFollowSupervisor(t *testing.T) {
	m := machine{prog: (&Program{AutoRestart: RestartNever}).resolved()}
	m.step(input{kind: inAutoStart, now: at(0)})
	m.step(input{kind: inSpawned, now: at(0), pid: 7})
	m.step(input{kind: inExited, now: at(0), exit: exitStatus{code: 3, at: at(0)}})
	assert.Equal(t, "Exited too quickly (process log may have details)", m.spawnErr)
	assert.Zero(t, m.exitStatus, "not told of a process that never ran long enough")
	assert.Zero(t, m.pid)

	m.step(input{kind: inTimer, now: at(1)})
	assert.Empty(t, m.spawnErr)
	m.step(input{kind: inSpawned, now: at(1), pid: 8})
	m.step(input{kind: inTimer, now: at(2)})
	m.step(input{kind: inExited, now: at(9), exit: exitStatus{code: 3, at: at(9)}})
	assert.Equal(t, "Bad exit code 3", m.spawnErr)
	assert.Equal(t, 3, m.exitStatus)
	assert.Equal(t, at(1), m.started)
	assert.Equal(t, at(9), m.stopped)

	m.step(input{kind: inStart, now: at(10)})
	assert.Zero(t, m.exitStatus)
	assert.Empty(t, m.spawnErr)
}

func TestLogLinesAreSupervisords(t *testing.T) {
	m := machine{prog: (&Program{StartSecs: 2, StopWaitSecs: 1, StartRetries: Zero, AutoRestart: RestartNever}).resolved(), name: "web"}
	var lines []string
	step := func(in input, seconds float64) {
		in.now = at(seconds)
		in.exit.at = in.now
		todo, _ := m.step(in)
		for _, e := range todo {
			if e.kind == doLog {
				lines = append(lines, e.level.String()+" "+e.text)
			}
		}
	}
	step(start, 0)
	step(spawned(7), 0)
	step(timer, 2)
	step(input{kind: inExited, exit: exitStatus{code: 0, text: "exit status 0"}}, 3)
	step(start, 3)
	step(spawned(8), 3)
	step(timer, 5)
	step(input{kind: inExited, exit: exitStatus{code: -1, text: "terminated by SIGSEGV (core dumped)"}}, 6)
	step(start, 6)
	step(spawned(9), 6)
	step(stop, 7)
	step(timer, 8)
	step(input{kind: inExited, exit: exitStatus{code: -1, text: "terminated by SIGKILL"}}, 8)
	step(start, 9)
	step(input{kind: inSpawnFailed, text: "can't find command 'web'"}, 9)
	step(start, 10)
	step(spawned(10), 10)
	step(input{kind: inExited, exit: exitStatus{code: 1, text: "exit status 1"}}, 10)

	assert.Equal(t, []string{
		"INFO spawned: 'web' with pid 7",
		"INFO success: web entered RUNNING state, process has stayed up for > than 2 seconds (startsecs)",
		"INFO exited: web (exit status 0; expected)",
		"INFO spawned: 'web' with pid 8",
		"INFO success: web entered RUNNING state, process has stayed up for > than 2 seconds (startsecs)",
		"WARN exited: web (terminated by SIGSEGV (core dumped); not expected)",
		"INFO spawned: 'web' with pid 9",
		"WARN killing 'web' (9) with SIGKILL",
		"WARN stopped: web (terminated by SIGKILL)",
		"INFO spawnerr: can't find command 'web'",
		"INFO gave up: web entered FATAL state, too many start retries too quickly",
		"INFO spawned: 'web' with pid 10",
		"WARN exited: web (exit status 1; not expected)",
		"INFO gave up: web entered FATAL state, too many start retries too quickly",
	}, lines)
}
