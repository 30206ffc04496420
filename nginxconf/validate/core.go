package validate

import (
	"go/token"
	"log/slog"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// coreReader knows the modules of the main context and of events (nginx 1.22:
// ngx_core_module, ngx_errlog_module, ngx_events_module, ngx_event_core_module,
// ngx_thread_pool_module, ngx_openssl_module), and the blocks that open a
// module type.
func coreReader(f *directive.Form) reader {
	switch f.Name {
	case "http":
		return readHTTP
	case "stream":
		return readStream
	case "mail":
		return readMail
	case "events":
		return readEvents
	case "include":
		return readInclude
	case "load_module":
		return readLoadModule
	case "user":
		return once
	case "worker_processes":
		return readWorkerProcesses
	case "worker_priority":
		return readWorkerPriority
	case "worker_cpu_affinity":
		return readCPUAffinity
	case "error_log":
		return readErrorLog
	case "thread_pool":
		return readThreadPool
	case "use":
		return readUse
	case "worker_connections":
		return readWorkerConnections
	case "ssl_engine":
		return once
	}
	return nil
}

// once reads a directive that may stand once, and has nothing else to check.
func once(c *checker, b *block, d *nginxconf.Directive, f *bound) { c.duplicate(b, d, f) }

// finishMain is what nginx does when it has read all: the init_conf functions
// of the core modules, in the order of ngx_modules[].
func (c *checker) finishMain() {
	main := token.Position{Filename: c.config.Root.Name}
	if c.events == nil {
		// nginx names no place.
		c.report(slog.LevelError, main, main, "missing-section", `no "events" section in configuration`)
	} else if c.connections < c.listening+1 {
		d := c.events.kept("worker_connections")
		if d == nil {
			d = c.events.d
		}
		c.fail(d, 1, "too-few-connections", "%d worker_connections are not enough for %d listening sockets", c.connections, c.listening)
	}
	for _, p := range c.pools {
		if !p.defined && p.name != "default" {
			c.fail(p.d, p.word, "unknown-thread-pool", `unknown thread pool "%s"`, p.name)
		}
	}
}

// defaultConnections is DEFAULT_CONNECTIONS of nginx.
const defaultConnections = 512

func readEvents(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.events != nil {
		c.refuse(d, "is duplicate")
		return
	}
	c.modules = true
	c.connections = defaultConnections
	c.events = &block{context: directive.Events, up: b, d: d}
	c.within(c.events)
}

func readLoadModule(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.modules {
		c.refuse(d, "is specified too late")
	}
}

func readWorkerProcesses(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) || cstring(d.Arg(0)) == "auto" {
		return
	}
	_, err := value.ParseNumber(d.Arg(0))
	c.valid(d, err == nil)
}

func readWorkerPriority(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	// nginx takes 0 for "not set yet".
	if b.kept("worker_priority") != nil {
		c.refuse(d, "is duplicate")
		return
	}
	v := d.Arg(0)
	if v != "" && (v[0] == '-' || v[0] == '+') {
		v = v[1:]
	}
	n, err := value.Int(value.ParseNumber(v))
	if err != nil {
		c.refuse(d, "invalid number")
	} else if n != 0 {
		b.keep("worker_priority", d)
	}
}

// maxCPUs is CPU_SETSIZE.
const maxCPUs = 1024

func readCPUAffinity(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	first := 0
	if cstring(d.Arg(0)) == "auto" {
		if d.NumArgs() > 2 {
			c.fail(d, 0, "wrong-arguments", `invalid number of arguments in "worker_cpu_affinity" directive`)
			return
		}
		first = 1
	}
	for i := first; i < d.NumArgs(); i++ {
		v := d.Arg(i)
		if len(v) > maxCPUs {
			c.fail(d, i+1, "invalid-value", `"worker_cpu_affinity" supports up to %d CPUs only`, maxCPUs)
			return
		}
		for k := len(v) - 1; k >= 0; k-- {
			if v[k] != ' ' && v[k] != '0' && v[k] != '1' {
				c.fail(d, i+1, "invalid-value", `invalid character "%s" in "worker_cpu_affinity"`, v[k:k+1])
				return
			}
		}
	}
}

