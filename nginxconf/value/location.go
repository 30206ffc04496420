package value

import (
	"errors"
	"fmt"
	"strings"
)

// A Modifier says how a location is compared with a URI.
type Modifier uint8

const (
	Prefix        Modifier = iota // none: the URI starts with the name
	Exact                         // "=": the URI is the name
	NoRegex                       // "^~": as Prefix, and if it is the longest, no regular expression is tried
	Regex                         // "~": the URI matches the regular expression
	RegexCaseless                 // "~*": likewise, whatever the case of letters
	Named                         // "@name": reached from within nginx only
)

var modifiers = [...]string{Prefix: "", Exact: "=", NoRegex: "^~", Regex: "~", RegexCaseless: "~*", Named: "@"}

// String returns the modifier as it stands in a file: "^~". That of Named is
// "@", which there is a part of the name; that of Prefix is empty.
func (m Modifier) String() string {
	if int(m) < len(modifiers) {
		return modifiers[m]
	}
	return fmt.Sprintf("Modifier(%d)", uint8(m))
}

// MarshalText returns what String does.
func (m Modifier) MarshalText() ([]byte, error) {
	if int(m) >= len(modifiers) {
		return nil, fmt.Errorf("value: no location modifier has the number %d", uint8(m))
	}
	return []byte(modifiers[m]), nil
}

// UnmarshalText reads what MarshalText writes.
func (m *Modifier) UnmarshalText(text []byte) error {
	for i, s := range modifiers {
		if s == string(text) {
			*m = Modifier(i)
			return nil
		}
	}
	return fmt.Errorf(`invalid location modifier "%s"`, text)
}

// A Location is the arguments of a location block.
type Location struct {
	Modifier Modifier
	// Name is a path, a regular expression, or a name with its "@".
	Name string
}

// IsRegex tells whether the name is a regular expression.
func (l Location) IsRegex() bool { return l.Modifier == Regex || l.Modifier == RegexCaseless }

// Args returns arguments that [ParseLocation] reads as l.
func (l Location) Args() []string {
	if l.Modifier == Prefix || l.Modifier == Named {
		return []string{l.Name}
	}
	return []string{l.Modifier.String(), l.Name}
}

// ParseLocation reads the arguments of a location block. The modifier may be
// glued to the name: "location =/x" is "location = /x". It is no error if the
// name is no path, so that no request can match it; whether a regular
// expression is one is not looked at.
func ParseLocation(args ...string) (Location, error) {
	switch len(args) {
	case 2:
		switch args[0] {
		case "=":
			return Location{Exact, args[1]}, nil
		case "^~":
			return Location{NoRegex, args[1]}, nil
		case "~":
			return Location{Regex, args[1]}, nil
		case "~*":
			return Location{RegexCaseless, args[1]}, nil
		}
		return Location{}, fmt.Errorf(`invalid location modifier "%s"`, args[0])
	case 1:
		for _, m := range []Modifier{Exact, NoRegex, RegexCaseless, Regex} {
			if name, found := strings.CutPrefix(args[0], m.String()); found {
				return Location{m, name}, nil
			}
		}
		if strings.HasPrefix(args[0], "@") {
			return Location{Named, args[0]}, nil
		}
		return Location{Prefix, args[0]}, nil
	}
	return Location{}, errors.New(`invalid number of arguments in "location" directive`)
}
