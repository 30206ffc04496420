// Package nginxconf reads, edits and writes nginx configuration without
// touching a byte that was not asked for.
//
//	f, err := nginxconf.Parse("scout.conf", src)
//	for d := range f.Find("server", "location[/]", "proxy_pass") {
//		d.SetArgs("http://127.0.0.1:8083")
//	}
//	out := f.Bytes()
//
// [Parse] reads one file. It splits words exactly as nginx does (nginx 1.18 to
// 1.31: ngx_conf_read_token), knows no directive by name, and never fails
// half-way: the tree is complete, what is wrong with it is in the error, and
// [File.Bytes] gives back any input byte for byte.
//
// [Load] and [LoadFile] read a configuration with all it includes. A file that
// is included twice stands in two contexts, so walk a [Config] with
// [Config.All], which yields each directive with its enclosing blocks.
//
// Only directives are nodes. Comments and blanks are text that directives own:
// the comment lines right above a directive, and the rest of its last line,
// move and go with it. See [Directive].
//
// A tree may be read by several goroutines at a time, and edited by one while
// no other reads.
package nginxconf
