package supervisorconf

import "iter"

// A Config is what supervisord makes of a file and of the files it includes.
// Where an error kept a value from being read, its default stands in.
type Config struct {
	// Root is the main file.
	Root *File
	// Supervisord is the [supervisord] section.
	Supervisord Supervisord
	// Groups are in the order in which supervisord starts them: by priority,
	// then by name. Of two with the same name supervisord runs the first.
	Groups []*Group
	// Programs are in the order in which supervisord reads them. A program
	// that stands in several groups is there as often.
	Programs []*Program
	// Servers are the inet servers, then those on unix sockets.
	Servers []*Server
	// RPCInterfaces are the XML-RPC namespaces.
	RPCInterfaces []*RPCInterface
	// Supervisorctl is what supervisorctl makes of the main file.
	Supervisorctl Supervisorctl
	// Warnings are what Supervisor warns of, and what it drops without a word.
	Warnings Diagnostics

	files    []*File
	sections map[string]*section
	order    []*section // as Supervisor's parser has them
	env      *table     // ENV_X of supervisord
	defaults *section
	errors   Diagnostics
	refusal  string
	warnings []string // Supervisor's own, word for word
	infos    []string
}

// Supervisord is the [supervisord] section.
type Supervisord struct {
	MinFDs, MinProcs int
	Directory        string // where supervisord goes; empty: where it is started
	User             *User  // nil: that which starts it
	Umask            int
	LogFile          string // as written, or "syslog"
	LogFileMaxBytes  int64
	LogFileBackups   int
	LogLevel         LogLevel
	PIDFile          string // as written
	Identifier       string
	NoDaemon         bool
	Silent           bool
	ChildLogDir      string // of the files of LogAuto
	NoCleanup        bool
	StripANSI        bool
	Environment      map[string]string // of all processes, below their own

	// LogPath and PIDPath are LogFile and PIDFile made absolute.
	LogPath, PIDPath string
	// ServerURL is what processes are told to reach supervisord under: the
	// first unix socket, or the last inet server, or "".
	ServerURL string

	big      overflow
	loglevel string // an accident: see levelAccident
}

// A Program is a [program:x], [fcgi-program:x] or [eventlistener:x] section,
// which makes NumProcs processes that share all but a few options.
//
// Integers are as Supervisor reads them, negative ones included; one that is
// too big for an int is the biggest int.
type Program struct {
	Kind  Kind
	Name  string // x
	Group string // the group that its processes belong to: x, if no [group:…] names it

	NumProcs, NumProcsStart int

	Priority       int // of its processes in their group
	Autostart      bool
	Autorestart    Autorestart
	StartSecs      int // a process that runs for as many seconds has started
	StartRetries   int
	ExitCodes      []int // that Autorestart expects
	StopSignal     Signal
	StopWaitSecs   int // seconds until SIGKILL
	StopAsGroup    bool
	KillAsGroup    bool
	User           *User // nil: supervisord's own
	Umask          int   // -1: supervisord's own
	RedirectStderr bool
	ServerURL      string // empty: supervisord's own

	Processes []*Process // by name

	section      *section
	config       *Config
	hasServerURL bool
	big          overflow
}

// A Process is one process of a Program. Its maps and slices may be shared with
// others and must not be changed.
type Process struct {
	Program *Program
	Number  int // process_num
	// Name is the process's name in its group: it is addressed as
	// "group:name", or just by its name if the group has the same.
	Name        string
	Command     string            // see Args
	Directory   string            // empty: supervisord's own
	Environment map[string]string // beside that which supervisord was started with
	Stdout      Log
	Stderr      Log // File is LogNone if the program redirects stderr

	big overflow
}

// A Log is where supervisord puts what a process writes.
type Log struct {
	File            LogFile
	MaxBytes        int64 // the file is rotated when it is as big; 0: never
	Backups         int
	Syslog          bool
	CaptureMaxBytes int64 // of a process communication event; 0: none
	EventsEnabled   bool
}

// A User is an account as the configuration names it. UID and GID are -1 where
// they are not known.
type User struct {
	Name     string
	UID, GID int
}

// A Group is what supervisord starts, stops and restarts as one.
type Group struct {
	// Kind tells a pool of event listeners and a FastCGI group from others.
	Kind      Kind
	Name      string
	Priority  int
	Processes []*Process // as supervisord starts them: of a [group:x] in the order of its programs=, of one program by name

	// Of a pool of event listeners.
	BufferSize    int
	Events        []string // "TICK_60", as written but in upper case
	ResultHandler string

	// Socket is what the processes of a FastCGI group accept from.
	Socket *Socket

	programs []*Program // that its processes are of; nil if it was put together otherwise
	section  *section
	big      overflow
}

// A Socket is that of an [fcgi-program:x].
type Socket struct {
	URL     string // "unix:///run/x.sock", "tcp://localhost:9000"
	Path    string // of a unix socket
	Host    string
	Port    int
	Mode    int   // of a unix socket
	Owner   *User // of a unix socket; nil: supervisord's own
	Backlog int   // 0: the system's own
}

