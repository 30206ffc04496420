package nginxacl

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A Change is clients that get into some URLs after a change and did not
// before, or the other way round. Every client is in as it is, or with a login,
// or out; or it is not known which.
type Change struct {
	// Listens are the sockets, "0.0.0.0:443", and Hosts the names that requests
	// ask for, sorted. In a name, "*" is anything; "" is all other hosts, and
	// comes last.
	Listens, Hosts []string
	// Paths are URLs that it is about: "/admin/", "/admin/*" for what is below
	// and no location is meant for in particular, "/admin/*.csv" for what a
	// regular expression takes from there.
	Paths []string
	// Methods are those of the requests; nil: all.
	Methods []string
	// Before and After are what serves these URLs, or the first of them: where
	// several locations inherit what decides, they are in one Change.
	Before, After Side

	// Gains get in as they are, and did not. GainsLogin get in with a login,
	// and were out. These sets and those below are empty if nobody in them can
	// come to one of the sockets, and else speak of all clients.
	Gains, GainsLogin acl.Set
	// Loses got in as they are, and do not. LosesLogin got in with a login, and
	// are out.
	Loses, LosesLogin acl.Set
	// Unsure are those of whom it cannot be judged whether they gain or lose.
	Unsure acl.Set
	// Claims are peers that are newly trusted to name the client, so they get in
	// by naming one that does. Through are proxies that are trusted no more:
	// whoever comes through them now gets in, taken for the proxy.
	Claims, Through acl.Set
	// Notes are what else has changed about who the client is.
	Notes []string

	blocks [2][]string // their names, before and after
	comers acl.Set     // the clients that the sockets take connections from
	hosts  *string     // the first of those that were added last
}

// Opens tells whether somebody gains access.
func (c *Change) Opens() bool {
	return !c.Gains.IsEmpty() || !c.GainsLogin.IsEmpty() || !c.Claims.IsEmpty() || !c.Through.IsEmpty()
}

// Closes tells whether somebody loses access.
func (c *Change) Closes() bool { return !c.Loses.IsEmpty() || !c.LosesLogin.IsEmpty() }

// Uncertain tells whether there are clients of whom it cannot be told.
func (c *Change) Uncertain() bool { return !c.Unsure.IsEmpty() || len(c.Notes) > 0 }

// Diff tells what a change of a configuration opens and closes: for every
// socket, server name and location of either, the clients that gain and that
// lose access. Changes of what serves a URL count, such as a new location, a
// server that is gone so that another one answers, or a return before the
// rules. What an application does with a request is its own affair.
//
// Two configurations in which every URL has the same clients have no
// difference, whatever their text is. A page for those without a login is no
// access. Requests are taken to say nothing of themselves but host, path and
// method: where conditions look at more and are not the same, a note says so.
// The error is that of [New] for either.
func Diff(before, after *nginxconf.Config) (Changes, error) {
	b, err := New(before, nil)
	if err != nil {
		return nil, fmt.Errorf("before: %w", err)
	}
	a, err := New(after, nil)
	if err != nil {
		return nil, fmt.Errorf("after: %w", err)
	}
	return b.Diff(a), nil
}

// Diff is [Diff], from one configuration to another.
func (j *Judge) Diff(after *Judge) Changes {
	seed := maphash.MakeSeed()
	d := differ{
		judges: [2]*Judge{j, after},
		known:  map[*nginxconf.Directive]uint64{},
		locs:   map[*nginxconf.Directive]*urls{},
		found:  map[string]*Change{},

		conditions: map[conditionsKey][]*nginxconf.Directive{},
		reached:    map[*nginxconf.Directive]bool{},
	}
	for i, judge := range d.judges {
		d.prints[i].c = judge.config
		d.prints[i].hash.SetSeed(seed)
	}
	d.same = d.frame(0) == d.frame(1)
	d.sockets()
	d.unresolved()
	d.streamSides()
	return d.sorted()
}

// A differ compares two configurations.
type differ struct {
	judges [2]*Judge
	prints [2]fingerprinter
	same   bool // the http blocks are, but for their servers
	known  map[*nginxconf.Directive]uint64
	locs   map[*nginxconf.Directive]*urls
	found  map[string]*Change
	order  []*Change

	conditions map[conditionsKey][]*nginxconf.Directive
	reached    map[*nginxconf.Directive]bool // locations, by some URL
}

// frame is the fingerprint of what stands around the servers.
func (d *differ) frame(i int) uint64 {
	if d.judges[i].top == nil {
		return 0
	}
	return d.prints[i].frame(d.judges[i].top.chain[0])
}

