package procmgr

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A child is a started operating system process: a fake is ten lines.
type child interface {
	Pid() int
	Signal(sig syscall.Signal, group bool) error // os.ErrProcessDone is no failure
	Write(b []byte) (int, error)                 // to its standard input; all or nothing, at once
	Exited() <-chan exitStatus                   // one value, when all it wrote has been read and it was reaped
}

// A backend starts children. There is one for Run, and one for tests.
type backend interface {
	check(p *process) error          // whether the command can be found; a *commandError
	start(p *process) (child, error) // the error is what becomes of SpawnErr
	// adopt takes over a child of an earlier Run; os.ErrProcessDone: it has
	// ended.
	adopt(p *process, s survivor) (child, error)
	// inhabited returns the process groups in which somebody is left.
	inhabited(groups []int) []int
	// sweep waits until the process groups are empty. What is left after grace
	// it kills, waits for that for no longer than patience, and returns how
	// many it killed; -1: some.
	sweep(groups []int, grace, patience time.Duration) (killed int)
	// close kills, as sweep does, what has no parent but us.
	close(patience time.Duration) (killed int)
}

// A process is the owner of one machine, of its timer and its child. All that
// is not marked otherwise belongs to the goroutine of run, and while that waits
// for it, to the one of act.
type process struct {
	group string // these four do not change
	prog  *Program
	name  string // fullName
	mgr   *Manager

	requests chan request
	acted    chan struct{} // within act
	ended    chan struct{} // closed at the end of run
	status   atomic.Pointer[Status]
	dropped  atomic.Int64              // bytes, counted by the streams
	outputs  [2]atomic.Pointer[stream] // by Channel: those of the child

	socket       *sharedSocket // nil: standard input is a pipe
	survivor     *survivor     // what it begins with; nil: nothing
	listener     *listener     // nil: it does not listen to events
	machine      machine
	refusal      error // of a start while the machine is frozen
	backend      backend
	child        child
	exited       <-chan exitStatus
	timer        *time.Timer
	leftovers    []int          // process groups that outlived their leader
	grace        time.Duration  // what the latest of these has left of StopWaitSecs
	emptying     sync.WaitGroup // groups that a stop waits for
	startWaiters []chan<- error // are told when STARTING has ended
	stopWaiters  []chan<- error // are told when it has stopped
	entered      []State        // during this step
}

// A request is what others ask of the owner.
type request struct {
	kind     requestKind
	sig      syscall.Signal // reqSignal
	data     []byte         // reqStdin
	nowait   bool           // reqStart, reqStop: nobody waits for settled
	accepted chan error     // one value, when the request has been acted on
	settled  chan error     // reqStart, reqStop, reqShutdown: one value, when it has had its effect
}

type requestKind int

const (
	reqAutoStart requestKind = iota
	reqStart
	reqStop
	reqSignal
	reqStdin
	reqShutdown // whatever the state; sweeps in the end
	reqFreeze   // start nothing any more, since it is removed; ErrStillRunning if it has not stopped
	reqThaw
	reqQuit
)

func newProcess(m *Manager, group string, prog *Program) *process {
	p := &process{
		group:    group,
		prog:     prog,
		name:     fullName(group, prog.Name),
		mgr:      m,
		requests: make(chan request),
		acted:    make(chan struct{}),
		ended:    make(chan struct{}),
		machine:  machine{prog: prog, name: prog.Name},
	}
	p.publish()
	return p
}

