package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

type generator struct {
	*rand.Rand
	dir     string
	backend string

	ports   [3]uint16 // plain, TLS, dual stack (0: no IPv6)
	any     [3]bool   // there is a socket for any address
	sockets []testenv.Socket
	used    map[string]bool // flags and options that may stand once a socket
	nextID  int
	regexes bool
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// oneIn is true once in n times.
func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func (g *generator) join(n int, pieces ...string) string {
	var b strings.Builder
	for range 1 + g.IntN(n) {
		b.WriteString(pick(g, pieces...))
	}
	return b.String()
}

var loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")}

// open binds what the configuration may listen on. Where there is a socket for
// any address, nginx listens on that alone.
func (g *generator) open(t *testing.T) {
	g.used = map[string]bool{}
	for i := range 2 {
		g.any[i] = g.oneIn(2)
		for {
			socket, err := testenv.Listen(netip.MustParseAddrPort("0.0.0.0:0"), false)
			require.NoError(t, err)
			port := socket.Addr.Port()
			g.ports[i] = port
			if g.any[i] {
				g.sockets = append(g.sockets, socket)
				break
			}
			socket.File.Close()
			var each []testenv.Socket
			for _, a := range loopback {
				socket, err := testenv.Listen(netip.AddrPortFrom(a, port), false)
				if err != nil {
					break // somebody took the port meanwhile
				}
				each = append(each, socket)
			}
			if len(each) == len(loopback) {
				g.sockets = append(g.sockets, each...)
				break
			}
			for _, s := range each {
				s.File.Close()
			}
		}
	}
	socket, err := testenv.Listen(netip.MustParseAddrPort("[::]:0"), false)
	if err == nil {
		g.ports[2] = socket.Addr.Port()
		g.sockets = append(g.sockets, socket)
	}
}

func (g *generator) listens() string {
	var b strings.Builder
	seen := map[string]bool{}
	for range 1 + g.IntN(3) {
		i := g.IntN(3)
		if g.ports[i] == 0 {
			i = 0 // and never without a listen: that would be port 80
		}
		address := pick(g, "127.0.0.1", "127.0.0.2", "127.0.0.3")
		switch {
		case i == 2:
			address = pick(g, "[::]", "[::]", "[::ffff:127.0.0.2]", "[::1]")
		case g.any[i] && g.oneIn(2):
			address = pick(g, "*", "0.0.0.0", "...")
		}
		key := fmt.Sprintf("%s:%d", strings.NewReplacer("0.0.0.0", "*", "...", "*").Replace(address), g.ports[i])
		if seen[key] {
			continue
		}
		seen[key] = true
		line := fmt.Sprintf("listen %s:%d", address, g.ports[i])
		if i == 1 && g.oneIn(2) {
			line += " ssl"
		}
		if g.oneIn(6) && !g.used["default "+key] {
			g.used["default "+key] = true
			line += pick(g, " default_server", " default")
		}
		if i == 2 && address == "[::]" && !g.used["options"] {
			g.used["options"] = true
			line += " ipv6only=off"
		}
		b.WriteString(line + ";\n")
	}
	return b.String()
}

// always returns servers that make sure that all sockets are in use, in the
// form that they were bound in.
func (g *generator) always() string {
	var b strings.Builder
	addresses := func(i int) []string {
		if g.any[i] {
			return []string{"*"}
		}
		return []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}
	}
	for i := range 2 {
		for _, a := range addresses(i) {
			ssl := ""
			if i == 1 {
				ssl = " ssl"
			}
			fmt.Fprintf(&b, "server { listen %s:%d%s; server_name always; %s %s}\n", a, g.ports[i], ssl, g.id(), g.locations())
		}
	}
	if g.ports[2] != 0 {
		options := ""
		if !g.used["options"] {
			options = " ipv6only=off"
		}
		fmt.Fprintf(&b, "server { listen [::]:%d%s; server_name always; %s %s}\n", g.ports[2], options, g.id(), g.locations())
	}
	return b.String()
}

