package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/procmgr"
)

// A method is one of the API, as the server has it.
type method struct {
	help     string
	returns  string
	params   []param
	optional int  // how many of the last may be left out; they are true then
	always   bool // is answered while the server shuts down
	run      func(h *handler, ctx context.Context, a args) (any, error)
}

type param struct{ kind, name string }

// The arguments of a method, once they have the types of its parameters.
type args []any

func (a args) str(i int) string { return a[i].(string) }
func (a args) int(i int) int64  { return a[i].(int64) }
func (a args) bool(i int) bool  { return a[i].(bool) }

// methods are those of the API, by their names without "supervisor.".
func methods() map[string]method {
	name := param{"string", "name"}
	group := param{"string", "group"}
	wait := param{"boolean", "wait"}
	signal := param{"string", "signal"}
	part := []param{{"int", "offset"}, {"int", "length"}}
	ofLog := append([]param{name}, part...)
	const results = "what became of each: structs of name, group, status and description"

	version := method{"the version of this API", "string", nil, 0, false, (*handler).apiVersion}
	readLog := method{"part of the server's own log; see readProcessStdoutLog", "string", part, 0, false, (*handler).readMainLog}
	clearLog := method{"empty the logs of a process; their backups stay", "boolean", []param{name}, 0, false, (*handler).clearLogs}
	readStdout := method{
		"length bytes of the standard output of a process from offset on, all if length is 0; with a negative offset and length 0 so many bytes at its end",
		"string", ofLog, 0, false, readLogOf(procmgr.Stdout),
	}
	readStderr := readStdout
	readStderr.help, readStderr.run = "the same of its standard error", readLogOf(procmgr.Stderr)
	tailStdout := method{
		"the new part of the standard output of a process that had offset bytes, at most length bytes of it, then the size of the log, and whether something was left out",
		"array", ofLog, 0, false, tailLogOf(procmgr.Stdout),
	}
	tailStderr := tailStdout
	tailStderr.help, tailStderr.run = "the same of its standard error", tailLogOf(procmgr.Stderr)

	return map[string]method{
		"getAPIVersion": version,
		"getVersion":    version,

		"getSupervisorVersion": {"the version of Supervisor that this server behaves as", "string", nil, 0, false, (*handler).version},
		"getIdentification":    {"the identifier of this server", "string", nil, 0, false, (*handler).identification},
		"getState":             {"the state of the server: statecode and statename", "struct", nil, 0, false, (*handler).state},
		"getPID":               {"the process number of the server", "int", nil, 0, false, (*handler).pid},
		"readLog":              readLog,
		"readMainLog":          readLog,
		"clearLog":             {"empty the server's own log", "boolean", nil, 0, false, (*handler).clearMainLog},
		"shutdown":             {"stop all processes, and the server", "boolean", nil, 0, false, (*handler).shutdown},
		"restart":              {"stop all processes, read the configuration and start anew", "boolean", nil, 0, false, (*handler).restart},
		"reloadConfig":         {"read the configuration, and tell which groups have been added to it, changed and removed", "array", nil, 0, false, (*handler).reloadConfig},
		"addProcessGroup":      {"add a group of the configuration", "boolean", []param{group}, 0, false, (*handler).addGroup},
		"removeProcessGroup":   {"remove a group whose processes have stopped", "boolean", []param{group}, 0, false, (*handler).removeGroup},
		"getAllConfigInfo":     {"the configuration of every process", "array", nil, 0, false, (*handler).configInfo},
		"getProcessInfo":       {"the status of a process", "struct", []param{name}, 0, false, (*handler).processInfo},
		"getAllProcessInfo":    {"the status of all processes", "array", nil, 0, false, (*handler).allProcessInfo},

		"startProcess":      {"start a process, or those of a group (group:*); with wait until it is RUNNING", "boolean", []param{name, wait}, 1, false, (*handler).start},
		"startProcessGroup": {"start the processes of a group: " + results, "array", []param{group, wait}, 1, false, (*handler).startGroup},
		"startAllProcesses": {"start all processes: " + results, "array", []param{wait}, 1, false, (*handler).startAll},
		"stopProcess":       {"stop a process, or those of a group (group:*); with wait until it has stopped", "boolean", []param{name, wait}, 1, false, (*handler).stop},
		"stopProcessGroup":  {"stop the processes of a group: " + results, "array", []param{group, wait}, 1, false, (*handler).stopGroup},
		"stopAllProcesses":  {"stop all processes: " + results, "array", []param{wait}, 1, false, (*handler).stopAll},

		"signalProcess":      {"send a signal, by name or number, to a process, or to those of a group (group:*)", "boolean", []param{name, signal}, 0, false, (*handler).signal},
		"signalProcessGroup": {"send a signal to the processes of a group: " + results, "array", []param{group, signal}, 0, false, (*handler).signalGroup},
		"signalAllProcesses": {"send a signal to all processes: " + results, "array", []param{signal}, 0, false, (*handler).signalAll},

		"readProcessStdoutLog": readStdout,
		"readProcessLog":       readStdout,
		"readProcessStderrLog": readStderr,
		"tailProcessStdoutLog": tailStdout,
		"tailProcessLog":       tailStdout,
		"tailProcessStderrLog": tailStderr,
		"clearProcessLogs":     clearLog,
		"clearProcessLog":      clearLog,
		"clearAllProcessLogs":  {"empty the logs of all processes: " + results, "array", nil, 0, false, (*handler).clearAllLogs},

		"sendProcessStdin":    {"write to the standard input of a process", "boolean", []param{name, {"any", "chars"}}, 0, false, (*handler).stdin},
		"sendRemoteCommEvent": {"send an event to those who listen to REMOTE_COMMUNICATION", "boolean", []param{{"string", "type"}, {"string", "data"}}, 0, true, (*handler).remoteCommEvent},
	}
}

