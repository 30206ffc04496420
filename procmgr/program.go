package procmgr

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// Zero stands for 0 in a field of [Program], [Group] or [Log], where 0 itself
// means the default: StartSecs: procmgr.Zero is startsecs=0. No other negative
// value stands for anything.
const Zero = -1 << 31

// A Program says what process to run, and how. The comments give the option of
// Supervisor's [program:x] section and the default, which a zero field has.
type Program struct {
	Name string // process_name; no blank, colon or slash

	// Command is the command line, split into words as a POSIX shell would,
	// without its expansions; no shell is run. Args are the words themselves;
	// if given, Command is not looked at. The first word is looked for in the
	// PATH of Environment, else of Options.Environ, else in /bin, /usr/bin and
	// /usr/local/bin, unless it holds a slash. One of the two must be given.
	Command string
	Args    []string

	Directory   string            // directory: working directory; "" is that of the caller
	Umask       int               // umask, 0 to 0o777; 0 is that of the caller (Linux only)
	User        string            // user: name or number; its groups come with it; "" is that of the caller
	Environment map[string]string // environment: added to Options.Environ

	Priority    int         // priority: lower starts first and stops last; 999
	Manual      bool        // autostart=false: is not started by Run, only by Start
	AutoRestart AutoRestart // autorestart: unexpected

	// StartSecs is for how many seconds the process must live to be RUNNING
	// (startsecs; 1), StartRetries how often it is tried again if it does not
	// (startretries; 3), with a delay that grows by one second each time.
	StartSecs    int
	StartRetries int

	// RestartFloor is the least time from one automatic start to the next, of
	// a process that ended while RUNNING; one second. supervisord has no such
	// option: its loop, which takes a second, has the same effect.
	RestartFloor time.Duration

	ExitCodes []int // exitcodes: those that are expected, 0 to 255; nil is 0 alone, an empty list expects none

	StopSignal   syscall.Signal // stopsignal: TERM
	StopWaitSecs int            // stopwaitsecs: after so many seconds, KILL; 10
	StopAsGroup  bool           // stopasgroup: StopSignal goes to the whole process group; implies KillAsGroup
	KillAsGroup  bool           // killasgroup: so does KILL, and Stop waits for the whole group

	RedirectStderr bool // redirect_stderr: standard error goes where standard output goes
	Stdout, Stderr Log  // stdout_logfile …

	// ParentDeath is the signal the process gets if the manager dies without
	// ending Run; 0 is none, and the process lives on, as under supervisord.
	// It does not reach the process's own children. Linux only.
	ParentDeath syscall.Signal
}

// A Log says where one output stream goes, byte for byte. The zero Log drops
// the output.
type Log struct {
	// File is opened at each start of the process, to append. When it holds
	// MaxBytes it is rotated, at the end of a line where there is one in reach
	// (128 KiB): File becomes File.1, File.1 becomes File.2, up to Backups;
	// without backups it is emptied. What is no regular file is not rotated.
	File     string
	MaxBytes int64 // *_logfile_maxbytes: 50 MiB; Zero: no limit
	Backups  int   // *_logfile_backups: 10

	// RotateEvery has File rotated with the first line of each hour, day or
	// whatever it is, too: 24*time.Hour is at midnight, by the local time. Gzip
	// has backups compressed, to File.1.gz and so on. Supervisor has neither.
	RotateEvery time.Duration
	Gzip        bool

	StripANSI bool // strip_ansi: without the escapes that make colours and move the cursor

	Events          bool  // *_events_enabled: each piece of output is also an EventLogStdout or EventLogStderr
	CaptureMaxBytes int64 // *_capture_maxbytes: what stands between the tags becomes an EventCommunicationStdout or …Stderr, of at most this size, and is not logged; 0: tags are just output

	// Writer gets the output, too, from one goroutine at a time for each Log.
	// If it has a method Flush() error, that is called at the end of the
	// process. A Write that blocks holds up this process alone, and at its end
	// for no longer than a second. See LineWriter and NewSlogWriter.
	Writer io.Writer
}

// A Group is a set of programs that are started, stopped and removed together
// (Supervisor's [group:x]).
type Group struct {
	Name     string // no blank, colon or slash
	Priority int    // before that of the programs; 999, or -1 with a Listener
	Programs []Program

	// Listener, if not nil, makes the programs event listeners.
	Listener *Listener

	// Socket, if not nil, is the standard input that the programs share.
	// SendStdin then is ErrNoFile.
	Socket *Socket
}

// orDefault reads a field: 0 is its default, Zero is 0.
func orDefault[T ~int | ~int64](field, def T) T {
	switch field {
	case 0:
		return def
	case Zero:
		return 0
	}
	return field
}

