package nginxacl_test

import (
	"fmt"
	"net/netip"
	"testing/fstest"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

var files = fstest.MapFS{
	"nginx.conf": {Data: []byte("events {}\nhttp {\n    include conf.d/*.conf;\n}\n")},
	"conf.d/scout.conf": {Data: []byte(`server {
    listen 80;
    server_name scout.example.se;
    include office;
    location / { proxy_pass http://127.0.0.1:8083; }
}
`)},
	"office": {Data: []byte("allow 192.0.2.0/24;\ndeny all;\n")},
}

func ExampleExplain() {
	config, err := nginxconf.Load(files, "nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	e, err := nginxacl.Explain(config, nginxacl.Query{
		Client: netip.MustParseAddr("10.3.4.5"),
		Listen: netip.MustParseAddrPort("192.0.2.1:80"),
		Host:   "scout.example.se", URI: "/",
	})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(e.Verdict, e.Rule)
	for _, s := range e.Steps {
		fmt.Println(s.Phase+":", s.Text)
	}
	// Output:
	// denied deny all;
	// find-server: server serves scout.example.se
	// find-config: location / takes /
	// access: office:2:1: deny all; is the first rule that matches 10.3.4.5
}

func ExampleFor() {
	config, err := nginxconf.Load(files, "nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	for d, context := range config.All() {
		if d.Name() != "location" {
			continue
		}
		policy, err := nginxacl.For(config, append(context, d))
		if err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%s: from the %s\n", d.Pos(), policy.Level[len(policy.Level)-1].Name())
		fmt.Print(policy.List)
	}
	// Output:
	// conf.d/scout.conf:5:5: from the server
	// allow 192.0.2.0/24;
	// deny all;
}
