//go:build unix

package supervisord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"syscall"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/rpc"
	"github.com/onehost-go/onehost/supervisorconf"
)

// Options are the options of [New]. The zero value, like nil, is right for
// programs that run in yours.
type Options struct {
	// Logger gets what supervisord would write to its log; nil for none.
	Logger *slog.Logger
	// Environ is what the processes inherit, as "NAME=value"; nil is
	// os.Environ(). What the configuration sets comes on top.
	Environ []string

	// Reload reads the configuration anew, for those who reread and update it.
	// An error, or a configuration that is refused, leaves everything as it is.
	// Nil: it cannot be read again.
	Reload func() (*supervisorconf.Config, error)

	// StateFile and Subreaper are those of [procmgr.Options]: programs that have
	// survived a server that was killed are adopted, and orphans reaped.
	StateFile string
	Subreaper bool

	// Standalone makes the Server do what [supervisord], [unix_http_server] and
	// [inet_http_server] say: it opens the servers for supervisorctl, writes its
	// log and its pid file, and removes the automatic log files of an earlier
	// run. Otherwise these sections mean nothing, and Handler is for you to
	// serve.
	Standalone bool
	// Stdout also gets the log of a Standalone Server, unless the configuration
	// says silent; nil for none.
	Stdout io.Writer

	background *report // of a Server in the background; nil in the foreground
}

// ErrRestart is returned by Run when all have stopped because of Restart.
var ErrRestart = errors.New("supervisord: restart")

// A Server runs the programs of one configuration.
type Server struct {
	o       Options
	manager *procmgr.Manager
	logger  *slog.Logger // never nil
	log     *mainLog     // nil unless Standalone
	initial *supervisorconf.Config
	config  config

	mu    sync.Mutex
	ask   mood
	asked chan struct{} // closed once ask is not running
}

// A mood is what supervisord is about: supervisor.states.SupervisorStates.
type mood int

const (
	running mood = iota
	restarting
	shutdown
)

// New makes a Server of a configuration. Relative paths in it are relative to
// the directory that this process has when the programs start. The error names
// the place of a program that cannot be run.
//
// New makes the automatic log files, and for a Standalone Server opens the log:
// call Run then, whatever comes.
func New(c *supervisorconf.Config, o *Options) (_ *Server, err error) {
	s := &Server{asked: make(chan struct{}), initial: c}
	if o != nil {
		s.o = *o
	}
	if err := s.checkPlugins(c); err != nil {
		return nil, err
	}
	handlers := []slog.Handler{}
	if s.o.Logger != nil {
		handlers = append(handlers, s.o.Logger.Handler())
	}
	if s.o.Standalone {
		if s.log, err = openMainLog(&c.Supervisord, s.o.Stdout); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				s.log.Close()
			}
		}()
		handlers = append(handlers, s.log)
	}
	s.logger = slog.New(slog.NewMultiHandler(handlers...))
	if s.o.Standalone {
		s.begin(c)
	}
	s.manager = procmgr.New(&procmgr.Options{
		Logger: s.logger, Environ: s.o.Environ, ServerURL: c.Supervisord.ServerURL, Identifier: c.Supervisord.Identifier,
		StateFile: s.o.StateFile, Subreaper: s.o.Subreaper,
	})
	s.config = config{manager: s.manager, current: c, reload: s.o.Reload}
	for _, g := range c.Groups {
		// Of two with the same name the first runs.
		if err := s.config.add(g); err != nil && !errors.Is(err, procmgr.ErrAlreadyAdded) {
			return nil, err
		}
	}
	return s, nil
}

// checkPlugins refuses what a Standalone Server would have to import.
func (s *Server) checkPlugins(c *supervisorconf.Config) error {
	for _, i := range c.RPCInterfaces {
		if s.o.Standalone && i.Factory != mainInterface {
			return fmt.Errorf("supervisord: %s: [rpcinterface:%s]: %s cannot be run", i.Section().Pos(), i.Name, i.Factory)
		}
	}
	return nil
}

// begin writes what supervisord writes when it has its log, and cleans up.
func (s *Server) begin(c *supervisorconf.Config) {
	if c.Supervisord.User == nil && os.Getuid() == 0 {
		s.logger.Log(context.Background(), levelCritical, "Supervisor is running as root.  Privileges were not dropped because no user is "+
			"specified in the config file.  If you intend to run as root, you can set user=root in the config file to avoid this message.")
	}
	r := c.Resolved()
	for _, text := range r.Warnings {
		s.logger.Warn(text)
	}
	for _, text := range r.Infos {
		s.logger.Info(text)
	}
	if !c.Supervisord.NoCleanup {
		s.removeAutoLogs(&c.Supervisord)
	}
}

