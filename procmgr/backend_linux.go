package procmgr

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func checkPlatform(*Program) error { return nil }

func setParentDeath(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }

// growPipe gives a pipe as much room as anybody may; that it is refused is no
// harm.
func growPipe(fd uintptr) {
	const setPipeSize = 1031 // F_SETPIPE_SZ
	syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, drainMax)
}

// highestInheritable returns the highest descriptor that a child would get from
// us, because somebody outside Go has opened it. supervisord closes all from 3
// to minfds in the child; those that are opened like that during Run are not
// known here.
func highestInheritable() (highest int) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			highest = max(highest, fd)
		}
	}
	return highest
}

// A forker starts children from one thread, which it keeps to itself: the
// parent-death signal of a child is sent when the thread ends that made it,
// and the runtime ends threads as it likes. The thread's umask is its own.
type forker struct {
	jobs    chan func()
	inherit int // the umask of the caller
	split   error
}

func (f *forker) open() {
	f.jobs = make(chan func())
	go f.run()
}

func (f *forker) run() {
	runtime.LockOSThread() // never undone: the thread ends with this goroutine
	if syscall.Gettid() == syscall.Getpid() {
		// Not the main thread: it would not end, and its working directory is
		// what others see of us in /proc. While we hold it, this one will run
		// on another.
		moved := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(moved)
			f.work()
		}()
		<-moved
		runtime.UnlockOSThread()
		return
	}
	f.work()
}

func (f *forker) work() {
	if f.split = syscall.Unshare(syscall.CLONE_FS); f.split == nil {
		f.inherit = syscall.Umask(0)
		syscall.Umask(f.inherit)
	}
	for job := range f.jobs {
		job()
	}
}

func (f *forker) close() { close(f.jobs) }

// do calls start on the thread, under the umask of the program; on any thread
// if it makes no difference, which saves two changes of the thread.
func (f *forker) do(prog *Program, start func() error) error {
	umask := prog.Umask
	if umask == inheritUmask && prog.ParentDeath == 0 {
		return start()
	}
	done := make(chan error)
	f.jobs <- func() {
		switch {
		case f.split == nil && umask != inheritUmask:
			syscall.Umask(umask)
			defer syscall.Umask(f.inherit)
		case umask != inheritUmask:
			done <- os.NewSyscallError("unshare", f.split)
			return
		}
		done <- start()
	}
	return <-done
}

// A reaper waits for all children at once, and for others whose end matters. It
// asks an epoll of its own for the process file descriptors that are ready, and
// waits for that epoll in the runtime's: so it costs no thread, however many
// there are.
type reaper struct {
	epoll *os.File
	raw   syscall.RawConn
	done  chan struct{}

	mu      sync.Mutex
	watched map[int32]func(time.Time) // by token
	token   int32                     // the latest

	table procTable
}

func (r *reaper) open() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	r.epoll = os.NewFile(uintptr(fd), "epoll")
	if r.raw, err = r.epoll.SyscallConn(); err != nil {
		return err
	}
	r.watched = map[int32]func(time.Time){}
	r.done = make(chan struct{})
	go r.run()
	return nil
}

func (r *reaper) run() {
	defer close(r.done)
	events := make([]syscall.EpollEvent, 128)
	for {
		n := 0
		err := r.raw.Read(func(fd uintptr) bool {
			var err error
			n, err = syscall.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil
		})
		if err != nil {
			return // closed
		}
		now := time.Now()
		for _, e := range events[:max(n, 0)] {
			if died := r.forget(e.Fd); died != nil {
				go died(now)
			}
		}
	}
}

// forget ends a watch, and returns what it would have called.
func (r *reaper) forget(token int32) func(time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	died := r.watched[token]
	delete(r.watched, token)
	return died
}

// watch makes died be called, in a goroutine, once p is dead. It reports
// whether it can: not before Linux 5.4, nor where a sandbox does not let us.
func (r *reaper) watch(p *os.Process, died func(at time.Time)) (token int32, ok bool) {
	r.mu.Lock()
	for r.token++; r.watched[r.token] != nil; r.token++ {
	}
	// Not the descriptor, whose number is used again while an event for the old
	// one may still come.
	token = r.token
	r.watched[token] = died
	r.mu.Unlock()
	p.WithHandle(func(pidfd uintptr) {
		e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLONESHOT, Fd: token}
		r.raw.Control(func(epoll uintptr) {
			ok = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, int(pidfd), &e) == nil
		})
	})
	if !ok {
		r.forget(token)
	}
	return token, ok
}

// watchChild makes c.finish be called once c is dead.
func (r *reaper) watchChild(c *osChild) {
	if _, ok := r.watch(c.os, func(at time.Time) { c.finish(at, c.os.Wait) }); !ok {
		go waitThenFinish(c) // a thread a child
	}
}

func (r *reaper) close() {
	r.epoll.Close()
	<-r.done
}
