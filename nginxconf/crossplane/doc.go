// Package crossplane speaks the JSON of crossplane, the nginx parser in Python
// (nginxinc/crossplane) and in Go (nginx-go-crossplane), so that programs which
// read or write it can move to nginxconf, or work beside it.
//
//	c, err := nginxconf.LoadFile("/etc/nginx/nginx.conf")
//	json.NewEncoder(os.Stdout).Encode(crossplane.FromConfig(c, nil))
//
// [FromConfig] makes what "crossplane parse" prints, [ToFiles] does what
// "crossplane build" does, with files in the layout of nginxconf.Format. The
// form is that of nginx-go-crossplane 0.4.89: names and order of members, the
// parentheses of "if" taken off, "includes" as indices into "config",
// "mapBlockParameter". Python's has no "mapBlockParameter"; the rest is the
// same.
//
// # Arguments
//
// An argument is the word as written, without the quotes around it and without
// the backslashes that protect this quote. All other backslashes stay: where
// nginx reads a tab, the argument says \t. That is crossplane's rule, and
// nothing is lost by it. What nginx reads is Directive.Args of nginxconf.
//
// # Differences
//
// Words end where nginx ends them. crossplane (both, unless said otherwise)
// reads these otherwise, and cannot be asked to do better:
//
//   - '}' ends no word: in "add_header X a}b;" the argument is a}b.
//   - A closing quote glued to the next word is an error.
//   - "${" runs to no '}': "server_name ${a b};" has two arguments.
//   - Vertical tab, form feed, no-break space and other blanks of Unicode
//     belong to words. A carriage return between words separates them, and one
//     in quotes stays.
//   - A backslash at the end of a comment belongs to the comment. Comments
//     between the words of a parameter of map are told, as in Python.
//   - Bytes that are not UTF-8 are in the Payload as they are. JSON has U+FFFD
//     for them, as crossplane has; the JSON of nginxconf.File keeps them.
//   - A word that nginx's buffer cannot hold is an error.
//   - Lua code ends where Lua ends it. Any name in _by_lua_block takes it.
//   - An empty block has "block": [], and an include of nothing "includes":
//     [], as in Python. In Go, JSON loses both, and a combined payload holds
//     the include still.
//   - "include" is followed within map, types and the like too, as in Python,
//     and marked as a parameter, as in Go. Globs match no hidden files.
//
// A file with syntax errors keeps its tree: Parsed holds all that could be
// read, where crossplane drops the whole file. Errors are in nginx's words.
//
// crossplane checks names, contexts and argument counts as it parses. Here that
// is what nginxconf/validate does; give its findings as Options.Diagnostics.
package crossplane
