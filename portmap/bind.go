package portmap

import (
	"net/netip"
	"strings"
)

// A reach is what a bind address makes a service listen on. The zero reach is
// every address of both families.
type reach struct {
	addr netip.Addr // 0.0.0.0 is all of IPv4
}

// reachOf reads a bind address. ok is false where it is no address, no host
// name and not "*".
//
// Two things are taken for everything, so that a clash is told rather than
// overlooked: a bind that is not said, and a host name, which only the machine
// could resolve. [::] is taken as Linux has it by default, for both families.
func reachOf(bind string) (r reach, ok bool) {
	if bind == "" || bind == "*" {
		return reach{}, true
	}
	text := bind
	if strings.HasPrefix(bind, "[") && strings.HasSuffix(bind, "]") {
		text = bind[1 : len(bind)-1]
	}
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Is6() && a.IsUnspecified() {
			return reach{}, true
		}
		return reach{a.Unmap()}, true
	}
	_, err := toASCII(bind)
	return reach{}, err == nil
}

// overlaps reports whether two listeners on one port are in each other's way,
// as measured on Linux: the same address, or a wildcard of the same family.
func (r reach) overlaps(o reach) bool {
	if !r.addr.IsValid() || !o.addr.IsValid() || r.addr == o.addr {
		return true
	}
	return r.addr.Is4() && o.addr.Is4() && (r.addr.IsUnspecified() || o.addr.IsUnspecified())
}

// kind tells apart what overlaps in different ways.
func (r reach) kind() int {
	switch {
	case !r.addr.IsValid():
		return 0
	case r.addr.IsUnspecified():
		return 1
	case r.addr.Is4():
		return 2
	}
	return 3
}

// listeners are those of one port. Only the first of each kind and the first
// on each address are kept: whoever clashes with a later one clashes with
// these, and a lookup takes the same time however many there are.
type listeners struct {
	first  [4]*listener
	byAddr map[netip.Addr]*listener
}

type listener struct {
	reach
	service int // index in the map
}

// clash returns the first listener in the way of r that counts.
func (l *listeners) clash(r reach, counts func(service int) bool) (service int, found bool) {
	consider := func(o *listener) {
		if o != nil && r.overlaps(o.reach) && (!found || o.service < service) && counts(o.service) {
			service, found = o.service, true
		}
	}
	for _, o := range l.first {
		consider(o)
	}
	consider(l.byAddr[r.addr])
	return service, found
}

func (l *listeners) add(r reach, service int) {
	o := &listener{r, service}
	if l.first[r.kind()] == nil {
		l.first[r.kind()] = o
	}
	if l.byAddr == nil {
		l.byAddr = map[netip.Addr]*listener{}
	}
	if l.byAddr[r.addr] == nil {
		l.byAddr[r.addr] = o
	}
}
