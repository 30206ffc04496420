package nginxacl_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A siteMaker writes servers that make use of all that decides about access.
type siteMaker struct {
	*rand.Rand
	b     strings.Builder
	depth int
	// simple leaves out what asks for a login that nobody has, and pages for
	// those who have none.
	simple bool
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func (m *siteMaker) maybe(percent int) bool { return m.IntN(100) < percent }

func (m *siteMaker) line(format string, args ...any) {
	fmt.Fprintf(&m.b, strings.Repeat("  ", m.depth)+format+"\n", args...)
}

func (m *siteMaker) block(name string, body func()) {
	m.line("%s {", name)
	m.depth++
	body()
	m.depth--
	m.line("}")
}

var networks = []string{"127.0.0.1", "127.0.0.0/30", "127.0.0.0/8", "127.1.0.0/16", "192.0.2.0/24", "192.0.2.7", "198.51.100.0/25",
	"2001:db8::/32", "::ffff:127.0.0.0/104", "::/0", "0.0.0.0/0", "unix:", "all"}

// access writes what is allowed in a server, a location and limit_except.
func (m *siteMaker) access(percent int) {
	if m.maybe(percent) {
		for range 1 + m.IntN(3) {
			m.line("%s %s;", pick(m.Rand, "allow", "deny"), pick(m.Rand, networks...))
		}
		if m.maybe(40) {
			m.line("deny all;")
		}
	}
	if m.maybe(percent / 3) {
		m.line("auth_basic %s;", pick(m.Rand, "x", "off"))
	}
	if m.maybe(percent / 3) {
		m.line("auth_basic_user_file %s;", pick(m.Rand, "users", "users", "none"))
	}
}

// level writes what is allowed in a server and a location.
func (m *siteMaker) level(percent int) {
	m.access(percent)
	if m.maybe(percent / 2) {
		m.line("satisfy %s;", pick(m.Rand, "any", "any", "all"))
	}
	if !m.simple && m.maybe(percent/4) {
		m.line("auth_request %s;", pick(m.Rand, "/yes", "/no", "/forbidden", "/broken", "off"))
	}
	if m.maybe(percent / 4) {
		for range 1 + m.IntN(2) {
			m.line("set_real_ip_from %s;", pick(m.Rand, "127.0.0.0/8", "127.0.0.2", "127.0.0.0/30", "192.0.2.0/24", "unix:"))
		}
	}
	if m.maybe(percent / 4) {
		m.line("real_ip_header %s;", pick(m.Rand, "X-Forwarded-For", "X-Forwarded-For", "X-Real-IP", "proxy_protocol", "X_Odd"))
	}
	if m.maybe(percent / 6) {
		m.line("real_ip_recursive on;")
	}
	if m.maybe(percent / 6) {
		codes := "403 401"
		if m.simple {
			codes = "403"
		}
		m.line("error_page %s;", pick(m.Rand, "403 /plain", "403 = /plain", codes+" =200 @later", codes+" = @later", "403 =404 /none", "403 http://x/"))
	}
	if m.maybe(percent / 10) {
		m.line("%s", pick(m.Rand, "return 403;", "return 200 x;", "return 401;", "return 444;", "return 301 /x;", "return 204;",
			"if ($arg_r) { return 403; }", "if ($near = 0) { return 403; }", "if ($remote_addr = 127.0.0.2) { return 200 x; }",
			"if ($http_x_real_ip) { set $x 1; }", "rewrite ^/in/old(.*) /in/new$1 last;", "rewrite ^/(a.*)z$ /$1 break;"))
	}
}

func (m *siteMaker) location(name string, nested ...string) {
	m.block("location "+name, func() {
		m.level(45)
		if m.maybe(4) {
			m.line("internal;")
		}
		if m.maybe(15) {
			m.block("limit_except "+pick(m.Rand, "GET", "HEAD", "POST", "GET POST"), func() { m.access(90) })
		}
		if m.maybe(10) {
			m.line("try_files /nothing.gif %s;", pick(m.Rand, "@later", "/plain", "=404"))
		} else {
			m.line("empty_gif;")
		}
		for _, n := range nested {
			if m.maybe(50) {
				m.location(n)
			}
		}
	})
}

func (m *siteMaker) server(i int, listen string) {
	m.block("server", func() {
		m.line("%s", listen)
		m.line("server_name s%d;", i)
		m.level(40)
		for _, l := range [][]string{
			{"/", "= /exact", "/deep/"}, {"/in/", "/in/old/", "/in/new/", `~ \.gif$`}, {"^~ /fixed/"}, {"= /plain"},
			{"~ ^/re/.*x"}, {"~* \\.php$"},
		} {
			if l[0] == "/" || m.maybe(60) { // files are not what is tested here
				m.location(l[0], l[1:]...)
			}
		}
		m.location("@later")
		m.line("location = /yes { return 204; }")
		m.line("location = /no { return 401; }")
		m.line("location = /forbidden { deny all; return 403; }")
		m.line("location = /broken { return 404; }")
	})
}

const geo = `geo $near { default 0; 127.0.0.0/29 1; 192.0.2.0/25 1; 2001:db8::/48 1; }
`
