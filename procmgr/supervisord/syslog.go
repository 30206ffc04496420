//go:build unix

package supervisord

import (
	"bytes"
	"log/syslog"
	"sync"
)

// A syslogWriter sends each line to the system's log, with the name of the
// process before it, as supervisor.loggers.SyslogHandler does. Where nobody
// listens to it, nothing is sent, and it is tried again with the next line.
type syslogWriter struct {
	name string // empty: the lines are our own

	mu   sync.Mutex
	rest []byte // a line whose end has not come yet
	to   *syslog.Writer
}

// maxLine is how long a line may get.
const maxLine = 64 << 10

func (w *syslogWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 && len(w.rest) < maxLine {
			return len(b), nil
		}
		line := w.rest[:max(end, 0)]
		if end < 0 {
			line = w.rest
			end = len(line) - 1
		}
		w.send(string(line))
		w.rest = w.rest[end+1:]
	}
}

func (w *syslogWriter) send(line string) {
	if w.name != "" {
		line = w.name + " " + line
	}
	if w.to == nil {
		to, err := syslog.New(syslog.LOG_INFO|syslog.LOG_USER, "")
		if err != nil {
			return
		}
		w.to = to
	}
	w.to.Info(line)
}
