package supervisorconf

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A context is the section that is being read, and what Supervisor adds to its
// messages there.
type context struct {
	section   *section
	file      string // for the end of messages about processes; empty: elsewhere
	own       *table // ENV_X of the section's own environment
	envBroken bool   // that could not be read
}

// suffix is what Supervisor adds to its messages about processes.
func (c *context) suffix() string {
	if c.file == "" {
		return ""
	}
	return fmt.Sprintf(" in section %s (file: %s)", repr(c.section.name), repr(c.file))
}

// A val is the value of an option, as far as it could be read.
type val struct {
	str    string
	set    bool // there is such an option
	bad    bool // it could not be expanded, which is reported
	option *Option
}

// raw returns an option as it is in the section, or in [DEFAULT].
func (l *loader) raw(s *section, key string) val {
	e := s.find(key)
	if e == nil {
		if e = l.cfg.defaults.find(key); e == nil {
			return val{}
		}
	}
	return val{str: e.value, set: true, option: e.option}
}

// get is parser.saneget: an option with its names expanded.
func (l *loader) get(c *context, key string, fixed *table) val {
	v := l.raw(c.section, key)
	if !v.set || strings.IndexByte(v.str, '%') < 0 {
		return v
	}
	return l.expand(v, c, &scope{env: l.env, fixed: fixed}, c.section.name+"."+key, false)
}

func (l *loader) getIn(c *context, key string, sc *scope) val {
	v := l.raw(c.section, key)
	if !v.set || strings.IndexByte(v.str, '%') < 0 {
		return v
	}
	return l.expand(v, c, sc, c.section.name+"."+key, false)
}

func (l *loader) expand(v val, c *context, sc *scope, name string, fixedFirst bool) val {
	if !v.set || v.bad {
		return v
	}
	if l.expanded > maxExpansion { // which is reported
		v.bad = true
		return v
	}
	s, err := sc.expand(v.str, name, fixedFirst)
	if err == nil {
		v.str = s
		if l.expanded += len(s); l.expanded > maxExpansion {
			v.bad = true
			l.reject(v, c, "too-much", fmt.Sprintf("expanded, the values are longer than %d bytes", maxExpansion))
		}
		return v
	}
	v.bad = true
	var unknown *nameError
	if errors.As(err, &unknown) && strings.HasPrefix(unknown.name, "ENV_") && (c.envBroken || l.envBroken) {
		return v // it may be in an environment that could not be read
	}
	shown := maskSecrets(v.str)
	if v.option != nil {
		shown = v.option.masked(v.str)
	}
	l.reject(v, c, expandCode(err), err.(*expandError).message(repr(shown)))
	return v
}

// reject reports an error in the value of an option. One is enough: read for
// another process or group, the same value gives the same error again.
func (l *loader) reject(v val, c *context, code, message string) {
	if v.option == nil { // a default, which is never wrong by itself
		l.missing(c.section, code, message+c.suffix())
		return
	}
	if l.reported[v.option] {
		return
	}
	l.reported[v.option] = true
	message = l.hide(c, v.str, message) + c.suffix()
	l.refuse(message)
	l.cfg.errors = append(l.cfg.errors, errorAt(v.option.ValuePos(), v.option.End(), code, "%s", oneLine(message)))
}

// missing reports an error of a section as a whole.
func (l *loader) missing(s *section, code, message string) {
	if l.incomplete {
		return
	}
	if l.reported[s.name+message] {
		return
	}
	l.reported[s.name+message] = true
	l.refuse(message)
	start := l.cfg.Root.src.position(0)
	end := start
	if s.node != nil {
		start, end = s.node.Pos(), s.node.End()
	}
	l.cfg.errors = append(l.cfg.errors, errorAt(start, end, code, "%s", oneLine(message)))
}

// supervisorWarns reports what Supervisor itself warns of: at the option, or
// if there is none at the section. It may say so once for each process.
func (l *loader) supervisorWarns(o *Option, s *section, code, message string) {
	l.cfg.warnings = append(l.cfg.warnings, message)
	key := s.name + "\x00" + message
	if l.reported[key] {
		return
	}
	l.reported[key] = true
	message = hideSecrets(l.env.secrets()).Replace(message)
	if o != nil {
		l.warnAt(o.ValuePos(), o.End(), code, "%s", oneLine(message))
	} else {
		l.warnAt(s.node.Pos(), s.node.End(), code, "%s", oneLine(message))
	}
}

