package testenv

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// NginxVersion returns the version of the nginx that Program finds.
func NginxVersion(t testing.TB) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), Program(t, "nginx"), "-v").CombinedOutput()
	_, version, found := strings.Cut(strings.TrimSpace(string(said)), "nginx/")
	if err != nil || !found {
		t.Fatalf("nginx -v: %v: %s", err, said)
	}
	version, _, _ = strings.Cut(version, " ")
	return version
}

// A Socket is a listening one, for nginx to inherit.
type Socket struct {
	File *os.File
	Addr netip.AddrPort // as bound; zero for a unix socket
	Path string         // of a unix socket
}

// Listen opens a socket. Port 0 finds a free one; a socket of IPv6 takes clients
// of IPv4 too, unless only is set.
func Listen(addr netip.AddrPort, only bool) (Socket, error) {
	family, sa := syscall.AF_INET6, syscall.Sockaddr(&syscall.SockaddrInet6{Addr: addr.Addr().As16(), Port: int(addr.Port())})
	if addr.Addr().Is4() {
		family, sa = syscall.AF_INET, &syscall.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}
	}
	file, bound, err := listen(family, sa, only)
	s := Socket{File: file}
	switch bound := bound.(type) {
	case *syscall.SockaddrInet4:
		s.Addr = netip.AddrPortFrom(netip.AddrFrom4(bound.Addr), uint16(bound.Port))
	case *syscall.SockaddrInet6:
		s.Addr = netip.AddrPortFrom(netip.AddrFrom16(bound.Addr), uint16(bound.Port))
	}
	return s, err
}

// ListenUnix opens a unix socket.
func ListenUnix(path string) (Socket, error) {
	file, _, err := listen(syscall.AF_UNIX, &syscall.SockaddrUnix{Name: path}, false)
	return Socket{File: file, Path: path}, err
}

func listen(family int, sa syscall.Sockaddr, only bool) (file *os.File, bound syscall.Sockaddr, err error) {
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			syscall.Close(fd)
		}
	}()
	if family == syscall.AF_INET6 {
		v6only := 0
		if only {
			v6only = 1
		}
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, v6only); err != nil {
			return nil, nil, err
		}
	}
	if err := syscall.Bind(fd, sa); err != nil {
		return nil, nil, err
	}
	if err := syscall.Listen(fd, 256); err != nil {
		return nil, nil, err
	}
	if bound, err = syscall.Getsockname(fd); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), "listening"), bound, nil
}

// Directive is the listen directive for the socket, without parameters and ";".
func (s Socket) Directive() string {
	if s.Path != "" {
		return "listen unix:" + s.Path
	}
	return "listen " + s.Addr.String()
}

// Nginx runs nginx with dir/nginx.conf until stop is called, or the test ends.
// The configuration says "daemon off", and not "master_process off": such an
// nginx crashes on inherited sockets.
//
// nginx inherits its listening sockets, which are closed here, as a new binary
// does at an upgrade. So there is no race for ports, and no waiting for it to
// come up: a connection made before that stands in the queue.
func Nginx(t testing.TB, dir string, sockets []Socket) (stop func()) {
	t.Helper()
	conf := filepath.Join(dir, "nginx.conf")
	cmd := exec.Command(Program(t, "nginx"), "-p", dir, "-e", "stderr", "-c", conf)
	inherit := "NGINX="
	for _, s := range sockets {
		inherit += strconv.Itoa(3+len(cmd.ExtraFiles)) + ";"
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.File)
	}
	cmd.Env = append(os.Environ(), inherit)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // should this process die without its cleanups
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Start()
	for _, s := range sockets {
		if err == nil {
			err = syscall.SetNonblock(int(s.File.Fd()), true) // nginx takes it for granted
		}
		s.File.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		// The master takes its worker along, if it is asked to end and not killed.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err := cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(conf)
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("nginx ended with %v, and said:\n%s%s\nIt had read:\n%s", err, said.String(), log, text)
		}
	}
	t.Cleanup(stop)
	return stop
}
