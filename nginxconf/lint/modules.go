package lint

import "github.com/onehost-go/onehost/nginxconf/directive"

// Modules returns the names of the modules that have a directive of that name,
// in any release that is known, and of modules that do not come with nginx:
// "ngx_http_access_module" for "allow". It returns nil if no known module has
// one, so that nothing can be said of what it does.
func Modules(name string) []string {
	var names []string
	for _, f := range directive.All().Lookup(name) {
		if n := len(names); n == 0 || names[n-1] != f.Module {
			names = append(names, f.Module)
		}
	}
	return names
}
