package directive

import (
	"fmt"
	"strconv"
	"strings"
)

// Args is a set of numbers of arguments: those that a directive takes, its name
// not counted. Bit n stands for n arguments, bit 8 for eight and more, which
// nginx tells apart nowhere. The constants combine with "|".
type Args uint16

// The numbers of arguments that nginx's tables speak of (NGX_CONF_TAKE1,
// NGX_CONF_1MORE, …).
const (
	Take0 Args = 1 << iota
	Take1
	Take2
	Take3
	Take4
	Take5
	Take6
	Take7
	take8 // and more

	AtLeast2  = Take2 | Take3 | Take4 | Take5 | Take6 | Take7 | take8
	AtLeast1  = Take1 | AtLeast2
	AnyNumber = Take0 | AtLeast1
)

// Takes tells whether n arguments are right, as nginx decides it
// (ngx_conf_handler).
func (a Args) Takes(n int) bool { return n >= 0 && a>>min(n, 8)&1 != 0 }

// String describes the set: "1", "1 or 2", "1, 2 or 3", "at least 2", "any
// number"; "none" if it is empty.
func (a Args) String() string {
	a &= AnyNumber
	switch a {
	case 0:
		return "none"
	case AnyNumber:
		return "any number"
	}
	var parts []string
	for n := range 9 {
		if a>>n == AnyNumber>>n {
			parts = append(parts, "at least "+strconv.Itoa(n))
			break
		}
		if a.Takes(n) {
			parts = append(parts, strconv.Itoa(n))
		}
	}
	last := len(parts) - 1
	if last == 0 {
		return parts[0]
	}
	return strings.Join(parts[:last], ", ") + " or " + parts[last]
}

// MarshalText returns String.
func (a Args) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Args) UnmarshalText(text []byte) error {
	var set Args
	switch string(text) {
	case "none":
	case "any number":
		set = AnyNumber
	default:
		for part := range strings.SplitSeq(strings.ReplaceAll(string(text), " or ", ", "), ", ") {
			number, open := strings.CutPrefix(part, "at least ")
			n, err := strconv.ParseUint(number, 10, 8)
			if err != nil || n > 8 || n == 8 && !open {
				return fmt.Errorf("unknown number of arguments %q", text)
			}
			if open {
				set |= AnyNumber >> n << n
			} else {
				set |= 1 << n
			}
		}
	}
	*a = set
	return nil
}
