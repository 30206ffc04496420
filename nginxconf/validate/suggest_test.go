package validate_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// check returns what is found in a main file.
func check(t *testing.T, conf string, o *validate.Options) (*nginxconf.Config, nginxconf.Diagnostics) {
	t.Helper()
	c, _ := nginxconf.Load(fstest.MapFS{"nginx.conf": {Data: []byte(conf)}}, "nginx.conf", nil)
	require.NotNil(t, c)
	return c, validate.Config(c, o)
}

func inServer(text string) string { return "events {}\nhttp {\nserver {\n" + text + "\n}\n}\n" }

func TestUnknownDirectiveHasNearNames(t *testing.T) {
	c, ds := check(t, inServer("proxy_pas http://127.0.0.1;"), nil)
	require.Len(t, ds, 1)
	require.Equal(t, `nginx.conf:4:1: unknown directive "proxy_pas" [unknown-directive]`, ds[0].Error())
	require.Equal(t, `write "proxy_pass"`, ds[0].Fixes[0].Message)
	out, err := nginxconf.Apply(c.Root.Bytes(), ds[0].Fixes[0].Edits)
	require.NoError(t, err)
	require.Equal(t, inServer("proxy_pass http://127.0.0.1;"), string(out))
}

func TestMisplacedDirectiveSaysWhereItBelongs(t *testing.T) {
	_, ds := check(t, "events {}\nserver_name a;\nhttp {\nproxy_pass http://127.0.0.1;\n}\n", nil)
	require.Len(t, ds, 2)
	require.Equal(t, "move it to one of the contexts http/server, mail, mail/server or stream/server", ds[0].Fixes[0].Message)
	require.Equal(t, `nginx.conf:4:1: "proxy_pass" directive is not allowed here [wrong-context]`, ds[1].Error())
}

func TestWrongNumberOfArgumentsSaysHowMany(t *testing.T) {
	_, ds := check(t, inServer("root;\nreturn 1 2 3;"), nil)
	require.Len(t, ds, 2)
	require.Equal(t, `give "root" 1 argument`, ds[0].Fixes[0].Message)
	require.Equal(t, `give "return" 1 or 2 arguments`, ds[1].Fixes[0].Message)
}

func TestVersionsOfADirective(t *testing.T) {
	for _, test := range []struct {
		version, text, message, hint string
	}{
		{"1.25.0", "http2 on;", `unknown directive "http2"`, `use nginx 1.25.1 or newer, which knows the directive "http2"`},
		{"1.25.1", "http2 on;", "", ""},
		{"1.25.1", "ssl on;", `unknown directive "ssl"`, `write "listen … ssl;": the directive "ssl" is gone since nginx 1.25.1`},
		{"1.24.0", "listen 443 quic;", `invalid parameter "quic"`, ""},
	} {
		_, ds := check(t, inServer(test.text), &validate.Options{Version: test.version})
		if test.message == "" {
			require.Empty(t, ds, test.text)
			continue
		}
		require.NotEmpty(t, ds, test.text)
		require.Equal(t, test.message, ds[0].Message)
		if test.hint != "" {
			require.Equal(t, test.hint, ds[0].Fixes[0].Message)
		}
	}
}

func TestHTTP2ParameterBecomesADirective(t *testing.T) {
	conf := inServer("listen 80;\nlisten 443 ssl http2;\nlisten [::]:443 ssl http2 ipv6only=on;\nssl_certificate a;\nssl_certificate_key a;")
	_, ds := check(t, conf, &validate.Options{Version: "1.25.0"})
	require.Empty(t, ds)
	c, ds := check(t, conf, &validate.Options{Version: "1.25.1"})
	require.Len(t, ds, 2)
	require.Equal(t, `the "listen ... http2" directive is deprecated, use the "http2" directive instead`, ds[0].Message)
	require.Empty(t, ds[1].Fixes)
	out, err := nginxconf.Apply(c.Root.Bytes(), ds[0].Fixes[0].Edits)
	require.NoError(t, err)
	require.Equal(t, inServer("listen 80;\nlisten 443 ssl; http2 on;\nlisten [::]:443 ssl ipv6only=on;\nssl_certificate a;\nssl_certificate_key a;"), string(out))
	_, ds = check(t, string(out), &validate.Options{Version: "1.25.1"})
	require.Empty(t, ds)
}

// A name that only modules from elsewhere have is unknown to nginx where it
// does not fit, and known to one with such a module.
func TestNamesOfOtherModules(t *testing.T) {
	conf := "events {}\nhttp {\nmore_set_headers 'A: b';\n}\nmore_set_headers 'A: b';\n"
	_, ds := check(t, conf, nil)
	require.Len(t, ds, 1)
	require.Equal(t, `nginx.conf:5:1: unknown directive "more_set_headers" [unknown-directive]`, ds[0].Error())
	require.Contains(t, ds[0].Fixes[0].Message, "(module ngx_http_headers_more_filter_module)")
	modules := []string{"ngx_core_module", "ngx_events_module", "ngx_http_module", "ngx_http_headers_more_filter_module"}
	_, ds = check(t, conf, &validate.Options{Modules: modules})
	require.Len(t, ds, 1)
	require.Equal(t, `nginx.conf:5:1: "more_set_headers" directive is not allowed here [wrong-context]`, ds[0].Error())
	_, ds = check(t, conf, &validate.Options{Modules: modules[:3]})
	require.Len(t, ds, 2)
	require.Equal(t, `nginx.conf:3:1: unknown directive "more_set_headers" [unknown-directive]`, ds[0].Error())
}
