package validate_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

func ExampleConfig() {
	host := fstest.MapFS{
		"etc/nginx/nginx.conf": {Data: []byte("events {}\nhttp {\n    include conf.d/*.conf;\n    include mime.types;\n}\n")},
		"etc/nginx/conf.d/scout.conf": {Data: []byte(`server {
    listen 80
}
`)},
	}
	c, _ := nginxconf.Load(host, "etc/nginx/nginx.conf", nil) // the errors are among what Config returns
	for _, d := range validate.Config(c, nil) {
		fmt.Println(d)
	}
	// Output:
	// etc/nginx/conf.d/scout.conf:3:1: unexpected "}" [unexpected-brace]
	// etc/nginx/nginx.conf:4:13: open() "/etc/nginx/mime.types" failed (2: No such file or directory) [include-failed]
}

// All problems in one go, with what may be done about them.
func ExampleConfig_fixes() {
	host := fstest.MapFS{"etc/nginx/nginx.conf": {Data: []byte(`events {}
http {
    server {
        listen 443 ssl;
        http2 on;
        ssl_certificate /etc/ssl/scout.pem;
        ssl_certificate_key /etc/ssl/scout.key;
        location / {
            proxy_pas http://127.0.0.1:8083;
            proxy_read_timeout 1 minute;
        }
    }
}
`)}}
	c, _ := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	for _, d := range validate.Config(c, &validate.Options{Version: "1.24.0"}) {
		fmt.Println(d)
		for _, fix := range d.Fixes {
			fmt.Println("   ", fix.Message)
		}
	}
	// Output:
	// etc/nginx/nginx.conf:5:9: unknown directive "http2" [unknown-directive]
	//     use nginx 1.25.1 or newer, which knows the directive "http2"
	// etc/nginx/nginx.conf:9:13: unknown directive "proxy_pas" [unknown-directive]
	//     write "proxy_pass"
	// etc/nginx/nginx.conf:10:13: invalid number of arguments in "proxy_read_timeout" directive [wrong-arguments]
	//     give "proxy_read_timeout" 1 argument
}

// A check in a program's own words, and an exit status.
func ExampleConfig_err() {
	host := fstest.MapFS{"etc/nginx/nginx.conf": {Data: []byte("events {}\nhttp {\n")}}
	c, _ := nginxconf.Load(host, "etc/nginx/nginx.conf", nil)
	if err := validate.Config(c, nil).Err(); err != nil {
		fmt.Println("not reloaded:", err)
	}
	// Output: not reloaded: etc/nginx/nginx.conf:3:1: unexpected end of file, expecting "}" [unexpected-end]
}

func TestTheFindingsAreTheCallers(t *testing.T) {
	c, err := nginxconf.Load(fstest.MapFS{"n": {Data: []byte("events {}\n}\n}\n")}}, "n", nil)
	require.Error(t, err)
	ds := validate.Config(c, nil)
	require.Len(t, ds, 2)
	ds[0] = nil
	require.NotNil(t, validate.Config(c, nil)[0])
}

func TestTheFirstErrorIsTheOneNginxStopsAt(t *testing.T) {
	c, err := nginxconf.Load(fstest.MapFS{
		"n": {Data: []byte("events {}\ninclude a;\n}\n")},
		"a": {Data: []byte("x\n")},
	}, "n", nil)
	require.Error(t, err)
	ds := validate.Config(c, &validate.Options{Version: "1.22.1"})
	require.Equal(t, "a:2:1", ds[0].Start.String())
	require.Equal(t, slog.LevelError, ds[0].Level)
	require.Equal(t, "n:3:1", ds[1].Start.String())
	require.Error(t, ds.Err())
}

func TestNothingIsSaidOfASoundConfiguration(t *testing.T) {
	c, err := nginxconf.Load(fstest.MapFS{"n": {Data: []byte("events {}\n")}}, "n", nil)
	require.NoError(t, err)
	require.Empty(t, validate.Config(c, nil))
}
