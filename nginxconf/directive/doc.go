// Package directive is what nginx knows, as data: every directive of every
// module with the contexts where it may stand, how many arguments it takes, how
// they are read, and in which releases; the variables likewise.
//
//	t, err := directive.Nginx("1.22.1")
//	…
//	for _, f := range t.Lookup("listen") {
//		fmt.Println(f.Module, f.Contexts, f.Args)
//	}
//
// A directive has a [Form] for each entry in a module's table of commands that
// has its name. nginx takes the first whose contexts hold the place, in the
// order of its modules, and Lookup keeps that order.
//
// # Which nginx
//
// [Nginx] is one release, or a distribution's package of one, and [All] is every
// release at once. Both know the modules that people add to nginx most, too:
// headers-more, geoip2, Lua, njs, Brotli, Zstandard, echo, set-misc, memc,
// srcache, dav-ext, fancyindex, auth-pam, substitutions, upstream-fair,
// upload-progress, cache-purge, vhost-traffic-status, ModSecurity,
// OpenTelemetry, ACME, RTMP and Nchan, as their newest sources have them.
//
// Tables are values. [Table.Own] leaves out what does not come with nginx,
// [Table.Built] keeps the modules that "nginx -V" tells of, [Table.Only] and
// [Table.Without] choose by name, and [Table.With] adds a module of your own.
//
// # Where the facts come from
//
// The C tables of nginx's releases and of the modules, which the generator in
// internal/directives turns into zdirectives.go. The tests ask the installed
// nginx whether it agrees. What a directive is for, and its default
// ([Table.Describe]), and what to write instead of an old one ([Replacements])
// are written by hand.
package directive

//go:generate go run ../../internal/directives -o zdirectives.go
