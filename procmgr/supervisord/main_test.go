//go:build unix

package supervisord

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/rpc"
	"github.com/onehost-go/onehost/supervisorconf"
)

func TestWithoutNodaemonTheServerGoesToTheBackground(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "pm")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	d := &drive{t: t, dir: dir, path: exe, own: "directory=/\numask=027\nnodaemon=false"}
	d.configure(d.program("a", d.sh("pwd; umask; echo up; exec cat"), "autostart=false"))
	cmd := exec.Command(exe, "-c", "conf")
	cmd.Dir, cmd.Env = dir, d.environ()
	out, err := cmd.CombinedOutput() // returns when that in the background has let go of it, too
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))

	d.client, err = rpc.Dial("unix://" + d.file("s"))
	require.NoError(t, err)
	defer d.client.Close()
	pid, err := d.client.PID(t.Context())
	require.NoError(t, err)
	defer syscall.Kill(pid, syscall.SIGKILL)
	require.NotEqual(t, cmd.Process.Pid, pid)
	text, err := os.ReadFile(d.file("pid"))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintln(pid), string(text))
	session, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	require.Zero(t, errno)
	require.Equal(t, pid, int(session), "a session of its own")
	require.NoError(t, d.client.StartProcess(t.Context(), "a", true))
	d.awaitLog("a", procmgr.Stdout, "up")
	text, err = os.ReadFile(d.file("a.out"))
	require.NoError(t, err)
	require.Equal(t, "/\n0027\nup\n", string(text))

	again := exec.Command(exe, "-c", "conf")
	again.Dir, again.Env = dir, d.environ()
	out, err = again.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 2, again.ProcessState.ExitCode())
	require.Contains(t, string(out), "Error: Another program is already listening")

	log, err := d.client.TailMain(t.Context())
	require.NoError(t, err)
	require.NoError(t, d.client.Shutdown(t.Context()))
	_, err = io.Copy(io.Discard, log) // until it is gone
	require.NoError(t, err)
}

func TestTheCommandLineStandsOverTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile("conf", []byte("[supervisord]\nlogfile=a.log\nidentifier=a\nloglevel=info\n"), 0o600))
	cmd, err := parseArgs("/usr/bin/supervisord", strings.Fields("-nkts -c conf -l b.log --identifier=b -edebug --logfile_maxb 2KB -z 3 -j b.pid -q . -a 77 --minprocs=88 -d / -m 077"))
	require.NoError(t, err)
	c, err := cmd.load()
	require.NoError(t, err)
	sd := c.Supervisord
	require.Equal(t, []any{true, true, true, true, filepath.Join(dir, "b.log"), "b", supervisorconf.LogDebug, int64(2048), 3, filepath.Join(dir, "b.pid"), ".", 77, 88, "/", 0o77},
		[]any{sd.NoDaemon, sd.NoCleanup, sd.StripANSI, sd.Silent, sd.LogPath, sd.Identifier, sd.LogLevel, sd.LogFileMaxBytes, sd.LogFileBackups, sd.PIDPath, sd.ChildLogDir, sd.MinFDs, sd.MinProcs, sd.Directory, sd.Umask})

	given, rest, err := getopt(strings.Fields("-n -- -c x"))
	require.NoError(t, err)
	require.Equal(t, []flagValue{{"nodaemon", "-n", ""}}, given)
	require.Equal(t, []string{"-c", "x"}, rest)
}

func TestHelpNamesEveryOption(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, 0, Main([]string{"supervisord", "-h"}, &out, io.Discard))
	for _, f := range flags {
		require.Contains(t, out.String(), "--"+f.long)
	}
}

// A pipe is a writer that blocks until it is opened.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	buf  bytes.Buffer
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Write(b)
}

func TestALogThatBlocksHoldsUpNothing(t *testing.T) {
	stdout := &gate{open: make(chan struct{})}
	path := filepath.Join(t.TempDir(), "main.log")
	l, err := openMainLog(&supervisorconf.Supervisord{LogPath: path, LogLevel: supervisorconf.LogInfo}, stdout)
	require.NoError(t, err)
	logger := slog.New(l)
	const lines = queued + 100
	for i := range lines {
		logger.Info(fmt.Sprint("line ", i)) // none of them waits
	}
	logger.Debug("too little")
	close(stdout.open)
	for _, s := range l.sinks {
		s.close()
		<-s.ended
	}
	require.NoError(t, l.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(text), "too little")
	require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO line 0\n`, string(text))
	got := strings.Count(stdout.buf.String(), "\n")
	require.Less(t, got, lines)
	require.GreaterOrEqual(t, got, queued)
	logger.Info("after the end") // is lost
}

func TestEveryLevelHasItsName(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 2, 3, 4_000_000, time.Local)
	for level, name := range map[slog.Level]string{
		levelCritical: "CRIT", slog.LevelError: "ERRO", slog.LevelWarn: "WARN", slog.LevelInfo: "INFO", slog.LevelDebug: "DEBG", levelTrace: "TRAC", levelTrace - 1: "BLAT",
	} {
		require.Equal(t, "2026-11-25 01:02:03,004 "+name+" x\n", string(format(at, levelOf(level), "x")))
	}
}

func TestSyslogGetsLines(t *testing.T) {
	w := &syslogWriter{name: "a"}
	for _, part := range []string{"one\ntw", "o\n", strings.Repeat("x", 2*maxLine), "\n"} {
		n, err := w.Write([]byte(part))
		require.NoError(t, err)
		require.Equal(t, len(part), n)
		require.Less(t, len(w.rest), maxLine)
	}
}
