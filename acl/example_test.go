package acl_test

import (
	"fmt"
	"go/token"
	"net/netip"
	"slices"

	"github.com/onehost-go/onehost/acl"
)

// The office gets in, the rest does not. The prefix of the first rule is
// shorter than that of the second, and yet it decides: nginx takes the first.
func Example() {
	list := acl.List{
		acl.MustParseRule("allow", "192.0.2.0/24"),
		acl.MustParseRule("deny", "192.0.2.7"),
		acl.MustParseRule("deny", "all"),
	}
	for _, client := range []string{"192.0.2.7", "198.51.100.1", "2001:db8::1"} {
		d := list.Decide(netip.MustParseAddr(client))
		fmt.Printf("%s: %s, by rule %d, %s\n", client, d.Action, d.Rule, list[d.Rule])
	}
	// Output:
	// 192.0.2.7: allow, by rule 0, allow 192.0.2.0/24;
	// 198.51.100.1: deny, by rule 2, deny all;
	// 2001:db8::1: deny, by rule 2, deny all;
}

// A server compiles its list once and asks the table for each request.
func ExampleCompile() {
	list := acl.List{
		acl.MustParseRule("allow", "2001:db8::/32"),
		acl.MustParseRule("allow", "unix:"),
		acl.MustParseRule("deny", "0.0.0.0/0"),
	}
	table := acl.Compile(list)

	explain := func(who string, client netip.Addr) {
		d := table.Lookup(client)
		if d.Rule < 0 {
			fmt.Println(who, "gets in: no rule speaks of it")
			return
		}
		fmt.Println(who, d.Action, "by", list[d.Rule])
	}
	explain("IPv6 office:", netip.MustParseAddr("2001:db8:1::5"))
	explain("IPv4:", netip.MustParseAddr("192.0.2.1"))
	explain("IPv4 on an IPv6 socket:", netip.MustParseAddr("::ffff:192.0.2.1"))
	explain("unix socket:", netip.Addr{})
	explain("any other IPv6:", netip.MustParseAddr("2600::1"))
	// Output:
	// IPv6 office: allow by allow 2001:db8::/32;
	// IPv4: deny by deny 0.0.0.0/0;
	// IPv4 on an IPv6 socket: deny by deny 0.0.0.0/0;
	// unix socket: allow by allow unix:;
	// any other IPv6: gets in: no rule speaks of it
}

// What nginx refuses is an error in its words; what it only warns of is kept,
// with the warning.
func ExampleParseRule() {
	for line, argument := range []string{"10.1.2.3/8", "010.0.0.1", "office.example.se", "255.255.255.255"} {
		r, err := acl.ParseRule("allow", argument)
		r.Pos = token.Position{Filename: "scout.conf", Line: line + 1, Column: 1}
		switch {
		case err != nil:
			fmt.Printf("%v: [emerg] %v\n", r.Pos, err)
		case r.HostBits():
			fmt.Printf("%v: [warn] %s; it is %s\n", r.Pos, r.Warning(), r.Prefix())
		default:
			fmt.Printf("%v: %s means %s\n", r.Pos, r, r.Prefix())
		}
	}
	// Output:
	// scout.conf:1:1: [warn] low address bits of 10.1.2.3/8 are meaningless; it is 10.0.0.0/8
	// scout.conf:2:1: allow 010.0.0.1; means 10.0.0.1/32
	// scout.conf:3:1: [emerg] invalid parameter "office.example.se"
	// scout.conf:4:1: [emerg] invalid parameter "255.255.255.255"
}

// A list is a slice: let the new network in before the rule that denies all.
func ExampleList() {
	list := acl.List{
		acl.MustParseRule("allow", "192.0.2.0/24"),
		acl.MustParseRule("deny", "all"),
	}
	end := slices.IndexFunc(list, acl.Rule.All)
	list = slices.Insert(list, end, acl.MustParseRule("allow", "2001:db8:2::/48"))
	fmt.Print(list)
	// Output:
	// allow 192.0.2.0/24;
	// allow 2001:db8:2::/48;
	// deny all;
}
