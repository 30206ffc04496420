//go:build unix

package supervisord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/onehost-go/onehost/supervisorconf"
)

// version is that of the Supervisor whose configuration, log and API this is.
const version = "4.2.5"

// searched are the places of the configuration where -c does not name one; the
// first two are relative to the directory above that of the program.
var searched = []string{"etc/supervisord.conf", "supervisord.conf",
	"supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"}

// Main is supervisord: args are the command line, with the name of the program,
// and the result is the exit status. It takes over the process: its signals, its
// limits, and with user= its user. It returns when all programs have stopped, or
// says at once why it does not start them. SIGHUP, and the restart of
// supervisorctl, make it read the configuration and begin anew.
//
// Without -n, or nodaemon=true, the server goes on in the background, as a new
// process of the same program with the same arguments; Main then returns 0 once
// that runs.
func Main(args []string, stdout, stderr io.Writer) int {
	name := "supervisord"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	usage := func(err error) int {
		fmt.Fprintf(stderr, "Error: %v\nFor help, use %s -h\n", err, name)
		return 2
	}
	cmd, err := parseArgs(name, args)
	if err != nil {
		return usage(err)
	}
	switch {
	case cmd.help:
		io.WriteString(stdout, help(name))
		return 0
	case cmd.version:
		fmt.Fprintln(stdout, version)
		return 0
	}
	report := inBackground()
	if report != nil {
		stderr = report // until all goes well
		defer report.Close()
	}
	if os.Getenv("GOGC") == "" {
		// Programs are many, and what is done for them is little: a fifth less
		// memory is worth more than the time to collect it.
		debug.SetGCPercent(40)
	}
	signals := make(chan os.Signal, 64)
	for first := true; ; first = false {
		c, err := cmd.load()
		if err != nil {
			return usage(err)
		}
		if first && report == nil && !c.Supervisord.NoDaemon {
			return goToBackground(name, args, stderr)
		}
		if first {
			signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGUSR2)
			defer signal.Stop(signals)
			// As Python does, and the programs inherit it: one that goes on
			// writing lives on when we are killed.
			ignored := []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ}
			signal.Ignore(ignored...)
			defer signal.Reset(ignored...)
		}
		infos, err := takeOver(&c.Supervisord, first)
		if err != nil {
			return usage(err)
		}
		o := &Options{Standalone: true, Reload: cmd.load, Environ: cmd.environ}
		switch {
		case report == nil:
			o.Stdout = stdout
		case first:
			o.background = report
		}
		err = run(c, o, infos, signals)
		switch {
		case errors.Is(err, ErrRestart):
			continue
		case err == nil:
			return 0
		case errors.As(err, new(refusal)):
			return usage(err)
		}
		fmt.Fprintln(stderr, err)
		return 1
	}
}

// run is one life of the server, between two restarts.
func run(c *supervisorconf.Config, o *Options, infos []string, signals <-chan os.Signal) error {
	s, err := New(c, o)
	if err != nil {
		return err
	}
	for _, text := range infos {
		s.logger.Info(text)
	}
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case sig := <-signals:
				s.Signal(sig.(syscall.Signal))
			case <-done:
				return
			}
		}
	}()
	defer func() { close(done); <-ended }()
	return s.Run(context.Background())
}

// A command is what the command line says.
type command struct {
	file          string
	help, version bool
	environ       []string
	set           []func(*supervisorconf.Supervisord) error
}

func parseArgs(name string, args []string) (*command, error) {
	cmd := &command{environ: slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, background+"=") })}
	given, rest, err := getopt(args)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		quoted := make([]string, len(rest))
		for i, arg := range rest {
			quoted[i] = "'" + arg + "'"
		}
		return nil, fmt.Errorf("positional arguments are not supported: [%s]", strings.Join(quoted, ", "))
	}
	seen := map[string]bool{}
	for _, f := range given {
		set, err := cmd.flag(f.name, f.value)
		if err != nil {
			return nil, fmt.Errorf("invalid value for %s '%s': %w", f.shown, f.value, err)
		}
		if seen[f.name] && f.name != "help" {
			return nil, fmt.Errorf("conflicting command line option '%s'", f.shown)
		}
		seen[f.name] = true
		if set != nil {
			cmd.set = append(cmd.set, set)
		}
	}
	if cmd.file == "" && !cmd.help && !cmd.version {
		cmd.file, err = findConfig(name)
	}
	return cmd, err
}

