package portmap

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/token"
	"log/slog"
	"slices"
	"strings"
)

// A Diagnostic is one finding: what is wrong, where, and perhaps how to mend
// it. It is an error, and it marshals to a JSON form that every package of
// this module shares.
type Diagnostic struct {
	Start, End token.Position // of the text it speaks of; End is just behind it
	Level      slog.Level     // slog.LevelError, LevelWarn or LevelInfo
	Code       string         // stable and greppable: "port-listed-twice"
	Message    string         // one line
	Fixes      []Fix          // alternatives; at most one may be applied
}

// A Fix is one way to mend what a Diagnostic reports.
type Fix struct {
	Message string // a verb phrase: "set the port of nipt-stage to 7072"
	Edits   []Edit // they do not overlap
}

// An Edit replaces the bytes from Start up to End by NewText. Start.Filename
// names the file. Equal offsets insert.
type Edit struct {
	Start, End token.Position
	NewText    string
}

// Error returns the finding on one line: "services.md:20:27: message [code]".
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if d.Start.IsValid() || d.Start.Filename != "" {
		b.WriteString(d.Start.String())
		b.WriteString(": ")
	}
	b.WriteString(d.Message)
	if d.Code != "" {
		b.WriteString(" [" + d.Code + "]")
	}
	return b.String()
}

// Position returns d.Start, for tools that mix the findings of several
// packages behind one interface.
func (d *Diagnostic) Position() token.Position { return d.Start }

// MarshalJSON writes the finding in the form that all packages of this module
// share: start, end, level, code, message, fixes.
func (d *Diagnostic) MarshalJSON() ([]byte, error) {
	type position struct {
		File   string `json:"file"`
		Offset int    `json:"offset"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	type edit struct {
		Start   position `json:"start"`
		End     position `json:"end"`
		NewText string   `json:"new_text"`
	}
	type fix struct {
		Message string `json:"message"`
		Edits   []edit `json:"edits"`
	}
	place := func(p token.Position) position {
		return position{p.Filename, p.Offset, p.Line, p.Column}
	}
	fixes := make([]fix, len(d.Fixes)) // never null: readers range over it
	for i, f := range d.Fixes {
		fixes[i] = fix{f.Message, make([]edit, len(f.Edits))}
		for j, e := range f.Edits {
			fixes[i].Edits[j] = edit{place(e.Start), place(e.End), e.NewText}
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		Start   position   `json:"start"`
		End     position   `json:"end"`
		Level   slog.Level `json:"level"`
		Code    string     `json:"code"`
		Message string     `json:"message"`
		Fixes   []fix      `json:"fixes"`
	}{place(d.Start), place(d.End), d.Level, d.Code, d.Message, fixes})
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Diagnostics are the findings of one run, in the order of their places.
type Diagnostics []*Diagnostic

// Error returns the findings, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a *Diagnostic.
func (ds Diagnostics) Unwrap() []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = d
	}
	return errs
}

// Err returns ds as an error, or nil if none of them is of slog.LevelError.
func (ds Diagnostics) Err() error {
	for _, d := range ds {
		if d.Level >= slog.LevelError {
			return ds
		}
	}
	return nil
}

// Sort orders the findings by file, then place, then gravest first; what is
// equal in these keeps its order.
func (ds Diagnostics) Sort() {
	slices.SortStableFunc(ds, func(a, b *Diagnostic) int {
		return cmp.Or(
			strings.Compare(a.Start.Filename, b.Start.Filename),
			cmp.Compare(a.Start.Offset, b.Start.Offset),
			cmp.Compare(b.Level, a.Level),
		)
	})
}

func errorAt(start, end token.Position, code, format string, args ...any) *Diagnostic {
	return &Diagnostic{Start: start, End: end, Level: slog.LevelError, Code: code, Message: fmt.Sprintf(format, args...)}
}
