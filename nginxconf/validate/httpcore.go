package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/internal/pcre"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// httpCoreReader knows ngx_http_core_module.
func httpCoreReader(f *directive.Form) reader {
	if f.Module != "ngx_http_core_module" {
		return nil
	}
	switch f.Name {
	case "server":
		return readHTTPServer
	case "location":
		return readLocation
	case "limit_except":
		return readLimitExcept
	case "listen":
		return readListen
	case "server_name":
		return readServerName
	case "root", "alias":
		return readRoot
	case "types":
		return readTypes
	case "error_log":
		return readErrorLog
	case "error_page":
		return readErrorPage
	case "aio":
		return readAIO
	case "directio":
		return readDirectIO
	case "internal":
		return once
	case "keepalive_timeout":
		return readKeepaliveTimeout
	case "open_file_cache":
		return readOpenFileCache
	case "resolver":
		return readResolver
	case "disable_symlinks":
		return readDisableSymlinks
	case "gzip_disable":
		return readGzipDisable
	case "connection_pool_size", "request_pool_size":
		return readPoolSize
	case "large_client_header_buffers":
		return readHeaderBuffers
	case "send_lowat":
		return nil
	}
	return nil
}

// readTypes reads a types block: any words, and include (nginx:
// ngx_http_core_type).
func readTypes(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	more := b.own()
	if more.types == nil {
		more.types = map[string]string{}
		c.http.hashes.named = append(c.http.hashes.named, typesNamed{b, more.types})
	}
	seen := more.types
	c.words(d, func(e *nginxconf.Directive) {
		kind := e.Name()
		if cstring(kind) == "include" {
			if e.NumArgs() != 1 {
				c.fail(e, 0, "wrong-arguments", `invalid number of arguments in "include" directive`)
			}
			return
		}
		for i := range e.NumArgs() {
			ext := strings.ToLower(e.Arg(i))
			if old, ok := seen[ext]; ok {
				c.warn(e, i+1, "duplicate-extension", `duplicate extension "%s", content type: "%s", previous content type: "%s"`, ext, kind, old)
			}
			seen[ext] = kind
		}
	})
}

func readErrorPage(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	last := d.NumArgs() - 1
	codes := last
	if v := d.Arg(last - 1); strings.HasPrefix(v, "=") {
		codes--
		if _, err := value.ParseNumber(v[1:]); codes == 0 || len(v) > 1 && err != nil {
			c.fail(d, last, "invalid-value", `invalid value "%s"`, v)
			return
		}
	}
	if _, ok := c.http.variables.script(d, last+1, d.Arg(last)); !ok {
		return
	}
	for i := range codes {
		v := d.Arg(i)
		code, err := value.ParseNumber(v)
		if err != nil || code == 499 {
			c.fail(d, i+1, "invalid-value", `invalid value "%s"`, v)
			return
		}
		if code < 300 || code > 599 {
			c.fail(d, i+1, "invalid-value", `value "%s" must be between 300 and 599`, v)
			return
		}
	}
}

func readAIO(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	v := d.Arg(0)
	switch s := cstring(v); {
	case s == "off":
	case s == "on":
		if c.debian { // built without it
			c.fail(d, 1, "unsupported", `"aio on" is unsupported on this platform`)
		}
	case s == "threads" || strings.HasPrefix(s, "threads="):
		name := "default"
		if len(v) > len("threads") {
			name = v[len("threads="):]
			n, ok := c.http.variables.script(d, 1, name)
			if !ok || n > 0 {
				return
			}
		}
		c.threadPool(d, 1, name)
	default:
		c.refuse(d, "invalid value")
	}
}

func readDirectIO(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) || cstring(d.Arg(0)) == "off" {
		return
	}
	_, err := value.ParseOffset(d.Arg(0))
	c.valid(d, err == nil)
}

func readKeepaliveTimeout(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	_, err := value.ParseTime(d.Arg(0))
	if err == nil && d.NumArgs() > 1 {
		_, err = value.ParseSeconds(d.Arg(1))
	}
	c.valid(d, err == nil)
}

func readOpenFileCache(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	c.openFileCache(d, `"open_file_cache"`)
}

// openFileCache reads the parameters of open_file_cache.
func (c *checker) openFileCache(d *nginxconf.Directive, name string) {
	limited, off := false, false
	for i := range d.NumArgs() {
		v := d.Arg(i)
		ok := false
		if s, found := strings.CutPrefix(v, "max="); found {
			n, err := value.ParseNumber(s)
			ok = err == nil && n > 0
			limited = ok
		} else if s, found := strings.CutPrefix(v, "inactive="); found {
			_, err := value.ParseSeconds(s)
			ok = err == nil
		} else if cstring(v) == "off" {
			ok, off = true, true
		}
		if !ok {
			c.fail(d, i+1, "invalid-parameter", `invalid %s parameter "%s"`, name, v)
			return
		}
	}
	if !off && !limited {
		c.fail(d, 0, "missing-parameter", `%s must have the "max" parameter`, name)
	}
}

