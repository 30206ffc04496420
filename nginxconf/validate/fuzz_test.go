package validate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// FuzzConfig: any text is judged without a panic, the same each time, and all
// findings have a place in it.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("events {}\nhttp { server { listen 80; server_name a *.b ~c; location / { proxy_pass http://$host; } } }"), "")
	f.Add([]byte("listen 80 x; if ($a ~ (b)) { return 301 /$1; } location @a { }"), "1.18.0")
	f.Add([]byte("map $a $b { ~x y; default z; include a; } upstream u { server 127.0.0.1; }"), "1.25.1")
	f.Add([]byte("stream { server { listen 1; proxy_pass u; } } mail { server { listen 2; } }"), "1.22.1-9+deb12u11")
	f.Add([]byte("types { a b; } geo $x { ranges; 1.2.3.4-1.2.3.5 a; } split_clients a $b { 1% x; * y; }"), "")
	f.Add([]byte("limit_req_zone $a zone=z:1m rate=1r/s; server { limit_req zone=z; access_log a $x buffer=1k; if (!-f $a) { set $b ${c}; } valid_referers none server_names *.a ~b; charset a; source_charset b; }"), "1.22.1")
	f.Add([]byte("charset_map a utf-8 { 80 D0B0; } map $a $b { hostnames; *.a b; } geo $a { delete 1.2.3.4; 0.0.0.0-255.255.255.255 a; ranges; }"), "1.31.4")
	f.Add([]byte("geoip2 a { $b default=c source=$d e; } server { gzip_types a * b; image_filter crop - $a; expires @1h; try_files a =$b; more_set_headers 'a: $b'; }"), "")
	f.Add([]byte("http { server { location / { content_by_lua_block { ngx.say('}') } js_content a; } } }"), "")
	f.Add(sites(1), "")
	f.Fuzz(func(t *testing.T, src []byte, version string) {
		file, _ := nginxconf.Parse("x.conf", src)
		fragment := file.Config()
		main := file.Config()
		main.Fragment = false
		for _, c := range []*nginxconf.Config{fragment, main} {
			o := &validate.Options{Version: version}
			first := validate.Config(c, o)
			for _, d := range first {
				require.NotEmpty(t, d.Message)
				require.NotEmpty(t, d.Code)
				require.LessOrEqual(t, d.Start.Offset, len(src))
				require.LessOrEqual(t, d.Start.Offset, d.End.Offset)
			}
			require.Equal(t, first, validate.Config(c, o))
		}
	})
}
