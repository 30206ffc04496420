// Package value reads arguments of nginx directives the way nginx reads them:
// what people else write by hand, and then differently from nginx.
//
//	l, err := value.ParseListen("[::]:443", "ssl", "default_server")
//	l.Socket         // [::]:443, comparable: a map key
//	l.SSL            // true
//
//	loc, err := value.ParseLocation("^~", "/static/")
//	loc.Modifier     // value.NoRegex
//
// The functions take arguments without their quotes, as
// nginxconf.Directive.Args gives them, and know no configuration around them.
// Errors are in nginx's words. The rules are those of nginx 1.22 on 64-bit
// Linux; where a later version up to 1.31 reads more, that is read too, so a
// value that an older nginx refuses may be accepted here.
//
// All functions are safe for use by several goroutines, return plain values,
// and take time in proportion to the length of what they read.
package value
