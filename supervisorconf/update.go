package supervisorconf

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// An Update is what `supervisorctl update` does when a configuration has
// become another.
type Update struct {
	// Refusal is what supervisorctl prints if supervisord cannot read the new
	// configuration. Then nothing changes.
	Refusal string
	// Changes are in the order in which update makes them: it removes groups,
	// then restarts those that changed, then adds new ones.
	Changes []GroupChange
	// Pending is what update passes over, though it has changed: it waits
	// until supervisord itself is started anew.
	Pending []Cause
}

// An Action is what an update does with a group.
type Action uint8

const (
	ActionRemove  Action = iota // stop its processes and forget it
	ActionRestart               // stop all its processes, and start those that are to run with the new options
	ActionAdd                   // start its processes, but for those with autostart=false
)

var actionNames = []string{"remove", "restart", "add"}

// String returns "remove", "restart" or "add".
func (a Action) String() string { return enumString("Action", actionNames, int(a)) }

// MarshalText returns what String does.
func (a Action) MarshalText() ([]byte, error) { return enumText("action", actionNames, int(a)) }

// UnmarshalText is the way back.
func (a *Action) UnmarshalText(text []byte) error {
	i, err := enumIndex("action", actionNames, string(text))
	*a = Action(i)
	return err
}

// A GroupChange is what an update does with one group. All processes of a group
// that changed are restarted, those that stay the same too.
type GroupChange struct {
	Action        Action
	Group         string
	Before, After *Group  // nil where there is none
	Causes        []Cause // of a restart
}

// String returns one line: "restart scout: stopwaitsecs, environment".
func (g GroupChange) String() string {
	var options []string
	for _, c := range g.Causes {
		if !slices.Contains(options, c.Option) {
			options = append(options, c.Option)
		}
	}
	s := g.Action.String() + " " + g.Group
	if len(options) > 0 {
		s += ": " + strings.Join(options, ", ")
	}
	return s
}

// A Cause is an option that has come to mean something else.
type Cause struct {
	Section   string   // that the value is of: "program:scout"
	Option    string   // "command"
	Variable  string   // of an environment
	Processes []string // that differ, by their names in the group; nil: not one of a process
	// Before and After are the values as supervisord holds them, expanded, the
	// defaults among them; empty: none. Of several processes they are those of
	// the first. What looks like a secret is masked.
	Before, After string
	// From and To are where the value was set and is set; nil: nowhere, so that
	// it has its default. They may say the same: what a %(…)s in them stands for
	// has changed then.
	From, To *Option
}

// String returns one line: "etc/scout.conf:4:1: stopwaitsecs: 10 -> 30". The
// place is that of the new value, or else of the old one.
func (c Cause) String() string {
	s := c.Option
	if c.Variable != "" {
		s += " " + c.Variable
	}
	show := func(v string) string { return cmp.Or(v, "(none)") }
	s += ": " + show(c.Before) + " -> " + show(c.After)
	if o := cmp.Or(c.To, c.From); o != nil && o.off >= 0 {
		return o.Pos().String() + ": " + s
	}
	return "[" + c.Section + "]: " + s
}

// Diff returns what `supervisorctl update` would do with a supervisord that was
// started with before when its files have become after. It compares as
// supervisord does, which has oddities: any option of a process counts, also
// one that only matters when it is started or stopped; a log file that becomes
// AUTO does not; of a FastCGI socket, only the address does; and of groups with
// the same name, the first runs and all are compared with it.
//
// Accounts are compared by number, or by name where the number is not known
// (see [LoadOptions.User]).
func Diff(before, after *Config) Update {
	var u Update
	if after.refusal != "" {
		u.Refusal = after.refusal
		return u
	}
	var running []*Group
	byName := map[string]*Group{}
	for _, g := range before.Groups {
		if byName[g.Name] == nil {
			byName[g.Name] = g
			running = append(running, g)
		}
	}
	d := differ{before: before, after: after, secrets: hideSecrets(append(before.secrets(), after.secrets()...))}
	for _, g := range running {
		if after.Group(g.Name) == nil {
			u.Changes = append(u.Changes, GroupChange{ActionRemove, g.Name, g, nil, nil})
		}
	}
	var added []GroupChange
	for _, g := range after.Groups {
		old := byName[g.Name]
		if old == nil {
			added = append(added, GroupChange{ActionAdd, g.Name, nil, g, nil})
			continue
		}
		d.passed = nil
		if causes := d.group(old, g); len(causes) == 0 {
			u.Pending = append(u.Pending, d.passed...)
		} else { // then the rest is new as well
			u.Changes = append(u.Changes, GroupChange{ActionRestart, g.Name, old, g, causes})
		}
	}
	u.Changes = append(u.Changes, added...)
	u.Pending = append(u.Pending, d.supervisord()...)
	return u
}

