//go:build unix

package procmgr

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// What a program of an oracleCase does, and how to make one do it. Those that
// stay read a standard input that does not end.
var behaviours = map[string]string{
	"exit0":    `/bin/sh -c 'exit 0'`,
	"exit3":    `/bin/sh -c 'exit 3'`,
	"stay":     `/bin/cat`,
	"stubborn": `/bin/sh -c "trap '' TERM; exec cat"`,
	"missing":  `/nonexistent/program`,
	"plain":    `/etc/passwd`,
}

// An oracleCase is a program that supervisord and a Manager are given alike.
type oracleCase struct {
	Program
	behaviour string
}

// ini is the program for supervisord.
func (c oracleCase) ini() string {
	var codes []string
	for _, code := range c.ExitCodes {
		codes = append(codes, strconv.Itoa(code))
	}
	return fmt.Sprintf("[program:%s]\ncommand=%s\nautostart=%t\nautorestart=%s\nexitcodes=%s\nstartsecs=%d\nstartretries=%d\n"+
		"stopwaitsecs=%d\nstdout_logfile=NONE\nstderr_logfile=NONE\n\n",
		c.Name, behaviours[c.behaviour], !c.Manual, c.AutoRestart, strings.Join(codes, ","),
		orDefault(c.StartSecs, 1), orDefault(c.StartRetries, 3), orDefault(c.StopWaitSecs, 10))
}

// loops reports whether the program comes and goes for ever, or for so long
// that the test does not wait for its end.
func (c oracleCase) loops() bool {
	exits := strings.HasPrefix(c.behaviour, "exit")
	return exits && c.StartSecs == Zero && !c.Manual
}

// prefix is how many events of a program that loops are compared.
const prefix = 6

func oracleCasesOf(t *testing.T) (cases []oracleCase) {
	rnd, n := oracleCases(t, 12)
	pick := func(n int) int { return rnd.IntN(n) }
	names := []string{"exit0", "exit3", "stay", "stubborn", "missing", "plain"}
	for i := range n {
		c := oracleCase{behaviour: names[i%len(names)]}
		c.Program = Program{
			Name:         fmt.Sprintf("p%d", i),
			Command:      behaviours[c.behaviour],
			AutoRestart:  AutoRestart(pick(3)),
			ExitCodes:    [][]int{{0}, {3}, {0, 3}}[pick(3)],
			StartRetries: []int{Zero, 1}[pick(2)],
			StartSecs:    Zero,
			StopWaitSecs: 1,
			Manual:       pick(3) == 0,
		}
		switch {
		case strings.HasPrefix(c.behaviour, "exit"):
			// Not 1: supervisord may take so long to see the end of a program.
			// And whether a start with 0 is a failure depends on who is first.
			if c.Manual || pick(2) == 0 {
				c.StartSecs = 3
			}
		case pick(2) == 0:
			c.StartSecs = 1
		}
		cases = append(cases, c)
	}
	return cases
}

// A record is what a manager of processes did: the events of each program, and
// how starts and stops ended, as fault codes; 0 is none.
type record struct {
	events        map[string][]string
	starts, stops map[string]int
}

// A tally gathers events, and lets a test wait for them.
type tally struct {
	mu     sync.Mutex
	events map[string][]string
	grown  chan struct{}
}

func newTally() *tally {
	return &tally{events: map[string][]string{}, grown: make(chan struct{}, 1)}
}

var pidField = regexp.MustCompile(`pid:[1-9]\d*`)

func (t *tally) add(name, payload string) {
	fields := strings.Fields(payload)
	if len(fields) < 3 {
		return
	}
	process := strings.TrimPrefix(fields[0], "processname:")
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events[process] = append(t.events[process], name+" "+pidField.ReplaceAllString(strings.Join(fields[2:], " "), "pid:N"))
	select {
	case t.grown <- struct{}{}:
	default:
	}
}

// await returns when each program has had so many events.
func (t *tally) await(test *testing.T, want map[string]int) {
	test.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		t.mu.Lock()
		missing := ""
		for name, n := range want {
			if got := t.events[name]; len(got) < n {
				missing = fmt.Sprintf("%s has had %d of %d events: %q", name, len(got), n, got)
			}
		}
		t.mu.Unlock()
		if missing == "" {
			return
		}
		select {
		case <-t.grown:
		case <-limit.C:
			test.Fatal(missing)
		}
	}
}

