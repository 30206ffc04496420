package validate_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

func TestFragmentsAreJudgedWhereTheyBelong(t *testing.T) {
	for _, test := range []struct {
		text    string
		context []string
		want    []string
	}{
		{"server { listen 80; }", nil, nil},
		{"server { listen 80 x; }", nil, []string{`site.conf:1:20: invalid parameter "x" [invalid-listen]`}},
		{"location /a { root $mine; }\nlocation /a { }", nil, []string{`site.conf:2:10: duplicate location "/a" [duplicate-location]`}},
		{"proxy_set_header Host $host;\nproxy_pass http://127.0.0.1;", nil, nil},
		{"server 127.0.0.1:80;\nserver 127.0.0.1:81;", nil, nil},
		{"events {}\nhttp { root $mine; }", nil, []string{`site.conf:2:13: unknown "mine" variable [unknown-variable]`}},
		{"listen 80;", []string{"http", "server"}, nil},
		{"listen 80;", []string{"http"}, []string{`site.conf:1:1: "listen" directive is not allowed here [wrong-context]`}},
		{"listen 80;", []string{}, []string{`site.conf:1:1: "listen" directive is not allowed here [wrong-context]`}},
		{"listen 80;", []string{"server"}, []string{`site.conf: "server" is no context [unknown-context]`}},
		{"server { listen 80", nil, []string{`site.conf:1:19: unexpected end of file, expecting ";" or "}" [unexpected-end]`, `site.conf:1:19: unexpected end of file, expecting "}" [unexpected-end]`}},
	} {
		f, _ := nginxconf.Parse("site.conf", []byte(test.text))
		var got []string
		for _, d := range validate.Config(f.Config(), &validate.Options{Context: test.context}) {
			got = append(got, d.Error())
		}
		require.Equal(t, test.want, got, test.text)
	}
}

// What a fragment uses, another part may define.
func TestFragmentsMayUseWhatIsElsewhere(t *testing.T) {
	f, err := nginxconf.Parse("site.conf", []byte(`server {
    listen 443 ssl;
    access_log /var/log/nginx/x.log ours;
    limit_req zone=perip burst=5;
    limit_conn addr 10;
    location / {
        proxy_cache files;
        proxy_pass http://app;
        proxy_set_header X $mapped;
        aio threads=disk;
        include snippets/acl.conf;
    }
}
`))
	require.NoError(t, err)
	require.Empty(t, validate.Config(f.Config(), nil))
}

func TestAnIncludeOfAFragmentMayBeElsewhere(t *testing.T) {
	c, err := nginxconf.Load(fstest.MapFS{"site.conf": {Data: []byte("server { include snippets/acl.conf; }")}}, "site.conf", nil)
	require.Error(t, err)
	c.Fragment = true
	ds := validate.Config(c, nil)
	require.NoError(t, ds.Err())
	require.Equal(t, `site.conf:1:18: open() "/snippets/acl.conf" failed (2: No such file or directory) [include-failed]`, ds[0].Error())
}
