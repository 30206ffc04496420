package directive

import (
	"fmt"
	"slices"
	"strconv"
)

// A Type is how nginx reads the arguments of a directive: which of its setters
// it names (ngx_conf_set_flag_slot and its kin), or that it has one of its own.
type Type uint8

// The types. What each of them takes is nginx's; sizes have the suffixes k and
// m, offsets g besides, times ms, s, m, h, d, w, M and y.
const (
	Custom      Type = iota // a function of its own
	Flag                    // on or off
	String                  // any text
	Size                    // a size in bytes
	Number                  // a number
	TimeMS                  // a time, kept in milliseconds
	TimeS                   // a time, kept in seconds
	Offset                  // a size that may exceed the address space
	Bitmask                 // one or more of Form.Values
	Enum                    // one of Form.Values
	Complex                 // text with variables
	Predicate               // one or more texts with variables
	KeyVal                  // two texts
	Buffers                 // a number and a size
	ComplexSize             // a size, or text with variables
	Path                    // a directory and the widths of up to three levels below it
	Access                  // user:rw group:rw all:r
)

var typeNames = [...]string{
	"custom", "flag", "string", "size", "number", "time_ms", "time_s", "offset", "bitmask",
	"enum", "complex", "predicate", "keyval", "buffers", "complex_size", "path", "access",
}

// String returns the name in lower case with underscores, such as "time_ms".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// MarshalText returns String.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *Type) UnmarshalText(text []byte) error {
	i := slices.Index(typeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown type %q", text)
	}
	*t = Type(i)
	return nil
}
