//go:build unix

package procmgr

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childEnv makes the test binary a child: it holds what to do.
const childEnv = "PROCMGR_TEST_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		beChild(strings.Fields(role))
	}
	code := m.Run()
	if left := goroutinesLeft(regexp.MustCompile(`/procmgr\.`)); len(left) > 0 && code == 0 {
		fmt.Printf("after all tests, goroutines are left:\n%s\n", strings.Join(left, "\n"))
		code = 1
	}
	os.Exit(code)
}

// beChild plays a role, and says "up" on standard output when it is ready.
// Those that stay do so until their standard input ends: that is when they
// are reaped, or the test is no more.
func beChild(role []string) {
	number := func(i int) int {
		n, err := strconv.Atoi(role[i])
		if err != nil {
			panic(err)
		}
		return n
	}
	up := func() { fmt.Println("up") }
	stay := func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	switch role[0] {
	case "stay":
		up()
		stay()
	case "exit": // with a status
		os.Exit(number(1))
	case "ignore": // TERM
		signal.Ignore(syscall.SIGTERM)
		up()
		stay()
	case "trap": // a signal, and exit with a status
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.Signal(number(1)))
		up()
		<-c
		fmt.Println("trapped")
		os.Exit(number(2))
	case "echo": // standard input, to its end
		io.Copy(os.Stdout, os.Stdin)
	case "serve": // say one's name to each who connects to standard input
		l, err := net.FileListener(os.Stdin)
		if err != nil {
			panic(err)
		}
		up()
		for {
			conn, err := l.Accept()
			if err != nil {
				panic(err)
			}
			io.WriteString(conn, os.Getenv("SUPERVISOR_PROCESS_NAME"))
			conn.Close()
		}
	case "deaf": // close standard input
		os.Stdin.Close()
		up()
		select {}
	case "print": // what stands in a variable, then stay
		fmt.Print(os.Getenv(role[1]))
		stay()
	case "say": // something on each stream, in turn
		fmt.Print("out1\n")
		fmt.Fprint(os.Stderr, "err1\n")
		fmt.Print("out2\n")
		fmt.Fprint(os.Stderr, "err2\n")
		stay()
	case "flood": // so many numbered lines of 100 bytes
		w := bufio.NewWriterSize(os.Stdout, 4096)
		for i := range number(1) {
			fmt.Fprintf(w, "%099d\n", i)
		}
		w.Flush()
	case "pour": // so many bytes, in lines of 100, 4096 at a time
		block := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), 1024)
		block = append(block, block...)
		for left, at := number(1), 0; left > 0; {
			n, err := os.Stdout.Write(block[at : at+min(4096, left)])
			if err != nil {
				panic(err)
			}
			left -= n
			at = (at + n) % 102400
		}
	case "nothing": // so many NULs
		for left := number(1); left > 0; {
			n, err := os.Stdout.Write(make([]byte, min(left, 1<<20)))
			if err != nil {
				panic(err)
			}
			left -= n
		}
	case "facts":
		json.NewEncoder(os.Stdout).Encode(gatherFacts())
		stay()
	case "family": // make grandchildren that outlive TERM and their parent
		beget(number(1), "hold "+role[2])
		up()
		if len(role) > 3 {
			os.Exit(number(3))
		}
		stay()
	case "lingerers": // make grandchildren that take their time
		beget(number(1), "linger "+role[2])
		up()
		stay()
	case "hold": // a lifeline
		signal.Ignore(syscall.SIGTERM)
		io.Copy(io.Discard, grasp(role[1]))
	case "linger": // on a lifeline, and say there that TERM has come
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		conn := grasp(role[1])
		<-c
		fmt.Fprintln(conn, "TERM")
		io.Copy(io.Discard, conn)
	case "manager": // of one program that holds a lifeline
		m := New(nil)
		err := m.Add(Program{
			Name: "x", Args: []string{os.Args[0]}, Environment: map[string]string{childEnv: "hold " + role[1]},
			ParentDeath: syscall.Signal(number(2)),
		})
		if err != nil {
			panic(err)
		}
		m.Run(context.Background())
	case "passer": // run a program that has our own streams as its logs
		m := New(nil)
		err := m.Add(Program{
			Name: "x", Args: []string{os.Args[0]}, Environment: map[string]string{childEnv: "say"},
			Stdout: Log{File: "/dev/stdout"}, Stderr: Log{File: "/dev/stderr"},
		})
		if err != nil {
			panic(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
		if err := m.Run(ctx); err != nil {
			panic(err)
		}
	case "keeper": // a manager with a state file, of programs that answer
		m := New(&Options{StateFile: role[1]})
		for _, name := range role[3:] {
			err := m.Add(Program{
				Name: name, Args: []string{os.Args[0]}, StartSecs: Zero,
				Environment: map[string]string{childEnv: "answer " + role[2]},
				Stdout:      Log{Writer: io.Discard},
			})
			if err != nil {
				panic(err)
			}
		}
		m.Run(context.Background())
	case "answer": // say on standard output what is said on a lifeline
		io.Copy(os.Stdout, grasp(role[1]))
	case "abandon": // grandchildren on a lifeline, and some on another that are in a session of their own
		for i, attr := range []*syscall.SysProcAttr{nil, {Setsid: true}} {
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), childEnv+"=family "+role[1]+" "+role[2+i]+" 0")
			parent.SysProcAttr = attr
			if err := parent.Run(); err != nil {
				panic(err)
			}
		}
		up()
		stay()
	case "foster":
		beFoster(role[1]+" "+role[2], role[3:]...)
	case "emfile":
		beShortOfDescriptors()
	case "listener":
		beListener(role[1])
	default:
		panic("no role " + role[0])
	}
	os.Exit(0)
}