// A differ compares two configurations.
type differ struct {
	before, after *Config
	secrets       *strings.Replacer
	passed        []Cause // over, in the group at hand
}

// group returns what differs in a group.
func (d *differ) group(a, b *Group) []Cause {
	var causes []Cause
	differs := func(option string, before, after any) {
		from, to := d.before.option(a.section, option), d.after.option(b.section, option)
		causes = append(causes, d.cause(b.section.name, option, setting{option, before}, setting{option, after}, from, to))
	}
	if a.Kind != b.Kind {
		differs("["+b.Kind.String()+"]", a.section.name, b.section.name)
	}
	if a.Priority != b.Priority || a.big["priority"] != b.big["priority"] {
		differs("priority", a.Priority, b.Priority)
	}
	if a.Kind == KindEventListener && b.Kind == KindEventListener {
		if a.BufferSize != b.BufferSize || a.big["buffer_size"] != b.big["buffer_size"] {
			differs("buffer_size", a.BufferSize, b.BufferSize)
		}
		x, y := slices.Sorted(slices.Values(a.Events)), slices.Sorted(slices.Values(b.Events))
		if !slices.Equal(x, y) {
			differs("events", strings.Join(a.Events, ","), strings.Join(b.Events, ","))
		}
		if a.ResultHandler != b.ResultHandler {
			differs("result_handler", a.ResultHandler, b.ResultHandler)
		}
	}
	if a.Kind == KindFCGIProgram && b.Kind == KindFCGIProgram {
		for i, s := range a.Socket.settings() {
			if t := b.Socket.settings()[i]; !s.equal(t) {
				c := d.cause(b.section.name, s.option, s, t, d.before.option(a.section, s.option), d.after.option(b.section, s.option))
				if i == 0 {
					causes = append(causes, c)
				} else {
					d.passed = append(d.passed, c)
				}
			}
		}
	}
	return append(causes, d.processes(a, b)...)
}

// processes compares the lists of processes, in their order.
func (d *differ) processes(a, b *Group) []Cause {
	var causes []Cause
	x, y := processNames(a), processNames(b)
	same := slices.Equal(x, y)
	if !same {
		causes = d.members(a, b, strings.Join(x, ","), strings.Join(y, ","))
	}
	old := map[string]*Process{}
	for _, p := range a.Processes {
		if old[p.Name] == nil {
			old[p.Name] = p
		}
	}
	at := map[causeKey]int{}
	for i, p := range b.Processes {
		q := old[p.Name]
		if same { // a name may come twice
			q = a.Processes[i]
		} else if q == nil {
			continue
		}
		for _, c := range d.process(q, p) {
			key := causeKey{c.Section, c.Option, c.Variable}
			if i, ok := at[key]; ok {
				causes[i].Processes = append(causes[i].Processes, p.Name)
				continue
			}
			at[key] = len(causes)
			causes = append(causes, c)
		}
	}
	return causes
}

func processNames(g *Group) []string {
	list := make([]string, len(g.Processes))
	for i, p := range g.Processes {
		list[i] = p.Name
	}
	return list
}

// causeKey is what makes causes of several processes one.
type causeKey struct{ section, option, variable string }

// members says why a group has other processes than before.
func (d *differ) members(a, b *Group, before, after string) []Cause {
	var causes []Cause
	add := func(x, y *section, option string) {
		from, to := d.before.option(x, option), d.after.option(y, option)
		if from.value() != to.value() {
			causes = append(causes, d.cause(y.name, option, setting{option, from.value()}, setting{option, to.value()}, from, to))
		}
	}
	add(a.section, b.section, "programs")
	programs := map[string]*Program{}
	for _, p := range a.Processes {
		programs[p.Program.section.name] = p.Program
	}
	seen := map[*Program]bool{}
	for _, p := range b.Processes {
		if q := programs[p.Program.section.name]; q != nil && !seen[p.Program] {
			seen[p.Program] = true
			for _, option := range []string{"process_name", "numprocs", "numprocs_start"} {
				add(q.section, p.Program.section, option)
			}
		}
	}
	if len(a.Processes) == 0 || len(b.Processes) == 0 {
		add(a.section, b.section, "numprocs")
	}
	if len(causes) == 0 { // what a %(…)s stands for
		causes = append(causes, d.cause(b.section.name, "process_name", setting{"", before}, setting{"", after},
			d.before.option(a.section, "process_name"), d.after.option(b.section, "process_name")))
	}
	return causes
}

