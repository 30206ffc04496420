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

// A mainLog is supervisord's own log, as a slog.Handler. Its lines are written
// by a goroutine of its own: a terminal that is stopped, or a disk that hangs,
// must not stop those who look after processes.
type mainLog struct {
	file   *procmgr.LogFile // nil: syslog
	others []io.Writer
	level  supervisorconf.LogLevel

	mu      sync.Mutex // over lines being closed
	closed  bool
	lines   chan []byte
	ended   chan struct{}
	dropped atomic.Int64
}

func openMainLog(sd *supervisorconf.Supervisord, stdout io.Writer) (*mainLog, error) {
	l := &mainLog{level: sd.LogLevel, lines: make(chan []byte, queued), ended: make(chan struct{})}
	if stdout != nil && !sd.Silent {
		l.others = append(l.others, stdout)
	}
	if sd.LogFile == "syslog" {
		l.others = append(l.others, &syslogWriter{})
	} else {
		var err error
		l.file, err = procmgr.OpenLog(procmgr.Log{File: sd.LogPath, MaxBytes: orZero(sd.LogFileMaxBytes), Backups: orZero(sd.LogFileBackups)})
		if err != nil {
			return nil, fmt.Errorf("supervisord: %w", err)
		}
	}
	go l.write()
	return l, nil
}

// write ends when the lines do.
func (l *mainLog) write() {
	defer close(l.ended)
	for line := range l.lines {
		if n := l.dropped.Swap(0); n > 0 {
			l.put(format(time.Now(), supervisorconf.LogWarn, fmt.Sprintf("%d lines of this log were dropped, since it was too slow", n)))
		}
		l.put(line)
	}
}

func (l *mainLog) put(line []byte) {
	for _, w := range l.others {
		w.Write(line)
	}
	if l.file != nil {
		l.file.Write(line) // a full disk has space again, some time
	}
}

// Close writes what is left, but does not wait for a log that blocks for longer
// than a second.
func (l *mainLog) Close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.lines)
	}
	l.mu.Unlock()
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	select {
	case <-l.ended:
	case <-patience.C:
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	select {
	case l.lines <- line:
	default:
		l.dropped.Add(1)
	}
	return nil
}

func (l *mainLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *mainLog) WithGroup(string) slog.Handler      { return l }
