package supervisorconf

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Definition is what can be written as a section of its own: a [*Program], a
// [*Group], a [*Server], an [*RPCInterface], a [*Supervisord], a
// [*Supervisorctl] or a [*CtlPlugin]. Those that New… functions make have
// Supervisor's defaults, and those that [Load] returns can be written as well.
type Definition interface {
	define() (*definition, error)
}

// A definition is a section that is not in a file yet.
type definition struct {
	typ, name string
	options   []pair
	beside    string  // other sections that it needs in order to be read
	users     []*User // that it names
	read      func(c *Config) (settings []setting, ok bool)
	want      []setting
}

// Add writes d as a section at the end of the file. The values are those that
// supervisord is to hold: a "%" is only that, and options that have their
// defaults are left out. A program of several processes becomes one section if
// one text with %(process_num)d in it gives all their values.
//
// Add reads back what it is about to write, as versions 4.2.5 and 4.4 of
// Supervisor would. If one of them would not hold the same, since no file can
// say that, Add writes nothing and the error tells which option it is. If there
// is such a section already, it also is an error: [Section.Set] changes one.
func (f *File) Add(d Definition) (*Section, error) {
	def, err := d.define()
	if err != nil {
		return nil, fmt.Errorf("supervisorconf: %w", err)
	}
	if f.Section(def.typ, def.name) != nil {
		return nil, fmt.Errorf("supervisorconf: there is a section [%s] already", header(def.typ, def.name))
	}
	err = def.check()
	var s *Section
	if err == nil {
		s, err = def.addTo(f)
	}
	if err != nil {
		return nil, fmt.Errorf("supervisorconf: [%s] cannot be written: %w", header(def.typ, def.name), err)
	}
	return s, nil
}

func (d *definition) addTo(f *File) (*Section, error) {
	s, err := f.AddSection(d.typ, d.name)
	if err != nil {
		return nil, err
	}
	for _, o := range d.options {
		if s.Set(o.key, o.value) == nil {
			s.Remove()
			return nil, checkOption(o.key, o.value)
		}
	}
	return s, nil
}

// check reads the section as supervisord would.
func (d *definition) check() error {
	f := &File{}
	if _, err := d.addTo(f); err != nil {
		return err
	}
	text := f.AppendText(nil)
	if d.typ != "supervisord" {
		text = append(text, "[supervisord]\n"...)
	}
	text = append(text, d.beside...)
	for _, posix := range []bool{false, true} {
		l := newLoader(noFiles{}, "/s.conf", d.loadOptions())
		l.release = release{importlib: posix, posix: posix}
		l.parsed["s.conf"], _ = Parse("s.conf", text)
		c, err := l.run("s.conf")
		if err == nil && c.Supervisorctl.refusal != "" && d.typ == "supervisorctl" {
			err = errors.New(c.Supervisorctl.refusal)
		}
		if err != nil {
			return plainly(err)
		}
		got, ok := d.read(c)
		if !ok {
			return errors.New("supervisord would read something else")
		}
		for i, want := range d.want {
			if i >= len(got) || got[i].option != want.option || !got[i].equal(want) {
				return fmt.Errorf("no file can hold this value of %s", want.option)
			}
		}
	}
	return nil
}

// plainly is the message of an error of Load without the place, which is in no
// file of the caller's.
func plainly(err error) error {
	var ds Diagnostics
	if errors.As(err, &ds) {
		message, _, _ := strings.Cut(ds[0].Message, " in section ")
		return errors.New(maskSecrets(message))
	}
	return err
}

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// loadOptions know the accounts that the section names, and all directories.
func (d *definition) loadOptions() LoadOptions {
	uids, gids := map[string]*User{}, map[string]int{}
	for _, u := range d.users {
		if u != nil {
			user, group, _ := strings.Cut(u.text(), ":")
			uids[byNumber(user)], gids[byNumber(group)] = u, u.GID
		}
	}
	return LoadOptions{
		IsDir: func(string) bool { return true },
		User: func(name string) (int, int, error) {
			if u := uids[name]; u != nil {
				return u.UID, u.GID, nil
			}
			return -1, -1, nil
		},
		Group: func(name string) (int, error) { return gids[name], nil },
	}
}

// byNumber is what an account is looked up by.
func byNumber(name string) string {
	if n, message := parseInt(name, 10); message == "" {
		return n.String()
	}
	return name
}

// text is the account as a file names it.
func (u *User) text() string {
	switch {
	case u.Name != "":
		return u.Name
	case u.GID >= 0:
		return fmt.Sprintf("%d:%d", u.UID, u.GID)
	}
	return strconv.Itoa(u.UID)
}