func (d *differ) streamPrint(i int) uint64 {
	if d.judges[i].streams == nil {
		return 0
	}
	return d.print(i, d.judges[i].streams.block())
}

func (d *differ) print(i int, srv *nginxconf.Directive) uint64 {
	if srv == nil {
		return 0
	}
	p, ok := d.known[srv]
	if !ok {
		p = d.prints[i].of(srv)
		d.known[srv] = p
	}
	return p
}

// urls are the locations of a server, and methods that its limit_except blocks
// tell apart.
type urls struct {
	names   []locationName
	methods []string
}

func (d *differ) urlsOf(i int, srv *nginxconf.Directive) *urls {
	if srv == nil {
		return &urls{}
	}
	if u := d.locs[srv]; u != nil {
		return u
	}
	u := &urls{}
	j := d.judges[i]
	var walk func(p *place)
	walk = func(p *place) {
		for in := range j.config.In(p.chain) {
			inner := p.inner[in]
			if inner == nil {
				continue
			}
			if in.Name() == "limit_except" {
				u.methods = append(u.methods, in.Args()...)
				continue
			}
			name := nameOf(in)
			name.at = inner
			u.names = append(u.names, name)
			walk(inner)
		}
		for in := range j.config.In(p.chain) {
			if in.Name() == "rewrite" && in.NumArgs() > 1 { // leads URLs elsewhere, as a location's name does
				u.names = append(u.names, locationName{modifier: "~", name: in.Arg(0)})
			}
		}
	}
	walk(j.top.inner[srv])
	d.locs[srv] = u
	return u
}

// sockets compares what is served at each address and port of either side.
func (d *differ) sockets() {
	type key struct {
		at   netip.AddrPort
		unix string
	}
	names := map[key]string{}
	var order []key
	for _, j := range d.judges {
		for s := range j.router.Sockets() {
			k := key{s.Listen, s.Unix}
			if _, seen := names[k]; !seen {
				names[k] = s.String()
				order = append(order, k)
			}
		}
	}
	for _, k := range order {
		for _, tls := range []bool{false, true} {
			d.socket(names[k], route.Request{Listen: k.at, Unix: k.unix, TLS: tls})
		}
	}
}

// unresolved notes servers that listen on names, so that it is not known which
// requests they take, if there is a change in them.
func (d *differ) unresolved() {
	var texts [2][]string
	var at [2]*nginxconf.Directive
	for i, j := range d.judges {
		for l := range j.router.Unresolved() {
			at[i] = l
			texts[i] = append(texts[i], fmt.Sprint(l, d.print(i, l.Parent()), d.frame(i), d.streamPrint(i)))
		}
	}
	if slices.Equal(texts[0], texts[1]) {
		return
	}
	c := &Change{}
	for i, l := range at {
		if l == nil {
			continue
		}
		add(&c.Listens, l.Arg(0))
		add(&c.Notes, where(l)+" has a name that is not resolved, so it is not known what it opens")
		c.blocks[i] = []string{"server"}
	}
	c.Before, c.After = Side{None: "unknown"}, Side{None: "unknown"}
	d.order = append(d.order, c)
}

// A pair of servers is asked for by some hosts.
type pair struct {
	servers [2]*nginxconf.Directive
	hosts   []string
}

// socket compares what is served on one socket.
func (d *differ) socket(name string, q route.Request) {
	hosts := map[string]bool{anyName + ".invalid": true}
	speaks := false // what the request speaks: TLS or not
	for _, j := range d.judges {
		s, ok := j.router.Socket(q)
		if !ok || s.TLS != q.TLS {
			continue
		}
		speaks = true
		for srv := range s.Servers() {
			for n := range j.namesOf(srv) {
				for _, host := range hostsOf(n) {
					hosts[host] = true
				}
			}
		}
	}
	if !speaks {
		return
	}
	pairs := map[[2]*nginxconf.Directive]*pair{}
	var order []*pair
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		// To TRACE, a server says no at once: the location does not matter here.
		q.Host, q.ServerName, q.URI, q.Method = host, "", "/", "TRACE"
		if q.TLS {
			q.ServerName = host
		}
		var servers [2]*nginxconf.Directive
		for i, j := range d.judges {
			if m, err := j.router.Match(q); err == nil {
				servers[i] = m.Server
			}
		}
		if d.same && servers[0] != nil && servers[1] != nil && d.print(0, servers[0]) == d.print(1, servers[1]) {
			continue
		}
		p := pairs[servers]
		if p == nil {
			p = &pair{servers: servers}
			pairs[servers] = p
			order = append(order, p)
		}
		p.hosts = append(p.hosts, host)
	}
	for _, p := range order {
		d.pair(name, q, p)
	}
}

