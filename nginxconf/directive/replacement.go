package directive

import "slices"

// A Replacement says what to write instead of a directive, or of one of its
// parameters, that newer releases deprecate or no longer know.
type Replacement struct {
	Name      string  `json:"name"`                // the directive
	Parameter string  `json:"parameter,omitempty"` // the argument that it is about; empty: the directive as such
	Contexts  Context `json:"contexts"`            // where
	Since     Version `json:"since,omitzero"`      // first release that has what to write instead
	Gone      Version `json:"gone,omitzero"`       // first release that refuses the old way; zero: none does
	Instead   string  `json:"instead,omitempty"`   // what to write; empty: nothing takes its place
}

// Replacements returns what is known of a directive, nil in the usual case that
// it is as good as ever.
func Replacements(name string) []Replacement {
	var found []Replacement
	for _, r := range replacements {
		if r.Name == name {
			found = append(found, r)
		}
	}
	return slices.Clip(found)
}

var replacements = [...]Replacement{
	{Name: "listen", Parameter: "http2", Contexts: HTTPServer, Since: Version{1, 25, 1}, Instead: "http2 on;"},
	{Name: "ssl", Contexts: HTTP | HTTPServer, Since: Version{1, 18, 0}, Gone: Version{1, 25, 1}, Instead: "listen … ssl;"},
}
