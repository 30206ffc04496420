package procmgr

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
)

// A Listener makes a Group a pool of event listeners ([eventlistener:x]): its
// processes are sent events on their standard input, and answer on standard
// output, as Supervisor's documentation has it. Any process of the pool that
// is RUNNING and ready gets the next event, one at a time; what it does not
// accept, or has not answered when it ends, is sent again. One that violates
// the protocol gets no more events until it is started again.
//
// Standard output is logged, but Log.Events, Log.CaptureMaxBytes and
// RedirectStderr are not for a listener's.
type Listener struct {
	// Events are the names of what it gets (events), such as "TICK_60",
	// "PROCESS_STATE_EXITED", "PROCESS_STATE" or "EVENT"; see Event.Is.
	// EventOrphansKilled, which is not Supervisor's, has to be named itself.
	Events []string

	// BufferSize is how many events wait for a listener that is ready before
	// the oldest is dropped (buffer_size); 10.
	BufferSize int

	// Handler judges a result (result_handler). If it returns an error that is
	// ErrRejected, the event is sent again; if another one, the listener has
	// violated the protocol, too. Nil accepts "OK" and rejects all else.
	Handler func(e Event, result []byte) error
}

// ErrRejected is what a Listener.Handler returns to have an event sent again.
var ErrRejected = errors.New("event rejected")

func acceptOK(_ Event, result []byte) error {
	if string(result) != "OK" {
		return ErrRejected
	}
	return nil
}

func isEventName(name string) bool {
	switch name {
	case "":
		return false
	case "EVENT", "PROCESS_COMMUNICATION", "PROCESS_LOG", "PROCESS_GROUP", "SUPERVISOR_STATE_CHANGE", "TICK":
		return true
	}
	for _, s := range []State{Stopped, Starting, Running, Backoff, Stopping, Exited, Fatal, Unknown} {
		if name == "PROCESS_STATE_"+s.String() {
			return true
		}
	}
	return slices.Contains(eventNames[:], name)
}

func (l *Listener) check(g *Group) error {
	if len(l.Events) == 0 {
		return fmt.Errorf("procmgr: group %s listens to no events", g.Name)
	}
	for _, name := range l.Events {
		if !isEventName(name) {
			return fmt.Errorf("procmgr: group %s listens to %q, which is no event", g.Name, name)
		}
	}
	if l.BufferSize < 0 {
		return fmt.Errorf("procmgr: group %s: BufferSize is negative: %d", g.Name, l.BufferSize)
	}
	for _, p := range g.Programs {
		if p.RedirectStderr {
			return fmt.Errorf("procmgr: program %s: RedirectStderr is not for event listeners, which speak on standard output", p.Name)
		}
	}
	return nil
}

// A pool is supervisor.process.EventListenerPool. All that it does is done by
// those who bring it something, under its lock, and blocks nobody.
type pool struct {
	Listener
	server string // Options.Identifier
	name   string
	log    func(slog.Level, string)

	mu        sync.Mutex
	buffer    []pooled // oldest first
	serial    int      // of the next event
	listeners []*listener
}

// A pooled event has the numbers that it is sent with, every time.
type pooled struct {
	Event
	serial, poolSerial int
}

func newPool(m *Manager, name string, l Listener) *pool {
	l.Events = slices.Clone(l.Events)
	l.BufferSize = orDefault(l.BufferSize, 10)
	if l.Handler == nil {
		l.Handler = acceptOK
	}
	return &pool{Listener: l, server: m.identifier, name: name, log: m.log}
}

func (p *pool) wants(e *Event) bool {
	own := e.Type.String()
	return slices.ContainsFunc(p.Events, func(name string) bool {
		return e.Is(name) && (e.Type != EventOrphansKilled || name == own)
	})
}

// accept takes an event in, and returns what to log when no lock is held.
func (p *pool) accept(e Event, serial int) (notes notes) {
	p.mu.Lock()
	defer p.mu.Unlock()
	notes = p.put(pooled{e, serial, p.serial}, false)
	p.serial++
	return append(notes, p.dispatch()...)
}

