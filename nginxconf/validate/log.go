package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// logReader knows ngx_http_log_module and ngx_stream_log_module.
func logReader(f *directive.Form) reader {
	switch f.Name {
	case "log_format":
		return readLogFormat
	case "access_log":
		return readAccessLog
	case "open_log_file_cache":
		return readOpenLogFileCache
	}
	return nil
}

// logFormats are the names of log_format directives. Those that access_log
// finds are alike in any case.
type logFormats struct{ exact, folded map[string]struct{} }

// combined is the format that http has from the start.
const combined = "combined"

// readLogFormat reads log_format (nginx 1.22: ngx_http_log_set_format,
// ngx_stream_log_set_format).
func readLogFormat(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	formats := &c.common(b).formats
	http := b.context&inHTTP != 0
	name := d.Arg(0)
	if !insert(&formats.exact, cset(name)) || http && cset(name) == combined {
		c.fail(d, 1, "duplicate-log-format", `duplicate "log_format" name "%s"`, name)
		return
	}
	insert(&formats.folded, lower(cset(name)))
	v := c.variables(b)
	first := 1
	if escape, ok := strings.CutPrefix(d.Arg(1), "escape="); ok {
		switch cstring(escape) {
		case "json", "none", "default":
		default:
			c.fail(d, 2, "invalid-parameter", `unknown log format escaping "%s"`, cstring(escape))
			return
		}
		first++
	}
	for i := first; i < d.NumArgs(); i++ {
		if !v.format(d, i+1, d.Arg(i), http) {
			return
		}
	}
}

// logVariables are those that log_format of http knows itself.
var logVariables = [...]string{
	"pipe", "time_local", "time_iso8601", "msec", "request_time", "status", "bytes_sent", "body_bytes_sent",
	"request_length",
}

// format reads word i of d as text in a log format: as script, but without
// captures (nginx 1.22: ngx_http_log_compile_format).
func (v *variables) format(d *nginxconf.Directive, i int, s string, http bool) bool {
	for {
		at := strings.IndexByte(s, '$')
		if at < 0 {
			return true
		}
		whole := s[at:]
		s = whole[1:]
		bracket := s != "" && s[0] == '{'
		if bracket {
			s = s[1:]
		}
		end := 0
		for end < len(s) && isVariable[s[end]] {
			end++
		}
		name := s[:end]
		switch {
		case s == "":
			v.c.fail(d, i, "invalid-parameter", `invalid parameter "%s"`, cstring(whole))
			return false
		case bracket && (end == len(s) || s[end] != '}'):
			v.c.fail(d, i, "invalid-variable", `the closing bracket in "%s" variable is missing`, name)
			return false
		case name == "":
			v.c.fail(d, i, "invalid-parameter", `invalid parameter "%s"`, cstring(whole))
			return false
		}
		if bracket {
			end++
		}
		s = s[end:]
		if !http || !oneOf(name, logVariables[:]) {
			v.use(d, i, name)
		}
	}
}

// A logBuffer is how a log file is written.
type logBuffer struct{ size, flush, gzip int64 }

// readAccessLog reads access_log (nginx 1.22: ngx_http_log_set_log,
// ngx_stream_log_set_log).
func readAccessLog(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	file := d.Arg(0)
	v := c.variables(b)
	n := d.NumArgs()
	if cstring(file) == "off" {
		if n > 1 {
			c.fail(d, 2, "invalid-parameter", `invalid parameter "%s"`, d.Arg(1))
		}
		return
	}
	syslog := strings.HasPrefix(file, "syslog:")
	if syslog {
		if !c.syslog(d) {
			return
		}
		file = strings.ReplaceAll(file, ",", "\x00") // nginx leaves it so
	} else if strings.IndexByte(file, '$') >= 0 {
		if !v.fileText(d, 1) {
			return
		}
		file = c.fullName(file)
	}
	switch http := b.context&inHTTP != 0; {
	case n == 1 && !http:
		c.fail(d, 0, "missing-log-format", "log format is not specified")
		return
	case n > 1 && !c.fragment && !c.common(b).formats.has(d.Arg(1), http):
		c.fail(d, 2, "unknown-log-format", `unknown log format "%s"`, d.Arg(1))
		return
	}
	if n > 2 {
		c.logParameters(v, d, file, syslog)
	}
}

