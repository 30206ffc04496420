//go:build unix

package procmgr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAProgramRunsAndStops(t *testing.T) {
	t.Parallel()
	l := run(t, nil, role(t, "x", "stay"))
	e := l.await("x", Running)
	s := l.status("x")
	assert.Equal(t, e.PID, s.PID)
	assert.NoError(t, syscall.Kill(s.PID, 0), "it is there")
	require.NoError(t, l.Stop(t.Context(), "x"))
	assert.ErrorIs(t, syscall.Kill(s.PID, 0), syscall.ESRCH, "it is gone, and reaped")
	s = l.status("x")
	assert.Equal(t, Stopped, s.State)
	assert.Equal(t, -1, s.ExitStatus)
	assert.Zero(t, s.PID)
	assert.WithinDuration(t, time.Now(), s.Stop, patience)
}

func TestExitStatusIsToldOfEveryChild(t *testing.T) {
	t.Parallel()
	const n = 20
	var programs []Program
	for i := range n {
		programs = append(programs, role(t, fmt.Sprint("x", i), "exit %d", i))
	}
	l := run(t, nil, programs...)
	got := map[string]int{}
	for len(got) < n {
		e := l.awaitEvent(func(e Event) bool { return e.To == Exited })
		got[e.Process] = e.ExitStatus
		assert.Equal(t, e.ExitStatus == 0, e.Expected)
	}
	for i := range n {
		assert.Equal(t, i, got[fmt.Sprint("x", i)])
	}
	assert.Equal(t, "Bad exit code 3", l.status("x3").SpawnErr)
}

func TestAKilledProgramComesBack(t *testing.T) {
	t.Parallel()
	p := role(t, "x", "stay")
	p.AutoRestart = RestartUnexpected
	p.RestartFloor = Zero
	l := run(t, nil, p)
	pid := l.await("x", Running).PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	e := l.await("x", Exited)
	assert.Equal(t, -1, e.ExitStatus)
	assert.Equal(t, pid, e.PID)
	assert.NotEqual(t, pid, l.await("x", Running).PID)
}

func TestStopSignalIsSent(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "trap %d 7", syscall.SIGUSR1)
	p.StopSignal = syscall.SIGUSR1
	p.Stdout.Writer = out
	l := run(t, nil, p)
	out.await(t, "up")
	require.NoError(t, l.Stop(t.Context(), "x"))
	assert.Equal(t, 7, l.status("x").ExitStatus)
	assert.Equal(t, "up\ntrapped\n", out.String(), "all output is there when it is STOPPED")
}

func TestAProgramThatIgnoresTermIsKilled(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "ignore")
	p.StopWaitSecs = 1
	p.Stdout.Writer = out
	l := run(t, nil, p)
	out.await(t, "up")
	began := time.Now()
	require.NoError(t, l.Stop(t.Context(), "x"))
	assert.GreaterOrEqual(t, time.Since(began), time.Second)
	assert.Equal(t, -1, l.status("x").ExitStatus)
}

func TestSignalReachesTheProgram(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "trap %d 4", syscall.SIGHUP)
	p.Stdout.Writer = out
	l := run(t, nil, p)
	out.await(t, "up")
	require.NoError(t, l.Signal("x", syscall.SIGHUP))
	assert.Equal(t, 4, l.await("x", Exited).ExitStatus)
}

func TestASignalThatDoesNotExistChangesNothing(t *testing.T) {
	t.Parallel()
	l := run(t, nil, role(t, "x", "stay"))
	l.await("x", Running)
	for _, sig := range []syscall.Signal{-1, 0, 999} {
		assert.ErrorIs(t, l.Signal("x", sig), ErrBadSignal)
	}
	assert.Equal(t, Running, l.status("x").State)
}

func TestStreamsAreKeptApart(t *testing.T) {
	t.Parallel()
	out, err := newSink(), newSink()
	p := role(t, "x", "say")
	p.Stdout.Writer, p.Stderr.Writer = out, err
	run(t, nil, p)
	out.await(t, "out2\n")
	err.await(t, "err2\n")
	assert.Equal(t, "out1\nout2\n", out.String())
	assert.Equal(t, "err1\nerr2\n", err.String())
}

