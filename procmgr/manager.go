package procmgr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options are the settings of a Manager. A nil *Options has all of them zero.
type Options struct {
	// Logger gets what supervisord writes to its own log, in the same words;
	// nil for none. The attributes are "group" and "process". If it takes
	// slog.LevelDebug, it gets all output of the programs, too. It is called
	// where the processes are looked after, so its handler must not block.
	Logger *slog.Logger

	// Environ is what every child inherits, as "NAME=value". To it are added
	// SUPERVISOR_ENABLED, SUPERVISOR_PROCESS_NAME, SUPERVISOR_GROUP_NAME and
	// the Environment of its program. Nil is os.Environ(), as in os/exec.
	Environ []string

	// Identifier is what event listeners are told as the name of the server;
	// "supervisor" if empty.
	Identifier string

	// ServerURL is the SUPERVISOR_SERVER_URL of the children; none if empty.
	ServerURL string

	// StateFile, if not empty, is where the children are remembered, for the
	// case that the manager is killed. The next Run with the same file finds
	// those that are alive, and tells of each with an EventSurvivor. If it has
	// their program, by its name and that of its group, it does not start it a
	// second time but adopts the child: it is RUNNING, is watched, stopped and
	// restarted as any other, and its output is logged again. What it wrote
	// while there was no manager has met a closed pipe: that kills by SIGPIPE,
	// unless the children ignore it, because this program did before Run (call
	// signal.Ignore). What is not logged at all has no pipe. Its exit status cannot be known and
	// counts as -1; an event listener gets no more events.
	// A child without its program is left alone, until one of that name is
	// added.
	//
	// The file must be one that nobody else can write to, and is made if there
	// is none; its directory must exist. Two managers cannot use the same.
	// Linux only.
	StateFile string

	// Subreaper makes those who have lost their parent, because it was a child
	// or a further descendant of this program, children of this program: they
	// are reaped when they end, and killed at the end of Run. They are told
	// from the children of others in this program by the process descriptors
	// that os and os/exec have of theirs; those that were started without, by
	// syscall.ForkExec or in C, are taken for orphans. As process 1, which has
	// all orphans as its children, it reaps them in any case. Linux 5.4.
	Subreaper bool

	// EventBuffer is how many events are kept for a reader that is behind,
	// before the oldest is dropped; 0 is 4096.
	EventBuffer int
}

// A Manager runs programs. New makes one, Run sets it going.
type Manager struct {
	logger     *slog.Logger
	environ    []string
	serverURL  string
	identifier string
	hub        *hub
	tails      *tails
	zipper     *zipper
	opener     *opener
	backend    backend // set by Run, or by a test

	options   Options
	survivors map[string]survivor // that nobody has claimed; by stateName, guarded by mu

	removing sync.Mutex // held for all of Remove, and while the phase changes; before mu

	mu     sync.Mutex // held while no owner is waited for
	phase  phase
	groups map[string]*group
	owners sync.WaitGroup
	strays []int // process groups that removed processes have left behind
}

type phase int

const (
	phaseNew      phase = iota
	phaseRunning        // Run goes on
	phaseStopping       // its context is done
	phaseEnded          // it has returned
)

// A group is immutable.
type group struct {
	name      string
	priority  int
	processes []*process // as they are started
	pool      *pool      // nil: they do not listen to events
}

// New makes a Manager. The options are copied.
func New(o *Options) *Manager {
	if o == nil {
		o = &Options{}
	}
	m := &Manager{
		options:    *o,
		logger:     o.Logger,
		environ:    slices.Clone(o.Environ),
		serverURL:  o.ServerURL,
		identifier: cmp.Or(o.Identifier, "supervisor"),
		tails:      newTails(),
		opener:     &opener{},
		groups:     map[string]*group{},
	}
	m.zipper = newZipper(func(err error) {
		m.log(slog.LevelError, "cannot compress a log: "+err.Error())
	})
	m.hub = newHub(cmp.Or(max(o.EventBuffer, 0), 4096), m.log)
	if o.Environ == nil {
		m.environ = os.Environ()
	}
	return m
}

// Add adds p as a group of its own, with the name and the priority of p. See
// AddGroup.
func (m *Manager) Add(p Program) error {
	return m.AddGroup(Group{Name: p.Name, Priority: p.Priority, Programs: []Program{p}})
}