var (
	logLevels   = [...]string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}
	debugLevels = [...]string{"debug_core", "debug_alloc", "debug_mutex", "debug_event", "debug_http", "debug_mail", "debug_stream"}
)

// readErrorLog reads error_log of any context (nginx: ngx_log_set_log).
func readErrorLog(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	to := cstring(d.Arg(0))
	switch {
	case strings.HasPrefix(to, "memory:"):
		size, err := value.ParseSize(d.Arg(0)[len("memory:"):])
		if err != nil || size < minMemoryLog {
			c.fail(d, 1, "invalid-value", `invalid buffer size "%s"`, d.Arg(0)[len("memory:"):])
			return
		}
	case strings.HasPrefix(to, "syslog:"):
		if !c.syslog(d) {
			return
		}
	}
	level, debug := false, false
	for i := 1; i < d.NumArgs(); i++ {
		v := d.Arg(i)
		found := false
		if oneOf(cstring(v), logLevels[:]) {
			if level || debug {
				c.fail(d, i+1, "invalid-value", `duplicate log level "%s"`, v)
				return
			}
			level, found = true, true
		}
		if oneOf(cstring(v), debugLevels[:]) {
			if level {
				c.fail(d, i+1, "invalid-value", `invalid log level "%s"`, v)
				return
			}
			debug, found = true, true
		}
		if !found {
			c.fail(d, i+1, "invalid-value", `invalid log level "%s"`, v)
			return
		}
	}
}

// minMemoryLog is the least that nginx accepts for a log in memory, without the
// length of the file's name, which it adds: below it nginx refuses for sure.
const minMemoryLog = 2048 + 9 + 1 + 20 + 20

// A threadPool is one that is used or defined.
type threadPool struct {
	name    string
	d       *nginxconf.Directive
	word    int
	defined bool
}

// threadPool notes that word i of d names a thread pool.
func (c *checker) threadPool(d *nginxconf.Directive, i int, name string) *threadPool {
	for _, p := range c.pools {
		if p.name == name {
			return p
		}
	}
	p := &threadPool{name: name, d: d, word: i}
	c.pools = append(c.pools, p)
	return p
}

func readThreadPool(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	p := c.threadPool(d, 1, d.Arg(0))
	if p.defined {
		c.fail(d, 1, "duplicate-thread-pool", `duplicate thread pool "%s"`, p.name)
		return
	}
	for i := 1; i < d.NumArgs(); i++ {
		v := d.Arg(i)
		if n, ok := strings.CutPrefix(v, "threads="); ok {
			count, err := value.ParseNumber(n)
			if err != nil || count == 0 {
				c.fail(d, i+1, "invalid-parameter", `invalid threads value "%s"`, v)
				return
			}
			p.defined = true
		} else if n, ok := strings.CutPrefix(v, "max_queue="); ok {
			if _, err := value.ParseNumber(n); err != nil {
				c.fail(d, i+1, "invalid-parameter", `invalid max_queue value "%s"`, v)
				return
			}
		}
	}
	if !p.defined {
		c.fail(d, 0, "missing-parameter", `"thread_pool" must have "threads" parameter`)
	}
}

func readUse(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	// Those of a build for Linux; "event_core" is what nginx calls its own.
	switch v := d.Arg(0); v {
	case "epoll", "event_core":
	case "poll", "select": // only with --with-poll_module and its like, which nobody knows
	default:
		c.fail(d, 1, "invalid-value", `invalid event type "%s"`, v)
	}
}

func readWorkerConnections(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	n, err := value.ParseNumber(d.Arg(0))
	if err != nil {
		c.fail(d, 1, "invalid-value", `invalid number "%s"`, d.Arg(0))
		return
	}
	b.keep("worker_connections", d)
	c.connections = n
}
