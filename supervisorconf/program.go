package supervisorconf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// processes is processes_from_section: it reads a section for a group.
func (l *loader) processes(s *section, group string, kind Kind) *Program {
	c := &context{section: s, file: cmp.Or(s.file, l.main)}
	name := l.checkedName(c, nameOf(s))
	p := &Program{Kind: kind, Name: name, Group: group, section: s, config: l.cfg}
	l.cfg.Programs = append(l.cfg.Programs, p)

	fixed := &l.fixed // of this program, and room for the next
	fixed.clear()
	fixed.set("here", value{str: l.o.Here})
	fixed.set("program_name", value{str: name})
	fixed.set("host_node_name", value{str: l.o.HostNodeName})
	fixed.set("group_name", value{str: group})
	get := func(key string) val { return l.get(c, key, fixed) }
	boolean := func(key string, def bool) bool { return convert(l, c, get(key), def, toBool) }
	number := func(key string, def int64) integer {
		return p.big.keep(key, convert(l, c, get(key), small(def), toInt))
	}
	bytes := func(key string) integer { return p.big.keep(key, convert(l, c, get(key), small(0), toBytes)) }

	p.Priority = number("priority", 999).clamp()
	p.Autostart = boolean("autostart", true)
	p.Autorestart = convert(l, c, get("autorestart"), AutorestartUnexpected, toAutorestart)
	p.StartSecs = number("startsecs", 1).clamp()
	p.StartRetries = number("startretries", 3).clamp()
	p.StopSignal = convert(l, c, get("stopsignal"), 15, toSignal)
	p.StopWaitSecs = number("stopwaitsecs", 10).clamp()
	p.StopAsGroup = boolean("stopasgroup", false)
	p.KillAsGroup = boolean("killasgroup", p.StopAsGroup)
	p.ExitCodes = convert(l, c, get("exitcodes"), []int{0}, toExitCodes)
	p.RedirectStderr = boolean("redirect_stderr", false)
	num := number("numprocs", 1)
	start := number("numprocs_start", 0)
	p.NumProcs, p.NumProcsStart = num.clamp(), start.clamp()
	var logs [2]Log
	logs[0].CaptureMaxBytes = bytes("stdout_capture_maxbytes").clamp64()
	logs[0].EventsEnabled = boolean("stdout_events_enabled", false)
	logs[1].CaptureMaxBytes = bytes("stderr_capture_maxbytes").clamp64()
	logs[1].EventsEnabled = boolean("stderr_events_enabled", false)
	if v := get("serverurl"); v.set && !v.bad && upper(trim(v.str)) != "AUTO" {
		p.ServerURL, p.hasServerURL = v.str, true
	}
	p.User = convert(l, c, get("user"), nil, l.user)
	p.Umask = p.big.keep("umask", convert(l, c, get("umask"), small(-1), toOctal)).clamp()

	procName := l.raw(s, "process_name")
	if !procName.set {
		procName = val{str: "%(program_name)s", set: true}
	}
	checked := convert(l, c, procName, "", toName)
	procName.bad = procName.option != nil && l.reported[procName.option]
	procName.str = checked
	if num.clamp() > 1 && !procName.bad && !strings.Contains(checked, "%(process_num)") {
		l.reject(val{option: p.Option("numprocs")}, c, "process-name-without-number", "%(process_num) must be present within process_name when numprocs > 1")
		procName.bad = true
	}
	if p.StopAsGroup && !p.KillAsGroup {
		l.reject(val{option: p.Option("killasgroup")}, c, "killasgroup", "Cannot set stopasgroup=true and killasgroup=false")
	}
	// What counts are the processes beyond one for each section.
	more := max(num.clamp(), 0)
	if !s.resolved && more > 0 {
		more--
	}
	s.resolved = true
	if more > maxProcesses || l.more+more > maxProcesses {
		l.reject(val{option: p.Option("numprocs")}, c, "too-many-processes", fmt.Sprintf("more than %d processes are not expanded by this package", maxProcesses))
		return p
	}
	l.more += more

	own := &l.own
	own.clear()
	c.own = own
	for i := range max(num.clamp(), 0) {
		number := start.add(small(int64(i)))
		fixed.set("process_num", value{num: number, isInt: true})
		fixed.set("numprocs", value{num: num, isInt: true})
		p.Processes = append(p.Processes, l.process(p, c, number, procName, logs, fixed, own))
	}
	slices.SortStableFunc(p.Processes, func(a, b *Process) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// process reads what is read for each number. The names fixed and own are
// shared by all of them, so that variables of one process's environment are
// names for the next.
func (l *loader) process(p *Program, c *context, number integer, name val, logs [2]Log, fixed, own *table) *Process {
	proc := &Process{Program: p, Number: number.clamp()}
	if len(own.keys) > 0 { // supervisord's own variables come first again
		kept := newTable(len(own.keys))
		for i, k := range own.keys {
			if l.env.find(k) < 0 {
				kept.set(k, own.vals[i])
			}
		}
		*own = *kept
	}
	sc := &scope{env: l.env, fixed: fixed, own: own}

	v := l.expand(l.raw(p.section, "environment"), c, sc, "environment", true)
	pairs := l.pairs(c, v, &c.envBroken)
	proc.Environment = l.cfg.Supervisord.Environment
	if len(pairs) > 0 {
		proc.Environment = make(map[string]string, len(pairs)+len(l.cfg.Supervisord.Environment))
		for k, v := range l.cfg.Supervisord.Environment {
			proc.Environment[k] = v
		}
		for _, kv := range pairs {
			proc.Environment[kv.key] = kv.value
		}
		for _, kv := range pairs {
			own.set("ENV_"+kv.key, value{str: proc.Environment[kv.key]})
		}
	}

	if v := l.getIn(c, "directory", sc); v.set && !v.bad {
		proc.Directory = v.str
	}
	proc.Stdout = l.log(p, c, proc, &stdoutKeys, logs[0], sc)
	proc.Stderr = l.log(p, c, proc, &stderrKeys, logs[1], sc)
	if p.RedirectStderr {
		if f := proc.Stderr.File; f != LogAuto && f != LogNone {
			l.supervisorWarns(p.Option("stderr_logfile"), p.section, "ignored-logfile", fmt.Sprintf("For [%s], redirect_stderr=true but stderr_logfile has also been set to a filename, the filename has been ignored", p.section.name))
		}
		proc.Stderr.File = LogNone
	}

	command := l.getIn(c, "command", sc)
	if !command.set {
		l.missing(p.section, "missing-option", fmt.Sprintf("program section %s does not specify a command", p.section.name)+c.suffix())
	}
	proc.Command = command.str
	if !name.bad {
		if v := l.expand(name, c, sc, "process_name", true); !v.bad {
			proc.Name = v.str
		}
	}
	return proc
}

// logKeys are the names of the options of one output.
type logKeys struct{ file, maxBytes, backups, syslog string }

var (
	stdoutKeys = logKeys{"stdout_logfile", "stdout_logfile_maxbytes", "stdout_logfile_backups", "stdout_syslog"}
	stderrKeys = logKeys{"stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups", "stderr_syslog"}
)

// log reads the options of one output.
func (l *loader) log(p *Program, c *context, proc *Process, keys *logKeys, log Log, sc *scope) Log {
	v := l.getIn(c, keys.file, sc)
	v = l.expand(v, c, sc, keys.file, true) // a second time: a "%" wants to be "%%%%"
	syslog := false
	log.File = convert(l, c, v, LogAuto, func(s string) (LogFile, string) {
		switch lower(s) {
		case "none", "off":
			return LogNone, ""
		case "auto":
			return LogAuto, ""
		case "syslog":
			syslog = true
			return LogNone, ""
		}
		path, message := l.existingDirPath(s)
		return LogFile(path), message
	})
	backups := convert(l, c, l.getIn(c, keys.backups, sc), small(10), toInt)
	log.Backups = proc.big.keep(keys.backups, backups).clamp()
	maxBytes := convert(l, c, l.getIn(c, keys.maxBytes, sc), small(50<<20), toBytes)
	log.MaxBytes = proc.big.keep(keys.maxBytes, maxBytes).clamp64()
	log.Syslog = convert(l, c, l.getIn(c, keys.syslog, sc), false, toBool)

	if v.bad || l.reported[v.option] && v.set {
		return log
	}
	if syslog {
		log.Syslog = true
		l.supervisorWarns(v.option, p.section, "deprecated-syslog", fmt.Sprintf("For [%s], %s=syslog but this is deprecated and will be removed.  Use %s=true to enable syslog instead.", p.section.name, keys.file, keys.syslog))
	}
	if log.File == LogAuto && log.MaxBytes == 0 {
		l.supervisorWarns(p.Option(keys.maxBytes), p.section, "auto-log-without-rotation", fmt.Sprintf("For [%s], AUTO logging used for %s without rollover, set maxbytes > 0 to avoid filling up filesystem unintentionally", p.section.name, keys.file))
	}
	return log
}

// nameOf returns what stands behind the first colon of a header.
func nameOf(s *section) string {
	_, name, _ := strings.Cut(s.name, ":")
	return name
}

// checkedName is process_or_group_name of a section's name.
func (l *loader) checkedName(c *context, name string) string {
	name, message := toName(name)
	if message != "" && !l.reported[c.section] {
		l.reported[c.section] = true
		message += c.suffix()
		l.refuse(message)
		l.cfg.errors = append(l.cfg.errors, errorAt(c.section.node.Pos(), c.section.node.End(), "invalid-name", "%s", oneLine(message)))
	}
	return name
}
