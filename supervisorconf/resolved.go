package supervisorconf

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Resolved is a [Config] as plain data, each value that supervisord would hold,
// with one entry for each process. A nil pointer is Python's None. It holds the
// passwords of servers and all of the environment.
type Resolved struct {
	// OK tells whether supervisord starts. If not, Error is what it says, and
	// there is nothing else.
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Kind  string `json:"kind,omitempty"` // "usage": supervisord exits with status 2

	Supervisord   *ResolvedSupervisord   `json:"supervisord,omitempty"`
	Programs      []ResolvedProcess      `json:"programs,omitzero"`
	Groups        []ResolvedGroup        `json:"groups,omitzero"`
	Servers       []ResolvedServer       `json:"servers,omitzero"`
	RPCInterfaces []ResolvedRPCInterface `json:"rpcinterfaces,omitzero"`
	Warnings      []string               `json:"warnings,omitzero"` // Supervisor's own
	Infos         []string               `json:"infos,omitzero"`
	Criticals     []string               `json:"criticals,omitzero"` // always empty
}

// ResolvedSupervisord is [supervisord].
type ResolvedSupervisord struct {
	MinFDs           int               `json:"minfds"`
	MinProcs         int               `json:"minprocs"`
	Directory        *string           `json:"directory"`
	User             *string           `json:"user"`
	Umask            int               `json:"umask"`
	LogFile          string            `json:"logfile"`
	LogFileMaxBytes  int64             `json:"logfile_maxbytes"`
	LogFileBackups   int               `json:"logfile_backups"`
	LogLevel         any               `json:"loglevel"` // a number
	LogLevelName     *string           `json:"loglevel_name"`
	PIDFile          string            `json:"pidfile"`
	Identifier       string            `json:"identifier"`
	NoDaemon         bool              `json:"nodaemon"`
	Silent           bool              `json:"silent"`
	ChildLogDir      string            `json:"childlogdir"`
	NoCleanup        bool              `json:"nocleanup"`
	StripANSI        bool              `json:"strip_ansi"`
	Environment      map[string]string `json:"environment"`
	EffectiveLogFile string            `json:"effective_logfile"`
	EffectivePIDFile string            `json:"effective_pidfile"`
	UID              *int              `json:"uid"`
	GID              *int              `json:"gid"`
	ServerURL        *string           `json:"serverurl"`

	big overflow
}

// ResolvedProcess is one process.
type ResolvedProcess struct {
	Name         string  `json:"name"`
	Group        string  `json:"group"`
	Kind         Kind    `json:"kind"`
	UID          *int    `json:"uid"`
	Command      string  `json:"command"`
	Directory    *string `json:"directory"`
	Umask        *int    `json:"umask"`
	Priority     int     `json:"priority"`
	Autostart    bool    `json:"autostart"`
	Autorestart  any     `json:"autorestart"` // true, false or "unexpected"
	StartSecs    int     `json:"startsecs"`
	StartRetries int     `json:"startretries"`

	StdoutLogFile         *string `json:"stdout_logfile"` // "AUTO", a path, or nil for none
	StdoutCaptureMaxBytes int64   `json:"stdout_capture_maxbytes"`
	StdoutEventsEnabled   bool    `json:"stdout_events_enabled"`
	StdoutSyslog          bool    `json:"stdout_syslog"`
	StdoutLogFileBackups  int     `json:"stdout_logfile_backups"`
	StdoutLogFileMaxBytes int64   `json:"stdout_logfile_maxbytes"`
	StderrLogFile         *string `json:"stderr_logfile"`
	StderrCaptureMaxBytes int64   `json:"stderr_capture_maxbytes"`
	StderrEventsEnabled   bool    `json:"stderr_events_enabled"`
	StderrSyslog          bool    `json:"stderr_syslog"`
	StderrLogFileBackups  int     `json:"stderr_logfile_backups"`
	StderrLogFileMaxBytes int64   `json:"stderr_logfile_maxbytes"`

	StopSignal     int               `json:"stopsignal"`
	StopSignalName *string           `json:"stopsignal_name"` // "SIGTERM"
	StopWaitSecs   int               `json:"stopwaitsecs"`
	StopAsGroup    bool              `json:"stopasgroup"`
	KillAsGroup    bool              `json:"killasgroup"`
	ExitCodes      []int             `json:"exitcodes"`
	RedirectStderr bool              `json:"redirect_stderr"`
	Environment    map[string]string `json:"environment"`
	ServerURL      *string           `json:"serverurl"`

	big overflow
}

