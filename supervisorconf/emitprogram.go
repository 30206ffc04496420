package supervisorconf

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// NewProgram returns a [program:x] of one process, which has the same name.
func NewProgram(name, command string) *Program {
	p := &Program{
		Name: name, Group: name, Priority: 999, Autostart: true, StartSecs: 1, StartRetries: 3, ExitCodes: []int{0},
		StopSignal: 15, StopWaitSecs: 10, Umask: -1,
	}
	p.AddProcess(name, command)
	return p
}

// AddProcess adds one process, numbered on from the last, and returns it.
func (p *Program) AddProcess(name, command string) *Process {
	log := Log{File: LogAuto, MaxBytes: 50 << 20, Backups: 10}
	q := &Process{Program: p, Number: p.NumProcsStart, Name: name, Command: command, Stdout: log, Stderr: log}
	for _, other := range p.Processes {
		q.Number = max(q.Number, other.Number+1)
	}
	p.Processes = append(p.Processes, q)
	p.NumProcs = len(p.Processes)
	return q
}

// NewGroup returns a [group:x] that gathers programs, and makes it theirs. The
// programs are sections of their own.
func NewGroup(name string, programs ...*Program) *Group {
	g := &Group{Name: name, Priority: 999}
	for _, p := range programs {
		p.Group = name
		g.gather(p)
	}
	return g
}

// NewEventListener returns an [eventlistener:x] of one process that is told of
// events such as "TICK_60". What else there is to set is in the Program of its
// process.
func NewEventListener(name, command string, events ...string) *Group {
	g := single(KindEventListener, name, command)
	g.Priority, g.BufferSize, g.Events, g.ResultHandler = -1, 10, events, defaultHandler
	return g
}

// NewFastCGI returns an [fcgi-program:x] of one process that accepts from a
// socket, "unix:///run/x.sock" or "tcp://localhost:9000". What else there is to
// set is in the Program of its process.
func NewFastCGI(name, command, socket string) *Group {
	g := single(KindFCGIProgram, name, command)
	g.Socket = &Socket{URL: socket}
	if path, ok := strings.CutPrefix(socket, "unix://"); ok {
		g.Socket.Path, g.Socket.Mode = path, 0o700
	}
	return g
}

func single(kind Kind, name, command string) *Group {
	p := NewProgram(name, command)
	p.Kind = kind
	return &Group{Kind: kind, Name: name, Priority: 999, Processes: p.Processes, programs: []*Program{p}}
}

// above returns the program without what comes from the environment of
// supervisord.
func (p *Program) above(env map[string]string) *Program {
	q := *p
	q.Processes = make([]*Process, len(p.Processes))
	for i, proc := range p.Processes {
		r := *proc
		r.Program, r.Environment = &q, map[string]string{}
		for k, v := range proc.Environment {
			if above, ok := env[k]; !ok || above != v {
				r.Environment[k] = v
			}
		}
		q.Processes[i] = &r
	}
	return &q
}

// define writes a [program:x].
func (p *Program) define() (*definition, error) {
	if p.Kind != KindProgram {
		return nil, fmt.Errorf("a program of kind %s is written with its Group", p.Kind)
	}
	d := &definition{typ: "program", name: p.Name}
	return d, d.program(p, 999)
}

// define writes a [group:x], or the section of the group's one program.
func (g *Group) define() (*definition, error) {
	if g.Kind != KindProgram {
		return g.defineSingle()
	}
	d := &definition{typ: "group", name: g.Name}
	var programs []string
	stubs := map[string]bool{}
	for _, p := range g.members() {
		programs = append(programs, p.Name)
		if !stubs[p.Name] {
			stubs[p.Name] = true
			d.beside += "[program:" + p.Name + "]\ncommand=x\n"
		}
	}
	settings := func(g *Group, programs []string) []setting {
		return []setting{{"programs", strings.Join(programs, ",")}, g.number("priority", g.Priority)}
	}
	d.want = settings(g, programs)
	d.read = func(c *Config) ([]setting, bool) {
		for _, h := range c.Groups {
			if h.Name == g.Name && h.section.name == "group:"+g.Name {
				return settings(h, processNames(h)), true
			}
		}
		return nil, false
	}
	return d, d.changed(d.want, []setting{{"programs", ""}, {"priority", 999}})
}

func (g *Group) number(key string, n int) setting {
	if text, ok := g.big[key]; ok {
		return setting{key, text}
	}
	return setting{key, n}
}

