package supervisorconf

import (
	"fmt"
	"slices"
	"strconv"
)

// A Kind is what a process belongs to.
type Kind uint8

const (
	KindProgram       Kind = iota // [program:x]; also an [fcgi-program:x] in a [group:x], which then gets no socket
	KindFCGIProgram               // [fcgi-program:x]
	KindEventListener             // [eventlistener:x]
)

var kindNames = []string{"program", "fcgi-program", "eventlistener"}

// String returns the type of section: "program", "fcgi-program",
// "eventlistener".
func (k Kind) String() string { return enumString("Kind", kindNames, int(k)) }

// MarshalText returns what String does.
func (k Kind) MarshalText() ([]byte, error) { return enumText("kind", kindNames, int(k)) }

// UnmarshalText is the way back.
func (k *Kind) UnmarshalText(text []byte) error {
	i, err := enumIndex("kind", kindNames, string(text))
	*k = Kind(i)
	return err
}

// An Autorestart is when a process that exited is started again.
type Autorestart uint8

const (
	AutorestartUnexpected Autorestart = iota // unless its exit code is one of exitcodes
	AutorestartAlways                        // whatever its exit code
	AutorestartNever                         // not at all
)

var autorestartNames = []string{"unexpected", "true", "false"}

// String returns Supervisor's spelling: "unexpected", "true", "false".
func (a Autorestart) String() string { return enumString("Autorestart", autorestartNames, int(a)) }

// MarshalText returns what String does.
func (a Autorestart) MarshalText() ([]byte, error) {
	return enumText("autorestart", autorestartNames, int(a))
}

// UnmarshalText reads what Supervisor does: the spellings of a boolean too.
func (a *Autorestart) UnmarshalText(text []byte) error {
	v, message := toAutorestart(string(text))
	if message != "" {
		return fmt.Errorf("supervisorconf: %s", message)
	}
	*a = v
	return nil
}

// A Family is what a server listens on.
type Family uint8

const (
	FamilyInet Family = iota // [inet_http_server]
	FamilyUnix               // [unix_http_server]
)

var familyNames = []string{"inet", "unix"}

// String returns "inet" or "unix".
func (f Family) String() string { return enumString("Family", familyNames, int(f)) }

// MarshalText returns what String does.
func (f Family) MarshalText() ([]byte, error) { return enumText("family", familyNames, int(f)) }

// UnmarshalText is the way back.
func (f *Family) UnmarshalText(text []byte) error {
	i, err := enumIndex("family", familyNames, string(text))
	*f = Family(i)
	return err
}

func enumString(typ string, names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return typ + "(" + strconv.Itoa(i) + ")"
}

func enumText(what string, names []string, i int) ([]byte, error) {
	if i < len(names) {
		return []byte(names[i]), nil
	}
	return nil, fmt.Errorf("supervisorconf: no %s %d", what, i)
}

func enumIndex(what string, names []string, s string) (int, error) {
	if i := slices.Index(names, s); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("supervisorconf: no %s %q", what, s)
}

// A LogLevel is what supervisord writes to its own log, by Supervisor's
// numbers.
type LogLevel int

const (
	LogBlather  LogLevel = 3
	LogTrace    LogLevel = 5
	LogDebug    LogLevel = 10
	LogInfo     LogLevel = 20
	LogWarn     LogLevel = 30
	LogError    LogLevel = 40
	LogCritical LogLevel = 50
)

// logLevels are the names in the configuration and in the log itself.
var logLevels = []struct {
	level       LogLevel
	name, short string
}{
	{LogBlather, "blather", "BLAT"}, {LogTrace, "trace", "TRAC"}, {LogDebug, "debug", "DEBG"}, {LogInfo, "info", "INFO"},
	{LogWarn, "warn", "WARN"}, {LogError, "error", "ERRO"}, {LogCritical, "critical", "CRIT"},
}

// String returns Supervisor's name: "info".
func (l LogLevel) String() string {
	for _, n := range logLevels {
		if n.level == l {
			return n.name
		}
	}
	return "LogLevel(" + strconv.Itoa(int(l)) + ")"
}

// short returns the name as the log writes it, or "".
func (l LogLevel) short() string {
	for _, n := range logLevels {
		if n.level == l {
			return n.short
		}
	}
	return ""
}

