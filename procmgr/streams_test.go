//go:build unix

package procmgr

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSendStdin(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "echo")
	p.Stdout.Writer = out
	l := run(t, nil, p)
	l.await("x", Running)
	require.NoError(t, l.SendStdin("x", []byte("hello\n")))
	out.await(t, "hello\n")
	assert.ErrorIs(t, l.SendStdin("y", nil), ErrNoSuchProcess)
	require.NoError(t, l.Stop(t.Context(), "x"))
	assert.ErrorIs(t, l.SendStdin("x", []byte("x")), ErrNotRunning)
	l.end()
	assert.ErrorIs(t, l.SendStdin("x", []byte("x")), ErrNotRunning)
}

func TestWhatStandardInputDoesNotTakeIsKeptForIt(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "echo")
	p.Stdout.Writer = out
	l := run(t, nil, p)
	l.await("x", Running)
	var want bytes.Buffer
	for i := range 200 {
		chunk := bytes.Repeat([]byte{byte('a' + i%26)}, 10_000)
		want.Write(chunk)
		require.NoError(t, l.SendStdin("x", chunk), "however slow it is")
	}
	require.NoError(t, l.SendStdin("x", []byte("end\n")))
	assert.Equal(t, want.String()+"end\n", out.await(t, "end\n"))
}

func TestStandardInputHasALimit(t *testing.T) {
	t.Parallel()
	l := run(t, nil, Program{Name: "x", Command: "sleep 1000", StartSecs: Zero})
	l.await("x", Running)
	assert.Error(t, l.SendStdin("x", make([]byte, stdinMax+1)))
	assert.NoError(t, l.SendStdin("x", make([]byte, 1<<20)))
	assert.Error(t, l.SendStdin("x", make([]byte, stdinMax)))
}

func TestClosedStandardInputIsNoFile(t *testing.T) {
	t.Parallel()
	out := newSink()
	p := role(t, "x", "deaf")
	p.Stdout.Writer = out
	l := run(t, nil, p)
	out.await(t, "up")
	assert.ErrorIs(t, l.SendStdin("x", []byte("hello")), ErrNoFile)
}

func TestLogsAreReadByName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := role(t, "x", "say")
	p.Stdout.File = filepath.Join(dir, "out")
	q := role(t, "y", "stay")
	p.Stderr.Writer = newSink()
	l := run(t, nil, p, q)
	p.Stderr.Writer.(*sink).await(t, "err2\n")
	l.end() // all that was written is in the log
	data, err := l.ReadLog("x", Stdout, 0, 4)
	require.NoError(t, err)
	assert.Equal(t, "out1", string(data))
	data, err = l.ReadLog("x", Stdout, -2, 0)
	require.NoError(t, err)
	assert.Equal(t, "2\n", string(data))
	_, err = l.ReadLog("x", Stdout, -2, 1)
	assert.ErrorIs(t, err, ErrBadArguments)
	data, size, overflow, err := l.TailLog("x", Stdout, 0, 5)
	require.NoError(t, err)
	assert.Equal(t, []any{"out2\n", int64(10), true}, []any{string(data), size, overflow})

	for _, c := range []Channel{Stdout, Stderr} {
		_, err = l.ReadLog("y", c, 0, 0)
		assert.ErrorIs(t, err, ErrNoFile, "there is none")
		_, err = l.FollowLog(limited(t), "y", c, 0)
		assert.ErrorIs(t, err, ErrNoFile)
		data, size, overflow, err = l.TailLog("y", c, 7, 5)
		require.NoError(t, err)
		assert.Equal(t, []any{"", int64(0), false}, []any{string(data), size, overflow})
	}
	_, err = l.ReadLog("z", Stdout, 0, 0)
	assert.ErrorIs(t, err, ErrNoSuchProcess)
	_, _, _, err = l.TailLog("x:*", Stdout, 0, 0)
	assert.ErrorIs(t, err, ErrNoSuchProcess)

	require.NoError(t, os.Remove(p.Stdout.File))
	_, err = l.ReadLog("x", Stdout, 0, 0)
	var pe *ProcessError
	require.ErrorAs(t, err, &pe)
	assert.Equal(t, &ProcessError{Name: "x", Err: ErrNoFile, Reason: p.Stdout.File}, pe)
}

