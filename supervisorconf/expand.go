package supervisorconf

import (
	"maps"
	"slices"
)

// Expand returns the value with its %(…)s expanded, as Python's % operator
// does it: "%(process_num)02d" and "%%" too. The values of process_num and
// numprocs are numbers if they look like it, all others are text. Names
// are those of the place: Supervisor knows here, host_node_name, program_name,
// group_name, process_num, numprocs and ENV_X, not all of them everywhere.
//
// The error is a [*Diagnostic] in Supervisor's words, with secrets masked.
func (o *Option) Expand(vars map[string]string) (string, error) {
	t := &table{}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		v := value{str: vars[name]}
		if name == "process_num" || name == "numprocs" {
			if n, message := parseInt(v.str, 10); message == "" {
				v.num, v.isInt = n, true
			}
		}
		t.set(name, v)
	}
	name := o.Name()
	if o.up != nil {
		name = o.up.Header() + "." + name
	}
	s, err := (&scope{fixed: t}).expand(o.Value(), name, false)
	if e, ok := err.(*expandError); ok {
		return "", errorAt(o.ValuePos(), o.End(), expandCode(err), "%s", oneLine(e.message(repr(o.masked(e.value)))))
	}
	return s, nil
}

// expandCode is the code of a finding about an expansion.
func expandCode(err error) string {
	if e, ok := err.(*expandError); ok {
		if _, ok := e.cause.(*nameError); ok {
			return "unknown-name"
		}
	}
	return "bad-format"
}
