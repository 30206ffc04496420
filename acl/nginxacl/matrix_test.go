package nginxacl_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
)

func TestTheMatrixSaysWhoGetsInWhere(t *testing.T) {
	c := load(t, `events {}
http {
    server {
        listen 80;
        server_name scout.example.se;
        return 301 https://$host$request_uri;
    }
    server {
        listen 443 ssl;
        server_name scout.example.se;
        ssl_certificate c; ssl_certificate_key k;
        include office;
        location / { proxy_pass http://127.0.0.1:8083; }
        location /metrics { allow ::1; proxy_pass http://127.0.0.1:8083; }
        location = /status { return 200 "ok\n"; }
        location /members/ {
            satisfy any;
            auth_basic "members"; auth_basic_user_file users;
            proxy_pass http://127.0.0.1:8083;
        }
        location /code/ { access_by_lua_block { return } proxy_pass http://127.0.0.1:8083; }
        location /upload { limit_except GET { deny all; } proxy_pass http://127.0.0.1:8083; }
        location @later { proxy_pass http://127.0.0.1:8083; }
        location /inside { internal; }
    }
}
stream {
    server { listen 5432; allow 192.0.2.7; deny all; proxy_pass 127.0.0.1:5433; }
}`, "office", "allow 192.0.2.0/24;\ndeny all;\n")
	rows, err := nginxacl.Matrix(c)
	require.NoError(t, err)
	names, err := acl.ParseNames("names", []byte("office = 192.0.2.0/24\n"))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, rows.WriteText(&b, names))
	require.Equal(t, `server scout.example.se (nginx.conf:3:5)
    listens on 0.0.0.0:80
    nobody gets in: all are answered 301
    nginx.conf:6:9: return 301 https://$host$request_uri; answers all requests

server scout.example.se (nginx.conf:8:5)
    listens on 0.0.0.0:443
    lets in office
    allow 192.0.2.0/24; deny all; (office:1:1)
    location / (nginx.conf:13:9)
        lets in office
        allow 192.0.2.0/24; deny all; (office:1:1, inherited from server)
    location /metrics (nginx.conf:14:9)
        lets in everybody
        allow ::1; (nginx.conf:14:29)
    location = /status (nginx.conf:15:9)
        lets in everybody
        nginx.conf:15:30: return 200 "ok\n"; answers all requests
    location /members/ (nginx.conf:16:9)
        lets in office; everybody but office with a login
        allow 192.0.2.0/24; deny all; (office:1:1, inherited from server); auth_basic "members"; (nginx.conf:18:13); satisfy any (nginx.conf:17:13)
    location /code/ (nginx.conf:21:9)
        lets in office perhaps (nginx.conf:21:27: access_by_lua_block decides by means of its own)
        allow 192.0.2.0/24; deny all; (office:1:1, inherited from server); access_by_lua_block (nginx.conf:21:27)
    location /upload (nginx.conf:22:9)
        lets in office
        allow 192.0.2.0/24; deny all; (office:1:1, inherited from server)
        limit_except GET (nginx.conf:22:28)
            lets in nobody
            deny all; (nginx.conf:22:47)
    location @later (nginx.conf:23:9)
        lets in office
        allow 192.0.2.0/24; deny all; (office:1:1, inherited from server)
    location /inside (nginx.conf:24:9)
        nobody gets in: all are answered 404
        404 (internal) is the answer to all requests

server (nginx.conf:28:5)
    listens on 0.0.0.0:5432
    lets in part of office (192.0.2.7)
    allow 192.0.2.7; deny all; (nginx.conf:28:27)
`, b.String())
}
