package procmgr

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dead reports whether a process is no more, or waits for its parent to reap
// it.
func dead(t *testing.T, pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	require.NotEmpty(t, rest)
	return rest[0] == 'Z' || rest[0] == 'X'
}

// killAndAwait kills a process that may be nobody's child, and returns when it
// has ended: its files are closed before that.
func killAndAwait(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	require.NoError(t, err)
	defer p.Release()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer syscall.Close(epoll)
	require.NoError(t, p.WithHandle(func(pidfd uintptr) {
		require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(pidfd), &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	}))
	require.NoError(t, p.Kill())
	for err = syscall.EINTR; err == syscall.EINTR; {
		var n int
		if n, err = syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), int(patience.Milliseconds())); err == nil {
			require.Equal(t, 1, n, "it does not end")
		}
	}
	require.NoError(t, err)
}

func TestRunLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	deserted := role(t, "deserted", "family 3 %s 0", line.path) // its leader has long gone
	stays := role(t, "stays", "family 2 %s", line.path)
	l := run(t, nil, deserted, stays)
	var family []*holder
	for range 5 {
		family = append(family, line.holder(t))
	}
	l.await("deserted", Exited)
	l.end()
	for _, h := range family {
		assert.True(t, dead(t, h.pid), "%d is alive after Run", h.pid)
	}
	killed := map[string]int{}
	for {
		e, ok := l.next()
		if !ok {
			break
		}
		if e.Type == EventOrphansKilled {
			killed[e.Process] += e.Killed
		}
	}
	assert.Equal(t, map[string]int{"deserted": 3, "stays": 2}, killed)
}

func TestStopWaitsUntilTheGroupHasEnded(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	p := role(t, "x", "lingerers 3 %s", line.path)
	p.StopAsGroup = true
	l := run(t, nil, p)
	family := []*holder{line.holder(t), line.holder(t), line.holder(t)}
	stopped := make(chan error)
	go func() { stopped <- l.Stop(t.Context(), "x") }()
	l.await("x", Stopped)
	for _, h := range family {
		select {
		case <-stopped:
			t.Fatal("Stop returns although the group has not ended")
		default:
		}
		var word string
		_, err := fmt.Fscanln(h.conn, &word)
		require.NoError(t, err)
		assert.Equal(t, "TERM", word)
		h.conn.Close() // now it ends
	}
	require.NoError(t, <-stopped)
	for _, h := range family {
		assert.True(t, dead(t, h.pid))
	}
	l.end()
	for {
		e, ok := l.next()
		if !ok {
			break
		}
		assert.NotEqual(t, EventOrphansKilled, e.Type, "nobody had to be killed")
	}
}

func TestStopKillsAndReportsWhatIgnoresIt(t *testing.T) {
	t.Parallel()
	n := endurance(50, 500)
	line := newLifeline(t)
	p := role(t, "x", "family %d %s", n, line.path)
	p.StopAsGroup = true
	p.StopWaitSecs = 1
	l := run(t, nil, p)
	var family []*holder
	for range n {
		family = append(family, line.holder(t))
	}
	require.NoError(t, l.Stop(t.Context(), "x"))
	for _, h := range family {
		assert.True(t, dead(t, h.pid), "%d is alive after Stop", h.pid)
	}
	e := l.awaitEvent(func(e Event) bool { return e.Type == EventOrphansKilled })
	assert.Equal(t, n, e.Killed)
	assert.Equal(t, "x", e.Process)
}

func TestSweepSparesAStrangerWithTheNumberOfAGroup(t *testing.T) {
	t.Parallel()
	// A process group that is alive, and whose leader is: not one of ours,
	// since those we sweep have lost theirs.
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	b, err := newBackend()
	require.NoError(t, err)
	assert.Zero(t, b.sweep([]int{cmd.Process.Pid}, 0, patience))
	b.close(0)
	stdin.Close()
	assert.NoError(t, cmd.Wait(), "it ended of its own accord")
}

func TestChildrenHoldNoDescriptorAndNoSignalMaskOfOurs(t *testing.T) {
	t.Parallel()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, ignored, _ := strings.Cut(string(status), "SigIgn:") // by us, too, if whoever started the tests says so: nohup does
	ignored, _, _ = strings.Cut(ignored, "\n")
	files, signals := newSink(), newSink()
	program := func(name, command string, out *sink) Program {
		return Program{Name: name, Command: command, StartSecs: Zero, AutoRestart: RestartNever, Stdout: Log{Writer: out}}
	}
	run(t, nil, role(t, "other", "stay"),
		program("x", "sh -c 'ls /proc/$$/fd; echo end'", files),
		program("y", "grep Sig[BI] /proc/self/status", signals))
	assert.Equal(t, "0\n1\n2\nend\n", files.await(t, "end"))
	want := "SigBlk:\t0000000000000000\nSigIgn:" + ignored + "\n"
	assert.Equal(t, want, signals.await(t, want))
}

