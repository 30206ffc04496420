package crossplane_test

import (
	"encoding/json"
	"fmt"
	"testing/fstest"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/crossplane"
)

func ExampleFromConfig() {
	host := fstest.MapFS{
		"etc/nginx/nginx.conf":    {Data: []byte("http {\n    include conf.d/*.conf; # the sites\n}\n")},
		"etc/nginx/conf.d/a.conf": {Data: []byte("server { if ($http_x = '') { return 403; } }\n")},
	}
	c, err := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	p := crossplane.FromConfig(c, &crossplane.Options{Comments: true})
	for _, f := range p.Config {
		out, err := json.Marshal(f.Parsed)
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println(f.File)
		fmt.Println(string(out))
	}
	// Output:
	// etc/nginx/nginx.conf
	// [{"directive":"http","line":1,"args":[],"block":[{"directive":"include","line":2,"args":["conf.d/*.conf"],"includes":[1]},{"directive":"#","line":2,"args":[],"comment":" the sites"}]}]
	// etc/nginx/conf.d/a.conf
	// [{"directive":"server","line":1,"args":[],"block":[{"directive":"if","line":1,"args":["$http_x","=",""],"block":[{"directive":"return","line":1,"args":["403"]}]}]}]
}

func ExampleToFiles() {
	var p crossplane.Payload
	err := json.Unmarshal([]byte(`{"status": "ok", "errors": [], "config": [{
		"file": "/etc/nginx/conf.d/scout.conf", "status": "ok", "errors": [], "parsed": [
			{"directive": "server", "line": 1, "args": [], "block": [
				{"directive": "server_name", "line": 2, "args": ["scout.example.se"]},
				{"directive": "#", "line": 2, "args": [], "comment": " as in DNS"},
				{"directive": "location", "line": 3, "args": ["~", "\\.php$"], "block": [
					{"directive": "return", "line": 4, "args": ["403", "not here"]}
				]}
			]}
		]}
	]}`), &p)
	if err != nil {
		fmt.Println(err)
	}
	files, err := crossplane.ToFiles(&p)
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range files {
		fmt.Println(f.Name)
		fmt.Print(string(f.Bytes()))
	}
	// Output:
	// /etc/nginx/conf.d/scout.conf
	// server {
	//     server_name scout.example.se; # as in DNS
	//     location ~ \.php$ {
	//         return 403 "not here";
	//     }
	// }
}

func ExampleOptions_combine() {
	host := fstest.MapFS{
		"etc/nginx/nginx.conf": {Data: []byte("http {\n    include site;\n}\n")},
		"etc/nginx/site":       {Data: []byte("server {\n    listen 80;\n}\n")},
	}
	c, err := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	p := crossplane.FromConfig(c, &crossplane.Options{Combine: true})
	var show func(list []*crossplane.Directive, indent string)
	show = func(list []*crossplane.Directive, indent string) {
		for _, d := range list {
			fmt.Printf("%s%s %q %s:%d\n", indent, d.Directive, d.Args, d.File, d.Line)
			show(d.Block, indent+"    ")
		}
	}
	show(p.Config[0].Parsed, "")
	// Output:
	// http [] etc/nginx/nginx.conf:1
	//     server [] etc/nginx/site:1
	//         listen ["80"] etc/nginx/site:2
}
