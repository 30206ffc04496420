package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/onehost-go/onehost/portmap"
)

// freePorts returns n ports of loopback that nobody listens on. They are held
// until all are known, so that no two are the same.
func freePorts(n int) ([]portmap.Port, error) {
	var ports []portmap.Port
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, portmap.Port(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// checkFree says which service cannot have its port, and who has it.
func checkFree(m *portmap.Map) error {
	var taken []error
	for _, s := range m.Services {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(s.Port))
		l, err := net.Listen("tcp", at.String())
		if err == nil {
			l.Close()
			continue
		}
		where := s.Place.Port.Start.String()
		if errors.Is(err, syscall.EADDRINUSE) {
			taken = append(taken, fmt.Errorf("%s: port %d of %s is taken%s", where, s.Port, s.Subdomain, holder(s.Port)))
		} else {
			taken = append(taken, fmt.Errorf("%s: port %d of %s: %w", where, s.Port, s.Subdomain, err))
		}
	}
	return errors.Join(taken...)
}

// holder says who listens on a port, where the system tells: on Linux, of
// processes one may look at.
func holder(port portmap.Port) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" { // LISTEN
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if n, err := strconv.ParseUint(hex, 16, 16); err == nil && n == uint64(port) {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && inodes[to] {
			pid := strings.Split(fd, "/")[2]
			name, _ := os.ReadFile("/proc/" + pid + "/comm")
			return fmt.Sprintf(" by %s (pid %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return " by a process of somebody else"
}