func TestUmaskIsThatOfTheProgramAlone(t *testing.T) {
	t.Parallel()
	umask := func(name string, mask int) (Program, *sink) {
		out := newSink()
		p := role(t, name, "facts")
		p.Umask = mask
		p.Stdout.Writer = out
		return p, out
	}
	before, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	a, outA := umask("a", 0o077)
	b, outB := umask("b", 0)
	c, outC := umask("c", Zero)
	run(t, nil, a, b, c)
	inherited := -1
	for line := range strings.Lines(string(before)) {
		if _, err := fmt.Sscanf(line, "Umask: %o", &inherited); err == nil {
			break
		}
	}
	for out, want := range map[*sink]int{outA: 0o077, outB: inherited, outC: 0} {
		var f facts
		require.NoError(t, json.Unmarshal([]byte(out.await(t, "\n")), &f))
		assert.Equal(t, fmt.Sprintf("%03o", want), fmt.Sprintf("%03o", f.Umask))
	}
	after, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	umaskLine := func(status []byte) string {
		_, rest, _ := strings.Cut(string(status), "Umask:")
		line, _, _ := strings.Cut(rest, "\n")
		return line
	}
	assert.Equal(t, umaskLine(before), umaskLine(after), "ours is untouched")
}

func TestUserBringsItsGroups(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can run a program as somebody else")
	}
	t.Parallel()
	out := newSink()
	p := Program{
		Name: "x", Command: "sh -c 'id -u; id -g; id -G'", User: "nobody", Directory: "/",
		StartSecs: Zero, AutoRestart: RestartNever, Stdout: Log{Writer: out},
	}
	l := run(t, nil, p)
	l.await("x", Exited)
	want, err := exec.Command("sh", "-c", "id -u nobody; id -g nobody; id -G nobody").Output()
	require.NoError(t, err)
	assert.Equal(t, string(want), out.String())
}

func TestParentDeath(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, test := range []struct {
		signal syscall.Signal
		dies   bool
	}{{syscall.SIGKILL, true}, {0, false}} {
		line := newLifeline(t)
		manager := exec.Command(exe)
		manager.Env = append(os.Environ(), fmt.Sprintf("%s=manager %s %d", childEnv, line.path, test.signal))
		require.NoError(t, manager.Start())
		h := line.holder(t)
		require.NoError(t, manager.Process.Kill())
		manager.Wait()
		if test.dies {
			h.awaitDeath(t)
		} else {
			assert.False(t, dead(t, h.pid), "as under supervisord, it lives on")
		}
	}
}

func TestParentDeathIsNotThatOfAThread(t *testing.T) {
	t.Parallel()
	p := role(t, "x", "stay")
	p.Manual = true
	p.ParentDeath = syscall.SIGKILL
	l := run(t, nil, p)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		started <- l.Start(context.Background(), "x")
	}()
	require.NoError(t, <-started)
	require.NoError(t, l.Signal("x", syscall.SIGCONT))
	require.NoError(t, l.Stop(t.Context(), "x"))
	l.await("x", Running)
	assert.Equal(t, Stopping, l.awaitEvent(func(e Event) bool { return e.Process == "x" }).To, "it has not ended before")
}

func TestAFullDiskKillsNobodyAndIsTold(t *testing.T) {
	t.Parallel()
	p := role(t, "x", "flood 3000")
	p.Stdout.File = "/dev/full"
	l := run(t, nil, p)
	assert.Equal(t, 0, l.await("x", Exited).ExitStatus, "no SIGPIPE")
	assert.EqualValues(t, 300_000, l.status("x").Dropped)
}

// The other way to wait, where the kernel has no process descriptors.
func TestWithoutProcessDescriptors(t *testing.T) {
	t.Parallel()
	b, err := newBackend()
	require.NoError(t, err)
	defer b.close(0)
	p := role(t, "x", "exit 3")
	proc := newProcess(New(nil), "x", p.resolved())
	// What watch does when it cannot add to the epoll.
	c := &osChild{backend: b, exited: make(chan exitStatus, 1)}
	files, err := c.open(proc)
	require.NoError(t, err)
	c.os, err = os.StartProcess(p.Args[0], p.Args, &os.ProcAttr{Env: proc.environ(), Files: files})
	require.NoError(t, err)
	closeAll(files)
	for _, s := range c.streams {
		s.start(c.os.Pid)
	}
	waitThenFinish(c)
	exit := <-c.Exited()
	assert.Equal(t, 3, exit.code)
	assert.Equal(t, "exit status 3", exit.text)
	assert.ErrorIs(t, c.Signal(syscall.SIGTERM, true), os.ErrProcessDone)
	assert.ErrorIs(t, c.Signal(syscall.SIGTERM, false), os.ErrProcessDone)
}
