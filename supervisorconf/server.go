package supervisorconf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// servers is server_configs_from_parser. A header only has to start so:
// [inet_http_serverx] is a server too.
func (l *loader) servers() {
	for s := range l.of("inet_http_server") {
		c := &context{section: s}
		srv := l.newServer(c, FamilyInet)
		l.credentials(c, srv)
		v := l.get(c, "port", nil)
		if !v.set {
			l.missing(s, "missing-option", fmt.Sprintf("section [%s] has no port value", s.name))
			continue
		}
		srv.Port = convert(l, c, v, 0, func(s string) (port int, message string) {
			srv.Host, port, message = toInetAddress(s)
			return port, message
		})
	}
	fixed := &table{}
	fixed.set("here", value{str: l.o.Here})
	for s := range l.of("unix_http_server") {
		c := &context{section: s}
		srv := l.newServer(c, FamilyUnix)
		v := l.get(c, "file", fixed)
		if !v.set {
			l.missing(s, "missing-option", fmt.Sprintf("section [%s] has no file value", s.name))
		} else if !v.bad {
			srv.Path = l.normalize(trim(v.str))
		}
		l.credentials(c, srv)
		srv.Owner = *convert(l, c, l.get(c, "chown", nil), &User{UID: -1, GID: -1}, func(s string) (*User, string) {
			if u, ok := l.owner(s); ok {
				return u, ""
			}
			return nil, "Invalid sockchown value " + s
		})
		srv.Mode = convert(l, c, l.get(c, "chmod", nil), small(0o700), func(s string) (integer, string) {
			n, message := toOctal(s)
			if message != "" {
				message = "Invalid chmod value " + s
			}
			return n, message
		}).clamp()
	}

	sd := &l.cfg.Supervisord
	for _, srv := range l.cfg.Servers {
		if srv.Family == FamilyUnix {
			sd.ServerURL = "unix://" + srv.Path
			return
		}
		// No break in Supervisor's loop: the last one wins.
		host := srv.Host
		if host == "" {
			host = "localhost"
		}
		sd.ServerURL = fmt.Sprintf("http://%s:%d", host, srv.Port)
	}
}

func (l *loader) newServer(c *context, family Family) *Server {
	srv := &Server{Family: family, Name: nameOf(c.section), section: c.section}
	l.cfg.Servers = append(l.cfg.Servers, srv)
	return srv
}

func (l *loader) credentials(c *context, srv *Server) {
	user, password := l.get(c, "username", nil), l.get(c, "password", nil)
	srv.auth = user.set && password.set
	srv.Username, srv.Password = user.str, password.str
	if user.set != password.set && !user.bad && !password.bad {
		one := user
		if !user.set {
			one = password
		}
		l.reject(one, c, "incomplete-authentication", fmt.Sprintf("Section [%s] contains incomplete authentication: If a username or a password is specified, both the username and password must be specified", c.section.name))
	}
}

// homeOf looks up a user in the text of a passwd file.
func homeOf(passwd io.Reader, name string) (string, bool) {
	lines := bufio.NewScanner(io.LimitReader(passwd, 16<<20))
	for lines.Scan() {
		if f := strings.Split(lines.Text(), ":"); len(f) == 7 && f[0] == name {
			return f[5], true
		}
	}
	return "", false
}