func TestRedirectStderrKeepsTheOrder(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "say")
	p.RedirectStderr = true
	p.Stdout.Writer = out
	run(t, nil, p)
	assert.Equal(t, "out1\nerr1\nout2\nerr2\n", out.await(t, "err2\n"))
}

// flood is what a child in that role writes.
func flood(lines int) []byte {
	var all bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&all, "%099d\n", i)
	}
	return all.Bytes()
}

func TestOutputIsExactAndCompleteAtTheEnd(t *testing.T) {
	t.Parallel()
	const lines = 20000
	dir := t.TempDir()
	p := role(t, "x", "flood %d", lines)
	p.Stdout = Log{File: filepath.Join(dir, "x.log"), MaxBytes: 300_000, Backups: 20}
	l := run(t, nil, p)
	l.await("x", Exited)
	var all []byte
	for i := 20; i >= 0; i-- {
		name := p.Stdout.File
		if i > 0 {
			name += "." + strconv.Itoa(i)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		if i > 0 {
			assert.GreaterOrEqual(t, len(data), 300_000, name)
			assert.Equal(t, byte('\n'), data[len(data)-1], "rotated at the end of a line")
		}
		all = append(all, data...)
	}
	want := flood(lines)
	assert.True(t, bytes.Equal(want, all), "%d bytes instead of %d", len(all), len(want))
	assert.Zero(t, l.status("x").Dropped)
}

func TestManyWhoWriteMuchAtOnce(t *testing.T) {
	t.Parallel()
	const lines, programs = 20000, 8
	var all []Program
	for i := range programs {
		p := role(t, fmt.Sprintf("x%d", i), "flood %d", lines)
		p.Stdout.File = filepath.Join(t.TempDir(), "x.log")
		all = append(all, p)
	}
	l := run(t, nil, all...)
	want := flood(lines)
	for range all {
		l.awaitEvent(func(e Event) bool { return e.To == Exited })
	}
	for _, p := range all {
		data, err := os.ReadFile(p.Stdout.File)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, data), "%s: %d bytes instead of %d", p.Name, len(data), len(want))
	}
}

// Much and little are read in different ways, and one may follow the other.
func TestOneWhoWritesMuchAndThenLittle(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "echo")
	p.Stdout.Writer = out
	l := run(t, nil, p)
	l.await("x", Running)
	want := ""
	for i := range 3 {
		much := strings.Repeat(strings.Repeat("x", 99)+"\n", 20000) + fmt.Sprintf("much %d\n", i)
		little := fmt.Sprintf("little %d\n", i)
		require.NoError(t, l.SendStdin("x", []byte(much)))
		out.await(t, fmt.Sprintf("much %d\n", i))
		require.NoError(t, l.SendStdin("x", []byte(little)))
		want += much + little
		assert.True(t, want == out.await(t, little), "round %d", i)
	}
}

func TestALogIsAppendedTo(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "x.log")
	require.NoError(t, os.WriteFile(log, []byte("before\n"), 0o600))
	p := role(t, "x", "flood 1")
	p.Manual = true
	p.Stdout.File = log
	l := run(t, nil, p)
	for range 2 {
		require.NoError(t, l.Start(t.Context(), "x"))
		l.await("x", Exited)
	}
	line := string(flood(1))
	data, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Equal(t, "before\n"+line+line, string(data))
	assert.Equal(t, log, l.status("x").StdoutLog)
}

// An NFS server that is gone must not keep those from starting that need
// nothing of it.
func TestALogThatCannotBeOpenedHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release) // before the look for goroutines
	bad, good := t.TempDir(), t.TempDir()
	first, second := role(t, "first", "stay"), role(t, "second", "stay")
	first.Stdout.File, first.Priority = filepath.Join(bad, "log"), 1
	second.Stdout.File = filepath.Join(good, "log")
	m := New(nil)
	m.opener.openAt, m.opener.patience = hangingDisk(bad, release), 100*time.Millisecond
	l := runManager(t, m, first, second)
	e := l.await("first", Backoff)
	assert.Contains(t, l.status("first").SpawnErr, "i/o timeout")
	assert.Positive(t, e.Tries)
	l.await("second", Running)
	require.NoError(t, l.Stop(t.Context(), "second"))
}

// A blocked is a Writer that blocks until it is released.
type blocked struct{ entered, release chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	select {
	case b.entered <- struct{}{}:
	default:
	}
	<-b.release
	return len(p), nil
}

func TestALogThatBlocksHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	b := blocked{make(chan struct{}, 1), make(chan struct{})}
	defer close(b.release) // before the look for goroutines
	slow := role(t, "slow", "stay")
	slow.Stdout.Writer = b
	slow.AutoRestart = RestartAlways
	l := run(t, nil, slow, role(t, "other", "stay"))
	<-b.entered
	require.NoError(t, l.Restart(t.Context(), "other"))
	began := time.Now()
	require.NoError(t, l.Stop(t.Context(), "slow"))
	assert.Less(t, time.Since(began), patience/2, "its own end waits for a second")
	l.end()
}

func TestALogThatBlocksIsReported(t *testing.T) {
	t.Parallel()
	b := blocked{make(chan struct{}, 1), make(chan struct{})}
	p := role(t, "x", "echo")
	p.Stdout.Writer = b
	l := run(t, nil, p)
	l.await("x", Running)
	require.NoError(t, l.SendStdin("x", []byte("hello\n")))
	<-b.entered
	x, err := l.one("x")
	require.NoError(t, err)
	now := time.Now()
	assert.Empty(t, x.snapshot(now).LogError)
	assert.Regexp(t, "^stdout: blocked for [67]s$", x.snapshot(now.Add(7*time.Second)).LogError)
	close(b.release)
	require.NoError(t, l.Stop(t.Context(), "x"))
	assert.Empty(t, x.snapshot(now.Add(7*time.Second)).LogError)
	assert.Zero(t, l.status("x").Dropped)
}

// A troubled Writer fails until it is told not to.
type troubled struct {
	sink
	mu   sync.Mutex
	err  error
	lost chan struct{}
}

func (w *troubled) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		w.lost <- struct{}{}
		return 0, w.err
	}
	return w.sink.Write(b)
}

func TestALogThatIsFullIsReportedAndGoesOnWhenItCan(t *testing.T) {
	t.Parallel()
	w := &troubled{err: syscall.ENOSPC, lost: make(chan struct{}, 10), sink: *newSink()}
	p := role(t, "x", "echo")
	p.Stdout.Writer = w
	p.Stdout.Events = true
	l := run(t, nil, p)
	l.await("x", Running)
	say := func(s string) {
		require.NoError(t, l.SendStdin("x", []byte(s)))
		l.awaitEvent(func(e Event) bool { return e.Type == EventLogStdout && e.Data == s })
	}
	say("one\n")
	<-w.lost
	s := l.status("x")
	assert.Equal(t, Running, s.State)
	assert.Equal(t, "stdout: no space left on device", s.LogError)
	assert.EqualValues(t, 4, s.Dropped)
	w.mu.Lock()
	w.err = nil
	w.mu.Unlock()
	say("two\n")
	w.await(t, "two\n")
	s = l.status("x")
	assert.Empty(t, s.LogError)
	assert.EqualValues(t, 4, s.Dropped)
}

func TestAFullFileDoesNotHurtTheProgram(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	p := role(t, "x", "flood 5000")
	p.Stdout.File = "/dev/full"
	l := run(t, nil, p)
	assert.Equal(t, 0, l.await("x", Exited).ExitStatus)
	assert.EqualValues(t, 500_000, l.status("x").Dropped)
}

func TestAFIFOWithoutReaderIsAnError(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	p := role(t, "x", "say")
	p.Stdout.File = fifo
	p.StartRetries = Zero
	p.Manual = true
	l := run(t, nil, p)
	assert.ErrorIs(t, l.Start(t.Context(), "x"), ErrFatal, "supervisord would wait for the reader, with all it does")
	assert.Contains(t, l.status("x").SpawnErr, "unknown error making dispatchers for 'x'")
}

