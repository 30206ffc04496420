package procmgr

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// sweep finds the members in /proc, and waits for them as the reaper does.
func (b *osBackend) sweep(groups []int, grace, patience time.Duration) (killed int) {
	graceEnds := time.Now().Add(grace)
	for _, pgid := range groups {
		for b.awaitDeath(b.members(pgid), graceEnds) {
		}
	}
	deadline := time.Now().Add(patience)
	for _, pgid := range groups {
		for {
			pids := b.members(pgid)
			if len(pids) == 0 || syscall.Kill(-pgid, syscall.SIGKILL) != nil {
				break
			}
			killed += len(pids)
			if !b.awaitDeath(pids, deadline) {
				break
			}
		}
	}
	return killed
}

// members returns the processes of a group that has lost its leader. The dead
// that nobody has reaped do not count: that is up to their parents.
func (b *osBackend) members(pgid int) (pids []int) {
	// A group whose number is now that of a process is another one: our leader
	// is dead, and was reaped.
	if syscall.Kill(pgid, 0) != syscall.ESRCH || syscall.Kill(-pgid, 0) == syscall.ESRCH {
		return nil
	}
	for _, p := range b.reaper.table.snapshot() {
		if p.group == pgid && !p.dead {
			pids = append(pids, p.pid)
		}
	}
	return pids
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
		if token, ok := b.reaper.watch(p, func(time.Time) { died <- struct{}{} }); ok {
			defer func() { b.reaper.forget(token) }()
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

// readStat reads what the system tells of a process; ok is false if it is no
// more.
func readStat(pid int) (s procStat, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, false
	}
	// "pid (name) state ppid pgrp …", where the name may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return s, false
	}
	s.pid, s.dead = pid, bytes.ContainsAny(fields[0], "ZXx")
	s.parent, _ = strconv.Atoi(string(fields[1]))
	s.group, _ = strconv.Atoi(string(fields[2]))
	s.start, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return s, err == nil
}

// A procTable is a look at all processes. Those who ask while others look wait
// for the next one, and share it: a thousand groups that are swept at once need
// two or three.
type procTable struct {
	mu    sync.Mutex
	began time.Time
	all   []procStat
}

// snapshot returns the processes at a time after it was called.
func (t *procTable) snapshot() []procStat {
	asked := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.After(asked) {
		return t.all
	}
	t.began, t.all = time.Now(), nil
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if s, ok := readStat(pid); ok {
				t.all = append(t.all, s)
			}
		}
	}
	return t.all
}
