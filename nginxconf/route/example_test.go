package route_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"testing/fstest"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// newRouter reads the text of an http block.
func newRouter(text string) *route.Router {
	fsys := fstest.MapFS{"etc/nginx/nginx.conf": {Data: []byte("events { }\nhttp {\n" + text + "}\n")}}
	c, err := nginxconf.Load(fsys, "etc/nginx/nginx.conf", nil)
	if err != nil {
		log.Fatal(err)
	}
	r, err := route.New(c)
	if err != nil {
		log.Fatal(err)
	}
	return r
}

// Which location serves a request, and where does it lead?
func Example() {
	r := newRouter(`
server {
    listen 443 ssl;
    server_name scout.example.se;
    location / {
        proxy_pass http://localhost:8083;
    }
    location /api/ {
        proxy_pass http://localhost:8084/v1/;
    }
}
`)
	m, err := r.Match(route.Request{
		Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true,
		ServerName: "scout.example.se", Host: "scout.example.se",
		URI: "/api//cases?sort=name",
	})
	if err != nil {
		log.Fatal(err)
	}
	_, address := m.Target.Pass.Address()
	fmt.Println(m.Location.Pos(), m.Path)
	fmt.Println(address, m.Target.URI)
	// Output:
	// etc/nginx/nginx.conf:10:5 /api/cases
	// localhost:8084 /v1/cases?sort=name
}

// What replies before access rules are looked at? Here, all of port 80.
func ExampleRouter_Match_answer() {
	r := newRouter(`
server {
    listen 80;
    server_name scout.example.se;
    return 301 https://$host$request_uri;
    location / { deny all; }
}
`)
	m, err := r.Match(route.Request{
		Listen: netip.MustParseAddrPort("192.0.2.1:80"),
		Host:   "Scout.example.se:80",
		URI:    "/cases?sort=name",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Answer.Status, m.Answer.Location)
	fmt.Println(m.Answer.By.Pos())
	// Output:
	// 301 https://scout.example.se/cases?sort=name
	// etc/nginx/nginx.conf:7:5
}

// What cannot be decided is said, and never guessed: here, what is in a file.
func ExampleRouter_Match_unsure() {
	r := newRouter(`
server {
    location / { if (-f $request_filename) { return 403; } }
    location ~ \.(php|cgi)$ { return 404; }
}
`)
	for _, uri := range []string{"/index.php", "/index.html"} {
		m, err := r.Match(route.Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", URI: uri})
		if err != nil {
			log.Fatal(err)
		}
		if m.Answer != nil {
			fmt.Println(uri, "is answered with", m.Answer.Status, m.Captures)
		} else {
			fmt.Println(uri, "is unsure:", m.Unsure)
		}
	}
	// Output:
	// /index.php is answered with 404 [.php php]
	// /index.html is unsure: [answer: if at etc/nginx/nginx.conf:5:18 is not decided]
}

// Where does a rewrite lead, and what does the backend see?
func ExampleMatch_Expand() {
	r := newRouter(`
map $http_accept_language $lang { default en; ~^sv sv; }
server {
    location / {
        rewrite ^/old/(?<what>\w+)$ /cases/$what?lang=$lang last;
    }
    location /cases/ {
        proxy_pass http://localhost:8083/;
    }
}
`)
	m, err := r.Match(route.Request{
		Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "scout.example.se", URI: "/old/rare?sort=name",
		Header: http.Header{"Accept-Language": {"sv-SE"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, move := range m.Moves {
		fmt.Println(move.By.Pos(), "leads to", move.To)
	}
	fmt.Println(m.Location.Args(), m.Target.URI)
	text, err := m.Expand("$what of $uri in $lang")
	fmt.Println(text, err)
	// Output:
	// etc/nginx/nginx.conf:7:9 leads to /cases/rare
	// [/cases/] /rare?lang=sv&sort=name
	// rare of /cases/rare in sv <nil>
}

// Where may a request end up once it was granted access, and where if not?
func ExampleMatch_Next() {
	r := newRouter(`
server {
    error_page 403 /sorry.html;
    location / { deny 192.0.2.0/24; try_files $uri @app; }
    location @app { proxy_pass http://localhost:8083; }
    location = /sorry.html { allow all; }
}
`)
	m, err := r.Match(route.Request{Listen: netip.MustParseAddrPort("192.0.2.1:80"), Host: "h", URI: "/cases"})
	if err != nil {
		log.Fatal(err)
	}
	next, here := m.Next()
	fmt.Println("a file:", here)
	for _, n := range next {
		fmt.Println("or", n.Location.Args(), n.Target.URI)
	}
	refused := m.Refuse(403)
	fmt.Println("else", refused.Status, "and", refused.Location.Args())
	// Output:
	// a file: true
	// or [@app] /cases
	// else 403 and [= /sorry.html]
}

// Which server of the stream block takes a connection?
func ExampleRouter_MatchStream() {
	fsys := fstest.MapFS{"nginx.conf": {Data: []byte(`
stream {
    upstream db { server 10.0.0.1:5432; server 10.0.0.2:5432 backup; }
    server { listen 5432; allow 10.0.0.0/8; deny all; proxy_pass db; }
}
`)}}
	c, err := nginxconf.Load(fsys, "nginx.conf", nil)
	if err != nil {
		log.Fatal(err)
	}
	r, err := route.New(c)
	if err != nil {
		log.Fatal(err)
	}
	m, err := r.MatchStream(route.StreamRequest{Listen: netip.MustParseAddrPort("192.0.2.1:5432")})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range m.Target.Servers(c) {
		_, address := s.Address()
		fmt.Println(address, s.Backup)
	}
	// Output:
	// 10.0.0.1:5432 false
	// 10.0.0.2:5432 true
}

// A front door: requests go where nginx would send them.
func ExampleFromHTTP() {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "backend:", r.Host, r.RequestURI, r.Header.Get("X-Forwarded-For"))
	}))
	defer backend.Close()

	front := httptest.NewUnstartedServer(nil)
	front.Config.Handler = frontDoor(newRouter(fmt.Sprintf(`
proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
server {
    listen %d;
    location /app/ { proxy_pass http://%s/; }
    location = /status { return 200 "fine here\n"; }
}
`, front.Listener.Addr().(*net.TCPAddr).Port, backend.Listener.Addr())))
	front.Start()
	defer front.Close()

	for _, path := range []string{"/status", "/app/cases?sort=name"} {
		request, err := http.NewRequest("GET", front.URL+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		request.Host = "scout.example.se"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(string(body))
	}
	// Output:
	// fine here
	// backend: scout.example.se /cases?sort=name 127.0.0.1
}

func frontDoor(router *route.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := router.Match(route.FromHTTP(r))
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		case m.Answer != nil:
			if m.Answer.Location != "" {
				w.Header().Set("Location", m.Answer.Location)
			}
			w.WriteHeader(m.Answer.Status)
			_, _ = io.WriteString(w, m.Answer.Body)
		case m.Target != nil && len(m.Unsure) == 0:
			to, err := m.Target.URL()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			header, err := m.BackendHeader()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			proxy := httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
				p.Out.URL, p.Out.Header, p.Out.Host = to, header, header.Get("Host")
			}}
			proxy.ServeHTTP(w, r)
		default:
			http.Error(w, fmt.Sprint("no backend: ", m.Unsure), http.StatusNotFound)
		}
	})
}
