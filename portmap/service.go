package portmap

import (
	"go/token"
	"iter"
	"strings"
)

// The environments that have rules of their own. Others may be named freely;
// they are kept in lower case.
const (
	Production = "production"
	Stage      = "stage"
)

// A Service is one row of a port map: a web service, the name people reach it
// by and the port it listens on.
type Service struct {
	Name        string `json:"name"`                  // "Scout (Archive)"
	Subdomain   string `json:"subdomain,omitempty"`   // "scout-archive"; empty: not reached by name
	Domain      string `json:"domain,omitempty"`      // "example.se"; empty where the map leaves it to its reader
	Port        Port   `json:"port,omitempty"`        // 0: none, the service listens on Socket
	Socket      string `json:"socket,omitempty"`      // path of a unix socket
	Bind        string `json:"bind,omitempty"`        // address it listens on, without port; empty: not said, so perhaps all
	Environment string `json:"environment,omitempty"` // Production, Stage or another; empty: not said

	// Place says where the service was read; its zero value is that of a
	// service made by a program.
	Place Place `json:"-"`
}

// A Span is a piece of source text. End is just behind it. The zero Span is
// that of something which does not stand in a source.
type Span struct {
	Start, End token.Position
}

// IsValid reports whether the span stands in a source.
func (s Span) IsValid() bool { return s.Start.IsValid() }

// A Place says where a service and each of its values stand: the row of a
// table or the section header of an INI file, and the values without the
// blanks and the markup around them. A value that was not written has the zero
// Span, or an empty one where it is missing.
type Place struct {
	Row                                                      Span
	Name, Subdomain, Domain, Port, Socket, Bind, Environment Span

	// blanks is how many blanks right behind the port a longer one may use up
	// without moving the column's edge; -1: the column is not kept in line.
	blanks int
}

// A Map says which service has which subdomain and port, in the order of its
// source. It is plain data: fill Services in any way, and call Check.
type Map struct {
	Services []Service `json:"services"`
}

// BySubdomain returns the first service with the subdomain, or with the full
// server name ("scout.example.se"). Case does not matter, and a name may be
// given in Unicode or in its ASCII form.
func (m *Map) BySubdomain(name string) (Service, bool) {
	want := foldName(name)
	for _, s := range m.Services {
		if s.answersTo(want) {
			return s, true
		}
	}
	return Service{}, false
}

// ByPort yields the services on the port. In a sound map that is at most one
// for each address.
func (m *Map) ByPort(p Port) iter.Seq[Service] {
	return func(yield func(Service) bool) {
		for _, s := range m.Services {
			if s.Port == p && !yield(s) {
				return
			}
		}
	}
}

// In yields the services of an environment, under whatever common name it is
// asked for: "prod" and "staging" do. The empty environment yields those whose
// environment the map does not say.
func (m *Map) In(environment string) iter.Seq[Service] {
	env := foldEnvironment(environment)
	return func(yield func(Service) bool) {
		for _, s := range m.Services {
			if foldEnvironment(s.Environment) == env && !yield(s) {
				return
			}
		}
	}
}

// answersTo compares with a name from foldName.
func (s *Service) answersTo(want string) bool {
	return want != "" && (foldName(s.Subdomain) == want || foldName(s.host()) == want)
}

// label names the service in a message. The subdomain tells more rows apart
// than the name does.
func (s *Service) label() string {
	switch {
	case s.Subdomain != "":
		return clip(s.Subdomain)
	case s.Domain != "":
		return clip(s.Domain)
	}
	return quote(s.Name)
}

// labelAt is label with the place of one of its values: "scout (services.md:8:33)".
func (s *Service) labelAt(at Span) string {
	if !at.IsValid() {
		at = s.Place.Row
	}
	if !at.IsValid() {
		return s.label()
	}
	return s.label() + " (" + at.Start.String() + ")"
}

// foldEnvironment returns the one spelling of an environment.
func foldEnvironment(s string) string {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "prod":
		return Production
	case "staging":
		return Stage
	}
	return s
}

// side is the environment a service belongs to when environments are compared
// and ports are handed out. Where the map does not say, the "-stage" of the
// subdomain does, and the rest is production.
func (s *Service) side() string {
	if env := foldEnvironment(s.Environment); env != "" {
		return env
	}
	if _, ok := cutStage(foldName(s.Subdomain)); ok {
		return Stage
	}
	return Production
}

// cutStage takes the mark of a stage subdomain off: "scout-stage" is "scout".
func cutStage(subdomain string) (string, bool) {
	for _, mark := range []string{"-stage", "-staging"} {
		if base, ok := strings.CutSuffix(subdomain, mark); ok && base != "" {
			return base, true
		}
	}
	return subdomain, false
}
