package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/onehost-go/onehost/procmgr"
)

// logMethod returns the name of a method that there is for both channels.
func logMethod(verb string, c procmgr.Channel) (string, error) {
	switch c {
	case procmgr.Stdout:
		return "supervisor." + verb + "ProcessStdoutLog", nil
	case procmgr.Stderr:
		return "supervisor." + verb + "ProcessStderrLog", nil
	}
	return "", fmt.Errorf("rpc: %v is neither stdout nor stderr", c)
}

// APIVersion returns the version of the API: "3.0".
func (c *Client) APIVersion(ctx context.Context) (string, error) {
	return call[string](ctx, c, "supervisor.getAPIVersion")
}

// SupervisorVersion returns the version of the server, such as "4.2.5".
func (c *Client) SupervisorVersion(ctx context.Context) (string, error) {
	return call[string](ctx, c, "supervisor.getSupervisorVersion")
}

// Identification returns the server's identifier.
func (c *Client) Identification(ctx context.Context) (string, error) {
	return call[string](ctx, c, "supervisor.getIdentification")
}

// State returns the state of the server. While it is another than
// ManagerRunning, there is no answer but ShutdownState.
func (c *Client) State(ctx context.Context) (procmgr.ManagerState, error) {
	s, err := call[map[string]any](ctx, c, "supervisor.getState")
	return procmgr.ManagerState(record(s).int("statecode")), err
}

// PID returns the process number of the server.
func (c *Client) PID(ctx context.Context) (int, error) {
	return call[int](ctx, c, "supervisor.getPID")
}

// ReadLog reads the server's own log. See ReadProcessLog.
func (c *Client) ReadLog(ctx context.Context, offset, length int64) (string, error) {
	return call[string](ctx, c, "supervisor.readLog", offset, length)
}

// ClearLog empties the server's own log.
func (c *Client) ClearLog(ctx context.Context) error {
	return c.do(ctx, "supervisor.clearLog")
}

// Shutdown makes the server stop all processes and end. It returns when that
// has begun.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.do(ctx, "supervisor.shutdown")
}

// Restart makes the server stop all processes, read its configuration and
// start. It returns when that has begun.
func (c *Client) Restart(ctx context.Context) error {
	return c.do(ctx, "supervisor.restart")
}

// ReloadConfig makes the server read its configuration, and returns which
// groups are not what they are there. It touches no process; see Apply for
// that. The fault of a broken configuration is CantReread.
func (c *Client) ReloadConfig(ctx context.Context) (Changes, error) {
	v, err := call[[]any](ctx, c, "supervisor.reloadConfig")
	if err != nil {
		return Changes{}, err
	}
	// [[added, changed, removed]]: with an array around it that has no meaning.
	var lists []any
	if len(v) == 1 {
		lists, _ = v[0].([]any)
	}
	if len(lists) != 3 {
		return Changes{}, errors.New("rpc: supervisor.reloadConfig answers without its three lists")
	}
	return Changes{stringsOf(lists[0]), stringsOf(lists[1]), stringsOf(lists[2])}, nil
}

// AddProcessGroup adds a group of the configuration as it was read last, and
// starts what of it is to start by itself: BadName, AlreadyAdded.
func (c *Client) AddProcessGroup(ctx context.Context, group string) error {
	return c.do(ctx, "supervisor.addProcessGroup", group)
}

// RemoveProcessGroup removes a group, all of whose processes must have stopped:
// BadName, StillRunning.
func (c *Client) RemoveProcessGroup(ctx context.Context, group string) error {
	return c.do(ctx, "supervisor.removeProcessGroup", group)
}

// AllConfigInfo returns the processes of the configuration as it was read last,
// sorted by name.
func (c *Client) AllConfigInfo(ctx context.Context) ([]ConfigInfo, error) {
	list, err := call[[]any](ctx, c, "supervisor.getAllConfigInfo")
	return decodeAll(list, configInfoOf), err
}

// ProcessInfo returns the status of a process: BadName.
func (c *Client) ProcessInfo(ctx context.Context, name string) (ProcessInfo, error) {
	s, err := call[map[string]any](ctx, c, "supervisor.getProcessInfo", name)
	return processInfoOf(s), err
}

