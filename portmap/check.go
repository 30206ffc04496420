package portmap

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"
)

// The codes of findings. Where the catalogue of checks has the rule, the code
// is its slug: XC103, XC107, XC108.
const (
	codePortTwice        = "port-listed-twice"   // XC103
	codeConvention       = "stage-offset-broken" // XC107
	codePortUnsuited     = "port-unsuited"       // XC108
	codePortInvalid      = "port-invalid"
	codePortMissing      = "port-missing"
	codePortReserved     = "port-reserved"
	codePortOutside      = "port-out-of-range"
	codeSocketTwice      = "socket-listed-twice"
	codeNameTwice        = "subdomain-listed-twice"
	codeServiceTwice     = "service-listed-twice"
	codeNameInvalid      = "subdomain-invalid"
	codeDomainInvalid    = "domain-invalid"
	codeBindInvalid      = "bind-invalid"
	codeNameMissing      = "name-missing"
	codeSubdomainMissing = "subdomain-missing"
	codeNoTable          = "no-port-table"
	codeColumnMissing    = "column-missing"
	codeColumnTwice      = "column-repeated"
	codeCellsSurplus     = "cells-surplus"
	codeINISyntax        = "ini-syntax"
	codeKeyUnknown       = "key-unknown"
	codeKeyTwice         = "key-repeated"
)

// CheckOptions says what a host's own rules are. The zero value, like nil, asks
// for what holds everywhere and for conventions that the map itself shows.
type CheckOptions struct {
	// Offset is what is added to a production port to get the port of the
	// same service in stage, such as -1010. 0: found by inference, see
	// Map.Convention.
	Offset int `json:"offset,omitempty"`

	// Reserved ports are kept for others: no service may have one.
	Reserved []Port `json:"reserved,omitempty"`

	// Ranges are the ports of an environment. One that is not named may use
	// any.
	Ranges map[string]Range `json:"ranges,omitempty"`

	// Allow are ports that are fine although they are privileged, ephemeral
	// or commonly somebody else's.
	Allow []Port `json:"allow,omitempty"`

	// Ephemeral are the ports the system hands out to outgoing connections,
	// which may hold one when a service starts. The zero Range is Linux's
	// default, 32768 to 60999.
	Ephemeral Range `json:"ephemeral,omitzero"`
}

// Check returns what is wrong with the map, in the order of its source; with
// nothing wrong it returns nil.
//
// Errors: a port that two services of the host would listen on (their Bind
// addresses considered; one service under two subdomains may share one), a unix
// socket or a server name that stands twice, a subdomain or domain that is no
// host name, a bind that is no address, no port, a reserved port, one outside
// its environment's range. Warnings: a stage port that breaks the convention
// (see Map.Convention), a service that stands twice in an environment, perhaps
// in another case, and a port that is privileged, ephemeral or usually
// somebody else's.
//
// A Fix is one edit of one cell. It is offered where the convention, or the
// next free port, says what to write, and where the service stands in a source.
func (m *Map) Check(o *CheckOptions) Diagnostics {
	if o == nil {
		o = &CheckOptions{}
	}
	c := &checker{Map: m, CheckOptions: o, plan: m.plan(o)}
	c.found = m.repeatedNames()
	c.services()
	c.ports()
	c.convention()
	c.found.Sort()
	return c.found
}

type checker struct {
	*Map
	*CheckOptions
	plan  *plan
	found Diagnostics
}

func (c *checker) report(level slog.Level, at Span, code, format string, args ...any) *Diagnostic {
	d := errorAt(at.Start, at.End, code, format, args...)
	d.Level = level
	c.found = append(c.found, d)
	return d
}

