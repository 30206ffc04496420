package crossplane

import "strconv"

// A Payload is a configuration: its main file first, then those included, in
// the order in which crossplane comes to them, level by level.
type Payload struct {
	Status Status         `json:"status"` // StatusFailed if there are errors
	Errors []PayloadError `json:"errors"` // those of all files
	Config []Config       `json:"config"`
}

// A Status tells whether there are errors.
type Status string

// The two statuses.
const (
	StatusOK     Status = "ok"
	StatusFailed Status = "failed"
)

// A PayloadError is an error with the file it is in.
type PayloadError struct {
	File     string `json:"file"`
	Line     Line   `json:"line"`
	Error    string `json:"error"`
	Callback any    `json:"callback,omitempty"` // what a callback of crossplane returned
}

// A Config is one file.
type Config struct {
	File   string        `json:"file"`
	Status Status        `json:"status"`
	Errors []ConfigError `json:"errors"`
	Parsed []*Directive  `json:"parsed"`
}

// A ConfigError is an error in a file.
type ConfigError struct {
	Line  Line   `json:"line"`
	Error string `json:"error"`
}

// A Line is the number of a line, from 1; 0, which JSON has as null, is
// unknown.
type Line int

// MarshalJSON writes the number, or null.
func (l Line) MarshalJSON() ([]byte, error) {
	if l == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(l), 10), nil
}

// A Directive is a directive, or a comment if its name is "#" and Comment is
// not nil.
type Directive struct {
	Directive string       `json:"directive"`
	Line      int          `json:"line"` // of its name
	Args      []string     `json:"args"` // not nil, or JSON says null
	File      string       `json:"file,omitempty"`
	Includes  []int        `json:"includes,omitzero"` // indices of Payload.Config; nil unless it is an include
	Block     []*Directive `json:"block,omitzero"`    // nil unless it is a block
	Comment   *string      `json:"comment,omitempty"` // what follows the '#'

	// IsMapBlockParameter tells that the directive stands in map, types or
	// another block whose directives are data.
	IsMapBlockParameter bool `json:"mapBlockParameter,omitempty"`
}
