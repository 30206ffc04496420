//go:build unix

package procmgr

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// logGrace is how long the end of a child waits for a log that blocks.
const logGrace = time.Second

// osBackend runs children of the operating system.
type osBackend struct {
	forker  forker
	waiter  waiter
	buffers sync.Pool  // of *[]byte, for the streams
	null    *os.File   // takes what nobody wants
	closed  []*os.File // a nil for each descriptor behind 2 that a child would inherit
	memory  memory
	orphans *orphanage
	mu      sync.Mutex
	alive   map[int]*osChild // by pid
}

func newBackend() (*osBackend, error) {
	b := &osBackend{
		buffers: sync.Pool{New: func() any { return new(make([]byte, readSize)) }},
		alive:   map[int]*osChild{},
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	b.null = null
	if err := b.waiter.open(); err != nil {
		null.Close()
		return nil, err
	}
	b.forker.open()
	if highest := highestInheritable(); highest > 2 {
		b.closed = make([]*os.File, highest-2)
	}
	return b, nil
}

// openBackend is what Run begins with.
func openBackend(o *Options, log func(slog.Level, string)) (backend, map[string]survivor, error) {
	b, err := newBackend()
	if err != nil {
		return nil, nil, err
	}
	var survivors map[string]survivor
	if o.StateFile != "" {
		survivors, err = b.recall(o.StateFile, log)
	}
	if err == nil {
		b.orphans, err = openOrphanage(b, o.Subreaper, log)
	}
	if err != nil {
		b.close(0)
		return nil, nil, err
	}
	return b, survivors, nil
}

// close lets go of the children that are still there: those that could not be
// signalled.
func (b *osBackend) close(patience time.Duration) (killed int) {
	killed = b.orphans.close(patience)
	b.mu.Lock()
	for _, c := range b.alive {
		c.release()
	}
	b.mu.Unlock()
	b.waiter.close()
	b.forker.close()
	b.memory.close()
	b.null.Close()
	return killed
}

func (b *osBackend) inhabited(groups []int) []int {
	return slices.DeleteFunc(groups, func(pgid int) bool {
		return errors.Is(syscall.Kill(-pgid, 0), syscall.ESRCH)
	})
}

func (b *osBackend) check(p *process) error {
	_, _, err := p.command()
	return err
}

// start is supervisor.process, Subprocess.spawn.
func (b *osBackend) start(p *process) (child, error) {
	file, argv, err := p.command()
	if err != nil {
		return nil, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true} // its own group, as setpgrp; no session of its own
	setParentDeath(attr, p.prog.ParentDeath)
	if attr.Credential, err = credential(p.prog.User); err != nil {
		return nil, fmt.Errorf("couldn't setuid to %s: %w", p.prog.User, err)
	}

	c := &osChild{backend: b, name: p.stateName(), exited: make(chan exitStatus, 1)}
	if p.socket != nil {
		if c.input, err = p.socket.take(); err != nil {
			return nil, err
		}
		c.socket = p.socket
	}
	files, err := c.open(p)
	defer closeAll(files)
	if err != nil {
		c.release()
		return nil, dispatcherError(p, err)
	}
	env := p.environ()
	inherited := append(slices.Clone(files), b.closed...)
	for i, f := range files {
		if f == nil {
			inherited[i] = b.null
		}
	}
	if c.input != nil {
		inherited[0] = c.input
	}
	err = b.forker.do(p.prog, func() (err error) {
		c.os, err = os.StartProcess(file, argv, &os.ProcAttr{Dir: p.prog.Directory, Env: env, Files: inherited, Sys: attr})
		return err
	})
	if err != nil {
		c.release()
		return nil, forkError(p, argv[0], err)
	}
	if err := b.memory.remember(c.name, c, files); err != nil {
		p.log(slog.LevelError, "the state file does not know '"+p.prog.Name+"': "+err.Error())
	}
	b.own(c)
	b.waiter.watchChild(c)
	return c, nil
}

// isAlive reports whether a process is a child that we have not reaped.
func (b *osBackend) isAlive(pid int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alive[pid] != nil
}

// own makes c one of those that are alive.
func (b *osBackend) own(c *osChild) {
	b.mu.Lock()
	b.alive[c.os.Pid] = c
	b.mu.Unlock()
	for _, s := range c.streams {
		s.start(c.os.Pid)
	}
}

// dispatcherError is why the pipes or the logs could not be made. Supervisor
// ends it with the errno alone; which file it was is worth telling.
func dispatcherError(p *process, err error) error {
	if errors.Is(err, syscall.EMFILE) {
		return tooManyFiles(p)
	}
	return fmt.Errorf("unknown error making dispatchers for '%s': %w", p.prog.Name, err)
}

func tooManyFiles(p *process) error {
	return message("too many open files to spawn '" + p.prog.Name + "'")
}

// forkError is why the child could not be made. That its directory or its file
// would not do is told by supervisord's child, in the log of the program.
func forkError(p *process, command string, err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = errno // without the path, which comes here
	}
	switch dir := p.prog.Directory; {
	case err == syscall.EMFILE:
		return tooManyFiles(p)
	case err == syscall.EAGAIN:
		return message("Too many processes in process table to spawn '" + p.prog.Name + "'")
	case err == syscall.ENOMEM:
		return fmt.Errorf("unknown error during fork for '%s': %w", p.prog.Name, err)
	case dir != "":
		if _, statErr := os.Stat(dir + "/."); statErr != nil {
			return fmt.Errorf("couldn't chdir to %s: %w", dir, err)
		}
		return fmt.Errorf("couldn't chdir to %s, or exec %s there: %w", dir, command, err)
	default:
		return fmt.Errorf("couldn't exec %s: %w", command, err)
	}
}

