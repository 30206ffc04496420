package acl

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// unwritable is the one prefix that no rule of nginx can name: ngx_inet_addr
// returns it for an error.
var unwritable = netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), 32)

// NewRule returns the rule for a prefix, host bits cleared. Its argument is one
// that nginx reads, without a length for a single address. The error is for an
// invalid prefix, and for 255.255.255.255 alone, which nginx cannot read in any
// form.
func NewRule(a Action, p netip.Prefix) (Rule, error) {
	if a > Deny {
		return Rule{}, fmt.Errorf("acl: no such action: %v", a)
	}
	p = p.Masked()
	switch {
	case !p.IsValid():
		return Rule{}, errors.New("acl: no rule for an invalid prefix")
	case p == unwritable:
		return Rule{}, refusal(`invalid parameter "` + shown(p) + `"`)
	}
	return Rule{Action: a, argument: argumentOf(p), prefix: p}, nil
}

// argumentOf is p in a form that nginx reads. It does not read the form of
// package netip for IPv6 addresses that end in 255.255.255.255.
func argumentOf(p netip.Prefix) string {
	s := shown(p)
	if back, _, ok := parsePrefix(s); !ok || back != p {
		s = fmt.Sprintf("::ffff:ffff:ffff/%d", p.Bits())
	}
	return s
}

// A firewall sees packets, and no packet bears an IPv4-mapped address. So the
// functions below write IPv4 and IPv6 addresses as they are on the wire. They
// leave out clients on unix sockets, who send none.

func (s Set) wire() (v4, v6 iter.Seq[netip.Prefix]) {
	return s.v4.seq(true), s.v6.withoutMapped().seq(false)
}

// ErrNobody tells that there is no address in a set that is to be written in a
// form where none means all.
var ErrNobody = errors.New("acl: the set has no address, and an empty list would let everybody in")

// CIDRs returns the prefixes of the set as Kubernetes and the controllers of
// its Gateway API take them, IPv4 first, each with its length: for
// spec.loadBalancerSourceRanges of a Service, or clientCIDRs of a gateway's
// policy. They do not speak of unix sockets. An empty list would mean
// everybody there, so a set without addresses is ErrNobody.
func (s Set) CIDRs() ([]string, error) {
	var list []string
	v4, v6 := s.wire()
	for _, family := range []iter.Seq[netip.Prefix]{v4, v6} {
		for p := range family {
			list = append(list, p.String())
		}
	}
	if len(list) == 0 {
		return nil, ErrNobody
	}
	return list, nil
}

// AppendYAML appends the CIDRs as a YAML sequence below a key, such as
// "loadBalancerSourceRanges", indented by so many blanks.
func (s Set) AppendYAML(b []byte, key string, indent int) ([]byte, error) {
	if !isIdentifier(key) {
		return b, fmt.Errorf("acl: %q is not a plain key", key)
	}
	list, err := s.CIDRs()
	if err != nil {
		return b, err
	}
	margin := strings.Repeat(" ", max(0, indent))
	b = append(b, margin+key+":\n"...)
	for _, p := range list { // quoted, for colons mean something in YAML
		b = append(b, margin+"- "+strconv.Quote(p)+"\n"...)
	}
	return b, nil
}

