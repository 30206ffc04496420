package directive

// A Variable is one that nginx or one of its modules defines, not one that a
// configuration does (set, map, geo, a named capture …).
type Variable struct {
	Name string `json:"name"` // without "$", in lower case, up to 64 bytes; of a family, what its names begin with: "http_"

	// Area is HTTP, Stream or both: where it can be used. One that is in both is
	// described as it is in HTTP.
	Area   Context `json:"area"`
	Module string  `json:"module"`
	Addon  bool    `json:"addon,omitempty"`  // the module does not come with nginx
	Prefix bool    `json:"prefix,omitempty"` // a family, such as arg_ and http_

	// Changeable: "set", "map", "geo" and the like may define it anew. Of others
	// nginx says: the duplicate "uri" variable.
	Changeable bool `json:"changeable,omitempty"`

	// Since and Last are the first and the last release that has it, as in Form.
	Since Version `json:"since,omitzero"`
	Last  Version `json:"last,omitzero"`
}
