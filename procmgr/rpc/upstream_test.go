//go:build unix

package rpc

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/procmgr"
)

const patience = 2 * time.Minute // on a machine that has much else to do

// A daemon is a real supervisord.
type daemon struct {
	t    testing.TB
	dir  string
	port int

	mu    sync.Mutex
	lines []string // of its log
	grown chan struct{}
}

func (d *daemon) file(name string) string { return filepath.Join(d.dir, name) }

// configure writes the configuration: the programs, beside two servers.
func (d *daemon) configure(programs string) {
	conf := fmt.Sprintf("[supervisord]\nlogfile=%s\npidfile=%s\nchildlogdir=%s\nidentifier=under test\n\n", d.file("main.log"), d.file("pid"), d.dir) +
		fmt.Sprintf("[unix_http_server]\nfile=%s\n\n", d.file("s")) +
		fmt.Sprintf("[inet_http_server]\nport=127.0.0.1:%d\nusername=me\npassword=s3cret/:@\n\n", d.port) +
		"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n" + programs
	require.NoError(d.t, os.WriteFile(d.file("conf"), []byte(conf), 0o600))
}

// await returns when a line of the log matches.
func (d *daemon) await(pattern string) {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for seen := 0; ; {
		d.mu.Lock()
		for ; seen < len(d.lines); seen++ {
			if re.MatchString(d.lines[seen]) {
				d.mu.Unlock()
				return
			}
		}
		d.mu.Unlock()
		select {
		case <-d.grown:
		case <-limit.C:
			d.t.Fatalf("the log of supervisord never says %s", pattern)
		}
	}
}

func (d *daemon) dial(url string) *Client {
	c, err := Dial(url)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { c.Close() })
	return c
}

func (d *daemon) client() *Client { return d.dial("unix://" + d.file("s")) }

// runSupervisord returns when its servers answer.
func runSupervisord(t testing.TB, programs string) *daemon {
	path := testenv.Program(t, "supervisord")
	dir, err := os.MkdirTemp("", "pm") // t.TempDir is too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{t: t, dir: dir, grown: make(chan struct{}, 1)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	d.configure(programs)

	cmd := exec.Command(path, "-n", "-c", d.file("conf"))
	cmd.Env = append(os.Environ(), "TZ=UTC", "PYTHONUNBUFFERED=1", "LC_ALL=C.UTF-8")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			d.mu.Lock()
			d.lines = append(d.lines, lines.Text())
			d.mu.Unlock()
			select {
			case d.grown <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() {
		// Not TERM: it would stop one program a second. All of them end by
		// themselves when their standard input does.
		cmd.Process.Kill()
		<-ended
		cmd.Wait()
		if t.Failed() {
			t.Logf("supervisord:\n%s", strings.Join(d.lines, "\n"))
		}
	})
	d.await("supervisord started with pid")
	return d
}

const quiet = "autorestart=false\nstdout_logfile=NONE\nstderr_logfile=NONE\n"

func upstreamPrograms(dir string) string {
	return "[program:cat]\ncommand=/bin/cat\nstartsecs=0\nautostart=false\n" + "autorestart=false\nstderr_logfile=NONE\nstdout_logfile=" + dir + "/cat.log\n\n" +
		"[group:g]\nprograms=one,two\npriority=5\n\n" +
		"[program:one]\ncommand=/bin/cat\nautostart=false\nstartsecs=0\n" + quiet + "\n" +
		"[program:two]\ncommand=/nonexistent/two\nautostart=false\n" + quiet + "\n" +
		"[program:plain]\ncommand=/etc/passwd\nautostart=false\n" + quiet + "\n" +
		"[program:false]\ncommand=/bin/false\nautostart=false\nstartretries=0\nstartsecs=10\nexitcodes=0,2\nstopsignal=INT\ndirectory=/\numask=022\n" + quiet + "\n" +
		"[program:err]\ncommand=/bin/sh -c 'printf 0123456789 >&2; exec cat'\nautostart=false\nautorestart=false\nstdout_logfile=NONE\nstderr_logfile=" + dir + "/err.log\n\n"
}

