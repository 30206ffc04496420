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
package nginxacl
