// Package lint looks for what nginx accepts and nobody meant: access lists
// that keep nobody out, headers that the application never sees, sockets
// without a default server.
//
//	c, err := nginxconf.LoadFile("/etc/nginx/nginx.conf")
//	…
//	findings, err := lint.Run(c, lint.Default()...)
//	for _, f := range findings {
//		fmt.Println(f) // /etc/nginx/conf.d/scout.conf:9:9: … [acl-allow-without-deny]
//	}
//
// A [Check] is a plain value with a function, so that one of your own stands
// beside the built-in ones: it walks the configuration with [Pass.All], asks
// with [Pass.Effective] what is in force at a place, and reports with
// [Pass.Report]. Package linttest tests it.
//
// # Terms
//
// The effective value of a directive is the one in force in a block: its own,
// else that of the nearest block around it. Directives that may stand more
// than once in a block (allow and deny, proxy_set_header and their kin) are
// replaced as a whole, never merged: one of them in a location drops all that
// the server has.
//
// A configuration whose main file has neither http nor events is a fragment.
// The blocks around it are not in view, so checks that compare servers are
// silent, and so are the others about what stands at its top level, unless
// that is wrong whatever stands around it. The blocks in it are judged as if
// nothing came from outside.
//
// # Ignoring a finding
//
// A comment on the line before a finding, or at the end of its line, takes it
// away; a check is named by its ID or its Name, several with commas between
// them. For a whole file it says file-ignore, on any line of it.
//
//	# lint:ignore NX101 the firewall in front lets only the office in
//	allow 192.0.2.0/24;
//
//	# lint:file-ignore proxy-localhost-name /etc/hosts has one localhost
//
// The reason is required, and a second # ends it. [Run] reports a comment
// without one, which takes nothing away ("ignore-without-reason"), and one
// that names a check that ran and has nothing to take away
// ("ignore-unused").
package lint