// convert gives the arguments of a call the types of the parameters. Python is
// lenient, and so are we: a number may be text, and anything is true or false.
func (m method) convert(given []any) (args, *Fault) {
	wrong := bare(IncorrectParameters)
	if len(given) > len(m.params) || len(given) < len(m.params)-m.optional {
		return nil, wrong
	}
	a := make(args, len(m.params))
	for i, p := range m.params {
		if i >= len(given) {
			a[i] = true
			continue
		}
		v := given[i]
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		switch p.kind {
		case "string":
			if n, ok := v.(int); ok && p.name == "signal" {
				v = strconv.Itoa(n)
			}
			if _, ok := v.(string); !ok {
				return nil, wrong
			}
		case "int":
			n, ok := integer(v)
			if !ok {
				return nil, wrong
			}
			v = n
		case "boolean":
			v = truth(v)
		}
		a[i] = v
	}
	return a, nil
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		return int64(v), v >= -1<<53 && v <= 1<<53
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n, err == nil
	}
	return 0, false
}

// truth is Python's bool.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

func (h *handler) apiVersion(context.Context, args) (any, error) { return "3.0", nil }
func (h *handler) version(context.Context, args) (any, error)    { return h.o.Version, nil }
func (h *handler) pid(context.Context, args) (any, error)        { return os.Getpid(), nil }

func (h *handler) identification(context.Context, args) (any, error) {
	return h.o.Identifier, nil
}

func (h *handler) state(context.Context, args) (any, error) {
	s := procmgr.ManagerRunning // or it would not have come so far
	return structure{{"statecode", int(s)}, {"statename", s.String()}}, nil
}

func (h *handler) readMainLog(_ context.Context, a args) (any, error) {
	if h.o.MainLog == nil {
		return nil, bare(NoFile)
	}
	return readFile(h.o.MainLog.Path(), a.int(0), a.int(1))
}

// maxPart is how many bytes of a log are sent at once. supervisord sends all
// there is.
const maxPart = 128 << 20

func readFile(path string, offset, length int64) (any, error) {
	if path == "" {
		return nil, bare(NoFile)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, newFault(NoFile, path)
	}
	asked := info.Size() - offset
	if offset < 0 {
		asked = -offset
	} else if length > 0 {
		asked = length
	}
	if min(asked, info.Size()) > maxPart {
		return nil, newFault(Failed, fmt.Sprintf("more than %d bytes", maxPart))
	}
	data, err := procmgr.ReadLogFile(path, offset, length)
	switch {
	case errors.Is(err, procmgr.ErrBadArguments):
		return nil, bare(BadArguments)
	case err != nil:
		return nil, bare(Failed)
	}
	return string(data), nil
}

func (h *handler) clearMainLog(context.Context, args) (any, error) {
	log := h.o.MainLog
	if log == nil {
		return nil, bare(NoFile)
	}
	if _, err := os.Stat(log.Path()); err != nil {
		return nil, bare(NoFile)
	}
	if err := log.Clear(); err != nil {
		return nil, bare(Failed)
	}
	return true, nil
}

func (h *handler) shutdown(context.Context, args) (any, error) {
	h.down.Store(true)
	if h.o.Shutdown != nil {
		h.o.Shutdown()
	}
	return true, nil
}

func (h *handler) restart(context.Context, args) (any, error) {
	h.down.Store(true)
	if h.o.Restart != nil {
		h.o.Restart()
	}
	return true, nil
}

