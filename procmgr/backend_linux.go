package procmgr

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
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
