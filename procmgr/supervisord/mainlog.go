//go:build unix

package supervisord

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/supervisorconf"
)

// The levels of supervisord's log that slog has no names for, and one it has.
const (
	levelTrace    = slog.LevelDebug - 4
	levelWarn     = slog.LevelWarn
	levelCritical = slog.LevelError + 4
)

// queued is how many lines wait for a log that is slow, before one is dropped.
const queued = 4096

// A mainLog is supervisord's own log, as a slog.Handler.
type mainLog struct {
	file  *procmgr.LogFile // nil: syslog
	sinks []*sink
	level supervisorconf.LogLevel
}

func openMainLog(sd *supervisorconf.Supervisord, stdout io.Writer) (*mainLog, error) {
	l := &mainLog{level: sd.LogLevel}
	var to io.Writer = &syslogWriter{}
	if sd.LogFile != "syslog" {
		var err error
		l.file, err = procmgr.OpenLog(procmgr.Log{File: sd.LogPath, MaxBytes: orZero(sd.LogFileMaxBytes), Backups: orZero(sd.LogFileBackups)})
		if err != nil {
			return nil, fmt.Errorf("supervisord: %w", err)
		}
		to = l.file
	}
	if stdout != nil && !sd.Silent {
		l.sinks = append(l.sinks, newSink(stdout))
	}
	l.sinks = append(l.sinks, newSink(to))
	return l, nil
}

// Close writes what is left, but does not wait for a log that blocks for longer
// than a second.
func (l *mainLog) Close() error {
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for _, s := range l.sinks {
		s.close()
	}
	for _, s := range l.sinks {
		select {
		case <-s.ended:
		case <-patience.C:
			patience.Reset(0)
		}
	}
	if l.file != nil {
		return l.file.Close()
	}
	return nil
}

func (l *mainLog) reopen() error {
	if l.file == nil {
		return nil
	}
	return l.file.Reopen()
}

// A sink is where lines of the log go, by a goroutine of its own: a terminal
// that is stopped, or a disk that hangs, must not stop those who look after
// processes, nor the lines to other places.
type sink struct {
	to      io.Writer
	lines   chan []byte
	ended   chan struct{}
	dropped atomic.Int64

	mu     sync.Mutex // over lines being closed
	closed bool
}

func newSink(to io.Writer) *sink {
	s := &sink{to: to, lines: make(chan []byte, queued), ended: make(chan struct{})}
	go s.run()
	return s
}

// run ends when the lines do. A line that cannot be written is lost: a full disk
// has space again, some time.
func (s *sink) run() {
	defer close(s.ended)
	for line := range s.lines {
		if n := s.dropped.Swap(0); n > 0 {
			s.to.Write(format(time.Now(), supervisorconf.LogWarn, fmt.Sprintf("%d lines of this log were dropped, since it was too slow", n)))
		}
		s.to.Write(line)
	}
}

func (s *sink) put(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	select {
	case s.lines <- line:
	default:
		s.dropped.Add(1)
	}
}

func (s *sink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.lines)
	}
}

// format is supervisor.loggers.LogRecord.
func format(t time.Time, level supervisorconf.LogLevel, text string) []byte {
	b := t.AppendFormat(nil, "2006-01-02 15:04:05")
	return fmt.Appendf(b, ",%03d %s %s\n", t.Nanosecond()/1e6, shortNames[level], text)
}

var shortNames = map[supervisorconf.LogLevel]string{
	supervisorconf.LogBlather: "BLAT", supervisorconf.LogTrace: "TRAC", supervisorconf.LogDebug: "DEBG", supervisorconf.LogInfo: "INFO",
	supervisorconf.LogWarn: "WARN", supervisorconf.LogError: "ERRO", supervisorconf.LogCritical: "CRIT",
}

// levelOf is the level of Supervisor that is the nearest below.
func levelOf(l slog.Level) supervisorconf.LogLevel {
	switch {
	case l >= levelCritical:
		return supervisorconf.LogCritical
	case l >= slog.LevelError:
		return supervisorconf.LogError
	case l >= slog.LevelWarn:
		return supervisorconf.LogWarn
	case l >= slog.LevelInfo:
		return supervisorconf.LogInfo
	case l >= slog.LevelDebug:
		return supervisorconf.LogDebug
	case l >= levelTrace:
		return supervisorconf.LogTrace
	}
	return supervisorconf.LogBlather
}

// Enabled is of slog.Handler, as are the next three.
func (l *mainLog) Enabled(_ context.Context, level slog.Level) bool { return levelOf(level) >= l.level }

func (l *mainLog) Handle(_ context.Context, r slog.Record) error {
	line := format(r.Time, levelOf(r.Level), r.Message)
	for _, s := range l.sinks {
		s.put(line)
	}
	return nil
}

func (l *mainLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *mainLog) WithGroup(string) slog.Handler      { return l }
