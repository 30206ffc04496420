package acl_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"

	"github.com/onehost-go/onehost/acl"
)

// An application behind nginx lets in whom nginx would: the office, wherever
// it comes from, by the address that the proxy on the same host names.
func ExampleMiddleware() {
	proxy, err := acl.ParseTrusted("127.0.0.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	guard := acl.NewMiddleware(acl.Policy{
		List: acl.List{
			acl.MustParseRule("allow", "192.0.2.0/24"),
			acl.MustParseRule("deny", "all"),
		},
		RealIP: acl.RealIP{Trusted: acl.Compile(acl.List{proxy}), Header: "X-Forwarded-For"},
	}, &acl.MiddlewareOptions{
		Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
	})
	handler := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "welcome")
	}))

	visit := func(from, forwarded string) {
		r := httptest.NewRequest("GET", "http://scout.example.se/", nil)
		r.RemoteAddr = from
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	visit("127.0.0.1:40000", "192.0.2.7")
	visit("127.0.0.1:40000", "198.51.100.1")
	visit("198.51.100.1:5", "192.0.2.7") // a stranger's word counts for nothing

	// New rules are in force at once, and nobody waits.
	guard.SetPolicy(acl.Policy{})
	visit("198.51.100.1:5", "")
	// Output:
	// 200
	// level=WARN msg="access forbidden by rule" client=198.51.100.1 peer=127.0.0.1 proxy=127.0.0.1 rule=1 reason="deny all;" method=GET host=scout.example.se path=/
	// 403
	// level=WARN msg="access forbidden by rule" client=198.51.100.1 rule=1 reason="deny all;" method=GET host=scout.example.se path=/
	// 403
	// 200
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// The address of the client, and whose word it rests on.
func ExampleRealIP_Explain() {
	var proxies acl.List
	for _, argument := range []string{"127.0.0.1", "10.0.0.0/8"} {
		r, err := acl.ParseTrusted(argument)
		if err != nil {
			fmt.Println(err)
			return
		}
		proxies = append(proxies, r)
	}
	realIP := acl.RealIP{Trusted: acl.Compile(proxies), Header: "X-Forwarded-For", Recursive: true}

	header := http.Header{"X-Forwarded-For": {"203.0.113.66, 198.51.100.1:8000, 10.0.0.2"}}
	trace := realIP.Explain(netip.MustParseAddrPort("127.0.0.1:40000"), header, acl.ProxyHeader{})
	for _, hop := range trace.Hops {
		fmt.Printf("%s, by set_real_ip_from %s\n", hop, proxies[hop.Rule].Argument())
	}
	fmt.Printf("%s: %s\n", trace.Client, trace.Stop)
	// Output:
	// 127.0.0.1 is trusted by rule 0 and names "10.0.0.2", by set_real_ip_from 127.0.0.1
	// 10.0.0.2 is trusted by rule 1 and names "198.51.100.1:8000", by set_real_ip_from 10.0.0.0/8
	// 198.51.100.1:8000: the address is not trusted to name another
}

func ExampleParseProxyHeader() {
	h, n, err := acl.ParseProxyHeader([]byte("PROXY TCP4 198.51.100.1 192.0.2.1 40000 443\r\nGET / HTTP/1.1\r\n"), nil)
	fmt.Println(h.Source, "to", h.Destination, n, err)
	_, _, err = acl.ParseProxyHeader([]byte("GET / HTTP/1.1\r\n"), nil)
	fmt.Println(err)
	// Output:
	// 198.51.100.1:40000 to 192.0.2.1:443 45 <nil>
	// broken header: "GET / HTTP/1.1"
}

// A geo block, by the words of its directives, and what nginx warns of.
func ExampleGeoBuilder() {
	var b acl.GeoBuilder
	for _, words := range [][]string{
		{"default", "elsewhere"},
		{"192.0.2.0/24", "office"},
		{"192.0.2.128/25", "guests"},
		{"192.0.2.1/24", "lab"},
	} {
		warnings, err := b.Add(words...)
		for _, w := range warnings {
			fmt.Println("[warn]", w)
		}
		if err != nil {
			fmt.Println("[emerg]", err)
			return
		}
	}
	geo := b.Build()
	for _, client := range []string{"192.0.2.7", "192.0.2.200", "2001:db8::1"} {
		m := geo.Lookup(netip.MustParseAddr(client))
		fmt.Printf("%s: %s, by entry %d\n", client, m.Value, m.Entry)
	}
	// Output:
	// [warn] low address bits of 192.0.2.1/24 are meaningless
	// [warn] duplicate network "192.0.2.1/24", value: "lab", old value: "office"
	// 192.0.2.7: lab, by entry 3
	// 192.0.2.200: guests, by entry 2
	// 2001:db8::1: elsewhere, by entry 0
}

// Rules and passwords: who is not in the office needs one.
func ExampleSatisfy_Decide() {
	list := acl.List{
		acl.MustParseRule("allow", "192.0.2.0/24"),
		acl.MustParseRule("deny", "all"),
	}
	for _, client := range []string{"192.0.2.7", "198.51.100.1"} {
		rules := list.Decide(netip.MustParseAddr(client)).Outcome()
		for _, password := range []acl.Outcome{acl.Unauthorized, acl.Granted} {
			fmt.Println(client, "password", password, "any:", acl.SatisfyAny.Decide(rules, password).Outcome,
				"all:", acl.SatisfyAll.Decide(rules, password).Outcome)
		}
	}
	// Output:
	// 192.0.2.7 password unauthorized any: granted all: unauthorized
	// 192.0.2.7 password granted any: granted all: granted
	// 198.51.100.1 password unauthorized any: unauthorized all: forbidden
	// 198.51.100.1 password granted any: granted all: forbidden
}
