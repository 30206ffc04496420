package lint_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// host is what a host's root directory holds.
var host = fstest.MapFS{
	"etc/nginx/nginx.conf": {Data: []byte(`events {}
http {
    include conf.d/*.conf;
}
`)},
	"etc/nginx/conf.d/nipt.conf": {Data: []byte(`server {
    listen 443 ssl;
    server_name nipt.example.se;
    include office.conf;
    deny all;
    location / {
        # lint:ignore proxy-localhost-name this one listens on both
        proxy_pass http://localhost:8082;
    }
}
`)},
	"etc/nginx/conf.d/scout.conf": {Data: []byte(`server {
    listen 443 ssl;
    server_name scout.example.se;
    allow 192.0.2.0/24;
    location / {
        proxy_set_header Host $host;
        proxy_pass http://127.0.0.1:8083;
    }
}
`)},
	"etc/nginx/office.conf": {Data: []byte("allow 192.0.2.0/24;\n")},
}

func ExampleRun() {
	c, err := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	if err != nil {
		fmt.Println(err)
	}
	findings, err := lint.Run(c, lint.Default()...)
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range findings {
		file, line, message := f.Start.Filename, f.Start.Line, f.Message
		fmt.Printf("%s:%d: %v: %.60s… [%s]\n", strings.TrimPrefix(file, "etc/nginx/conf.d/"), line, f.Level, message, f.Code)
	}
	// Output:
	// nipt.conf:2: WARN: 2 servers listen on 0.0.0.0:443 and none is its default_serv… [default-server-implicit]
	// nipt.conf:8: WARN: the application does not get the Host that the client asked … [proxy-host-header-missing]
	// nipt.conf:8: WARN: the application does not get X-Forwarded-For nor X-Forwarded… [proxy-forwarded-headers-missing]
	// scout.conf:4: ERROR: allow without deny: an address that matches none of these ru… [acl-allow-without-deny]
	// scout.conf:7: WARN: the application does not get X-Forwarded-For nor X-Forwarded… [proxy-forwarded-headers-missing]
}

// A check of one's own: a site's file is named after its subdomain.
func ExampleCheck() {
	siteFile := &lint.Check{
		Name:  "site-file",
		Doc:   "The file conf.d/SUBDOMAIN.conf holds the servers of that subdomain.",
		Level: slog.LevelWarn,
		Run: func(p *lint.Pass) error {
			for d := range p.All("server_name") {
				name := d.Pos().Filename
				for _, host := range d.Args() {
					if subdomain, _, _ := strings.Cut(host, "."); !strings.HasSuffix(name, "/"+subdomain+".conf") {
						p.Report(d, nil, "%s has a file of its own", host)
					}
				}
			}
			return nil
		},
	}
	c, _ := nginxconf.Load(fstest.MapFS{
		"etc/nginx/conf.d/scout.conf": {Data: []byte("server { server_name scout.example.se nipt.example.se; }\n")},
	}, "etc/nginx/conf.d/scout.conf", nil)
	findings, _ := lint.Run(c, append(lint.Default(), siteFile)...)
	fmt.Println(findings)
	// Output:
	// etc/nginx/conf.d/scout.conf:1:10: nipt.example.se has a file of its own [site-file]
}

// Only some checks, one of them as graver than it is.
func ExampleDefault() {
	c, _ := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	checks := slices.DeleteFunc(lint.Default(), func(check *lint.Check) bool {
		return check.ID != "NX101" && check.ID != "NX302"
	})
	for _, check := range checks {
		check.Level = slog.LevelError
	}
	findings, _ := lint.Run(c, checks...)
	for _, f := range findings {
		fmt.Println(f.Level, f.Code)
	}
	// Output:
	// ERROR default-server-implicit
	// ERROR acl-allow-without-deny
}

// What a fix would change.
func ExampleRun_fixes() {
	c, _ := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	findings, _ := lint.Run(c, lint.Default()[0])
	for _, f := range findings {
		for _, fix := range f.Fixes {
			fmt.Println(fix.Message)
			for _, e := range fix.Edits {
				fmt.Printf("%v: %q\n", e.Start, e.NewText)
			}
		}
	}
	// Output:
	// deny the rest: append "deny all;"
	// etc/nginx/conf.d/scout.conf:4:24: "\n    deny all;"
}