// AllProcessInfo returns the status of all processes, sorted by group and name.
func (c *Client) AllProcessInfo(ctx context.Context) ([]ProcessInfo, error) {
	list, err := call[[]any](ctx, c, "supervisor.getAllProcessInfo")
	return decodeAll(list, processInfoOf), err
}

// StartProcess starts a process, or with "group:*" those of a group that are
// not started. With wait it returns when they are RUNNING, or are not going to
// be: SpawnError, AbnormalTermination. Others are BadName, NoFile and
// NotExecutable, about the command, AlreadyStarted and Failed. Of a group it
// returns all faults, joined.
func (c *Client) StartProcess(ctx context.Context, name string, wait bool) error {
	return joined(c.Call(ctx, "supervisor.startProcess", name, wait))
}

// StartProcessGroup starts the processes of a group that are not started. What
// became of each is in the results; the error is about the group.
func (c *Client) StartProcessGroup(ctx context.Context, group string, wait bool) ([]Result, error) {
	return c.results(ctx, "supervisor.startProcessGroup", group, wait)
}

// StartAllProcesses starts all processes that are not started.
func (c *Client) StartAllProcesses(ctx context.Context, wait bool) ([]Result, error) {
	return c.results(ctx, "supervisor.startAllProcesses", wait)
}

// StopProcess stops a process, or with "group:*" those of a group that are
// started. With wait it returns when they have stopped. Faults are BadName,
// NotRunning and Failed; of a group it returns all, joined.
func (c *Client) StopProcess(ctx context.Context, name string, wait bool) error {
	return joined(c.Call(ctx, "supervisor.stopProcess", name, wait))
}

// StopProcessGroup stops the processes of a group that are started.
func (c *Client) StopProcessGroup(ctx context.Context, group string, wait bool) ([]Result, error) {
	return c.results(ctx, "supervisor.stopProcessGroup", group, wait)
}

// StopAllProcesses stops all processes.
func (c *Client) StopAllProcesses(ctx context.Context, wait bool) ([]Result, error) {
	return c.results(ctx, "supervisor.stopAllProcesses", wait)
}

// SignalProcess sends a signal, "HUP", "SIGHUP" or "1", to a process, or with
// "group:*" to those of a group: BadName, BadSignal, NotRunning, Failed.
func (c *Client) SignalProcess(ctx context.Context, name, signal string) error {
	return joined(c.Call(ctx, "supervisor.signalProcess", name, signal))
}

// SignalProcessGroup sends a signal to the processes of a group that are alive.
func (c *Client) SignalProcessGroup(ctx context.Context, group, signal string) ([]Result, error) {
	return c.results(ctx, "supervisor.signalProcessGroup", group, signal)
}

// SignalAllProcesses sends a signal to all processes that are alive.
func (c *Client) SignalAllProcesses(ctx context.Context, signal string) ([]Result, error) {
	return c.results(ctx, "supervisor.signalAllProcesses", signal)
}

// ReadProcessLog reads length bytes of the log of a process, from offset on; all
// the rest with length 0. With a negative offset and length 0 it reads the last
// -offset bytes. Faults are BadName, NoFile, BadArguments and Failed.
//
// A real supervisord answers with an HTTPError, 500, if the part that it is
// asked for is no valid UTF-8. Tail has no such limit.
func (c *Client) ReadProcessLog(ctx context.Context, name string, ch procmgr.Channel, offset, length int64) (string, error) {
	method, err := logMethod("read", ch)
	if err != nil {
		return "", err
	}
	return call[string](ctx, c, method, name, offset, length)
}

// TailProcessLog returns what has come to the log of a process since it had
// offset bytes, but no more than length: if more has come, Overflow is set, and
// Text is the end of it. Of a process without a log, all is zero.
func (c *Client) TailProcessLog(ctx context.Context, name string, ch procmgr.Channel, offset, length int64) (LogTail, error) {
	method, err := logMethod("tail", ch)
	if err != nil {
		return LogTail{}, err
	}
	v, err := call[[]any](ctx, c, method, name, offset, length)
	if err != nil {
		return LogTail{}, err
	}
	if len(v) != 3 {
		return LogTail{}, fmt.Errorf("rpc: %s answers with %d values", method, len(v))
	}
	var t LogTail
	t.Text, _ = v[0].(string)
	size, _ := v[1].(int)
	t.Offset = int64(size)
	t.Overflow, _ = v[2].(bool)
	return t, nil
}