func (h *handler) reloadConfig(ctx context.Context, _ args) (any, error) {
	if h.o.Reload == nil {
		return nil, newFault(CantReread, "there is no configuration")
	}
	ch, err := h.o.Reload(ctx)
	if err != nil {
		return nil, newFault(CantReread, err.Error())
	}
	// With an array around it: "cannot return len > 1, apparently".
	return []any{[]any{ch.Added, ch.Changed, ch.Removed}}, nil
}

func (h *handler) addGroup(ctx context.Context, a args) (any, error) {
	name := a.str(0)
	if h.o.AddGroup == nil {
		return nil, newFault(BadName, name)
	}
	return true, faultFor(h.o.AddGroup(ctx, name), name)
}

func (h *handler) removeGroup(_ context.Context, a args) (any, error) {
	name := a.str(0)
	if strings.Contains(name, ":") {
		return nil, newFault(BadName, name)
	}
	return true, faultFor(h.m.Remove(name), name)
}

func (h *handler) configInfo(context.Context, args) (any, error) {
	if h.o.Config == nil {
		return []any{}, nil
	}
	all := slices.Clone(h.o.Config())
	slices.SortStableFunc(all, func(a, b ConfigInfo) int { return strings.Compare(a.Name, b.Name) })
	list := make([]structure, len(all))
	for i, c := range all {
		list[i] = c.structure()
	}
	return list, nil
}

func (h *handler) processInfo(_ context.Context, a args) (any, error) {
	s, err := h.one(a.str(0))
	if err != nil {
		return nil, err
	}
	return s, nil
}

// one returns the status of a process: BadName, also for a group.
func (h *handler) one(name string) (procmgr.Status, error) {
	if _, process := splitName(name); process == "" {
		return procmgr.Status{}, newFault(BadName, name)
	}
	s, err := h.m.StatusOf(name)
	return s, faultFor(err, name)
}

func (h *handler) allProcessInfo(context.Context, args) (any, error) {
	return h.m.Status(), nil
}

func (h *handler) start(ctx context.Context, a args) (any, error) {
	name, wait := a.str(0), a.bool(1)
	switch _, process := splitName(name); {
	case process == "":
		return results(h.m.StartEach(ctx, name, wait))
	case wait:
		return true, faultFor(h.m.Start(ctx, name), name)
	}
	return true, faultFor(h.m.StartNoWait(name), name)
}

func (h *handler) startGroup(ctx context.Context, a args) (any, error) {
	return h.group(a.str(0), func(all string) ([]procmgr.Result, error) { return h.m.StartEach(ctx, all, a.bool(1)) })
}

func (h *handler) startAll(ctx context.Context, a args) (any, error) {
	return results(h.m.StartEach(ctx, "*", a.bool(0)))
}

func (h *handler) stop(ctx context.Context, a args) (any, error) {
	name, wait := a.str(0), a.bool(1)
	switch _, process := splitName(name); {
	case process == "":
		return results(h.m.StopEach(ctx, name, wait))
	case wait:
		h.waiting(name)
		return true, faultFor(h.m.Stop(ctx, name), name)
	}
	return true, faultFor(h.m.StopNoWait(name), name)
}

func (h *handler) stopGroup(ctx context.Context, a args) (any, error) {
	return h.group(a.str(0), func(all string) ([]procmgr.Result, error) { return h.m.StopEach(ctx, all, a.bool(1)) })
}

func (h *handler) stopAll(ctx context.Context, a args) (any, error) {
	return results(h.m.StopEach(ctx, "*", a.bool(0)))
}

// waiting writes what supervisord logs, now and then, while somebody waits for
// a process to stop.
func (h *handler) waiting(name string) {
	if s, err := h.m.StatusOf(name); err == nil && (s.State == procmgr.Running || s.State == procmgr.Starting) {
		h.log(slog.LevelInfo, "waiting for "+s.Name+" to stop")
	}
}

// group calls do for all of a group.
func (h *handler) group(name string, do func(all string) ([]procmgr.Result, error)) (any, error) {
	if strings.Contains(name, ":") {
		return nil, newFault(BadName, name)
	}
	list, err := results(do(name + ":*"))
	if errors.Is(err, BadName) {
		return nil, newFault(BadName, name)
	}
	return list, err
}

// results is a reply about several processes; name is for the error.
func results(list []procmgr.Result, err error) (any, error) {
	if err != nil {
		var of *procmgr.ProcessError
		if errors.As(err, &of) {
			return nil, faultFor(err, of.Name)
		}
		return nil, err
	}
	all := make([]structure, len(list))
	for i, r := range list {
		result := Result{r.Group, r.Name, Success, "OK"}
		if f := asFault(faultFor(r.Err, r.FullName())); f != nil {
			result.Status, result.Description = f.Code, f.Text
		}
		all[i] = result.structure()
	}
	return all, nil
}

