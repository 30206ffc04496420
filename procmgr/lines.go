package procmgr

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
)

// maxLine is the longest line that is waited for; longer ones come in pieces.
const maxLine = 64 << 10

// A LineWriter is a Log.Writer for what takes one line at a time, such as a
// log/syslog.Writer. Several goroutines may write to it, but their lines mix
// unless each Write ends with one.
type LineWriter struct {
	line func([]byte) error

	mu   sync.Mutex
	rest []byte // a line whose end has not come yet
}

// NewLineWriter returns a LineWriter that hands each line, without its end, to
// a Write of w.
func NewLineWriter(w io.Writer) *LineWriter {
	return &LineWriter{line: func(b []byte) error {
		_, err := w.Write(b)
		return err
	}}
}

// NewSlogWriter returns a LineWriter that makes a record of each line: the
// line is the message. A logger with attributes tells whose it is:
//
//	procmgr.NewSlogWriter(slog.With("process", "scout"), slog.LevelInfo)
func NewSlogWriter(l *slog.Logger, level slog.Level) *LineWriter {
	return &LineWriter{line: func(b []byte) error {
		l.Log(context.Background(), level, string(b))
		return nil
	}}
}

// Write hands on the lines that b completes. The error is the first one of
// what they were handed to; all are tried.
func (w *LineWriter) Write(b []byte) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n = len(b)
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		if room := maxLine - len(w.rest); len(line) > room {
			line, rest, found = b[:room], b[room:], true
		}
		b = rest
		if !found {
			w.rest = append(w.rest, line...)
			break
		}
		if len(w.rest) > 0 {
			w.rest = append(w.rest, line...)
			line = w.rest
		}
		if lineErr := w.line(line); err == nil {
			err = lineErr
		}
		w.rest = w.rest[:0]
	}
	return n, err
}

// Flush hands on the line whose end has not come.
func (w *LineWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) == 0 {
		return nil
	}
	err := w.line(w.rest)
	w.rest = nil
	return err
}
