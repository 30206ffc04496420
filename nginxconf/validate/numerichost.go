package validate

import (
	"strconv"
	"strings"
)

// isNumericHost tells whether the C library takes a host for an IPv4 address,
// which needs no look-up: one to four numbers, decimal, octal or hexadecimal, the
// last of which fills what is left of the address (glibc: inet_aton).
func isNumericHost(host string) bool {
	parts := strings.Count(host, ".") + 1
	if parts > 4 {
		return false
	}
	limit := uint64(255)
	for part := range strings.SplitSeq(host, ".") {
		if parts--; parts == 0 {
			limit = 1<<(8*(4-strings.Count(host, "."))) - 1
		}
		base, digits := 10, part
		switch {
		case strings.HasPrefix(part, "0x"), strings.HasPrefix(part, "0X"):
			base, digits = 16, part[2:]
		case strings.HasPrefix(part, "0"):
			base = 8
		}
		if n, err := strconv.ParseUint(digits, base, 64); err != nil || n > limit {
			return false
		}
	}
	return true
}