// value is the text of an option, or "" if there is none.
func (o *Option) value() string {
	if o == nil {
		return ""
	}
	return o.Value()
}

// process compares two processes as supervisord does.
func (d *differ) process(a, b *Process) []Cause {
	var causes []Cause
	theirs := b.settings()
	for i, s := range a.settings() {
		t := theirs[i]
		if s.equal(t) {
			continue
		}
		from, to := a.Program.Option(s.option), b.Program.Option(s.option)
		name := b.Program.section.name
		if s.option == "killasgroup" && from == nil && to == nil { // it follows
			from, to = a.Program.Option("stopasgroup"), b.Program.Option("stopasgroup")
		}
		if s.option == "environment" {
			for _, c := range d.environment(name, s.value.(map[string]string), t.value.(map[string]string), from, to) {
				c.Processes = []string{b.Name}
				causes = append(causes, c)
			}
			continue
		}
		c := d.cause(name, s.option, s, t, from, to)
		if t.value == LogAuto {
			// A file of that kind has a name of its own by then, and
			// supervisord takes AUTO to be any.
			if !slices.ContainsFunc(d.passed, func(p Cause) bool { return p.Section == name && p.Option == s.option }) {
				d.passed = append(d.passed, c)
			}
			continue
		}
		c.Processes = []string{b.Name}
		causes = append(causes, c)
	}
	return causes
}

// environment returns the variables that differ.
func (d *differ) environment(section string, a, b map[string]string, from, to *Option) []Cause {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	var causes []Cause
	for _, name := range slices.Sorted(maps.Keys(all)) {
		before, inA := a[name]
		after, inB := b[name]
		if inA == inB && before == after {
			continue
		}
		c := Cause{Section: section, Option: "environment", Variable: name, Before: before, After: after, From: from, To: to}
		above := func(c *Config, value string, set bool) bool {
			v, ok := c.Supervisord.Environment[name]
			return ok == set && v == value
		}
		if above(d.before, before, inA) && above(d.after, after, inB) {
			c.From, c.To = d.before.Option("supervisord", "environment"), d.after.Option("supervisord", "environment")
		}
		c.Before, c.After = d.shown(name, before), d.shown(name, after)
		causes = append(causes, c)
	}
	return causes
}

// supervisord returns what differs beside the groups.
func (d *differ) supervisord() []Cause {
	var causes []Cause
	compare := func(section string, a, b []setting) {
		old := map[string]setting{}
		for _, s := range a {
			old[s.option] = s
		}
		for _, t := range b {
			s := old[t.option]
			delete(old, t.option)
			if s.equal(t) {
				continue
			}
			if t.option == "environment" && section == "supervisord" { // it is for the processes
				continue
			}
			causes = append(causes, d.cause(section, t.option, s, t, d.before.Option(section, t.option), d.after.Option(section, t.option)))
		}
		for _, s := range a {
			if _, gone := old[s.option]; gone && s.value != nil {
				causes = append(causes, d.cause(section, s.option, s, setting{}, d.before.Option(section, s.option), nil))
			}
		}
	}
	compare("supervisord", d.before.Supervisord.settings(), d.after.Supervisord.settings())
	type sections map[string][]setting
	all := func(c *Config) sections {
		m := sections{}
		for _, s := range c.Servers {
			m[s.section.name] = s.settings()
		}
		for _, r := range c.RPCInterfaces {
			m[r.section.name] = r.settings()
		}
		return m
	}
	a, b := all(d.before), all(d.after)
	both := maps.Clone(a)
	maps.Copy(both, b)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		compare(name, a[name], b[name])
	}
	return causes
}

func (d *differ) cause(section, option string, before, after setting, from, to *Option) Cause {
	return Cause{
		Section: section, Option: option, From: from, To: to,
		Before: d.shown(option, before.text()), After: d.shown(option, after.text()),
	}
}

// shown is a value without secrets.
func (d *differ) shown(name, value string) string {
	if isSecret(name) && value != "" {
		return masked
	}
	return d.secrets.Replace(maskSecrets(value))
}

// secrets returns the values that are called like secrets.
func (c *Config) secrets() []string {
	all := c.env.secrets()
	add := func(env map[string]string) {
		for k, v := range env {
			if isSecret(k) {
				all = append(all, v)
			}
		}
	}
	add(c.Supervisord.Environment)
	for _, p := range c.Processes() {
		add(p.Environment)
	}
	for _, s := range c.Servers {
		all = append(all, s.Password)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