// ResolvedGroup is one group. Its last fields are there for the kinds that have
// them.
type ResolvedGroup struct {
	Name          string          `json:"name"`
	Priority      int             `json:"priority"`
	Kind          string          `json:"kind"` // "group", "eventlistener", "fcgi"
	Processes     []string        `json:"processes"`
	BufferSize    *int            `json:"buffer_size,omitempty"`
	Events        []string        `json:"events,omitzero"` // Python's classes: "Tick60Event"
	ResultHandler string          `json:"result_handler,omitempty"`
	Socket        *ResolvedSocket `json:"socket,omitempty"`

	big overflow
}

// ResolvedSocket is the socket of a FastCGI group.
type ResolvedSocket struct {
	URL     string  `json:"url"`
	Backlog *int    `json:"backlog"`
	Path    *string `json:"path"` // of a unix socket, else nil
	Mode    *int    `json:"mode"`
	Owner   *[2]int `json:"owner"` // uid and gid, of a unix socket
	Host    *string `json:"host"`
	Port    *int    `json:"port"`
}

// ResolvedServer is one server. Either Host and Port are there, or File, Chown
// and Chmod.
type ResolvedServer struct {
	Family   Family  `json:"family"`
	Name     *string `json:"name"`
	Section  string  `json:"section"`
	Username *string `json:"username"`
	Password *string `json:"password"`
	Host     *string `json:"host,omitempty"`
	Port     *int    `json:"port,omitempty"`
	File     *string `json:"file,omitempty"`
	Chown    *[2]int `json:"chown,omitempty"`
	Chmod    *int    `json:"chmod,omitempty"`
}

// ResolvedRPCInterface is one XML-RPC namespace.
type ResolvedRPCInterface struct {
	Name    string            `json:"name"`
	Factory string            `json:"factory"`
	Config  map[string]string `json:"config"`
}

// Resolved returns what supervisord would hold, as plain data. Its JSON is what
// a dump of Supervisor's own objects gives, secrets included; marshal the
// Config itself to have them masked.
func (c *Config) Resolved() Resolved {
	if c.refusal != "" {
		return Resolved{Error: c.refusal, Kind: "usage"}
	}
	r := Resolved{
		OK: true, Supervisord: c.Supervisord.resolved(),
		Programs: []ResolvedProcess{}, Groups: []ResolvedGroup{}, Servers: []ResolvedServer{}, RPCInterfaces: []ResolvedRPCInterface{},
		Warnings: append([]string{}, c.warnings...), Infos: append([]string{}, c.infos...), Criticals: []string{},
	}
	for _, g := range c.Groups {
		r.Groups = append(r.Groups, g.resolved())
		for _, p := range g.Processes {
			r.Programs = append(r.Programs, p.resolved(g))
		}
	}
	for _, s := range c.Servers {
		r.Servers = append(r.Servers, s.resolved())
	}
	for _, i := range c.RPCInterfaces {
		r.RPCInterfaces = append(r.RPCInterfaces, ResolvedRPCInterface{i.Name, i.Factory, maps.Clone(i.Options)})
	}
	return r
}

// MarshalJSON writes the document of Resolved with what looks like a secret
// masked: the passwords of servers, variables and options named like one, such
// arguments of commands, and all that was made of them.
func (c *Config) MarshalJSON() ([]byte, error) {
	r := c.Resolved()
	secrets := c.env.secrets()
	for _, m := range r.maps() {
		for k, v := range m {
			if isSecret(k) {
				secrets = append(secrets, v)
			}
		}
	}
	for i := range r.Servers {
		if p := &r.Servers[i].Password; *p != nil {
			secrets = append(secrets, **p)
			*p = new(masked)
		}
	}
	hide := hideSecrets(secrets)
	for _, m := range r.maps() {
		for k, v := range m {
			if isSecret(k) {
				m[k] = masked
			} else {
				m[k] = hide.Replace(maskSecrets(v))
			}
		}
	}
	for _, s := range r.strings() {
		*s = hide.Replace(maskSecrets(*s))
	}
	return json.Marshal(r)
}

