package acl

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// parsePrefix reads an address, or an address and a prefix length, as
// ngx_ptocidr does. hostBits tells that bits behind the length were set.
func parsePrefix(s string) (p netip.Prefix, hostBits, ok bool) {
	address, length, hasLength := strings.Cut(s, "/")
	addr, ok := parseIPv4(address)
	if !ok {
		addr, ok = parseIPv6(address)
	}
	if !ok {
		return p, false, false
	}
	bits := addr.BitLen()
	if hasLength {
		// Like ngx_atoi, base 10 takes digits alone, with any leading zeros.
		n, err := strconv.ParseUint(length, 10, 64)
		if err != nil || n > uint64(bits) {
			return p, false, false
		}
		bits = int(n)
	}
	p = netip.PrefixFrom(addr, bits).Masked()
	return p, p.Addr() != addr, true
}

// parseIPv4 reads what ngx_inet_addr reads: three dots and between them
// numbers up to 255, in decimal however many zeros lead, 0 where none stands.
// The result of ngx_inet_addr doubles as its error code, hence there is no
// 255.255.255.255.
func parseIPv4(s string) (netip.Addr, bool) {
	var b [4]byte
	dots, octet := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			octet = octet*10 + int(c-'0')
			if octet > math.MaxUint8 {
				return netip.Addr{}, false
			}
			b[dots] = byte(octet)
		case c == '.' && dots < 3:
			dots++
			octet = 0
		default:
			return netip.Addr{}, false
		}
	}
	if dots != 3 || b == [4]byte{255, 255, 255, 255} {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4(b), true
}

// parseIPv6 reads what ngx_inet6_addr reads. Unlike RFC 4291 it skips one
// colon at the very start (":1:2:3:4:5:6:7:8"), takes a colon at the very end
// for a zero word if there is a "::" before ("1::2:" is 1::2:0), and therefore
// refuses "1:2:3:4:5:6:7::", where that word and the "::" have no room. The
// last 32 bits may be written as any IPv4 address that nginx reads.
func parseIPv6(s string) (netip.Addr, bool) {
	var words [8]uint16
	n, gap := 0, -1 // words read; how many of them stand before "::"
	rest := strings.TrimPrefix(s, ":")
	for first := true; ; first = false {
		word, tail, more := strings.Cut(rest, ":")
		if dot := strings.IndexByte(word, '.'); dot > 0 {
			v4, ok := parseIPv4(rest)
			if !ok || dot > 4 || first || n > 6 {
				return netip.Addr{}, false
			}
			b := v4.As4()
			words[n] = binary.BigEndian.Uint16(b[:2])
			words[n+1] = binary.BigEndian.Uint16(b[2:])
			n += 2
			break
		}
		switch {
		case word != "":
			v, ok := parseHex(word)
			if !ok {
				return netip.Addr{}, false
			}
			words[n] = v
			n++
		case more && gap < 0:
			gap = n
		case !more && gap >= 0:
			n++ // the zero word at the end
		default:
			return netip.Addr{}, false
		}
		if !more {
			break
		}
		if n == 8 {
			return netip.Addr{}, false
		}
		rest = tail
	}
	if (n == 8) != (gap < 0) {
		return netip.Addr{}, false
	}
	if gap >= 0 {
		moved := n - gap
		copy(words[8-moved:], words[gap:n])
		clear(words[gap : 8-moved])
	}
	var b [16]byte
	for i, w := range words {
		binary.BigEndian.PutUint16(b[2*i:], w)
	}
	return netip.AddrFrom16(b), true
}

// parseHex reads a word of up to four digits. Unlike strconv it makes no
// error, which would be an allocation for every malformed header.
func parseHex(s string) (v uint16, ok bool) {
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		v = v<<4 | uint16(c)
	}
	return v, 0 < len(s) && len(s) <= 4
}
