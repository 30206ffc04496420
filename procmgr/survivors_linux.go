package procmgr

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// recall opens the state file, and finds out who of the children that it
// remembers is alive.
func (b *osBackend) recall(path string, log func(slog.Level, string)) (alive map[string]survivor, err error) {
	// A survivor is no child of ours: only a process descriptor tells its end.
	if err := haveProcessDescriptors(); err != nil {
		return nil, fmt.Errorf("procmgr: StateFile: %w", err)
	}
	file, found, odd, err := openStateFile(path)
	if err != nil {
		return nil, err
	}
	b.memory.file = file
	if odd > 0 {
		log(slog.LevelWarn, fmt.Sprintf("%d lines of the state file %s make no sense", odd, path))
	}
	now, uptime := time.Now(), uptimeOfSystem()
	alive = map[string]survivor{}
	for name, r := range found {
		switch err := r.look(); {
		case errors.Is(err, os.ErrProcessDone):
			b.memory.forget(name)
			continue
		case err != nil:
			return nil, fmt.Errorf("procmgr: StateFile: %w", err)
		}
		// All systems tell user programs of 100 clock ticks a second.
		age := uptime - time.Duration(r.start)*(time.Second/100)
		alive[name] = survivor{childRecord: r, started: now.Add(-max(age, 0))}
	}
	return alive, nil
}

// look is nil if the child is alive, and os.ErrProcessDone if it is not, or if
// its pid is that of another.
func (r childRecord) look() error {
	s, err := readStat(r.pid)
	if err == nil && (s.dead || s.start != r.start) {
		return os.ErrProcessDone
	}
	return err
}

func uptimeOfSystem() time.Duration {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	secs, _ := strconv.ParseFloat(first, 64)
	return time.Duration(secs * float64(time.Second))
}

// memory is where the children are remembered: nowhere without a state file.
type memory struct {
	file     *stateFile
	adopting sync.Mutex
}

// remember is for a child that was just started; nobody has reaped it yet.
func (m *memory) remember(name string, c *osChild, files []*os.File) error {
	if m.file == nil {
		return nil
	}
	stat, err := readStat(c.os.Pid)
	if err != nil {
		return err
	}
	r := childRecord{pid: c.os.Pid, start: stat.start}
	for c := range r.pipes {
		r.pipes[c], _ = pipeNumber(files[c+1].Stat())
	}
	return m.file.set(name, r)
}

func (m *memory) forget(name string) {
	if m.file != nil {
		m.file.set(name, childRecord{}) // in vain, it names somebody who is no more
	}
}

func (m *memory) close() {
	if m.file != nil {
		m.file.close()
	}
}

// pipeNumber returns what a pipe is known by.
func pipeNumber(info os.FileInfo, err error) (uint64, bool) {
	if err != nil || info.Mode().Type() != os.ModeNamedPipe {
		return 0, false
	}
	return info.Sys().(*syscall.Stat_t).Ino, true
}

// adopt takes over a child of an earlier Run. It has no standard input, which
// has ended with that Run.
func (b *osBackend) adopt(p *process, s survivor) (child, error) {
	// One after the other: a thousand at once would take a hundred threads.
	b.memory.adopting.Lock()
	defer b.memory.adopting.Unlock()
	proc, err := os.FindProcess(s.pid)
	if err != nil {
		return nil, err
	}
	// With the descriptor in hand: it is that of whom we look at.
	if err := s.look(); err != nil {
		proc.Release()
		if errors.Is(err, os.ErrProcessDone) {
			b.memory.forget(p.stateName())
		}
		return nil, err
	}
	c := &osChild{backend: b, name: p.stateName(), os: proc, adopted: true, exited: make(chan exitStatus, 1)}
	if p.listener == nil { // of the talk with one that listens we do not know where it was
		c.reopen(p, s)
	}
	if _, ok := b.waiter.watch(proc, func(at time.Time) { c.finish(at, proc.Wait) }); !ok {
		c.release()
		proc.Release()
		return nil, errors.New("its end cannot be watched")
	}
	b.own(c)
	return c, nil
}

// reopen gets hold of the other ends of a survivor's outputs, if they are still
// the pipes that it was given: nobody has left these to us, but the system
// opens a pipe like a file for those who may look into a process.
func (c *osChild) reopen(p *process, s survivor) {
	for channel, number := range s.pipes {
		if Channel(channel) == Stderr && p.prog.RedirectStderr {
			continue
		}
		path := fmt.Sprintf("/proc/%d/fd/%d", s.pid, channel+1)
		if n, ok := pipeNumber(os.Stat(path)); !ok || n != number {
			continue
		}
		pipe, err := reopenPipe(path, &c.backend.waiter)
		var copied *stream
		if err == nil {
			copied, err = newStream(p, Channel(channel), pipe, &c.backend.buffers)
		}
		if err != nil {
			p.log(slog.LevelError, "cannot log the output of '"+p.prog.Name+"': "+err.Error())
			continue
		}
		c.streams = append(c.streams, copied)
	}
}
