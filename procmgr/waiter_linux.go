package procmgr

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A waiter waits for the end of all children, for all they write, and for
// others whose end matters. It asks an epoll of its own, and waits for that
// epoll in the runtime's: so a child that does nothing costs no thread and no
// goroutine, however many there are.
type waiter struct {
	epoll *os.File
	raw   syscall.RawConn
	done  chan struct{}

	mu      sync.Mutex
	token   int64                     // the latest
	awaited map[int64]func(time.Time) // by token

	lingering atomic.Int32 // see outlet.linger

	table procTable
}

func (w *waiter) open() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	w.epoll = os.NewFile(uintptr(fd), "epoll")
	if w.raw, err = w.epoll.SyscallConn(); err != nil {
		return err
	}
	w.awaited = map[int64]func(time.Time){}
	w.done = make(chan struct{})
	go w.run()
	return nil
}

func (w *waiter) run() {
	defer close(w.done)
	events := make([]syscall.EpollEvent, 128)
	for {
		n := 0
		err := w.raw.Read(func(fd uintptr) bool {
			var err error
			n, err = syscall.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil
		})
		if err != nil {
			return // closed
		}
		now := time.Now()
		for _, e := range events[:max(n, 0)] {
			if ready := w.forget(int64(uint32(e.Fd)) | int64(e.Pad)<<32); ready != nil {
				go ready(now)
			}
		}
	}
}

// know prepares to wait for a descriptor, until it is closed.
func (w *waiter) know(fd uintptr) (token int64, err error) {
	w.mu.Lock()
	w.token++
	// Not the descriptor, whose number is used again while an event for the old
	// one may still come.
	token = w.token
	w.mu.Unlock()
	return token, w.control(syscall.EPOLL_CTL_ADD, fd, 0, token)
}

// await makes ready be called, in a goroutine, once there is something to read,
// or nothing will come any more.
func (w *waiter) await(fd uintptr, token int64, ready func(at time.Time)) {
	w.mu.Lock()
	w.awaited[token] = ready
	w.mu.Unlock()
	w.control(syscall.EPOLL_CTL_MOD, fd, syscall.EPOLLIN, token)
}

// control always asks for one event: what is written while the one before is
// looked after then wakes nobody.
func (w *waiter) control(op int, fd uintptr, events uint32, token int64) (err error) {
	e := syscall.EpollEvent{Events: events | syscall.EPOLLONESHOT, Fd: int32(token), Pad: int32(token >> 32)}
	rawErr := w.raw.Control(func(epoll uintptr) { err = syscall.EpollCtl(int(epoll), op, int(fd), &e) })
	if rawErr != nil {
		return rawErr
	}
	return os.NewSyscallError("epoll_ctl", err)
}

// forget ends an await, and returns what it would have called.
func (w *waiter) forget(token int64) (ready func(time.Time)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ready = w.awaited[token]
	delete(w.awaited, token)
	return ready
}

// watch makes died be called, in a goroutine, once p is dead. It reports
// whether it can: not before Linux 5.4, nor where a sandbox does not let us.
func (w *waiter) watch(p *os.Process, died func(at time.Time)) (token int64, ok bool) {
	p.WithHandle(func(pidfd uintptr) {
		var err error
		if token, err = w.know(pidfd); err == nil {
			w.await(pidfd, token, died)
			ok = true
		}
	})
	return token, ok
}

// watchChild makes c.finish be called once c is dead.
func (w *waiter) watchChild(c *osChild) {
	if _, ok := w.watch(c.os, func(at time.Time) { c.finish(at, c.os.Wait) }); !ok {
		go waitThenFinish(c) // a thread a child
	}
}

func (w *waiter) close() {
	w.epoll.Close()
	<-w.done
}