// isIdentifier reports whether s is a word that needs no quotes anywhere.
func isIdentifier(s string) bool {
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// NFTables names a pair of nftables sets.
type NFTables struct {
	Family string // of the table; "inet" if empty
	Table  string // "filter" if empty
	// Name is that of the sets, less "_v4" and "_v6", which are added: a set
	// there has one type. It must not be empty.
	Name string
}

func (t NFTables) check() (NFTables, error) {
	if t.Family == "" {
		t.Family = "inet"
	}
	if t.Table == "" {
		t.Table = "filter"
	}
	if !slices.Contains([]string{"inet", "ip", "ip6", "bridge", "netdev"}, t.Family) {
		return t, fmt.Errorf("acl: nftables has no family %q with addresses", t.Family)
	}
	for _, name := range []string{t.Table, t.Name} {
		if !isIdentifier(name) {
			return t, fmt.Errorf("acl: %q is not a name for nftables", name)
		}
	}
	return t, nil
}

// nftSets calls f for both families.
func (s Set) nftSets(f func(suffix, kind string, elements []string)) {
	v4, v6 := s.wire()
	elements := func(family iter.Seq[netip.Prefix]) (e []string) {
		for p := range family {
			e = append(e, shown(p))
		}
		return e
	}
	f("_v4", "ipv4_addr", elements(v4))
	f("_v6", "ipv6_addr", elements(v6))
}

// AppendNFTables appends a table for an nftables ruleset file that defines both
// sets with their elements. A rule then says "ip saddr @office_v4 accept". To
// load it again adds elements and removes none, see AppendNFTablesUpdate. The
// error is for words that nftables does not take as names.
func (s Set) AppendNFTables(b []byte, t NFTables) ([]byte, error) {
	t, err := t.check()
	if err != nil {
		return b, err
	}
	b = fmt.Appendf(b, "table %s %s {\n", t.Family, t.Table)
	s.nftSets(func(suffix, kind string, elements []string) {
		b = fmt.Appendf(b, "\tset %s%s {\n\t\ttype %s\n\t\tflags interval\n", t.Name, suffix, kind)
		if len(elements) > 0 { // "{ }" is a syntax error
			b = append(b, "\t\telements = {\n"...)
			for _, e := range elements {
				b = append(b, "\t\t\t"+e+",\n"...)
			}
			b = append(b, "\t\t}\n"...)
		}
		b = append(b, "\t}\n"...)
	})
	return append(b, "}\n"...), nil
}

// AppendNFTablesUpdate appends commands for "nft -f", which runs a file as one
// transaction: they make the table and both sets where they are missing, and
// replace their elements. No packet meets a half-filled set.
func (s Set) AppendNFTablesUpdate(b []byte, t NFTables) ([]byte, error) {
	t, err := t.check()
	if err != nil {
		return b, err
	}
	b = fmt.Appendf(b, "add table %s %s\n", t.Family, t.Table)
	s.nftSets(func(suffix, kind string, elements []string) {
		set := t.Family + " " + t.Table + " " + t.Name + suffix
		b = fmt.Appendf(b, "add set %s { type %s; flags interval; }\nflush set %s\n", set, kind, set)
		if len(elements) > 0 {
			b = fmt.Appendf(b, "add element %s { %s }\n", set, strings.Join(elements, ", "))
		}
	})
	return b, nil
}

// AppendIPSet appends what "ipset restore" reads, for rules of iptables and
// ip6tables: two sets of type hash:net, called name with "_v4" and "_v6" added.
// hash:net has no prefix of length 0, so all addresses of a family are two
// halves. The error is for names that are no single word, or too long.
func (s Set) AppendIPSet(b []byte, name string) ([]byte, error) {
	const longest = 31 - len("_v4")
	if !isIdentifier(name) || len(name) > longest {
		return b, fmt.Errorf("acl: %q is not a name for an ipset", name)
	}
	v4, v6 := s.wire()
	for _, set := range []struct {
		suffix, family string
		prefixes       iter.Seq[netip.Prefix]
	}{{"_v4", "inet", v4}, {"_v6", "inet6", v6}} {
		var elements []netip.Prefix
		for p := range set.prefixes {
			if p.Bits() > 0 {
				elements = append(elements, p)
				continue
			}
			half, is4 := pow2(127), p.Addr().Is4()
			elements = append(elements, prefixOf(point{}, 1, is4), prefixOf(half, 1, is4))
		}
		b = fmt.Appendf(b, "create %s%s hash:net family %s maxelem %d\n", name, set.suffix, set.family, max(65536, len(elements)))
		for _, p := range elements {
			b = fmt.Appendf(b, "add %s%s %s\n", name, set.suffix, shown(p))
		}
	}
	return b, nil
}
