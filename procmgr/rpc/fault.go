package rpc

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/onehost-go/onehost/procmgr"
)

// A Code is the number of a fault, and an error to ask for with errors.Is.
type Code int

// The faults of Supervisor's API: supervisor.xmlrpc.Faults.
const (
	UnknownMethod        Code = 1
	IncorrectParameters  Code = 2 // too few, too many, or of another type
	BadArguments         Code = 3 // an offset and a length that do not go together
	SignatureUnsupported Code = 4 // no such method to tell about
	ShutdownState        Code = 6 // the server shuts down, or restarts
	BadName              Code = 10
	BadSignal            Code = 11
	NoFile               Code = 20 // no such command, or log, or the standard input is closed
	NotExecutable        Code = 21
	Failed               Code = 30
	AbnormalTermination  Code = 40 // stopped while it was starting
	SpawnError           Code = 50 // could not be started, or ended before startsecs
	AlreadyStarted       Code = 60
	NotRunning           Code = 70
	Success              Code = 80 // no fault: the Code of a Result
	AlreadyAdded         Code = 90
	StillRunning         Code = 91
	CantReread           Code = 92 // the configuration is broken
)

var codeNames = map[Code]string{
	UnknownMethod: "UNKNOWN_METHOD", IncorrectParameters: "INCORRECT_PARAMETERS", BadArguments: "BAD_ARGUMENTS",
	SignatureUnsupported: "SIGNATURE_UNSUPPORTED", ShutdownState: "SHUTDOWN_STATE", BadName: "BAD_NAME",
	BadSignal: "BAD_SIGNAL", NoFile: "NO_FILE", NotExecutable: "NOT_EXECUTABLE", Failed: "FAILED",
	AbnormalTermination: "ABNORMAL_TERMINATION", SpawnError: "SPAWN_ERROR", AlreadyStarted: "ALREADY_STARTED",
	NotRunning: "NOT_RUNNING", Success: "SUCCESS", AlreadyAdded: "ALREADY_ADDED", StillRunning: "STILL_RUNNING",
	CantReread: "CANT_REREAD",
}

// String returns Supervisor's name, such as "BAD_NAME".
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "Code(" + strconv.Itoa(int(c)) + ")"
}

// Error returns what String does.
func (c Code) Error() string { return c.String() }

// MarshalText writes what String returns.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Code) UnmarshalText(text []byte) error {
	for code, name := range codeNames {
		if name == string(text) {
			*c = code
			return nil
		}
	}
	return fmt.Errorf("rpc: %q is no fault", text)
}

// A Fault is the answer of a server that did not do what it was asked.
//
// errors.Is finds its Code, rpc.BadName, and the errors of procmgr that stand
// for the same, procmgr.ErrNoSuchProcess.
type Fault struct {
	Code Code
	Text string // "BAD_NAME: scout"
}

// Error returns the text.
func (f *Fault) Error() string { return f.Text }

// Is reports whether target is the Code of f, or means the same.
func (f *Fault) Is(target error) bool {
	if c, ok := target.(Code); ok {
		return c == f.Code
	}
	for _, m := range meanings {
		if m.err == target {
			return m.code == f.Code
		}
	}
	return false
}

// meanings pair the faults with the errors of a Manager. Of several for one
// error the first counts.
var meanings = []struct {
	err  error
	code Code
}{
	{procmgr.ErrShutdown, ShutdownState},
	{procmgr.ErrNoSuchProcess, BadName},
	{procmgr.ErrBadSignal, BadSignal},
	{procmgr.ErrNoFile, NoFile},
	{procmgr.ErrNotExecutable, NotExecutable},
	{procmgr.ErrUnknownState, Failed},
	{procmgr.ErrAbnormalTermination, AbnormalTermination},
	{procmgr.ErrSpawn, SpawnError},
	{procmgr.ErrAlreadyStarted, AlreadyStarted},
	{procmgr.ErrNotRunning, NotRunning},
	{procmgr.ErrAlreadyAdded, AlreadyAdded},
	{procmgr.ErrStillRunning, StillRunning},
}

// newFault makes a fault with Supervisor's text: its name, and what it is about.
func newFault(c Code, about string) *Fault { return &Fault{c, c.String() + ": " + about} }

// bare makes a fault that is about nothing.
func bare(c Code) *Fault { return &Fault{c, c.String()} }

func (f *Fault) structure() structure {
	return structure{{"faultCode", int(f.Code)}, {"faultString", f.Text}}
}

// faultOf returns the fault that a decoded value is, or nil.
func faultOf(v any) *Fault {
	s, _ := v.(map[string]any)
	code, ok1 := s["faultCode"].(int)
	text, ok2 := s["faultString"].(string)
	if len(s) != 2 || !ok1 || !ok2 {
		return nil
	}
	return &Fault{Code(code), text}
}

// ErrUnauthorized is the HTTPError of a server that wants another user name or
// password.
var ErrUnauthorized = errors.New("rpc: the server requires authentication")

// An HTTPError is an answer of a server that is no reply.
type HTTPError struct {
	StatusCode int // 401: ErrUnauthorized; 404: of a log, there is none
}

// Error returns the status in words.
func (e *HTTPError) Error() string {
	return fmt.Sprintf("rpc: the server answers %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

// Is reports whether target is ErrUnauthorized, and e too.
func (e *HTTPError) Is(target error) bool {
	return target == ErrUnauthorized && e.StatusCode == http.StatusUnauthorized
}
