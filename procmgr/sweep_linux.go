package procmgr

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// sweep finds the members in /proc, and waits for them as the waiter does.
func (b *osBackend) sweep(groups []int, grace, patience time.Duration) (killed int) {
	graceEnds := time.Now().Add(grace)
	blind := false // we have killed somebody unseen
	for _, pgid := range groups {
		for {
			pids, _ := b.members(pgid)
			if !b.awaitDeath(pids, graceEnds) {
				break
			}
		}
	}
	deadline := time.Now().Add(patience)
	for _, pgid := range groups {
		for {
			pids, err := b.members(pgid)
			if len(pids) == 0 && err == nil || syscall.Kill(-pgid, syscall.SIGKILL) != nil {
				break
			}
			killed += len(pids)
			blind = blind || err != nil
			if !b.awaitDeath(pids, deadline) {
				break
			}
		}
	}
	if blind && killed == 0 {
		return -1
	}
	return killed
}

// members returns the processes of a group that has lost its leader. The dead
// that nobody has reaped do not count: that is up to their parents.
// The error is that there are some, but that they cannot be seen.
func (b *osBackend) members(pgid int) (pids []int, err error) {
	// A group whose number is now that of a process is another one: our leader
	// is dead, and was reaped.
	if syscall.Kill(pgid, 0) != syscall.ESRCH || syscall.Kill(-pgid, 0) == syscall.ESRCH {
		return nil, nil
	}
	all, err := b.waiter.table.snapshot()
	for _, p := range all {
		if p.group == pgid && !p.dead {
			pids = append(pids, p.pid)
		}
	}
	return pids, err
}

// awaitDeath returns whether there was somebody to wait for, and all of them
// have died before the deadline.
func (b *osBackend) awaitDeath(pids []int, deadline time.Time) bool {
	died := make(chan struct{}, len(pids))
	left := 0
	for _, pid := range pids {
		p, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		defer p.Release()
		if token, ok := b.waiter.watch(p, func(time.Time) { died <- struct{}{} }); ok {
			defer func() { b.waiter.forget(token) }()
			left++
		}
	}
	if left == 0 {
		return false
	}
	limit := time.NewTimer(time.Until(deadline))
	defer limit.Stop()
	for ; left > 0; left-- {
		select {
		case <-died:
		case <-limit.C:
			return false
		}
	}
	return true
}

// A procStat is some of /proc/PID/stat.
type procStat struct {
	pid    int
	dead   bool // and not reaped
	parent int
	group  int
	start  uint64 // clock ticks from the boot of the system
}

// readStat reads what the system tells of a process. It is os.ErrProcessDone if
// there is no such process.
func readStat(pid int) (s procStat, err error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return s, os.ErrProcessDone
	} else if err != nil {
		return s, err
	}
	// "pid (name) state ppid pgrp …", where the name may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return s, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	s.pid, s.dead = pid, bytes.ContainsAny(fields[0], "ZXx")
	s.parent, _ = strconv.Atoi(string(fields[1]))
	s.group, _ = strconv.Atoi(string(fields[2]))
	s.start, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return s, err
}

// A procTable is a look at all processes. Those who ask while others look wait
// for the next one, and share it: a thousand groups that are swept at once need
// two or three.
type procTable struct {
	mu    sync.Mutex
	began time.Time
	all   []procStat
	err   error
}

// snapshot returns the processes at a time after it was called.
func (t *procTable) snapshot() ([]procStat, error) {
	asked := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.began.After(asked) {
		t.began = time.Now()
		t.all, t.err = allProcesses()
	}
	return t.all, t.err
}

func allProcesses() (all []procStat, err error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		s, err := readStat(pid)
		if errors.Is(err, os.ErrProcessDone) {
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