// An osChild is a child of the operating system.
type osChild struct {
	backend *osBackend
	name    string // for the memory
	os      *os.Process
	adopted bool // it is not our child
	stdin   *stdinPipe
	socket  *sharedSocket // instead of stdin
	input   *os.File      // that socket
	streams []*stream
	exited  chan exitStatus

	releasing sync.Once

	mu     sync.Mutex
	reaped bool // its pid may be somebody else's
}

// open makes the child's files and our ends of them. A nil is one that is not
// the child's alone.
func (c *osChild) open(p *process) (files []*os.File, err error) {
	if c.socket != nil {
		files = []*os.File{nil} // it is not ours to close
	} else {
		stdin, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		files, c.stdin = []*os.File{stdin}, &stdinPipe{pipe: w}
	}
	channels := []Channel{Stdout, Stderr}
	if p.prog.RedirectStderr {
		channels = channels[:1]
	}
	for _, channel := range channels {
		if p.discards(channel) {
			files = append(files, nil)
			continue
		}
		r, w, err := outputPipe(&c.backend.waiter)
		if err != nil {
			return files, err
		}
		files = append(files, w)
		s, err := newStream(p, channel, r, &c.backend.buffers)
		if err != nil {
			return files, err
		}
		c.streams = append(c.streams, s)
	}
	if p.prog.RedirectStderr {
		files = append(files, files[1])
	}
	return files, nil
}

func (c *osChild) Pid() int                  { return c.os.Pid }
func (c *osChild) Exited() <-chan exitStatus { return c.exited }

func (c *osChild) Signal(sig syscall.Signal, group bool) error {
	if !group {
		return c.os.Signal(sig)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return os.ErrProcessDone
	}
	if c.adopted { // and its parent may have reaped it
		if err := c.os.Signal(syscall.Signal(0)); err != nil {
			return err
		}
	}
	return syscall.Kill(-c.os.Pid, sig)
}