// id makes a block name itself.
func (g *generator) id() string {
	g.nextID++
	return fmt.Sprintf("add_header X-Id %d always;", g.nextID)
}

func (g *generator) names() string {
	var b strings.Builder
	for range g.IntN(3) {
		b.WriteString("server_name")
		for range 1 + g.IntN(3) {
			name := pick(g, "a.test", "b.test", "A.test", "www.a.test", "x.www.a.test", "*.test", "*.a.test", ".a.test", ".www.a.test", "www.*", "www.a.*", "a.*", "localhost", "127.0.0.1", "[::1]", "")
			if g.regexes && g.oneIn(6) {
				name = pick(g, `~^r\d`, `~^(?<who>.+)\.re$`, `~^(.)\.(te)`, `~A`)
			}
			b.WriteString(" " + quoted(name))
		}
		b.WriteString(";\n")
	}
	return b.String()
}

const show = `$mine|$other|$m2|$cookie_a|$uri|$document_uri|$args|$query_string|$is_args|$arg_x|$request_uri|$host|$http_host|$server_name|$scheme|$https|$remote_addr|` +
	`$server_addr|$server_port|$request_method|$http_x_some|$content_length|${URI}`

// settings are directives that stand at any level; server says where they may.
func (g *generator) settings(server bool) string {
	var b strings.Builder
	add := func(n int, directives ...string) {
		if g.oneIn(n) {
			b.WriteString(pick(g, directives...) + "\n")
		}
	}
	add(5, "absolute_redirect off;", "absolute_redirect on;")
	add(5, "port_in_redirect off;", "port_in_redirect On;")
	add(5, "server_name_in_redirect on;", "server_name_in_redirect off;")
	add(8, "client_max_body_size 5;", "client_max_body_size 0;")
	if g.oneIn(8) {
		for range 1 + g.IntN(3) {
			fmt.Fprintf(&b, "error_page %s %s %s;\n", pick(g, "404", "404 405", "403 404 500", "301 302", "413 497", "403"), pick(g, "", "", "=", "=200", "=404", "=301"),
				pick(g, "/a/ep", "/ab", "/a/b?ep=1", "/none", "@n1", "@n2", "http://other/$uri", "/e$uri", "$m1", "/"))
		}
	}
	add(20, "recursive_error_pages on;")
	add(8, "index a b/;", "index /a/x;", "index index.html;")
	add(150, "index $arg_x /a/b;", "index $uri a;")
	add(8, "proxy_pass_request_headers off;", "proxy_pass_request_headers on;")
	if server {
		add(4, "merge_slashes off;", "merge_slashes on;")
	}
	if g.oneIn(3) {
		for range 1 + g.IntN(3) {
			b.WriteString(pick(g,
				`proxy_set_header Host $host;`, `proxy_set_header host $http_host;`, `proxy_set_header X-Real-IP $remote_addr;`, `proxy_set_header X-Some "";`,
				`proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`, `proxy_set_header X-Forwarded-Proto $scheme;`, `proxy_set_header X-P $proxy_host:$proxy_port;`,
				`proxy_set_header Connection "";`, `proxy_set_header X-Cap "$who/$mine/$other";`, `proxy_set_header X-Map "$m1/$m2";`, `proxy_set_header X-Two a${uri}z;`, `proxy_set_header X-Two ${args}b;`, `proxy_set_header Upgrade $http_upgrade;`) + "\n")
		}
	}
	return b.String()
}

// ret makes a return directive.
func (g *generator) ret() string {
	switch g.IntN(5) {
	case 0:
		return "return " + pick(g, "301", "302", "303", "307", "308") + " " + pick(g, `/to$uri`, `https://$host$request_uri`, `"$scheme://$server_name/$args"`, `""`, `to`, `/to/$1`) + ";\n"
	case 1:
		return "return " + pick(g, "200", "204", "300", "301", "304", "404", "410", "444", "408", "497", "499", "599", "700", "999", "https://$host/", `$scheme://a`, "403") + ";\n"
	}
	// A map may change the captures, and nobody wants to see both.
	return "return " + pick(g, "200", "200", "404", "403", "599", "201", "299", "400", "497") + " " + quoted(pick(g, "$1|$2|$3|$who|", "$m1|")+show) + ";\n"
}

