// Package acl tells whether nginx lets an address in: it reads the arguments
// of allow and deny as nginx does, decides by the first rule that matches, and
// names that rule.
//
//	list := acl.List{
//		acl.MustParseRule("allow", "192.0.2.0/24"),
//		acl.MustParseRule("deny", "all"),
//	}
//	table := acl.Compile(list)
//	d := table.Lookup(netip.MustParseAddr("198.51.100.7"))
//	fmt.Println(d.Action, "by", list[d.Rule]) // deny by deny all;
//
// # Words
//
// A [Rule] is one allow or deny directive. A [List] is the rules of one level
// of a configuration (http, server, location or limit_except), in their order.
// A client is the address that nginx sees, and the zero [netip.Addr] where it
// came in through a unix socket. A [Decision] is what the list says of a
// client, and the rule that says so.
//
// # What nginx does
//
// The rules here are those of ngx_http_access_module, nginx 1.22. They differ
// from what a routing table or a firewall does:
//
//   - The first match decides, not the longest prefix: "allow 192.0.2.0/24;
//     deny 192.0.2.7;" lets 192.0.2.7 in.
//   - IPv4, IPv6 and unix clients are judged apart. "deny 0.0.0.0/0" leaves
//     IPv6 and unix clients in; only "all" speaks of every client.
//   - A client that no rule matches is let in, but that is a third outcome:
//     under "satisfy any" it counts neither as allowed nor as denied. It is
//     told by Rule being -1.
//   - An IPv4-mapped client (::ffff:192.0.2.7) is judged by the IPv4 rules if
//     there is any, "all" included; else by the IPv6 rules, as the IPv6
//     address it is.
//
// A level that has any rule of its own replaces the whole list of the level
// around it, for every family. A List is one level; [Effective] tells which one
// of several is in force.
//
// # Lists as sets
//
// [Diff] tells whom a change of a list lets in or shuts out, with a witness and
// the rules that decide about it. [List.Allowed] and [List.Denied] are the exact
// sets; a [Set] goes to firewalls and clusters too, and [Names] say it in the
// words of the house. [List.Shadowed] and [List.Redundant] find the rules that
// do nothing, and [Simplify] makes the shortest list that does the same.
//
// # What stands around the rules
//
// The client that the rules judge is not always the peer: a [RealIP] follows
// X-Forwarded-For, X-Real-IP, another header or the PROXY protocol as nginx
// does, and tells whose word the address rests on. A [Geo] is a geo block,
// which gives each address a value. [Satisfy] joins what the rules say with
// what passwords say.
//
// A [Middleware] puts all this before a handler of net/http, so that a program
// decides as the nginx in front of it would.
package acl
