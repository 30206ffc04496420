package supervisorconf

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// LoadOptions are the options of [Load]: what supervisord would ask the machine
// that it runs on. The zero value is right for looking at a configuration away
// from it.
type LoadOptions struct {
	// Version is Supervisor's, "4.2.5"; empty: the newest known, 4.4.0. From
	// 4.4 on, environment= knows escapes. Versions before 4 are not known.
	Version string
	// Environ is supervisord's environment, as "KEY=value". Nil is an empty
	// one, never that of this process.
	Environ []string
	// Dir is supervisord's working directory, absolute; empty: the root.
	// Here is what %(here)s stands for in the main file; empty: the directory
	// of the file. HostNodeName is what %(host_node_name)s stands for.
	Dir, Here, HostNodeName string
	// IsDir tells whether an absolute path is a directory. Nil asks fsys.
	IsDir func(path string) bool
	// User and Group look up an account by name, or by number in decimal. Nil
	// leaves names unresolved, which is not an error.
	User  func(name string) (uid, gid int, err error)
	Group func(name string) (gid int, err error)
	// PluginOptions are options that plug-ins read from sections which are not
	// theirs, "depends_on" or "dependent_startup*", in lower case: no warning
	// says that supervisord ignores them. The latter is known.
	PluginOptions []string
	// Plugin tells whether Supervisor can import a plug-in such as
	// "supervisor.rpcinterface:make_main_rpcinterface". Nil: it can.
	Plugin func(spec string) error
}

// Load reads the file name of fsys, which stands for the host's root directory
// ("etc/supervisord.conf"), and the files it includes, and makes of them what
// supervisord would. Positions carry names as they are in fsys; paths in values
// are those of the host.
//
// The Config is nil only if the main file cannot be read, when the error wraps
// that of fsys, or if the options make no sense. Otherwise the error is nil
// exactly when supervisord would start, or [Diagnostics] in Supervisor's words:
// all of them, where supervisord stops at the first (see [Config.Refusal]). What
// supervisord accepts but drops is in [Config.Warnings].
//
// A few things are errors though supervisord would try them: a file of more than
// 64 MiB, more than 100,000 processes beyond one for each section, values that
// are longer than 16 MiB when expanded or 128 MiB together, and includes that
// match more paths than could be meant. Their code is too-much,
// too-many-processes or bad-format.
//
// Secrets are left out of messages, which then differ from Supervisor's in that.
func Load(fsys fs.FS, name string, o *LoadOptions) (*Config, error) {
	if o == nil {
		o = &LoadOptions{}
	}
	return load(fsys, name, *o, func(name string) string { return name })
}

