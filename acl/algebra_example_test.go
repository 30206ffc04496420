package acl_test

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/onehost-go/onehost/acl"
)

// read makes a list of lines as they stand in a configuration.
func read(lines ...string) acl.List {
	list := make(acl.List, len(lines))
	for i, line := range lines {
		if err := list[i].UnmarshalText([]byte(line)); err != nil {
			panic(err)
		}
	}
	return list
}

// What does the change of a list open up, and what does it shut? One rule was
// put above another, and one is new.
func ExampleDiff() {
	before := read("deny 192.0.2.128/25;", "allow 192.0.2.0/24;", "allow 2001:db8:1::/48;", "deny all;")
	after := read("allow 192.0.2.0/24;", "deny 192.0.2.128/25;", "deny 2001:db8:1:ff::/64;", "allow 2001:db8:1::/48;", "deny all;")

	for change := range acl.Diff(before, after) {
		fmt.Println(change)
		fmt.Printf("    %v met %q and meets %q\n", change.Witness, before[change.Before.Rule], after[change.After.Rule])
	}
	// Output:
	// 192.0.2.128/25: deny, now allow
	//     192.0.2.128 met "deny 192.0.2.128/25;" and meets "allow 192.0.2.0/24;"
	// 2001:db8:1:ff::/64: allow, now deny
	//     2001:db8:1:ff:: met "allow 2001:db8:1::/48;" and meets "deny 2001:db8:1:ff::/64;"
}

// Rules that decide nothing, with the reason, and the shortest list that does
// the same. Under it, 10.0.0.0/8 is one rule of two.
func ExampleSimplify() {
	list := read(
		"allow 10.0.0.0/9;",
		"allow 10.128.0.0/9;",
		"deny 10.1.2.3;",
		"allow 10.64.0.0/9;",
		"deny 192.0.2.7;",
		"deny all;")

	for _, shadow := range list.Shadowed() {
		fmt.Printf("%v never decides:", list[shadow.Rule])
		for _, rule := range shadow.By {
			fmt.Printf(" %v", list[rule])
		}
		fmt.Println()
	}
	fmt.Println("may go, one of:", list.Redundant())
	fmt.Print(acl.Simplify(list))
	// Output:
	// deny 10.1.2.3; never decides: allow 10.0.0.0/9;
	// allow 10.64.0.0/9; never decides: allow 10.0.0.0/9;
	// may go, one of: [2 3 4]
	// allow 10.0.0.0/8;
	// deny all;
}

// A firewall in front shall let the same clients in. A firewall has no order
// of rules in its sets, so the set is the exact one.
func ExampleSet_AppendNFTables() {
	list := read("deny 192.0.2.7;", "allow 192.0.2.0/29;", "allow 2001:db8:1::/48;", "deny all;")

	text, err := list.Allowed().AppendNFTables(nil, acl.NFTables{Table: "web", Name: "welcome"})
	if err != nil {
		fmt.Println(err)
	}
	os.Stdout.Write(text)
	// Output:
	// table inet web {
	// 	set welcome_v4 {
	// 		type ipv4_addr
	// 		flags interval
	// 		elements = {
	// 			192.0.2.0/30,
	// 			192.0.2.4/31,
	// 			192.0.2.6,
	// 		}
	// 	}
	// 	set welcome_v6 {
	// 		type ipv6_addr
	// 		flags interval
	// 		elements = {
	// 			2001:db8:1::/48,
	// 		}
	// 	}
	// }
}

func ExampleSet_AppendYAML() {
	list := read("deny 192.0.2.7;", "allow 192.0.2.4/30;", "allow 2001:db8:1::/48;", "deny all;")
	text, err := list.Allowed().AppendYAML(nil, "loadBalancerSourceRanges", 2)
	if err != nil {
		fmt.Println(err)
	}
	os.Stdout.Write(text)
	// Output:
	//   loadBalancerSourceRanges:
	//   - "192.0.2.4/31"
	//   - "192.0.2.6/32"
	//   - "2001:db8:1::/48"
}

// With names for the networks of the house, a review reads as people speak.
func ExampleNames_Describe() {
	names, err := acl.ParseNames("networks", []byte(`
office = 192.0.2.0/24, 2001:db8:1::/48
vpn    = 10.8.0.0/16
lab    = 10.9.0.0/16
`))
	if err != nil {
		fmt.Println(err)
	}
	before := read("allow 192.0.2.0/24;", "allow 2001:db8:1::/48;", "allow 10.9.0.0/16;", "deny all;")
	after := read("allow 192.0.2.0/24;", "allow 2001:db8:1::/48;", "allow 10.8.0.0/16;", "allow 10.9.1.0/24;", "deny all;")

	fmt.Println("before, there was", names.Describe(before.Allowed()))
	fmt.Println("now comes", names.Describe(after.Allowed().Minus(before.Allowed())))
	fmt.Println("and shut out is", names.Describe(after.Denied().Minus(before.Denied())))
	fmt.Println("192.0.2.9 is", names.Of(netip.MustParseAddr("192.0.2.9")))
	// Output:
	// before, there was office and lab
	// now comes vpn
	// and shut out is part of lab (10.9.0.0/24, 10.9.2.0/23, 10.9.4.0/22, 10.9.8.0/21, 10.9.16.0/20, 3 more prefixes)
	// 192.0.2.9 is [office]
}

// A list for nginx from a set: everybody but two hosts.
func ExampleSet_List() {
	set, err := acl.ParseSet("192.0.2.6, 192.0.2.7")
	if err != nil {
		fmt.Println(err)
	}
	list, err := set.List(acl.Deny)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(list)
	// Output:
	// deny 192.0.2.6/31;
	// allow all;
}
