package value

import (
	"errors"
	"math"
	"strings"
	"time"
)

// ErrInvalid is what nginx says of a size, a time or a number that it cannot
// read: it puts the name of the directive before it.
var ErrInvalid = errors.New("invalid value")

// ParseNumber reads a number as ngx_atoi does: decimal digits, no sign,
// leading zeros allowed, up to 1<<63 - 1. The error is [ErrInvalid].
func ParseNumber(s string) (int64, error) {
	n, ok := number(s)
	if !ok {
		return 0, ErrInvalid
	}
	return n, nil
}

// Int is what is left of a number or a size where nginx keeps it in an int, as
// those of a listen directive: its lower 32 bits, so that 4294967296 is 0. It is
// [ErrInvalid] if these are -1, with which nginx says that it cannot be read.
func Int(n int64, err error) (int32, error) {
	if err == nil && int32(n) == -1 {
		err = ErrInvalid
	}
	return int32(n), err
}

func number(s string) (n int64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 || n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// ParseSize reads a size in bytes as ngx_parse_size does: a number with an
// optional k or m, in either case. The error is [ErrInvalid].
func ParseSize(s string) (int64, error) { return size(s, "km") }

// ParseOffset reads a size in bytes as ngx_parse_offset does: as [ParseSize],
// and g is known too. Sizes that may exceed memory are read this way, such as
// that of client_max_body_size.
func ParseOffset(s string) (int64, error) { return size(s, "kmg") }

func size(s, units string) (int64, error) {
	shift := 0
	if s != "" {
		if i := strings.IndexByte(units, s[len(s)-1]|0x20); i >= 0 {
			shift = 10 * (i + 1)
			s = s[:len(s)-1]
		}
	}
	n, ok := number(s)
	if !ok || n > math.MaxInt64>>shift {
		return 0, ErrInvalid
	}
	return n << shift, nil
}

// ParseTime reads a time as nginx does where it counts in milliseconds, which
// is nearly everywhere: numbers with the units w, d, h, m, s and ms, each unit
// once and in this order, blanks between them, and a number without a unit
// meaning seconds at the end. A time that is longer than a [time.Duration]
// holds, 292 years, becomes the longest one. The error is [ErrInvalid].
func ParseTime(s string) (time.Duration, error) { return parseTime(s, time.Millisecond) }

// ParseSeconds reads a time as nginx does where it counts in seconds, such as
// the second argument of keepalive_timeout or those of proxy_cache_valid: as
// [ParseTime], with y (365 days) and M (30 days) before w, and without ms.
func ParseSeconds(s string) (time.Duration, error) { return parseTime(s, time.Second) }

// The units of ngx_parse_time, in the order in which they may come.
var timeUnits = []struct {
	name    string
	seconds int64
}{
	{"y", 365 * 86400}, {"M", 30 * 86400}, {"w", 7 * 86400}, {"d", 86400},
	{"h", 3600}, {"m", 60}, {"s", 1}, {"ms", 0},
}

// The steps at which a unit of timeUnits is behind us.
const (
	beforeWeeks = 2
	seconds     = 6
	pastSeconds = 8
)

// parseTime counts as nginx does, in 64-bit milliseconds or seconds, so that
// what nginx finds too long is refused.
func parseTime(s string, resolution time.Duration) (time.Duration, error) {
	perSecond := int64(time.Second / resolution)
	step, total, digits := 0, int64(0), false
	if resolution == time.Millisecond {
		step = beforeWeeks
	}
	add := func(n, scale int64) bool {
		if n > math.MaxInt64/scale || total > math.MaxInt64-n*scale {
			return false
		}
		total += n * scale
		return true
	}
	for {
		i := 0
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		n, ok := number(s[:i])
		if i > 0 && !ok {
			return 0, ErrInvalid
		}
		digits = digits || i > 0
		s = s[i:]
		if s == "" {
			if !digits || !add(n, perSecond) {
				return 0, ErrInvalid
			}
			break
		}
		scale, ok := perSecond, false
		if s[0] == ' ' { // a number before a blank is of seconds, too
			ok = step <= seconds
			step = pastSeconds
			s = s[1:]
		} else {
			for k := len(timeUnits) - 1; k >= 0; k-- { // "ms" before "m"
				u := timeUnits[k]
				if !strings.HasPrefix(s, u.name) {
					continue
				}
				ok = step <= k
				step = k + 1
				scale = u.seconds * perSecond
				if u.seconds == 0 {
					ok = ok && resolution == time.Millisecond
					scale = 1
				}
				s = s[len(u.name):]
				break
			}
		}
		// A unit without a number before it counts nothing, and is no error.
		if !ok || !add(n, scale) {
			return 0, ErrInvalid
		}
		s = strings.TrimLeft(s, " ")
	}
	if total > math.MaxInt64/int64(resolution) {
		return math.MaxInt64, nil
	}
	return time.Duration(total) * resolution, nil
}

// ParseFlag reads "on" and "off", in any case; ok is false for anything else.
func ParseFlag(s string) (on, ok bool) {
	switch {
	case strings.EqualFold(s, "on"):
		return true, true
	case strings.EqualFold(s, "off"):
		return false, true
	}
	return false, false
}
