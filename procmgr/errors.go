package procmgr

import "errors"

// Errors of a Manager's methods, to be asked for with [errors.Is]. The texts
// are those of supervisorctl. All but the first come in a [*ProcessError].
var (
	// ErrNotRunning: the process is not running (NOT_RUNNING), or nothing is,
	// because the Manager is not in Run.
	ErrNotRunning = errors.New("not running")

	ErrShutdown            = errors.New("shutting down")                  // Run is coming to its end: SHUTDOWN_STATE
	ErrNoSuchProcess       = errors.New("no such process")                // nor group: BAD_NAME
	ErrNoFile              = errors.New("no such file")                   // the command was not found: NO_FILE
	ErrNotExecutable       = errors.New("file is not executable")         // or the command cannot be understood: NOT_EXECUTABLE
	ErrAlreadyStarted      = errors.New("already started")                // ALREADY_STARTED
	ErrUnknownState        = errors.New("is in an unknown process state") // FAILED
	ErrSpawn               = errors.New("spawn error")                    // could not be started, or ended before StartSecs: SPAWN_ERROR
	ErrAbnormalTermination = errors.New("abnormal termination")           // stopped while it was starting: ABNORMAL_TERMINATION
	ErrBadSignal           = errors.New("bad signal name")                // no such signal: BAD_SIGNAL
	ErrAlreadyAdded        = errors.New("already added")                  // ALREADY_ADDED
	ErrStillRunning        = errors.New("process still running")          // STILL_RUNNING

	// ErrFatal is the ErrSpawn of a process that will not be tried again.
	ErrFatal error = fatalError{}
)

type fatalError struct{}

func (fatalError) Error() string { return "spawn error, given up" }
func (fatalError) Unwrap() error { return ErrSpawn }

// A ProcessError says which process could not be started, stopped, signalled,
// added or removed.
type ProcessError struct {
	Name   string // as Status.FullName gives it, or as it was asked for
	Err    error  // one of the Err variables, or of the operating system
	Reason string // in Supervisor's words; may be empty
}

// Error returns "name: error: reason".
func (e *ProcessError) Error() string {
	s := e.Name + ": " + e.Err.Error()
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// Unwrap returns e.Err.
func (e *ProcessError) Unwrap() error { return e.Err }

// A message is an error in Supervisor's words, capital letters included.
type message string

func (m message) Error() string { return string(m) }
