package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

// maxConnections is how many clients a listener has at a time; the next ones
// wait.
const maxConnections = 256

// Serve answers requests until ctx is done, with limits on what a client may
// send, and on how long it may take. Then it lets those that are being answered
// come to their end, but not for longer than a second, and returns nil. An
// earlier error is that of the listener. It closes l in any case.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readTimeout,
		IdleTimeout:       30 * time.Minute, // as supervisord: supervisorctl does not try again
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that go away
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patience, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(patience) != nil {
			s.Close()
		}
	})
	err := s.Serve(netutil.LimitListener(l, maxConnections))
	if stop() { // it was not the end of ctx
		s.Close()
		return fmt.Errorf("rpc: %w", err)
	}
	<-ended
	return nil
}

// ListenUnix makes the socket path with a mode and an owner, of which -1 stays
// what it is. It has them from the moment on at which it can be found. One that
// nobody listens on any more is replaced; the error is syscall.EADDRINUSE if
// somebody does. Close removes it.
func ListenUnix(path string, mode fs.FileMode, uid, gid int) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) { return nil, fmt.Errorf("rpc: %w", err) }
	// As supervisord does it: bound under another name, and then linked, so
	// that of two who try it at once one wins.
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return fail(err)
	}
	l.SetUnlinkOnClose(false)
	defer os.Remove(temporary)
	if err := os.Chmod(temporary, mode); err != nil {
		l.Close()
		return fail(err)
	}
	if uid >= 0 || gid >= 0 {
		if err := os.Chown(temporary, uid, gid); err != nil {
			l.Close()
			return fail(err)
		}
	}
	for tries := 0; ; tries++ {
		err := os.Link(temporary, path)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) || tries == 3 {
			l.Close()
			return fail(err)
		}
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			l.Close()
			return fail(&net.OpError{Op: "listen", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: syscall.EADDRINUSE})
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.Close()
			return fail(err)
		}
	}
	info, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return fail(err)
	}
	return &unixListener{UnixListener: l, path: path, info: info}, nil
}

// A unixListener removes its socket, unless another one has taken its place.
type unixListener struct {
	*net.UnixListener
	path string
	info fs.FileInfo
	once sync.Once
}

func (l *unixListener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.info) {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
