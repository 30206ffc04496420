package supervisorconf

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A setting is one value that supervisord holds, by the option that it comes
// from. The value is nil where Supervisor has None.
type setting struct {
	option string
	value  any
}

// settings are all that supervisord compares of two processes, but for the
// name.
func (p *Process) settings() []setting {
	o := p.Program
	number := func(key string, v any) setting {
		for _, big := range []overflow{o.big, p.big} {
			if text, ok := big[key]; ok {
				return setting{key, text}
			}
		}
		return setting{key, v}
	}
	list := []setting{
		{"command", p.Command},
		{"directory", optional(p.Directory, p.Directory != "" || o.Option("directory") != nil)},
		{"environment", p.Environment},
		{"user", o.User.setting()},
		number("umask", optional(octal(o.Umask), o.Umask != -1 || o.Option("umask") != nil)),
		number("priority", o.Priority),
		{"autostart", o.Autostart},
		{"autorestart", o.Autorestart},
		number("startsecs", o.StartSecs),
		number("startretries", o.StartRetries),
		{"exitcodes", exitCodes(o.ExitCodes)},
		{"stopsignal", o.StopSignal},
		number("stopwaitsecs", o.StopWaitSecs),
		{"stopasgroup", o.StopAsGroup},
		{"killasgroup", o.KillAsGroup},
		{"redirect_stderr", o.RedirectStderr},
		{"serverurl", optional(o.ServerURL, o.ServerURL != "" || o.hasServerURL)},
	}
	for _, out := range []struct {
		name string
		log  Log
	}{{"stdout", p.Stdout}, {"stderr", p.Stderr}} {
		list = append(list,
			setting{out.name + "_logfile", out.log.File},
			number(out.name+"_logfile_maxbytes", byteSize(out.log.MaxBytes)),
			number(out.name+"_logfile_backups", out.log.Backups),
			number(out.name+"_capture_maxbytes", byteSize(out.log.CaptureMaxBytes)),
			setting{out.name + "_events_enabled", out.log.EventsEnabled},
			setting{out.name + "_syslog", out.log.Syslog},
		)
	}
	return list
}

// settings are those of [supervisord].
func (s *Supervisord) settings() []setting {
	number := func(key string, v any) setting {
		if text, ok := s.big[key]; ok {
			return setting{key, text}
		}
		return setting{key, v}
	}
	return []setting{
		number("minfds", s.MinFDs), number("minprocs", s.MinProcs),
		{"directory", optional(s.Directory, s.Directory != "")}, {"user", s.User.setting()}, number("umask", octal(s.Umask)),
		{"logfile", s.LogFile}, number("logfile_maxbytes", byteSize(s.LogFileMaxBytes)), number("logfile_backups", s.LogFileBackups),
		{"loglevel", cmp.Or(s.loglevel, s.LogLevel.String())}, {"pidfile", s.PIDFile}, {"identifier", s.Identifier},
		{"nodaemon", s.NoDaemon}, {"silent", s.Silent}, {"childlogdir", s.ChildLogDir}, {"nocleanup", s.NoCleanup},
		{"strip_ansi", s.StripANSI}, {"environment", s.Environment},
	}
}

// settings are those of a server.
func (s *Server) settings() []setting {
	list := []setting{{"username", optional(s.Username, s.hasAuth())}, {"password", optional(s.Password, s.hasAuth())}}
	if s.Family == FamilyUnix {
		return append(list, setting{"file", s.Path}, setting{"chmod", octal(s.Mode)}, setting{"chown", s.Owner.setting()})
	}
	return append(list, setting{"port", cmp.Or(s.Host, "*") + ":" + strconv.Itoa(s.Port)})
}

func (s *Server) hasAuth() bool { return s.auth || s.Username != "" || s.Password != "" }

// settings are those of the socket. Supervisor's comparison looks at the first
// alone.
func (s *Socket) settings() []setting {
	if s == nil {
		return nil
	}
	return []setting{
		{"socket", s.URL}, {"socket_backlog", optional(s.Backlog, s.Backlog != 0)},
		{"socket_mode", optional(octal(s.Mode), s.Path != "")}, {"socket_owner", s.Owner.setting()},
	}
}

func (r *RPCInterface) settings() []setting {
	list := []setting{{"supervisor.rpcinterface_factory", r.Factory}}
	for _, k := range slices.Sorted(maps.Keys(r.Options)) {
		list = append(list, setting{k, r.Options[k]})
	}
	return list
}

// setting is the account by its number, or by its name where that is unknown.
func (u *User) setting() any {
	switch {
	case u == nil, u.Name == "" && u.UID < 0:
		return nil
	case u.UID < 0 || strings.Contains(u.Name, ":") && u.GID < 0:
		return u.Name
	case strings.Contains(u.Name, ":"):
		return [2]int{u.UID, u.GID}
	}
	return u.UID
}

func optional(v any, set bool) any {
	if !set {
		return nil
	}
	return v
}

// Types that are written in a way of their own.
type (
	octal     int
	byteSize  int64
	exitCodes []int
)

func (o octal) String() string {
	if o >= 0 {
		return fmt.Sprintf("0%o", int(o))
	}
	return strconv.FormatInt(int64(o), 8)
}

func (b byteSize) String() string {
	for _, s := range slices.Backward(byteSuffixes) {
		if b > 0 && int64(b)%s.factor == 0 {
			return strconv.FormatInt(int64(b)/s.factor, 10) + strings.ToUpper(s.suffix)
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

func (e exitCodes) String() string {
	list := make([]string, len(e))
	for i, n := range e {
		list[i] = strconv.Itoa(n)
	}
	return strings.Join(list, ",")
}

// text is the value as a file would have it, but for the percent signs; nil is
// empty.
func (s setting) text() string {
	switch v := s.value.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]string:
		var list []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			list = append(list, k+"="+strconv.Quote(v[k]))
		}
		return strings.Join(list, ",")
	}
	return fmt.Sprint(s.value)
}

func (s setting) equal(t setting) bool {
	a, aok := s.value.(exitCodes)
	b, bok := t.value.(exitCodes)
	if aok && bok {
		return slices.Equal(a, b)
	}
	if a, ok := s.value.(map[string]string); ok {
		b, ok := t.value.(map[string]string)
		return ok && maps.Equal(a, b)
	}
	return reflect.DeepEqual(s.value, t.value)
}