// Manager returns what runs the processes. It is the same one all the time.
func (s *Server) Manager() *procmgr.Manager { return s.manager }

// Handler serves the XML-RPC API for the Server, and lets nobody in but the
// user with the password, if there is one: see [rpc.HandlerOptions].
func (s *Server) Handler(username, password string) http.Handler {
	o := &rpc.HandlerOptions{
		Identifier: s.config.identifier(),
		Username:   username,
		Password:   password,
		Reload:     s.config.Reload,
		AddGroup:   s.config.AddGroup,
		Config:     s.config.Info,
		Shutdown:   s.Shutdown,
		Restart:    s.Restart,
		Logger:     s.logger,
	}
	if s.log != nil {
		o.MainLog = s.log.file
	}
	if s.o.Standalone {
		o.Namespaces = []string{}
		for _, i := range s.initial.RPCInterfaces { // New has refused others
			o.Namespaces = append(o.Namespaces, i.Name)
		}
	}
	return rpc.NewHandler(s.manager, o)
}

// Run starts the programs and keeps them up until ctx is done, or Shutdown is
// called, then stops them; see [procmgr.Manager.Run]. After Restart it returns
// ErrRestart: it is up to you to make a new Server, of the configuration as it
// then is.
func (s *Server) Run(ctx context.Context) error {
	if s.log != nil {
		defer s.log.Close()
	}
	defer context.AfterFunc(ctx, s.Shutdown)()
	listeners, err := s.listen()
	if err != nil {
		return err
	}
	defer s.serve(listeners)()
	if s.o.background != nil {
		s.settle(&s.initial.Supervisord)
	}
	if s.o.Standalone {
		defer s.writePIDFile()()
	}
	if s.o.background != nil {
		s.o.background.allIsWell()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.asked:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := s.manager.Run(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ask == restarting {
		return ErrRestart
	}
	return nil
}

// Shutdown makes Run stop the programs and return. It does not wait for that.
func (s *Server) Shutdown() { s.end(shutdown) }

// Restart is Shutdown, but Run returns ErrRestart, unless Shutdown is called as
// well.
func (s *Server) Restart() { s.end(restarting) }

func (s *Server) end(m mood) (was mood) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was = s.ask
	if was == running {
		close(s.asked)
	}
	s.ask = max(s.ask, m)
	return was
}

// Signal does what supervisord does when it gets a signal: TERM, INT and QUIT
// shut down, HUP restarts, USR2 opens all logs again. Others mean nothing.
func (s *Server) Signal(sig syscall.Signal) {
	name := signalName(sig)
	switch sig {
	case syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT:
		s.logger.Warn("received " + name + " indicating exit request")
		s.Shutdown()
	case syscall.SIGHUP:
		s.mu.Lock()
		ending := s.ask == shutdown
		s.mu.Unlock()
		if ending {
			s.logger.Warn("ignored " + name + " indicating restart request (shutdown in progress)")
			return
		}
		s.logger.Warn("received " + name + " indicating restart request")
		s.Restart()
	case syscall.SIGUSR2:
		s.logger.Info("received " + name + " indicating log reopen request")
		s.ReopenLogs()
	}
}

func signalName(sig syscall.Signal) string {
	for name, known := range signals {
		if known == sig {
			return "SIG" + name
		}
	}
	return fmt.Sprintf("signal %d", int(sig))
}

// ReopenLogs opens all logs again, under their names: for the time after
// logrotate. What went wrong is logged, and returned.
func (s *Server) ReopenLogs() error {
	err := s.manager.ReopenLogs()
	s.logger.Info("supervisord logreopen") // who reads it may rely on theirs
	if s.log != nil {
		err = errors.Join(err, s.log.reopen())
	}
	if err != nil {
		s.logger.Error(err.Error())
	}
	return err
}

// writePIDFile returns what removes it.
func (s *Server) writePIDFile() (remove func()) {
	path := s.initial.Supervisord.PIDPath
	if err := os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o666); err != nil {
		s.logger.Log(context.Background(), levelCritical, "could not write pidfile "+path)
		return func() {}
	}
	s.logger.Info(fmt.Sprintf("supervisord started with pid %d", os.Getpid()))
	return func() { os.Remove(path) }
}

// identifierOf is the identifier, which an option may have emptied.
func identifierOf(sd *supervisorconf.Supervisord) string { return cmp.Or(sd.Identifier, "supervisor") }