// pattern makes a regular expression that has to do with the paths.
func (g *generator) pattern() string {
	if g.oneIn(200) {
		return "(?R)?a" // not known
	}
	return pick(g, "^/a/(.*)$", "^/(a)(b)?", "b$", "(?i)^/A", "^/ab", "^", "/(?<who>[^/]*)/?$", "^/+(.)", `\.php$`, "//", "^(.*)/b(.*)$", "[ +%]", "(a|b)+", "^/(?!a)", "(.)\\1")
}

// script makes directives of the rewrite module.
func (g *generator) script(depth int, location bool) string {
	var b strings.Builder
	for range 1 + g.IntN(3) {
		switch g.IntN(9) {
		case 0, 1, 2:
			to := pick(g, "/b", "/a/$1", "/a/b/$2", "/$1?x=$1", "/ab?", "/a?y=1?", "$uri/", "/$arg_x", "/a+b/$1$1", "/$who/%20", "/b/", "$1", "/a/b?$args", "/ab/$m1")
			flag := pick(g, "", " last", " last", " break", " break", " redirect", " permanent")
			if g.oneIn(8) {
				to, flag = pick(g, "http://h$uri", "https://h/$1?a", "$scheme://h/", "/x%2F$1%3Fy"), pick(g, "", " redirect", " permanent")
			}
			fmt.Fprintf(&b, "rewrite %s %s%s;\n", quoted(g.pattern()), quoted(to), flag)
		case 3, 4:
			b.WriteString(pick(g, "set $mine $uri;\n", "set $other a;\n", "set $mine $1;\n", "set $mine $mine$other;\n", `set $mine "$1-$2";`+"\n", "set $other $who;\n", "set $mine $m2;\n", "set $args y=1;\n", "set $args $1;\n"))
		case 5:
			b.WriteString(pick(g, "break;\n", g.ret()))
		default:
			if depth > 0 {
				continue
			}
			condition := pick(g, "$arg_x", "$mine", "$other", "$request_method = POST", "$uri = /a/b", "$uri != $mine", "$http_x_some = 1", "$args", "$m1 = two", "$m2", "$host = a.test", "$cookie_a = b", "$is_args", "$scheme = https")
			if g.oneIn(2) {
				condition = pick(g, "$uri", "$args", "$host", "$request_uri", "$m1", "$mine") + pick(g, " ~ ", " ~* ", " !~ ", " !~* ") + quoted(pick(g, g.pattern(), "x=(.*)", "^$", "test"))
			}
			own := ""
			if location && g.oneIn(3) {
				own = g.id() + "\n"
				if g.oneIn(3) {
					own += pick(g, "proxy_pass http://back;\n", "error_page 404 405 /a/b;\n")
				}
			}
			fmt.Fprintf(&b, "if (%s) {\n%s%s}\n", condition, own, g.script(depth+1, location))
		}
	}
	if g.oneIn(3) {
		b.WriteString(g.ret())
	}
	return b.String()
}

// rewrite makes a script for a server or a location.
func (g *generator) rewrite(location bool) string {
	if g.oneIn(3) {
		return g.script(0, location)
	}
	return pick(g, "", "", "", "", "break;\n") + g.ret()
}

