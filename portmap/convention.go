package portmap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Convention is the rule "stage = production + Offset" between the two ports
// of a service.
type Convention struct {
	Offset int `json:"offset"` // -1010
	// Of so many services with a port in both environments, so many follow it.
	Follow int `json:"follow"`
	Pairs  int `json:"pairs"`
	// Stated says that it was given, not inferred.
	Stated bool `json:"stated"`
}

// String returns the rule, "stage = production − 1010".
func (c Convention) String() string {
	if c.Offset < 0 {
		return fmt.Sprintf("stage = production − %d", -c.Offset)
	}
	return fmt.Sprintf("stage = production + %d", c.Offset)
}

// evidence says what the rule rests on.
func (c Convention) evidence() string {
	if c.Stated {
		return "as stated"
	}
	return fmt.Sprintf("in %d of %d services", c.Follow, c.Pairs)
}

// ErrNoFreePort is wrapped by the error of NextFree and its kin when every port
// that a service may have is taken.
var ErrNoFreePort = errors.New("no free port")

// Convention returns the convention that o states, or else the one the map
// shows: when at least three quarters of at least four services with a port in
// both environments have one difference between the two, that is the rule and
// the others are slips (the catalogue's XC107). ok is false if there is none.
//
// A service's twin in stage is the one with its subdomain and "-stage" (or
// "-staging") behind, else with its very subdomain in another domain, else,
// when nobody else in either environment is called so, with its name; case
// does not matter. A service whose environment the map does not say counts as
// stage if its subdomain has that ending, and as production if not.
func (m *Map) Convention(o *CheckOptions) (c Convention, ok bool) {
	p := m.plan(o)
	return p.convention, p.ruled
}

// NextFree returns the port for a new service of the environment (production,
// if it is empty): the lowest one in the environment's block of ports that no service of any environment
// has, whose twin by the convention is free as well, and which is not one that
// Check would warn of. After 8080 to 8088 that is 8089.
//
// The block is where most of the environment's services are: ports less than a
// hundred apart. It goes on up to the next port of another environment. The
// error wraps ErrNoFreePort if it is full; an environment without any port has
// no block, which is an error too. To state blocks, use NextFreeWith.
func (m *Map) NextFree(environment string) (Port, error) { return m.NextFreeWith(environment, nil) }

// NextFreeWith is NextFree under stated rules: o.Ranges says where the ports of
// the environment are, o.Reserved which are kept, o.Offset the convention, by
// which an environment without ports gets the block of the other.
func (m *Map) NextFreeWith(environment string, o *CheckOptions) (Port, error) {
	return m.nextFree(m.plan(o), (&Service{Environment: environment}).side())
}

// Suggest returns the port for a service that is not in the map yet, or has no
// port there: the one the convention pairs with its twin in the other
// environment, else the next free one of its environment. The error wraps
// ErrNoFreePort if the port of the convention is taken, and says by whom.
func (m *Map) Suggest(s Service, o *CheckOptions) (Port, error) { return m.suggest(m.plan(o), &s) }

func (m *Map) suggest(p *plan, s *Service) (Port, error) {
	twin, ok := p.twinOf(m, s)
	if !ok || !p.ruled {
		return m.nextFree(p, s.side())
	}
	offset := p.convention.Offset
	if s.side() == Production {
		offset = -offset
	}
	port, ok := shift(m.Services[twin].Port, offset)
	if !ok {
		return 0, fmt.Errorf("%w: by %q there is none for %s", ErrNoFreePort, p.convention, s.label())
	}
	for _, i := range p.users[port] {
		if u := &m.Services[i]; foldName(u.host()) != foldName(s.host()) {
			return 0, fmt.Errorf("%w: by %q %s gets %d, which %s has", ErrNoFreePort, p.convention, s.label(), port, u.labelAt(u.Place.Port))
		}
	}
	return port, nil
}

func (m *Map) nextFree(p *plan, side string) (Port, error) {
	block, err := p.block(m, side)
	if err != nil {
		return 0, err
	}
	free := func(port Port) bool { return len(p.users[port]) == 0 && !p.reserved[port] }
	for n := max(1, int(block.First)); n <= int(block.Last); n++ {
		port := Port(n)
		if !free(port) || p.unsuited(port) != "" {
			continue
		}
		if p.ruled && (side == Production || side == Stage) {
			offset := p.convention.Offset
			if side == Stage {
				offset = -offset
			}
			if twin, ok := shift(port, offset); !ok || !free(twin) {
				continue
			}
		}
		return port, nil
	}
	return 0, fmt.Errorf("%w for %s in %s", ErrNoFreePort, side, block)
}

// A plan is what the rules make of the ports of a map.
type plan struct {
	users      map[Port][]int // services by port
	twin       map[int]int    // index of a stage service to that of its production twin
	bySub      map[string]int // production and stage services by folded subdomain, of their side
	byName     map[string]int // likewise by name; -1: more than one
	convention Convention
	ruled      bool         // there is a convention
	broken     map[int]Port // stage services that break it, and what they should have

	reserved, allow map[Port]bool
	ranges          map[string]Range // by folded environment
	ephemeral       Range
}