// drive has every manager go through the same: start what is Manual, wait,
// stop what does not loop, wait.
func drive(cases []oracleCase, start, stop func(name string) int, wait func(stopped bool), got *tally) record {
	r := record{map[string][]string{}, map[string]int{}, map[string]int{}}
	for _, c := range cases {
		if c.Manual {
			r.starts[c.Name] = start(c.Name)
		}
	}
	wait(false)
	for _, c := range cases {
		if !c.loops() {
			r.stops[c.Name] = stop(c.Name)
		}
	}
	wait(true)
	got.mu.Lock()
	defer got.mu.Unlock()
	for _, c := range cases {
		events := got.events[c.Name]
		if c.loops() {
			events = events[:min(prefix, len(events))]
		}
		r.events[c.Name] = events
	}
	return r
}

// faultOf is the fault that Supervisor's API has for an error.
func faultOf(t *testing.T, err error) int {
	for fault, kind := range map[int]error{
		10: ErrNoSuchProcess, 20: ErrNoFile, 21: ErrNotExecutable, 40: ErrAbnormalTermination,
		50: ErrSpawn, 60: ErrAlreadyStarted, 70: ErrNotRunning,
	} {
		if errors.Is(err, kind) {
			return fault
		}
	}
	assert.NoError(t, err)
	return 0
}

// predict drives a Manager with fake children in fake time.
func predict(t *testing.T, cases []oracleCase) (r record, before, after map[string]int) {
	b := &fakeBackend{missing: map[string]error{}}
	does := map[string]string{}
	for _, c := range cases {
		does[c.Name] = c.behaviour
		switch c.behaviour {
		case "missing":
			b.missing[c.Name] = errNope
		case "plain":
			b.missing[c.Name] = &commandError{ErrNotExecutable, "command at '/etc/passwd' is not executable"}
		}
	}
	b.behave = func(name string, c *fakeChild) error {
		switch does[name] {
		case "exit0":
			c.die(0)
		case "exit3":
			c.die(3)
		case "stubborn":
			stubborn(b, name, c)
		}
		return nil
	}
	before, after = map[string]int{}, map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		m := New(nil)
		m.backend = b
		for _, c := range cases {
			require.NoError(t, m.Add(c.Program))
		}
		ctx, cancel := context.WithCancel(context.Background())
		got := newTally()
		events := m.Events(ctx)
		go func() {
			for e := range events {
				got.add(e.Name(), e.Payload())
			}
		}()
		done := make(chan error)
		go func() { done <- m.Run(ctx) }()
		synctest.Wait()
		count := func(into map[string]int) {
			for _, c := range cases {
				into[c.Name] = len(got.events[c.Name])
				if c.loops() {
					into[c.Name] = min(into[c.Name], prefix)
				}
			}
		}
		r = drive(cases,
			func(name string) int { return faultOf(t, m.Start(ctx, name)) },
			func(name string) int { return faultOf(t, m.Stop(ctx, name)) },
			func(stopped bool) {
				<-time.After(10 * time.Second)
				synctest.Wait()
				if stopped {
					count(after)
				} else {
					count(before)
				}
			}, got)
		cancel()
		require.NoError(t, <-done)
	})
	return r, before, after
}

// TestOracleStates gives random programs to the installed supervisord, and to
// a Manager, and compares what happens to them.
func TestOracleStates(t *testing.T) {
	supervisord := testenv.Program(t, "supervisord")
	t.Parallel()
	// A supervisord that many programs keep busy drops events.
	for cases := range slices.Chunk(oracleCasesOf(t), 24) {
		t.Run("from "+cases[0].Name, func(t *testing.T) {
			t.Parallel()
			compareStates(t, supervisord, cases)
		})
	}
}

func compareStates(t *testing.T, supervisord string, cases []oracleCase) {
	want, before, after := predict(t, cases)
	wait := func(t *testing.T, got *tally) func(bool) {
		return func(stopped bool) {
			if stopped {
				got.await(t, after)
			} else {
				got.await(t, before)
			}
		}
	}
	compare := func(t *testing.T, got record) {
		for _, c := range cases {
			assert.Equal(t, want.events[c.Name], got.events[c.Name], "events of\n%s", c.ini())
			assert.Equal(t, want.starts[c.Name], got.starts[c.Name], "fault of a start of\n%s", c.ini())
			assert.Equal(t, want.stops[c.Name], got.stops[c.Name], "fault of a stop of\n%s", c.ini())
		}
	}

	t.Run("supervisord", func(t *testing.T) {
		t.Parallel()
		s := runSupervisord(t, supervisord, cases)
		call := func(method string) func(string) int {
			return func(name string) int { return s.call(t, method, name) }
		}
		compare(t, drive(cases, call("supervisor.startProcess"), call("supervisor.stopProcess"), wait(t, s.tally), s.tally))
	})
	t.Run("procmgr", func(t *testing.T) {
		t.Parallel()
		watchForLeaks(t)
		m := New(nil)
		got := newTally()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		events := m.Events(ctx)
		go func() {
			for e := range events {
				got.add(e.Name(), e.Payload())
			}
		}()
		for _, c := range cases {
			require.NoError(t, m.Add(c.Program))
		}
		done := make(chan error, 1)
		running := m.Events(ctx)
		go func() { done <- m.Run(ctx) }()
		for range running {
			break // Run has begun
		}
		compare(t, drive(cases,
			func(name string) int { return faultOf(t, m.Start(ctx, name)) },
			func(name string) int { return faultOf(t, m.Stop(ctx, name)) },
			wait(t, got), got))
		cancel()
		require.NoError(t, <-done)
	})
}