// maxSecs keeps times, and sums of them, within a time.Duration.
const maxSecs = 1_000_000_000

// inheritUmask is the resolved Umask of a program that does not set it.
const inheritUmask = -1

// resolved returns p with every default filled in and no Zero left. It shares
// no memory with p.
func (p Program) resolved() *Program {
	p.Args = slices.Clone(p.Args)
	p.Environment = maps.Clone(p.Environment)
	p.Umask = orDefault(p.Umask, inheritUmask)
	p.Priority = orDefault(p.Priority, 999)
	p.StartSecs = orDefault(p.StartSecs, 1)
	p.StartRetries = orDefault(p.StartRetries, 3)
	p.RestartFloor = orDefault(p.RestartFloor, time.Second)
	if p.ExitCodes == nil {
		p.ExitCodes = []int{0}
	}
	p.ExitCodes = slices.Clone(p.ExitCodes)
	p.StopSignal = cmp.Or(p.StopSignal, syscall.SIGTERM)
	p.StopWaitSecs = orDefault(p.StopWaitSecs, 10)
	p.KillAsGroup = p.KillAsGroup || p.StopAsGroup
	p.Stdout.resolve()
	p.Stderr.resolve()
	return &p
}

func (l *Log) resolve() {
	l.MaxBytes = orDefault(l.MaxBytes, 50<<20)
	l.Backups = orDefault(l.Backups, 10)
}

// log is where a channel goes.
func (p *Program) log(c Channel) *Log {
	if c == Stderr {
		return &p.Stderr
	}
	return &p.Stdout
}

// check reports what is wrong with a program as it was given.
func (p *Program) check() error {
	if err := checkName(p.Name); err != nil {
		return err
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("procmgr: program %s: %w", p.Name, fmt.Errorf(format, args...))
	}
	if p.Command == "" && len(p.Args) == 0 {
		return fail("it does not specify a command")
	}
	for _, n := range []struct {
		field string
		value int
	}{{"StartSecs", p.StartSecs}, {"StartRetries", p.StartRetries}, {"StopWaitSecs", p.StopWaitSecs}} {
		if n.value != Zero && (n.value < 0 || n.value > maxSecs) {
			return fail("%s %d is not within 0 and %d", n.field, n.value, maxSecs)
		}
	}
	if p.RestartFloor < 0 && p.RestartFloor != Zero {
		return fail("RestartFloor is negative: %v", p.RestartFloor)
	}
	if p.Umask != Zero && (p.Umask < 0 || p.Umask > 0o777) {
		return fail("Umask %#o is not within 0 and 0777", p.Umask)
	}
	for _, code := range p.ExitCodes {
		if code < 0 || code > 255 {
			return fail("exit code %d is not within 0 and 255", code)
		}
	}
	if p.AutoRestart < RestartUnexpected || p.AutoRestart > RestartNever {
		return fail("%v is no AutoRestart", p.AutoRestart)
	}
	for _, s := range []syscall.Signal{p.StopSignal, p.ParentDeath} {
		if s < 0 || s > 64 {
			return fail("%d is no signal", int(s))
		}
	}
	for name := range p.Environment {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fail("%q cannot name an environment variable", name)
		}
	}
	for _, l := range []Log{p.Stdout, p.Stderr} {
		if err := l.check(); err != nil {
			return fail("%w", err)
		}
	}
	if p.RedirectStderr && p.Stderr != (Log{}) {
		return fail("Stderr has a log of its own, but RedirectStderr is set")
	}
	return checkPlatform(p)
}

func (l *Log) check() error {
	switch {
	case l.MaxBytes < 0 && l.MaxBytes != Zero || l.Backups < 0 && l.Backups != Zero:
		return fmt.Errorf("a log limit is negative: MaxBytes %d, Backups %d", l.MaxBytes, l.Backups)
	case l.RotateEvery != 0 && l.RotateEvery < time.Second:
		return fmt.Errorf("a log cannot be rotated every %v", l.RotateEvery)
	case l.CaptureMaxBytes < 0:
		return fmt.Errorf("CaptureMaxBytes is negative: %d", l.CaptureMaxBytes)
	}
	return nil
}

// checkName refuses what would break the event protocol, or URLs:
// supervisor.datatypes.process_or_group_name.
func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("procmgr: a program or group has no name")
	}
	for _, r := range name {
		if strings.ContainsRune(" :/", r) || unicode.IsControl(r) {
			return fmt.Errorf("procmgr: Invalid name: %s because of character: %s", pyRepr(name), pyRepr(string(r)))
		}
	}
	return nil
}
