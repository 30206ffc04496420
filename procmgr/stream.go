//go:build unix

package procmgr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	readSize = 128 << 10 // of one read, as supervisord's
	drainMax = 1 << 20   // what a pipe can hold at most, without privileges
	pipeSize = 64 << 10  // what it holds by default
)

// A stream copies one output of one child to its log, and makes events of it.
// It reads when there is something, and holds a buffer only then: a thousand
// silent children cost a thousand goroutines, not a thousand buffers.
type stream struct {
	process *process
	channel Channel
	pid     int // set before copy
	pipe    *os.File
	logs    []io.Writer // none: drop
	file    *LogFile    // that of them which was opened for this
	events  bool
	debug   bool         // the manager's log gets it, too
	capture *capture     // nil: all is for the log
	ansi    *ansi        // nil: escapes stay
	listen  func([]byte) // nil: it is not that of an event listener
	done    chan struct{}
	closing sync.Once

	trouble atomic.Pointer[string] // why the last write failed; nil: it did not
	since   atomic.Int64           // when the write that goes on has begun; 0: none does
}

// discards reports whether nobody wants an output. It then needs no pipe, and
// does not break when we die.
func (p *process) discards(c Channel) bool {
	l := p.prog.log(c)
	return (l.File == "" || l.File == os.DevNull) && l.Writer == nil && !l.Events && l.CaptureMaxBytes == 0 &&
		(c == Stderr || p.listener == nil) && !p.logsOutput()
}

// logsOutput reports whether the manager's own log gets all output, too, as
// that of a supervisord with loglevel=debug does.
func (p *process) logsOutput() bool {
	l := p.mgr.logger
	return l != nil && l.Enabled(context.Background(), slog.LevelDebug)
}

// newStream returns a stream that reads a pipe, which it closes, also when it
// fails.
func newStream(p *process, channel Channel, pipe *os.File) (*stream, error) {
	l := p.prog.log(channel)
	s := &stream{process: p, channel: channel, pipe: pipe, events: l.Events, debug: p.logsOutput(), done: make(chan struct{})}
	if p.listener != nil && channel == Stdout {
		s.listen, s.events = p.listener.ear(), false
	} else if l.CaptureMaxBytes > 0 {
		s.capture = &capture{max: l.CaptureMaxBytes, log: s.put, send: s.communicate}
	}
	if l.StripANSI {
		s.ansi = &ansi{}
	}
	if l.File != "" {
		f, err := openLogFile(*l, p.mgr.tails, p.mgr.zipper)
		if err != nil {
			pipe.Close()
			return nil, err
		}
		s.logs, s.file = append(s.logs, f), f
	}
	if l.Writer != nil {
		s.logs = append(s.logs, l.Writer)
	}
	p.outputs[channel].Store(s)
	return s, nil
}

// copy runs until the pipe ends, or end or close is called.
func (s *stream) copy(buffers *sync.Pool) {
	defer close(s.done)
	defer s.close()
	defer s.flush()
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
	for grown := false; ; {
		if err = raw.Read(read); err != nil {
			break
		}
		if n == pipeSize && !grown {
			// The child waits for us. With more room both can work at once.
			grown = true
			raw.Control(growPipe)
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

func (s *stream) write(b []byte) {
	if s.capture != nil {
		s.capture.write(b)
		return
	}
	s.put(b)
	if s.listen != nil {
		s.listen(b)
	}
}

// flush comes after the last write.
func (s *stream) flush() {
	if s.capture != nil {
		s.process.dropped.Add(int64(s.capture.end()))
	}
	if s.ansi != nil {
		if rest := s.ansi.end(); rest != nil {
			s.ansi = nil
			s.put(rest)
		}
	}
	for _, log := range s.logs {
		if f, ok := log.(flusher); ok {
			s.tried(f.Flush())
		}
	}
}

// A flusher is a Log.Writer that holds something back.
type flusher interface{ Flush() error }

// put drops what the log does not take, counts it, and tries again with what
// comes next: a disk has space again, and no child dies of SIGPIPE meanwhile.
func (s *stream) put(b []byte) {
	if s.ansi != nil {
		if b = s.ansi.strip(b); len(b) == 0 {
			return
		}
	}
	if s.debug {
		s.process.log(slog.LevelDebug, pyRepr(s.process.prog.Name)+" "+s.channel.String()+" output:\n"+strings.ToValidUTF8(string(b), "\uFFFD"))
	}
	var errs []error
	for _, log := range s.logs {
		s.since.Store(time.Now().UnixNano())
		n, err := log.Write(b)
		s.since.Store(0)
		if err != nil {
			s.process.dropped.Add(int64(len(b) - min(max(n, 0), len(b))))
			errs = append(errs, err)
		}
	}
	s.tried(joinErrors(errs))
	if s.events {
		s.tell(EventLogStdout, EventLogStderr, b)
	}
}

// tried tells of the first of several failures, and when they are over.
func (s *stream) tried(err error) {
	switch {
	case err != nil:
		text := err.Error()
		if s.trouble.Swap(&text) == nil {
			s.process.log(slog.LevelError, "cannot log the output of '"+s.process.prog.Name+"': "+text)
		}
	case s.trouble.Load() != nil:
		s.trouble.Store(nil)
		s.process.log(slog.LevelInfo, "the output of '"+s.process.prog.Name+"' is logged again")
	}
}

// blockedAfter is how long a write takes before it is called blocked.
const blockedAfter = time.Second

// state returns what is wrong with the log. Anybody may call it.
func (s *stream) state(now time.Time) string {
	if since := s.since.Load(); since != 0 {
		if d := now.Sub(time.Unix(0, since)); d >= blockedAfter {
			return fmt.Sprintf("%s: blocked for %v", s.channel, d.Round(time.Second))
		}
	}
	if t := s.trouble.Load(); t != nil {
		return s.channel.String() + ": " + *t
	}
	return ""
}

// communicate sends what stood between the tags of a capture.
func (s *stream) communicate(message []byte) {
	if s.ansi != nil {
		var a ansi
		message = append(a.strip(message), a.end()...)
	}
	s.tell(EventCommunicationStdout, EventCommunicationStderr, message)
}

func (s *stream) tell(stdout, stderr EventType, data []byte) {
	e := Event{Type: stdout, PID: s.pid, Data: string(data)}
	if s.channel == Stderr {
		e.Type = stderr
	}
	s.process.stamp(&e)
	s.process.mgr.hub.publish(e)
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
		s.process.outputs[s.channel].CompareAndSwap(s, nil)
		if s.file != nil {
			s.file.Close()
		}
	})
}