func TestAFIFOThatNobodyReadsDoesNotBlock(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	fd, err := syscall.Open(fifo, syscall.O_RDWR|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	for err == nil {
		_, err = syscall.Write(fd, make([]byte, 4096))
	}
	for err = error(nil); err == nil; {
		_, err = syscall.Write(fd, []byte{0})
	}
	require.ErrorIs(t, err, syscall.EAGAIN, "it is full")
	var l *live
	t.Cleanup(func() { // when no goroutine is left
		syscall.Close(fd)
		assert.EqualValues(t, len("out1\nout2\n"), l.status("x").Dropped, "what it did not take")
	})
	p := role(t, "x", "say")
	p.Stdout.File = fifo
	stderr := newSink()
	p.Stderr.Writer = stderr
	l = run(t, nil, p)
	stderr.await(t, "err2\n")
	require.NoError(t, l.Stop(t.Context(), "x"))
}

func TestAGrandchildThatHoldsTheOutputHoldsUpNothing(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	out := newSink()
	p := role(t, "x", "family 1 %s 3", line.path)
	p.Stdout.Writer = out
	l := run(t, nil, p)
	grandchild := line.holder(t)
	assert.Equal(t, 3, l.await("x", Exited).ExitStatus)
	assert.Equal(t, "up\n", out.String())
	assert.NoError(t, syscall.Kill(grandchild.pid, 0), "it lives on, as under supervisord")
	l.end()
	grandchild.awaitDeath(t)
}

func TestStopAsGroupReachesAll(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	p := role(t, "x", "family 2 %s", line.path)
	p.StopAsGroup = true
	p.StopSignal = syscall.SIGQUIT
	l := run(t, nil, p)
	a, b := line.holder(t), line.holder(t)
	require.NoError(t, l.Stop(t.Context(), "x"))
	a.awaitDeath(t)
	b.awaitDeath(t)
}

func TestStopReachesTheLeaderAlone(t *testing.T) {
	t.Parallel()
	line := newLifeline(t)
	l := run(t, nil, role(t, "x", "family 1 %s", line.path))
	grandchild := line.holder(t)
	require.NoError(t, l.Stop(t.Context(), "x"))
	assert.NoError(t, syscall.Kill(grandchild.pid, 0))
	require.NoError(t, l.Remove("x"))
	l.end()
	grandchild.awaitDeath(t)
}

func TestTheChildsWorld(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	out := newSink()
	p := role(t, "x", "facts")
	p.Args = append(p.Args, "a b", "")
	p.Directory = dir
	p.Stdout.Writer = out
	p.Environment["OVER"] = "program"
	watchForLeaks(t)
	m := New(&Options{Environ: []string{"OVER=caller", "KEPT=1", "PATH=/bin"}, ServerURL: "unix:///run/s.sock"})
	require.NoError(t, m.AddGroup(Group{Name: "g", Programs: []Program{p}}))
	l := &live{Manager: m, t: t}
	stopped := l.background(t)
	var f facts
	require.NoError(t, json.Unmarshal([]byte(out.await(t, "\n")), &f))
	stopped()
	assert.Equal(t, []string{"a b", ""}, f.Args[1:])
	assert.Equal(t, dir, f.Dir)
	assert.Equal(t, f.PID, f.PGID, "it leads its own process group")
	assert.Equal(t, []string{
		"KEPT=1", "PATH=/bin", "SUPERVISOR_ENABLED=1", "SUPERVISOR_SERVER_URL=unix:///run/s.sock",
		"SUPERVISOR_PROCESS_NAME=x", "SUPERVISOR_GROUP_NAME=g", "GORACE=atexit_sleep_ms=0", "OVER=program", childEnv + "=facts",
	}, f.Env)
	assert.Equal(t, os.Getuid(), f.UID)
}

func TestUser(t *testing.T) {
	t.Parallel()
	me, err := user.Current()
	require.NoError(t, err)
	out := newSink()
	self := role(t, "self", "facts")
	self.User = me.Uid // anybody may be himself
	self.Stdout.Writer = out
	nobody := role(t, "other", "stay")
	nobody.User = "no such user"
	nobody.StartRetries = Zero
	l := run(t, nil, self, nobody)
	l.await("other", Fatal)
	assert.Equal(t, "couldn't setuid to no such user: Can't find username 'no such user'", l.status("other").SpawnErr)
	var f facts
	require.NoError(t, json.Unmarshal([]byte(out.await(t, "\n")), &f))
	assert.Equal(t, me.Uid, strconv.Itoa(f.UID))
}

func TestSpawnErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, []byte("x"), 0o600))
	garbage := filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("x"), 0o700))
	program := func(name, command string) Program {
		return Program{Name: name, Command: command, Manual: true, StartRetries: Zero, Environment: map[string]string{"PATH": dir}}
	}
	elsewhere := program("elsewhere", "/bin/sh")
	elsewhere.Directory = dir + "/nowhere"
	nolog := program("nolog", "/bin/sh")
	nolog.Stdout.File = dir + "/nowhere/log"
	l := run(t, nil,
		program("missing", "/nowhere/x"), program("inpath", "x"), program("plain", plain), program("plaininpath", "plain"),
		program("dir", dir), program("parse", `x "`), program("empty", " "), program("garbage", garbage), elsewhere, nolog)
	for _, test := range []struct {
		name   string
		kind   error
		reason string
	}{
		{"missing", ErrNoFile, "can't find command '/nowhere/x'"},
		{"inpath", ErrNoFile, "can't find command 'x'"},
		{"plain", ErrNotExecutable, "command at '" + plain + "' is not executable"},
		{"plaininpath", ErrNotExecutable, "command at '" + plain + "' is not executable"}, // the first that exists counts
		{"dir", ErrNotExecutable, "command at '" + dir + "' is a directory"},
		{"parse", ErrNotExecutable, `can't parse command 'x "': No closing quotation`},
		{"empty", ErrNotExecutable, "command is empty"},
		{"garbage", ErrFatal, "couldn't exec " + garbage + ": exec format error"},
		{"elsewhere", ErrFatal, "couldn't chdir to " + dir + "/nowhere: no such file or directory"},
		{"nolog", ErrFatal, "unknown error making dispatchers for 'nolog': open " + dir + "/nowhere/log: no such file or directory"},
	} {
		err := l.Start(t.Context(), test.name)
		assert.ErrorIs(t, err, test.kind, test.name)
		var pe *ProcessError
		if assert.ErrorAs(t, err, &pe, test.name) {
			assert.Equal(t, test.reason, pe.Reason, test.name)
		}
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	program := func(name, command string) Program {
		return Program{Name: name, Command: command, StartSecs: Zero, AutoRestart: RestartAlways, RestartFloor: Zero}
	}
	m := run(t, nil, program("a", "cat"), program("b", "true"))
	group := Group{Name: "g", Programs: []Program{program("c", "cat"), program("d", "false")}}
	calls := []func() error{
		func() error { return m.Start(t.Context(), "a") },
		func() error { return m.Stop(t.Context(), "a") },
		func() error { return m.Restart(t.Context(), "b") },
		func() error { return m.Signal("a", syscall.SIGKILL) },
		func() error { return m.AddGroup(group) },
		func() error { return m.Restart(t.Context(), "g:*") },
		func() error { return m.Stop(t.Context(), "g:*") },
		func() error { return m.Remove("g") },
		func() error { _ = m.Status(); return nil },
	}
	var callers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 0))
			for range 40 {
				err := calls[rnd.IntN(len(calls))]()
				for _, expected := range []error{
					nil, ErrAlreadyStarted, ErrNotRunning, ErrAlreadyAdded, ErrNoSuchProcess, ErrStillRunning, ErrAbnormalTermination,
				} {
					if errors.Is(err, expected) {
						err = nil
					}
				}
				assert.NoError(t, err)
			}
		})
	}
	callers.Wait()
	m.end()
	for _, s := range m.Status() {
		assert.True(t, s.State.isStopped(), "%s is %s", s.FullName(), s.State)
		assert.Zero(t, s.PID)
	}
}

func TestACommandIsFoundInThePathOfItsProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/bin/sh", filepath.Join(dir, "tool")))
	out := newSink()
	p := Program{
		Name: "x", Command: `tool -c 'echo "$0"' "two words"`, Environment: map[string]string{"PATH": dir},
		StartSecs: Zero, AutoRestart: RestartNever, Stdout: Log{Writer: out},
	}
	l := run(t, nil, p)
	l.await("x", Exited)
	assert.Equal(t, "two words\n", out.String())
}

func TestManyRestartsLoseNothing(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "flood 3")
	p.AutoRestart = RestartAlways
	p.RestartFloor = Zero
	p.Stdout.Writer = out
	l := run(t, nil, p)
	const n = 30
	for range n {
		e := l.await("x", Exited)
		assert.Equal(t, 0, e.ExitStatus)
	}
	require.NoError(t, l.AddGroup(Group{Name: "barrier", Programs: []Program{role(t, "y", "exit 0")}}))
	l.end()
	assert.GreaterOrEqual(t, strings.Count(out.String(), "\n"), 3*n)
}