// convert returns the value as f reads it, or def if there is none or it is
// wrong, which is reported.
func convert[T any](l *loader, c *context, v val, def T, f func(string) (T, string)) T {
	if !v.set || v.bad {
		return def
	}
	x, message := f(v.str)
	if message != "" {
		l.reject(v, c, "invalid-value", message)
		return def
	}
	return x
}

func small(n int64) integer { return integer{small: n} }

// resolve goes through the sections in Supervisor's order.
func (l *loader) resolve() {
	s := l.cfg.sections["supervisord"]
	if s == nil {
		l.missing(&section{node: l.firstHeader()}, "missing-section", ".ini file does not include supervisord section")
		s = &section{name: "supervisord"}
	}
	l.supervisord(s)
	l.rpcInterfaces()
	l.groups()
	l.servers()
	l.supervisordUser(s)
}

func (l *loader) firstHeader() *Section {
	if len(l.cfg.Root.sections) > 0 {
		return l.cfg.Root.sections[0]
	}
	return nil
}

func (l *loader) supervisord(s *section) {
	c := &context{section: s}
	fixed := &table{}
	fixed.set("here", value{str: l.o.Here})
	get := func(key string) val { return l.get(c, key, fixed) }
	sd := &l.cfg.Supervisord
	integerOf := func(key string, def int64, f func(string) (integer, string)) integer {
		return sd.big.keep(key, convert(l, c, get(key), small(def), f))
	}
	boolean := func(key string) bool { return convert(l, c, get(key), false, toBool) }

	sd.MinFDs = integerOf("minfds", 1024, toInt).clamp()
	sd.MinProcs = integerOf("minprocs", 200, toInt).clamp()
	sd.Directory = convert(l, c, get("directory"), "", l.existingDirectory)
	user := get("user")
	sd.Umask = integerOf("umask", 0o22, toOctal).clamp()
	sd.LogFile = convert(l, c, get("logfile"), "supervisord.log", l.existingDirPath)
	sd.LogFileMaxBytes = integerOf("logfile_maxbytes", 50<<20, toBytes).clamp64()
	sd.LogFileBackups = integerOf("logfile_backups", 10, toInt).clamp()
	sd.LogLevel = convert(l, c, get("loglevel"), LogInfo, toLogLevel)
	if sd.LogLevel == 0 {
		sd.loglevel = "supervisor.loggers"
	}
	sd.PIDFile = convert(l, c, get("pidfile"), "supervisord.pid", l.existingDirPath)
	sd.Identifier = convert(l, c, get("identifier"), "supervisor", func(s string) (string, string) { return s, "" })
	sd.NoDaemon = boolean("nodaemon")
	sd.Silent = boolean("silent")
	sd.ChildLogDir = convert(l, c, get("childlogdir"), l.tempDir(), l.existingDirectory)
	sd.NoCleanup = boolean("nocleanup")
	sd.StripANSI = boolean("strip_ansi")
	sd.Environment = l.supervisordEnvironment(c, fixed)

	sd.LogPath = sd.LogFile
	if sd.LogFile != "syslog" {
		sd.LogPath = l.normalize(sd.LogFile)
	}
	sd.PIDPath = l.normalize(sd.PIDFile)
	if user.set && !user.bad {
		sd.User = &User{Name: user.str, UID: -1, GID: -1}
	}
}

// supervisordEnvironment reads [supervisord] environment, whose variables are
// names for all that is read after it. Up to 4.3 it is expanded twice, the
// first time without host_node_name.
func (l *loader) supervisordEnvironment(c *context, fixed *table) map[string]string {
	v := l.raw(c.section, "environment")
	if !l.release.posix {
		v = l.get(c, "environment", fixed)
	}
	both := &table{}
	both.set("here", value{str: l.o.Here})
	both.set("host_node_name", value{str: l.o.HostNodeName})
	v = l.expand(v, c, &scope{env: l.env, fixed: both}, "environment", true)
	pairs := l.pairs(c, v, &l.envBroken)
	env := make(map[string]string, len(pairs))
	for _, p := range pairs {
		env[p.key] = p.value
	}
	for _, p := range pairs {
		l.env.set("ENV_"+p.key, value{str: env[p.key]})
	}
	return env
}