// members are the programs of the group.
func (g *Group) members() []*Program {
	if g.programs != nil {
		return g.programs
	}
	var list []*Program
	for _, p := range g.Processes {
		if p.Program != nil && (len(list) == 0 || list[len(list)-1] != p.Program) {
			list = append(list, p.Program)
		}
	}
	return list
}

// defineSingle writes an [eventlistener:x] or an [fcgi-program:x].
func (g *Group) defineSingle() (*definition, error) {
	list := g.members()
	if len(list) != 1 {
		return nil, fmt.Errorf("the group %s has %d programs and not one", g.Name, len(list))
	}
	p := list[0]
	d := &definition{typ: g.Kind.String(), name: g.Name}
	own := (*Group).ownSettings
	var defaults []setting
	priority := 999
	if g.Kind == KindEventListener {
		defaults = []setting{{}, {"buffer_size", 10}, {"result_handler", defaultHandler}}
		if g.Priority != -1 || p.Priority != 999 || g.big["priority"] != "" || p.big["priority"] != "" { // not the two defaults
			d.set("priority", g.number("priority", g.Priority).text())
			priority = p.Priority
		}
	} else {
		defaults = []setting{{}, {"socket_backlog", nil}, {"socket_mode", octal(0o700)}, {"socket_owner", nil}}
		if g.Socket == nil {
			return nil, fmt.Errorf("the group %s has no socket", g.Name)
		}
		if g.Socket.Path == "" {
			defaults[2].value = nil
		} else if u := p.User; u != nil && u.UID != 0 { // then the socket is that user's
			defaults[3].value = u.setting()
			if g.Socket.Owner == nil {
				h, socket := *g, *g.Socket
				g, h.Socket, socket.Owner = &h, &socket, u
			}
		}
	}
	if err := d.changed(own(g), defaults, "socket"); err != nil {
		return nil, err
	}
	if g.Socket != nil {
		d.user("socket_owner", g.Socket.Owner)
	}
	if err := d.program(p, priority); err != nil {
		return nil, err
	}
	read := d.read
	d.want = append(d.want, own(g)...)
	d.want = append(d.want, g.number("priority", g.Priority))
	d.read = func(c *Config) ([]setting, bool) {
		list, ok := read(c)
		if !ok || len(c.Groups) != 1 || c.Groups[0].Kind != g.Kind {
			return nil, false
		}
		h := c.Groups[0]
		return append(append(list, own(h)...), h.number("priority", h.Priority)), true
	}
	return d, nil
}

// ownSettings are those of the group beside its processes and its priority.
func (g *Group) ownSettings() []setting {
	if g.Kind == KindFCGIProgram {
		return g.Socket.settings()
	}
	events := slices.Compact(slices.Sorted(slices.Values(g.Events)))
	return []setting{{"events", strings.Join(events, ",")}, g.number("buffer_size", g.BufferSize), {"result_handler", g.ResultHandler}}
}

// program adds the options of a program and of its processes. Those of them
// that have the given priority have the default.
func (d *definition) program(p *Program, priority int) error {
	processes := make([]*Process, len(p.Processes))
	numbers := make([]int, len(processes))
	for i, q := range p.Processes {
		r := *q
		r.Program = p
		processes[i] = &r
	}
	slices.SortStableFunc(processes, func(a, b *Process) int { return cmp.Compare(a.Number, b.Number) })
	for i, q := range processes {
		if numbers[i] = q.Number; q.Number != processes[0].Number+i {
			return fmt.Errorf("the processes of %s are not numbered one after the other", p.Name)
		}
	}
	count := len(processes)
	if count == 0 {
		processes = []*Process{{Program: p, Command: "x"}} // what all share is written all the same
		count = min(p.NumProcs, 0)
	}

	std := NewProgram(p.Name, "").Processes[0]
	std.Program.Priority = priority
	std.Program.KillAsGroup = p.StopAsGroup
	if p.RedirectStderr {
		std.Stderr.File = LogNone
	}
	defaults := std.settings()
	all := make([][]setting, len(processes))
	for i, q := range processes {
		all[i] = q.settings()
	}
	for k := range defaults {
		same := defaults[k].option != "command"
		texts := make([]string, len(processes))
		for i := range processes {
			s := all[i][k]
			same = same && s.equal(defaults[k])
			text, err := s.written()
			if err != nil {
				return err
			}
			texts[i] = text
		}
		if same || len(p.Processes) == 0 && isOfProcess(defaults[k].option) {
			continue
		}
		text, ok := template(texts, numbers)
		if !ok {
			return fmt.Errorf("no one text gives the %s of all processes of %s", defaults[k].option, p.Name)
		}
		d.set(defaults[k].option, text)
	}
	d.user("user", p.User)
	if err := d.numbering(p, count, numbers, processes); err != nil {
		return err
	}

	wanted := func(p *Program, processes []*Process) []setting {
		list := []setting{{"numprocs", len(processes)}}
		for _, q := range processes {
			list = append(list, setting{"numprocs_start", q.Number}, setting{"process_name", q.Name})
			list = append(list, q.settings()...)
		}
		return list
	}
	if len(p.Processes) == 0 {
		processes = nil
	}
	d.want = wanted(p, processes)
	d.read = func(c *Config) ([]setting, bool) {
		if len(c.Programs) != 1 || c.Programs[0].Name != p.Name {
			return nil, false
		}
		list := slices.Clone(c.Programs[0].Processes)
		slices.SortStableFunc(list, func(a, b *Process) int { return cmp.Compare(a.Number, b.Number) })
		return wanted(c.Programs[0], list), true
	}
	return nil
}

