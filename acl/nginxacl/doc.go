// Package nginxacl says who may reach what in an nginx configuration, and why.
//
//	judge, err := nginxacl.New(config, nil)
//	…
//	e, err := judge.Explain(nginxacl.Query{
//		Client: netip.MustParseAddr("10.3.4.5"),
//		Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true,
//		Host:   "scout.example.se", URI: "/",
//	})
//	fmt.Println(e.Verdict, e.Rule, e.Because)
//
// [For] gives the policy in force at one place, with the directive that each
// part of it comes from. [Judge.Explain] follows a request to that place first,
// and tells each step. What cannot be decided from the files is [Unknown], with
// the reason: it is never said to be allowed or denied.
//
// [Matrix] tells of every server and location who gets in, and [Diff] of two
// configurations who gains or loses access to which URLs:
//
//	changes, err := nginxacl.Diff(before, after)
//	…
//	err = changes.WriteMarkdown(os.Stdout, names)
//	if changes.Open() { … } // somebody gains access
//
// # What is decided
//
// Rules, satisfy, passwords, the address of a client behind proxies, limit_except,
// conditions on addresses by geo, map or if, error pages, what try_files and
// index may lead to, auth_request where nginx itself answers it, and rules of the
// stream block are decided as nginx 1.22 does. Unknown is what depends on code
// (Lua, njs, Perl, modules that are not known), on files and applications, on
// names that are resolved when nginx starts, on certificates of clients, and on
// variables whose value no file tells.
package nginxacl
