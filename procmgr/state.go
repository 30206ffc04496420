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

// A Channel is one of the two outputs of a program.
type Channel int

const (
	Stdout Channel = iota
	Stderr
)

// String returns Supervisor's name of c: "stdout" or "stderr".
func (c Channel) String() string {
	switch c {
	case Stdout:
		return "stdout"
	case Stderr:
		return "stderr"
	}
	return "Channel(" + strconv.Itoa(int(c)) + ")"
}

// MarshalText writes what String returns.
func (c Channel) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Channel) UnmarshalText(text []byte) error {
	for _, known := range []Channel{Stdout, Stderr} {
		if known.String() == string(text) {
			*c = known
			return nil
		}
	}
	return fmt.Errorf("procmgr: %q is no output channel", text)
}

// A ManagerState is what Supervisor's getState tells of the whole
// (supervisor.states.SupervisorStates).
type ManagerState int

const (
	ManagerShutdown   ManagerState = -1 // Run comes to its end, or has
	ManagerRestarting ManagerState = 0  // so it does, to begin again; said by whoever does that, not by a Manager
	ManagerRunning    ManagerState = 1
	ManagerFatal      ManagerState = 2 // never, as in Supervisor
)

// String returns Supervisor's name of s, such as "SHUTDOWN".
func (s ManagerState) String() string {
	switch s {
	case ManagerShutdown:
		return "SHUTDOWN"
	case ManagerRestarting:
		return "RESTARTING"
	case ManagerRunning:
		return "RUNNING"
	case ManagerFatal:
		return "FATAL"
	}
	return "ManagerState(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText writes what String returns.
func (s ManagerState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *ManagerState) UnmarshalText(text []byte) error {
	for _, known := range []ManagerState{ManagerShutdown, ManagerRestarting, ManagerRunning, ManagerFatal} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("procmgr: %q is no manager state", text)
}
