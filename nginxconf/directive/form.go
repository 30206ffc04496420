package directive

// A Form is one way in which a directive may be used: an entry of a module's
// table of commands (ngx_command_t). A name has several forms if several
// modules know it, or if it changed between releases.
type Form struct {
	Name   string `json:"name"`
	Module string `json:"module"` // "ngx_http_core_module"

	Contexts Context `json:"contexts"` // where it may stand
	Args     Args    `json:"args"`     // how many arguments it takes
	Type     Type    `json:"type"`     // how they are read

	// Values are the words that an Enum or a Bitmask takes, in nginx's order.
	// They are not to be changed.
	Values []string `json:"values,omitempty"`

	// A second one at the same level "is duplicate". Of a type other than Custom
	// that is the first thing nginx looks at, and Once is set; of Custom, the
	// directive's own function finds it, and CustomOnce is set.
	Once       bool `json:"once,omitempty"`
	CustomOnce bool `json:"custom_once,omitempty"`

	Block      bool `json:"block,omitempty"`      // it has a body in braces
	Deprecated bool `json:"deprecated,omitempty"` // nginx warns that it is; see Replacements
	Addon      bool `json:"addon,omitempty"`      // the module does not come with nginx

	// Opens is the context that a block opens. Zero: it is a simple directive,
	// or a block whose body holds something else than directives (map, geo,
	// types, split_clients, charset_map, and blocks of Lua). More than one, of
	// "if": Inside chooses.
	Opens Context `json:"opens,omitzero"`

	// Since and Last are the first and the last release of nginx that has this
	// form. Zero: older than the oldest release known here, and still there.
	// Those of an Addon have neither: the releases of such modules are their own.
	Since Version `json:"since,omitzero"`
	Last  Version `json:"last,omitzero"`
}

// Inside returns the context of the body of a block that stands in outer: Opens,
// except that an "if" opens another one in a server than in a location. It is
// zero if the body holds no directives.
func (f *Form) Inside(outer Context) Context {
	if f.Opens&(f.Opens-1) == 0 {
		return f.Opens
	}
	for _, s := range steps {
		if s.outer&outer != 0 && s.inner&f.Opens != 0 && s.block == f.Name {
			return s.inner
		}
	}
	return f.Opens
}

// Repeats tells whether there may be a second one at the same level.
func (f *Form) Repeats() bool { return !f.Once && !f.CustomOnce }

// In tells whether release v has this form; every release before the first
// known one counts as that.
func (f *Form) In(v Version) bool { return v.in(f.Since, f.Last) }