// Write sends b to the standard input.
func (c *osChild) Write(b []byte) (int, error) {
	if c.stdin == nil {
		return 0, syscall.EPIPE // it is a socket
	}
	return c.stdin.Write(b)
}

func isProcessDone(err error) bool {
	return err == nil || errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

// finish is called when the child is dead, to reap it with wait. That comes
// when all its output is in the logs, if they take it: until then the pid is
// still its own, and signals go nowhere else.
func (c *osChild) finish(at time.Time, wait func() (*os.ProcessState, error)) {
	for _, s := range c.streams {
		s.end()
	}
	patience := time.NewTimer(logGrace)
	defer patience.Stop()
	for _, s := range c.streams {
		select {
		case <-s.done:
		case <-patience.C:
			s.abandon()
			patience.Reset(0) // for the other one
		}
	}
	c.release()

	c.mu.Lock()
	state, err := wait()
	c.reaped = true
	c.mu.Unlock()
	c.backend.memory.forget(c.name)
	c.backend.mu.Lock()
	if c.backend.alive[c.os.Pid] == c { // not the next one of that number
		delete(c.backend.alive, c.os.Pid)
	}
	c.backend.mu.Unlock()
	c.backend.orphans.again()
	c.exited <- statusOf(state, err, at)
}

// waitThenFinish takes a thread while it waits.
func waitThenFinish(c *osChild) {
	state, err := c.os.Wait()
	c.mu.Lock()
	c.reaped = true
	c.mu.Unlock()
	c.finish(time.Now(), func() (*os.ProcessState, error) { return state, err })
}

// release closes our ends of the child's files.
func (c *osChild) release() {
	c.releasing.Do(func() {
		if c.stdin != nil {
			c.stdin.close()
		}
		if c.socket != nil {
			c.socket.release()
		}
		for _, s := range c.streams {
			s.close()
		}
	})
}

// statusOf is how a child ended.
func statusOf(state *os.ProcessState, err error, at time.Time) exitStatus {
	if err != nil {
		// Somebody else in this program has reaped it, or it is not our child.
		return exitStatus{code: -1, text: "unknown termination cause: " + err.Error(), at: at}
	}
	code, text := decode(state.Sys().(syscall.WaitStatus))
	return exitStatus{code: code, text: text, at: at}
}

// decode is supervisor.options, decode_wait_status.
func decode(ws syscall.WaitStatus) (code int, text string) {
	switch {
	case ws.Exited():
		return ws.ExitStatus(), "exit status " + strconv.Itoa(ws.ExitStatus())
	case ws.Signaled():
		text := "terminated by " + signalName(ws.Signal())
		if ws.CoreDump() {
			text += " (core dumped)"
		}
		return -1, text
	}
	return -1, fmt.Sprintf("unknown termination cause 0x%04x", uint32(ws))
}

// signalName returns "SIGTERM", or "signal 40".
func signalName(sig syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGABRT: "SIGABRT", syscall.SIGALRM: "SIGALRM", syscall.SIGBUS: "SIGBUS",
		syscall.SIGFPE: "SIGFPE", syscall.SIGHUP: "SIGHUP", syscall.SIGILL: "SIGILL",
		syscall.SIGINT: "SIGINT", syscall.SIGIO: "SIGIO", syscall.SIGKILL: "SIGKILL",
		syscall.SIGPIPE: "SIGPIPE", syscall.SIGPROF: "SIGPROF", syscall.SIGQUIT: "SIGQUIT",
		syscall.SIGSEGV: "SIGSEGV", syscall.SIGSYS: "SIGSYS", syscall.SIGTERM: "SIGTERM",
		syscall.SIGTRAP: "SIGTRAP", syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2",
		syscall.SIGVTALRM: "SIGVTALRM", syscall.SIGXCPU: "SIGXCPU", syscall.SIGXFSZ: "SIGXFSZ",
	}
	if name := names[sig]; name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close() // one that stands for both streams, twice; the error is nothing
	}
}