// maps returns the maps that may hold secrets.
func (r *Resolved) maps() []map[string]string {
	var all []map[string]string
	if r.OK {
		all = append(all, r.Supervisord.Environment)
	}
	for i := range r.Programs {
		all = append(all, r.Programs[i].Environment)
	}
	for _, i := range r.RPCInterfaces {
		all = append(all, i.Config)
	}
	return all
}

// strings returns the values that supervisord may have put secrets into.
func (r *Resolved) strings() []*string {
	var all []*string
	add := func(list ...*string) {
		for _, s := range list {
			if s != nil {
				all = append(all, s)
			}
		}
	}
	if s := r.Supervisord; r.OK {
		add(&s.LogFile, &s.PIDFile, &s.Identifier, &s.ChildLogDir, &s.EffectiveLogFile, &s.EffectivePIDFile, s.Directory, s.ServerURL)
	}
	for i := range r.Programs {
		p := &r.Programs[i]
		add(&p.Command, p.Directory, p.StdoutLogFile, p.StderrLogFile, p.ServerURL)
	}
	for i := range r.Servers {
		add(r.Servers[i].File)
	}
	for i := range r.Warnings {
		add(&r.Warnings[i])
	}
	return all
}

// ptr returns v if there is such a value.
func ptr[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

func environment(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}

func (s *Supervisord) resolved() *ResolvedSupervisord {
	r := &ResolvedSupervisord{
		MinFDs: s.MinFDs, MinProcs: s.MinProcs,
		Directory: ptr(s.Directory, s.Directory != ""),
		Umask:     s.Umask,
		LogFile:   s.LogFile, LogFileMaxBytes: s.LogFileMaxBytes, LogFileBackups: s.LogFileBackups,
		LogLevel: int(s.LogLevel), LogLevelName: ptr(s.LogLevel.short(), s.LogLevel.short() != ""),
		PIDFile: s.PIDFile, Identifier: s.Identifier,
		NoDaemon: s.NoDaemon, Silent: s.Silent, ChildLogDir: s.ChildLogDir, NoCleanup: s.NoCleanup, StripANSI: s.StripANSI,
		Environment:      environment(s.Environment),
		EffectiveLogFile: s.LogPath, EffectivePIDFile: s.PIDPath,
		ServerURL: ptr(s.ServerURL, s.ServerURL != ""),
		big:       s.big,
	}
	if s.loglevel != "" {
		r.LogLevel = s.loglevel
	}
	if u := s.User; u != nil {
		r.User, r.UID, r.GID = ptr(u.Name, true), ptr(u.UID, u.UID >= 0), ptr(u.GID, u.GID >= 0)
	}
	return r
}

func (p *Process) resolved(g *Group) ResolvedProcess {
	o := p.Program
	r := ResolvedProcess{
		Name: p.Name, Group: g.Name, Kind: o.Kind,
		Command: p.Command, Directory: ptr(p.Directory, o.Option("directory") != nil),
		Umask: ptr(o.Umask, o.Option("umask") != nil), Priority: o.Priority,
		Autostart: o.Autostart, Autorestart: o.Autorestart.String(),
		StartSecs: o.StartSecs, StartRetries: o.StartRetries,

		StdoutLogFile: p.Stdout.File.resolved(), StdoutCaptureMaxBytes: p.Stdout.CaptureMaxBytes, StdoutEventsEnabled: p.Stdout.EventsEnabled,
		StdoutSyslog: p.Stdout.Syslog, StdoutLogFileBackups: p.Stdout.Backups, StdoutLogFileMaxBytes: p.Stdout.MaxBytes,
		StderrLogFile: p.Stderr.File.resolved(), StderrCaptureMaxBytes: p.Stderr.CaptureMaxBytes, StderrEventsEnabled: p.Stderr.EventsEnabled,
		StderrSyslog: p.Stderr.Syslog, StderrLogFileBackups: p.Stderr.Backups, StderrLogFileMaxBytes: p.Stderr.MaxBytes,

		StopSignal: int(o.StopSignal), StopSignalName: ptr("SIG"+o.StopSignal.String(), o.StopSignal > 0),
		StopWaitSecs: o.StopWaitSecs, StopAsGroup: o.StopAsGroup, KillAsGroup: o.KillAsGroup,
		ExitCodes: slices.Clone(o.ExitCodes), RedirectStderr: o.RedirectStderr, Environment: environment(p.Environment),
		ServerURL: ptr(o.ServerURL, o.hasServerURL),
	}
	if o.Autorestart != AutorestartUnexpected {
		r.Autorestart = o.Autorestart == AutorestartAlways
	}
	if o.User != nil {
		r.UID = ptr(o.User.UID, o.User.UID >= 0)
	}
	for _, big := range []overflow{o.big, p.big} {
		for k, v := range big {
			if r.big == nil {
				r.big = overflow{}
			}
			r.big[k] = v
		}
	}
	return r
}

func (f LogFile) resolved() *string { return ptr(string(f), f != LogNone) }

func (g *Group) resolved() ResolvedGroup {
	r := ResolvedGroup{Name: g.Name, Priority: g.Priority, Kind: "group", Processes: []string{}, big: g.big}
	for _, p := range g.Processes {
		r.Processes = append(r.Processes, p.Name)
	}
	switch g.Kind {
	case KindEventListener:
		r.Kind = "eventlistener"
		r.BufferSize = &g.BufferSize
		r.ResultHandler = g.ResultHandler
		for _, e := range g.Events {
			r.Events = append(r.Events, eventTypes[e])
		}
		slices.Sort(r.Events)
	case KindFCGIProgram:
		r.Kind = "fcgi"
		s := g.Socket
		r.Socket = &ResolvedSocket{URL: s.URL, Backlog: ptr(s.Backlog, s.Backlog != 0)}
		if s.Path != "" {
			r.Socket.Path, r.Socket.Mode = ptr(s.Path, true), ptr(s.Mode, true)
			if s.Owner != nil {
				r.Socket.Owner = &[2]int{s.Owner.UID, s.Owner.GID}
			}
		} else {
			r.Socket.Host, r.Socket.Port = ptr(s.Host, true), ptr(s.Port, true)
		}
	}
	return r
}

func (s *Server) resolved() ResolvedServer {
	r := ResolvedServer{Family: s.Family, Section: s.section.name, Username: ptr(s.Username, s.auth), Password: ptr(s.Password, s.auth)}
	if _, name, ok := strings.Cut(s.section.name, ":"); ok {
		r.Name = &name
	}
	if s.Family == FamilyUnix {
		r.File, r.Chmod, r.Chown = ptr(s.Path, true), ptr(s.Mode, true), &[2]int{s.Owner.UID, s.Owner.GID}
	} else {
		r.Host, r.Port = ptr(s.Host, true), ptr(s.Port, true)
	}
	return r
}

// MarshalJSON leaves out what a socket of that kind does not have.
func (s ResolvedSocket) MarshalJSON() ([]byte, error) {
	m := map[string]any{"url": s.URL, "backlog": s.Backlog}
	if s.Path != nil {
		m["path"], m["mode"], m["owner"] = s.Path, s.Mode, s.Owner
	} else {
		m["host"], m["port"] = s.Host, s.Port
	}
	return json.Marshal(m)
}

// MarshalJSON writes integers of any size.
func (s ResolvedSupervisord) MarshalJSON() ([]byte, error) {
	type plain ResolvedSupervisord
	return s.big.marshal(plain(s))
}

// MarshalJSON writes integers of any size.
func (p ResolvedProcess) MarshalJSON() ([]byte, error) {
	type plain ResolvedProcess
	return p.big.marshal(plain(p))
}

// MarshalJSON writes integers of any size.
func (g ResolvedGroup) MarshalJSON() ([]byte, error) {
	type plain ResolvedGroup
	return g.big.marshal(plain(g))
}

// marshal writes v with the integers that did not fit put in.
func (o overflow) marshal(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil || o == nil {
		return text, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	for k, n := range o {
		if _, ok := m[k]; ok {
			m[k] = json.RawMessage(n)
		}
	}
	return json.Marshal(m)
}
