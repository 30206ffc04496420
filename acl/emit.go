package acl

import (
	"errors"
	"fmt"
	"net/netip"
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
