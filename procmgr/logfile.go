package procmgr

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"
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
	max     int64         // 0: is not rotated when it is so long
	every   time.Duration // 0: is not rotated when it is so old
	backups int
	tails   *tails // who follows
	opener  *opener
	zipper  *zipper      // of backups; nil: they stay as they are
	finish  func() error // waits for the zipper; nil: somebody else does

	mu     sync.Mutex // over what follows, but not while something is written
	cur    *openLog
	closed bool
}

// OpenLog opens l.File, to append. Of l, only what is about files counts.
func OpenLog(l Log) (*LogFile, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	l.resolve()
	var zipErr error
	z := newZipper(func(err error) { zipErr = errors.Join(zipErr, err) })
	f, err := openLogFile(l, newTails(), z, &opener{})
	if err != nil {
		return nil, err
	}
	f.finish = func() error {
		z.close()
		return zipErr
	}
	return f, nil
}

func openLogFile(l Log, t *tails, z *zipper, o *opener) (*LogFile, error) {
	cur, err := o.open(l.File, 0)
	if err != nil {
		return nil, err
	}
	f := &LogFile{path: l.File, max: l.MaxBytes, every: l.RotateEvery, backups: l.Backups, tails: t, opener: o, cur: cur}
	if l.Gzip {
		f.zipper = z
	}
	if !cur.regular {
		f.max, f.every = 0, 0
	}
	return f, nil
}

// Path returns the name of the file.
func (f *LogFile) Path() string { return f.path }

// Write appends b, and rotates the file each time it is full.
func (f *LogFile) Write(b []byte) (written int, err error) {
	defer f.tails.grown(f.path)
	for len(b) > 0 {
		cur := f.current()
		n, when := f.cut(cur, b)
		if when == before {
			if err = f.rotate(cur); err != nil {
				cur.last = time.Now() // the next try is in the next period
			}
			continue
		}
		n, writeErr := cur.Write(b[:n])
		written += n
		cur.size += int64(n)
		if n > 0 {
			cur.midline = b[n-1] != '\n'
		}
		b = b[n:]
		if writeErr != nil && f.current() != cur {
			continue // it was reopened meanwhile, and takes the rest
		}
		if writeErr != nil {
			return written, writeErr
		}
		if when == after {
			if err = f.rotate(cur); err != nil {
				// The lines go on into the file that is there. The next try is
				// when as much again has been written.
				cur.size = 0
			}
		}
	}
	return written, err
}

// A rotation comes before what is to be written, after it, or not at all.
type rotation int

const (
	never rotation = iota
	before
	after
)

// cut returns how much of b is still for this file, and whether that, or all
// that is there already, makes it full.
func (f *LogFile) cut(cur *openLog, b []byte) (n int, when rotation) {
	if f.every > 0 {
		now := time.Now()
		old := cur.size > 0 && period(cur.last, f.every) != period(now, f.every)
		if old && !cur.midline {
			return 0, before
		}
		if old {
			end := bytes.IndexByte(b, '\n') + 1
			if end == 0 {
				return len(b), never
			}
			return end, after
		}
		cur.last = now
	}
	if f.max == 0 || cur.size+int64(len(b)) < f.max {
		return len(b), never
	}
	if end := bytes.LastIndexByte(b, '\n') + 1; end > 0 && cur.size+int64(end) >= f.max {
		return end, after
	}
	if cur.size+int64(len(b)) >= f.max+rotateSlack {
		return len(b), after
	}
	return len(b), never
}

// period numbers the days, or what else every is, by the clock on the wall.
func period(t time.Time, every time.Duration) int64 {
	_, offset := t.Zone()
	return (t.Unix() + int64(offset)) / max(1, int64(every/time.Second))
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
	cur.size = info.Size()
	old := f.every > 0 && period(cur.last, f.every) != period(time.Now(), f.every)
	if cur.size == 0 || cur.size < f.max && !old {
		return nil
	}
	if f.backups == 0 {
		if err := cur.Truncate(0); err != nil {
			return err
		}
		cur.size = 0
		return nil
	}
	if f.zipper != nil {
		f.zipper.wait(f.path)
	}
	f.tails.shift(f.path, true)
	defer f.tails.shift(f.path, false)
	backup := func(i int) string { return f.path + "." + strconv.Itoa(i) }
	for i := f.backups - 1; i > 0; i-- {
		if err := f.move(backup(i), backup(i+1)); err != nil {
			return err
		}
	}
	if err := f.move(f.path, backup(1)); err != nil {
		return err
	}
	if err := f.replace(os.O_TRUNC); err != nil {
		return err
	}
	if f.zipper != nil {
		f.zipper.start(f.path, backup(1))
	}
	return nil
}

// move renames a backup, be it compressed or not.
func (f *LogFile) move(from, to string) error {
	if f.zipper == nil {
		return rename(from, to)
	}
	if err := os.Remove(to + zipped); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := rename(from, to); err != nil {
		return err
	}
	if _, err := os.Lstat(from + zipped); err != nil {
		return nil
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return rename(from+zipped, to+zipped)
}

// replace opens the file anew, and goes on with that.
func (f *LogFile) replace(flags int) error {
	fresh, err := f.opener.open(f.path, flags)
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

// Close closes the file. What is written after that is an error. With Gzip it
// waits for the backup that is being compressed, and returns what became of
// all of them.
func (f *LogFile) Close() error {
	f.mu.Lock()
	f.closed = true
	err := f.cur.Close()
	f.mu.Unlock()
	if f.finish == nil {
		return err
	}
	return joinErrors([]error{err, f.finish()})
}
