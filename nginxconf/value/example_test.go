package value_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// Which servers share a socket?
func ExampleParseListen() {
	f, err := nginxconf.Parse("nginx.conf", []byte(`
server { listen 80; server_name a; }
server { listen *:80 default_server; server_name b; }
server { listen [::]:80; server_name c; }
`))
	if err != nil {
		panic(err)
	}
	on := map[value.Socket]int{}
	for d := range f.Find("server", "listen") {
		l, err := value.ParseListen(d.Args()...)
		if err != nil {
			panic(err)
		}
		on[l.Socket]++
	}
	for socket, n := range on {
		fmt.Println(socket, n)
	}
	// Unordered output:
	// 0.0.0.0:80 2
	// [::]:80 1
}

// Errors are what nginx would say.
func ExampleParseListen_error() {
	_, err := value.ParseListen("127.0.0.1:80800", "ssl")
	fmt.Println(err)
	// Output: invalid port in "127.0.0.1:80800" of the "listen" directive
}

// The modifier of a location may be glued to its name.
func ExampleParseLocation() {
	for _, args := range []string{"/app/", "^~ /static/", "=/status", "~* \\.png$"} {
		l, err := value.ParseLocation(strings.Split(args, " ")...)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%2s %s\n", l.Modifier, l.Name)
	}
	// Output:
	//    /app/
	// ^~ /static/
	//  = /status
	// ~* \.png$
}

// Does the backend see the location's name in the URI?
func ExampleParseProxyPass() {
	for _, s := range []string{"http://localhost:8083", "http://localhost:8083/"} {
		p, err := value.ParseProxyPass(s)
		if err != nil {
			panic(err)
		}
		network, address := p.Address()
		fmt.Println(network, address, p.URI == "")
	}
	// Output:
	// tcp localhost:8083 true
	// tcp localhost:8083 false
}

// Which variables does a value use?
func ExampleParts() {
	for p, err := range value.Parts("https://${host}$request_uri") {
		if err != nil {
			panic(err)
		}
		if p.Name != "" {
			fmt.Println(p.Name)
		}
	}
	// Output:
	// host
	// request_uri
}

func ExampleExpand() {
	s, err := value.Expand("$greeting, ${who}!", func(name string) (string, error) {
		return map[string]string{"greeting": "Hello", "who": "nginx"}[name], nil
	})
	fmt.Println(s, err)
	// Output: Hello, nginx! <nil>
}

func ExampleParseTime() {
	d, err := value.ParseTime("1h 30m")
	fmt.Println(d, err)
	_, err = value.ParseTime("30m 1h")
	fmt.Fprintln(os.Stdout, err)
	// Output:
	// 1h30m0s <nil>
	// invalid value
}