// isOfProcess tells whether an option is read for each process anew.
func isOfProcess(option string) bool {
	return option == "command" || option == "directory" || option == "environment" || strings.Contains(option, "_logfile") || strings.Contains(option, "_syslog")
}

// numbering adds how many processes there are and how they are called.
func (d *definition) numbering(p *Program, count int, numbers []int, processes []*Process) error {
	if count != 1 {
		d.set("numprocs", strconv.Itoa(count))
	}
	if len(numbers) == 0 {
		return nil
	}
	if numbers[0] != 0 {
		d.set("numprocs_start", strconv.Itoa(numbers[0]))
	}
	if count == 1 && processes[0].Name == p.Name {
		return nil
	}
	names := make([]string, len(processes))
	for i, q := range processes {
		names[i] = Escape(q.Name)
	}
	text, ok := template(names, numbers)
	if !ok {
		return fmt.Errorf("no one text gives the names of all processes of %s", p.Name)
	}
	if rest, ok := strings.CutPrefix(text, Escape(p.Name)); ok {
		text = "%(program_name)s" + rest
	}
	d.set("process_name", text)
	return nil
}

// template returns a text that gives each of texts when %(process_num)d in it
// is replaced by the number there: runs of digits may differ, if they end in
// the number.
func template(texts []string, numbers []int) (string, bool) {
	if !slices.ContainsFunc(texts, func(t string) bool { return t != texts[0] }) {
		return texts[0], true
	}
	runs := make([][]string, len(texts)) // digits and others in turn
	for i, t := range texts {
		if runs[i] = digitRuns(t); len(runs[i]) != len(runs[0]) {
			return "", false
		}
	}
	var b strings.Builder
	for k, first := range runs[0] {
		same := true
		for _, r := range runs {
			same = same && r[k] == first
		}
		if same {
			b.WriteString(first)
			continue
		}
		part, ok := numbered(runs, k, numbers)
		if !ok || k%2 == 0 {
			return "", false
		}
		b.WriteString(part)
	}
	return b.String(), true
}

// numbered is what gives run k of each text.
func numbered(runs [][]string, k int, numbers []int) (string, bool) {
	const widest = 9
width:
	for width := 1; width <= widest; width++ {
		prefix := ""
		for i, r := range runs {
			before, ok := strings.CutSuffix(r[k], fmt.Sprintf("%0*d", width, numbers[i]))
			if i == 0 {
				prefix = before
			}
			if !ok || before != prefix || before != "" && strings.Trim(before, "0") == "" { // rather wider
				continue width
			}
		}
		if width == 1 {
			return prefix + "%(process_num)d", true
		}
		return fmt.Sprintf("%s%%(process_num)0%dd", prefix, width), true
	}
	return "", false
}

// digitRuns cuts a text into runs of other characters (even) and of digits
// (odd).
func digitRuns(s string) []string {
	isDigit := func(i int) bool { return s[i] >= '0' && s[i] <= '9' }
	var runs []string
	for start, digits := 0, false; ; digits = !digits {
		end := start
		for end < len(s) && isDigit(end) == digits {
			end++
		}
		runs = append(runs, s[start:end])
		if start = end; start == len(s) {
			return runs
		}
	}
}
