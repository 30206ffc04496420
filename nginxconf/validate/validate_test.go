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