// has tells whether access_log finds a format of that name.
func (f *logFormats) has(name string, http bool) bool {
	key := lower(cset(name))
	_, ok := f.folded[key]
	return ok || http && key == combined
}

// logParameters reads the parameters of access_log.
func (c *checker) logParameters(v *variables, d *nginxconf.Directive, file string, syslog bool) {
	var buffer logBuffer
	for i := 2; i < d.NumArgs(); i++ {
		p := d.Arg(i)
		if s, ok := strings.CutPrefix(p, "buffer="); ok {
			size, err := value.ParseSize(s)
			if err != nil || size == 0 {
				c.fail(d, i+1, "invalid-parameter", `invalid buffer size "%s"`, s)
				return
			}
			buffer.size = size
		} else if s, ok := strings.CutPrefix(p, "flush="); ok {
			flush, err := value.ParseTime(s)
			if err != nil || flush == 0 {
				c.fail(d, i+1, "invalid-parameter", `invalid flush time "%s"`, s)
				return
			}
			buffer.flush = int64(flush)
		} else if s, ok := strings.CutPrefix(p, "gzip"); ok && (s == "" || s[0] == '=') {
			if buffer.size == 0 {
				buffer.size = 64 << 10
			}
			buffer.gzip = 1
			if s != "" {
				level, err := value.ParseNumber(s[1:])
				if err != nil || level < 1 || level > 9 {
					c.fail(d, i+1, "invalid-parameter", `invalid compression level "%s"`, s[1:])
					return
				}
				buffer.gzip = level
			}
		} else if s, ok := strings.CutPrefix(p, "if="); ok {
			if _, ok := v.script(d, i+1, s); !ok {
				return
			}
		} else {
			c.fail(d, i+1, "invalid-parameter", `invalid parameter "%s"`, p)
			return
		}
	}
	switch {
	case buffer.size == 0 && buffer.flush != 0:
		c.fail(d, 0, "missing-parameter", `no buffer is defined for access_log "%s"`, file)
	case buffer.size == 0:
	case !syslog && strings.IndexByte(file, '$') >= 0:
		c.fail(d, 1, "conflicting-parameter", "buffered logs cannot have variables in name")
	case syslog:
		c.fail(d, 1, "conflicting-parameter", "logs to syslog cannot be buffered")
	case file == "": // the standard error stream, anew each time
	default:
		old, ok := c.logs[file]
		if ok && old != buffer {
			c.fail(d, 1, "conflicting-parameter", `access_log "%s" already defined with conflicting parameters`, file)
			return
		}
		if c.logs == nil {
			c.logs = map[string]logBuffer{}
		}
		c.logs[file] = buffer
	}
}

// readOpenLogFileCache reads open_log_file_cache (nginx 1.22:
// ngx_http_log_open_file_cache).
func readOpenLogFileCache(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	limit, off := int64(0), false
	for i := range d.NumArgs() {
		p := d.Arg(i)
		var err error
		if s, ok := strings.CutPrefix(p, "max="); ok {
			limit, err = value.ParseNumber(s)
		} else if s, ok := strings.CutPrefix(p, "inactive="); ok {
			_, err = value.ParseSeconds(s)
		} else if s, ok := strings.CutPrefix(p, "min_uses="); ok {
			_, err = value.ParseNumber(s)
		} else if s, ok := strings.CutPrefix(p, "valid="); ok {
			_, err = value.ParseSeconds(s)
		} else if cstring(p) == "off" {
			off = true
		} else {
			err = value.ErrInvalid
		}
		if err != nil {
			c.fail(d, i+1, "invalid-parameter", `invalid "open_log_file_cache" parameter "%s"`, p)
			return
		}
	}
	if !off && limit == 0 {
		c.fail(d, 0, "missing-parameter", `"open_log_file_cache" must have "max" parameter`)
	}
}