// comers are the clients that may come to a socket.
func comers(q route.Request) acl.Set {
	a := q.Listen.Addr()
	switch {
	case q.Unix != "":
		return acl.UnixClients()
	case a.Unmap().Is4():
		return acl.SetOf(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	case a.IsUnspecified(): // of IPv4 too, if it has ipv6only=off
		return acl.UnixClients().Complement()
	}
	return acl.SetOf(netip.PrefixFrom(netip.IPv6Unspecified(), 0))
}

// trim leaves out who cannot come. It reports false if nothing is left.
func (c *Change) trim() bool {
	for _, s := range []*Side{&c.Before, &c.After} {
		if s.Policy != nil && (s.Policy.RealIP.on() || s.Server.RealIP.on()) {
			return true // a proxy may name anybody
		}
	}
	for _, set := range []*acl.Set{&c.Gains, &c.GainsLogin, &c.Loses, &c.LosesLogin, &c.Unsure} {
		if set.Intersect(c.comers).IsEmpty() {
			*set = acl.Set{}
		}
	}
	return c.Opens() || c.Closes() || c.Uncertain()
}

// namesOf ranges over the names of a server.
func (j *Judge) namesOf(srv *nginxconf.Directive) iter.Seq[string] {
	return func(yield func(string) bool) {
		for d := range j.config.In(nginxconf.Context{srv}) {
			if d.Name() != "server_name" {
				continue
			}
			for _, n := range d.Args() {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// pair compares the URLs of two servers that take each other's place.
func (d *differ) pair(socket string, q route.Request, p *pair) {
	b, a := d.urlsOf(0, p.servers[0]), d.urlsOf(1, p.servers[1])
	methods := []string{"GET"}
	if len(b.methods)+len(a.methods) > 0 {
		methods = append(methods, "POST", "OPTIONS")
		for _, m := range slices.Concat(b.methods, a.methods) {
			methods = append(methods, strings.ToUpper(m))
		}
		slices.Sort(methods)
		methods = slices.Compact(methods)
	}
	// All hosts of a server fare alike, unless a condition asks for it, or a
	// name captures something.
	asksHost := d.judges[0].asksHost || d.judges[1].asksHost
	for i, srv := range p.servers {
		if srv != nil {
			for n := range d.judges[i].namesOf(srv) {
				asksHost = asksHost || strings.HasPrefix(n, "~")
			}
		}
	}
	paths, all := pathsOf(slices.Concat(b.names, a.names))
	for _, path := range paths {
		for i, host := range p.hosts {
			if i > 0 && !asksHost {
				break
			}
			q.Host, q.URI = host, escape(path)
			if q.TLS {
				q.ServerName = host
			}
			hosts := p.hosts
			if asksHost {
				hosts = []string{host}
			}
			url := url{d: d, comers: comers(q), socket: socket, hosts: hosts, path: path, methods: methods}
			for _, q.Method = range methods {
				before, after := d.judges[0].expose(q), d.judges[1].expose(q)
				url.change(before.Side, after.Side, "", q.Method)
				for _, b := range before.elsewhere {
					url.change(b.Side, after.find(b.to), b.to, q.Method)
				}
				for _, a := range after.elsewhere {
					if !before.leads(a.to) {
						url.change(before.Side, a.Side, a.to, q.Method)
					}
				}
			}
			url.done()
		}
	}
	if !all {
		d.note(p, socket, "there are more locations than are looked at")
	}
	// What is known of a location that no URL is known for are its rules.
	for side, names := range [2][]locationName{b.names, a.names} {
		others := [2][]locationName{a.names, b.names}[side]
		for _, n := range names {
			if n.at == nil || !n.isRegex() || d.reached[n.at.block()] {
				continue
			}
			i := slices.IndexFunc(others, func(o locationName) bool { return o.at != nil && o.modifier == n.modifier && o.name == n.name })
			if i >= 0 {
				c := Change{Before: n.at.side(d.judges[side]), After: others[i].at.side(d.judges[1-side])}
				if side == 1 || !c.compare() {
					continue
				}
			}
			d.note(p, socket, where(n.at.block())+" is not as it was, and no URL is known that comes there")
		}
	}
}

func (p *place) block() *nginxconf.Directive { return p.chain[len(p.chain)-1] }

// side is what becomes of requests that come to a place, as far as that is
// known without one.
func (p *place) side(j *Judge) Side {
	return Side{Chain: p.chain, Reach: p.reach(), Policy: &p.Policy, Server: &j.at(p.chain[:2]).Policy}
}

// note adds what is not compared of two servers.
func (d *differ) note(p *pair, socket, text string) {
	key := fmt.Sprintf("%p %p %s", p.servers[0], p.servers[1], text)
	if c := d.found[key]; c != nil {
		add(&c.Listens, socket)
		return
	}
	c := &Change{Before: Side{None: "unknown"}, After: Side{None: "unknown"}, Listens: []string{socket}, Notes: []string{text}}
	for i, srv := range p.servers {
		c.blocks[i] = []string{"nothing"}
		if srv != nil {
			c.blocks[i] = []string{"server (" + srv.Pos().String() + ")"}
		}
	}
	d.found[key] = c
	d.order = append(d.order, c)
}

// find returns what becomes of requests that are sent to some place, or of all
// if none is.
func (x *exposure) find(to string) Side {
	for _, e := range x.elsewhere {
		if e.to == to {
			return e.Side
		}
	}
	return x.Side
}

func (x *exposure) leads(to string) bool {
	return slices.ContainsFunc(x.elsewhere, func(e exposed) bool { return e.to == to })
}

// A url gathers what changes for one, by methods.
type url struct {
	d              *differ
	comers         acl.Set
	socket, path   string
	hosts, methods []string
	changes        []urlChange
}

// A urlChange is the same for some methods. key is all that it consists of.
type urlChange struct {
	key     string
	to      string // where files may lead, or nothing
	change  Change
	methods []string
}

// change compares two sides of a URL.
func (u *url) change(before, after Side, to, method string) {
	if !u.d.same { // that may matter to what cannot be told
		before.text, after.text = before.text+" before", after.text+" after"
	}
	for _, chain := range []nginxconf.Context{before.Chain, after.Chain} {
		for _, block := range chain[min(2, len(chain)):] {
			u.d.reached[block] = true
		}
	}
	c := Change{Before: before, After: after}
	if note := u.d.newConditions(&before, &after); note != "" {
		c.Notes = append(c.Notes, note)
	}
	if !c.compare() {
		return
	}
	key := fmt.Sprintf("%p %p %p %p %v %v\n%v\n%v\n%v\n%v\n%v\n%v", c.Before.Policy, c.After.Policy, c.Before.by(), c.After.by(),
		c.Notes, c.Gains, c.GainsLogin, c.Loses, c.LosesLogin, c.Unsure, c.Claims, c.Through)
	for i := range u.changes {
		if have := &u.changes[i]; have.key == key && have.to == to {
			have.methods = append(have.methods, method)
			return
		}
	}
	u.changes = append(u.changes, urlChange{key, to, c, []string{method}})
}

// done puts the changes together with those that differ in nothing but the URL.
func (u *url) done() {
	for i := range u.changes {
		c := &u.changes[i]
		if len(c.methods) < len(u.methods) {
			c.change.Methods = c.methods
		}
		key := c.key + strings.Join(c.change.Methods, " ")
		have := u.d.found[key]
		if have == nil {
			have = &c.change
			u.d.found[key] = have
			u.d.order = append(u.d.order, have)
		}
		path := strings.ReplaceAll(u.path, anyName, "*")
		if c.to != "" {
			path += " → " + c.to
		}
		have.comers = have.comers.Union(u.comers)
		add(&have.Listens, u.socket)
		if have.hosts != &u.hosts[0] { // or they are all there
			have.hosts = &u.hosts[0]
			for _, host := range u.hosts {
				host = strings.ReplaceAll(host, anyName, "*")
				if host == "*.invalid" {
					host = ""
				}
				add(&have.Hosts, host)
			}
		}
		add(&have.Paths, path)
		add(&have.blocks[0], c.change.Before.Name())
		add(&have.blocks[1], c.change.After.Name())
	}
}

func add(to *[]string, s string) {
	if !slices.Contains(*to, s) {
		*to = append(*to, s)
	}
}

// by is the directive of an answer.
func (s *Side) by() *nginxconf.Directive {
	if s.Answer == nil {
		return nil
	}
	return s.Answer.By
}

// compare fills in who gains and who loses. It reports false if nobody does.
func (c *Change) compare() bool {
	b, a := &c.Before.Reach, &c.After.Reach
	c.clients()
	if !b.Open.Equal(a.Open) || !b.Login.Equal(a.Login) || !b.Unsure.Equal(a.Unsure) {
		bOut, aOut := b.Out(), a.Out()
		c.Gains = a.Open.Intersect(bOut.Union(b.Login))
		c.GainsLogin = a.Login.Intersect(bOut)
		c.Loses = b.Open.Intersect(aOut.Union(a.Login))
		c.LosesLogin = b.Login.Intersect(aOut)
		c.Unsure = a.Unsure.Minus(b.Unsure).Union(b.Unsure.Minus(a.Unsure))
	}
	if x, y := c.Before.login(), c.After.login(); x != y && x != "" && y != "" {
		c.Notes = append(c.Notes, fmt.Sprintf("who has a login is said by %s, and was by %s", y, x))
	}
	if both := a.Unsure.Intersect(b.Unsure); !both.IsEmpty() && c.Before.key() != c.After.key() {
		c.Unsure = c.Unsure.Union(both)
	}
	return c.Opens() || c.Closes() || c.Uncertain()
}

// clients compares who the clients are on both sides.
func (c *Change) clients() {
	if c.Before.Policy == nil || c.After.Policy == nil {
		return
	}
	bServer, bPlace := &c.Before.Server.RealIP, &c.Before.Policy.RealIP
	aServer, aPlace := &c.After.Server.RealIP, &c.After.Policy.RealIP
	if bServer.like(aServer) && bPlace.like(aPlace) {
		return
	}
	if c.Before.Reach.uniform() && c.After.Reach.uniform() {
		return // it is the same for all
	}
	before, after := bServer.trusts().Union(bPlace.trusts()), aServer.trusts().Union(aPlace.trusts())
	b, a := &c.Before.Reach, &c.After.Reach
	if more := after.Minus(before); !more.IsEmpty() {
		switch {
		case !a.Open.IsEmpty():
			c.Claims = more.Intersect(b.Out().Union(b.Login))
		case !a.Login.IsEmpty():
			c.Claims = more.Intersect(b.Out())
		}
		c.Notes = append(c.Notes, fmt.Sprintf("%v: now trusted to say who the client is", more))
	}
	if less := before.Minus(after); !less.IsEmpty() {
		if !b.Open.Equal(acl.Everybody()) {
			c.Through = less.Intersect(a.Open.Union(a.Login))
		}
		c.Notes = append(c.Notes, fmt.Sprintf("%v: no more trusted to say who the client is", less))
	}
	if both := before.Intersect(after); !both.IsEmpty() && (bServer.how() != aServer.how() || bPlace.how() != aPlace.how()) {
		c.Notes = append(c.Notes, fmt.Sprintf("%v: what they say of the client is found in another way", both))
	}
	for _, ip := range []*RealIP{aServer, aPlace} {
		for _, d := range ip.Unresolved {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: whom that name stands for is not known", where(d)))
		}
	}
	c.Notes = slices.Compact(c.Notes)
}

// like tells whether two find a client in the same way.
func (ip *RealIP) like(other *RealIP) bool {
	if !ip.on() && !other.on() {
		return true
	}
	text := func(x, y *nginxconf.Directive) bool { return x.Arg(0) == y.Arg(0) }
	return ip.how() == other.how() && slices.EqualFunc(ip.Unresolved, other.Unresolved, text) &&
		(slices.EqualFunc(ip.Origins, other.Origins, text) || ip.trusts().Equal(other.trusts()))
}

// uniform tells whether all clients fare alike.
func (r *Reach) uniform() bool {
	all := acl.Everybody()
	return r.Open.Equal(all) || r.Login.Equal(all) || r.Unsure.Equal(all) || r.Out().Equal(all)
}

// sorted returns the changes, those that open first.
func (d *differ) sorted() Changes {
	all := make(Changes, 0, len(d.order))
	for _, c := range d.order {
		if !c.trim() {
			continue
		}
		slices.SortFunc(c.Hosts, func(x, y string) int {
			if x == "" || y == "" {
				return cmp.Compare(len(y), len(x))
			}
			return cmp.Compare(x, y)
		})
		paths := slices.Clone(c.Paths)
		c.Paths = slices.DeleteFunc(c.Paths, func(p string) bool {
			return slices.ContainsFunc(paths, func(q string) bool {
				p, to, _ := strings.Cut(p, " → ")
				q, alsoTo, _ := strings.Cut(q, " → ")
				all, ends := strings.CutSuffix(q, "*")
				return ends && p != q && to == alsoTo && strings.HasPrefix(p, all)
			})
		})
		all = append(all, *c)
	}
	slices.SortStableFunc(all, func(x, y Change) int {
		return cmp.Compare(x.rank(), y.rank())
	})
	return all
}

func (c *Change) rank() int {
	switch {
	case c.Opens():
		return 0
	case c.Uncertain():
		return 1
	}
	return 2
}

// escape writes a path as a request line has it.
func escape(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`%?#"`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
