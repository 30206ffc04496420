//go:build unix && !linux

package procmgr

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"time"
)

func checkPlatform(p *Program) error {
	switch {
	case p.Umask != 0:
		return fmt.Errorf("procmgr: program %s: Umask works on Linux only, not on %s", p.Name, runtime.GOOS)
	case p.ParentDeath != 0:
		return fmt.Errorf("procmgr: program %s: ParentDeath works on Linux only, not on %s", p.Name, runtime.GOOS)
	}
	return nil
}

func setParentDeath(*syscall.SysProcAttr, syscall.Signal) {}

// highestInheritable knows of none: whatever Go opens is closed in a child.
func highestInheritable() int { return 0 }

type forker struct{}

func (forker) open()  {}
func (forker) close() {}

func (forker) do(_ *Program, start func() error) error { return start() }

// waiter costs a thread a child.
type waiter struct{}

func (waiter) open() error { return nil }
func (waiter) close()      {}

func (waiter) watchChild(c *osChild) { go waitThenFinish(c) }

// sweep cannot tell who is in a group, nor when they have gone: KILL is sent
// after the grace, and leaves them no choice.
func (b *osBackend) sweep(groups []int, grace, _ time.Duration) (killed int) {
	if len(b.inhabited(groups)) > 0 {
		<-time.After(grace)
	}
	for _, pgid := range groups {
		if syscall.Kill(pgid, 0) == syscall.ESRCH && syscall.Kill(-pgid, syscall.SIGKILL) == nil {
			killed = -1
		}
	}
	return killed
}

type childRecord struct{ pid int }

func (b *osBackend) recall(string, func(slog.Level, string)) (map[string]survivor, error) {
	return nil, errors.New("procmgr: StateFile works on Linux only, not on " + runtime.GOOS)
}

func (b *osBackend) adopt(*process, survivor) (child, error) {
	return nil, os.ErrProcessDone
}

// memory is of nothing.
type memory struct{}

func (memory) remember(string, *osChild, []*os.File) error { return nil }
func (memory) forget(string)                               {}
func (memory) close()                                      {}

type orphanage struct{}

func openOrphanage(_ *osBackend, chosen bool, _ func(slog.Level, string)) (*orphanage, error) {
	if chosen {
		return nil, errors.New("procmgr: Subreaper works on Linux only, not on " + runtime.GOOS)
	}
	return nil, nil
}

func (*orphanage) again()                  {}
func (*orphanage) close(time.Duration) int { return 0 }
