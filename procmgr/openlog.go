package procmgr

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// An openLog is an open file, of which only the writer knows how full it is.
type openLog struct {
	*os.File
	size    int64
	regular bool      // and may be renamed and removed
	midline bool      // what was written last was no end of a line
	last    time.Time // when that was
}

func openLogAt(path string, flags int) (*openLog, error) {
	// Without O_NONBLOCK, a FIFO without a reader would hold up the start.
	flags |= os.O_WRONLY | os.O_CREATE | os.O_APPEND | syscall.O_NONBLOCK
	f, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, syscall.ENXIO) {
		f, err = openOwnSocket(path, err)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &openLog{
		File: f, size: info.Size(), last: info.ModTime(),
		regular: info.Mode().IsRegular() && !isOurOwn(path),
	}, nil
}

// isOurOwn reports whether path stands for a file that we have open, such as
// /dev/stdout: whatever that is, the name is not for us to change.
func isOurOwn(path string) bool {
	path = filepath.Clean(path)
	return path == "/dev/stdout" || path == "/dev/stderr" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/")
}

// openPatience is how long a file may take to be opened. A disk that is just
// busy needs seconds now and then, and a start that fails for it may be the
// last one tried.
const openPatience = 10 * time.Second

// An opener opens log files for those who cannot wait for a disk that hangs,
// since they start other programs, or reopen other logs.
type opener struct {
	mu   sync.Mutex
	hung map[string]int // by directory: how many still try to open a file

	// For tests; openLogAt and openPatience if they are zero.
	openAt   func(path string, flags int) (*openLog, error)
	patience time.Duration
}

// open fails with os.ErrDeadlineExceeded after openPatience. For as long as the
// attempt goes on, others in that directory fail at once: each would take a
// thread.
func (o *opener) open(path string, flags int) (*openLog, error) {
	dir := filepath.Dir(path)
	timeout := &fs.PathError{Op: "open", Path: path, Err: os.ErrDeadlineExceeded}
	o.mu.Lock()
	hangs := o.hung[dir] > 0
	o.mu.Unlock()
	if hangs {
		return nil, timeout
	}
	openAt := o.openAt
	if openAt == nil {
		openAt = openLogAt
	}
	var f *openLog
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err = openAt(path, flags)
	}()
	limit := time.NewTimer(cmp.Or(o.patience, openPatience))
	defer limit.Stop()
	select {
	case <-done:
		return f, err
	case <-limit.C:
	}
	o.note(dir, 1)
	go func() {
		<-done
		if err == nil {
			f.Close() // nobody waits for it any more
		}
		o.note(dir, -1)
	}()
	return nil, timeout
}

func (o *opener) note(dir string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hung == nil {
		o.hung = map[string]int{}
	}
	if o.hung[dir] += n; o.hung[dir] == 0 {
		delete(o.hung, dir)
	}
}