// ask hands r to the owner and waits until it has been acted on. It returns
// gone if the owner has ended.
func (p *process) ask(ctx context.Context, r *request, gone error) error {
	r.accepted = make(chan error, 1)
	r.settled = make(chan error, 1)
	select {
	case p.requests <- *r:
	case <-p.ended:
		return gone
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-r.accepted // always answered: the owner ends only on request
}

// run owns the process until reqQuit.
func (p *process) run(b backend) {
	p.backend = b
	p.timer = time.NewTimer(time.Hour)
	p.timer.Stop()
	defer close(p.ended)
	defer p.timer.Stop()
	if p.survivor != nil {
		p.act(func() { p.adopt(*p.survivor) })
		p.survivor = nil
	}
	for p.next() {
	}
}

// next waits for what comes next, and acts on it; false: that was reqQuit.
func (p *process) next() bool {
	select {
	case exit := <-p.exited:
		p.act(func() { p.reaped(exit) })
	case <-p.timer.C:
		p.act(p.timeout)
	case r := <-p.requests:
		if r.kind == reqQuit {
			r.accepted <- nil
			return false
		}
		p.act(func() { p.handle(r) })
	}
	return true
}

// act calls do in another goroutine, and waits for it. What the owner does
// takes several times the stack that waiting does, and a stack does not shrink
// by itself: so a thousand owners that wait keep small ones.
func (p *process) act(do func()) {
	go func() {
		do()
		p.acted <- struct{}{}
	}()
	<-p.acted
}

func (p *process) timeout() {
	// An end comes before what is due: it happened before it.
	select {
	case exit := <-p.exited:
		p.reaped(exit)
	default:
		p.apply(input{kind: inTimer})
	}
}

func (p *process) handle(r request) {
	m := &p.machine
	fail := func(err error, reason string) {
		r.accepted <- &ProcessError{Name: p.name, Err: err, Reason: reason}
	}
	switch r.kind {
	case reqAutoStart:
		p.apply(input{kind: inAutoStart})

	case reqStart:
		// The command first: a running program whose file has gone is
		// NO_FILE, not ALREADY_STARTED (rpcinterface.startProcess).
		if err := p.backend.check(p); err != nil {
			fail(errors.Unwrap(err), err.Error())
			return
		}
		switch {
		case m.state.isStarted():
			fail(ErrAlreadyStarted, "")
			return
		case m.state == Unknown:
			fail(ErrUnknownState, "")
			return
		case m.frozen:
			fail(p.refusal, "")
			return
		case m.state == Stopping:
			// supervisord logs "already running", waits, and finds that the
			// state is neither STARTING nor RUNNING.
			fail(ErrAbnormalTermination, "")
			return
		}
		if !r.nowait {
			p.startWaiters = append(p.startWaiters, r.settled)
		}
		p.apply(input{kind: inStart})
		if r.nowait && m.spawnErr != "" {
			err := ErrSpawn
			if m.state == Fatal {
				err = ErrFatal
			}
			fail(err, m.spawnErr)
			return
		}

	case reqStop:
		if !m.state.isStarted() {
			if m.state == Exited {
				p.apply(input{kind: inStop})
			}
			fail(ErrNotRunning, "")
			return
		}
		if !r.nowait {
			p.stopWaiters = append(p.stopWaiters, r.settled)
		}
		if err := p.apply(input{kind: inStop}); err != nil {
			fail(err, "")
			return
		}

	case reqSignal:
		if !m.state.isSignallable() {
			fail(ErrNotRunning, "")
			return
		}
		switch err := p.signal(r.sig, false); {
		case errors.Is(err, syscall.EINVAL):
			fail(ErrBadSignal, "")
			return
		case err != nil:
			p.apply(input{kind: inSignalFailed, text: err.Error()})
			fail(err, "")
			return
		}

	case reqStdin:
		if m.pid == 0 || m.killing {
			fail(ErrNotRunning, "")
			return
		}
		switch _, err := p.child.Write(r.data); {
		case errors.Is(err, syscall.EPIPE):
			fail(ErrNoFile, "it has closed its standard input")
			return
		case err != nil:
			fail(err, "")
			return
		}

	case reqShutdown:
		p.refusal = ErrShutdown
		p.stopWaiters = append(p.stopWaiters, r.settled)
		p.apply(input{kind: inShutdown})

	case reqFreeze:
		if !m.state.isStopped() {
			fail(ErrStillRunning, "")
			return
		}
		p.refusal = ErrNoSuchProcess
		p.apply(input{kind: inFreeze})

	case reqThaw:
		p.apply(input{kind: inThaw})
	}
	r.accepted <- nil
}

func (p *process) reaped(exit exitStatus) {
	p.leftovers = p.backend.inhabited(append(p.leftovers, p.child.Pid()))
	p.grace = 0
	if p.machine.killing && p.prog.KillAsGroup {
		p.grace = max(time.Until(p.machine.due), 0)
	}
	p.child, p.exited = nil, nil
	if p.listener != nil {
		p.listener.end()
	}
	p.apply(input{kind: inExited, exit: exit})
}

// apply steps the machine and does what it says, until there is nothing more
// to do. The error is that of a signal that could not be sent.
func (p *process) apply(in input) (signalErr error) {
	p.entered = p.entered[:0]
	var wait time.Duration
	for next := []input{in}; len(next) > 0; next = next[1:] {
		next[0].now = time.Now()
		var todo []effect
		todo, wait = p.machine.step(next[0])
		p.publish()
		for _, e := range todo {
			switch e.kind {
			case doSpawn:
				next = append(next, p.spawn())
			case doSignal:
				if err := p.signal(e.sig, e.group); err != nil {
					signalErr = err
					next = append(next, input{kind: inSignalFailed, text: err.Error()})
				}
			case doEvent:
				p.tell(e.event)
			case doLog:
				p.log(e.level, e.text)
			}
		}
	}
	if wait > 0 {
		p.timer.Reset(wait)
	} else {
		p.timer.Stop()
	}
	p.answer()
	return signalErr
}

func (p *process) spawn() input {
	c, err := p.backend.start(p)
	if err != nil {
		return input{kind: inSpawnFailed, text: err.Error()}
	}
	p.child, p.exited = c, c.Exited()
	if p.listener != nil {
		p.listener.start(c)
	}
	return input{kind: inSpawned, pid: c.Pid()}
}

func (p *process) signal(sig syscall.Signal, group bool) error {
	if err := p.child.Signal(sig, group); !isProcessDone(err) {
		return err
	}
	return nil // it has just ended by itself, and will be reaped
}

// answer tells those that wait what the last step has brought them. What
// counts is the first state behind STARTING, even if others came after it.
func (p *process) answer() {
	for _, s := range p.entered {
		if s == Starting || len(p.startWaiters) == 0 {
			continue
		}
		var err error
		switch {
		case s == Running:
		case s != Backoff:
			err = &ProcessError{Name: p.name, Err: ErrAbnormalTermination}
		case p.machine.state == Fatal:
			err = &ProcessError{Name: p.name, Err: ErrFatal, Reason: p.machine.spawnErr}
		default:
			err = &ProcessError{Name: p.name, Err: ErrSpawn, Reason: p.machine.spawnErr}
		}
		p.startWaiters = settle(p.startWaiters, err)
	}
	if !p.machine.state.isStopped() {
		return
	}
	waiters := p.stopWaiters
	p.stopWaiters = nil
	switch {
	case p.machine.frozen:
		if len(waiters) > 0 { // the end of Run, not a Remove
			p.sweep(p.leftovers, p.grace)
			p.leftovers = nil
			p.emptying.Wait()
		}
	case p.prog.KillAsGroup && len(p.leftovers) > 0 && slices.Contains(p.entered, Stopped):
		// The process is STOPPED, and answers, but Stop goes on.
		groups, grace := p.leftovers, p.grace
		p.leftovers = nil
		p.emptying.Add(1)
		p.mgr.owners.Go(func() {
			defer p.emptying.Done()
			p.sweep(groups, grace)
			settle(waiters, nil)
		})
		return
	}
	settle(waiters, nil)
}

func settle(waiters []chan<- error, err error) []chan<- error {
	for _, w := range waiters {
		w <- err // has room for it
	}
	return nil
}

// sweep ends what earlier children have left in their process groups.
func (p *process) sweep(groups []int, grace time.Duration) {
	killed := p.backend.sweep(groups, grace, secs(max(p.prog.StopWaitSecs, 1)))
	if killed == 0 {
		return // they had ended by themselves
	}
	e := Event{Type: EventOrphansKilled, Killed: max(killed, 0)}
	p.log(slog.LevelWarn, "killed what '"+p.prog.Name+"' left in its process group")
	p.tell(e)
}

// stamp says when it was, and whose e is. Anybody may call it.
func (p *process) stamp(e *Event) {
	e.Time = time.Now()
	e.Group, e.Process = p.group, p.prog.Name
}

func (p *process) tell(e Event) {
	p.stamp(&e)
	if e.Type == EventProcessState {
		p.entered = append(p.entered, e.To)
	}
	p.mgr.hub.publish(e)
	if p.listener != nil && e.To == Running {
		p.listener.poke()
	}
}

func (p *process) log(l slog.Level, text string) {
	if p.mgr.logger != nil {
		p.mgr.logger.Log(context.Background(), l, text, "group", p.group, "process", p.prog.Name)
	}
}

// publish shows the machine as it is now to those who ask for the status.
func (p *process) publish() {
	m := &p.machine
	p.status.Store(&Status{
		Group:      p.group,
		Name:       p.prog.Name,
		State:      m.state,
		PID:        m.pid,
		Adopted:    m.adopted,
		Start:      m.started,
		Stop:       m.stopped,
		ExitStatus: m.exitStatus,
		SpawnErr:   m.spawnErr,
		Tries:      m.backoff,
		StdoutLog:  p.prog.Stdout.File,
		StderrLog:  p.prog.Stderr.File,
	})
}

// snapshot may be called by anybody.
func (p *process) snapshot(now time.Time) Status {
	s := *p.status.Load()
	s.Now = now
	s.Dropped = p.dropped.Load()
	for c := range p.outputs {
		if o := p.outputs[c].Load(); o != nil && s.LogError == "" {
			s.LogError = o.state(now)
		}
	}
	return s
}
