package validate

import (
	"fmt"
	"go/token"
	"hash/maphash"
	"log/slog"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/slab"
)

// A checker goes over a configuration in the order in which nginx reads it,
// and keeps what nginx keeps of it: so its first error is the one nginx stops
// at, and it goes on behind it.
type checker struct {
	config  *nginxconf.Config
	options Options
	table   *directive.Table
	version directive.Version // of the nginx that is spoken for

	debian bool // it is a package of Debian, or of Ubuntu, which build it alike

	commands map[string]*command
	recent   [slots]*recent
	last     *recent                          // never nil
	waiting  map[string]nginxconf.Diagnostics // of Load, by file: not come to yet
	set      []*bound                         // once-only directives met in the blocks that are open, innermost last
	diags    nginxconf.Diagnostics
	deep     int
	order    int32 // how many blocks were opened
	fragment bool  // only a part of a configuration is known
	modules  bool  // a block that counts modules was met: load_module is too late

	zones       map[string]*zone
	zoneList    []*zone // in the order they came
	events      *block
	connections int64 // worker_connections
	listening   int64 // how many sockets nginx would open
	pools       []*threadPool
	paths       map[string]path      // directories, by their absolute names
	pathList    []string             // their names, in the order they came
	logs        map[string]logBuffer // log files that are written through a buffer
	geoSteps    int                  // what the ranges of geo blocks took

	late   *nginxconf.Directive // a block that was read: what is found now, nginx finds at its '}'
	said   map[string]bool      // what was found once, and is not to be said again
	hashes map[hashKey]bool     // whether names fit in a hash table

	blocks  slab.Slab[block]
	sslSlab slab.Slab[sslConf]
	noSSL   sslMore // what a server has that says nothing of it; not written to
	seed    maphash.Seed

	http   *httpMain
	stream *streamMain
	mail   *mailMain
}

// A block is a block being read, or the main context, with what must be known
// of it when it has been read.
type block struct {
	up       *block               // nil: main
	d        *nginxconf.Directive // nil: main
	context  directive.Context    // one bit
	set      int32                // where its part of checker.set starts
	order    int32                // of the blocks as they open: that in which nginx merges their settings
	kind     locationKind         // of the block of a location
	more     *blockMore           // or nil
	server   *server              // in http: of the enclosing server
	location *location            // in http: of the enclosing location
	backends *backendConf         // in http: what is said of the backends
}

// blockMore is what few blocks need.
type blockMore struct {
	upstream *upstream         // of the upstream block of http
	notes    []note            // of the directives that module code has to find again
	masks    []maskValue       // of directives that add to a set
	types    map[string]string // of types blocks: extensions and their content types
}

// own returns it, to be added to.
func (b *block) own() *blockMore {
	if b.more == nil {
		b.more = &blockMore{}
	}
	return b.more
}

// noted returns the notes of this block.
func (b *block) noted() []note {
	if b.more == nil {
		return nil
	}
	return b.more.notes
}

// A note is a directive that was kept.
type note struct {
	name string
	d    *nginxconf.Directive
}

// keep notes a directive under its name, or any other, for kept and inherited.
func (b *block) keep(name string, d *nginxconf.Directive) {
	more := b.own()
	more.notes = append(more.notes, note{name, d})
}

// kept returns the first directive kept under name in this block, or nil.
func (b *block) kept(name string) *nginxconf.Directive {
	for _, n := range b.noted() {
		if n.name == name {
			return n.d
		}
	}
	return nil
}

// inherited returns what is kept under name in the nearest block that has it,
// as nginx merges values, or nil.
func (b *block) inherited(name string) *nginxconf.Directive {
	for ; b != nil; b = b.up {
		if d := b.kept(name); d != nil {
			return d
		}
	}
	return nil
}

// since tells whether the nginx that is spoken for is of this version or newer.
func (c *checker) since(major, minor, patch uint8) bool {
	return c.version.Compare(directive.Version{Major: major, Minor: minor, Patch: patch}) >= 0
}

// inline keeps a message on one line where nginx does not.
var inline = strings.NewReplacer("\n", `\n`)

// report adds a finding.
func (c *checker) report(level slog.Level, start, end token.Position, code, message string) *nginxconf.Diagnostic {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	if strings.Contains(message, "\n") {
		message = inline.Replace(message)
	}
	f := &nginxconf.Diagnostic{Start: start, End: end, Level: level, Code: code, Message: message}
	if len(c.diags) < maxFindings {
		c.diags = append(c.diags, f)
	}
	return f
}

const (
	maxMessage  = 1024   // NGX_MAX_CONF_ERRSTR
	maxFindings = 10_000 // of one run
)

// fail reports an error at word i of d (0 is the name), or at the ';' or '{'
// if the word stands on another line: nginx names the line that it has read up
// to.
func (c *checker) fail(d *nginxconf.Directive, i int, code, format string, args ...any) *nginxconf.Diagnostic {
	start, end := c.place(d, i)
	return c.report(slog.LevelError, start, end, code, fmt.Sprintf(format, args...))
}

// warn is fail for what nginx warns of.
func (c *checker) warn(d *nginxconf.Directive, i int, code, format string, args ...any) *nginxconf.Diagnostic {
	start, end := c.place(d, i)
	return c.report(slog.LevelWarn, start, end, code, fmt.Sprintf(format, args...))
}

// failAtEnd reports an error that nginx comes to at the '}' of the block d.
func (c *checker) failAtEnd(d *nginxconf.Directive, code, format string, args ...any) *nginxconf.Diagnostic {
	start, end := c.closing(d)
	return c.report(slog.LevelError, start, end, code, fmt.Sprintf(format, args...))
}

func (c *checker) warnAtEnd(d *nginxconf.Directive, code, format string, args ...any) *nginxconf.Diagnostic {
	start, end := c.closing(d)
	return c.report(slog.LevelWarn, start, end, code, fmt.Sprintf(format, args...))
}

// closing returns the place of a block's '}'.
func (c *checker) closing(d *nginxconf.Directive) (start, end token.Position) {
	end = d.End()
	start = end
	if start.Column > 1 {
		start.Column--
		start.Offset--
	}
	return start, end
}

func (c *checker) place(d *nginxconf.Directive, i int) (start, end token.Position) {
	if c.late != nil {
		return c.closing(c.late)
	}
	term := d.TermPos()
	if i <= d.NumArgs() {
		start, end = d.Span(i)
	}
	if !start.IsValid() || start.Line != term.Line {
		return term, term
	}
	return start, end
}

// cstring returns s as C reads it: up to its first NUL. nginx prints and
// compares many words this way.
func cstring(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}