func readResolver(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	if b.context == directive.HTTP { // upstream blocks ask for it
		b.keep("resolver", d)
	}
	c.resolver(d)
}

// resolver reads the arguments of resolver, of any module (nginx:
// ngx_resolver_create).
func (c *checker) resolver(d *nginxconf.Directive) {
	servers := 0
	var off [2]bool // ipv4, ipv6
	for i := range d.NumArgs() {
		v := d.Arg(i)
		switch {
		case strings.HasPrefix(v, "valid="):
			if _, err := value.ParseSeconds(v[len("valid="):]); err != nil {
				c.fail(d, i+1, "invalid-parameter", "invalid parameter: %s", v)
				return
			}
		case strings.HasPrefix(v, "ipv6="), strings.HasPrefix(v, "ipv4=") && c.since(1, 23, 1):
			if s := cstring(v[len("ipv6="):]); s != "on" && s != "off" {
				c.fail(d, i+1, "invalid-parameter", "invalid parameter: %s", v)
				return
			} else if v[3] == '4' {
				off[0] = s == "off"
			} else {
				off[1] = s == "off"
			}
		default:
			s, err := value.ParseAddress(v, 53)
			if err == nil {
				err = c.resolve(s)
			}
			if err != nil {
				c.fail(d, i+1, "invalid-address", `%s in resolver "%s"`, err, v)
				return
			}
			servers++
		}
	}
	if off == [2]bool{true, true} {
		c.fail(d, 0, "no-addresses", `"ipv4" and "ipv6" cannot both be "off"`)
	} else if servers == 0 {
		c.fail(d, 0, "no-name-servers", "no name servers defined")
	}
}

func readDisableSymlinks(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	mode, from := "", false
	for i := range d.NumArgs() {
		v := d.Arg(i)
		switch s := cstring(v); {
		case s == "off" || s == "on" || s == "if_not_owner":
			mode = s
		case strings.HasPrefix(s, "from="):
			if _, ok := c.http.variables.script(d, i+1, v[len("from="):]); !ok {
				return
			}
			from = true
		default:
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, v)
			return
		}
	}
	switch {
	case mode == "":
		c.fail(d, 0, "missing-parameter", `"%s" must have "off", "on" or "if_not_owner" parameter`, f.Name)
	case d.NumArgs() == 1:
	case !from:
		c.fail(d, 2, "duplicate-parameter", `duplicate parameters "%s %s"`, d.Arg(0), d.Arg(1))
	case mode == "off":
		c.fail(d, 1, "conflicting-parameter", `"from=" cannot be used with "off" parameter`)
	}
}

func readGzipDisable(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for i := range d.NumArgs() {
		v := d.Arg(i)
		if cstring(v) == "msie6" {
			continue
		}
		if _, err := pcre.Check(v, true); err != nil {
			c.fail(d, i+1, "invalid-regex", "%s", err.Nginx(v))
			return
		}
	}
}

const (
	minPoolSize = 112 // NGX_MIN_POOL_SIZE on 64 bits
	poolAlign   = 16
)

func readPoolSize(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.slot(b, d, f) {
		return
	}
	n, _ := value.ParseSize(d.Arg(0))
	switch {
	case n < minPoolSize:
		c.fail(d, 1, "invalid-value", "the pool size must be no less than %d", minPoolSize)
	case n%poolAlign != 0:
		c.fail(d, 1, "invalid-value", "the pool size must be a multiple of %d", poolAlign)
	default:
		b.keep(f.Name, d)
		c.http.sized = true
	}
}

func readHeaderBuffers(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.slot(b, d, f) {
		b.keep(f.Name, d)
		c.http.sized = true
	}
}

// mergeServers compares what is known of each server with what it inherits
// (nginx: ngx_http_core_merge_srv_conf).
func (c *checker) mergeServers(h *httpMain) {
	if !h.sized {
		return
	}
	for _, s := range h.servers {
		pool, buffers := int64(64*8), int64(8192)
		if d := s.root.block.inherited("connection_pool_size"); d != nil {
			pool, _ = value.ParseSize(d.Arg(0))
		}
		if d := s.root.block.inherited("large_client_header_buffers"); d != nil {
			buffers, _ = value.ParseSize(d.Arg(1))
		}
		if buffers < pool {
			c.failAtEnd(h.block.d, "conflicting-value", `the "large_client_header_buffers" size must be equal to or greater than "connection_pool_size"`)
			return
		}
	}
}