// pairs reads an environment; broken is set if it cannot be.
func (l *loader) pairs(c *context, v val, broken *bool) []pair {
	if !v.set {
		return nil
	}
	if v.bad {
		*broken = true
		return nil
	}
	pairs, lost, message := readPairs(v.str, l.release.posix)
	if message != "" {
		*broken = true
		if m := maskSecrets(v.str); m != v.str {
			message = strings.Replace(message, v.str, m, 1)
		}
		l.reject(v, c, "invalid-environment", message)
		return nil
	}
	l.warnLost(v, pairs, lost)
	return pairs
}

func (l *loader) supervisordUser(s *section) {
	u := l.cfg.Supervisord.User
	if u == nil {
		return
	}
	c := &context{section: s}
	fixed := &table{}
	fixed.set("here", value{str: l.o.Here})
	l.cfg.Supervisord.User = convert(l, c, l.get(c, "user", fixed), u, l.user)
}

// tempDir is tempfile.gettempdir. Python takes the first directory that it can
// write to, which nobody can ask here: one that exists and is not just relative
// will do, and /tmp is taken to be there.
func (l *loader) tempDir() string {
	for _, name := range []string{"ENV_TMPDIR", "ENV_TEMP", "ENV_TMP"} {
		if v, ok := l.env.get(name); ok && strings.HasPrefix(v.str, "/") && l.isDir(v.str) {
			return normPath(v.str)
		}
	}
	return "/tmp"
}

func (l *loader) existingDirectory(s string) (string, string) {
	p := l.expandUser(s)
	if !l.isDir(p) {
		return "", s + " is not an existing directory"
	}
	return p, ""
}

func (l *loader) existingDirPath(s string) (string, string) {
	p := l.expandUser(s)
	if dir := dirName(p); dir != "" && !l.isDir(dir) {
		return "", fmt.Sprintf("The directory named as part of the path %s does not exist", s)
	}
	return p, ""
}

// expandUser is os.path.expanduser. "~" is HOME of the environment; other homes
// are those of etc/passwd in fsys.
func (l *loader) expandUser(p string) string {
	if !strings.HasPrefix(p, "~") {
		return p
	}
	name, rest := p[1:], ""
	if i := strings.IndexByte(p, '/'); i >= 0 {
		name, rest = p[1:i], p[i:]
	}
	home, ok := l.env.get("ENV_HOME")
	if name != "" || !ok {
		if home.str, ok = l.home(name); !ok {
			return p
		}
	}
	if p = strings.TrimRight(home.str, "/") + rest; p == "" {
		return "/"
	}
	return p
}

// home returns the home directory of a user, of root if the name is empty.
func (l *loader) home(name string) (string, bool) {
	if name == "" {
		name = "root"
	}
	f, err := l.fsys.Open("etc/passwd")
	if err != nil {
		return "", false
	}
	defer f.Close()
	return homeOf(f, name)
}

// normalize is normalize_path: absolute, without "." and "..".
func (l *loader) normalize(p string) string {
	return normPath(joinPath(l.o.Dir, l.expandUser(p)))
}

// user is name_to_uid.
func (l *loader) user(name string) (*User, string) {
	u := &User{Name: name, UID: -1, GID: -1}
	look, number := name, false
	if strings.ContainsFunc(name, unicode.IsDigit) {
		n, message := parseInt(name, 10)
		if number = message == ""; number {
			look = n.String()
			u.UID = n.clamp()
		}
	}
	if l.o.User == nil {
		if name == "" {
			return nil, "Invalid user name "
		}
		return u, ""
	}
	uid, gid, err := l.o.User(look)
	switch {
	case err == nil:
		u.UID, u.GID = uid, gid
		return u, ""
	case number:
		return nil, "Invalid user id " + name
	}
	return nil, "Invalid user name " + name
}

// owner is colon_separated_user_group: "user" or "user:group".
func (l *loader) owner(s string) (*User, bool) {
	name, group, both := strings.Cut(s, ":")
	u, message := l.user(name)
	if message != "" {
		return nil, false
	}
	u.Name, u.GID = s, -1
	if !both {
		return u, true
	}
	n, notNumber := parseInt(group, 10)
	look := group
	if notNumber == "" {
		look = n.String()
		u.GID = n.clamp()
	}
	if l.o.Group == nil {
		return u, group != ""
	}
	gid, err := l.o.Group(look)
	u.GID = gid
	return u, err == nil
}
