package lint

import (
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

func allowWithoutDeny() *Check {
	return &Check{
		ID:    "NX101",
		Name:  "acl-allow-without-deny",
		Level: slog.LevelError,
		Doc: `Allow rules that no deny ends restrict nobody: nginx lets in what matches no rule.

The rules in force in a block are looked at, includes followed: some are
"allow", and for addresses of a family that the server listens for there is no
rule at all. Nothing is reported where

- the rules say that everyone else may come in ("deny 192.0.2.7; allow all;",
  or "allow all;" in a block that opens what the block around it closes),
- "satisfy any" is in force and the others are asked for a login (auth_basic
  with its user file, auth_request or auth_jwt),
- one family is closed and another is not ("deny 0.0.0.0/0;" alone leaves IPv6
  open): that is another fault, NX103 of the catalogue.

The fix, to be reviewed because it locks people out, appends "deny all;".`,
		Run: runAllowWithoutDeny,
	}
}

func runAllowWithoutDeny(p *Pass) error {
	lists := map[*nginxconf.Directive]*accessList{} // by the block that holds them
	for block, outer := range p.All("server", "location", "limit_except") {
		if block.Body() == nil {
			continue // the server of an upstream
		}
		ctx := append(outer, block)
		rules, at := p.Effective(ctx, "allow", "deny")
		if len(at) == 0 {
			continue // there are none, or they stand at the top of a fragment
		}
		holder := at[len(at)-1]
		l := lists[holder]
		if l == nil {
			l = readAccessList(rules)
			lists[holder] = l
		}
		if !l.suspect || l.reported || p.passesOn(ctx, at) || !p.letsIn(ctx, l) || p.guarded(ctx) {
			continue
		}
		l.reported = true
		fix := &nginxconf.Fix{
			Message: `deny the rest: append "deny all;"`,
			Edits:   p.InsertAfter(p.anchor(at, rules[len(rules)-1]), "deny all;"),
		}
		p.Report(p.anchor(at, l.first), fix, "allow without deny: an address that matches none of these rules is let in")
	}
	return nil
}

// letsIn tells whether the server around a block takes connections from
// addresses for which the list has no rule.
func (p *Pass) letsIn(ctx nginxconf.Context, l *accessList) bool {
	accepts := p.accepts(ctx)
	for f := range families {
		if accepts[f] && !l.decided[f] {
			return true
		}
	}
	return false
}

// A family is one of the three kinds of addresses; nginx keeps a list of rules
// for each.
type family uint8

const (
	inet family = iota
	inet6
	unix
	families
)

// accepts returns of which families the clients of the server around a block
// are.
func (p *Pass) accepts(ctx nginxconf.Context) (accepts [families]bool) {
	server := enclosing(ctx, "server")
	if server == nil {
		return [families]bool{inet: true, inet6: true} // not in view
	}
	listens := p.In(server, "listen")
	if len(listens) == 0 {
		accepts[inet] = true // *:80
	}
	for _, d := range listens {
		// The address is all that counts, and it reads alike in http and stream.
		l, err := value.ParseListen(arg(d, 0))
		switch {
		case err != nil:
		case l.Unix != "":
			accepts[unix] = true
		case l.Addr.Is6():
			accepts[inet6] = true
			if slices.Contains(d.Args(), "ipv6only=off") {
				accepts[inet] = true
			}
		default:
			accepts[inet] = true
		}
	}
	if from, _ := p.Effective(ctx, "set_real_ip_from"); len(from) > 0 {
		accepts[inet], accepts[inet6] = true, true // whatever a proxy says
	}
	return accepts
}

// guarded tells whether a block under "satisfy any" asks for a login who is
// not let in by address, or never comes to that question.
func (p *Pass) guarded(ctx nginxconf.Context) bool {
	if v, _ := p.effective(ctx, "satisfy"); !strings.EqualFold(v, "any") {
		return false
	}
	on := func(name string) bool {
		v, ok := p.effective(ctx, name)
		return ok && v != "off"
	}
	// Without a user file, auth_basic does not ask.
	if on("auth_basic") && on("auth_basic_user_file") || on("auth_request") || on("auth_jwt") {
		return true
	}
	return len(p.In(ctx, "return")) > 0 // it is answered before
}

// passesOn tells whether no request is answered under the rules of at, which
// are in force in the innermost block of ctx: it is a server with a location
// for every request, or in one that does nothing but return, which comes first
// and has no rules of its own.
func (p *Pass) passesOn(ctx, at nginxconf.Context) bool {
	server := enclosing(ctx, "server")
	if server == nil {
		return false
	}
	if len(at) < len(server) && len(p.In(server, "return")) > 0 {
		return true
	}
	return len(server) == len(ctx) && slices.ContainsFunc(p.In(ctx, "location"), func(d *nginxconf.Directive) bool {
		l, err := value.ParseLocation(d.Args()...)
		return err == nil && l.Name == "/" && (l.Modifier == value.Prefix || l.Modifier == value.NoRegex)
	})
}

// An accessList is what allowWithoutDeny has to know of the rules of a block.
type accessList struct {
	first    *nginxconf.Directive // allow that lets in some, not all
	decided  [families]bool       // every address matches a rule
	suspect  bool                 // there is a first, and no family is closed
	reported bool
}

func readAccessList(rules []*nginxconf.Directive) *accessList {
	l := &accessList{}
	var all, allowed [2][]netip.Prefix // of inet and inet6
	for _, d := range rules {
		allow := d.Name() == "allow"
		add := func(f family, prefix netip.Prefix) {
			all[f] = append(all[f], prefix)
			if allow {
				allowed[f] = append(allowed[f], prefix)
			}
		}
		some := true
		switch argument := arg(d, 0); argument {
		case "all":
			add(inet, everyInet)
			add(inet6, everyInet6)
			l.decided[unix] = true
			some = false
		case "unix:":
			l.decided[unix] = true
		default:
			prefix, ok := parsePrefix(argument)
			switch {
			case !ok: // nginx refuses it: it decides nothing
			case prefix.Addr().Is4():
				add(inet, prefix)
			default:
				add(inet6, prefix)
			}
			some = !ok || prefix.Bits() > 0
		}
		if allow && some && l.first == nil {
			l.first = d
		}
	}
	l.suspect = l.first != nil
	for f := range all {
		l.decided[f] = cover(all[f])
		if l.decided[f] && !cover(allowed[f]) {
			l.suspect = false // who is not allowed is denied
		}
	}
	return l
}

var (
	everyInet  = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	everyInet6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// parsePrefix reads the argument of allow and deny where it is an address or
// a prefix; host bits are cleared, as nginx does. Of the odder spellings that
// nginx takes for addresses ("10..0.1"), none is read.
func parsePrefix(s string) (netip.Prefix, bool) {
	address, length, found := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	bits := addr.BitLen()
	if found {
		n, err := strconv.ParseUint(length, 10, 8) // "/08" is fine with nginx
		if err != nil || int(n) > bits {
			return netip.Prefix{}, false
		}
		bits = int(n)
	}
	return netip.PrefixFrom(addr, bits).Masked(), true
}

// cover tells whether prefixes of one family together hold all its addresses.
// It sorts them.
func cover(prefixes []netip.Prefix) bool {
	if len(prefixes) == 0 {
		return false
	}
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	// The first address that none holds so far.
	next := netip.IPv4Unspecified()
	if prefixes[0].Addr().Is6() {
		next = netip.IPv6Unspecified()
	}
	for _, prefix := range prefixes {
		if next.Less(prefix.Addr()) {
			return false
		}
		if last := lastOf(prefix); !last.Less(next) {
			if next = last.Next(); !next.IsValid() {
				return true
			}
		}
	}
	return false
}

func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < 8*len(bytes); bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// anchor returns by what a directive stands in the innermost block of ctx:
// itself if it is written there, else the include directive there that brings
// it. What is to be said of the block is said there, for a file may be included
// in other blocks too.
func (p *Pass) anchor(ctx nginxconf.Context, d *nginxconf.Directive) *nginxconf.Directive {
	key := anchorKey{&p.Config.Root.Body, d.Container()}
	if len(ctx) > 0 {
		key.body = ctx[len(ctx)-1].Body()
	}
	if key.container == key.body {
		return d
	}
	include, known := p.anchors[key]
	if !known {
		include = d
		for _, i := range p.In(ctx, "include") {
			if i.Container() == key.body && p.brings(i, d, map[*nginxconf.File]bool{}) {
				include = i
				break
			}
		}
		p.anchors[key] = include
	}
	return include
}

// An anchorKey asks by which include directive of body the directives of
// container stand in it.
type anchorKey struct{ body, container *nginxconf.Body }

// brings tells whether an include directive leads to the file at whose top
// level d stands.
func (p *Pass) brings(include, d *nginxconf.Directive, seen map[*nginxconf.File]bool) bool {
	for f := range p.Config.Included(include) {
		if d.Container() == &f.Body {
			return true
		}
		if seen[f] {
			continue
		}
		seen[f] = true
		for inner := range f.Directives() {
			if inner.Name() == "include" && p.brings(inner, d, seen) {
				return true
			}
		}
	}
	return false
}