// A supervisordRun is a real supervisord, with an event listener that is the
// test binary and hands on what it hears.
type supervisordRun struct {
	*tally
	client *http.Client
}

func runSupervisord(t *testing.T, path string, cases []oracleCase) *supervisordRun {
	dir, err := os.MkdirTemp("", "pm")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe, err := os.Executable()
	require.NoError(t, err)
	file := func(name string) string { return filepath.Join(dir, name) }

	var conf strings.Builder
	fmt.Fprintf(&conf, "[supervisord]\nnodaemon=true\nlogfile=%s\npidfile=%s\nchildlogdir=%s\n\n", file("log"), file("pid"), dir)
	fmt.Fprintf(&conf, "[unix_http_server]\nfile=%s\n\n", file("rpc"))
	conf.WriteString("[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n")
	fmt.Fprintf(&conf, "[eventlistener:tap]\ncommand=%s\nenvironment=%s=\"listener %s\"\nevents=PROCESS_STATE\nbuffer_size=10000\nstdout_logfile=NONE\nstderr_logfile=%s\n\n",
		exe, childEnv, file("tap"), file("tap.err"))
	for _, c := range cases {
		conf.WriteString(c.ini())
	}
	require.NoError(t, os.WriteFile(file("conf"), []byte(conf.String()), 0o600))

	tap, err := net.Listen("unix", file("tap"))
	require.NoError(t, err)
	t.Cleanup(func() { tap.Close() })
	var output bytes.Buffer
	cmd := exec.Command(path, "-n", "-c", file("conf"))
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		// Not TERM: it would stop one program a second. All of them end by
		// themselves when their standard input does.
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s", output.String())
		}
	})

	// The listener comes when supervisord is up, and so is its API.
	tap.(*net.UnixListener).SetDeadline(time.Now().Add(patience))
	conn, err := tap.Accept()
	require.NoError(t, err, "the event listener")
	t.Cleanup(func() { conn.Close() })
	s := &supervisordRun{tally: newTally()}
	go func() {
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			name, payload, _ := strings.Cut(lines.Text(), " ")
			s.add(name, payload)
		}
	}()
	s.client = &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", file("rpc"))
		},
	}}
	return s
}

var faultCode = regexp.MustCompile(`<name>faultCode</name>\s*<value><int>(\d+)</int>`)

// call calls a method of the API with one string, and returns the fault.
func (s *supervisordRun) call(t *testing.T, method, arg string) int {
	t.Helper()
	body := fmt.Sprintf("<?xml version='1.0'?><methodCall><methodName>%s</methodName><params><param><value><string>%s</string></value></param></params></methodCall>", method, arg)
	reply, err := s.client.Post("http://localhost/RPC2", "text/xml", strings.NewReader(body))
	require.NoError(t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, reply.StatusCode, "%s", text)
	if m := faultCode.FindSubmatch(text); m != nil {
		fault, _ := strconv.Atoi(string(m[1]))
		return fault
	}
	return 0
}

// beListener speaks Supervisor's event listener protocol, and writes each
// event to a socket as a line.
func beListener(socket string) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		panic(err)
	}
	for in := bufio.NewReader(os.Stdin); ; {
		fmt.Print("READY\n")
		header, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fields := map[string]string{}
		for _, f := range strings.Fields(header) {
			name, value, _ := strings.Cut(f, ":")
			fields[name] = value
		}
		n, err := strconv.Atoi(fields["len"])
		if err != nil {
			panic(err)
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(in, payload); err != nil {
			panic(err)
		}
		fmt.Fprintf(conn, "%s %s\n", fields["eventname"], payload)
		fmt.Print("RESULT 2\nOK")
	}
}