// repeatedNames reports each server name that an earlier service has.
func (m *Map) repeatedNames() (found Diagnostics) {
	first := map[string]int{}
	for i := range m.Services {
		s := &m.Services[i]
		name := foldName(s.host())
		if name == "" {
			continue
		}
		j, seen := first[name]
		if !seen {
			first[name] = i
			continue
		}
		o, at := &m.Services[j], cmp.Or(s.Place.Subdomain, s.Place.Domain, s.Place.Row)
		found = append(found, errorAt(at.Start, at.End, codeNameTwice, "subdomain %s is listed twice: here for %s, and for %s at %s",
			clip(s.host()), quote(s.Name), quote(o.Name), o.where(cmp.Or(o.Place.Subdomain, o.Place.Domain, o.Place.Row))))
	}
	return found
}

// where is the place of a value, or a word for a service without one.
func (s *Service) where(at Span) string {
	if !at.IsValid() {
		return "another place"
	}
	return at.Start.String()
}

// services looks at each service by itself, and at their names.
func (c *checker) services() {
	type key struct{ environment, name string }
	first := map[key]int{}
	for i := range c.Services {
		s := &c.Services[i]
		at := s.Place
		if s.Subdomain != "" {
			if _, err := toASCII(s.Subdomain); err != nil {
				c.report(slog.LevelError, at.Subdomain, codeNameInvalid, "subdomain %s", err)
			}
		}
		if s.Domain != "" {
			if _, err := toASCII(s.Domain); err != nil {
				c.report(slog.LevelError, at.Domain, codeDomainInvalid, "domain %s", err)
			}
		}
		if _, ok := reachOf(s.Bind); !ok {
			c.report(slog.LevelError, at.Bind, codeBindInvalid,
				`bind %s is no address: it is an IP address, "*" or a host name, without a port`, quote(s.Bind))
		}
		k := key{s.side(), strings.ToLower(s.Name)}
		j, seen := first[k]
		if !seen {
			first[k] = i
			continue
		}
		switch o := &c.Services[j]; {
		case s.Name == "":
		case s.Name != o.Name:
			c.report(slog.LevelWarn, at.Name, codeServiceTwice, "%s and %s (%s) differ by case only: one service should have one name",
				quote(s.Name), quote(o.Name), o.where(o.Place.Name))
		case s.Port != o.Port || s.Socket != o.Socket:
			c.report(slog.LevelWarn, at.Name, codeServiceTwice, "%s is listed twice in one environment, with different ports: here and at %s",
				quote(s.Name), o.where(o.Place.Name))
		}
	}
}

// ports looks at each port, and at who shares one.
func (c *checker) ports() {
	byPort := map[Port]*listeners{}
	sockets := map[string]int{}
	for i := range c.Services {
		s := &c.Services[i]
		if j, seen := sockets[s.Socket]; seen && !s.sameProgram(&c.Services[j]) {
			o := &c.Services[j]
			c.report(slog.LevelError, s.Place.Socket, codeSocketTwice, "socket %s is listed twice: %s here, and %s",
				clip(s.Socket), s.label(), o.labelAt(o.Place.Socket))
		} else if s.Socket != "" && !seen {
			sockets[s.Socket] = i
		}
		if s.Port == 0 {
			if s.Socket == "" {
				// Reading reports it in the same place.
				at := cmp.Or(s.Place.Port, s.Place.Socket, s.Place.Row)
				c.report(slog.LevelError, at, codePortMissing, "%s has no port", s.label())
			}
			continue
		}
		at := s.Place.Port
		if c.plan.reserved[s.Port] {
			c.report(slog.LevelError, at, codePortReserved, "port %d of %s is reserved", s.Port, s.label())
		}
		if r, stated := c.plan.ranges[s.side()]; stated && !r.Contains(s.Port) {
			c.report(slog.LevelError, at, codePortOutside, "port %d of %s is outside the ports of %s, %s", s.Port, s.label(), s.side(), r)
		}
		if why := c.plan.unsuited(s.Port); why != "" {
			c.report(slog.LevelWarn, at, codePortUnsuited, "port %d of %s %s", s.Port, s.label(), why)
		}
		l := byPort[s.Port]
		if l == nil {
			l = &listeners{}
			byPort[s.Port] = l
		}
		r, _ := reachOf(s.Bind)
		if j, clashes := l.clash(r, func(j int) bool { return !s.sameProgram(&c.Services[j]) }); clashes {
			o := &c.Services[j]
			d := c.report(slog.LevelError, at, codePortTwice, "port %d is listed twice: %s here, and %s", s.Port, s.label(), o.labelAt(o.Place.Port))
			d.Fixes = c.partFixes(i, j)
		}
		l.add(r, i)
	}
}