// AddGroup adds g. It is started by Run, or at once if that goes on: AddGroup
// then returns when the programs of g that are not Manual have been spawned,
// or have failed to. The error is ErrAlreadyAdded, ErrShutdown, or says what
// is wrong with g.
func (m *Manager) AddGroup(g Group) error {
	if err := checkName(g.Name); err != nil {
		return err
	}
	added := &group{name: g.Name, priority: orDefault(g.Priority, 999)}
	if len(g.Programs) == 0 {
		return fmt.Errorf("procmgr: group %s has no programs", g.Name)
	}
	if g.Listener != nil {
		if err := g.Listener.check(&g); err != nil {
			return err
		}
		added.priority = orDefault(g.Priority, -1)
		added.pool = newPool(m, g.Name, *g.Listener)
	}
	var socket *sharedSocket
	if g.Socket != nil {
		if err := g.Socket.check(g.Name); err != nil {
			return err
		}
		if g.Listener != nil {
			return fmt.Errorf("procmgr: group %s has a Listener and a Socket", g.Name)
		}
		socket = &sharedSocket{Socket: *g.Socket}
	}
	for _, prog := range g.Programs {
		if err := prog.check(); err != nil {
			return err
		}
		if slices.ContainsFunc(added.processes, func(p *process) bool { return p.prog.Name == prog.Name }) {
			return fmt.Errorf("procmgr: group %s has two programs %s", g.Name, prog.Name)
		}
		added.processes = append(added.processes, newProcess(m, g.Name, prog.resolved()))
	}
	slices.SortFunc(added.processes, func(a, b *process) int {
		return cmp.Or(cmp.Compare(a.prog.Priority, b.prog.Priority), strings.Compare(a.prog.Name, b.prog.Name))
	})

	for _, p := range added.processes {
		p.socket = socket
		if added.pool != nil {
			p.listener = newListener(added.pool, p)
		}
	}

	running, err := m.insert(added)
	if err != nil || !running {
		return err
	}
	for _, p := range added.processes {
		p.ask(context.Background(), &request{kind: reqAutoStart}, nil)
	}
	return nil
}

func (m *Manager) insert(g *group) (running bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.phase >= phaseStopping:
		return false, &ProcessError{Name: g.name, Err: ErrShutdown}
	case m.groups[g.name] != nil:
		return false, &ProcessError{Name: g.name, Err: ErrAlreadyAdded}
	}
	m.groups[g.name] = g
	if g.pool != nil {
		m.hub.attach(g.pool)
	}
	m.hub.publish(Event{Type: EventGroupAdded, Time: time.Now(), Group: g.name})
	if m.phase == phaseRunning {
		m.own(g)
		return true, nil
	}
	return false, nil
}

// own gives the processes of g their goroutines. The caller holds m.mu.
func (m *Manager) own(g *group) {
	m.claim(g)
	for _, p := range g.processes {
		m.owners.Go(func() { p.run(m.backend) })
	}
}

// Remove removes a group, all of whose processes must have stopped. The error
// is ErrNoSuchProcess, ErrStillRunning or ErrShutdown. A single process of a
// group cannot be removed, as under supervisord.
func (m *Manager) Remove(name string) error {
	m.removing.Lock()
	defer m.removing.Unlock()

	m.mu.Lock()
	g, phase := m.groups[strings.TrimSuffix(name, ":*")], m.phase
	m.mu.Unlock()
	switch {
	case phase == phaseStopping:
		return &ProcessError{Name: name, Err: ErrShutdown}
	case g == nil:
		return &ProcessError{Name: name, Err: ErrNoSuchProcess}
	}
	var strays []int
	if phase == phaseRunning {
		// Those that say yes start nothing from then on.
		for i, p := range g.processes {
			if p.ask(context.Background(), &request{kind: reqFreeze}, nil) == nil {
				continue
			}
			for _, p := range g.processes[:i] {
				p.ask(context.Background(), &request{kind: reqThaw}, nil)
			}
			return &ProcessError{Name: name, Err: ErrStillRunning}
		}
		for _, p := range g.processes {
			p.ask(context.Background(), &request{kind: reqQuit}, nil)
			<-p.ended
			strays = append(strays, p.leftovers...)
		}
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	m.strays = append(m.strays, strays...)
	delete(m.groups, g.name)
	if g.pool != nil {
		m.hub.detach(g.pool)
	}
	m.hub.publish(Event{Type: EventGroupRemoved, Time: time.Now(), Group: g.name})
	return nil
}

// Status returns the status of every process, sorted by group and name. It
// waits for nobody, and costs the processes nothing.
func (m *Manager) Status() []Status {
	m.mu.Lock()
	all := make([]Status, 0, len(m.groups))
	now := time.Now()
	for _, g := range m.groups {
		for _, p := range g.processes {
			all = append(all, p.snapshot(now))
		}
	}
	m.mu.Unlock()
	slices.SortFunc(all, func(a, b Status) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name))
	})
	return all
}

// StatusOf returns the status of one process; the error is ErrNoSuchProcess.
func (m *Manager) StatusOf(name string) (Status, error) {
	p, err := m.one(name)
	if err != nil {
		return Status{}, err
	}
	return p.snapshot(time.Now()), nil
}

// Groups returns the names of the groups, sorted.
func (m *Manager) Groups() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.groups))
}

// State tells whether Run comes to its end, or has come to it. Before Run it
// is ManagerRunning, since supervisord begins so.
func (m *Manager) State() ManagerState {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.phase >= phaseStopping {
		return ManagerShutdown
	}
	return ManagerRunning
}

