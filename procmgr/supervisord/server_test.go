//go:build unix

package supervisord

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/supervisorconf"
)

func load(t *testing.T, text string) *supervisorconf.Config {
	t.Helper()
	c, err := supervisorconf.Load(fstest.MapFS{"s.conf": {Data: []byte(text)}}, "s.conf", &supervisorconf.LoadOptions{
		IsDir: func(string) bool { return true },
	})
	require.NoError(t, err)
	return c
}

func TestTheProgramsOfAConfigurationRunAndStop(t *testing.T) {
	log := filepath.Join(t.TempDir(), "out.log")
	s, err := New(load(t, `[supervisord]
[program:web]
command=sleep 1000
numprocs=2
process_name=%(program_name)s_%(process_num)d
startsecs=0
stdout_logfile=NONE
[program:once]
command=env
environment=COLOUR="blue",SIZE="%(process_num)d"
startsecs=0
autorestart=false
redirect_stderr=true
stdout_logfile=`+log+`
[program:later]
command=sleep 1000
autostart=false
stdout_logfile=NONE
`), &Options{Environ: []string{"PATH=" + os.Getenv("PATH"), "FROM=here"}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	events := s.Manager().Events(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	waiting := map[string]procmgr.State{"web:web_0": procmgr.Running, "web:web_1": procmgr.Running, "once": procmgr.Exited}
	for e := range events {
		name := procmgr.Status{Group: e.Group, Name: e.Process}.FullName()
		if e.Type == procmgr.EventProcessState && waiting[name] == e.To {
			delete(waiting, name)
		}
		if len(waiting) == 0 {
			break
		}
	}
	states := map[string]procmgr.State{}
	for _, st := range s.Manager().Status() {
		states[st.FullName()] = st.State
	}
	require.Equal(t, map[string]procmgr.State{
		"web:web_0": procmgr.Running, "web:web_1": procmgr.Running, "once": procmgr.Exited, "later": procmgr.Stopped,
	}, states)
	cancel()
	require.NoError(t, <-done)
	out, err := os.ReadFile(log)
	require.NoError(t, err)
	for _, line := range []string{"FROM=here\n", "COLOUR=blue\n", "SIZE=0\n", "SUPERVISOR_PROCESS_NAME=once\n"} {
		require.Contains(t, string(out), line)
	}
}

func TestEveryOptionOfAProgramArrives(t *testing.T) {
	c := load(t, `[supervisord]
[program:a]
command=/bin/x "y z"
directory=/srv
priority=0
autostart=false
autorestart=true
startsecs=0
startretries=0
exitcodes=0,7
stopsignal=QUIT
stopwaitsecs=0
stopasgroup=true
umask=000
environment=A="b"
stdout_logfile=/var/log/a.log
stdout_logfile_maxbytes=0
stdout_logfile_backups=0
stderr_logfile=/var/log/b.log
stderr_logfile_maxbytes=1MB
[program:b]
command=/bin/y
stdout_logfile=NONE
stderr_logfile=NONE
`)
	var got []procmgr.Program
	for _, p := range c.Processes() {
		program, err := convert(&c.Supervisord, p)
		require.NoError(t, err)
		got = append(got, program)
	}
	require.Equal(t, []procmgr.Program{{
		Name: "a", Command: `/bin/x "y z"`, Directory: "/srv", Umask: procmgr.Zero,
		Environment: map[string]string{"A": "b"},
		Priority:    procmgr.Zero, Manual: true, AutoRestart: procmgr.RestartAlways,
		StartSecs: procmgr.Zero, StartRetries: procmgr.Zero, ExitCodes: []int{0, 7},
		StopSignal: syscall.SIGQUIT, StopWaitSecs: procmgr.Zero, StopAsGroup: true, KillAsGroup: true,
		Stdout: procmgr.Log{File: "/var/log/a.log", MaxBytes: procmgr.Zero, Backups: procmgr.Zero},
		Stderr: procmgr.Log{File: "/var/log/b.log", MaxBytes: 1 << 20, Backups: 10},
	}, {
		Name: "b", Command: "/bin/y", Environment: map[string]string{},
		Priority: 999, StartSecs: 1, StartRetries: 3, ExitCodes: []int{0},
		StopSignal: syscall.SIGTERM, StopWaitSecs: 10,
	}}, got)
}

func TestWhatCannotBeRunIsRefusedWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"[eventlistener:x]\ncommand=/x\nevents=TICK_5\nresult_handler=a:b\n": "supervisord: s.conf:2:1: [eventlistener:x]: result_handler a:b cannot be run",
	} {
		_, err := New(load(t, "[supervisord]\n"+text), nil)
		require.EqualError(t, err, want)
	}
}

func TestSyslogIsServedBesideAFile(t *testing.T) {
	c := load(t, "[supervisord]\n[program:x]\ncommand=/x\nstdout_syslog=true\nstdout_logfile=/tmp/x\n")
	l, err := logOf(&c.Supervisord, c.Groups[0].Processes[0], c.Groups[0].Processes[0].Stdout, "stdout")
	require.NoError(t, err)
	require.Equal(t, "/tmp/x", l.File)
	require.Equal(t, &syslogWriter{name: "x"}, l.Writer)
}

func TestListenersAndSocketsArrive(t *testing.T) {
	c := load(t, `[supervisord]
strip_ansi=true
[eventlistener:l]
command=/x
events=TICK_5,process_state
buffer_size=7
stdout_logfile=NONE
stderr_logfile=syslog
[fcgi-program:f]
command=/y
socket=unix:///run/f.sock
socket_mode=0770
stdout_logfile=NONE
stderr_logfile=/var/log/f
stderr_events_enabled=true
stderr_capture_maxbytes=1KB
[fcgi-program:g]
command=/z
socket=tcp://localhost:9002
socket_backlog=5
stdout_logfile=NONE
stderr_logfile=NONE
serverurl=http://localhost:1
environment=A="b"
`)
	groups := map[string]procmgr.Group{}
	for _, g := range c.Groups {
		group, err := convertGroup(&c.Supervisord, g)
		require.NoError(t, err)
		groups[g.Name] = group
	}
	l, f, g := groups["l"], groups["f"], groups["g"]
	require.Equal(t, &procmgr.Listener{Events: []string{"TICK_5", "PROCESS_STATE"}, BufferSize: 7}, l.Listener)
	require.Equal(t, -1, l.Priority)
	require.Equal(t, &syslogWriter{name: "l"}, l.Programs[0].Stderr.Writer)
	require.Equal(t, &procmgr.Socket{Network: "unix", Address: "/run/f.sock", Mode: 0o770}, f.Socket)
	require.Equal(t, procmgr.Log{File: "/var/log/f", MaxBytes: 50 << 20, Backups: 10, StripANSI: true, Events: true, CaptureMaxBytes: 1024}, f.Programs[0].Stderr)
	require.Equal(t, &procmgr.Socket{Network: "tcp", Address: "localhost:9002", Backlog: 5}, g.Socket)
	require.Equal(t, map[string]string{"A": "b", "SUPERVISOR_SERVER_URL": "http://localhost:1"}, g.Programs[0].Environment)
}

func TestTheStateFileArrives(t *testing.T) {
	s, err := New(load(t, "[supervisord]\n"), &Options{StateFile: t.TempDir()})
	require.NoError(t, err)
	require.ErrorIs(t, s.Run(t.Context()), syscall.EISDIR)
}
