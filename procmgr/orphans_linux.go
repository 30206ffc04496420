package procmgr

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// An orphanage reaps what the system makes a child of ours, because its parent
// is dead: if we are process 1, or a subreaper. The children of others in this
// program look just the same, and their exit status is not ours to take; but
// whoever starts a child in Go has a process file descriptor of it, until it
// has been waited for. So has this package. What nobody has one of is an orphan.
type orphanage struct {
	backend *osBackend
	log     func(slog.Level, string)
	chosen  bool // Options.Subreaper
	before  uintptr

	wake chan os.Signal // SIGCHLD, or that a child was reaped behind which others may stand
	quit chan struct{}
	done chan struct{}
}

// openOrphanage returns nil if no orphans come to us.
func openOrphanage(b *osBackend, chosen bool, log func(slog.Level, string)) (*orphanage, error) {
	if !chosen && os.Getpid() != 1 {
		return nil, nil
	}
	if err := haveProcessDescriptors(); err != nil {
		if chosen {
			return nil, fmt.Errorf("procmgr: Subreaper: %w", err)
		}
		log(slog.LevelWarn, "orphans are not reaped: "+err.Error())
		return nil, nil
	}
	o := &orphanage{
		backend: b, log: log, chosen: chosen,
		wake: make(chan os.Signal, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	if chosen {
		if err := o.subreaper(); err != nil {
			return nil, err
		}
	}
	signal.Notify(o.wake, syscall.SIGCHLD)
	go o.run()
	return o, nil
}

// haveProcessDescriptors is nil if the os package makes use of them.
func haveProcessDescriptors() error {
	us, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	defer us.Release()
	if err := us.WithHandle(func(uintptr) {}); err != nil {
		return errors.New("there are no process file descriptors (Linux 5.4)")
	}
	return nil
}

const (
	prSetChildSubreaper = 36
	prGetChildSubreaper = 37
)

func (o *orphanage) subreaper() error {
	var before int32
	_, _, errno := syscall.Syscall(syscall.SYS_PRCTL, prGetChildSubreaper, uintptr(unsafe.Pointer(&before)), 0)
	if errno == 0 {
		_, _, errno = syscall.Syscall(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0)
	}
	if errno != 0 {
		return os.NewSyscallError("prctl", errno)
	}
	o.before = uintptr(before)
	return nil
}

func (o *orphanage) run() {
	defer close(o.done)
	for {
		o.reap()
		select {
		case <-o.wake:
		case <-o.quit:
			return
		}
	}
}

// again is called when a child of this package was reaped.
func (o *orphanage) again() {
	if o == nil {
		return
	}
	select {
	case o.wake <- syscall.SIGCHLD:
	default:
	}
}

// reap reaps the orphans that are dead.
func (o *orphanage) reap() {
	for {
		pid := deadChild()
		if pid == 0 || o.backend.isAlive(pid) {
			return // there is none, or again will be called
		}
		// As a rule it is in the process group of one of our children.
		if s, err := readStat(pid); err == nil && s.group != pid && o.backend.isAlive(s.group) {
			o.bury(pid)
		} else if !o.reapAll() {
			return
		}
	}
}

// reapAll reports whether there was an orphan.
func (o *orphanage) reapAll() (some bool) {
	for _, s := range o.orphans() {
		if s.dead {
			o.bury(s.pid)
			some = true
		}
	}
	return some
}

func (o *orphanage) bury(pid int) {
	var status syscall.WaitStatus
	if n, _ := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); n == pid {
		_, text := decode(status)
		o.log(slog.LevelInfo, fmt.Sprintf("reaped unknown pid %d (%s)", pid, text))
	}
}

// orphans returns our children that nobody has a descriptor of.
func (o *orphanage) orphans() (all []procStat) {
	us := os.Getpid()
	everybody, err := o.backend.waiter.table.snapshot()
	for _, s := range everybody {
		if s.parent == us && !o.backend.isAlive(s.pid) {
			all = append(all, s)
		}
	}
	if len(all) == 0 && err == nil {
		return nil
	}
	// Only now: a descriptor is there before its process is.
	var held map[int]bool
	if err == nil {
		held, err = heldProcesses()
	}
	if err != nil {
		o.log(slog.LevelError, "cannot tell orphans from other children: "+err.Error())
		return nil
	}
	kept := all[:0]
	for _, s := range all {
		if !held[s.pid] {
			kept = append(kept, s)
		}
	}
	return kept
}

// heldProcesses returns the processes that somebody in this program has a
// descriptor of.
func heldProcesses() (map[int]bool, error) {
	dir, err := os.Open("/proc/self/fdinfo")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	held := map[int]bool{}
	for _, name := range names {
		info, err := os.ReadFile("/proc/self/fdinfo/" + name)
		if errors.Is(err, os.ErrNotExist) {
			continue // closed meanwhile
		} else if err != nil {
			return nil, err
		}
		if _, rest, ok := bytes.Cut(info, []byte("\nPid:\t")); ok {
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			if pid, err := strconv.Atoi(string(line)); err == nil {
				held[pid] = true
			}
		}
	}
	return held, nil
}

// deadChild returns a child that waits to be reaped; 0: none does.
func deadChild() int {
	const all, exited, noHang, noWait = 0, 4, 1, 0x01000000
	var info struct {
		signo, errno, code int32
		_                  [0]uintptr // what follows is aligned so
		pid                int32
		_                  [128]byte
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, all, 0, uintptr(unsafe.Pointer(&info)), exited|noHang|noWait, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(info.pid)
}

// close kills the orphans that a subreaper has, if that was chosen: nobody else
// will look after them. It returns how many these were.
func (o *orphanage) close(patience time.Duration) (killed int) {
	if o == nil {
		return 0
	}
	signal.Stop(o.wake)
	close(o.quit)
	<-o.done
	if !o.chosen {
		return 0
	}
	deadline := time.Now().Add(patience)
	for {
		var pids []int
		for _, s := range o.orphans() {
			if s.dead {
				o.bury(s.pid)
			} else if syscall.Kill(s.pid, syscall.SIGKILL) == nil {
				pids = append(pids, s.pid)
			}
		}
		killed += len(pids)
		if len(pids) == 0 || !o.backend.awaitDeath(pids, deadline) {
			break
		}
	}
	syscall.Syscall(syscall.SYS_PRCTL, prSetChildSubreaper, o.before, 0)
	return killed
}
