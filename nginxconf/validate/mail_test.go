package validate_test

import "testing"

func TestMail(t *testing.T) {
	mail := func(text string) string { return "events {}\nmail {\n" + text + "\n}\n" }
	server := func(text string) string {
		return mail("auth_http 127.0.0.1/x;\nserver {\nlisten 143;\n" + text + "\n}")
	}
	pair := " ssl_certificate a; ssl_certificate_key a;"
	expect(t, []refusal{
		{"1.22.1", mail(""), ""},
		{"1.22.1", server(""), ""},
		{"1.22.1", mail("") + "mail {}\n", `5: "mail" directive is duplicate`},
		{"1.22.1", mail("server {\nprotocol imap;\n}"), `3: no "listen" is defined for server`},
		{"1.22.1", mail("server {\nlisten 143;\n}"), `3: no "auth_http" is defined for server`},
		{"1.22.1", mail("server {\nlisten 1;\n}"), "3: unknown mail protocol for server"},
		{"1.22.1", mail("server {\nlisten 1;\nprotocol http;\n}"), `5: unknown protocol "http"`},
		{"1.22.1", server("listen 127.0.0.1:25; listen localhost:25;"), `6: duplicate "127.0.0.1:25" address and port pair`},
		{"1.22.1", server("listen 142-144;"), `6: duplicate "0.0.0.0:143" address and port pair`},
		{"1.22.1", server("listen 1 udp;"), `6: the invalid "udp" parameter`},
		{"1.25.5", server("listen 1 udp;"), `6: invalid parameter "udp"`},
		{"1.18.0", server("listen 1 proxy_protocol;"), `6: the invalid "proxy_protocol" parameter`},
		{"1.20.2", server("listen 1 proxy_protocol;"), ""},
		{"1.22.1", server("auth_http http://127.0.0.1:0/;"), `6: invalid port in auth_http "127.0.0.1:0/"`},
		{"1.22.1", server("resolver off;\nresolver 127.0.0.1;"), `7: "resolver" directive is duplicate`},
		{"1.22.1", server("imap_auth plain apop;"), `6: invalid value "apop"`},
		{"1.22.1", server("starttls on;"), `6: no "ssl_certificate" is defined for the "starttls" directive`},
		{"1.22.1", server("ssl on;"), `6: no "ssl_certificate" is defined for the "ssl" directive`},
		{"1.25.0", server("ssl on;\nssl on;"), `7: "ssl" directive is duplicate`},
		{"1.25.1", server("ssl on;"), `6: unknown directive "ssl"`},
		{"1.22.1", server("listen 993 ssl;"), `6: no "ssl_certificate" is defined for the "listen ... ssl" directive`},
		{"1.22.1", server("starttls only;" + pair), ""},
		{"1.22.1", server("starttls only;" + pair + "\nssl on;"), `7: "starttls" directive conflicts with "ssl on"`},
		{"1.22.1", server("ssl on;\nstarttls on;"), `7: "ssl" directive conflicts with "starttls"`},
		{"1.22.1", server("starttls on;" + pair + "\nssl_verify_client on;"), "7: no ssl_client_certificate for ssl_verify_client"},
	})
}