// Events returns the events from this call on, not from the first range over
// the result. The sequence ends when ctx is done, or when Run has returned and
// all has been read; it can be ranged over once. A reader that is too slow
// holds up nothing: it finds in Event.Missed how many events were dropped.
// Give it a ctx of its own to see how Run ends: with that of Run, it ends when
// the stopping begins.
func (m *Manager) Events(ctx context.Context) iter.Seq[Event] {
	return m.hub.subscribe(ctx)
}

// Start starts a process, or those of a group that are not started, and
// returns when all are RUNNING or have failed: ErrNoSuchProcess,
// ErrNotRunning (Run does not go on), ErrShutdown, ErrNoFile,
// ErrNotExecutable, ErrAlreadyStarted (not for a group), ErrSpawn, ErrFatal or
// ErrAbnormalTermination, of a group joined. As under supervisord, ErrSpawn is
// the first failure; unless it is ErrFatal, the process will be tried again.
// If ctx ends first, its error is returned and the start goes on.
func (m *Manager) Start(ctx context.Context, name string) error {
	ps, whole, err := m.find(name)
	if err != nil {
		return err
	}
	return m.each(ctx, ps, reqStart, whole, func(s State) bool { return !s.isStarted() })
}

// Stop stops a process, or those of a group that are started, and returns when
// all have stopped: StopSignal is sent, and after StopWaitSecs KILL. With
// KillAsGroup it also waits until nobody is left in the process group; what is
// left after StopWaitSecs is killed, and reported as an Event. The error
// is ErrNoSuchProcess, ErrNotRunning (not for a group; also while it is
// already stopping), or that of a signal that could not be sent. If ctx ends
// first, its error is returned and the stop goes on.
func (m *Manager) Stop(ctx context.Context, name string) error {
	ps, whole, err := m.find(name)
	if err != nil {
		return err
	}
	return m.each(ctx, ps, reqStop, whole, State.isStarted)
}

// Restart stops what of name is started, and when all of it has stopped starts
// it, as "supervisorctl restart" does. The errors are those of Stop, but for
// ErrNotRunning, and of Start.
func (m *Manager) Restart(ctx context.Context, name string) error {
	if err := m.Stop(ctx, name); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	return m.Start(ctx, name)
}

// Signal sends sig to a process, or to those of a group that are alive; never
// to their process groups. The error is ErrNoSuchProcess, ErrBadSignal,
// ErrNotRunning (not for a group), ErrShutdown, or that of the system; the
// process is then UNKNOWN.
func (m *Manager) Signal(name string, sig syscall.Signal) error {
	ps, whole, err := m.find(name)
	if err != nil {
		return err
	}
	if sig <= 0 {
		return &ProcessError{Name: name, Err: ErrBadSignal}
	}
	var errs []error
	for _, p := range ps {
		if whole && !p.status.Load().State.isSignallable() {
			continue
		}
		errs = append(errs, p.ask(context.Background(), &request{kind: reqSignal, sig: sig}, p.gone()))
	}
	return joinErrors(errs)
}

func (p *process) gone() error { return &ProcessError{Name: p.name, Err: ErrNotRunning} }

// find resolves "group:process", "group:*", "group:" or "process", which is
// short for "process:process": supervisor.options.split_namespec.
func (m *Manager) find(name string) (ps []*process, whole bool, err error) {
	groupName, processName, colon := strings.Cut(name, ":")
	if !colon {
		processName = groupName
	}
	whole = processName == "" || processName == "*"

	if err := m.ready(name); err != nil {
		return nil, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.groups[groupName]; g != nil {
		for _, p := range g.processes {
			if whole || p.prog.Name == processName {
				ps = append(ps, p)
			}
		}
	}
	if len(ps) == 0 {
		return nil, false, &ProcessError{Name: name, Err: ErrNoSuchProcess}
	}
	return ps, whole, nil
}

// ready is nil while Run goes on.
func (m *Manager) ready(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.phase {
	case phaseNew, phaseEnded:
		return &ProcessError{Name: name, Err: ErrNotRunning, Reason: "the manager does not run"}
	case phaseStopping:
		return &ProcessError{Name: name, Err: ErrShutdown}
	}
	return nil
}

// one resolves the name of a single process, in whatever phase.
func (m *Manager) one(name string) (*process, error) {
	groupName, processName, colon := strings.Cut(name, ":")
	if !colon {
		processName = groupName
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.groups[groupName]; g != nil {
		for _, p := range g.processes {
			if p.prog.Name == processName {
				return p, nil
			}
		}
	}
	return nil, &ProcessError{Name: name, Err: ErrNoSuchProcess}
}

// each sends the same request to all of ps, in order, and waits until all have
// settled. Of a whole group it leaves out those that are not concerned.
func (m *Manager) each(ctx context.Context, ps []*process, kind requestKind, whole bool, concerned func(State) bool) error {
	if !whole {
		concerned = func(State) bool { return true }
	}
	results, err := m.results(ctx, ps, request{kind: kind}, concerned)
	errs := []error{err}
	for _, r := range results {
		if err == nil || !errors.Is(r.Err, err) {
			errs = append(errs, r.Err)
		}
	}
	return joinErrors(errs)
}

// joinErrors is errors.Join that leaves a single error alone.
func joinErrors(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
