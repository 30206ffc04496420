package supervisorconf

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// groups is process_groups_from_parser.
func (l *loader) groups() {
	fixed := &table{}
	fixed.set("here", value{str: l.o.Here})
	grouped := map[*section]bool{}
	for s := range l.of("group:") {
		l.group(s, fixed, grouped)
	}
	for s := range l.of("program:") {
		if !grouped[s] {
			c := &context{section: s}
			g := l.newGroup(s, KindProgram, l.checkedName(c, nameOf(s)))
			l.priority(g, c, fixed, 999)
			g.gather(l.processes(s, g.Name, KindProgram))
		}
	}
	for s := range l.of("eventlistener:") {
		l.listeners(s, fixed)
	}
	for s := range l.of("fcgi-program:") {
		if !grouped[s] {
			l.fastCGI(s, fixed)
		}
	}
	slices.SortStableFunc(l.cfg.Groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), strings.Compare(a.Name, b.Name))
	})
}

// of ranges over the sections whose headers start so.
func (l *loader) of(prefix string) func(func(*section) bool) {
	return func(yield func(*section) bool) {
		for _, s := range l.order {
			if strings.HasPrefix(s.name, prefix) && !yield(s) {
				return
			}
		}
	}
}

func (l *loader) newGroup(s *section, kind Kind, name string) *Group {
	g := &Group{Kind: kind, Name: name, section: s}
	l.cfg.Groups = append(l.cfg.Groups, g)
	return g
}

func (g *Group) gather(p *Program) {
	g.programs = append(g.programs, p)
	g.Processes = append(g.Processes, p.Processes...)
}

func (l *loader) priority(g *Group, c *context, fixed *table, def int64) {
	g.Priority = g.big.keep("priority", convert(l, c, l.get(c, "priority", fixed), small(def), toInt)).clamp()
}

// group reads a [group:x] and the programs that it names.
func (l *loader) group(s *section, fixed *table, grouped map[*section]bool) {
	c := &context{section: s}
	g := l.newGroup(s, KindProgram, l.checkedName(c, nameOf(s)))
	programs := l.get(c, "programs", fixed)
	l.priority(g, c, fixed, 999)
	if !programs.set || programs.bad {
		return
	}
	named := s.name // Supervisor's message calls the group by the program before
	for _, name := range toList(programs.str) {
		program, fcgi := l.cfg.sections["program:"+name], l.cfg.sections["fcgi-program:"+name]
		switch {
		case program == nil && fcgi == nil:
			if !l.incomplete {
				l.reject(programs, c, "unknown-program", fmt.Sprintf("[%s] names unknown program or fcgi-program %s", named, name))
			}
			continue
		case program != nil && fcgi != nil:
			l.reject(programs, c, "ambiguous-program", fmt.Sprintf("[%s] name %s is ambiguous (exists as program and fcgi-program)", named, name))
			continue
		case program == nil:
			program = fcgi
		}
		named = program.name
		grouped[program] = true
		g.gather(l.processes(program, g.Name, KindProgram))
	}
}

const defaultHandler = "supervisor.dispatchers:default_handler"

// listeners reads an [eventlistener:x].
func (l *loader) listeners(s *section, fixed *table) {
	c := &context{section: s}
	g := l.newGroup(s, KindEventListener, nameOf(s))
	l.priority(g, c, fixed, -1)
	buffer := l.get(c, "buffer_size", fixed)
	size := g.big.keep("buffer_size", convert(l, c, buffer, small(10), toInt))
	if g.BufferSize = size.clamp(); g.BufferSize < 1 {
		l.reject(buffer, c, "invalid-value", fmt.Sprintf("[%s] section sets invalid buffer_size (%s)", s.name, size))
	}
	g.ResultHandler = defaultHandler
	if v := l.get(c, "result_handler", fixed); v.set && !v.bad {
		g.ResultHandler = l.plugin(c, v)
	}
	l.events(g, c, fixed)
	redirect := l.get(c, "redirect_stderr", fixed)
	if convert(l, c, redirect, false, toBool) {
		l.reject(redirect, c, "invalid-value", fmt.Sprintf("[%s] section sets redirect_stderr=true but this is not allowed because it will interfere with the eventlistener protocol", s.name))
	}
	g.gather(l.processes(s, g.Name, KindEventListener))
}