// location makes a location below one named within, or at server level. Below a
// regular expression there are others.
func (g *generator) location(within string, depth int, taken map[string]bool) string {
	below := strings.HasPrefix(within, "~")
	name := within + pick(g, "/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/A", "/a b", "/\xc3\xa9/", "/a%", "/a/../b", "b", "c/", "/+", "/a|")
	if within != "" && g.oneIn(6) {
		name = within
	}
	modifier := pick(g, "", "", "", "", "= ", "=", "^~ ", "^~")
	if within == "" && g.oneIn(60) {
		name, modifier = "", ""
	}
	exact := strings.HasPrefix(modifier, "=")
	regex := below || g.regexes && g.oneIn(5)
	if regex {
		name, modifier, exact = g.pattern(), pick(g, "~ ", "~* "), false
		if g.oneIn(5) {
			name = "/a"
		}
	} else {
		key := fmt.Sprint(exact, name)
		if taken[key] {
			return ""
		}
		taken[key] = true
	}
	word := quoted(name)
	if strings.HasSuffix(modifier, " ") {
		word = modifier + word
	} else if modifier != "" {
		word = quoted(modifier + name)
	}
	if strings.HasPrefix(modifier, "~") && (name != "/a" || below) {
		name = "~" // but below "/a", there may be names that start with it
	}
	var b strings.Builder
	fmt.Fprintf(&b, "location %s {\n%s", word, g.inside(regex))
	if depth < 3 && !exact {
		inner := map[string]bool{}
		for range g.IntN(4) {
			b.WriteString(g.location(name, depth+1, inner))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

func (g *generator) tryFiles() string {
	return "try_files " + pick(g, "$uri", "$uri/", "$uri $uri/", "/x$1") + " " + pick(g, "=404", "=403", "/a/b", "/ab?x=$1", "@n1", "@none", "/e$uri?$args") + ";\n"
}

// inside makes what stands in a location; bare tells that proxy_pass has no URI
// there.
func (g *generator) inside(bare bool) string {
	var b strings.Builder
	b.WriteString(g.id() + "\n" + g.settings(false))
	if g.oneIn(15) {
		b.WriteString("internal;\n")
	}
	if g.oneIn(12) {
		b.WriteString(g.tryFiles())
	}
	switch g.IntN(7) {
	case 0, 1, 2:
		b.WriteString(g.rewrite(true))
	case 3:
		b.WriteString("empty_gif;\n")
	}
	if g.oneIn(2) {
		uri := pick(g, "", "", "/", "/b", "/b/", "/b?c=", "?d", "/\xc3\xa9%20")
		if bare {
			uri = ""
		}
		host := g.backend
		if g.oneIn(5) {
			host = pick(g, "back", "BACK", "$")
		}
		if strings.HasPrefix(host, "$") {
			uri = pick(g, "", "$uri", "/b", "?$args")
			host = "$http_x_back"
		}
		b.WriteString("proxy_pass " + quoted("http://"+host+uri) + ";\n")
	}
	if g.oneIn(6) {
		b.WriteString("limit_except " + pick(g, "GET", "POST", "get POST", "PUT") + " { " + pick(g, "allow all;", "deny all;") + " }\n")
	}
	return b.String()
}

// locations makes those of a server.
func (g *generator) locations() string {
	var b strings.Builder
	taken := map[string]bool{}
	for range 1 + g.IntN(8) {
		b.WriteString(g.location("", 0, taken))
	}
	for _, name := range []string{"@n1", "@n2"} {
		if !g.oneIn(4) {
			b.WriteString("location " + name + " {\n" + g.inside(true) + "}\n")
		}
	}
	return b.String()
}

func (g *generator) http() string {
	g.regexes = g.oneIn(2)
	var b strings.Builder
	b.WriteString(lines("ssl_certificate %s/cert.pem; ssl_certificate_key %[1]s/cert.pem; upstream back { server %s; }", g.dir, g.backend))
	b.WriteString("server { listen unix:" + g.dir + "/s; location / { set $mine 1; set $other 1; if ($uri ~ (?<who>a)) { break; } } }\n")
	b.WriteString("map $arg_x$uri $m1 { default $request_method; /a/b one; /AB two; ~^1 $arg_y; \"~*^/(A)$\" \"got $1\"; ~b three; }\n")
	b.WriteString("map $host $m2 { hostnames; " + pick(g, "default x; ", "", "volatile; ") + "*.a.test star; .b.test dot; www.* $args; a.test exact; }\n")
	b.WriteString(g.settings(true))
	for range 2 + g.IntN(6) {
		b.WriteString("server {\n" + g.listens() + g.names() + g.id() + "\n" + g.settings(true))
		if g.oneIn(8) {
			b.WriteString(g.rewrite(false))
		}
		if g.oneIn(12) {
			b.WriteString("ssl_reject_handshake on;\n")
		}
		if g.oneIn(8) {
			b.WriteString(g.tryFiles())
		}
		if g.oneIn(12) {
			b.WriteString("ssl_client_certificate cert.pem; ssl_verify_client " + pick(g, "optional_no_ca", "optional", "off") + ";\n")
		}
		b.WriteString(g.locations())
		b.WriteString("}\n")
	}
	return "root " + g.dir + "/none;\n" + b.String() + g.always()
}

func (g *generator) host() string {
	if g.oneIn(25) {
		return ""
	}
	h := pick(g, "a.test", "b.test", "www.a.test", "x.www.a.test", "c.test", "c.a.test", "www.b", "www.a.b.c", "a.x", "none", "localhost", "127.0.0.1", "[::1]", ".a.test", "r1", "x.re", "b.te", "b.tez", "WWW.a.TEST", "always", "test")
	if g.oneIn(200) {
		h = g.join(4, "a", ".", "..", ":", "[", "]", "_", "-", "A", "~", "!", "1", "/", "%", "\x7f", "\xc3\xa9", "@", "test")
	}
	if strings.HasSuffix(h, "]") {
		return h + pick(g, "", ":80")
	}
	return h + pick(g, "", "", "", "", ":80", ".", ".:81", ":")
}

// paths returns the names of the locations of a server.
func paths(server *nginxconf.Directive) (names []string) {
	if server == nil {
		return nil
	}
	for d := range server.Body().All() {
		if d.Name() != "location" {
			continue
		}
		l, err := value.ParseLocation(d.Args()...)
		if err == nil && strings.HasPrefix(l.Name, "/") && !l.IsRegex() {
			names = append(names, l.Name)
		}
	}
	return names
}

// uri makes a URI, one that has to do with these names if there are any.
func (g *generator) uri(names []string) string {
	s := g.join(5, "/", "/a", "/a/b", "/a/", "b", "/ab", "/A", "c/")
	if len(names) > 0 && !g.oneIn(4) {
		s = strings.NewReplacer(" ", "%20", "%", "%25", "\xc3", "%c3").Replace(pick(g, names...))
		switch g.IntN(5) {
		case 0:
			s = strings.TrimSuffix(s, "/")
		case 1:
			s += pick(g, "/", "b", "/a", "/a/../", "/.", "//")
		case 2:
			s = strings.ReplaceAll(s, "/", pick(g, "//", "%2F", "/./", "/x/../"))
		}
	} else if g.oneIn(2) {
		s = "/" + g.join(6, "/", "a", "b", "/a", "/b", "//", "/./", "/a/../", "..", ".", "...", "%2f", "%2F", "%2e", "%61", "%20", "%25", "%3f", "%23", "+", "~", "%c3%a9", "\xc3\xa9", "|", "%2B", "\\", `"`)
		if g.oneIn(20) {
			s += pick(g, "%", "%4", "%zz", "%00", "\x01", " ", "\x7f", "/..", "/../../..")
		}
	}
	if g.oneIn(4) {
		s += pick(g, "?", "?x=1", "?y=2&X=%20a&x=3", "?a?b", "?x=1#f", "#f", "#?x", "?..", "?a//b/../c")
	}
	if g.oneIn(20) {
		s = pick(g, "http", "https", "x+1.y-", "HTTP") + "://" + pick(g, "a.test", "B.test", "c.a.test", "[::1]", "none", "x..y", "") + pick(g, "", ":80", ":", ":x") + pick(g, s, s, "", "?x")
	}
	if g.oneIn(80) {
		s = pick(g, "*", "a", "http:/a", "1://a/", "//a.test/", "http://a_b/", "http://a.test#x")
	}
	return s
}
