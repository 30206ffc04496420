// Package nginxacl says who may reach what in an nginx configuration, and why.
//
//	e, err := nginxacl.Explain(config, nginxacl.Query{
//		Client: netip.MustParseAddr("10.3.4.5"),
//		Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true,
//		Host:   "scout.example.se", URI: "/",
//	})
//	fmt.Println(e.Verdict, e.Rule, e.Because)
//
// [For] gives the rules in force at one place, [Explain] follows a request to
// that place first. What cannot be decided from the files is [Unknown], with
// the reason: it is never said to be allowed or denied.
package nginxacl
