//go:build unix

package procmgr

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// stdinMax is how much a child may leave unread of what it was sent.
// supervisord keeps it all.
const stdinMax = 64 << 20

// A stdinPipe is our end of the standard input of a child. What the pipe does
// not take at once is kept, and written by a goroutine that lives for as long
// as there is something.
type stdinPipe struct {
	pipe *os.File

	mu      sync.Mutex
	waiting []byte
	queued  int // bytes in waiting, and in the hands of drain
	writing bool
	err     error // nothing is read any more
}

// Write takes all of b, or nothing.
func (s *stdinPipe) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	if s.queued+len(b) > stdinMax {
		return 0, fmt.Errorf("more than %d bytes of standard input have not been read", stdinMax)
	}
	rest := b
	if !s.writing {
		n, err := s.try(b)
		if err != nil {
			s.err = err
			return 0, err
		}
		rest = b[n:]
	}
	if len(rest) > 0 {
		s.waiting = append(s.waiting, rest...)
		s.queued += len(rest)
		if !s.writing {
			s.writing = true
			go s.drain()
		}
	}
	return len(b), nil
}

// try writes what the pipe takes now.
func (s *stdinPipe) try(b []byte) (n int, err error) {
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return 0, err
	}
	rawErr := raw.Write(func(fd uintptr) bool {
		for err = syscall.EINTR; err == syscall.EINTR; {
			n, err = syscall.Write(int(fd), b)
		}
		return true
	})
	if err == syscall.EAGAIN {
		return 0, nil
	}
	return max(n, 0), errors.Join(rawErr, err)
}

func (s *stdinPipe) drain() {
	for {
		s.mu.Lock()
		b := s.waiting
		s.waiting = nil
		if len(b) == 0 || s.err != nil {
			s.writing = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		n, err := s.pipe.Write(b)
		s.mu.Lock()
		s.queued -= n
		if err != nil {
			s.err = err
		}
		s.mu.Unlock()
	}
}

// close ends drain, too.
func (s *stdinPipe) close() { s.pipe.Close() }
