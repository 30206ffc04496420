package procmgr

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

// ErrTruncated is what those who follow a log are told when it has become
// shorter. They go on from its beginning.
var ErrTruncated = errors.New("file truncated")

// followSize is how much is read at once.
const followSize = 64 << 10

// tails are those that follow logs, by the path of the log. They are woken by
// whoever writes: nobody looks at a file just to see whether it has grown.
type tails struct {
	count atomic.Int32
	mu    sync.Mutex
	byLog map[string]map[*tail]struct{}
	ended chan struct{} // closed when nobody will write any more
}

type tail struct {
	wake chan struct{} // holds one token when there may be something new

	shifts   atomic.Int64 // how often the names of the files have begun or ceased to change
	shifting atomic.Bool  // they change
}

func newTails() *tails {
	return &tails{byLog: map[string]map[*tail]struct{}{}, ended: make(chan struct{})}
}

// grown is called for every write, so it has to be cheap while nobody follows.
func (t *tails) grown(path string) {
	if t.count.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for f := range t.byLog[path] {
		select {
		case f.wake <- struct{}{}:
		default: // it has not looked since the last time
		}
	}
}

// shift is called before and after the files of a log change their names. It is
// part of a write, so that grown comes after it.
func (t *tails) shift(path string, begins bool) {
	if t.count.Load() == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for f := range t.byLog[path] {
		f.shifting.Store(begins)
		f.shifts.Add(1)
	}
}

func (t *tails) add(path string) *tail {
	f := &tail{wake: make(chan struct{}, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byLog[path] == nil {
		t.byLog[path] = map[*tail]struct{}{}
	}
	t.byLog[path][f] = struct{}{}
	t.count.Add(1)
	return f
}

func (t *tails) remove(path string, f *tail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.byLog[path][f]; !there {
		return
	}
	delete(t.byLog[path], f)
	if len(t.byLog[path]) == 0 {
		delete(t.byLog, path)
	}
	t.count.Add(-1)
}

// Follow yields what is in the file from back bytes before its end (all of it
// if it is shorter), and then what is written, as it is, until ctx is done.
// When the file is rotated, removed or reopened it goes on with the new one;
// when it has been emptied the error ErrTruncated is yielded, with no bytes,
// and it goes on from the beginning. Any other error is the last thing
// yielded. The bytes are good until the next ones are asked for. What others
// write into the file is seen together with what is written next through f.
func (f *LogFile) Follow(ctx context.Context, back int64) (iter.Seq2[[]byte, error], error) {
	return f.tails.follow(ctx, f.path, back)
}

// follow is supervisor.http.tail_f_producer, without the polling.
func (t *tails) follow(ctx context.Context, path string, back int64) (iter.Seq2[[]byte, error], error) {
	me := t.add(path) // before the file is looked at, so that no write is missed
	file, size, err := openToRead(path)
	if err != nil {
		t.remove(path, me)
		return nil, err
	}
	r := &reader{tail: me, path: path, file: file, at: max(0, size-max(0, back))}
	end := sync.OnceFunc(func() {
		t.remove(path, me)
		r.file.Close()
	})
	// For the caller that never ranges over it.
	unhook := context.AfterFunc(ctx, func() { r.mu.Lock(); defer r.mu.Unlock(); end() })

	return func(yield func([]byte, error) bool) {
		defer func() { r.mu.Lock(); defer r.mu.Unlock(); end() }()
		defer unhook()
		buf := make([]byte, followSize)
		for last := false; ; {
			for ctx.Err() == nil {
				n, err := r.next(buf)
				if err == io.EOF {
					break
				}
				if !yield(buf[:n], err) || err != nil && err != ErrTruncated {
					return
				}
			}
			if last || ctx.Err() != nil {
				return
			}
			select {
			case <-me.wake:
			case <-t.ended:
				last = true // once more, for what came before
			case <-ctx.Done():
			}
		}
	}, nil
}

// A reader reads a file, and what takes its place.
type reader struct {
	tail *tail
	path string
	mu   sync.Mutex // over file
	file *os.File
	at   int64
}

// next reads what comes next; io.EOF is all for now.
func (r *reader) next(buf []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := r.file.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() < r.at {
		r.at = 0
		return 0, ErrTruncated
	}
	if n, err := r.file.ReadAt(buf, r.at); n > 0 {
		r.at += int64(n)
		return n, nil
	} else if err != io.EOF {
		return 0, err
	}
	file := r.successor(info)
	if file == nil {
		return 0, io.EOF // the old one may still be written to
	}
	// Something may have been written before the other took its place.
	if n, _ := r.file.ReadAt(buf, r.at); n > 0 {
		file.Close()
		r.at += int64(n)
		return n, nil
	}
	r.file.Close()
	r.file, r.at = file, 0
	n, err := file.Read(buf)
	r.at = int64(n)
	return n, err
}

// successor opens what came after the file that info is of: what now has its
// name, or, if that was rotated more than once, the backup after it. Nil: there
// is nothing yet, or we will be woken.
func (r *reader) successor(info os.FileInfo) *os.File {
	shifts := r.tail.shifts.Load()
	if r.tail.shifting.Load() {
		return nil
	}
	is := func(path string) bool {
		other, err := os.Stat(path)
		return err == nil && os.SameFile(info, other)
	}
	if is(r.path) {
		return nil
	}
	next := r.path
	for i := 1; ; i++ {
		backup := r.path + "." + strconv.Itoa(i)
		if is(backup) {
			break
		}
		if _, err := os.Lstat(backup); err != nil {
			next = r.path // it is no backup: removed, or moved by somebody else
			break
		}
		next = backup
	}
	file, _, err := openToRead(next)
	if err != nil {
		return nil // gone again
	}
	if r.tail.shifts.Load() != shifts {
		file.Close()
		return nil
	}
	return file
}