// flag returns what an option of the command line does to the configuration.
func (cmd *command) flag(name, value string) (set func(*supervisorconf.Supervisord) error, err error) {
	// Nothing can go wrong with most of them, once they are read.
	sure := func(set func(*supervisorconf.Supervisord)) (func(*supervisorconf.Supervisord) error, error) {
		return func(sd *supervisorconf.Supervisord) error { set(sd); return nil }, nil
	}
	number := func() (int, error) {
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			return 0, fmt.Errorf("invalid literal for int() with base 10: '%s'", value)
		}
		return n, nil
	}
	switch name {
	case "help", "":
		cmd.help = true
	case "version":
		cmd.version = true
	case "configuration":
		cmd.file = value
	case "nodaemon":
		return sure(func(sd *supervisorconf.Supervisord) { sd.NoDaemon = true })
	case "silent":
		return sure(func(sd *supervisorconf.Supervisord) { sd.Silent = true })
	case "nocleanup":
		return sure(func(sd *supervisorconf.Supervisord) { sd.NoCleanup = true })
	case "strip_ansi":
		return sure(func(sd *supervisorconf.Supervisord) { sd.StripANSI = true })
	case "identifier":
		return sure(func(sd *supervisorconf.Supervisord) { sd.Identifier = value })
	case "user":
		return func(sd *supervisorconf.Supervisord) error {
			uid, gid, err := lookupUser(value)
			if err != nil {
				return refusal("Invalid user name " + value)
			}
			sd.User = &supervisorconf.User{Name: value, UID: uid, GID: gid}
			return nil
		}, nil
	case "umask":
		n, err := strconv.ParseUint(value, 8, 9)
		if err != nil {
			return nil, fmt.Errorf("%s can not be converted to an octal type", value)
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.Umask = int(n) })
	case "directory", "childlogdir":
		if info, err := os.Stat(value); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s is not an existing directory", value)
		}
		if name == "directory" {
			return sure(func(sd *supervisorconf.Supervisord) { sd.Directory = value })
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.ChildLogDir = value })
	case "logfile", "pidfile":
		if info, err := os.Stat(filepath.Dir(value)); err != nil || !info.IsDir() {
			return nil, refusal("The directory named as part of the path " + value + " does not exist")
		}
		path, err := filepath.Abs(value)
		if err != nil {
			return nil, err
		}
		if name == "logfile" {
			return sure(func(sd *supervisorconf.Supervisord) { sd.LogFile, sd.LogPath = value, path })
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.PIDFile, sd.PIDPath = value, path })
	case "logfile_maxbytes":
		n, err := byteSize(value)
		if err != nil {
			return nil, err
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.LogFileMaxBytes = n })
	case "logfile_backups":
		n, err := number()
		if err != nil {
			return nil, err
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.LogFileBackups = n })
	case "minfds":
		n, err := number()
		if err != nil {
			return nil, err
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.MinFDs = n })
	case "minprocs":
		n, err := number()
		if err != nil {
			return nil, err
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.MinProcs = n })
	case "loglevel":
		var level supervisorconf.LogLevel
		if level.UnmarshalText([]byte(strings.ToLower(value))) != nil {
			return nil, fmt.Errorf("bad logging level name '%s'", value)
		}
		return sure(func(sd *supervisorconf.Supervisord) { sd.LogLevel = level })
	}
	return nil, nil
}

// byteSize reads "50MB": supervisor.datatypes.byte_size.
func byteSize(value string) (int64, error) {
	text, unit := strings.ToLower(value), int64(1)
	for i, suffix := range []string{"kb", "mb", "gb"} {
		if before, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = before, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 33)
	if err != nil {
		return 0, fmt.Errorf("invalid literal for int() with base 10: '%s'", text)
	}
	return n * unit, nil
}

func findConfig(name string) (string, error) {
	above := filepath.Dir(filepath.Dir(name))
	places := slices.Clone(searched)
	for i := range 2 {
		places[i] = filepath.Join(above, places[i])
	}
	for _, path := range places {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", refusal("No config file found at default paths (" + strings.Join(places, ", ") +
		"); use the -c option to specify a config file at a different path")
}

// load reads the configuration as supervisord would, and puts the command line
// over it. The error is what supervisord says.
func (cmd *command) load() (*supervisorconf.Config, error) {
	file, err := filepath.Abs(cmd.file)
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); err != nil {
		return nil, refusal("could not find config file " + cmd.file)
	}
	c, err := supervisorconf.Load(os.DirFS("/"), file[1:], &supervisorconf.LoadOptions{
		Version: version, Environ: cmd.environ, Dir: dir, HostNodeName: host,
		User: lookupUser, Group: lookupGroup, Plugin: plugin,
	})
	switch {
	case c == nil:
		return nil, refusal("could not read config file " + cmd.file)
	case c.Refusal() != "":
		// It names the file as the command line does.
		return nil, refusal(strings.ReplaceAll(c.Refusal(), "(file: '"+file+"')", "(file: '"+cmd.file+"')"))
	case err != nil:
		return nil, err
	}
	for _, set := range cmd.set {
		if err := set(&c.Supervisord); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// plugin refuses what only Python can import.
func plugin(spec string) error {
	switch spec {
	case mainInterface, defaultHandler:
		return nil
	}
	return errors.New("there is no Python here")
}

func lookupUser(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if _, numeric := strconv.Atoi(name); numeric == nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return 0, 0, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, errors.Join(err1, err2)
}

func lookupGroup(name string) (gid int, err error) {
	g, err := user.LookupGroup(name)
	if _, numeric := strconv.Atoi(name); numeric == nil {
		g, err = user.LookupGroupId(name)
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

func help(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s runs programs as Supervisor's supervisord does.\n\nUsage: %s [options]\n\n", filepath.Base(name), name)
	for _, f := range flags {
		if f.long == "" {
			continue
		}
		short := "    "
		if f.short != 0 {
			short = fmt.Sprintf("-%c, ", f.short)
		}
		fmt.Fprintf(&b, "  %s--%-24s %s\n", short, f.long+map[bool]string{true: " VALUE"}[f.value], flagHelp[f.long])
	}
	return b.String()
}

var flagHelp = map[string]string{
	"help": "this text", "version": "the version of Supervisor that this is like", "configuration": "the file to read",
	"nodaemon": "stay in the foreground", "silent": "do not log to standard output", "nocleanup": "leave the automatic logs of an earlier run",
	"strip_ansi": "take escape codes out of logs", "user": "the user to become", "umask": "of the server in the background; octal",
	"directory": "of the server in the background", "logfile": "its log", "logfile_maxbytes": "when that is rotated", "logfile_backups": "how many old ones are kept",
	"loglevel": "critical, error, warn, info, debug, trace or blather", "pidfile": "where its process number stands", "identifier": "its name",
	"childlogdir": "where automatic logs are made", "minfds": "file descriptors it must have", "minprocs": "processes it must be able to have",
}
