//go:build unix

package procmgr

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
)

const (
	readSize = 128 << 10 // of one read, as supervisord's
	drainMax = 1 << 20   // what a pipe can hold at most, without privileges
)

// A stream copies one output of one child to its log. It reads when there is
// something, and holds a buffer only then: a thousand silent children cost a
// thousand goroutines, not a thousand buffers.
type stream struct {
	process *process
	pipe    *os.File
	log     io.Writer // nil: drop
	file    io.Closer // the log, if it was opened for this
	done    chan struct{}
	failing bool // the last write failed; told once
	closing sync.Once
}

// newStream returns a stream and what is to be the child's end of it.
func newStream(p *process, l Log) (*stream, *os.File, error) {
	s := &stream{process: p, log: l.Writer, done: make(chan struct{})}
	if l.File != "" {
		f, err := openRotated(l)
		if err != nil {
			return nil, nil, err
		}
		s.log, s.file = f, f
	}
	r, w, err := os.Pipe()
	if err != nil {
		if s.file != nil {
			s.file.Close()
		}
		return nil, nil, err
	}
	s.pipe = r
	return s, w, nil
}

// copy runs until the pipe ends, or end or close is called.
func (s *stream) copy(buffers *sync.Pool) {
	defer close(s.done)
	defer s.close()
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return
	}
	// once reads what is there, and reports whether to go on.
	var buf *[]byte
	var n int
	var readErr error
	read := func(fd uintptr) bool {
		buf = buffers.Get().(*[]byte)
		for {
			n, readErr = syscall.Read(int(fd), *buf)
			if readErr != syscall.EINTR {
				break
			}
		}
		if readErr == syscall.EAGAIN {
			buffers.Put(buf)
			buf = nil
			return false
		}
		return true
	}
	write := func() bool {
		defer buffers.Put(buf)
		if n <= 0 {
			return false
		}
		s.write((*buf)[:n])
		return true
	}
	for {
		if err = raw.Read(read); err != nil {
			break
		}
		if !write() {
			return // nobody holds the other end any more
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	// The child is dead. Others may hold the pipe and write on; what the child
	// has written is in it now.
	for rest := drainMax; rest > 0; rest -= n {
		got := false
		if raw.Control(func(fd uintptr) { got = read(fd) }) != nil || !got || !write() {
			return
		}
	}
}

// write drops what the log does not take, counts it, and tries again with what
// comes next: a disk has space again, and no child dies of SIGPIPE meanwhile.
func (s *stream) write(b []byte) {
	if s.log == nil {
		return
	}
	n, err := s.log.Write(b)
	if err == nil {
		s.failing = false
		return
	}
	s.process.dropped.Add(int64(len(b) - min(max(n, 0), len(b))))
	if !s.failing {
		s.failing = true
		s.process.log(slog.LevelError, "cannot log the output of '"+s.process.prog.Name+"': "+err.Error())
	}
}

// end makes copy take what is in the pipe, and come to its end.
func (s *stream) end() { s.pipe.SetReadDeadline(longAgo()) }

// abandon closes a stream whose log has blocked for too long. What is still in
// the pipe counts as dropped.
func (s *stream) abandon() {
	lost := int64(0)
	if raw, err := s.pipe.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			for buf := make([]byte, readSize); lost < drainMax; {
				n, err := syscall.Read(int(fd), buf)
				if err == syscall.EINTR {
					continue
				}
				if n <= 0 {
					return
				}
				lost += int64(n)
			}
		})
	}
	s.process.dropped.Add(lost)
	s.process.log(slog.LevelError, "the log of '"+s.process.prog.Name+"' blocks; its output is dropped")
	s.close()
}

// close ends copy, but not a Write that blocks in it, unless it is to a FIFO.
func (s *stream) close() {
	s.closing.Do(func() {
		s.pipe.Close()
		if s.file != nil {
			s.file.Close()
		}
	})
}
