package portmap

import (
	"fmt"
	"strconv"
)

// A Port is a TCP port number, 1 to 65535. The zero Port means that there is
// none: such a service listens on a unix socket.
type Port uint16

// ParsePort reads a port as people write it in a table: decimal digits and
// nothing else. The error says what is wrong: no number, negative, zero, above
// 65535, a sign or a leading zero.
func ParsePort(s string) (Port, error) {
	digits := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits = s[1:]
	}
	number := digits != ""
	for _, c := range []byte(digits) {
		number = number && '0' <= c && c <= '9'
	}
	switch {
	case s == "":
		return 0, fmt.Errorf("the port is empty")
	case !number:
		return 0, fmt.Errorf("port %s is not a number", quote(s))
	case s[0] == '-':
		return 0, fmt.Errorf("port %s is negative", clip(s))
	case s[0] == '+':
		return 0, fmt.Errorf("port %s has a sign", clip(s))
	}
	// On overflow ParseUint returns the largest value, which is too large too.
	n, _ := strconv.ParseUint(s, 10, 64)
	switch {
	case n == 0:
		return 0, fmt.Errorf("port %s is none to listen on: ports are 1 to 65535", clip(s))
	case n > 65535:
		return 0, fmt.Errorf("port %s is above 65535", clip(s))
	case s[0] == '0':
		return 0, fmt.Errorf("port %s has a leading zero", clip(s))
	}
	return Port(n), nil
}

// String returns the port in decimal, "8080".
func (p Port) String() string { return strconv.Itoa(int(p)) }

// A Range is the ports from First to Last, both included. The zero Range is
// empty.
type Range struct {
	First Port `json:"first"`
	Last  Port `json:"last"`
}

// Contains reports whether p is in the range. Port 0 never is.
func (r Range) Contains(p Port) bool { return p != 0 && r.First <= p && p <= r.Last }

// String returns the range as "8080–8099".
func (r Range) String() string { return r.First.String() + "–" + r.Last.String() }

// clip keeps a message on one readable line, whatever the cell holds.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a rune
		n--
	}
	return s[:n] + "…"
}

func quote(s string) string { return strconv.Quote(clip(s)) }
