package directive

import "testing"

// No text makes the table fail.
func FuzzNames(f *testing.F) {
	f.Add("1.22.1-9+deb12u11", "server_nam")
	f.Add("1:1.20.1-14.el9", "http_x")
	f.Add("", "")
	f.Add("1.99.99", "proxy-set-header")
	f.Fuzz(func(t *testing.T, version, name string) {
		table, err := Nginx(version)
		if (table == nil) != (err != nil) {
			t.Fatalf("Nginx(%q) = %v, %v", version, table, err)
		}
		if err != nil {
			table = All()
		}
		near := table.Near(name)
		if table.Lookup(name) != nil && near != nil || len(near) > 3 {
			t.Fatalf("Near(%q) = %q", name, near)
		}
		for _, n := range near {
			if table.Lookup(n) == nil {
				t.Fatalf("Near(%q) makes %q up", name, n)
			}
		}
		table.Variable(name)
		table.Built(name)
		ParseContext(version, name)
		for _, n := range table.Complete(Anywhere, name) {
			if _, ok := table.Describe(n, Anywhere); !ok {
				t.Fatalf("Complete offers %q, which Describe does not know", n)
			}
		}
	})
}
