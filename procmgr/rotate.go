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

// A rotated file is supervisor.loggers.RotatingFileHandler. Write is called
// from one goroutine, Close from any.
type rotated struct {
	path    string
	max     int64 // 0: is not rotated
	backups int
	size    int64

	mu     sync.Mutex // over file, since Close may come at any time
	file   *os.File
	closed bool
}

func openRotated(l Log) (*rotated, error) {
	// Without O_NONBLOCK, a FIFO without a reader would hold up the start.
	f, err := openLog(l.File, os.O_APPEND|syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	r := &rotated{path: l.File, max: l.MaxBytes, backups: l.Backups, file: f}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	r.size = info.Size()
	if !info.Mode().IsRegular() {
		r.max = 0
	}
	return r, nil
}

func openLog(path string, flags int) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|flags, 0o666)
}

// Write appends b, and rotates the file each time it is full.
func (r *rotated) Write(b []byte) (written int, err error) {
	for len(b) > 0 {
		n, full := r.cut(b)
		file := r.current()
		n, writeErr := file.Write(b[:n])
		written += n
		r.size += int64(n)
		if writeErr != nil {
			return written, writeErr
		}
		b = b[n:]
		if full {
			if err = r.rotate(file); err != nil {
				// The lines go on into the file that is there. The next try is
				// when as much again has been written.
				r.size = 0
			}
		}
	}
	return written, err
}

// cut returns how much of b is still for this file, and whether it is then
// full.
func (r *rotated) cut(b []byte) (n int, rotate bool) {
	if r.max == 0 || r.size+int64(len(b)) < r.max {
		return len(b), false
	}
	if end := bytes.LastIndexByte(b, '\n') + 1; end > 0 && r.size+int64(end) >= r.max {
		return end, true
	}
	return len(b), r.size+int64(len(b)) >= r.max+rotateSlack
}

func (r *rotated) current() *os.File {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file
}

// rotate makes room. If somebody has emptied the file meanwhile, there is.
func (r *rotated) rotate(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if r.size = info.Size(); r.size < r.max {
		return nil
	}
	if r.backups == 0 {
		if err := file.Truncate(0); err != nil {
			return err
		}
		r.size = 0
		return nil
	}
	backup := func(i int) string { return r.path + "." + strconv.Itoa(i) }
	for i := r.backups - 1; i > 0; i-- {
		if err := rename(backup(i), backup(i+1)); err != nil {
			return err
		}
	}
	if err := rename(r.path, backup(1)); err != nil {
		return err
	}
	fresh, err := openLog(r.path, os.O_APPEND|os.O_TRUNC)
	if err != nil {
		return err
	}
	r.size = 0
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fresh.Close()
	}
	r.file = fresh
	return file.Close()
}

// rename does not mind that there is nothing to rename: somebody may have
// cleaned up.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (r *rotated) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.file.Close()
}

// longAgo is a deadline that has passed.
func longAgo() time.Time { return time.Unix(1, 0) }