// LoadFile reads a configuration of this host as a supervisord would that this
// process started: with this process's environment and working directory, this
// host's name, users and directories. Positions carry absolute paths.
//
// It takes plug-ins to be there and Supervisor to be the newest known. For a
// configuration of another host, use [Load].
func LoadFile(name string) (*Config, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("supervisorconf: %w", err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("supervisorconf: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("supervisorconf: %w", err)
	}
	root := filepath.VolumeName(abs) + string(filepath.Separator)
	o := LoadOptions{Environ: os.Environ(), Dir: filepath.ToSlash(dir), HostNodeName: host, User: hostUser, Group: hostGroup}
	rel := filepath.ToSlash(strings.TrimPrefix(abs, root))
	return load(os.DirFS(root), rel, o, func(name string) string {
		return root + filepath.FromSlash(name)
	})
}

func hostUser(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if _, numeric := strconv.Atoi(name); numeric == nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

func hostGroup(name string) (gid int, err error) {
	g, err := user.LookupGroup(name)
	if _, numeric := strconv.Atoi(name); numeric == nil {
		g, err = user.LookupGroupId(name)
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// What keeps a small text from taking much memory or time. Supervisor knows no
// such limits.
const (
	maxFileSize  = 64 << 20  // bytes, and so of a line; the tree takes up to 50 times as much
	maxRead      = 128 << 20 // bytes, counting a file as often as it is read
	maxProcesses = 100_000   // beyond one for each section
	maxExpansion = 128 << 20 // bytes of all expanded values
	maxPattern   = 4096      // bytes of an include pattern: no path is longer
	pathCost     = 128       // bytes of maxRead that looking at a path counts for
	maxSuggested = 1000      // names that a misspelt one is compared with known ones for
)

var errSize = fmt.Errorf("file is larger than %d bytes, which is the most that is read", maxFileSize)

// A loader is one run of supervisord's ServerOptions.read_config.
type loader struct {
	fsys    fs.FS
	o       LoadOptions
	main    string // as Supervisor calls the main file
	shown   func(name string) string
	release release
	cfg     *Config

	order      []*section // in the order of Python's dict
	env        *table     // ENV_X of supervisord
	envBroken  bool       // [supervisord] environment could not be read
	incomplete bool       // some line could not be read: what seems to be missing may be there
	reported   map[any]bool

	fixed, own table // of the program that is being read

	replaced, corrupted []*Option // by later ones, and by expandHere

	parsed map[string]*File
	dirs   map[string][]fs.DirEntry

	read, more, expanded, suggested int // so far; see the limits
}

func load(fsys fs.FS, name string, o LoadOptions, shown func(string) string) (*Config, error) {
	release, err := releaseOf(o.Version)
	if err != nil {
		return nil, err
	}
	l := newLoader(fsys, "/"+name, o)
	l.shown, l.release = shown, release
	return l.run(name)
}

// run loads the main file and what it includes.
func (l *loader) run(name string) (*Config, error) {
	root, err := l.readFile(name)
	if err != nil {
		return nil, fmt.Errorf("supervisorconf: %w", err)
	}
	l.cfg.Root = root
	l.merge(root, l.main, "")
	l.include()
	l.cfg.order, l.cfg.env = l.order, l.env
	l.resolve()
	l.supervisorctl()
	l.warn()
	l.cfg.errors.Sort()
	l.cfg.Warnings.Sort()
	return l.cfg, l.cfg.errors.Err()
}

func newLoader(fsys fs.FS, main string, o LoadOptions) *loader {
	o.Dir = cmp.Or(o.Dir, "/")
	o.Here = cmp.Or(o.Here, dirName(main))
	l := &loader{
		fsys: fsys, o: o, main: main,
		env: &table{}, reported: map[any]bool{}, parsed: map[string]*File{}, dirs: map[string][]fs.DirEntry{},
		cfg: &Config{sections: map[string]*section{}, defaults: &section{name: "DEFAULT"}},
	}
	for _, kv := range o.Environ {
		// The first of a name counts, as in os.environ.
		if key, val, ok := strings.Cut(kv, "="); ok && key != "" && l.env.find("ENV_"+key) < 0 {
			l.env.set("ENV_"+key, value{str: val})
		}
	}
	return l
}

// readFile reads and parses a file of fsys, once.
func (l *loader) readFile(name string) (*File, error) {
	if f := l.parsed[name]; f != nil {
		return f, nil
	}
	info, err := fs.Stat(l.fsys, name)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	switch mode := info.Mode(); {
	case mode.IsDir():
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	case mode.IsRegular(): // of others, a pipe would block
		file, err := l.fsys.Open(name)
		if err != nil {
			return nil, err
		}
		text.Grow(int(min(max(info.Size(), 0), maxFileSize)))
		_, err = io.Copy(&text, io.LimitReader(file, maxFileSize+1))
		file.Close()
		if err != nil {
			return nil, err
		}
		if text.Len() > maxFileSize {
			return nil, &fs.PathError{Op: "read", Path: name, Err: errSize}
		}
	}
	f := parseText(l.shown(name), text.String())
	f.fsName = name
	l.parsed[name] = f
	l.cfg.files = append(l.cfg.files, f)
	return f, nil
}

// A section is what supervisord makes of all headers of that name.
type section struct {
	name    string
	file    string   // that first had it, as Supervisor calls it; empty: the main file
	node    *Section // its first header
	entries []entry
	index   map[string]int // once there are many

	resolved bool // its processes are in a group
}

type entry struct {
	key, value string
	option     *Option
}

// header is the first header, or nil.
func (s *section) header() *Section {
	if s == nil {
		return nil
	}
	return s.node
}

func (s *section) at(key string) int {
	if s.index != nil {
		if i, ok := s.index[key]; ok {
			return i
		}
		return -1
	}
	return slices.IndexFunc(s.entries, func(e entry) bool { return e.key == key })
}

func (s *section) find(key string) *entry {
	if i := s.at(key); i >= 0 {
		return &s.entries[i]
	}
	return nil
}

// set returns the option that e takes the place of, or nil.
func (s *section) set(e entry) (was *Option) {
	if i := s.at(e.key); i >= 0 {
		was = s.entries[i].option
		s.entries[i] = e
		return was
	}
	s.entries = append(s.entries, e)
	if len(s.entries) == 32 {
		s.index = map[string]int{}
		for i, e := range s.entries {
			s.index[e.key] = i
		}
	} else if s.index != nil {
		s.index[e.key] = len(s.entries) - 1
	}
	return nil
}

const hereFormat = "%(here)s"

// merge adds a file to the sections, as reading it does. It returns the
// sections that it touched.
func (l *loader) merge(f *File, name, sectionFile string) []*section {
	if f.faults.any() {
		l.incomplete = true
		if !l.reported[f] {
			l.reported[f] = true
			l.refuse(f.faults.refusal(name))
			l.cfg.errors = append(l.cfg.errors, f.faults.diagnostics(f, name)...)
		}
	}
	return l.add(f.sections, sectionFile)
}

func (l *loader) add(nodes []*Section, sectionFile string) []*section {
	var touched []*section
	for _, node := range nodes {
		h := node.Header()
		s := l.cfg.defaults
		if h != "DEFAULT" {
			if s = l.cfg.sections[h]; s == nil {
				s = &section{name: h, file: sectionFile, node: node, entries: make([]entry, 0, len(node.options))}
				l.cfg.sections[h] = s
				l.order = append(l.order, s)
			}
			touched = append(touched, s)
		}
		for _, o := range node.options {
			if was := s.set(entry{o.Name(), o.Value(), o}); was != nil && was != o {
				l.replaced = append(l.replaced, was)
			}
		}
	}
	return touched
}

// expandHere replaces the text %(here)s in the sections, as Supervisor does
// around includes: even where it is escaped as %%(here)s. What [DEFAULT] says is
// thereby copied into each section.
func (l *loader) expandHere(touched []*section, here string) {
	for _, s := range touched {
		for i := range s.entries {
			if e := &s.entries[i]; strings.Contains(e.value, hereFormat) {
				if strings.Contains(e.value, "%"+hereFormat) {
					l.corrupted = append(l.corrupted, e.option)
				}
				e.value = strings.ReplaceAll(e.value, hereFormat, here)
			}
		}
	}
	for _, d := range l.cfg.defaults.entries {
		if !strings.Contains(d.value, hereFormat) {
			continue
		}
		d.value = strings.ReplaceAll(d.value, hereFormat, here)
		for _, s := range l.order {
			if s.at(d.key) < 0 {
				s.set(d)
			}
		}
	}
}

// include reads what [include] names. Only that of the main file counts.
func (l *loader) include() {
	inc := l.cfg.sections["include"]
	if inc == nil {
		return
	}
	l.expandHere(l.order, l.o.Here)
	fixed := &table{}
	fixed.set("here", value{str: l.o.Here})
	fixed.set("host_node_name", value{str: l.o.HostNodeName})
	v := l.raw(inc, "files")
	if !v.set {
		l.missing(inc, "missing-option", ".ini file has [include] section, but no files setting")
		return
	}
	c := &context{section: inc}
	v = l.expand(v, c, &scope{env: l.env, fixed: fixed}, "include.files", true)
	if v.bad {
		return
	}
	base := dirName(l.main)
	for _, pattern := range fields(v.str) {
		pattern = joinPath(base, pattern)
		names := l.glob(pattern)
		if l.read > maxRead {
			l.reject(v, c, "too-much", "the includes are more than this package reads")
			return
		}
		if len(names) == 0 {
			l.supervisorWarns(v.option, inc, "no-include", fmt.Sprintf(`No file matches via include "%s"`, pattern))
			l.fixCommas(v.option, pattern)
		}
		slices.Sort(names)
		for _, name := range names {
			if l.read > maxRead {
				l.reject(v, c, "too-much", "the includes are more than this package reads")
				return
			}
			l.includeFile(name, v, c)
		}
	}
}

func (l *loader) includeFile(name string, by val, c *context) {
	l.cfg.infos = append(l.cfg.infos, fmt.Sprintf(`Included extra file "%s" during parsing`, name))
	l.read += pathCost
	var touched []*section
	if f, err := l.readFile(l.fsName(name)); errors.Is(err, errSize) {
		l.reject(by, c, "too-much", err.Error())
	} else if err != nil {
		// Supervisor passes over it without a word.
		l.warnAt(by.option.ValuePos(), by.option.End(), "unreadable-include", "supervisord skips the included file %s: %v", hideSecrets(l.env.secrets()).Replace(name), err)
	} else {
		l.read += len(f.src.text)
		touched = l.merge(f, name, name)
		if s := f.Section("include", ""); s != nil && f != l.cfg.Root {
			l.warnAt(s.Pos(), s.End(), "nested-include", "supervisord ignores [include] in an included file")
		}
	}
	l.expandHere(touched, normPath(joinPath(l.o.Dir, dirName(name))))
}

// fsName returns the name in fsys of an absolute path.
func (l *loader) fsName(p string) string {
	if p = path.Clean("/" + p)[1:]; p == "" {
		return "."
	}
	return p
}

// isDir is os.path.isdir.
func (l *loader) isDir(p string) bool {
	if p == "" {
		return false
	}
	p = normPath(joinPath(l.o.Dir, p))
	if l.o.IsDir != nil {
		return l.o.IsDir(p)
	}
	info, err := fs.Stat(l.fsys, l.fsName(p))
	return err == nil && info.IsDir()
}

// refuse notes what supervisord says, if it has not stopped before.
func (l *loader) refuse(message string) {
	if l.cfg.refusal == "" {
		l.cfg.refusal = message
	}
}

func (l *loader) warnAt(start, end token.Position, code, format string, args ...any) {
	d := errorAt(start, end, code, format, args...)
	d.Level = slog.LevelWarn
	l.cfg.Warnings = append(l.cfg.Warnings, d)
}