func (p *pool) put(e pooled, head bool) (notes notes) {
	if len(p.buffer) >= p.BufferSize {
		notes.add(slog.LevelError, "pool %s event buffer overflowed, discarding event %d", p.name, p.buffer[0].serial)
		p.buffer = slices.Delete(p.buffer, 0, 1)
	}
	at := len(p.buffer)
	if head {
		at = 0
	}
	p.buffer = slices.Insert(p.buffer, at, e)
	return notes
}

// dispatch sends what there is to those that are ready.
func (p *pool) dispatch() (notes notes) {
	for len(p.buffer) > 0 {
		i := slices.IndexFunc(p.listeners, func(l *listener) bool { return l.send(p.buffer[0], &notes) })
		if i < 0 {
			return notes
		}
		p.buffer = slices.Delete(p.buffer, 0, 1)
	}
	return notes
}

func (p *pool) envelope(e pooled) []byte {
	payload := e.Payload()
	return fmt.Appendf(nil, "ver:3.0 server:%s serial:%d pool:%s poolserial:%d eventname:%s len:%d\n%s",
		p.server, e.serial, p.name, e.poolSerial, e.Name(), len(payload), payload)
}

// A listenerState is one of supervisor.states.EventListenerStates.
type listenerState int

const (
	acknowledged listenerState = iota // has to say that it is ready
	ready
	busy
	violated // UNKNOWN there
)

func (s listenerState) String() string {
	return [...]string{"ACKNOWLEDGED", "READY", "BUSY", "UNKNOWN"}[s]
}

// A listener is what the pool knows of one of its processes:
// supervisor.dispatchers.PEventListenerDispatcher. All of it is under the lock
// of the pool.
type listener struct {
	pool    *pool
	process *process

	stdin    io.Writer // of the child; nil: there is none
	state    listenerState
	event    *pooled // that it is busy with
	child    int     // counts them
	heard    []byte  // not understood yet
	inResult bool    // the first line of a result has come
	length   int     // of the result
}

const (
	readyToken = "READY\n"
	resultLead = len("RESULT ") // supervisord does not look at what stands there

	// maxResult is the longest result, and the longest line before one, that
	// is waited for. supervisord waits for any.
	maxResult = 16 << 20
)

func newListener(p *pool, of *process) *listener {
	l := &listener{pool: p, process: of}
	p.listeners = append(p.listeners, l)
	return l
}

// start is a new child.
func (l *listener) start(stdin io.Writer) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.stdin = stdin
}

// end is the end of the child: what it has not answered is sent to another.
func (l *listener) end() {
	l.pool.mu.Lock()
	notes := l.requeue()
	l.stdin, l.state, l.heard, l.inResult = nil, acknowledged, nil, false
	l.child++
	notes = append(notes, l.pool.dispatch()...)
	l.pool.mu.Unlock()
	notes.write(l.pool.log)
}

// poke is called when the process has become RUNNING.
func (l *listener) poke() {
	l.pool.mu.Lock()
	notes := l.pool.dispatch()
	l.pool.mu.Unlock()
	notes.write(l.pool.log)
}

func (l *listener) requeue() notes {
	e := l.event
	if e == nil {
		return nil
	}
	l.event = nil
	return l.pool.put(*e, true)
}

// send reports whether l has taken the event.
func (l *listener) send(e pooled, notes *notes) bool {
	if l.state != ready || l.stdin == nil || l.process.status.Load().State != Running {
		return false
	}
	if _, err := l.stdin.Write(l.pool.envelope(e)); err != nil {
		notes.add(slog.LevelDebug, "event %d could not be sent to listener %s, listener state unchanged: %v", e.serial, l.process.prog.Name, err)
		return false
	}
	l.event = &e
	l.enter(busy, notes)
	notes.add(slog.LevelDebug, "event %d sent to listener %s", e.serial, l.process.prog.Name)
	return true
}