// A Server is an [inet_http_server] or a [unix_http_server].
type Server struct {
	Family Family
	Name   string // what stands behind a colon in the header

	Host string // empty: all interfaces
	Port int

	Path  string // of a unix socket, absolute
	Mode  int
	Owner User // -1 for what stays supervisord's own

	// Username and Password are empty if the server asks for none. The
	// password may be "{SHA}" and a hash.
	Username, Password string

	section *section
	auth    bool
}

// An RPCInterface is an [rpcinterface:x].
type RPCInterface struct {
	Name    string
	Factory string            // "supervisor.rpcinterface:make_main_rpcinterface"
	Options map[string]string // all others, those of [DEFAULT] included

	section *section
}

// Files ranges over the files, in the order in which Supervisor reads them. A
// file that is read twice comes once.
func (c *Config) Files() iter.Seq[*File] { return each(c.files) }

// File returns the file of that name, or nil.
func (c *Config) File(name string) *File {
	for _, f := range c.files {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Changed ranges over the files whose text is another than what was read, or
// saved since.
func (c *Config) Changed() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for _, f := range c.files {
			if f.Changed() && !yield(f) {
				return
			}
		}
	}
}

// Processes ranges over all processes with their groups, in the order in which
// supervisord starts them.
func (c *Config) Processes() iter.Seq2[*Group, *Process] {
	return func(yield func(*Group, *Process) bool) {
		for _, g := range c.Groups {
			for _, p := range g.Processes {
				if !yield(g, p) {
					return
				}
			}
		}
	}
}

// Group returns the group of that name, or nil.
func (c *Config) Group(name string) *Group {
	for _, g := range c.Groups {
		if g.Name == name {
			return g
		}
	}
	return nil
}

// Diagnostics returns the errors and the warnings, by their places.
func (c *Config) Diagnostics() Diagnostics {
	ds := append(c.errors[:len(c.errors):len(c.errors)], c.Warnings...)
	ds.Sort()
	return ds
}

// Refusal returns what supervisord prints behind "Error: " when it refuses to
// start, or "" if it starts. Supervisord stops at the first error; [Load]
// returns all of them.
func (c *Config) Refusal() string { return c.refusal }

// Sections ranges over the sections as supervisord holds them once it has read
// all files, each with the names and values of its options in their order: equal
// headers are one section, the later of equal options won, and values are not
// expanded, save that, where there is an [include], %(here)s has become the
// directory of the file. [DEFAULT] comes first, if it says anything; its
// options count for every section without being repeated there.
func (c *Config) Sections() iter.Seq2[string, iter.Seq2[string, string]] {
	return func(yield func(string, iter.Seq2[string, string]) bool) {
		if len(c.defaults.entries) > 0 && !yield(c.defaults.name, c.defaults.values) {
			return
		}
		for _, s := range c.order {
			if !yield(s.name, s.values) {
				return
			}
		}
	}
}

func (s *section) values(yield func(name, value string) bool) {
	for i := range s.entries {
		if !yield(s.entries[i].key, s.entries[i].value) {
			return
		}
	}
}

// Option returns where the option is set that supervisord takes for a section,
// "program:web": in the file that was read last, under the header that comes
// last, or in [DEFAULT]. It is nil if the option has its default.
func (c *Config) Option(section, key string) *Option {
	return c.option(c.sections[section], lower(key))
}

func (c *Config) option(s *section, key string) *Option {
	if s == nil {
		return nil
	}
	if e := s.find(key); e != nil {
		return e.option
	}
	if e := c.defaults.find(key); e != nil {
		return e.option
	}
	return nil
}

// Section returns the first header of the section that makes the program, or
// nil if it was not read from a file.
func (p *Program) Section() *Section { return p.section.header() }

// Option returns where an option of the program is set, or nil if it has its
// default.
func (p *Program) Option(key string) *Option { return p.config.option(p.section, lower(key)) }

// Section returns the first header of the section that makes the group.
func (g *Group) Section() *Section { return g.section.header() }

// Section returns the first header of the server's section.
func (s *Server) Section() *Section { return s.section.header() }

// Section returns the first header of the interface's section.
func (r *RPCInterface) Section() *Section { return r.section.header() }

// Args returns the command split into words as supervisord does when it starts
// the process: quotes and backslashes as in a shell, but no variables, globs or
// operators. The error says why it would not start.
func (p *Process) Args() ([]string, error) {
	args, message := splitCommand(p.Command)
	switch {
	case message != "":
		return nil, commandError("can't parse command " + repr(maskSecrets(p.Command)) + ": " + message)
	case len(args) == 0:
		return nil, commandError("command is empty")
	}
	return args, nil
}

// A commandError is Supervisor's BadCommand.
type commandError string

func (e commandError) Error() string { return "supervisorconf: " + string(e) }

// An overflow holds the integers that are too big for an int, as text, by the
// name of the option. It is nil almost always.
type overflow map[string]string

func (o *overflow) keep(key string, n integer) integer {
	if !n.fits() {
		if *o == nil {
			*o = overflow{}
		}
		(*o)[key] = n.String()
	}
	return n
}
