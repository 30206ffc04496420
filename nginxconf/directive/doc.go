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
// The facts come from the C tables of nginx's releases (see Releases), and of
// the modules that people add to it most. Tables are values: All knows
// everything, Nginx one release, and With, Without and Only make new ones.
package directive

//go:generate go run ../../internal/directives -o zdirectives.go
