package generate_test

import (
	"fmt"

	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/portmap/generate"
	"github.com/onehost-go/onehost/supervisorconf"
)

func ExampleSite() {
	s := portmap.Service{Name: "Scout", Subdomain: "scout", Port: 8083}
	site, err := generate.Site(s, &generate.Options{Domain: "example.se"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(site.Name)
	for d := range site.Find("server", "location[/]", "proxy_pass") {
		fmt.Println(d)
	}
	// Output:
	// conf.d/scout.conf
	// proxy_pass http://127.0.0.1:8083;
}

func ExampleProgram() {
	f, _ := supervisorconf.Parse("supervisord.conf", []byte("[supervisord]\n"))
	s := portmap.Service{Name: "Scout", Subdomain: "scout-stage", Port: 7073, Environment: portmap.Stage}
	if err := generate.Program(f, s, nil); err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(f.Bytes()))
	// Output:
	// [supervisord]
	//
	// [program:scout-stage]
	// command=gunicorn --workers=2 --bind=127.0.0.1:7073 --access-logfile=- --error-logfile=- scout.server.auto:app
	// autostart=true
	// autorestart=true
	// redirect_stderr=true
	// stdout_logfile=/var/log/supervisor/scout-stage.log
}

func ExampleTree() {
	doc, err := portmap.ParseMarkdown("services.md", []byte(`
| service | subdomain | port |
|---------|-----------|------|
| Scout   | scout     | 8083 |
| NIPT    | nipt      | 8082 |
`))
	if err != nil {
		fmt.Println(err)
	}
	files, err := generate.Tree(doc.Map(), nil)
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range files {
		fmt.Println(f.Name)
	}
	// Output:
	// nginx/nginx.conf
	// nginx/conf.d/scout.conf
	// nginx/conf.d/nipt.conf
	// supervisor/supervisord.conf
}
