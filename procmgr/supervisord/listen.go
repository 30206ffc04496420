//go:build unix

package supervisord

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"syscall"

	"github.com/onehost-go/onehost/procmgr/rpc"
	"github.com/onehost-go/onehost/supervisorconf"
)

// A listener is an open server of the configuration.
type listener struct {
	net.Listener
	of *supervisorconf.Server
}

// A refusal is an error that supervisord tells with its usage, and exits with
// status 2.
type refusal string

func (r refusal) Error() string { return string(r) }

const inUse refusal = "Another program is already listening on a port that one of our HTTP servers is configured to use.  " +
	"Shut this program down first before starting supervisord."

// listen opens the servers of a Standalone Server.
func (s *Server) listen() (all []listener, err error) {
	if !s.o.Standalone {
		return nil, nil
	}
	defer func() {
		if err != nil {
			for _, l := range all {
				l.Close()
			}
		}
	}()
	for _, server := range s.initial.Servers {
		var l net.Listener
		if server.Family == supervisorconf.FamilyUnix {
			l, err = rpc.ListenUnix(server.Path, fs.FileMode(server.Mode), server.Owner.UID, server.Owner.GID)
		} else {
			l, err = net.Listen("tcp4", net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
		}
		var number syscall.Errno
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			return all, inUse
		case errors.As(err, &number):
			return all, refusal(fmt.Sprintf("Cannot open an HTTP server: socket.error reported errno.%s (%d)", errnoName(number), int(number)))
		case err != nil:
			return all, refusal("Cannot open an HTTP server: " + err.Error())
		}
		all = append(all, listener{l, server})
	}
	return all, nil
}

// errnoName is Python's errno.errorcode, of what bind and chmod may answer.
func errnoName(number syscall.Errno) string {
	for name, known := range map[string]syscall.Errno{
		"EACCES": syscall.EACCES, "EPERM": syscall.EPERM, "ENOENT": syscall.ENOENT, "ENOTDIR": syscall.ENOTDIR, "EROFS": syscall.EROFS,
		"ENOSPC": syscall.ENOSPC, "EADDRNOTAVAIL": syscall.EADDRNOTAVAIL, "EINVAL": syscall.EINVAL, "EMFILE": syscall.EMFILE, "ELOOP": syscall.ELOOP,
		"ENAMETOOLONG": syscall.ENAMETOOLONG,
	} {
		if known == number {
			return name
		}
	}
	return "E" + strconv.Itoa(int(number))
}

// serve answers until it is told to stop; then it waits for those who are being
// answered.
func (s *Server) serve(all []listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	for _, l := range all {
		for _, i := range s.initial.RPCInterfaces {
			s.logger.Info("RPC interface '" + i.Name + "' initialized")
		}
		if l.of.Username == "" {
			s.logger.Log(ctx, levelCritical, "Server '"+sectionOf(l.of)+"' running without any HTTP authentication checking")
		}
		h := s.Handler(l.of.Username, l.of.Password)
		served.Go(func() {
			if err := rpc.Serve(ctx, l, h); err != nil {
				s.logger.Error(err.Error())
			}
		})
	}
	return func() {
		cancel()
		served.Wait()
	}
}

func sectionOf(server *supervisorconf.Server) string {
	if s := server.Section(); s != nil {
		return s.Header()
	}
	return server.Family.String()
}
