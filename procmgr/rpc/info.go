package rpc

import (
	"cmp"
	"math"
	"strconv"
	"syscall"
	"time"

	"github.com/onehost-go/onehost/procmgr"
)

// Changes are the groups that are not what the configuration says.
type Changes struct {
	Added   []string `json:"added"`   // are not there yet
	Changed []string `json:"changed"` // are there, but different
	Removed []string `json:"removed"` // are no longer in the configuration
}

// A ProcessInfo is the status of a process. Times are in whole seconds.
type ProcessInfo struct {
	Group       string        `json:"group"`
	Name        string        `json:"name"`
	Description string        `json:"description"` // "pid 4711, uptime 0:02:03"; see procmgr.Status
	Start       time.Time     `json:"start,omitzero"`
	Stop        time.Time     `json:"stop,omitzero"`
	Now         time.Time     `json:"now"` // on the server's clock
	State       procmgr.State `json:"state"`
	SpawnErr    string        `json:"spawnerr,omitempty"`
	ExitStatus  int           `json:"exit_status,omitempty"`
	StdoutLog   string        `json:"stdout_logfile,omitempty"`
	StderrLog   string        `json:"stderr_logfile,omitempty"`
	PID         int           `json:"pid,omitempty"`
}

// FullName returns the name that StartProcess and the others know the process
// by: "group:process", or just "process" if its group has the same name.
func (p ProcessInfo) FullName() string { return fullName(p.Group, p.Name) }

func fullName(group, process string) string {
	return procmgr.Status{Group: group, Name: process}.FullName()
}

// A ConfigInfo is the configuration of a process. Seconds and bytes are plain
// numbers.
type ConfigInfo struct {
	Group           string         `json:"group"`
	Name            string         `json:"name"`
	InUse           bool           `json:"inuse"` // the group was added
	GroupPriority   int            `json:"group_prio"`
	ProcessPriority int            `json:"process_prio"`
	Command         string         `json:"command"`
	Directory       string         `json:"directory,omitempty"`
	UID             int            `json:"uid"` // -1: that of the server
	Autostart       bool           `json:"autostart"`
	Autorestart     string         `json:"autorestart,omitempty"` // "true", "false", "unexpected"; servers before 4.4 do not tell
	StartSecs       int            `json:"startsecs"`
	StartRetries    int            `json:"startretries"`
	ExitCodes       []int          `json:"exitcodes"`
	StopSignal      syscall.Signal `json:"stopsignal"`
	StopWaitSecs    int            `json:"stopwaitsecs"`
	KillAsGroup     bool           `json:"killasgroup"`
	RedirectStderr  bool           `json:"redirect_stderr"`
	Stdout          LogInfo        `json:"stdout"`
	Stderr          LogInfo        `json:"stderr"`
	ServerURL       string         `json:"serverurl,omitempty"` // "auto", or what the program sets
}

// FullName is that of [ProcessInfo].
func (c ConfigInfo) FullName() string { return fullName(c.Group, c.Name) }

// A LogInfo is the configuration of a log.
type LogInfo struct {
	File            string `json:"logfile,omitempty"` // "auto": not made yet
	MaxBytes        int64  `json:"logfile_maxbytes"`
	Backups         int    `json:"logfile_backups"`
	CaptureMaxBytes int64  `json:"capture_maxbytes"`
	EventsEnabled   bool   `json:"events_enabled"`
	Syslog          bool   `json:"syslog"`
}

// A Result is what became of one process when several were asked for.
type Result struct {
	Group       string `json:"group"`
	Name        string `json:"name"`
	Status      Code   `json:"status"`      // Success, or that of a fault
	Description string `json:"description"` // "OK", or the text of the fault
}

// FullName is that of [ProcessInfo].
func (r Result) FullName() string { return fullName(r.Group, r.Name) }

// Err returns the fault, or nil if there was none.
func (r Result) Err() error {
	if r.Status == Success {
		return nil
	}
	return &Fault{r.Status, r.Description}
}

// A LogTail is a part of a log.
type LogTail struct {
	Text     string `json:"text"`
	Offset   int64  `json:"offset"`   // the size of the log: where the next part starts
	Overflow bool   `json:"overflow"` // something before Text was left out
}

// A record is a decoded struct. What is missing in it, or of another type, is
// zero: servers of other versions have fewer members, or more.
type record map[string]any

func (r record) int(name string) int {
	n, _ := r[name].(int)
	return n
}

func (r record) bool(name string) bool {
	b, _ := r[name].(bool)
	return b
}

func (r record) str(name string) string {
	s, _ := r[name].(string)
	return s
}

// maybe is a string for which the server sends "none" if there is none.
func (r record) maybe(name string) string {
	if s := r.str(name); s != none {
		return s
	}
	return ""
}

const none = "none"

// time is zero for 0, which Supervisor sends for never.
func (r record) time(name string) time.Time {
	if n := r.int(name); n != 0 {
		return time.Unix(int64(n), 0)
	}
	return time.Time{}
}

func decodeAll[T any](list []any, decode func(map[string]any) T) []T {
	all := make([]T, len(list))
	for i, v := range list {
		s, _ := v.(map[string]any)
		all[i] = decode(s)
	}
	return all
}

func processInfoOf(s map[string]any) ProcessInfo {
	r := record(s)
	return ProcessInfo{
		Group: r.str("group"), Name: r.str("name"), Description: r.str("description"),
		Start: r.time("start"), Stop: r.time("stop"), Now: r.time("now"),
		State: procmgr.State(r.int("state")), SpawnErr: r.str("spawnerr"), ExitStatus: r.int("exitstatus"),
		StdoutLog: r.str("stdout_logfile"), StderrLog: r.str("stderr_logfile"), PID: r.int("pid"),
	}
}