// Escape doubles the percent signs of a text, so that a value which Supervisor
// expands says just that text. The names of log files want it twice: see
// [File.Add], which does it for all values.
func Escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// FormatEnvironment returns the variables as a value of environment=, sorted,
// each on a line of its own if there are several. The error names a variable
// that no version of Supervisor before 4.4 can read: its value has quotes of
// both kinds, or has them at its ends.
func FormatEnvironment(env map[string]string) (string, error) {
	text, err := formatEnvironment(env)
	if err != nil {
		return "", fmt.Errorf("supervisorconf: %w", err)
	}
	return text, nil
}

func formatEnvironment(env map[string]string) (string, error) {
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(env)) {
		quote := `"`
		if strings.ContainsAny(env[k], `"\`) {
			quote = "'"
		}
		text := k + "=" + quote + env[k] + quote
		for _, posix := range []bool{false, true} {
			pairs, message := toPairs(text, posix)
			if message != "" || len(pairs) != 1 || pairs[0] != (pair{k, env[k]}) {
				return "", fmt.Errorf("environment cannot hold the value of %q", k)
			}
		}
		lines = append(lines, Escape(text))
	}
	if len(lines) > 1 {
		return "\n" + strings.Join(lines, ",\n"), nil
	}
	return strings.Join(lines, ""), nil
}

// written is the value as it stands in a file.
func (s setting) written() (string, error) {
	switch v := s.value.(type) {
	case map[string]string:
		return formatEnvironment(v)
	case LogFile:
		if v == LogAuto || v == LogNone {
			return string(v), nil
		}
		return Escape(Escape(string(v))), noHome(s.option, string(v)) // it is expanded twice
	}
	return Escape(s.text()), nil
}

// noHome refuses what supervisord would take for a home directory.
func noHome(option, path string) error {
	if strings.HasPrefix(path, "~") {
		return fmt.Errorf("supervisord replaces the ~ of %s by a home directory", option)
	}
	return nil
}

// changed adds the settings that are not the defaults.
func (d *definition) changed(settings, defaults []setting, paths ...string) error {
	for i, s := range settings {
		if i < len(defaults) && s.equal(defaults[i]) {
			continue
		}
		if slices.Contains(paths, s.option) {
			if err := noHome(s.option, s.text()); err != nil {
				return err
			}
		}
		text, err := s.written()
		if err != nil {
			return err
		}
		d.set(s.option, text)
	}
	return nil
}

func (d *definition) set(key, value string) { d.options = append(d.options, pair{key, value}) }

// user adds an account, which a setting shows by its number.
func (d *definition) user(key string, u *User) {
	d.users = append(d.users, u)
	i := slices.IndexFunc(d.options, func(o pair) bool { return o.key == key })
	if u != nil && i >= 0 {
		d.options[i].value = Escape(u.text())
	}
}

// DefaultSupervisord returns a [supervisord] section that says nothing.
func DefaultSupervisord() *Supervisord {
	return &Supervisord{
		MinFDs: 1024, MinProcs: 200, Umask: 0o22, LogFile: "supervisord.log", LogFileMaxBytes: 50 << 20, LogFileBackups: 10,
		LogLevel: LogInfo, PIDFile: "supervisord.pid", Identifier: "supervisor", ChildLogDir: "/tmp",
	}
}

func (s *Supervisord) define() (*definition, error) {
	d := &definition{typ: "supervisord", want: s.settings()}
	d.read = func(c *Config) ([]setting, bool) { return c.Supervisord.settings(), true }
	err := d.changed(d.want, DefaultSupervisord().settings(), "logfile", "pidfile", "childlogdir", "directory")
	d.user("user", s.User)
	return d, err
}

// NewInetServer returns an [inet_http_server] that listens on a port, 1 to
// 65535, of one address, or of all if the host is empty.
func NewInetServer(host string, port int) *Server {
	return &Server{Family: FamilyInet, Host: host, Port: port, Owner: User{UID: -1, GID: -1}}
}

// NewUnixServer returns a [unix_http_server] on a socket, with an absolute
// path.
func NewUnixServer(path string) *Server {
	return &Server{Family: FamilyUnix, Path: path, Mode: 0o700, Owner: User{UID: -1, GID: -1}}
}

func (s *Server) define() (*definition, error) {
	d := &definition{want: s.settings()}
	d.typ, d.name, _ = strings.Cut(s.header(), ":")
	d.read = func(c *Config) ([]setting, bool) {
		if len(c.Servers) != 1 || c.Servers[0].Family != s.Family {
			return nil, false
		}
		return c.Servers[0].settings(), true
	}
	none := []setting{{"username", nil}, {"password", nil}}
	if s.Family == FamilyUnix {
		none = append(none, setting{}, setting{"chmod", octal(0o700)}, setting{"chown", nil})
	}
	err := d.changed(d.want, none, "file")
	d.user("chown", &s.Owner)
	return d, err
}

func (s *Server) header() string {
	if s.section != nil {
		return s.section.name
	}
	return header(s.Family.String()+"_http_server", s.Name)
}

func (r *RPCInterface) define() (*definition, error) {
	d := &definition{typ: "rpcinterface", name: r.Name, want: r.settings()}
	d.read = func(c *Config) ([]setting, bool) {
		if len(c.RPCInterfaces) != 1 || c.RPCInterfaces[0].Name != r.Name || len(c.RPCInterfaces[0].Options) != len(r.Options) {
			return nil, false
		}
		return c.RPCInterfaces[0].settings(), true
	}
	return d, d.changed(d.want, nil)
}

func (s *Supervisorctl) settings() []setting {
	return []setting{
		{"serverurl", s.ServerURL}, {"prompt", s.Prompt},
		{"username", optional(s.Username, s.Username != "" || s.Option("username") != nil)},
		{"password", optional(s.Password, s.Password != "" || s.Option("password") != nil)},
		{"history_file", s.HistoryFile},
	}
}

func (s *Supervisorctl) define() (*definition, error) {
	d := &definition{typ: "supervisorctl", want: s.settings()}
	d.read = func(c *Config) ([]setting, bool) { return c.Supervisorctl.settings(), true }
	defaults := &Supervisorctl{ServerURL: "http://localhost:9001", Prompt: "supervisor"}
	err := d.changed(d.want, defaults.settings(), "history_file")
	if path, ok := strings.CutPrefix(s.ServerURL, "unix://"); ok && err == nil {
		err = noHome("serverurl", path)
	}
	return d, err
}

func (p *CtlPlugin) settings() []setting {
	list := []setting{{"supervisor.ctl_factory", p.Factory}}
	for _, k := range slices.Sorted(maps.Keys(p.Options)) {
		list = append(list, setting{k, p.Options[k]})
	}
	return list
}

func (p *CtlPlugin) define() (*definition, error) {
	d := &definition{typ: "ctlplugin", name: p.Name, beside: "[supervisorctl]\n", want: p.settings()}
	d.read = func(c *Config) ([]setting, bool) {
		list := c.Supervisorctl.Plugins
		if c.Supervisorctl.refusal != "" || len(list) != 1 || list[0].Name != p.Name || len(list[0].Options) != len(p.Options) {
			return nil, false
		}
		return list[0].settings(), true
	}
	return d, d.changed(d.want, nil)
}

// Flatten returns one file from which supervisord, and supervisorctl, read what
// they read from c: no includes, nothing expanded, no comments, no options that
// have their defaults. It shows what a configuration comes to. The error says
// what no file can hold; see [File.Add].
func (c *Config) Flatten() (*File, error) {
	f := &File{}
	list := []Definition{&c.Supervisord}
	for _, s := range c.Servers {
		list = append(list, s)
	}
	for _, r := range c.RPCInterfaces {
		list = append(list, r)
	}
	if c.Supervisorctl.refusal == "" {
		list = append(list, &c.Supervisorctl)
		for _, p := range c.Supervisorctl.Plugins {
			list = append(list, p)
		}
	}
	for _, p := range c.Programs {
		if p.Kind == KindProgram {
			list = append(list, p.above(c.Supervisord.Environment))
		}
	}
	for _, g := range c.Groups {
		if g.Kind != KindProgram && len(g.programs) == 1 {
			h := *g
			h.programs = []*Program{g.programs[0].above(c.Supervisord.Environment)}
			list = append(list, &h)
		} else if g.section != nil && typeOf(g.section.name) == "group" {
			list = append(list, g)
		}
	}
	programs := map[string]*definition{}
	for _, item := range list {
		if p, ok := item.(*Program); ok { // it may be in several groups
			d, err := p.define()
			if err != nil {
				return nil, fmt.Errorf("supervisorconf: %w", err)
			}
			if other := programs[p.Name]; other != nil {
				if !slices.Equal(d.options, other.options) {
					return nil, fmt.Errorf("supervisorconf: the program %s is not the same in all its groups", p.Name)
				}
				continue
			}
			programs[p.Name] = d
		}
		if _, err := f.Add(item); err != nil {
			return nil, err
		}
	}
	return f, nil
}