// Every method of the API, as the real supervisord has it.
func TestOracleClient(t *testing.T) {
	t.Parallel()
	d := runSupervisord(t, "")
	d.configure(upstreamPrograms(d.dir))
	c, ctx := d.client(), t.Context()

	t.Run("server", func(t *testing.T) {
		v, err := c.APIVersion(ctx)
		require.NoError(t, err)
		require.Equal(t, "3.0", v)
		v, err = c.SupervisorVersion(ctx)
		require.NoError(t, err)
		require.Regexp(t, `^\d+\.\d+`, v)
		v, err = c.Identification(ctx)
		require.NoError(t, err)
		require.Equal(t, "under test", v)
		s, err := c.State(ctx)
		require.NoError(t, err)
		require.Equal(t, procmgr.ManagerRunning, s)
		pid, err := c.PID(ctx)
		require.NoError(t, err)
		text, err := os.ReadFile(d.file("pid"))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintln(pid), string(text))
	})

	t.Run("configuration", func(t *testing.T) {
		ch, err := c.ReloadConfig(ctx)
		require.NoError(t, err)
		require.Equal(t, Changes{Added: []string{"g", "cat", "err", "false", "plain"}, Changed: []string{}, Removed: []string{}}, ch)
		for _, g := range ch.Added {
			require.NoError(t, c.AddProcessGroup(ctx, g))
		}
		require.ErrorIs(t, c.AddProcessGroup(ctx, "g"), AlreadyAdded)
		require.ErrorIs(t, c.AddProcessGroup(ctx, "nope"), BadName)
		require.ErrorIs(t, c.RemoveProcessGroup(ctx, "nope"), BadName)
		require.NoError(t, c.RemoveProcessGroup(ctx, "plain"))
		require.NoError(t, c.AddProcessGroup(ctx, "plain"))

		all, err := c.AllConfigInfo(ctx)
		require.NoError(t, err)
		require.Len(t, all, 6)
		all[2].Autorestart = "" // of a newer one
		require.Equal(t, ConfigInfo{
			Group: "false", Name: "false", InUse: true, GroupPriority: 999, ProcessPriority: 999, Command: "/bin/false", Directory: "/", UID: -1,
			StartSecs: 10, ExitCodes: []int{0, 2}, StopSignal: syscall.SIGINT, StopWaitSecs: 10,
			Stdout: LogInfo{MaxBytes: 50 << 20, Backups: 10}, Stderr: LogInfo{MaxBytes: 50 << 20, Backups: 10}, ServerURL: all[2].ServerURL,
		}, all[2])
		require.Equal(t, 5, all[3].GroupPriority)
	})

	t.Run("processes", func(t *testing.T) {
		require.NoError(t, c.StartProcess(ctx, "cat", true))
		i, err := c.ProcessInfo(ctx, "cat")
		require.NoError(t, err)
		assert.Equal(t, procmgr.Running, i.State)
		assert.Positive(t, i.PID)
		assert.Regexp(t, `^pid \d+, uptime 0:00:`, i.Description)
		assert.WithinDuration(t, time.Now(), i.Start, time.Minute)
		assert.True(t, i.Stop.IsZero())
		assert.Equal(t, d.file("cat.log"), i.StdoutLog)
		assert.Empty(t, i.StderrLog)
		all, err := c.AllProcessInfo(ctx)
		require.NoError(t, err)
		require.Len(t, all, 6)
		require.Equal(t, "g:one", all[3].FullName())
		require.Equal(t, "Not started", all[3].Description)

		require.NoError(t, c.StopProcess(ctx, "cat", true))
		i, err = c.ProcessInfo(ctx, "cat")
		require.NoError(t, err)
		require.Equal(t, procmgr.Stopped, i.State)
		require.Equal(t, -1, i.ExitStatus)
	})

	t.Run("faults", func(t *testing.T) {
		require.NoError(t, c.StartProcess(ctx, "cat", true))
		defer c.StopProcess(ctx, "cat", true)
		for _, f := range []struct {
			err  error
			code Code
			text string
			also error
		}{
			{c.StartProcess(ctx, "nope", true), BadName, "BAD_NAME: nope", procmgr.ErrNoSuchProcess},
			{c.StartProcess(ctx, "cat", true), AlreadyStarted, "ALREADY_STARTED: cat", procmgr.ErrAlreadyStarted},
			{c.StartProcess(ctx, "g:two", true), NoFile, "NO_FILE: can't find command '/nonexistent/two'", procmgr.ErrNoFile},
			{c.StartProcess(ctx, "plain", true), NotExecutable, "NOT_EXECUTABLE: command at '/etc/passwd' is not executable", procmgr.ErrNotExecutable},
			{c.StartProcess(ctx, "false", true), SpawnError, "SPAWN_ERROR: false", procmgr.ErrSpawn},
			{c.StopProcess(ctx, "err", true), NotRunning, "NOT_RUNNING: err", procmgr.ErrNotRunning},
			{c.SignalProcess(ctx, "cat", "NOPE"), BadSignal, "BAD_SIGNAL: NOPE", procmgr.ErrBadSignal},
			{c.RemoveProcessGroup(ctx, "cat"), StillRunning, "STILL_RUNNING: cat", procmgr.ErrStillRunning},
			{c.SendProcessStdin(ctx, "err", "x"), NotRunning, "NOT_RUNNING: err", procmgr.ErrNotRunning},
			{c.do(ctx, "supervisor.nope"), UnknownMethod, "UNKNOWN_METHOD", UnknownMethod},
			{c.do(ctx, "supervisor.getProcessInfo"), IncorrectParameters, "INCORRECT_PARAMETERS", IncorrectParameters},
		} {
			assert.Equal(t, &Fault{f.code, f.text}, f.err)
			assert.ErrorIs(t, f.err, f.code)
			assert.ErrorIs(t, f.err, f.also)
			assert.NotErrorIs(t, f.err, Success)
		}
		_, err := c.ReadProcessLog(ctx, "cat", procmgr.Stdout, -1, 1)
		require.ErrorIs(t, err, BadArguments)
		_, err = c.ReadProcessLog(ctx, "cat", procmgr.Stderr, 0, 0)
		require.ErrorIs(t, err, NoFile)
		_, err = c.ReadProcessLog(ctx, "cat", 7, 0, 0)
		require.Error(t, err)
	})

	t.Run("groups", func(t *testing.T) {
		results, err := c.StartProcessGroup(ctx, "g", true)
		require.NoError(t, err)
		require.ElementsMatch(t, []Result{
			{"g", "one", Success, "OK"}, {"g", "two", NoFile, "NO_FILE: can't find command '/nonexistent/two'"},
		}, results)
		require.ErrorIs(t, c.StartProcess(ctx, "g:*", true), NoFile, "one is running, two cannot be started")
		results, err = c.SignalProcessGroup(ctx, "g", "CONT")
		require.NoError(t, err)
		require.Equal(t, []Result{{"g", "one", Success, "OK"}}, results)
		require.NoError(t, results[0].Err())
		results, err = c.StopProcessGroup(ctx, "g", true)
		require.NoError(t, err)
		require.Equal(t, []Result{{"g", "one", Success, "OK"}}, results)
		require.NoError(t, c.StopProcess(ctx, "g:*", true), "there is nothing to stop")
		_, err = c.StartProcessGroup(ctx, "nope", true)
		require.ErrorIs(t, err, BadName)

		require.NoError(t, c.StartProcess(ctx, "cat", true))
		results, err = c.SignalAllProcesses(ctx, "SIGCONT")
		require.NoError(t, err)
		require.Equal(t, []Result{{"cat", "cat", Success, "OK"}}, results)
		results, err = c.StopAllProcesses(ctx, true)
		require.NoError(t, err)
		require.Contains(t, results, Result{"cat", "cat", Success, "OK"})
		results, err = c.StartAllProcesses(ctx, false)
		require.NoError(t, err)
		require.Len(t, results, 6)
		_, err = c.StopAllProcesses(ctx, true)
		require.NoError(t, err)
	})

	t.Run("logs", func(t *testing.T) {
		require.NoError(t, c.StartProcess(ctx, "cat", true))
		follow, err := c.Tail(ctx, "cat", procmgr.Stdout)
		require.NoError(t, err)
		defer follow.Close()
		require.NoError(t, c.SendProcessStdin(ctx, "cat", "grüße "))
		require.NoError(t, c.SendProcessStdin(ctx, "cat", "& <\x1b[1m>\r\n"))
		line, err := bufio.NewReader(follow).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "grüße & <\x1b[1m>\r\n", line)
		text, err := c.ReadProcessLog(ctx, "cat", procmgr.Stdout, 0, 0)
		require.NoError(t, err)
		require.Equal(t, line, text)
		text, err = c.ReadProcessLog(ctx, "cat", procmgr.Stdout, -3, 0)
		require.NoError(t, err)
		require.Equal(t, text, line[len(line)-3:])
		tail, err := c.TailProcessLog(ctx, "cat", procmgr.Stdout, 0, 3)
		require.NoError(t, err)
		require.Equal(t, LogTail{line[len(line)-3:], int64(len(line)), true}, tail)
		tail, err = c.TailProcessLog(ctx, "g:one", procmgr.Stdout, 0, 3)
		require.NoError(t, err)
		require.Equal(t, LogTail{}, tail)

		require.NoError(t, c.ClearProcessLogs(ctx, "err")) // does nothing, since it does not run
		require.NoError(t, os.Remove(d.file("err.log")))
		require.NoError(t, c.StartProcess(ctx, "err", true))
		text, err = c.ReadProcessLog(ctx, "err", procmgr.Stderr, 2, 3)
		require.NoError(t, err)
		require.Equal(t, "234", text)
		tail, err = c.TailProcessLog(ctx, "err", procmgr.Stderr, 0, 10)
		require.NoError(t, err)
		require.Equal(t, LogTail{"0123456789", 10, false}, tail)
		require.NoError(t, c.ClearProcessLogs(ctx, "err"))
		text, err = c.ReadProcessLog(ctx, "err", procmgr.Stderr, 0, 0)
		require.NoError(t, err)
		require.Empty(t, text)
		results, err := c.ClearAllProcessLogs(ctx)
		require.NoError(t, err)
		require.Len(t, results, 6)

		_, err = c.Tail(ctx, "nope", procmgr.Stdout)
		var no *HTTPError
		require.ErrorAs(t, err, &no)
		require.Equal(t, http.StatusNotFound, no.StatusCode)
		_, err = c.Tail(ctx, "g:one", procmgr.Stdout)
		require.ErrorAs(t, err, &no)
	})

	t.Run("log that is no XML", func(t *testing.T) {
		const odd = "\x1b[31mred\x1b[0m\r\n\x01\x7f"
		require.NoError(t, os.WriteFile(d.file("cat.log"), []byte(odd), 0o600))
		text, err := c.ReadProcessLog(ctx, "cat", procmgr.Stdout, 0, 0)
		require.NoError(t, err)
		require.Equal(t, odd, text)
		require.NoError(t, os.WriteFile(d.file("cat.log"), []byte("\xff\n"), 0o600))
		_, err = c.ReadProcessLog(ctx, "cat", procmgr.Stdout, 0, 0)
		require.Equal(t, &HTTPError{500}, err)
		follow, err := c.Tail(ctx, "cat", procmgr.Stdout)
		require.NoError(t, err)
		line, err := bufio.NewReader(follow).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "\xff\n", line)
		require.NoError(t, follow.Close())
	})

	t.Run("main log", func(t *testing.T) {
		text, err := c.ReadLog(ctx, 0, 0)
		require.NoError(t, err)
		require.Contains(t, text, "supervisord started with pid")
		follow, err := c.TailMain(ctx)
		require.NoError(t, err)
		defer follow.Close()
		require.NoError(t, c.ClearLog(ctx))
		text, err = c.ReadLog(ctx, 0, 0)
		require.NoError(t, err)
		require.NotContains(t, text, "supervisord started with pid")
	})

	t.Run("introspection", func(t *testing.T) {
		names, err := c.ListMethods(ctx)
		require.NoError(t, err)
		require.Contains(t, names, "supervisor.getPID")
		help, err := c.MethodHelp(ctx, "supervisor.getPID")
		require.NoError(t, err)
		require.Contains(t, help, "@return int")
		signature, err := c.MethodSignature(ctx, "supervisor.startProcess")
		require.NoError(t, err)
		require.Equal(t, []string{"boolean", "string", "boolean"}, signature)
		_, err = c.MethodHelp(ctx, "nope")
		require.ErrorIs(t, err, SignatureUnsupported)
	})

	t.Run("multicall", func(t *testing.T) {
		replies, err := c.Multicall(ctx, Request{"supervisor.getPID", nil}, Request{"supervisor.getProcessInfo", []any{"nope"}},
			Request{"supervisor.startProcess", []any{"g:one"}}, Request{"supervisor.reloadConfig", nil}, Request{"supervisor.stopProcess", []any{"g:one"}})
		require.NoError(t, err)
		pid, err := c.PID(ctx)
		require.NoError(t, err)
		require.Equal(t, pid, replies[0].Value)
		require.ErrorIs(t, replies[1].Err, BadName)
		require.Equal(t, Reply{Value: true}, replies[2])
		require.Equal(t, []any{[]any{[]any{}, []any{}, []any{}}}, replies[3].Value)
		require.NoError(t, replies[4].Err)
	})

	t.Run("events", func(t *testing.T) {
		require.NoError(t, c.SendRemoteCommEvent(ctx, "type", "data"))
	})

	t.Run("authentication", func(t *testing.T) {
		for _, address := range []string{"http://127.0.0.1:%d", "http://me:wrong@127.0.0.1:%d", "http://other:s3cret%%2F%%3A%%40@127.0.0.1:%d"} {
			_, err := d.dial(fmt.Sprintf(address, d.port)).PID(ctx)
			require.ErrorIs(t, err, ErrUnauthorized)
			_, err = d.dial(fmt.Sprintf(address, d.port)).TailMain(ctx)
			require.ErrorIs(t, err, ErrUnauthorized)
		}
		_, err := d.dial(fmt.Sprintf("http://me:s3cret%%2F%%3A%%40@127.0.0.1:%d/RPC2", d.port)).PID(ctx)
		require.NoError(t, err)
	})

	t.Run("waiting holds up nobody", func(t *testing.T) {
		d.configure(upstreamPrograms(d.dir) + "[program:slow]\ncommand=/bin/cat\nautostart=false\nstartsecs=1000\n" + quiet)
		_, err := c.ReloadConfig(ctx)
		require.NoError(t, err)
		require.NoError(t, c.AddProcessGroup(ctx, "slow"))
		waiting, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- c.StartProcess(waiting, "slow", true) }()
		d.await("spawned: 'slow'")
		_, err = c.PID(ctx)
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		i, err := c.ProcessInfo(ctx, "slow")
		require.NoError(t, err)
		require.Equal(t, procmgr.Starting, i.State, "the server goes on")

		go func() { done <- c.StartProcess(ctx, "g:one", true) }()
		require.NoError(t, <-done)
		require.NoError(t, c.StopProcess(ctx, "slow", true))
	})

	t.Run("broken configuration", func(t *testing.T) {
		d.configure("[program:x]\n")
		_, err := c.ReloadConfig(ctx)
		require.ErrorIs(t, err, CantReread)
		require.ErrorContains(t, err, "CANT_REREAD: program section program:x does not specify a command")
	})

	t.Run("end", func(t *testing.T) {
		d.configure("")
		require.NoError(t, c.Restart(ctx))
		d.await("supervisord started with pid.*")
		follow, err := c.TailMain(ctx)
		if err == nil { // the old one, or the new one
			follow.Close()
		}
	})
}

func TestOracleClientShutdown(t *testing.T) {
	t.Parallel()
	d := runSupervisord(t, "[program:slow]\ncommand=/bin/sh -c \"trap '' TERM; echo TERM is ignored; exec cat\"\nautostart=false\nstartsecs=0\nstopwaitsecs=1\nstderr_logfile=NONE\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n")
	c, ctx := d.client(), t.Context()
	require.NoError(t, c.StartProcess(ctx, "slow", true))
	d.await("TERM is ignored")
	require.NoError(t, c.Shutdown(ctx))
	_, err := c.State(ctx)
	require.ErrorIs(t, err, ShutdownState)
	require.ErrorIs(t, err, procmgr.ErrShutdown)
	d.await("waiting for slow to die")
}
