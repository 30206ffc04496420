//go:build unix

package procmgr

import (
	"context"
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
	pouring  = 256 << 10 // one who has written so much without a pause will go on
)

// A stream copies one output of one child to its log, and makes events of it.
// It has a goroutine and a buffer only while there is something to copy: a
// thousand silent children cost neither.
type stream struct {
	process *process
	channel Channel
	pid     int // set by start
	pipe    *outlet
	buffers *sync.Pool  // of *[]byte
	logs    []io.Writer // none: drop
	file    *LogFile    // that of them which was opened for this
	events  bool
	debug   bool         // the manager's log gets it, too
	capture *capture     // nil: all is for the log
	ansi    *ansi        // nil: escapes stay
	listen  func([]byte) // nil: it is not that of an event listener
	grown   bool
	copied  func(time.Time) // copy
	ending  atomic.Bool     // what is in the pipe is the rest
	rest    int             // of it, at most
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
func newStream(p *process, channel Channel, pipe *outlet, buffers *sync.Pool) (*stream, error) {
	l := p.prog.log(channel)
	s := &stream{
		process: p, channel: channel, pipe: pipe, buffers: buffers, events: l.Events, debug: p.logsOutput(),
		rest: drainMax, done: make(chan struct{}),
	}
	s.copied = s.copy
	if p.listener != nil && channel == Stdout {
		s.listen, s.events = p.listener.ear(), false
	} else if l.CaptureMaxBytes > 0 {
		s.capture = &capture{max: l.CaptureMaxBytes, log: s.put, send: s.communicate}
	}
	if l.StripANSI {
		s.ansi = &ansi{}
	}
	if l.File != "" {
		f, err := openLogFile(*l, p.mgr.tails, p.mgr.zipper, p.mgr.opener)
		if err != nil {
			pipe.close()
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

// start makes what the child writes be copied, until the pipe ends, or end or
// close is called.
func (s *stream) start(pid int) {
	s.pid = pid
	s.await()
}

func (s *stream) await() {
	s.pipe.await(s.copied)
	if s.ending.Load() { // said before there was anybody to wake
		s.pipe.wake()
	}
}

// copy copies what there is. It is called by one at a time.
func (s *stream) copy(time.Time) {
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	for poured := 0; ; {
		// Asked before it is read: what the child has written before its end is
		// in the pipe then. Others may hold the pipe, and write on.
		ending := s.ending.Load()
		n, err := s.pipe.read(*buf)
		if err == syscall.EAGAIN && !ending {
			if poured >= pouring && s.pipe.linger() {
				continue
			}
			s.await()
			return
		}
		if n <= 0 {
			break
		}
		if poured += n; poured >= pouring && !s.grown {
			s.grown = true // that neither need wait for the other
			s.pipe.grow()
		}
		s.write((*buf)[:n])
		if ending {
			if s.rest -= n; s.rest <= 0 {
				break
			}
		}
	}
	s.flush()
	s.close()
	close(s.done)
}

// readNow is read(2).
func readNow(fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
			return n, err
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
func (s *stream) end() {
	s.ending.Store(true)
	s.pipe.wake()
}

// abandon closes a stream whose log has blocked for too long. What is still in
// the pipe counts as dropped.
func (s *stream) abandon() {
	lost := int64(0)
	for buf := make([]byte, readSize); lost < drainMax; {
		n, _ := s.pipe.read(buf)
		if n <= 0 {
			break
		}
		lost += int64(n)
	}
	s.process.dropped.Add(lost)
	s.process.log(slog.LevelError, "the log of '"+s.process.prog.Name+"' blocks; its output is dropped")
	s.close()
}

// close ends copy, but not a Write that blocks in it, unless it is to a FIFO.
func (s *stream) close() {
	s.closing.Do(func() {
		s.pipe.close()
		s.process.outputs[s.channel].CompareAndSwap(s, nil)
		if s.file != nil {
			s.file.Close()
		}
		s.end()
	})
}
