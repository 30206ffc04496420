package directive

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// A Version is that of an nginx release, such as 1.22.1. It is comparable. The
// zero Version means "no limit" in the fields of this package.
type Version struct{ Major, Minor, Patch uint8 }

// ParseVersion reads three numbers below 256 with dots between them: "1.22.1". For a
// distribution's package version, see Nginx.
func ParseVersion(s string) (Version, error) {
	var n [3]uint8
	rest := s
	for i := range n {
		part, after, found := strings.Cut(rest, ".")
		v, err := strconv.ParseUint(part, 10, 8)
		// ParseUint takes a sign for an error, but not a leading zero.
		if err != nil || found != (i < 2) || len(part) > 1 && part[0] == '0' {
			return Version{}, fmt.Errorf(`version %q is not three numbers, as in "1.22.1"`, s)
		}
		n[i], rest = uint8(v), after
	}
	return Version{n[0], n[1], n[2]}, nil
}

// Compare returns -1, 0 or 1 as v is lower than, equal to or higher than w. The
// order is that of the numbers, not of time: 1.20.2 came after 1.21.3.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch))
}

// IsZero tells whether v is the zero Version.
func (v Version) IsZero() bool { return v == Version{} }

// Stable tells whether v is of a stable branch: one with an even second number.
func (v Version) Stable() bool { return v.Minor%2 == 0 }

// in tells whether v lies between since and last, both included; a zero one is
// no limit.
func (v Version) in(since, last Version) bool {
	return v.Compare(since) >= 0 && (last.IsZero() || v.Compare(last) <= 0)
}

// String returns the three numbers with dots between them, or "" for the zero
// Version.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// MarshalText returns String.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is ParseVersion, and takes an empty text for the zero Version.
func (v *Version) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	w, err := ParseVersion(string(text))
	if err == nil {
		*v = w
	}
	return err
}
