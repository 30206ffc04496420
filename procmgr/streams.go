package procmgr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"
)

// SendStdin writes data to the standard input of a process. What it does not
// read at once is kept for it, up to 64 MiB. The error is ErrNoSuchProcess,
// ErrNotRunning (also while it is stopping), ErrNoFile if the process has
// closed its standard input, ErrShutdown, or that the limit is reached.
func (m *Manager) SendStdin(name string, data []byte) error {
	if err := m.ready(name); err != nil {
		return err
	}
	p, err := m.one(name)
	if err != nil {
		return err
	}
	return p.ask(context.Background(), &request{kind: reqStdin, data: data}, p.gone())
}

// SendRemoteCommEvent publishes an EventRemoteCommunication: it tells those
// who listen something from outside.
func (m *Manager) SendRemoteCommEvent(commType, data string) {
	m.hub.publish(Event{Type: EventRemoteCommunication, Time: time.Now(), CommType: commType, Data: data})
}

// logPath returns the file of a log: ErrNoSuchProcess, ErrNoFile.
func (m *Manager) logPath(name string, c Channel) (string, error) {
	p, err := m.one(name)
	if err != nil {
		return "", err
	}
	path := p.prog.log(c).File
	if path == "" {
		return "", &ProcessError{Name: name, Err: ErrNoFile, Reason: "its " + c.String() + " is not logged to a file"}
	}
	if _, err := os.Stat(path); err != nil {
		return "", &ProcessError{Name: name, Err: ErrNoFile, Reason: path}
	}
	return path, nil
}

// ReadLog returns part of the log of a process; see ReadLogFile for offset and
// length. The error is ErrNoSuchProcess, ErrNoFile (with the path as its
// Reason), ErrBadArguments, or that of the file.
func (m *Manager) ReadLog(name string, c Channel, offset, length int64) ([]byte, error) {
	path, err := m.logPath(name, c)
	if err != nil {
		return nil, err
	}
	data, err := ReadLogFile(path, offset, length)
	if err != nil {
		return nil, &ProcessError{Name: name, Err: err}
	}
	return data, nil
}

// TailLog returns the end of the log of a process; see TailLogFile for offset,
// length and what is returned. A process without a log has an empty one, of
// size 0. The error is ErrNoSuchProcess.
func (m *Manager) TailLog(name string, c Channel, offset, length int64) (data []byte, size int64, overflow bool, err error) {
	path, err := m.logPath(name, c)
	switch {
	case errors.Is(err, ErrNoFile):
		return nil, 0, false, nil
	case err != nil:
		return nil, 0, false, err
	}
	data, size, overflow = TailLogFile(path, offset, length)
	return data, size, overflow, nil
}

// FollowLog yields the log of a process from back bytes before its end, and
// then what is written to it, over all its restarts, until ctx is done or Run
// has returned; see LogFile.Follow. The error is ErrNoSuchProcess or ErrNoFile.
func (m *Manager) FollowLog(ctx context.Context, name string, c Channel, back int64) (iter.Seq2[[]byte, error], error) {
	path, err := m.logPath(name, c)
	if err != nil {
		return nil, err
	}
	chunks, err := m.tails.follow(ctx, path, back)
	if err != nil {
		return nil, &ProcessError{Name: name, Err: ErrNoFile, Reason: err.Error()}
	}
	return chunks, nil
}

// ClearLog removes the log files of a process, and makes them anew; the
// backups stay. As under supervisord, those of a process without a child are
// left as they are, without an error. The error is ErrNoSuchProcess or that of
// a file.
func (m *Manager) ClearLog(name string) error {
	p, err := m.one(name)
	if err != nil {
		return err
	}
	return p.eachLog((*LogFile).Clear)
}

// ReopenLogs opens all logs that are open again, under their names, for the
// time after logrotate: what supervisord does for SIGUSR2.
func (m *Manager) ReopenLogs() error {
	var errs []error
	for _, g := range m.sortedGroups() {
		for _, p := range g.processes {
			errs = append(errs, p.eachLog((*LogFile).Reopen))
		}
	}
	return joinErrors(errs)
}

// eachLog does something to the logs that are open.
func (p *process) eachLog(do func(*LogFile) error) error {
	var errs []error
	for c := range p.outputs {
		o := p.outputs[c].Load()
		if o == nil || o.file == nil {
			continue
		}
		// One that has just been closed is no longer open.
		if err := do(o.file); err != nil && !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, &ProcessError{Name: p.name, Err: fmt.Errorf("%s: %w", Channel(c), err)})
		}
	}
	return joinErrors(errs)
}