func TestFollowLogGoesOverRestarts(t *testing.T) {
	t.Parallel()
	p := role(t, "x", "echo")
	p.Stdout.File = filepath.Join(t.TempDir(), "out")
	l := run(t, nil, p)
	l.await("x", Running)
	chunks, err := l.FollowLog(limited(t), "x", Stdout, 1024)
	f := follow(t, chunks, err)
	require.NoError(t, l.SendStdin("x", []byte("one\n")))
	f.expect("one\n")
	require.NoError(t, l.Restart(t.Context(), "x"))
	require.NoError(t, l.SendStdin("x", []byte("two\n")))
	f.expect("two\n")
	l.end()
	_, _, more := f.next()
	assert.False(t, more, "nobody will write any more")
}

func TestClearAndReopenWhileTheProgramRuns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	p := role(t, "x", "echo")
	p.Stdout.File = path
	l := run(t, nil, p)
	l.await("x", Running)
	chunks, err := l.FollowLog(limited(t), "x", Stdout, 0)
	f := follow(t, chunks, err)
	say := func(s string) {
		require.NoError(t, l.SendStdin("x", []byte(s)))
		f.expect(s)
	}
	content := func(path, want string) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
	}
	say("one\n")
	require.NoError(t, l.ClearLog("x"))
	content(path, "")
	say("two\n")
	content(path, "two\n")
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, l.ReopenLogs())
	say("three\n")
	content(path+".1", "two\n")
	content(path, "three\n")

	assert.ErrorIs(t, l.ClearLog("y"), ErrNoSuchProcess)
	assert.Equal(t, []Result{{Group: "x", Name: "x"}}, l.ClearEach())
	content(path, "")
	say("four\n")
	require.NoError(t, l.Stop(t.Context(), "x"))
	require.NoError(t, l.ClearLog("x"))
	content(path, "four\n") // supervisord clears what it has open, and says true
}

func TestOutputBecomesEvents(t *testing.T) {
	t.Parallel()
	const text = "SAY"
	p := role(t, "x", "print %s", text)
	p.Environment[text] = "a" + captureBegin + "message" + captureEnd + "b"
	p.Stdout.Events = true
	p.Stdout.CaptureMaxBytes = 100
	log := newSink()
	p.Stdout.Writer = log
	l := run(t, nil, p)
	e := l.awaitEvent(func(e Event) bool { return e.Is("PROCESS_COMMUNICATION") })
	pid := l.status("x").PID
	assert.Equal(t, Event{
		Type: EventCommunicationStdout, Time: e.Time, Group: "x", Process: "x", PID: pid, Data: "message",
	}, e)
	e = l.awaitEvent(func(e Event) bool { return e.Is("PROCESS_LOG") })
	assert.Equal(t, Event{Type: EventLogStdout, Time: e.Time, Group: "x", Process: "x", PID: pid, Data: "b"}, e)
	log.await(t, "ab")
}

func TestErrorOutputBecomesEvents(t *testing.T) {
	t.Parallel()
	p := role(t, "x", "say")
	p.Stderr.Events = true
	l := run(t, nil, p)
	got := ""
	for !strings.HasSuffix(got, "err2\n") {
		e := l.awaitEvent(func(e Event) bool { return e.Is("PROCESS_LOG") })
		assert.Equal(t, EventLogStderr, e.Type)
		got += e.Data
	}
	assert.Equal(t, "err1\nerr2\n", got)
}

func TestARealListenerHearsWhatHappens(t *testing.T) {
	t.Parallel()
	tap := newLifeline(t)
	l := run(t, nil)
	log := newSink()
	listener := role(t, "tap", "listener %s", tap.path)
	listener.Stdout.Writer = log
	require.NoError(t, l.AddGroup(Group{
		Name: "tap", Programs: []Program{listener},
		Listener: &Listener{Events: []string{"PROCESS_STATE_EXITED", "REMOTE_COMMUNICATION"}},
	}))
	conn, err := tap.listener.Accept()
	require.NoError(t, err)
	defer conn.Close()
	heard := bufio.NewReader(conn)
	require.NoError(t, l.Add(role(t, "x", "exit 3")))
	line, err := heard.ReadString('\n')
	require.NoError(t, err)
	assert.Regexp(t, `^PROCESS_STATE_EXITED processname:x groupname:x from_state:RUNNING expected:0 pid:\d+\n$`, line)
	for range 100 {
		l.SendRemoteCommEvent("t", "x")
		line, err = heard.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "REMOTE_COMMUNICATION type:t\n", line)
		line, err = heard.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "x\n", line)
	}
	log.await(t, strings.Repeat("READY\nRESULT 2\nOK", 100))
}

func TestALogMayHaveAFileAndAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	var lines lineList
	p := role(t, "x", "print SAY")
	p.Environment["SAY"] = "one\ntwo"
	p.Stdout = Log{File: path, Writer: NewLineWriter(&lines)}
	l := run(t, nil, p)
	l.await("x", Running)
	chunks, err := l.FollowLog(limited(t), "x", Stdout, 1024)
	follow(t, chunks, err).expect("one\ntwo")
	l.end()
	assert.Equal(t, lineList{"one", "two"}, lines, "what has no end is handed on at the end")
}

func TestOurOwnStreamsMayBeLogs(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"=passer")
	stdout, stderr := newSink(), newSink()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer cmd.Wait()
	defer stdin.Close()
	assert.Equal(t, "out1\nout2\n", stdout.await(t, "out2\n"))
	assert.Equal(t, "err1\nerr2\n", stderr.await(t, "err2\n"))
}

// So it is under systemd, whose journal is at the other end.
func TestOurOwnStreamsMayBeSockets(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "pm")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	journal, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	defer journal.Close()
	conn, err := net.Dial("unix", journal.Addr().String())
	require.NoError(t, err)
	socket, err := conn.(*net.UnixConn).File()
	require.NoError(t, err)
	conn.Close()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"=passer")
	cmd.Stdout = socket
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	socket.Close()
	defer cmd.Wait()
	defer stdin.Close()
	other, err := journal.Accept()
	require.NoError(t, err)
	defer other.Close()
	other.SetDeadline(time.Now().Add(patience))
	got := make([]byte, len("out1\nout2\n"))
	_, err = io.ReadFull(other, got)
	require.NoError(t, err)
	assert.Equal(t, "out1\nout2\n", string(got))
}

func TestOutputWithoutLines(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	dir := t.TempDir()
	p := role(t, "x", "nothing %d", size)
	p.Stdout = Log{File: filepath.Join(dir, "x"), MaxBytes: 1 << 20, Backups: 100}
	l := run(t, nil, p)
	l.await("x", Exited)
	assert.Zero(t, l.status("x").Dropped)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		assert.LessOrEqual(t, info.Size(), int64(1<<20+rotateSlack+readSize))
		total += info.Size()
	}
	assert.EqualValues(t, size, total)
}

// So does supervisord with loglevel=debug.
func TestAManagerThatLogsAllLogsTheOutput(t *testing.T) {
	t.Parallel()
	log := newSink()
	p := role(t, "x", "print SAY")
	p.Environment["SAY"] = "hello\xff\n"
	run(t, &Options{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, p)
	assert.Contains(t, log.await(t, "hello"), `level=DEBUG msg="'x' stdout output:\nhello�\n" group=x process=x`)
}

func TestStripANSI(t *testing.T) {
	t.Parallel()
	log := newSink()
	p := role(t, "x", "print SAY")
	p.Environment["SAY"] = "\x1b[31mred\x1b[0m."
	p.Stdout.Writer, p.Stdout.StripANSI = log, true
	run(t, nil, p)
	assert.Equal(t, "red.", log.await(t, "."))
}

func TestRemoteCommunicationAndTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(nil)
		m.backend = &fakeBackend{}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		events := m.Events(t.Context())
		<-time.After(2 * time.Second)
		began := time.Now().Truncate(5 * time.Second)
		go func() { done <- m.Run(ctx) }()
		var mu sync.Mutex
		var told []string
		took := func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			defer func() { told = nil }()
			return told
		}
		go func() {
			for e := range events {
				mu.Lock()
				told = append(told, e.Time.Sub(began).String()+" "+e.String())
				mu.Unlock()
				if e.Is("TICK") {
					assert.Equal(t, e.Time, e.Time.Truncate(5*time.Second))
				}
			}
		}()
		<-time.After(9 * time.Second)
		m.SendRemoteCommEvent("deploy", "now\n")
		assert.Equal(t, []string{
			"2s SUPERVISOR_STATE_CHANGE_RUNNING ",
			"5s TICK_5 when:946684805",
			"10s TICK_5 when:946684810",
			"11s REMOTE_COMMUNICATION type:deploy\nnow\n",
		}, took())
		<-time.After(50 * time.Second)
		got := took()
		require.NotEmpty(t, got)
		assert.Equal(t, []string{"1m0s TICK_5 when:946684860", "1m0s TICK_60 when:946684860"}, got[len(got)-2:])
		<-time.After(time.Hour)
		hours := 0
		for _, e := range took() {
			if strings.Contains(e, "TICK_3600 when:946688400") {
				hours++
			}
		}
		assert.Equal(t, 1, hours)
		cancel()
		require.NoError(t, <-done)
	})
}