// MarshalText returns what String does.
func (l LogLevel) MarshalText() ([]byte, error) {
	if l.short() == "" {
		return nil, fmt.Errorf("supervisorconf: no loglevel %d", int(l))
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads what Supervisor does, in any case.
func (l *LogLevel) UnmarshalText(text []byte) error {
	v, message := toLogLevel(string(text))
	if message != "" {
		return fmt.Errorf("supervisorconf: %s", message)
	}
	*l = v
	return nil
}

// A Signal is a signal by its number on Linux (x86 and ARM), where supervisord
// runs; other systems number some of them otherwise, so take it there by its
// name. 0 is a test whether the process is there.
type Signal int

// signalNames are Python 3.11's, in alphabetical order: where a number has two
// names, it is called by the first.
var signalNames = []struct {
	name   string
	number Signal
}{
	{"ABRT", 6}, {"ALRM", 14}, {"BUS", 7}, {"CHLD", 17}, {"CLD", 17}, {"CONT", 18}, {"FPE", 8}, {"HUP", 1}, {"ILL", 4},
	{"INT", 2}, {"IO", 29}, {"IOT", 6}, {"KILL", 9}, {"PIPE", 13}, {"POLL", 29}, {"PROF", 27}, {"PWR", 30}, {"QUIT", 3},
	{"RTMAX", 64}, {"RTMIN", 34}, {"SEGV", 11}, {"STKFLT", 16}, {"STOP", 19}, {"SYS", 31}, {"TERM", 15}, {"TRAP", 5},
	{"TSTP", 20}, {"TTIN", 21}, {"TTOU", 22}, {"URG", 23}, {"USR1", 10}, {"USR2", 12}, {"VTALRM", 26}, {"WINCH", 28},
	{"XCPU", 24}, {"XFSZ", 25},
}

// signalAccidents are further attributes of Python's module that begin with
// SIG, which Supervisor takes for signals.
var signalAccidents = map[string]Signal{"_DFL": 0, "_IGN": 1, "_BLOCK": 0, "_UNBLOCK": 1, "_SETMASK": 2}

// String returns the name without SIG, "TERM", or the number if it has none.
func (s Signal) String() string {
	for _, n := range signalNames {
		if n.number == s {
			return n.name
		}
	}
	return strconv.Itoa(int(s))
}

// MarshalText returns what String does.
func (s Signal) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what Supervisor does: a name in any case, with or without
// SIG, or a number.
func (s *Signal) UnmarshalText(text []byte) error {
	v, message := toSignal(string(text))
	if message != "" {
		return fmt.Errorf("supervisorconf: %s", message)
	}
	*s = v
	return nil
}

// A LogFile is where the output of a process goes: LogAuto, LogNone, or a path,
// which is relative to supervisord's working directory if it is not absolute.
type LogFile string

const (
	LogAuto LogFile = "AUTO" // a file in childlogdir, deleted when supervisord starts
	LogNone LogFile = "NONE"
)

// eventTypes are what an event listener may subscribe to, with the Python
// class that Supervisor shows for each.
var eventTypes = map[string]string{
	"EVENT":                            "Event",
	"PROCESS_STATE":                    "ProcessStateEvent",
	"PROCESS_STATE_STOPPED":            "ProcessStateStoppedEvent",
	"PROCESS_STATE_EXITED":             "ProcessStateExitedEvent",
	"PROCESS_STATE_STARTING":           "ProcessStateStartingEvent",
	"PROCESS_STATE_STOPPING":           "ProcessStateStoppingEvent",
	"PROCESS_STATE_BACKOFF":            "ProcessStateBackoffEvent",
	"PROCESS_STATE_FATAL":              "ProcessStateFatalEvent",
	"PROCESS_STATE_RUNNING":            "ProcessStateRunningEvent",
	"PROCESS_STATE_UNKNOWN":            "ProcessStateUnknownEvent",
	"PROCESS_COMMUNICATION":            "ProcessCommunicationEvent",
	"PROCESS_COMMUNICATION_STDOUT":     "ProcessCommunicationStdoutEvent",
	"PROCESS_COMMUNICATION_STDERR":     "ProcessCommunicationStderrEvent",
	"PROCESS_LOG":                      "ProcessLogEvent",
	"PROCESS_LOG_STDOUT":               "ProcessLogStdoutEvent",
	"PROCESS_LOG_STDERR":               "ProcessLogStderrEvent",
	"REMOTE_COMMUNICATION":             "RemoteCommunicationEvent",
	"SUPERVISOR_STATE_CHANGE":          "SupervisorStateChangeEvent",
	"SUPERVISOR_STATE_CHANGE_RUNNING":  "SupervisorRunningEvent",
	"SUPERVISOR_STATE_CHANGE_STOPPING": "SupervisorStoppingEvent",
	"TICK":                             "TickEvent",
	"TICK_5":                           "Tick5Event",
	"TICK_60":                          "Tick60Event",
	"TICK_3600":                        "Tick3600Event",
	"PROCESS_GROUP":                    "ProcessGroupEvent",
	"PROCESS_GROUP_ADDED":              "ProcessGroupAddedEvent",
	"PROCESS_GROUP_REMOVED":            "ProcessGroupRemovedEvent",
}