func (m *Map) plan(o *CheckOptions) *plan {
	if o == nil {
		o = &CheckOptions{}
	}
	p := &plan{
		users: map[Port][]int{}, twin: map[int]int{}, broken: map[int]Port{},
		bySub: map[string]int{}, byName: map[string]int{},
		reserved: portSet(o.Reserved), allow: portSet(o.Allow),
		ranges: map[string]Range{}, ephemeral: o.Ephemeral,
	}
	if p.ephemeral == (Range{}) {
		p.ephemeral = Range{32768, 60999}
	}
	for env, r := range o.Ranges {
		p.ranges[(&Service{Environment: env}).side()] = r
	}
	for i := range m.Services {
		s := &m.Services[i]
		if s.Port != 0 {
			p.users[s.Port] = append(p.users[s.Port], i)
		}
		if side := s.side(); side == Production || side == Stage {
			if key := side + " " + foldName(s.Subdomain); s.Subdomain != "" {
				if _, seen := p.bySub[key]; !seen {
					p.bySub[key] = i
				}
			}
			key := side + " " + strings.ToLower(s.Name)
			if _, seen := p.byName[key]; seen {
				p.byName[key] = -1
			} else {
				p.byName[key] = i
			}
		}
	}
	differences := map[int]int{}
	taken := map[int]bool{}
	for i := range m.Services {
		s := &m.Services[i]
		if s.side() != Stage || s.Port == 0 {
			continue
		}
		if j, ok := p.twinOf(m, s); ok && !taken[j] && m.Services[j].Port != 0 {
			taken[j] = true
			p.twin[i] = j
			differences[int(s.Port)-int(m.Services[j].Port)]++
		}
	}
	p.convention.Pairs = len(p.twin)
	if o.Offset != 0 {
		p.convention.Offset, p.convention.Follow, p.convention.Stated, p.ruled = o.Offset, differences[o.Offset], true, true
	} else {
		for d, n := range differences { // at most one has three quarters
			if d != 0 && len(p.twin) >= 4 && 4*n >= 3*len(p.twin) {
				p.convention.Offset, p.convention.Follow, p.ruled = d, n, true
			}
		}
	}
	for i, j := range p.twin {
		want, ok := shift(m.Services[j].Port, p.convention.Offset)
		if p.ruled && ok && want != m.Services[i].Port {
			p.broken[i] = want
		}
	}
	return p
}

// twinOf returns the service that is s in the other environment.
func (p *plan) twinOf(m *Map, s *Service) (int, bool) {
	sub := foldName(s.Subdomain)
	var other string
	var subs []string
	switch s.side() {
	case Stage:
		other = Production
		if base, ok := cutStage(sub); ok {
			subs = append(subs, base)
		}
	case Production:
		other = Stage
		subs = append(subs, sub+"-stage", sub+"-staging")
	default:
		return 0, false
	}
	for _, name := range append(subs, sub) {
		if i, ok := p.bySub[other+" "+name]; ok && name != "" {
			return i, true
		}
	}
	name := strings.ToLower(s.Name)
	i, ok := p.byName[other+" "+name]
	own, listed := p.byName[s.side()+" "+name]
	return i, ok && i >= 0 && name != "" && !(listed && own < 0)
}

// block returns the ports that a new service of the side may have.
func (p *plan) block(m *Map, side string) (Range, error) {
	if r, stated := p.ranges[side]; stated {
		return r, nil
	}
	if b := p.cluster(m, side); b != (Range{}) {
		return b, nil
	}
	if p.convention.Stated && (side == Production || side == Stage) {
		other, offset := Production, p.convention.Offset
		if side == Production {
			other, offset = Stage, -offset
		}
		b := p.cluster(m, other)
		first, ok := shift(b.First, offset)
		last, ok2 := shift(b.Last, offset)
		if b != (Range{}) && ok {
			if !ok2 {
				last = 65535
			}
			return Range{first, last}, nil
		}
	}
	return Range{}, fmt.Errorf("no service of %s has a port, so there is no range to take one from: state it", side)
}

// cluster returns the biggest run of ports of a side, less than a hundred from
// one to the next, and what follows it up to the next port of another.
func (p *plan) cluster(m *Map, side string) Range {
	var own, others []Port
	for port, users := range p.users {
		if slices.ContainsFunc(users, func(i int) bool { return m.Services[i].side() == side }) {
			own = append(own, port)
		} else {
			others = append(others, port)
		}
	}
	if len(own) == 0 {
		return Range{}
	}
	slices.Sort(own)
	slices.Sort(others)
	const near = 100
	best, size := Range{}, 0
	for i := 0; i < len(own); {
		j := i + 1
		for j < len(own) && own[j]-own[j-1] < near {
			j++
		}
		if j-i > size {
			best, size = Range{own[i], own[j-1]}, j-i
		}
		i = j
	}
	end, _ := slices.BinarySearch(others, best.Last)
	best.Last = 65535
	if end < len(others) {
		best.Last = others[end] - 1
	}
	return best
}

// shift adds an offset to a port; ok is false if that leads out of 1 to 65535.
func shift(p Port, offset int) (shifted Port, ok bool) {
	// An offset may be anything: the sum must not overflow.
	if offset < -65535 || offset > 65535 {
		return 0, false
	}
	n := int(p) + offset
	return Port(n), 1 <= n && n <= 65535
}

func portSet(ports []Port) map[Port]bool {
	set := map[Port]bool{}
	for _, p := range ports {
		set[p] = true
	}
	return set
}
