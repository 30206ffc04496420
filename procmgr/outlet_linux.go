package procmgr

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// A thread waits for one that pours, if it pauses no longer than this; so many
// threads do.
const (
	lingerTime = time.Millisecond
	lingerMax  = 4
)

// An outlet is our end of the pipe that a child writes its output to. The
// waiter knows it, and the runtime's poller does not: that would be woken by
// each write, also while what was written before is being copied.
type outlet struct {
	file   *os.File
	conn   syscall.RawConn
	waiter *waiter
	token  int64
}

// outputPipe returns both ends of a pipe.
func outputPipe(w *waiter) (*outlet, *os.File, error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	child := os.NewFile(uintptr(fds[1]), "|1")
	o, err := newOutlet(fds[0], w)
	if err != nil {
		child.Close()
		return nil, nil, err
	}
	return o, child, nil
}

// reopenPipe opens the pipe behind one of the /proc/PID/fd.
func reopenPipe(path string, w *waiter) (*outlet, error) {
	// Without O_NONBLOCK it would wait for somebody who writes.
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return newOutlet(fd, w)
}

// newOutlet takes over a descriptor, also when it fails.
func newOutlet(fd int, w *waiter) (*outlet, error) {
	// What blocks while the file is made is not given to the poller.
	err := syscall.SetNonblock(fd, false)
	o := &outlet{file: os.NewFile(uintptr(fd), "|0"), waiter: w}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err == nil {
		o.conn, err = o.file.SyscallConn()
	}
	if err == nil {
		o.token, err = w.know(uintptr(fd))
	}
	if err != nil {
		o.file.Close()
		return nil, err
	}
	return o, nil
}

// await makes ready be called, in a goroutine: once there is something to read,
// or nothing will come any more, or wake is called.
func (o *outlet) await(ready func(time.Time)) {
	o.conn.Control(func(fd uintptr) { o.waiter.await(fd, o.token, ready) })
}

func (o *outlet) wake() {
	if ready := o.waiter.forget(o.token); ready != nil {
		go ready(time.Now())
	}
}

// read reads what is there: syscall.EAGAIN if that is nothing.
func (o *outlet) read(b []byte) (n int, err error) {
	if closed := o.conn.Control(func(fd uintptr) { n, err = readNow(fd, b) }); closed != nil {
		return 0, closed
	}
	return n, err
}

// linger waits for a moment, and reports whether there is something to read. It
// wakes sooner than await does, for a thread that can do nothing else.
func (o *outlet) linger() (ready bool) {
	defer o.waiter.lingering.Add(-1)
	if o.waiter.lingering.Add(1) > lingerMax {
		return false
	}
	const pollIn = 1
	limit := syscall.NsecToTimespec(int64(lingerTime))
	o.conn.Control(func(fd uintptr) {
		poll := struct {
			fd             int32
			events, result int16
		}{fd: int32(fd), events: pollIn}
		n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		ready = errno == 0 && n == 1
	})
	return ready
}

func (o *outlet) grow() { o.conn.Control(growPipe) }

// growPipe gives a pipe as much room as anybody may; that it is refused is no
// harm.
func growPipe(fd uintptr) {
	const setPipeSize = 1031 // F_SETPIPE_SZ
	syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, drainMax)
}

// close makes all that comes after it fail. One who awaits is not told.
func (o *outlet) close() { o.file.Close() }