// ClearProcessLogs empties the logs of a process: BadName, Failed.
func (c *Client) ClearProcessLogs(ctx context.Context, name string) error {
	return c.do(ctx, "supervisor.clearProcessLogs", name)
}

// ClearAllProcessLogs empties the logs of all processes.
func (c *Client) ClearAllProcessLogs(ctx context.Context) ([]Result, error) {
	return c.results(ctx, "supervisor.clearAllProcessLogs")
}

// SendProcessStdin writes to the standard input of a process: BadName,
// NotRunning, NoFile if the process has closed it. chars must be UTF-8, or
// a real supervisord answers with an HTTPError, 400.
func (c *Client) SendProcessStdin(ctx context.Context, name, chars string) error {
	var v any = chars
	if strings.ContainsFunc(chars, func(r rune) bool { return !isXML(r) || r == utf8.RuneError || r == '\r' }) {
		v = []byte(chars) // for what XML has no characters
	}
	return c.do(ctx, "supervisor.sendProcessStdin", name, v)
}

// SendRemoteCommEvent sends a REMOTE_COMMUNICATION event to the event listeners
// that want it.
func (c *Client) SendRemoteCommEvent(ctx context.Context, typ, data string) error {
	return c.do(ctx, "supervisor.sendRemoteCommEvent", typ, data)
}

// ListMethods returns the names of all methods, sorted.
func (c *Client) ListMethods(ctx context.Context) ([]string, error) {
	list, err := call[[]any](ctx, c, "system.listMethods")
	return stringsOf(list), err
}

// MethodHelp returns what a method is for: SignatureUnsupported.
func (c *Client) MethodHelp(ctx context.Context, method string) (string, error) {
	return call[string](ctx, c, "system.methodHelp", method)
}

// MethodSignature returns the type of the result of a method, and of its
// parameters: SignatureUnsupported.
func (c *Client) MethodSignature(ctx context.Context, method string) ([]string, error) {
	list, err := call[[]any](ctx, c, "system.methodSignature", method)
	return stringsOf(list), err
}

// Tail returns the log of a process as a stream, from up to 1024 bytes before
// its end on, byte for byte, and whatever comes to it, until ctx ends or it is
// closed. If there is no such process, or it has no log, the error is an
// HTTPError, 404.
func (c *Client) Tail(ctx context.Context, name string, ch procmgr.Channel) (io.ReadCloser, error) {
	return c.tail(ctx, "/logtail/"+url.PathEscape(name)+"/"+ch.String())
}

// TailMain is Tail of the server's own log.
func (c *Client) TailMain(ctx context.Context) (io.ReadCloser, error) {
	return c.tail(ctx, "/mainlogtail")
}

func (c *Client) tail(ctx context.Context, path string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("rpc: %w", err)
	}
	reply, err := c.send(r)
	if err != nil {
		return nil, err
	}
	return reply.Body, nil
}

func (c *Client) results(ctx context.Context, method string, args ...any) ([]Result, error) {
	list, err := call[[]any](ctx, c, method, args...)
	return decodeAll(list, resultOf), err
}

// joined is what a call returns that answers true, or for a group the results
// of its processes.
func joined(v any, err error) error {
	if err != nil {
		return err
	}
	list, _ := v.([]any)
	var faults []error
	for _, r := range decodeAll(list, resultOf) {
		if err := r.Err(); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) == 1 {
		return faults[0]
	}
	return errors.Join(faults...)
}

func stringsOf(v any) []string {
	list, _ := v.([]any)
	names := make([]string, len(list))
	for i, v := range list {
		names[i], _ = v.(string)
	}
	return names
}

// splitName is supervisor.options.split_namespec; process is empty for a whole
// group.
func splitName(name string) (group, process string) {
	group, process, colon := strings.Cut(name, ":")
	if !colon {
		return name, name
	}
	if process == "*" {
		process = ""
	}
	return group, process
}
