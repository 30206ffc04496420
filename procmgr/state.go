package procmgr

import (
	"fmt"
	"strconv"
)

// A State is where a process is in its life. The numbers are Supervisor's
// (supervisor.states.ProcessStates), as its XML-RPC API sends them.
type State int

const (
	Stopped  State = 0    // never started, or stopped on request
	Starting State = 10   // started, but not yet for StartSecs
	Running  State = 20   // alive
	Backoff  State = 30   // ended or failed too early; waits to be tried again
	Stopping State = 40   // asked to stop, still alive
	Exited   State = 100  // ended by itself while Running
	Fatal    State = 200  // given up after StartRetries
	Unknown  State = 1000 // could not be signalled
)

// String returns Supervisor's name of s, such as "RUNNING".
func (s State) String() string {
	switch s {
	case Stopped:
		return "STOPPED"
	case Starting:
		return "STARTING"
	case Running:
		return "RUNNING"
	case Backoff:
		return "BACKOFF"
	case Stopping:
		return "STOPPING"
	case Exited:
		return "EXITED"
	case Fatal:
		return "FATAL"
	case Unknown:
		return "UNKNOWN"
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText writes Supervisor's name of s.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{Stopped, Starting, Running, Backoff, Stopping, Exited, Fatal, Unknown} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("procmgr: %q is no process state", text)
}

// isStarted reports whether a start is refused in s: Supervisor's
// RUNNING_STATES. A stop is refused in all others.
func (s State) isStarted() bool { return s == Starting || s == Running || s == Backoff }

// isStopped reports whether a stop has come to its end: STOPPED_STATES.
func (s State) isStopped() bool { return s == Stopped || s == Exited || s == Fatal || s == Unknown }

// isSignallable reports whether Signal is allowed: SIGNALLABLE_STATES.
func (s State) isSignallable() bool { return s == Starting || s == Running || s == Stopping }

// AutoRestart says whether a process that ended by itself, after it was
// RUNNING, is started again.
type AutoRestart int

const (
	RestartUnexpected AutoRestart = iota // unless its exit status is one of ExitCodes
	RestartAlways                        // autorestart=true
	RestartNever                         // autorestart=false
)

// String returns the value as in a configuration: "unexpected", "true" or
// "false".
func (r AutoRestart) String() string {
	switch r {
	case RestartUnexpected:
		return "unexpected"
	case RestartAlways:
		return "true"
	case RestartNever:
		return "false"
	}
	return "AutoRestart(" + strconv.Itoa(int(r)) + ")"
}

// MarshalText writes what String returns.
func (r AutoRestart) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *AutoRestart) UnmarshalText(text []byte) error {
	for _, known := range []AutoRestart{RestartUnexpected, RestartAlways, RestartNever} {
		if known.String() == string(text) {
			*r = known
			return nil
		}
	}
	return fmt.Errorf("procmgr: %q is no autorestart value", text)
}
