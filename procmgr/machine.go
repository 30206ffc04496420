package procmgr

import (
	"fmt"
	"log/slog"
	"slices"
	"syscall"
	"time"
)

// machine is one process's life. It starts nothing and reads no clock: step
// says what to do now and when to call again.
//
// It is Supervisor 4.2.5's supervisor.process.Subprocess, with three
// differences. A timer is due when it is due (there: at the next pass of the
// loop, up to a second later). An automatic restart keeps RestartFloor (there:
// that same loop). UNKNOWN ends with the process (there: never).
type machine struct {
	prog *Program // resolved
	name string   // for log lines

	state   State
	pid     int       // 0: no child
	started time.Time // of the latest start; zero: never
	stopped time.Time // of the latest end
	due     time.Time // when the state has something to do; zero: never
	backoff int       // starts that failed in a row
	adopted bool      // the child is of an earlier Run
	killing bool      // a stop was asked for: the end of the child is no surprise
	frozen  bool      // nothing is started any more

	exitStatus int    // of the latest end; -1: by a signal
	spawnErr   string // why the latest start failed, or the end was unexpected
}

// An input is something that happened to a process.
type input struct {
	kind inputKind
	now  time.Time
	pid  int        // inSpawned, inAdopted, inAdoptFailed
	text string     // inSpawnFailed, inSignalFailed, inAdoptFailed: why
	exit exitStatus // inExited

	started time.Time // inAdopted
}

type inputKind int

const (
	inTimer        inputKind = iota // what step asked to be called for
	inAutoStart                     // Run begins, or the program is added to it
	inStart                         // asked for; only in a state that is not isStarted
	inStop                          // asked for; only in a state that is isStarted, or Exited
	inShutdown                      // Run ends
	inFreeze                        // start nothing until inThaw; only in a state that isStopped
	inThaw                          //
	inSpawned                       // answers doSpawn
	inSpawnFailed                   //
	inSignalFailed                  // answers doSignal, or another signal
	inAdopted                       // there is a child of an earlier Run; only before all else
	inAdoptFailed                   // there is, but its end cannot be seen
	inExited                        // the child is no more
)

// An effect is something for the owner to do, in order.
type effect struct {
	kind  effectKind
	sig   syscall.Signal // doSignal
	group bool           // doSignal: to the process group
	event Event          // doEvent; its names and its time are the owner's to fill in
	level slog.Level     // doLog
	text  string         // doLog
}

type effectKind int

const (
	doSpawn  effectKind = iota // always the last of a step; answered by inSpawned or inSpawnFailed
	doSignal                   // answered by inSignalFailed, or not at all
	doEvent
	doLog
)

// exitStatus is how a child ended.
type exitStatus struct {
	code int       // -1: by a signal, or nobody knows
	text string    // "exit status 3", "terminated by SIGKILL"
	at   time.Time // when, which may be well before anybody had time to look
}

// step takes in what happened. It returns what to do now, and after what time
// to call again with inTimer; zero means that only an input can change things.
func (m *machine) step(in input) (todo []effect, wait time.Duration) {
	switch in.kind {
	case inAutoStart:
		if m.state == Stopped && m.started.IsZero() && !m.prog.Manual && !m.frozen {
			m.spawn(in.now, &todo)
		}
	case inStart:
		m.spawn(in.now, &todo)
	case inStop:
		if m.state == Exited {
			m.due = time.Time{} // supervisord would restart it all the same
		} else {
			m.stop(in.now, &todo)
		}
	case inShutdown:
		m.frozen = true
		switch m.state {
		case Running, Starting:
			m.stop(in.now, &todo)
		case Backoff:
			m.giveUp(&todo)
		}
	case inFreeze:
		m.frozen = true
	case inThaw:
		m.frozen = false
	case inSpawned:
		m.pid = in.pid
		m.spawnErr = ""
		m.due = m.started.Add(secs(m.prog.StartSecs))
		m.log(&todo, slog.LevelInfo, "spawned: '%s' with pid %d", m.name, in.pid)
	case inSpawnFailed:
		m.spawnErr = in.text
		m.log(&todo, slog.LevelInfo, "spawnerr: %s", in.text)
		m.fail(in.now, &todo)
	case inAdopted:
		m.pid = in.pid
		m.adopted = true
		m.started = in.started
		m.due = m.started.Add(secs(m.prog.StartSecs))
		m.log(&todo, slog.LevelInfo, "adopted: '%s' with pid %d, which an earlier run has left", m.name, in.pid)
		m.enter(Starting, &todo)
	case inAdoptFailed:
		m.log(&todo, slog.LevelError, "'%s' with pid %d, which an earlier run has left, cannot be adopted: %s", m.name, in.pid, in.text)
		m.enter(Unknown, &todo)
	case inSignalFailed:
		m.log(&todo, slog.LevelError, "unknown problem killing %s (%d): %s", m.name, m.pid, in.text)
		m.due = time.Time{}
		m.enter(Unknown, &todo)
	case inExited:
		m.exited(in, &todo)
	}
	m.transition(in.now, &todo)

	if m.due.IsZero() || m.frozen && m.state.isStopped() {
		return todo, 0
	}
	return todo, m.due.Sub(in.now) // positive: transition has seen to what is due
}