// ear returns what takes in what the next child writes.
func (l *listener) ear() func([]byte) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	child := l.child
	return func(b []byte) { l.hear(child, b) }
}

func (l *listener) hear(child int, b []byte) {
	p := l.pool
	p.mu.Lock()
	if child != l.child {
		p.mu.Unlock() // from a log that had blocked for too long
		return
	}
	l.heard = append(l.heard, b...)
	var notes notes
	for {
		result, complete := l.step(&notes)
		if !complete {
			break
		}
		e := l.event
		p.mu.Unlock()
		err := p.Handler(e.Event, result)
		p.mu.Lock()
		if l.child != child {
			break // it has ended meanwhile
		}
		l.judge(err, &notes)
	}
	notes = append(notes, p.dispatch()...)
	p.mu.Unlock()
	notes.write(p.log)
}

// step goes on with what was heard, until more is needed or a result is
// complete.
func (l *listener) step(notes *notes) (result []byte, complete bool) {
	for len(l.heard) > 0 || l.inResult {
		switch {
		case l.state == violated:
			l.heard = nil
		case l.state == ready:
			l.violate("", notes) // it has to wait for an event
		case l.state == acknowledged:
			if len(l.heard) < len(readyToken) {
				return nil, false
			}
			if !bytes.HasPrefix(l.heard, []byte(readyToken)) {
				l.violate("", notes)
				continue
			}
			l.heard = l.heard[len(readyToken):]
			l.enter(ready, notes)
		case !l.inResult:
			line, rest, found := bytes.Cut(l.heard, []byte("\n"))
			if !found && len(line) < maxResult {
				return nil, false
			}
			length, err := strconv.Atoi(string(bytes.TrimSpace(line[min(resultLead, len(line)):])))
			if err != nil || length < 0 || length > maxResult {
				l.violate(fmt.Sprintf("%s: bad result line: '%.100s'", l.process.prog.Name, line), notes)
				continue
			}
			l.heard, l.length, l.inResult = rest, length, true
		default:
			if len(l.heard) < l.length {
				return nil, false
			}
			result = bytes.Clone(l.heard[:l.length])
			l.heard, l.inResult = l.heard[l.length:], false
			return result, true
		}
	}
	return nil, false
}

// judge is what the handler has said about the result.
func (l *listener) judge(err error, notes *notes) {
	name := l.process.prog.Name
	switch {
	case err == nil:
		notes.add(slog.LevelDebug, "%s: event was processed", name)
		l.event = nil
		l.enter(acknowledged, notes)
	case errors.Is(err, ErrRejected):
		notes.add(slog.LevelWarn, "%s: event was rejected", name)
		l.enter(acknowledged, notes)
		*notes = append(*notes, l.requeue()...)
	default:
		l.violate(name+": event caused an error", notes)
	}
}

func (l *listener) violate(why string, notes *notes) {
	if why != "" {
		notes.add(slog.LevelWarn, "%s", why)
	}
	l.heard, l.inResult = nil, false
	l.enter(violated, notes)
	notes.add(slog.LevelWarn, "%s: has entered the UNKNOWN state and will no longer receive events, "+
		"this usually indicates the process violated the eventlistener protocol", l.process.prog.Name)
	*notes = append(*notes, l.requeue()...)
}

func (l *listener) enter(s listenerState, notes *notes) {
	notes.add(slog.LevelDebug, "%s: %s -> %s", l.process.prog.Name, l.state, s)
	l.state = s
}

// notes are lines for the log, gathered while a lock is held.
type notes []note

type note struct {
	level slog.Level
	text  string
}

func (n *notes) add(l slog.Level, format string, args ...any) {
	*n = append(*n, note{l, fmt.Sprintf(format, args...)})
}

func (n notes) write(log func(slog.Level, string)) {
	for _, note := range n {
		log(note.level, note.text)
	}
}
