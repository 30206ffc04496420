package nginxconf_test

import (
	"fmt"
	"testing/fstest"

	"github.com/onehost-go/onehost/nginxconf"
)

func ExampleParse() {
	src := []byte(`server {
    listen 443 ssl;
    server_name scout.example.se;   # as in DNS
    location / { proxy_pass http://localhost:8083; }
}
`)
	f, err := nginxconf.Parse("scout.conf", src)
	if err != nil {
		fmt.Println(err)
	}
	for d := range f.Find("server", "location[/]", "proxy_pass") {
		fmt.Println(d.Pos(), d.Arg(0))
		d.SetArgs("http://127.0.0.1:8083")
	}
	fmt.Print(string(f.Bytes()))
	// Output:
	// scout.conf:4:18 http://localhost:8083
	// server {
	//     listen 443 ssl;
	//     server_name scout.example.se;   # as in DNS
	//     location / { proxy_pass http://127.0.0.1:8083; }
	// }
}

func ExampleParse_errors() {
	f, err := nginxconf.Parse("scout.conf", []byte("server {\n    listen 80\n    server_name scout;\n}\n}\nevents {\n"))
	fmt.Println(err)
	for d := range f.All() {
		fmt.Println(d.Name(), d.Args())
	}
	// Output:
	// scout.conf:5:1: unexpected "}" [unexpected-brace]
	// scout.conf:7:1: unexpected end of file, expecting "}" [unexpected-end]
	// server []
	// listen [80 server_name scout]
	// events []
}

func ExampleBody_Insert() {
	f, _ := nginxconf.Parse("nginx.conf", []byte("http {\n\tinclude mime.types;\n}\n"))
	server := nginxconf.NewBlock("server")
	server.Body().Append(
		nginxconf.New("listen", "80"),
		nginxconf.New("return", "301", "https://$host$request_uri"),
	)
	for http := range f.Find("http") {
		http.Body().Append(server)
	}
	fmt.Print(string(f.Bytes()))
	// Output:
	// http {
	// 	include mime.types;
	// 	server {
	// 		listen 80;
	// 		return 301 https://$host$request_uri;
	// 	}
	// }
}

func ExampleLoad() {
	host := fstest.MapFS{
		"etc/nginx/nginx.conf":       {Data: []byte("events {}\nhttp {\n    include conf.d/*.conf;\n}\n")},
		"etc/nginx/conf.d/a.conf":    {Data: []byte("server {\n    listen 80;\n}\n")},
		"etc/nginx/conf.d/b.conf":    {Data: []byte("server {\n    listen 81;\n}\n")},
		"etc/nginx/conf.d/.old.conf": {Data: []byte("nginx does not read this")},
	}
	c, err := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	for d, context := range c.All() {
		if d.Name() == "listen" {
			fmt.Println(d.Pos(), len(context), context[1].Name(), d.Arg(0))
		}
	}
	// Output:
	// etc/nginx/conf.d/a.conf:2:5 2 server 80
	// etc/nginx/conf.d/b.conf:2:5 2 server 81
}

func ExampleDiff() {
	f, _ := nginxconf.Parse("scout.conf", []byte("server {\n    listen 80;   # plain\n    server_name scout;\n}\n"))
	for d := range f.Query("server/server_name") {
		d.SetArgs("scout.example.se")
	}
	fmt.Print(string(nginxconf.Diff(f.Name, f.Original(), f.Bytes())))
	// Output:
	// --- scout.conf
	// +++ scout.conf
	// @@ -1,4 +1,4 @@
	//  server {
	//      listen 80;   # plain
	// -    server_name scout;
	// +    server_name scout.example.se;
	//  }
}

func ExampleBody_InsertText() {
	f, _ := nginxconf.Parse("nginx.conf", []byte("http {\n  include mime.types;\n  # the sites\n}\n"))
	for http := range f.Find("http") {
		err := http.Body().InsertText(1, `
# Scout
server {
  listen 80;
  server_name scout.example.se;
}`)
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Print(string(f.Bytes()))
	// Output:
	// http {
	//   include mime.types;
	//   # Scout
	//   server {
	//     listen 80;
	//     server_name scout.example.se;
	//   }
	//   # the sites
	// }
}

func ExampleFormat() {
	out, err := nginxconf.Format([]byte("server{listen 80;  # plain\nlocation /   {return 204 ; }}"))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(out))
	// Output:
	// server {
	//     listen 80; # plain
	//     location / {
	//         return 204;
	//     }
	// }
}

func ExampleConfig_Effective() {
	host := fstest.MapFS{"nginx.conf": {Data: []byte(`
http {
    proxy_set_header Host $host;
    server {
        location / { proxy_pass http://127.0.0.1:8083; }
        location /ws { proxy_set_header Upgrade $http_upgrade; proxy_pass http://127.0.0.1:8083; }
    }
}`)}}
	c, err := nginxconf.Load(host, "nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	for d, context := range c.All() {
		if d.Name() == "proxy_pass" {
			headers, _ := c.Effective(context, "proxy_set_header")
			fmt.Println(context[len(context)-1].Arg(0), headers)
		}
	}
	// Output:
	// / [proxy_set_header Host $host;]
	// /ws [proxy_set_header Upgrade $http_upgrade;]
}