func (l *loader) events(g *Group, c *context, fixed *table) {
	v := l.get(c, "events", fixed)
	if v.bad {
		return
	}
	if v.str == "" {
		message := fmt.Sprintf(`[%s] section requires an "events" line`, c.section.name)
		if v.set {
			l.reject(v, c, "missing-option", message)
		} else {
			l.missing(c.section, "missing-option", message)
		}
		return
	}
	for _, name := range toList(v.str) {
		name = upper(name)
		if _, ok := eventTypes[name]; !ok {
			l.reject(v, c, "unknown-event", fmt.Sprintf("Unknown event type %s in [%s] events", name, c.section.name))
		} else if !slices.Contains(g.Events, name) {
			g.Events = append(g.Events, name)
		}
	}
}

// fastCGI reads an [fcgi-program:x] that stands in no group.
func (l *loader) fastCGI(s *section, fixed *table) {
	c := &context{section: s}
	g := l.newGroup(s, KindFCGIProgram, l.checkedName(c, nameOf(s)))
	l.priority(g, c, fixed, 999)

	user := convert(l, c, l.get(c, "user", fixed), nil, l.user)
	sock := &Socket{}
	backlog := l.get(c, "socket_backlog", fixed)
	if n := convert(l, c, backlog, small(1), toInt); n.clamp64() < 1 || n.clamp64() > 65535 {
		l.reject(backlog, c, "invalid-value", "Invalid socket_backlog value "+n.String())
	} else if backlog.set && !backlog.bad && !l.reported[backlog.option] {
		sock.Backlog = int(n.small)
	}
	owner := l.get(c, "socket_owner", fixed)
	sock.Owner = convert(l, c, owner, nil, func(s string) (*User, string) {
		if u, ok := l.owner(s); ok {
			return u, ""
		}
		return nil, "Invalid socket_owner value " + s
	})
	mode := l.get(c, "socket_mode", fixed)
	octal := convert(l, c, mode, small(0o700), func(s string) (integer, string) {
		n, message := toOctal(s)
		if message != "" {
			message = "Invalid socket_mode value " + s
		}
		return n, message
	})
	sock.Mode = g.big.keep("socket_mode", octal).clamp()

	named := &table{}
	named.set("here", value{str: l.o.Here})
	named.set("program_name", value{str: g.Name})
	v := l.getIn(c, "socket", &scope{env: l.env, fixed: named})
	switch {
	case v.bad:
	case v.str == "" && v.set:
		l.reject(v, c, "missing-option", fmt.Sprintf(`[%s] section requires a "socket" line`, s.name))
	case v.str == "":
		l.missing(s, "missing-option", fmt.Sprintf(`[%s] section requires a "socket" line`, s.name))
	default:
		if message := l.socket(sock, v.str, user, owner.set, mode.set); message != "" {
			l.reject(v, c, "invalid-socket", fmt.Sprintf("%s in [%s] socket", message, s.name))
		} else {
			g.Socket = sock
		}
	}
	g.gather(l.processes(s, g.Name, KindFCGIProgram))
}

var tcpSocket = regexp.MustCompile(`^tcp://([^:` + pySpace[1:] + `+):(\p{Nd}+)$`)

// socket is parse_fcgi_socket. Where Supervisor hands its exception a tuple by
// mistake, so do we.
func (l *loader) socket(sock *Socket, url string, user *User, owner, mode bool) string {
	if p, ok := strings.CutPrefix(url, "unix://"); ok {
		if !strings.HasPrefix(p, "/") {
			return fmt.Sprintf("('Unix socket path %%s is not an absolute path', %s)", repr(p))
		}
		sock.Path = l.normalize(p)
		sock.URL = "unix://" + sock.Path
		// Supervisor is taken to run as root.
		if !owner && user != nil && user.UID != 0 {
			sock.Owner = user
		}
		return ""
	}
	if owner || mode {
		return "socket_owner and socket_mode params should only be used with a Unix domain socket"
	}
	sock.Mode = 0
	m := tcpSocket.FindStringSubmatch(url)
	if m == nil {
		return fmt.Sprintf("('Bad socket format %%s', %s)", repr(url))
	}
	port, message := toPort(m[2])
	if message != "" {
		return message
	}
	sock.Host, sock.Port = lower(m[1]), port
	sock.URL = fmt.Sprintf("tcp://%s:%d", sock.Host, sock.Port)
	return ""
}

func (l *loader) rpcInterfaces() {
	l.plugins("rpcinterface:", "supervisor.rpcinterface_factory", func(s *section, factory string, options map[string]string) {
		l.cfg.RPCInterfaces = append(l.cfg.RPCInterfaces, &RPCInterface{nameOf(s), factory, options, s})
	})
}
