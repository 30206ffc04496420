package value

import (
	"errors"
	"net/netip"
	"strings"
)

// ParseCIDR reads an address, or a network such as "10.0.0.0/8", as ngx_ptocidr
// does: the argument of allow, deny, set_real_ip_from and the like. The prefix
// is masked; hostBits tells that it was not so as written, which nginx warns of
// ("low address bits of 10.0.0.1/8 are meaningless"). nginx has no words of its
// own for the error.
func ParseCIDR(s string) (prefix netip.Prefix, hostBits bool, err error) {
	text, bits, slash := strings.Cut(s, "/")
	addr, ok := parseIPv4(text)
	if !ok {
		addr, ok = parseIPv6(text)
	}
	if !ok {
		return netip.Prefix{}, false, errNotCIDR
	}
	n := int64(addr.BitLen())
	if slash {
		m, ok := number(bits)
		if !ok || m > n {
			return netip.Prefix{}, false, errNotCIDR
		}
		n = m
	}
	prefix = netip.PrefixFrom(addr, int(n)).Masked()
	return prefix, prefix.Addr() != addr, nil
}

var errNotCIDR = errors.New("neither an address nor a network")
