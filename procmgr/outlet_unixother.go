//go:build unix && !linux

package procmgr

import (
	"os"
	"syscall"
	"time"
)

// An outlet is our end of the pipe that a child writes its output to. It costs
// a goroutine.
type outlet struct {
	file  *os.File
	conn  syscall.RawConn
	first [512]byte // what await has read
	n     int       // so much of it
}

// outputPipe returns both ends of a pipe.
func outputPipe(*waiter) (*outlet, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	conn, err := r.SyscallConn()
	if err != nil {
		r.Close()
		w.Close()
		return nil, nil, err
	}
	return &outlet{file: r, conn: conn}, w, nil
}

// await makes ready be called, in a goroutine: once there is something to read,
// or nothing will come any more, or wake is called.
func (o *outlet) await(ready func(time.Time)) {
	go func() {
		o.conn.Read(func(fd uintptr) bool {
			n, err := readNow(fd, o.first[:])
			o.n = max(n, 0)
			return err != syscall.EAGAIN
		})
		ready(time.Now())
	}()
}

func (o *outlet) wake() { o.file.SetReadDeadline(time.Unix(1, 0)) }

// read reads what is there: syscall.EAGAIN if that is nothing.
func (o *outlet) read(b []byte) (n int, err error) {
	if o.n > 0 {
		n, o.n = copy(b, o.first[:o.n]), 0
		return n, nil
	}
	if closed := o.conn.Control(func(fd uintptr) { n, err = readNow(fd, b) }); closed != nil {
		return 0, closed
	}
	return n, err
}

func (o *outlet) linger() bool { return false }
func (o *outlet) grow()        {}

// close makes all that comes after it fail.
func (o *outlet) close() { o.file.Close() }