func (h *handler) signal(_ context.Context, a args) (any, error) {
	name := a.str(0)
	if _, process := splitName(name); process == "" {
		return h.signalEach(name, a.str(1))
	}
	s, err := h.one(name)
	if err != nil {
		return nil, err
	}
	sig, ok := signalNumber(a.str(1))
	switch {
	case !ok:
		return nil, newFault(BadSignal, a.str(1))
	case sig == 0: // as kill(2) has it: whether there is somebody
		if !alive(s) {
			return nil, newFault(NotRunning, name)
		}
		return true, nil
	}
	return true, faultFor(h.m.Signal(name, sig), name)
}

func (h *handler) signalGroup(_ context.Context, a args) (any, error) {
	group := a.str(0)
	if strings.Contains(group, ":") || !slices.Contains(h.m.Groups(), group) {
		return nil, newFault(BadName, group)
	}
	return h.signalEach(group+":*", a.str(1))
}

func (h *handler) signalAll(_ context.Context, a args) (any, error) {
	return h.signalEach("*", a.str(0))
}

// signalEach is for "group:*" or "*". A bad signal is the result of each
// process, and not of the call.
func (h *handler) signalEach(name, signal string) (any, error) {
	sig, ok := signalNumber(signal)
	if ok && sig > 0 {
		return results(h.m.SignalEach(name, sig))
	}
	group, _, _ := strings.Cut(name, ":")
	if name != "*" && !slices.Contains(h.m.Groups(), group) {
		return nil, newFault(BadName, name)
	}
	var list []procmgr.Result
	for _, s := range h.m.Status() {
		if alive(s) && (name == "*" || s.Group == group) {
			r := procmgr.Result{Group: s.Group, Name: s.Name}
			if !ok {
				r.Err = newFault(BadSignal, signal)
			}
			list = append(list, r)
		}
	}
	return results(list, nil)
}

// alive is Supervisor's SIGNALLABLE_STATES.
func alive(s procmgr.Status) bool {
	return s.State == procmgr.Starting || s.State == procmgr.Running || s.State == procmgr.Stopping
}

func readLogOf(c procmgr.Channel) func(*handler, context.Context, args) (any, error) {
	return func(h *handler, _ context.Context, a args) (any, error) {
		s, err := h.one(a.str(0))
		if err != nil {
			return nil, err
		}
		return readFile(logOf(s, c), a.int(1), a.int(2))
	}
}

func logOf(s procmgr.Status, c procmgr.Channel) string {
	if c == procmgr.Stderr {
		return s.StderrLog
	}
	return s.StdoutLog
}

func tailLogOf(c procmgr.Channel) func(*handler, context.Context, args) (any, error) {
	return func(h *handler, _ context.Context, a args) (any, error) {
		if _, err := h.one(a.str(0)); err != nil {
			return nil, err
		}
		data, size, overflow, err := h.m.TailLog(a.str(0), c, a.int(1), min(a.int(2), maxPart))
		return []any{string(data), size, overflow}, faultFor(err, a.str(0))
	}
}

func (h *handler) clearLogs(_ context.Context, a args) (any, error) {
	name := a.str(0)
	if _, err := h.one(name); err != nil {
		return nil, err
	}
	if err := h.m.ClearLog(name); err != nil {
		return nil, newFault(Failed, name)
	}
	return true, nil
}

func (h *handler) clearAllLogs(context.Context, args) (any, error) {
	list := h.m.ClearEach()
	for i, r := range list {
		if r.Err != nil {
			list[i].Err = newFault(Failed, r.FullName())
		}
	}
	return results(list, nil)
}

func (h *handler) stdin(_ context.Context, a args) (any, error) {
	name := a.str(0)
	chars, ok := a[1].(string)
	if !ok {
		return nil, newFault(IncorrectParameters, shown(a[1]))
	}
	if _, err := h.one(name); err != nil {
		return nil, err
	}
	err := h.m.SendStdin(name, []byte(chars))
	if errors.Is(err, procmgr.ErrNoFile) {
		return nil, newFault(NoFile, name)
	}
	return true, faultFor(err, name)
}

// shown is Python's str, of what is no string.
func shown(v any) string {
	switch v {
	case true:
		return "True"
	case false:
		return "False"
	}
	return fmt.Sprint(v)
}

func (h *handler) remoteCommEvent(_ context.Context, a args) (any, error) {
	h.m.SendRemoteCommEvent(a.str(0), a.str(1))
	return true, nil
}
