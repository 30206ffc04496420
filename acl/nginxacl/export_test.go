package nginxacl

import "net/netip"

// GeoValue is what a geo block gives to a request whose client is known, and
// what the class of clients gets that this one is in; false where that cannot
// be told.
func (j *Judge) GeoValue(name string, client, peer netip.Addr, q Query) (value, class string, known, divided bool) {
	g := j.geos[name]
	if g == nil {
		return "", "", false, false
	}
	value, known = g.value(client, peer, q.Header)
	for _, c := range g.classes() {
		if c.set.Contains(client) {
			class, divided = c.value, true
		}
	}
	return value, class, known, divided
}
