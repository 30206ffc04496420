package nginxacl_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"testing/fstest"

	"github.com/onehost-go/onehost/acl"
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

// Why is 10.3.4.5 refused on scout?
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

// Who serves a request, and who is its client? A Judge answers many questions
// about one configuration.
func ExampleJudge() {
	config, err := nginxconf.Load(fstest.MapFS{"nginx.conf": {Data: []byte(`events {}
http {
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    server {
        listen 80 default_server;
        return 444;
    }
    server {
        listen 80;
        server_name *.example.se;
        allow 192.0.2.0/24;
        deny all;
        location / { proxy_pass http://127.0.0.1:8083; }
        location ~ ^/pub/ { allow all; proxy_pass http://127.0.0.1:8083; }
    }
}
`)}}, "nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	judge, err := nginxacl.New(config, nil)
	if err != nil {
		fmt.Println(err)
	}
	for _, uri := range []string{"/pub/logo.png", "/pub/../cases"} {
		e, err := judge.Explain(nginxacl.Query{
			Client: netip.MustParseAddr("127.0.0.1"),
			Listen: netip.MustParseAddrPort("127.0.0.1:80"),
			Host:   "scout.example.se", URI: uri,
			Header: http.Header{"X-Forwarded-For": {"198.51.100.7"}},
		})
		if err != nil {
			fmt.Println(uri, err)
			continue
		}
		fmt.Println(uri, e.Chain[len(e.Chain)-1].Pos(), e.Client, e.Verdict, e.Status)
	}
	// Output:
	// /pub/logo.png nginx.conf:15:9 198.51.100.7 allowed 0
	// /pub/../cases nginx.conf:14:9 198.51.100.7 denied 403
}

// What does this change open up?
func ExampleDiff() {
	load := func(site string) *nginxconf.Config {
		config, err := nginxconf.Load(fstest.MapFS{"nginx.conf": {Data: []byte("events {}\nhttp {\n" + site + "}\n")}}, "nginx.conf", nil)
		if err != nil {
			fmt.Println(err)
		}
		return config
	}
	changes, err := nginxacl.Diff(load(`server {
    listen 80;
    server_name scout.example.se;
    allow 192.0.2.0/24;
    deny all;
    location / { proxy_pass http://127.0.0.1:8083; }
}
`), load(`server {
    listen 80;
    server_name scout.example.se;
    allow 192.0.2.0/24;
    deny all;
    location / { proxy_pass http://127.0.0.1:8083; }
    location /metrics { allow 10.8.0.0/16; proxy_pass http://127.0.0.1:8083; }
}
`))
	if err != nil {
		fmt.Println(err)
	}
	names, err := acl.ParseNames("networks", []byte("office = 192.0.2.0/24\nvpn = 10.8.0.0/16\n"))
	if err != nil {
		fmt.Println(err)
	}
	if err := changes.WriteText(os.Stdout, names); err != nil {
		fmt.Println(err)
	}
	fmt.Println("somebody gains access:", changes.Open())
	// Output:
	// scout.example.se, any other host /metrics* on 0.0.0.0:80
	//     gain access: everybody but office
	//     before: location /: allow 192.0.2.0/24; deny all; (nginx.conf:6:5, inherited from server)
	//     after:  location /metrics: allow 10.8.0.0/16; (nginx.conf:9:25)
	// somebody gains access: true
}

// Who gets in where?
func ExampleMatrix() {
	config, err := nginxconf.Load(files, "nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	rows, err := nginxacl.Matrix(config)
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range rows {
		fmt.Println(r.Name(), "lets in", r.Reach.Describe(nil))
	}
	// Output:
	// server lets in 192.0.2.0/24
	// location / lets in 192.0.2.0/24
}
