package procmgr

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A fakeChild lives until it is told to die.
type fakeChild struct {
	pid    int
	exited chan exitStatus
	signal func(c *fakeChild, sig syscall.Signal, group bool) error
	write  func(b []byte) (int, error) // nil: takes all
}

func (c *fakeChild) Pid() int                  { return c.pid }
func (c *fakeChild) Exited() <-chan exitStatus { return c.exited }
func (c *fakeChild) die(code int)              { c.exited <- exitStatus{code: code, at: time.Now()} }
func (c *fakeChild) Write(b []byte) (int, error) {
	if c.write == nil {
		return len(b), nil
	}
	return c.write(b)
}

func (c *fakeChild) Signal(sig syscall.Signal, group bool) error {
	return c.signal(c, sig, group)
}

// A fakeBackend has behave do what the started program would; by default the
// program stays until TERM. What it does is in log.
type fakeBackend struct {
	behave  func(name string, c *fakeChild) error
	missing map[string]error
	left    map[int]int // pid: how many others its group holds
	gone    error       // of each adopt

	survivors map[string]survivor // of the Run before

	mu      sync.Mutex
	log     []string
	lastPid int
}

func (b *fakeBackend) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, fmt.Sprintf(format, args...))
}

func (b *fakeBackend) check(p *process) error { return b.missing[p.name] }

func (b *fakeBackend) start(p *process) (child, error) {
	if err := b.check(p); err != nil {
		return nil, err
	}
	b.note("start %s", p.name)
	b.mu.Lock()
	b.lastPid++
	pid := b.lastPid
	b.mu.Unlock()
	return b.child(p, pid)
}

func (b *fakeBackend) child(p *process, pid int) (child, error) {
	c := &fakeChild{pid: pid, exited: make(chan exitStatus, 1)}
	c.signal = func(c *fakeChild, sig syscall.Signal, group bool) error {
		b.note("%s %s", sig, p.name)
		if sig == syscall.SIGTERM || sig == syscall.SIGKILL {
			c.die(-1)
		}
		return nil
	}
	if b.behave != nil {
		if err := b.behave(p.name, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (b *fakeBackend) adopt(p *process, s survivor) (child, error) {
	b.note("adopt %s", p.name)
	if b.gone != nil {
		return nil, b.gone
	}
	return b.child(p, s.pid)
}

func (b *fakeBackend) inhabited(groups []int) []int {
	return slices.DeleteFunc(groups, func(g int) bool { return b.left[g] == 0 })
}

func (b *fakeBackend) sweep(groups []int, grace, _ time.Duration) (killed int) {
	for _, g := range groups {
		if b.left[g] > 0 {
			<-time.After(grace)
			grace = 0
		}
		killed += b.left[g]
		b.note("sweep %d", g)
	}
	return killed
}

func (b *fakeBackend) close(time.Duration) int {
	b.note("close")
	return 0
}

func (b *fakeBackend) took() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := strings.Join(b.log, ", ")
	b.log = nil
	return s
}

// A world is a manager in Run, with fake children, in fake time.
type world struct {
	*Manager
	t       *testing.T
	backend *fakeBackend
	began   time.Time
	cancel  func() // begins the end of Run
	end     func() // begins it and waits for it
	events  *[]string
	mu      *sync.Mutex
}

// inFakeTime runs test in a bubble, in which time passes only while nobody has
// anything to do. It fails if a goroutine is left at the end.
func inFakeTime(t *testing.T, b *fakeBackend, test func(w *world), programs ...Program) {
	t.Helper()
	inFakeTimeGroups(t, b, test, groupsOf(programs)...)
}

func groupsOf(programs []Program) (groups []Group) {
	for _, p := range programs {
		groups = append(groups, Group{Name: p.Name, Priority: p.Priority, Programs: []Program{p}})
	}
	return groups
}

func inFakeTimeGroups(t *testing.T, b *fakeBackend, test func(w *world), groups ...Group) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := New(nil)
		m.backend, m.survivors = b, b.survivors
		for _, g := range groups {
			for i := range g.Programs {
				g.Programs[i].Command = "x"
			}
			require.NoError(t, m.AddGroup(g))
		}
		w := &world{Manager: m, t: t, backend: b, began: time.Now(), events: new([]string), mu: new(sync.Mutex)}
		events := m.Events(context.Background())
		go func() {
			for e := range events {
				if e.Is("TICK") {
					continue
				}
				w.mu.Lock()
				*w.events = append(*w.events, w.render(e))
				w.mu.Unlock()
			}
		}()
		ctx, cancel := context.WithCancel(context.Background())
		w.cancel = cancel
		done := make(chan struct{})
		var runErr error
		go func() {
			defer close(done)
			runErr = m.Run(ctx)
		}()
		w.end = func() {
			cancel()
			<-done
			synctest.Wait()
			require.NoError(t, runErr)
		}
		defer w.end()
		synctest.Wait()
		test(w)
	})
}

// render writes an event as "1.5 web RUNNING": after how many seconds, what.
func (w *world) render(e Event) string {
	after := fmt.Sprint(e.Time.Sub(w.began).Seconds())
	switch e.Type {
	case EventProcessState:
		return fmt.Sprintf("%s %s %s", after, fullName(e.Group, e.Process), e.To)
	case EventSurvivor:
		return fmt.Sprintf("%s %s survived as %d", after, fullName(e.Group, e.Process), e.PID)
	case EventOrphansKilled:
		return fmt.Sprintf("%s %s killed %d", after, fullName(e.Group, e.Process), e.Killed)
	}
	return strings.TrimSpace(after + " " + e.Type.String() + " " + e.Group)
}

// told returns the events since the last call.
func (w *world) told() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	events := *w.events
	*w.events = nil
	return events
}

func (w *world) status(name string) Status {
	for _, s := range w.Status() {
		if s.FullName() == name {
			return s
		}
	}
	w.t.Fatalf("no process %s", name)
	return Status{}
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// stubborn ignores every signal but KILL.
func stubborn(b *fakeBackend, name string, c *fakeChild) {
	c.signal = func(c *fakeChild, sig syscall.Signal, group bool) error {
		b.note("%s %s", sig, name)
		if sig == syscall.SIGKILL {
			c.die(-1)
		}
		return nil
	}
}

var (
	errNope   = &commandError{ErrNoFile, "can't find command 'nope'"}
	errDenied = os.NewSyscallError("kill", syscall.EPERM)
	errFork   = errors.New("unknown error during fork for 'x': ENOMEM")
)
