package procmgr

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func checkPlatform(*Program) error { return nil }

func setParentDeath(attr *syscall.SysProcAttr, sig syscall.Signal) { attr.Pdeathsig = sig }

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

// A forker starts all children from one thread, which it keeps to itself: the
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

// do calls start on the thread, under the given umask.
func (f *forker) do(umask int, start func() error) error {
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

// A reaper waits for all children at once. It asks an epoll of its own for the
// process file descriptors that are ready, and waits for that epoll in the
// runtime's: so it costs no thread, however many children there are.
type reaper struct {
	epoll *os.File
	raw   syscall.RawConn
	done  chan struct{}

	mu       sync.Mutex
	children map[int32]*osChild // by pid
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
	r.children = map[int32]*osChild{}
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
			r.mu.Lock()
			c := r.children[e.Fd]
			delete(r.children, e.Fd)
			r.mu.Unlock()
			if c != nil {
				go c.finish(now, c.os.Wait)
			}
		}
	}
}

// watch makes c.finish be called once c is dead.
func (r *reaper) watch(c *osChild) {
	pid := int32(c.os.Pid)
	r.mu.Lock()
	r.children[pid] = c
	r.mu.Unlock()
	added := syscall.ENOSYS
	c.os.WithHandle(func(pidfd uintptr) {
		// The pid stands for the child, since a descriptor's number is used
		// again while an event for the old one may still come. A pid is not:
		// finish reaps it after that event.
		e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLONESHOT, Fd: pid}
		r.raw.Control(func(epoll uintptr) {
			err := syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, int(pidfd), &e)
			added, _ = err.(syscall.Errno)
		})
	})
	if added == 0 {
		return
	}
	// Before Linux 5.4, or where a sandbox does not let us: a thread a child.
	r.mu.Lock()
	delete(r.children, pid)
	r.mu.Unlock()
	go waitThenFinish(c)
}

func (r *reaper) close() {
	r.epoll.Close()
	<-r.done
}

// sweep finds the members in /proc, and waits for them as the reaper does.
func (b *osBackend) sweep(groups []int, patience time.Duration) (killed int) {
	deadline := time.Now().Add(patience)
	for _, pgid := range groups {
		// A group whose number is now that of a process is another one: our
		// leader is dead, and was reaped.
		if syscall.Kill(pgid, 0) != syscall.ESRCH {
			continue
		}
		for time.Now().Before(deadline) {
			pids := members(pgid)
			killed += len(pids)
			if len(pids) == 0 || !killAndWait(pgid, pids, deadline) {
				break
			}
		}
	}
	return killed
}

// killAndWait kills a process group and returns when its members are dead, and
// whether it was able to see them die.
func killAndWait(pgid int, pids []int, deadline time.Time) bool {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		syscall.Kill(-pgid, syscall.SIGKILL)
		return false
	}
	defer syscall.Close(epoll)
	left := 0
	for _, pid := range pids {
		p, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		defer p.Release()
		p.WithHandle(func(pidfd uintptr) {
			e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLONESHOT, Fd: int32(pid)}
			if syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(pidfd), &e) == nil {
				left++
			}
		})
	}
	syscall.Kill(-pgid, syscall.SIGKILL)
	if left == 0 {
		return false
	}
	events := make([]syscall.EpollEvent, 64)
	for left > 0 {
		wait := time.Until(deadline).Milliseconds()
		if wait <= 0 {
			return false
		}
		n, err := syscall.EpollWait(epoll, events, int(wait))
		if err != nil && err != syscall.EINTR {
			return false
		}
		left -= max(n, 0)
	}
	return true
}

// members returns the processes of a group. The dead that nobody has reaped do
// not count: that is up to their parents.
func members(pgid int) (pids []int) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // gone
		}
		// "pid (name) state ppid pgrp …", where the name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 3 || bytes.ContainsAny(fields[0], "ZXx") {
			continue
		}
		if group, err := strconv.Atoi(string(fields[2])); err == nil && group == pgid {
			pids = append(pids, pid)
		}
	}
	return pids
}
