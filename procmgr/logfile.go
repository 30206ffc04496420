package procmgr

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// rotateSlack is how far behind MaxBytes a file may go on for the end of a
// line. (supervisord cuts where a read ended, up to 128 KiB behind maxbytes.)
const rotateSlack = 128 << 10

// A LogFile is a file that is appended to, and rotated when it is full:
// supervisor.loggers.RotatingFileHandler. The logs of programs are such, and a
// program's own log may be (a slog.Handler can write to one). Write is called
// from one goroutine at a time, all else from any.
type LogFile struct {
	path    string
	max     int64 // 0: is not rotated
	backups int
	tails   *tails // who follows

	mu     sync.Mutex // over what follows, but not while something is written
	cur    *openLog
	closed bool
}

// An openLog is an open file, of which only the writer knows how full it is.
type openLog struct {
	*os.File
	size    int64
	regular bool
}

// OpenLog opens l.File, to append; MaxBytes and Backups are as in a Program.
func OpenLog(l Log) (*LogFile, error) {
	l.resolve()
	return openLogFile(l, newTails())
}

func openLogFile(l Log, t *tails) (*LogFile, error) {
	cur, err := openLogAt(l.File, 0)
	if err != nil {
		return nil, err
	}
	f := &LogFile{path: l.File, max: l.MaxBytes, backups: l.Backups, tails: t, cur: cur}
	if !cur.regular {
		f.max = 0
	}
	return f, nil
}

func openLogAt(path string, flags int) (*openLog, error) {
	// Without O_NONBLOCK, a FIFO without a reader would hold up the start.
	flags |= os.O_WRONLY | os.O_CREATE | os.O_APPEND | syscall.O_NONBLOCK
	f, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &openLog{File: f, size: info.Size(), regular: info.Mode().IsRegular()}, nil
}

// Path returns the name of the file.
func (f *LogFile) Path() string { return f.path }

// Write appends b, and rotates the file each time it is full.
func (f *LogFile) Write(b []byte) (written int, err error) {
	defer f.tails.grown(f.path)
	for len(b) > 0 {
		cur := f.current()
		n, full := f.cut(cur.size, b)
		n, writeErr := cur.Write(b[:n])
		written += n
		cur.size += int64(n)
		if writeErr != nil && f.current() != cur {
			b = b[n:] // it was reopened meanwhile, and takes the rest
			continue
		}
		if writeErr != nil {
			return written, writeErr
		}
		b = b[n:]
		if full {
			if err = f.rotate(cur); err != nil {
				// The lines go on into the file that is there. The next try is
				// when as much again has been written.
				cur.size = 0
			}
		}
	}
	return written, err
}

// cut returns how much of b is still for this file, and whether it is then
// full.
func (f *LogFile) cut(size int64, b []byte) (n int, rotate bool) {
	if f.max == 0 || size+int64(len(b)) < f.max {
		return len(b), false
	}
	if end := bytes.LastIndexByte(b, '\n') + 1; end > 0 && size+int64(end) >= f.max {
		return end, true
	}
	return len(b), size+int64(len(b)) >= f.max+rotateSlack
}

func (f *LogFile) current() *openLog {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cur
}

// rotate makes room. If somebody has emptied the file meanwhile, there is.
func (f *LogFile) rotate(cur *openLog) error {
	info, err := cur.Stat()
	if err != nil {
		return err
	}
	if cur.size = info.Size(); cur.size < f.max {
		return nil
	}
	if f.backups == 0 {
		if err := cur.Truncate(0); err != nil {
			return err
		}
		cur.size = 0
		return nil
	}
	backup := func(i int) string { return f.path + "." + strconv.Itoa(i) }
	for i := f.backups - 1; i > 0; i-- {
		if err := rename(backup(i), backup(i+1)); err != nil {
			return err
		}
	}
	if err := rename(f.path, backup(1)); err != nil {
		return err
	}
	return f.replace(os.O_TRUNC)
}

// replace opens the file anew, and goes on with that.
func (f *LogFile) replace(flags int) error {
	fresh, err := openLogAt(f.path, flags)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fresh.Close()
	}
	old := f.cur
	f.cur = fresh
	return old.Close()
}

// Reopen goes on with what stands under the name of the file now, which is
// made if there is nothing: for the time after logrotate has moved it away.
func (f *LogFile) Reopen() error {
	defer f.tails.grown(f.path)
	return f.replace(0)
}

// Clear removes the file and makes it anew; its backups stay. What is no
// regular file is only opened again.
func (f *LogFile) Clear() error {
	defer f.tails.grown(f.path)
	if f.current().regular {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.replace(0)
}

// rename does not mind that there is nothing to rename: somebody may have
// cleaned up.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Close closes the file. What is written after that is an error.
func (f *LogFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return f.cur.Close()
}

// longAgo is a deadline that has passed.
func longAgo() time.Time { return time.Unix(1, 0) }
