package supervisorconf

import (
	"encoding/json"
	"maps"
	"strings"
)

// A Supervisorctl is what supervisorctl takes from the main file: its section,
// and its plug-ins. It reads no included files, and the environment= of
// [supervisord] is nothing to it.
type Supervisorctl struct {
	ServerURL          string // of the supervisord to talk to: "http://localhost:9001", "unix:///run/supervisor.sock"
	Prompt             string // "supervisor"
	Username, Password string // empty: none
	HistoryFile        string // of what was typed, absolute; empty: none
	Plugins            []*CtlPlugin

	section   *section
	config    *Config // of the main file alone
	refusal   string
	exception string // Python's, if supervisorctl ends in a traceback
}

// A CtlPlugin is a [ctlplugin:x].
type CtlPlugin struct {
	Name    string
	Factory string            // "mymodule:make_plugin"
	Options map[string]string // all others, those of [DEFAULT] included

	section *section
}

// Refusal returns what supervisorctl says instead of starting, or "". A file
// that has no [supervisorctl] section is one reason. In [Config.Warnings] are
// the others, with their places: to supervisord they do not matter.
func (s *Supervisorctl) Refusal() string { return s.refusal }

// Section returns the first header of [supervisorctl] in the main file, or nil.
func (s *Supervisorctl) Section() *Section { return s.section.header() }

// Option returns where an option is set, or nil if it has its default.
func (s *Supervisorctl) Option(key string) *Option {
	if s.config == nil {
		return nil
	}
	return s.config.option(s.section, lower(key))
}

// Section returns the first header of the plug-in's section.
func (p *CtlPlugin) Section() *Section { return p.section.header() }

// supervisorctl is ClientOptions.read_config.
func (main *loader) supervisorctl() {
	ctl := &main.cfg.Supervisorctl
	*ctl = Supervisorctl{ServerURL: "http://localhost:9001", Prompt: "supervisor"}
	root := main.cfg.Root
	if f := &root.faults; f.any() { // what is wrong is reported already
		ctl.refusal = f.refusal(main.main)
		switch {
		case f.decode != nil && ctl.refusal == f.decode.message:
		case f.header != nil:
			ctl.exception = "MissingSectionHeaderError"
		default:
			ctl.exception = "ParsingError"
		}
		return
	}

	l := newLoader(main.fsys, main.main, main.o)
	l.release, l.cfg.Root = main.release, root
	var nodes []*Section
	for _, s := range root.sections {
		if h := s.Header(); h == "supervisorctl" || h == "DEFAULT" || strings.HasPrefix(h, "ctlplugin:") {
			nodes = append(nodes, s)
		}
	}
	l.add(nodes, "")
	ctl.config, ctl.section = l.cfg, l.cfg.sections["supervisorctl"]
	if ctl.section == nil {
		ctl.refusal = ".ini file does not include supervisorctl section"
		return
	}
	c := &context{section: ctl.section}
	here := &table{}
	here.set("here", value{str: l.o.Here})
	for _, o := range []struct {
		key   string
		fixed *table
		to    *string
	}{
		{"serverurl", here, &ctl.ServerURL}, {"prompt", nil, &ctl.Prompt}, {"username", nil, &ctl.Username},
		{"password", nil, &ctl.Password}, {"history_file", here, &ctl.HistoryFile},
	} {
		if v := l.get(c, o.key, o.fixed); v.set && !v.bad {
			*o.to = v.str
		}
	}
	if p, ok := strings.CutPrefix(ctl.ServerURL, "unix://"); ok {
		ctl.ServerURL = "unix://" + l.normalize(p)
	}
	if ctl.HistoryFile != "" {
		ctl.HistoryFile = l.normalize(ctl.HistoryFile)
	}
	l.plugins("ctlplugin:", "supervisor.ctl_factory", func(s *section, factory string, options map[string]string) {
		ctl.Plugins = append(ctl.Plugins, &CtlPlugin{nameOf(s), factory, options, s})
	})
	ctl.refusal = l.cfg.refusal
	for _, d := range l.cfg.errors {
		main.warnAt(d.Start, d.End, d.Code, "supervisorctl refuses to start: %s", d.Message)
	}
}

// ResolvedSupervisorctl is a [Supervisorctl] as plain data. It holds the
// password. A nil pointer is Python's None.
type ResolvedSupervisorctl struct {
	OK        bool   // whether supervisorctl starts
	Error     string // what it says if not; there is nothing else then
	Kind      string // "usage", or "crash" for a traceback
	Exception string // of a crash: "ParsingError"

	ServerURL, Prompt               string
	Username, Password, HistoryFile *string
	Plugins                         []CtlPlugin
}

// Resolved returns what supervisorctl would hold, as plain data. Its JSON is
// what a dump of Supervisor's own objects gives, secrets included.
func (s *Supervisorctl) Resolved() ResolvedSupervisorctl {
	if s.refusal != "" {
		r := ResolvedSupervisorctl{Error: s.refusal, Kind: "usage", Exception: s.exception}
		if s.exception != "" {
			r.Kind = "crash"
		}
		return r
	}
	r := ResolvedSupervisorctl{
		OK: true, ServerURL: s.ServerURL, Prompt: s.Prompt,
		Username: ptr(s.Username, s.Option("username") != nil), Password: ptr(s.Password, s.Option("password") != nil),
		HistoryFile: ptr(s.HistoryFile, s.HistoryFile != ""),
	}
	for _, p := range s.Plugins {
		r.Plugins = append(r.Plugins, CtlPlugin{Name: p.Name, Factory: p.Factory, Options: maps.Clone(p.Options)})
	}
	return r
}

// MarshalJSON writes what there is: the values, or the error.
func (r ResolvedSupervisorctl) MarshalJSON() ([]byte, error) {
	m := map[string]any{"ok": r.OK}
	if !r.OK {
		m["error"], m["kind"] = r.Error, r.Kind
		if r.Exception != "" {
			m["exception"] = r.Exception
		}
		return json.Marshal(m)
	}
	plugins := make([]any, len(r.Plugins))
	for i, p := range r.Plugins {
		plugins[i] = []any{p.Name, p.Options}
	}
	m["serverurl"], m["prompt"], m["username"], m["password"], m["history_file"] = r.ServerURL, r.Prompt, r.Username, r.Password, r.HistoryFile
	m["plugins"] = plugins
	return json.Marshal(m)
}
