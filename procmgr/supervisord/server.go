//go:build unix

package supervisord

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/supervisorconf"
)

// Options are the options of [New]. The zero value, like nil, is right.
type Options struct {
	// Logger gets what supervisord would write to its log; nil for none.
	Logger *slog.Logger
	// Environ is what the processes inherit, as "NAME=value"; nil is
	// os.Environ(). What the configuration sets comes on top.
	Environ []string
}

// A Server runs the programs of one configuration.
type Server struct {
	manager *procmgr.Manager
}

// New makes a Server of a configuration. Relative paths in it are relative to
// the directory that this process has when the programs start. The error names
// the place of a program that cannot be run.
func New(c *supervisorconf.Config, o *Options) (*Server, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Server{manager: procmgr.New(&procmgr.Options{
		Logger: o.Logger, Environ: o.Environ, ServerURL: c.Supervisord.ServerURL,
	})}
	for _, g := range c.Groups {
		group := procmgr.Group{Name: g.Name, Priority: orZero(g.Priority)}
		for _, p := range g.Processes {
			if p.Program.Kind != supervisorconf.KindProgram {
				return nil, at(p, fmt.Errorf("%s programs cannot be run yet", p.Program.Kind))
			}
			program, err := convert(c, p)
			if err != nil {
				return nil, at(p, err)
			}
			group.Programs = append(group.Programs, program)
		}
		if err := s.manager.AddGroup(group); err != nil {
			return nil, fmt.Errorf("supervisord: %w", err)
		}
	}
	return s, nil
}

func at(p *supervisorconf.Process, err error) error {
	return fmt.Errorf("supervisord: %s: [%s:%s]: %w", p.Program.Section().Pos(), p.Program.Kind, p.Program.Name, err)
}

// Manager returns what runs the processes. It is the same one all the time.
func (s *Server) Manager() *procmgr.Manager { return s.manager }

// Run starts the programs and keeps them up until ctx is done, then stops
// them; see [procmgr.Manager.Run].
func (s *Server) Run(ctx context.Context) error { return s.manager.Run(ctx) }

// orZero is n as procmgr wants it, where 0 would be the default.
func orZero[T ~int | ~int64](n T) T {
	if n == 0 {
		return procmgr.Zero
	}
	return n
}

// convert makes a procmgr program of one process.
func convert(c *supervisorconf.Config, p *supervisorconf.Process) (procmgr.Program, error) {
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
	switch from.Autorestart {
	case supervisorconf.AutorestartAlways:
		to.AutoRestart = procmgr.RestartAlways
	case supervisorconf.AutorestartNever:
		to.AutoRestart = procmgr.RestartNever
	}
	sig, ok := signals[from.StopSignal.String()]
	if !ok {
		return to, fmt.Errorf("stopsignal %s is not known here", from.StopSignal)
	}
	to.StopSignal = sig
	var err error
	if to.Stdout, err = logOf(c, p, p.Stdout, "stdout"); err != nil {
		return to, err
	}
	if !from.RedirectStderr {
		to.Stderr, err = logOf(c, p, p.Stderr, "stderr")
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

func logOf(c *supervisorconf.Config, p *supervisorconf.Process, l supervisorconf.Log, stream string) (procmgr.Log, error) {
	if l.Syslog {
		return procmgr.Log{}, fmt.Errorf("%s_syslog cannot be served yet", stream)
	}
	to := procmgr.Log{MaxBytes: orZero(l.MaxBytes), Backups: orZero(l.Backups)}
	switch l.File {
	case supervisorconf.LogNone:
		return procmgr.Log{}, nil
	case supervisorconf.LogAuto:
		dir := c.Supervisord.ChildLogDir
		if dir == "" {
			dir = os.TempDir()
		}
		// As mkstemp is called in supervisor.options.get_autochildlog_name;
		// a name that is free when the log is opened.
		f, err := os.CreateTemp(dir, fmt.Sprintf("%s-%s---%s-*.log", p.Name, stream, c.Supervisord.Identifier))
		if err != nil {
			return to, err
		}
		to.File = f.Name()
		return to, f.Close()
	case "syslog":
		return to, fmt.Errorf("%s_logfile=syslog cannot be served yet", stream)
	}
	to.File = filepath.Clean(string(l.File))
	return to, nil
}
