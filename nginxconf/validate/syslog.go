package validate

import (
	"errors"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

var (
	facilities = [...]string{
		"kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv", "ftp", "ntp",
		"audit", "alert", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	severities = [...]string{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"}
)

// syslog reads the first argument of error_log or access_log, which starts with
// "syslog:" (nginx: ngx_syslog_process_conf).
func (c *checker) syslog(d *nginxconf.Directive) bool {
	bad := func(format string, args ...any) bool {
		c.fail(d, 1, "invalid-syslog", format, args...)
		return false
	}
	rest := cstring(d.Arg(0))[len("syslog:"):]
	var server, facility, severity, tag bool
	for more := true; more; {
		var p string
		p, rest, more = strings.Cut(rest, ",")
		_, v, _ := strings.Cut(p, "=")
		switch {
		case strings.HasPrefix(p, "server="):
			if server {
				return bad(`duplicate syslog "server"`)
			}
			server = true
			s, err := value.ParseAddress(v, 514)
			if err == nil {
				err = c.resolve(s)
			}
			if err != nil {
				return bad(`%s in syslog server "%s"`, err, v)
			}
		case strings.HasPrefix(p, "facility="):
			if facility {
				return bad(`duplicate syslog "facility"`)
			}
			facility = true
			if !oneOf(v, facilities[:]) {
				return bad(`unknown syslog facility "%s"`, v)
			}
		case strings.HasPrefix(p, "severity="):
			if severity {
				return bad(`duplicate syslog "severity"`)
			}
			severity = true
			if !oneOf(v, severities[:]) {
				return bad(`unknown syslog severity "%s"`, v)
			}
		case strings.HasPrefix(p, "tag="):
			if tag {
				return bad(`duplicate syslog "tag"`)
			}
			tag = true
			if len(v) > 32 {
				return bad("syslog tag length exceeds 32")
			}
			for i := range len(v) {
				if k := v[i] | 0x20; !('0' <= v[i] && v[i] <= '9' || 'a' <= k && k <= 'z' || v[i] == '_') {
					return bad(`syslog "tag" only allows alphanumeric characters and underscore`)
				}
			}
		case p == "nohostname":
		default:
			return bad(`unknown syslog parameter "%s"`, p)
		}
	}
	if !server {
		return bad("no syslog server specified")
	}
	return true
}

func oneOf(s string, list []string) bool {
	for _, x := range list {
		if s == x {
			return true
		}
	}
	return false
}

// resolve looks a host name up, if the caller wants that.
func (c *checker) resolve(s value.Socket) error {
	if s.Host == "" || c.options.Resolve == nil || isNumericHost(s.Host) {
		return nil
	}
	if err := c.options.Resolve(s.Host); err != nil {
		return errHostNotFound
	}
	return nil
}

var errHostNotFound = errors.New("host not found")
