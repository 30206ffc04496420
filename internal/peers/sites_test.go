package peers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fileSites makes a file of 10 MB.
const fileSites = 13_300

var subdomains = []string{"clinical", "clinical-api", "nipt", "scout", "scout-archive", "trailblazer", "trailblazer-api", "genotype", "microbial"}

// appendSite appends one service in the users' shape: a server that redirects
// to HTTPS and one that checks the client and passes on.
func appendSite(b []byte, i int) []byte {
	host := fmt.Sprintf("%s-%05d.services.example.se", subdomains[i%len(subdomains)], i)
	return fmt.Appendf(b, `server {
    listen 80;
    server_name %[1]s;
    return 301 https://$host$request_uri;
}

server {
    listen 443 ssl;
    server_name %[1]s;

    ssl_certificate /etc/ssl/private/wildcard.example.se/fullchain.pem; # the house certificate
    ssl_certificate_key /etc/ssl/private/wildcard.example.se/privkey.pem;

    location / {
        allow 10.%[2]d.0.0/16;
        allow 192.0.2.%[2]d; # the office in town
        deny all;

        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_pass http://localhost:%[3]d;
    }
}

`, host, 1+i%254, 8000+i%1000)
}

// sites is a main file that holds n services.
func sites(n int) []byte {
	b := []byte("user www-data;\nworker_processes auto;\npid /run/nginx.pid;\n\nevents {\n    worker_connections 768;\n}\n\nhttp {\n")
	for i := range n {
		b = appendSite(b, i)
	}
	return append(b, "}\n"...)
}

// writeSites writes a main file that includes n files of one service each. It
// returns the main file's name and the bytes in all.
func writeSites(t testing.TB, n int) (name string, size int) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "conf.d"), 0o755))
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, b, 0o644))
		size += len(b)
		return name
	}
	for i := range n {
		write(filepath.Join("conf.d", fmt.Sprintf("site-%05d.conf", i)), appendSite(nil, i))
	}
	main := fmt.Appendf(nil, "events {\n}\nhttp {\n    include %s/conf.d/*.conf;\n}\n", dir)
	return write("nginx.conf", main), size
}

func TestGeneratedSizes(t *testing.T) {
	require.Equal(t, 62, bytes.Count(sites(2), []byte("\n")))
	require.InEpsilon(t, 10e6, len(sites(fileSites)), 0.01)
}
