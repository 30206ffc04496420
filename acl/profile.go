package acl

// An outcome is what access control does with a client: pass over it, as if
// there were no list, let it in or keep it out. Under "satisfy any" the first
// two differ.
const (
	passedOver uint8 = iota
	allowed
	denied
)

func outcome(v verdict) uint8 {
	if v == unmatched {
		return passedOver
	}
	return allowed + uint8(v&1)
}

// access is outcome for those who do not tell the first two apart.
func access(v verdict) uint8 {
	return allowed + uint8(v&1)
}

// A profile is what a list says of all clients.
type profile struct {
	v4, v6  pieces // the zero pieces if no rule is of the family
	unix    verdict
	hasIPv4 bool // nginx then judges IPv4-mapped clients as IPv4, not by v6
}

func (l List) profile() profile {
	v4, v6, unix := l.spans()
	p := profile{unix: unix, hasIPv4: len(v4) > 0}
	if len(v4) > 0 {
		p.v4 = partition(v4)
	}
	if len(v6) > 0 {
		p.v6 = partition(v6)
	}
	return p
}

// decide is Decide for the client at x.
func (p profile) decide(x point, is4 bool) Decision {
	family := p.v6
	if is4 || p.hasIPv4 && isMapped(x) {
		family = p.v4
		if !is4 {
			x = unmapPoint(x)
		}
	}
	if len(family.starts) == 0 {
		return unmatched.decision()
	}
	return family.at(x).decision()
}

// regions returns the classes of IPv4 and of IPv6 addresses. folds reports
// whether every IPv4-mapped client is of the class of its IPv4 address; if not,
// v6 is right about these clients.
func (p profile) regions(class func(verdict) uint8) (v4, v6 regions, folds bool) {
	v4, v6 = p.v4.regions(class), p.v6.regions(class)
	if p.hasIPv4 {
		return v4, v6, true
	}
	return v4, v6, v6.uniform(mappedFirst, mappedEnd) && v6.at(mappedFirst) == v4.at(point{})
}

// pair combines the regions of two profiles, so that f has to tell what to make
// of two classes. IPv4-mapped clients stand apart from IPv4 ones only if they
// must.
func pair(a, b profile, class func(verdict) uint8, f func(x, y uint8) uint8) (v4, v6 regions, apart bool) {
	a4, a6, aFolds := a.regions(class)
	b4, b6, bFolds := b.regions(class)
	apart = !aFolds || !bFolds
	if apart && aFolds {
		a6 = a6.withMapped(a4)
	}
	if apart && bFolds {
		b6 = b6.withMapped(b4)
	}
	v4, v6 = combine(a4, b4, f), combine(a6, b6, f)
	if !apart {
		v6 = v6.withoutMapped()
	}
	return v4, v6, apart
}
