package procmgr

import (
	"context"
	"syscall"
)

// A Result is what came of starting, stopping or signalling one process out of
// several.
type Result struct {
	Group string
	Name  string
	Err   error // nil: it was done; else as Start, Stop or Signal return it
}

// FullName is the name of the process; see Status.FullName.
func (r Result) FullName() string { return fullName(r.Group, r.Name) }

// StartNoWait starts a process as Start does, and returns once it has been
// spawned, or that has failed: ErrSpawn, or ErrFatal.
func (m *Manager) StartNoWait(name string) error { return m.noWait(name, reqStart) }

// StopNoWait stops a process as Stop does, and returns once StopSignal has
// been sent.
func (m *Manager) StopNoWait(name string) error { return m.noWait(name, reqStop) }

func (m *Manager) noWait(name string, kind requestKind) error {
	ps, whole, err := m.find(name)
	if err != nil {
		return err
	}
	concerned := func(s State) bool { return !whole || s.isStarted() == (kind == reqStop) }
	results, err := m.results(context.Background(), ps, request{kind: kind, nowait: true}, concerned)
	errs := []error{err}
	for _, r := range results {
		errs = append(errs, r.Err)
	}
	return joinErrors(errs)
}

// StartEach starts those processes of "group:*", or with "*" of all groups,
// that are not started, in ascending order of priority, and tells what came of
// each. Without wait it does not wait for them to be RUNNING. The error is
// ErrNoSuchProcess, ErrNotRunning or ErrShutdown, and then nothing was done;
// or that of ctx, and the starts go on. It is Supervisor's startProcessGroup
// and startAllProcesses, and the results come in that order: first what was
// known at once.
func (m *Manager) StartEach(ctx context.Context, name string, wait bool) ([]Result, error) {
	ps, err := m.several(name)
	if err != nil {
		return nil, err
	}
	return m.results(ctx, ps, request{kind: reqStart, nowait: !wait}, func(s State) bool { return !s.isStarted() })
}

// StopEach stops those that are started, likewise: stopProcessGroup and
// stopAllProcesses.
func (m *Manager) StopEach(ctx context.Context, name string, wait bool) ([]Result, error) {
	ps, err := m.several(name)
	if err != nil {
		return nil, err
	}
	return m.results(ctx, ps, request{kind: reqStop, nowait: !wait}, State.isStarted)
}

// SignalEach sends sig to those that are alive, likewise: signalProcessGroup
// and signalAllProcesses.
func (m *Manager) SignalEach(name string, sig syscall.Signal) ([]Result, error) {
	ps, err := m.several(name)
	if err != nil {
		return nil, err
	}
	if sig <= 0 {
		return nil, &ProcessError{Name: name, Err: ErrBadSignal}
	}
	return m.results(context.Background(), ps, request{kind: reqSignal, sig: sig, nowait: true}, State.isSignallable)
}

// ClearEach clears the logs of every process; see ClearLog. It is Supervisor's
// clearAllProcessLogs.
func (m *Manager) ClearEach() []Result {
	var results []Result
	for _, g := range m.sortedGroups() {
		for _, p := range g.processes {
			results = append(results, Result{p.group, p.prog.Name, p.eachLog((*LogFile).Clear)})
		}
	}
	return results
}

// several is find for "*", too.
func (m *Manager) several(name string) ([]*process, error) {
	if name != "*" {
		ps, _, err := m.find(name)
		return ps, err
	}
	if err := m.ready(name); err != nil {
		return nil, err
	}
	var all []*process
	for _, g := range m.sortedGroups() {
		all = append(all, g.processes...)
	}
	return all, nil
}

// results sends r to all of ps that are concerned, in order, and waits for
// what comes of it.
func (m *Manager) results(ctx context.Context, ps []*process, r request, concerned func(State) bool) ([]Result, error) {
	type pending struct {
		Result
		settled <-chan error
	}
	var done []Result
	var waiting []pending
	for _, p := range ps {
		if !concerned(p.status.Load().State) {
			continue
		}
		r := r
		result := Result{Group: p.group, Name: p.prog.Name}
		result.Err = p.ask(ctx, &r, p.gone())
		if result.Err == nil && !r.nowait {
			select {
			case result.Err = <-r.settled:
			default:
				waiting = append(waiting, pending{result, r.settled})
				continue
			}
		}
		done = append(done, result)
	}
	var err error
	for _, w := range waiting {
		select {
		case w.Err = <-w.settled:
		case <-ctx.Done():
			w.Err, err = ctx.Err(), ctx.Err()
		}
		done = append(done, w.Result)
	}
	return done, err
}
