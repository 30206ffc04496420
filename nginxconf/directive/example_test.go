package directive_test

import (
	"fmt"
	"log"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf/directive"
)

func ExampleTable_Lookup() {
	t, err := directive.Nginx("1.22.1")
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range t.Lookup("keepalive_timeout") {
		fmt.Printf("%s: in %s, arguments: %s\n", f.Module, f.Contexts, f.Args)
	}
	fmt.Println(t.Lookup("http2") == nil)
	// Output:
	// ngx_http_core_module: in http, http/server, http/location, arguments: 1 or 2
	// ngx_http_upstream_keepalive_module: in http/upstream, arguments: 1
	// true
}

// A review tool says which release a configuration needs at least.
func ExampleAll() {
	for _, name := range []string{"listen", "proxy_cookie_flags", "http2", "early_hints"} {
		f := directive.All().Lookup(name)[0]
		if f.Since.IsZero() {
			fmt.Println(name, "was always there")
		} else {
			fmt.Println(name, "came with", f.Since)
		}
	}
	// Output:
	// listen was always there
	// proxy_cookie_flags came with 1.19.3
	// http2 came with 1.25.1
	// early_hints came with 1.29.0
}

// An editor offers what fits where the cursor is.
func ExampleTable_Complete() {
	t, err := directive.Nginx("")
	if err != nil {
		log.Fatal(err)
	}
	at, _ := directive.ParseContext("http", "server", "location")
	for _, name := range t.Own().Complete(at, "proxy_next") {
		d, _ := t.Describe(name, at)
		fmt.Printf("%s (%s): %s\n", name, d.Default, d.Text)
	}
	// Output:
	// proxy_next_upstream (error timeout): When a request is passed on to the next server.
	// proxy_next_upstream_timeout (0): How long a request may be passed on. Zero: without end.
	// proxy_next_upstream_tries (0): How many servers are tried. Zero: all.
}

// A module of your own is a few forms.
func ExampleTable_With() {
	t, err := directive.Nginx("1.28.0")
	if err != nil {
		log.Fatal(err)
	}
	const module = "ngx_http_hello_module"
	t = t.With(
		directive.Form{Name: "hello", Module: module, Contexts: directive.HTTPLocation, Args: directive.Take0 | directive.Take1},
		directive.Form{Name: "hello_level", Module: module, Contexts: directive.HTTP | directive.HTTPServer, Args: directive.Take1,
			Type: directive.Enum, Values: []string{"low", "high"}, Once: true},
	)
	fmt.Println(t.Complete(directive.HTTPServer|directive.HTTPLocation, "hello"))
	fmt.Println(t.Near("helo"))
	// Output:
	// [hello hello_level]
	// [hello]
}

// The output of "nginx -V" tells which of nginx's own modules are there.
func ExampleTable_Built() {
	t, err := directive.Nginx("1.22.1")
	if err != nil {
		log.Fatal(err)
	}
	t = t.Own().Built("--with-http_ssl_module --with-threads --without-http_autoindex_module")
	for _, name := range []string{"ssl_certificate", "autoindex", "http2_max_concurrent_streams", "gzip"} {
		fmt.Println(name, t.Lookup(name) != nil)
	}
	// Output:
	// ssl_certificate true
	// autoindex false
	// http2_max_concurrent_streams false
	// gzip true
}

func ExampleTable_Near() {
	t := directive.All()
	for _, name := range []string{"proxy_set_headr", "server-name", "locaton"} {
		fmt.Printf("unknown directive %q: did you mean %q?\n", name, t.Near(name)[0])
	}
	// Output:
	// unknown directive "proxy_set_headr": did you mean "proxy_set_header"?
	// unknown directive "server-name": did you mean "server_name"?
	// unknown directive "locaton": did you mean "location"?
}

func ExampleTable_Variable() {
	t := directive.All()
	for _, name := range []string{"remote_addr", "http_x_request_id", "hostt"} {
		v, ok := t.Variable(name)
		fmt.Printf("$%s: %t %s %s\n", name, ok, v.Area, v.Module)
	}
	// Output:
	// $remote_addr: true http, stream ngx_http_core_module
	// $http_x_request_id: true http ngx_http_core_module
	// $hostt: false
}

func ExampleReplacements() {
	for _, r := range directive.Replacements("listen") {
		fmt.Printf("%s … %s: since %s, write %s\n", r.Name, r.Parameter, r.Since, r.Instead)
	}
	// Output:
	// listen … http2: since 1.25.1, write http2 on;
}

// Without a table of your own it is a few lines to list what a release brought.
func ExampleTable_Forms() {
	var names []string
	for f := range directive.All().Forms() {
		if f.Since == (directive.Version{Major: 1, Minor: 31, Patch: 0}) && !strings.HasPrefix(f.Name, "tunnel_") {
			names = append(names, f.Name)
		}
	}
	fmt.Println(slices.Compact(names))
	// Output: [least_time proxy_ssl_alpn]
}
