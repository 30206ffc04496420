package procmgr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"
)

// A Socket is what the processes of a group have as standard input and accept
// connections from, as FastCGI programs do ([fcgi-program:x]). It listens for
// as long as one of them is there; a unix socket is left in its place, as by
// supervisord.
type Socket struct {
	Network string // "tcp" (IPv4, as there) or "unix"
	Address string // "localhost:9002", or the path of a unix socket, where an old one is replaced
	Backlog int    // socket_backlog: connections that wait; 0: as many as the system allows

	Mode  fs.FileMode // socket_mode, of a unix socket; 0o700
	Owner string      // socket_owner, of a unix socket: "user" or "user:group", names or numbers; "": the caller
}

func (s *Socket) check(group string) error {
	switch {
	case s.Network != "tcp" && s.Network != "unix":
		return fmt.Errorf("procmgr: group %s: a socket is of tcp or unix, not of %q", group, s.Network)
	case s.Address == "":
		return fmt.Errorf("procmgr: group %s: its socket has no address", group)
	case s.Backlog < 0:
		return fmt.Errorf("procmgr: group %s: Backlog is negative: %d", group, s.Backlog)
	case s.Network == "tcp" && (s.Mode != 0 || s.Owner != ""):
		return fmt.Errorf("procmgr: group %s: a tcp socket has no mode and no owner", group)
	}
	return nil
}

// A sharedSocket is supervisor.socket_manager.SocketManager.
type sharedSocket struct {
	Socket
	mu    sync.Mutex
	users int
	file  *os.File
}

// take returns the socket, which is to be released.
func (s *sharedSocket) take() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		file, err := s.listen()
		if err != nil {
			return nil, fmt.Errorf("couldn't create socket %s://%s: %w", s.Network, s.Address, err)
		}
		s.file = file
	}
	s.users++
	return s.file, nil
}

func (s *sharedSocket) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.file.Close()
		s.file = nil
	}
}

func (s *sharedSocket) listen() (*os.File, error) {
	if s.Network == "unix" {
		if err := os.Remove(s.Address); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	var config net.ListenConfig
	config.SetMultipathTCP(false) // the programs know nothing of it
	l, err := config.Listen(context.Background(), map[string]string{"tcp": "tcp4", "unix": "unix"}[s.Network], s.Address)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if unix, ok := l.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
		if err := s.own(); err != nil {
			return nil, errors.Join(err, os.Remove(s.Address))
		}
	}
	file, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		return nil, err
	}
	if s.Backlog > 0 {
		if err := setBacklog(file, s.Backlog); err != nil {
			file.Close()
			return nil, err
		}
	}
	return file, nil
}

// own sets the owner and the mode of a unix socket.
func (s *sharedSocket) own() error {
	if s.Owner != "" {
		uid, gid, err := ownerIDs(s.Owner)
		if err != nil {
			return err
		}
		if err := os.Chown(s.Address, uid, gid); err != nil {
			return err
		}
	}
	return os.Chmod(s.Address, cmp.Or(s.Mode, 0o700))
}

// ownerIDs is supervisor.datatypes.colon_separated_user_group: without a group
// it stays as it is.
func ownerIDs(owner string) (uid, gid int, err error) {
	name, group, colon := strings.Cut(owner, ":")
	gid = -1
	if uid, err = strconv.Atoi(name); err != nil {
		u, err := user.Lookup(name)
		if err != nil {
			return 0, 0, err
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return 0, 0, err
		}
	}
	if colon {
		if gid, err = strconv.Atoi(group); err != nil {
			g, err := user.LookupGroup(group)
			if err != nil {
				return 0, 0, err
			}
			if gid, err = strconv.Atoi(g.Gid); err != nil {
				return 0, 0, err
			}
		}
	}
	return uid, gid, nil
}