// sameProgram reports that two rows are one program under two names.
func (s *Service) sameProgram(o *Service) bool {
	return s.side() == o.side() && s.Name != "" && strings.EqualFold(s.Name, o.Name)
}

// partFixes gives one of two services on one port another: the one that breaks
// the convention, else the later one.
func (c *checker) partFixes(later, earlier int) []Fix {
	for _, i := range []int{later, earlier} {
		if p, broken := c.plan.broken[i]; broken {
			if len(c.plan.users[p]) > 0 {
				return nil
			}
			return c.Services[i].setPortFixes(p)
		}
	}
	for _, i := range []int{later, earlier} {
		if p, err := c.suggest(c.plan, &c.Services[i]); err == nil && p != c.Services[i].Port {
			return c.Services[i].setPortFixes(p)
		}
	}
	return nil
}

// convention reports the services that break it.
func (c *checker) convention() {
	rule := c.plan.convention
	for i := range c.Services {
		want, broken := c.plan.broken[i]
		if !broken {
			continue
		}
		s := &c.Services[i]
		twin := &c.Services[c.plan.twin[i]]
		d := c.report(slog.LevelWarn, s.Place.Port, codeConvention, "port %d of %s breaks the convention %q (%s): %s has %d, so it should be %d",
			s.Port, s.label(), rule, rule.evidence(), twin.label(), twin.Port, want)
		if users := c.plan.users[want]; len(users) > 0 {
			o := &c.Services[users[0]]
			d.Message += fmt.Sprintf(", which %s has", o.labelAt(o.Place.Port))
		} else {
			d.Fixes = s.setPortFixes(want)
		}
	}
}

// setPortFixes is the edit that writes another port, or nothing if the port
// stands in no source. In a column that is kept in line, blanks behind the
// port make up for its length.
func (s *Service) setPortFixes(p Port) []Fix {
	at := s.Place.Port
	if !at.IsValid() || s.Port == 0 {
		return nil
	}
	text := p.String()
	switch more := len(text) - (at.End.Offset - at.Start.Offset); {
	case more < 0 && s.Place.blanks >= 0:
		text += strings.Repeat(" ", -more)
	case more > 0 && s.Place.blanks > more:
		at.End.Offset += more
		at.End.Column += more
	}
	return []Fix{{
		Message: fmt.Sprintf("set the port of %s to %d", s.label(), p),
		Edits:   []Edit{{Start: at.Start, End: at.End, NewText: text}},
	}}
}

// unsuited says why a service should not have the port; "" if it may.
func (p *plan) unsuited(port Port) string {
	switch {
	case p.allow[port]:
		return ""
	case port < 1024:
		return "is privileged: below 1024 a program needs root"
	case p.ephemeral.Contains(port):
		return fmt.Sprintf("lies in the ephemeral range %s: an outgoing connection may hold it", p.ephemeral)
	}
	for _, w := range spokenFor() {
		if w.port == port {
			return "is usually that of " + w.owner
		}
	}
	return ""
}

type wellKnown struct {
	port  Port
	owner string
}

// spokenFor are the ports of the catalogue's XC108 that are not privileged.
func spokenFor() []wellKnown {
	return []wellKnown{{3306, "MySQL"}, {5432, "PostgreSQL"}, {6379, "Redis"}, {9001, "Supervisor"}, {27017, "MongoDB"}}
}
