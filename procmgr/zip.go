package procmgr

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"sync"
)

// zipped is what the name of a compressed backup ends in.
const zipped = ".gz"

// A zipper compresses backups of logs while their programs write on. There is
// never more than one of a log in its hands.
type zipper struct {
	report func(error) // of what could not be compressed, and stays as it is
	all    sync.WaitGroup

	mu   sync.Mutex
	busy map[string]chan struct{} // by the path of the log: closed when it is done
}

func newZipper(report func(error)) *zipper {
	return &zipper{report: report, busy: map[string]chan struct{}{}}
}

// wait returns when nothing of a log is in work.
func (z *zipper) wait(log string) {
	z.mu.Lock()
	done := z.busy[log]
	z.mu.Unlock()
	if done != nil {
		<-done
	}
}

// start begins to compress a backup.
func (z *zipper) start(log, backup string) {
	done := make(chan struct{})
	z.mu.Lock()
	z.busy[log] = done
	z.mu.Unlock()
	z.all.Go(func() {
		if err := compress(backup); err != nil {
			z.report(err)
		}
		z.mu.Lock()
		delete(z.busy, log)
		z.mu.Unlock()
		close(done)
	})
}

// close waits for all that is in work.
func (z *zipper) close() { z.all.Wait() }

func compress(path string) (err error) {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	// Whoever looks at the backups sees a whole one, always.
	part := path + zipped + ".part"
	to, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			to.Close()
			os.Remove(part)
		}
	}()
	w, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return err
	}
	w.ModTime = info.ModTime()
	if _, err = io.Copy(w, from); err != nil {
		return err
	}
	if err = errors.Join(w.Close(), to.Close()); err != nil {
		return err
	}
	if err = os.Rename(part, path+zipped); err != nil {
		return err
	}
	return os.Remove(path)
}