// beget makes so many children that play a role, with standard output open.
func beget(n int, role string) {
	for range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+role)
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			panic(err)
		}
	}
}

// grasp gets hold of a lifeline.
func grasp(path string) net.Conn {
	conn, err := net.Dial("unix", path)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(conn, os.Getpid())
	return conn
}

// facts are what a child sees of itself.
type facts struct {
	Args      []string
	Env       []string
	Dir       string
	Umask     int
	UID       int
	PID, PGID int
}

func gatherFacts() (f facts) {
	f.Args = os.Args
	f.Env = os.Environ()
	f.Dir, _ = os.Getwd()
	f.Umask = syscall.Umask(0)
	f.UID, f.PID = os.Getuid(), os.Getpid()
	f.PGID = syscall.Getpgrp()
	return f
}

// role returns a program that plays a role.
func role(t testing.TB, name string, format string, args ...any) Program {
	exe, err := os.Executable()
	require.NoError(t, err)
	return Program{
		Name: name,
		Args: []string{exe},
		Environment: map[string]string{
			childEnv: fmt.Sprintf(format, args...),
			"GORACE": "atexit_sleep_ms=0", // a binary with the race detector takes a second to exit
		},
		StartSecs:   Zero,
		AutoRestart: RestartNever,
	}
}

// A live manager is in Run, with real children.
type live struct {
	*Manager
	t    testing.TB
	next func() (Event, bool)
	end  func() // Run, and wait until it has returned
}

const patience = 30 * time.Second

// run runs programs until the end of the test, at which no goroutine may be
// left of all that was started.
func run(t testing.TB, o *Options, programs ...Program) *live {
	return runManager(t, New(o), programs...)
}

func runManager(t testing.TB, m *Manager, programs ...Program) *live {
	limit, giveUp := context.WithCancel(context.Background())
	if t, ok := t.(*testing.T); ok {
		watchForLeaks(t)
		limit, giveUp = context.WithTimeout(context.Background(), patience)
	}
	for _, p := range programs {
		require.NoError(t, m.Add(p))
	}
	next, stopReading := iter.Pull(m.Events(limit))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	l := &live{Manager: m, t: t, next: next}
	l.end = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-limit.Done():
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			t.Fatal("Run does not return")
		}
	})
	t.Cleanup(func() {
		l.end()
		stopReading()
		giveUp()
	})
	l.awaitEvent(func(e Event) bool { return e.Type == EventRunning })
	return l
}

