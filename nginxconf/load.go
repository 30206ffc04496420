package nginxconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// maxExpansions is how many files a configuration may consist of, counting one
// as often as it is included. Includes can double at each level.
const maxExpansions = 1_000_000

// LoadOptions are the options of [Load]. The zero value is right.
type LoadOptions struct {
	// Prefix is the directory that nginx -p names. Includes do not depend on
	// it: nginx takes them relative to the main file's directory. Empty is
	// that directory.
	Prefix string
}

// Load reads the file name of fsys, which stands for the host's root
// directory ("etc/nginx/nginx.conf"), and all it includes, as nginx does:
// relative to the directory of the main file, globs in byte order, no hidden
// files. Positions carry names as they are in fsys.
//
// The Config is nil only if the main file cannot be read; the error then wraps
// that of fsys. Otherwise err is nil or the [Diagnostics] of syntax and
// includes: the configuration is there, without the parts that are missing.
func Load(fsys fs.FS, name string, o *LoadOptions) (*Config, error) {
	if o == nil {
		o = &LoadOptions{}
	}
	return load(fsys, name, o.Prefix, func(name string) string { return name })
}

// LoadFile is [Load] for a file of this host. Positions carry absolute paths.
func LoadFile(name string) (*Config, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("nginxconf: %w", err)
	}
	root := filepath.VolumeName(abs) + string(filepath.Separator)
	rel := filepath.ToSlash(strings.TrimPrefix(abs, root))
	return load(os.DirFS(root), rel, "", func(name string) string {
		return root + filepath.FromSlash(name)
	})
}

func load(fsys fs.FS, name, prefix string, shown func(string) string) (*Config, error) {
	l := loader{
		fsys:     fsys,
		shown:    shown,
		confDir:  path.Dir("/" + name),
		byName:   map[string]*loaded{},
		named:    map[string]bool{},
		includes: map[*Directive][]*File{},
	}
	if prefix == "" {
		prefix = l.confDir
	}
	root, err := l.read(name)
	if err != nil {
		return nil, fmt.Errorf("nginxconf: %w", err)
	}
	l.dump("/"+name, root.file)
	l.visit(root)
	c := &Config{Root: root.file, Prefix: prefix, fsys: fsys, files: l.files, dumped: l.dumped, includes: l.includes, diags: l.diags}
	return c, c.diags.Err()
}

type loader struct {
	fsys    fs.FS
	shown   func(name string) string
	confDir string // absolute: what includes are relative to

	byName   map[string]*loaded
	files    []*File
	dumped   []dumped
	named    map[string]bool // the paths in dumped
	includes map[*Directive][]*File
	diags    Diagnostics
}

// dump notes a file under the name that nginx opens it by.
func (l *loader) dump(path string, f *File) {
	if !l.named[path] {
		l.named[path] = true
		l.dumped = append(l.dumped, dumped{path, f})
	}
}

type loaded struct {
	file  *File
	diags Diagnostics // of its syntax, until visited
	state visitState
	count int // how many files it stands for, itself and its includes
}

type visitState int8

const (
	unvisited visitState = iota
	visiting
	visited
)

func (l *loader) read(name string) (*loaded, error) {
	if f := l.byName[name]; f != nil {
		return f, nil
	}
	src, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		if info, statErr := fs.Stat(l.fsys, name); statErr == nil && info.IsDir() {
			err = errIsDir
		}
		return nil, err
	}
	f := &loaded{count: 1}
	f.file, f.diags = parse(newSource(l.shown(name), src))
	f.file.fsName = name
	l.byName[name] = f
	l.files = append(l.files, f.file)
	return f, nil
}

var errIsDir = errors.New("is a directory")

// visit follows the includes of a file and gathers what is wrong, in the order
// in which nginx comes to it.
func (l *loader) visit(f *loaded) {
	f.state = visiting
	for d := range f.file.All() {
		if d.NumArgs() != 1 || d.body != nil || d.Name() != "include" {
			continue
		}
		for len(f.diags) > 0 && f.diags[0].Start.Offset < int(d.term) {
			l.diags = append(l.diags, f.diags[0])
			f.diags = f.diags[1:]
		}
		l.include(f, d)
	}
	l.diags = append(l.diags, f.diags...)
	f.diags = nil
	f.state = visited
}

// include follows one include directive (nginx 1.22: ngx_conf_include).
func (l *loader) include(from *loaded, d *Directive) {
	full := d.Arg(0)
	if !strings.HasPrefix(full, "/") {
		full = strings.TrimSuffix(l.confDir, "/") + "/" + full
	}
	paths := []string{full}
	if strings.ContainsAny(full, "*?[") {
		paths = glob(l.fsys, full)
	}
	for _, p := range paths {
		name := fsName(p)
		to, err := l.read(name)
		if err != nil {
			l.failed(d, p, err)
			return // nginx stops here; what follows is not its configuration
		}
		l.dump(p, to.file)
		switch to.state {
		case visiting:
			start, end := d.Span(1)
			l.diags = append(l.diags, errorAt(start, end, "include-cycle",
				`include of "%s" closes a cycle, nginx would not come to its end`, p))
			continue
		case unvisited:
			l.visit(to)
		}
		if from.count += to.count; from.count > maxExpansions {
			start, end := d.Span(1)
			l.diags = append(l.diags, errorAt(start, end, "too-many-includes",
				"more than %d files included", maxExpansions))
			from.count -= to.count
			return
		}
		l.includes[d] = append(l.includes[d], to.file)
	}
}

// failed reports an include that cannot be read, in nginx's words.
func (l *loader) failed(d *Directive, path string, err error) {
	start, end := d.Span(1)
	if end.Line != d.TermPos().Line {
		start, end = d.TermPos(), d.TermPos() // the line that nginx gives
	}
	var message string
	switch {
	case errors.Is(err, errIsDir):
		message = fmt.Sprintf(`pread() "%s" failed (21: Is a directory)`, path)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		message = fmt.Sprintf(`open() "%s" failed (2: No such file or directory)`, path)
	case errors.Is(err, fs.ErrPermission):
		message = fmt.Sprintf(`open() "%s" failed (13: Permission denied)`, path)
	default:
		why := err.Error()
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			text := errno.Error()
			why = fmt.Sprintf("%d: %s", int(errno), strings.ToUpper(text[:1])+text[1:])
		}
		message = fmt.Sprintf(`open() "%s" failed (%s)`, path, why)
	}
	l.diags = append(l.diags, errorAt(start, end, "include-failed", "%s", message))
}

// fsName turns an absolute path into a name of the file system.
func fsName(p string) string {
	name := strings.TrimPrefix(path.Clean(p), "/")
	if name == "" {
		return "."
	}
	return name
}