func resultOf(s map[string]any) Result {
	r := record(s)
	return Result{r.str("group"), r.str("name"), Code(r.int("status")), r.str("description")}
}

func configInfoOf(s map[string]any) ConfigInfo {
	r := record(s)
	c := ConfigInfo{
		Group: r.str("group"), Name: r.str("name"), InUse: r.bool("inuse"),
		GroupPriority: r.int("group_prio"), ProcessPriority: r.int("process_prio"),
		Command: r.str("command"), Directory: r.maybe("directory"), UID: -1,
		Autostart: r.bool("autostart"), StartSecs: r.int("startsecs"), StartRetries: r.int("startretries"),
		StopSignal: syscall.Signal(r.int("stopsignal")), StopWaitSecs: r.int("stopwaitsecs"),
		KillAsGroup: r.bool("killasgroup"), RedirectStderr: r.bool("redirect_stderr"),
		Stdout: logInfoOf(r, procmgr.Stdout), Stderr: logInfoOf(r, procmgr.Stderr), ServerURL: r.maybe("serverurl"),
	}
	if uid, ok := s["uid"].(int); ok {
		c.UID = uid
	}
	switch v := s["autorestart"].(type) {
	case bool:
		c.Autorestart = strconv.FormatBool(v)
	case string:
		c.Autorestart = v
	}
	codes, _ := s["exitcodes"].([]any)
	for _, code := range codes {
		n, _ := code.(int)
		c.ExitCodes = append(c.ExitCodes, n)
	}
	return c
}

func logInfoOf(r record, c procmgr.Channel) LogInfo {
	prefix := c.String() + "_"
	return LogInfo{
		File:            r.maybe(prefix + "logfile"),
		MaxBytes:        int64(r.int(prefix + "logfile_maxbytes")),
		Backups:         r.int(prefix + "logfile_backups"),
		CaptureMaxBytes: int64(r.int(prefix + "capture_maxbytes")),
		EventsEnabled:   r.bool(prefix + "events_enabled"),
		Syslog:          r.bool(prefix + "syslog"),
	}
}

// appendStatus writes the struct of getProcessInfo, in supervisord's order. It
// is asked for a thousand at a time, so it makes no structure first.
func appendStatus(b []byte, s procmgr.Status) []byte {
	text := func(name, value string) {
		b = append(b, "<member>\n<name>"...)
		b = append(b, name...)
		b = append(b, "</name>\n<value><string>"...)
		b = appendText(b, value)
		b = append(b, "</string></value>\n</member>\n"...)
	}
	number := func(name string, value int) {
		b = append(b, "<member>\n<name>"...)
		b = append(b, name...)
		b = append(b, "</name>\n<value><int>"...)
		b = strconv.AppendInt(b, int64(value), 10)
		b = append(b, "</int></value>\n</member>\n"...)
	}
	b = append(b, "<value><struct>\n"...)
	text("name", s.Name)
	text("group", s.Group)
	number("start", seconds(s.Start))
	number("stop", seconds(s.Stop))
	number("now", seconds(s.Now))
	number("state", int(s.State))
	text("statename", s.State.String())
	text("spawnerr", s.SpawnErr)
	number("exitstatus", s.ExitStatus)
	text("logfile", s.StdoutLog)
	text("stdout_logfile", s.StdoutLog)
	text("stderr_logfile", s.StderrLog)
	number("pid", s.PID)
	text("description", s.Description())
	return append(b, "</struct></value>\n"...)
}

// seconds is capped as supervisor.xmlrpc.capped_int does: the year 2038.
func seconds(t time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(min(max(t.Unix(), math.MinInt32), math.MaxInt32))
}

func (r Result) structure() structure {
	return structure{{"name", r.Name}, {"group", r.Group}, {"status", int(r.Status)}, {"description", r.Description}}
}

// structure is one of the reply of getAllConfigInfo, in supervisord's order.
func (c ConfigInfo) structure() structure {
	uid := any(none)
	if c.UID >= 0 {
		uid = c.UID
	}
	return structure{
		{"autostart", c.Autostart},
		{"directory", cmp.Or(c.Directory, none)},
		{"uid", uid},
		{"command", c.Command},
		{"exitcodes", c.ExitCodes},
		{"group", c.Group},
		{"group_prio", c.GroupPriority},
		{"inuse", c.InUse},
		{"killasgroup", c.KillAsGroup},
		{"name", c.Name},
		{"process_prio", c.ProcessPriority},
		{"redirect_stderr", c.RedirectStderr},
		{"startretries", c.StartRetries},
		{"startsecs", c.StartSecs},
		{"stdout_capture_maxbytes", c.Stdout.CaptureMaxBytes},
		{"stdout_events_enabled", c.Stdout.EventsEnabled},
		{"stdout_logfile", cmp.Or(c.Stdout.File, none)},
		{"stdout_logfile_backups", c.Stdout.Backups},
		{"stdout_logfile_maxbytes", c.Stdout.MaxBytes},
		{"stdout_syslog", c.Stdout.Syslog},
		{"stopsignal", int(c.StopSignal)},
		{"stopwaitsecs", c.StopWaitSecs},
		{"stderr_capture_maxbytes", c.Stderr.CaptureMaxBytes},
		{"stderr_events_enabled", c.Stderr.EventsEnabled},
		{"stderr_logfile", cmp.Or(c.Stderr.File, none)},
		{"stderr_logfile_backups", c.Stderr.Backups},
		{"stderr_logfile_maxbytes", c.Stderr.MaxBytes},
		{"stderr_syslog", c.Stderr.Syslog},
		{"serverurl", cmp.Or(c.ServerURL, none)},
	}
}