func (l *live) awaitEvent(wanted func(Event) bool) Event {
	l.t.Helper()
	var seen []string
	for {
		e, ok := l.next()
		if !ok {
			l.t.Fatalf("the event does not come; seen: %q", seen)
		}
		if wanted(e) {
			return e
		}
		seen = append(seen, e.String())
	}
}

// await waits for the event that a process has come to a state.
func (l *live) await(name string, s State) Event {
	l.t.Helper()
	return l.awaitEvent(func(e Event) bool {
		return e.Type == EventProcessState && fullName(e.Group, e.Process) == name && e.To == s
	})
}

func (l *live) status(name string) Status {
	l.t.Helper()
	all := l.Status()
	i := slices.IndexFunc(all, func(s Status) bool { return s.FullName() == name })
	require.GreaterOrEqual(l.t, i, 0, "no process %s", name)
	return all[i]
}

// watchForLeaks fails the test if at its end a goroutine is left that it, or
// one of its own, has started. They are told by a label, which is inherited.
func watchForLeaks(t *testing.T) {
	const key = "procmgr-test"
	label := t.Name()
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(key, label)))
	mark := regexp.MustCompile(`# labels: .*` + regexp.QuoteMeta(strconv.Quote(key)+":"+strconv.Quote(label)))
	t.Cleanup(func() {
		defer pprof.SetGoroutineLabels(context.Background())
		if left := goroutinesLeft(mark); len(left) > 0 {
			t.Errorf("goroutines are left:\n%s", strings.Join(left, "\n"))
		}
	})
}

// goroutinesLeft returns the stacks of goroutines, but for the caller's and the
// one that the signals of a program have for good, that match mark and do not
// end.
func goroutinesLeft(mark *regexp.Regexp) (left []string) {
	// A goroutine that has said its last word may still have to leave the
	// stage, and nobody is told when it has.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		var profile bytes.Buffer
		pprof.Lookup("goroutine").WriteTo(&profile, 1)
		left = nil
		for g := range strings.SplitSeq(profile.String(), "\n\n") {
			if mark.MatchString(g) && !strings.Contains(g, "goroutinesLeft") && !strings.Contains(g, "os/signal.loop") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return nil
		}
	}
	return left
}

// A sink is a Log.Writer to wait at.
type sink struct {
	mu    sync.Mutex
	data  []byte
	grown chan struct{}
}

func newSink() *sink { return &sink{grown: make(chan struct{}, 1)} }

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	s.data = append(s.data, b...)
	s.mu.Unlock()
	select {
	case s.grown <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.data)
}

// await returns what was written, once it holds text.
func (s *sink) await(t testing.TB, text string) string {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		if got := s.String(); strings.Contains(got, text) {
			return got
		}
		select {
		case <-s.grown:
		case <-limit.C:
			t.Fatalf("%q is not written; there is %q", text, s.String())
		}
	}
}

// A lifeline is a socket that processes hold on to until the test ends, so
// that none is left behind, and it is known when they die.
type lifeline struct {
	path     string
	listener net.Listener
}

func newLifeline(t testing.TB) *lifeline {
	dir, err := os.MkdirTemp("", "pm") // t.TempDir is too long for a socket on some systems
	require.NoError(t, err)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	t.Cleanup(func() {
		l.Close()
		os.RemoveAll(dir)
	})
	return &lifeline{l.Addr().String(), l}
}

// A holder is a process that holds a lifeline.
type holder struct {
	pid  int
	conn net.Conn
}

func (l *lifeline) holder(t testing.TB) *holder {
	t.Helper()
	l.listener.(*net.UnixListener).SetDeadline(time.Now().Add(patience))
	conn, err := l.listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	h := &holder{conn: conn}
	_, err = fmt.Fscanln(conn, &h.pid)
	require.NoError(t, err)
	return h
}

// awaitDeath returns when the process has let go of its files, to die.
func (h *holder) awaitDeath(t testing.TB) {
	t.Helper()
	_, err := h.conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// background is run without its events.
func (l *live) background(t testing.TB) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(end)
	return end
}
