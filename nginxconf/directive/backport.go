package directive

import (
	"strconv"
	"strings"
)

// A backport is what a distribution's packages of one release know besides.
type backport struct {
	of     Version
	marker string // what the package's version has before the number
	from   int    // the first number that has it
	forms  []Form
}

// backports of one release and marker: the higher numbers first, each with
// everything that the lower ones have.
var backports = [...]backport{
	// Debian bookworm, a security update. It has a module of its own there, so
	// that other modules need not be built again.
	{of: Version{1, 22, 1}, marker: "+deb12u", from: 8, forms: []Form{{
		Name: "max_headers", Module: "ngx_http_header_count_module", Contexts: HTTP | HTTPServer,
		Args: Take1, Type: Number, Once: true, Since: Version{1, 22, 1}, Last: Version{1, 22, 1},
	}}},
}

// covers tells whether a package's version is one that has the back-port.
func (p backport) covers(version string) bool {
	_, rest, ok := strings.Cut(version, p.marker)
	if !ok {
		return false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	return err == nil && n >= p.from
}
