//go:build unix

package supervisord

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/supervisorconf"
)

// orZero is n as procmgr wants it, where 0 would be the default.
func orZero[T ~int | ~int64](n T) T {
	if n == 0 {
		return procmgr.Zero
	}
	return n
}

// convertGroup makes a procmgr group of one of the configuration.
func convertGroup(sd *supervisorconf.Supervisord, g *supervisorconf.Group) (procmgr.Group, error) {
	group := procmgr.Group{Name: g.Name, Priority: orZero(g.Priority)}
	switch g.Kind {
	case supervisorconf.KindEventListener:
		// Others are Python's.
		if g.ResultHandler != defaultHandler {
			return group, at(g.Processes[0], fmt.Errorf("result_handler %s cannot be run", g.ResultHandler))
		}
		group.Listener = &procmgr.Listener{Events: g.Events, BufferSize: g.BufferSize}
	case supervisorconf.KindFCGIProgram:
		group.Socket = convertSocket(g.Socket)
	}
	for _, p := range g.Processes {
		program, err := convert(sd, p)
		if err != nil {
			return group, at(p, err)
		}
		group.Programs = append(group.Programs, program)
	}
	return group, nil
}

// What of Python's we know how to be.
const (
	defaultHandler = "supervisor.dispatchers:default_handler"
	mainInterface  = "supervisor.rpcinterface:make_main_rpcinterface"
)

func at(p *supervisorconf.Process, err error) error {
	return fmt.Errorf("supervisord: %s: [%s:%s]: %w", p.Program.Section().Pos(), p.Program.Kind, p.Program.Name, err)
}

func convertSocket(from *supervisorconf.Socket) *procmgr.Socket {
	if from.Path == "" {
		return &procmgr.Socket{Network: "tcp", Address: net.JoinHostPort(from.Host, strconv.Itoa(from.Port)), Backlog: from.Backlog}
	}
	to := &procmgr.Socket{Network: "unix", Address: from.Path, Backlog: from.Backlog, Mode: fs.FileMode(from.Mode)}
	if o := from.Owner; o != nil {
		to.Owner = o.Name
		if o.UID >= 0 && o.GID >= 0 {
			to.Owner = fmt.Sprintf("%d:%d", o.UID, o.GID)
		}
	}
	return to
}

// convert makes a procmgr program of one process.
func convert(sd *supervisorconf.Supervisord, p *supervisorconf.Process) (procmgr.Program, error) {
	from := p.Program
	to := procmgr.Program{
		Name:        p.Name,
		Command:     p.Command,
		Directory:   p.Directory,
		Environment: p.Environment,

		Priority:     orZero(from.Priority),
		Manual:       !from.Autostart,
		StartSecs:    orZero(from.StartSecs),
		StartRetries: orZero(from.StartRetries),
		ExitCodes:    append([]int{}, from.ExitCodes...), // an empty list is not the default
		StopWaitSecs: orZero(from.StopWaitSecs),
		StopAsGroup:  from.StopAsGroup,
		KillAsGroup:  from.KillAsGroup,

		RedirectStderr: from.RedirectStderr,
	}
	if from.User != nil {
		to.User = from.User.Name
	}
	if from.Umask >= 0 {
		to.Umask = orZero(from.Umask)
	}
	if from.ServerURL != "" {
		to.Environment = map[string]string{"SUPERVISOR_SERVER_URL": from.ServerURL}
		for name, value := range p.Environment {
			to.Environment[name] = value
		}
	}
	switch from.Autorestart {
	case supervisorconf.AutorestartAlways:
		to.AutoRestart = procmgr.RestartAlways
	case supervisorconf.AutorestartNever:
		to.AutoRestart = procmgr.RestartNever
	}
	sig, ok := signals[from.StopSignal.String()]
	if !ok && runtime.GOOS == "linux" { // whose numbers they are
		sig, ok = syscall.Signal(from.StopSignal), from.StopSignal > 0
	}
	if !ok {
		return to, fmt.Errorf("stopsignal %s is not known here", from.StopSignal)
	}
	to.StopSignal = sig
	var err error
	if to.Stdout, err = logOf(sd, p, p.Stdout, "stdout"); err != nil {
		return to, err
	}
	if from.Kind == supervisorconf.KindEventListener {
		to.Stdout.Events, to.Stdout.CaptureMaxBytes = false, 0 // it is where the protocol is spoken
	}
	if !from.RedirectStderr {
		to.Stderr, err = logOf(sd, p, p.Stderr, "stderr")
	}
	return to, err
}

// signals are those that one stops a process with, by the names that all
// systems share.
var signals = map[string]syscall.Signal{
	"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT,
	"KILL": syscall.SIGKILL, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "CONT": syscall.SIGCONT, "PIPE": syscall.SIGPIPE,
	"STOP": syscall.SIGSTOP, "TSTP": syscall.SIGTSTP, "WINCH": syscall.SIGWINCH, "URG": syscall.SIGURG,
}

func logOf(sd *supervisorconf.Supervisord, p *supervisorconf.Process, l supervisorconf.Log, channel string) (procmgr.Log, error) {
	to := procmgr.Log{StripANSI: sd.StripANSI, Events: l.EventsEnabled, CaptureMaxBytes: l.CaptureMaxBytes}
	syslog := l.Syslog
	switch l.File {
	case supervisorconf.LogNone:
	case supervisorconf.LogAuto:
		file, err := autoLog(sd, p.Name, channel)
		if err != nil {
			return to, err
		}
		to.File = file
	case "syslog":
		syslog = true
	default:
		to.File = filepath.Clean(string(l.File))
	}
	if to.File != "" {
		to.MaxBytes, to.Backups = orZero(l.MaxBytes), orZero(l.Backups)
	}
	if syslog {
		to.Writer = &syslogWriter{name: p.Name}
	}
	return to, nil
}

// autoLog makes an automatic log file: supervisor.options,
// get_autochildlog_name.
func autoLog(sd *supervisorconf.Supervisord, process, channel string) (string, error) {
	f, err := os.CreateTemp(autoLogDir(sd), fmt.Sprintf("%s-%s---%s-*.log", process, channel, identifierOf(sd)))
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

func autoLogDir(sd *supervisorconf.Supervisord) string { return cmp.Or(sd.ChildLogDir, os.TempDir()) }

// removeAutoLogs is supervisor.options, clear_autochildlogdir.
func (s *Server) removeAutoLogs(sd *supervisorconf.Supervisord) {
	dir := autoLogDir(sd)
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.logger.Log(context.Background(), levelWarn, "Could not clear childlog dir")
		return
	}
	// The identifier is no pattern here, as it is there.
	name := regexp.MustCompile(`^.+?---` + regexp.QuoteMeta(identifierOf(sd)) + `-\S+\.log\.?\d{0,4}`)
	for _, e := range entries {
		if !name.MatchString(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := os.Remove(path); err != nil {
			s.logger.Warn("Failed to clean up '" + path + "'")
		}
	}
}