// transition does what is due.
func (m *machine) transition(now time.Time, todo *[]effect) {
	due := !m.due.IsZero() && !now.Before(m.due)
	switch m.state {
	case Exited:
		if due && !m.frozen {
			m.spawn(now, todo)
		}
	case Backoff:
		if m.backoff > m.prog.StartRetries {
			m.giveUp(todo)
			m.log(todo, slog.LevelInfo, "gave up: %s entered FATAL state, too many start retries too quickly", m.name)
		} else if due {
			m.spawn(now, todo)
		}
	case Starting:
		if due {
			m.running(todo)
			m.log(todo, slog.LevelInfo, "success: %s entered RUNNING state, process has stayed up for > than %d seconds (startsecs)",
				m.name, m.prog.StartSecs)
		}
	case Stopping:
		if due {
			m.log(todo, slog.LevelWarn, "killing '%s' (%d) with SIGKILL", m.name, m.pid)
			m.kill(now, syscall.SIGKILL, m.prog.KillAsGroup, todo)
		}
	}
}

func (m *machine) spawn(now time.Time, todo *[]effect) {
	m.killing = false
	m.spawnErr = ""
	m.exitStatus = 0
	m.started = now
	m.due = time.Time{}
	m.enter(Starting, todo)
	*todo = append(*todo, effect{kind: doSpawn})
}

func (m *machine) running(todo *[]effect) {
	m.due = time.Time{}
	m.backoff = 0
	m.enter(Running, todo)
}

// fail is a start that came to nothing. The delay counts from now, and grows
// by a second with every failure, without bound.
func (m *machine) fail(now time.Time, todo *[]effect) {
	m.backoff++
	m.due = now.Add(secs(m.backoff))
	m.enter(Backoff, todo)
}

func (m *machine) giveUp(todo *[]effect) {
	m.due = time.Time{}
	m.backoff = 0
	m.enter(Fatal, todo)
}

func (m *machine) stop(now time.Time, todo *[]effect) {
	if m.state == Backoff {
		// Supervisor leaves the backoff counter as it is, here and in a later
		// start: a program that was stopped in BACKOFF has fewer tries left.
		m.due = time.Time{}
		m.enter(Stopped, todo)
		return
	}
	m.killing = true
	m.enter(Stopping, todo)
	m.kill(now, m.prog.StopSignal, m.prog.StopAsGroup, todo)
}

func (m *machine) kill(now time.Time, sig syscall.Signal, group bool, todo *[]effect) {
	wait := secs(m.prog.StopWaitSecs)
	if sig == syscall.SIGKILL {
		// KILL is repeated for as long as the process is there, but with
		// stopwaitsecs=0 not faster than supervisord's loop.
		wait = max(wait, time.Second)
	}
	m.due = now.Add(wait)
	*todo = append(*todo, effect{kind: doSignal, sig: sig, group: group})
}

// exited is the end of the child: Subprocess.finish.
func (m *machine) exited(in input, todo *[]effect) {
	exit := in.exit
	m.stopped = exit.at
	expected := slices.Contains(m.prog.ExitCodes, exit.code)
	m.due = time.Time{}

	switch {
	case m.killing:
		m.killing = false
		m.exitStatus = exit.code
		m.enter(Stopped, todo)
		m.log(todo, level(expected), "stopped: %s (%s)", m.name, exit.text)

	case m.state == Starting && exit.at.Sub(m.started) < secs(m.prog.StartSecs):
		// Whatever the exit code; and it is not told: exitstatus stays 0.
		m.spawnErr = "Exited too quickly (process log may have details)"
		m.fail(in.now, todo)
		m.log(todo, slog.LevelWarn, "exited: %s (%s; not expected)", m.name, exit.text)

	default:
		if m.state == Starting {
			m.running(todo) // lived for StartSecs, but ended before the timer was looked at
		}
		m.backoff = 0
		m.exitStatus = exit.code
		verdict := "expected"
		if !expected {
			verdict = "not expected"
			m.spawnErr = fmt.Sprintf("Bad exit code %d", exit.code)
		}
		m.enter(Exited, todo)
		m.log(todo, level(expected), "exited: %s (%s; %s)", m.name, exit.text, verdict)
		if m.prog.AutoRestart == RestartAlways || m.prog.AutoRestart == RestartUnexpected && !expected {
			m.due = m.started.Add(m.prog.RestartFloor)
		}
	}
	m.pid = 0
	m.adopted = false
}

// enter changes the state and tells it. It comes after everything that the
// event carries, and before the pid is forgotten.
func (m *machine) enter(to State, todo *[]effect) {
	if m.state == to {
		return
	}
	e := Event{Type: EventProcessState, From: m.state, To: to}
	switch to {
	case Starting, Backoff:
		e.Tries = m.backoff
	case Running, Stopping, Stopped:
		e.PID = m.pid
	case Exited:
		e.PID = m.pid
		e.Expected = slices.Contains(m.prog.ExitCodes, m.exitStatus)
	}
	if to == Stopped || to == Exited {
		e.ExitStatus = m.exitStatus
	}
	e.Reason = m.spawnErr
	m.state = to
	*todo = append(*todo, effect{kind: doEvent, event: e})
}

func (m *machine) log(todo *[]effect, l slog.Level, format string, args ...any) {
	*todo = append(*todo, effect{kind: doLog, level: l, text: fmt.Sprintf(format, args...)})
}

func secs(n int) time.Duration { return time.Duration(n) * time.Second }

func level(expected bool) slog.Level {
	if expected {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}
