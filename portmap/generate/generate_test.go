package generate_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/portmap/generate"
	"github.com/onehost-go/onehost/supervisorconf"
)

var scout = portmap.Service{Name: "Scout", Subdomain: "scout", Domain: "example.se", Port: 8083, Environment: portmap.Production}

func office(portmap.Service) []generate.Rule {
	return []generate.Rule{{"allow", "192.0.2.0/24"}, {"deny", "all"}}
}

func TestASiteIsWhatOneWouldWriteByHand(t *testing.T) {
	f, err := generate.Site(scout, &generate.Options{Rules: office})
	require.NoError(t, err)
	require.Equal(t, "conf.d/scout.conf", f.Name)
	require.Equal(t, `# Scout (production)
server {
    listen 80;
    server_name scout.example.se;
    return 301 https://$host$request_uri;
}

server {
    listen 443 ssl;
    server_name scout.example.se;

    ssl_certificate /etc/nginx/ssl/house.crt;
    ssl_certificate_key /etc/nginx/ssl/house.key;

    allow 192.0.2.0/24;
    deny all;

    location / {
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_pass http://127.0.0.1:8083;
    }
}
`, string(f.Bytes()))
}

func TestWhereAServiceListensAndIsReached(t *testing.T) {
	with := func(change func(*portmap.Service)) portmap.Service {
		s := scout
		change(&s)
		return s
	}
	users := &generate.Options{UsersShape: true}
	for _, c := range []struct {
		name       string
		service    portmap.Service
		options    *generate.Options
		bind, pass string
	}{
		{"on loopback", scout, nil, "--bind=127.0.0.1:8083", "http://127.0.0.1:8083"},
		{"as the users have it", scout, users, `--bind=":8083"`, "http://localhost:8083"},
		{"on every interface", with(func(s *portmap.Service) { s.Bind = "0.0.0.0" }), nil, "--bind=0.0.0.0:8083", "http://127.0.0.1:8083"},
		{"on every IPv6 interface", with(func(s *portmap.Service) { s.Bind = "::" }), nil, "--bind=[::]:8083", "http://[::1]:8083"},
		{"on a unix socket", with(func(s *portmap.Service) { s.Socket = "/run/scout.sock" }), nil, "--bind=unix:/run/scout.sock", "http://unix:/run/scout.sock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			site, err := generate.Site(c.service, c.options)
			require.NoError(t, err)
			for d := range site.Find("server", "location[/]", "proxy_pass") {
				require.Equal(t, []string{c.pass}, d.Args())
			}
			f, err := supervisorconf.Parse("", nil)
			require.NoError(t, err)
			require.NoError(t, generate.Program(f, c.service, c.options))
			require.Contains(t, f.Section("program", "scout").Get("command").Value(), " "+c.bind+" ")
		})
	}
}

func TestAProgramIsNamedByItsSubdomain(t *testing.T) {
	f, err := supervisorconf.Parse("supervisord.conf", []byte("[supervisord]\n"))
	require.NoError(t, err)
	stage := portmap.Service{Name: "cg (REST)", Subdomain: "clinical-api-stage", Port: 7071, Environment: portmap.Stage}
	require.NoError(t, generate.Program(f, stage, &generate.Options{UsersShape: true}))
	require.Equal(t, `[supervisord]

[program:clinical-api-stage]
command=gunicorn --workers=2 --bind=":7071" --access-logfile=- --error-logfile=- clinical.server.auto:app
autostart=true
autorestart=true
redirect_stderr=true
stdout_logfile=/var/log/supervisor/clinical-api-stage.log
`, string(f.Bytes()))

	// Once more changes nothing; what somebody added stays.
	f.Section("program", "clinical-api-stage").Set("user", "www")
	before := string(f.Bytes())
	require.NoError(t, generate.Program(f, stage, &generate.Options{UsersShape: true}))
	require.Equal(t, before, string(f.Bytes()))
}

func TestAServiceThatCannotBeServedIsAnError(t *testing.T) {
	for message, s := range map[string]portmap.Service{
		"generate: Scout: it has no subdomain, by which files and programs are named": {Name: "Scout", Port: 1},
		"generate: scout: it has neither port nor socket":                             {Subdomain: "scout"},
		`generate: a b: "a b" cannot name a file and a program`:                       {Subdomain: "a b", Port: 1},
		`generate: scout: the socket "run/x" is no absolute path`:                     {Subdomain: "scout", Socket: "run/x"},
		`generate: scout: the bind address "lo" is none`:                              {Subdomain: "scout", Port: 1, Bind: "lo"},
	} {
		_, err := generate.Site(s, nil)
		require.EqualError(t, err, message)
	}
	_, err := generate.Tree(&portmap.Map{Services: []portmap.Service{scout, scout}}, nil)
	require.EqualError(t, err, "generate: two services have the subdomain scout")
}

func TestWhatATreeHoldsIsReadBack(t *testing.T) {
	files, err := generate.Tree(&portmap.Map{Services: []portmap.Service{scout}}, nil)
	require.NoError(t, err)
	root := t.TempDir()
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, f.Data, 0o600))
	}
	c, err := nginxconf.LoadFile(filepath.Join(root, "nginx/nginx.conf"))
	require.NoError(t, err)
	var listens []string
	for d := range c.Find("http", "server", "listen") {
		listens = append(listens, strings.Join(d.Args(), " "))
	}
	require.Equal(t, []string{"80 default_server", "443 ssl default_server", "80", "443 ssl"}, listens)
	sup, err := supervisorconf.Load(os.DirFS(root), "supervisor/supervisord.conf", &supervisorconf.LoadOptions{
		IsDir: func(string) bool { return true }, // /var/log/supervisor is the host's
	})
	require.NoError(t, err)
	require.Len(t, sup.Programs, 1)
}

// TestOracleNginxAcceptsTheTree asks the installed nginx about both shapes.
func TestOracleNginxAcceptsTheTree(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	server := httptest.NewTLSServer(nil) // for its certificate
	server.Close()
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	require.NoError(t, err)
	for _, users := range []bool{false, true} {
		dir := t.TempDir()
		write := func(name string, data []byte) {
			p := filepath.Join(dir, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
			require.NoError(t, os.WriteFile(p, data, 0o600))
		}
		write("house.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
		write("house.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
		o := &generate.Options{
			UsersShape: users, Rules: office,
			// nginx -t opens what it would listen on.
			HTTP: "unix:" + filepath.Join(dir, "http"), HTTPS: "unix:" + filepath.Join(dir, "https"),
			Certificate: filepath.Join(dir, "house.crt"), CertificateKey: filepath.Join(dir, "house.key"),
		}
		files, err := generate.Tree(&portmap.Map{Services: []portmap.Service{scout, {Subdomain: "nipt", Socket: "/run/nipt.sock"}}}, o)
		require.NoError(t, err)
		for _, f := range files {
			write(f.Name, f.Data)
		}
		out, err := exec.Command(nginx, "-t", "-c", filepath.Join(dir, "nginx/nginx.conf"), "-p", dir, "-g", "pid nginx.pid; error_log stderr;").CombinedOutput()
		// What may fail behind that has to do with who runs this.
		require.Contains(t, string(out), "syntax is ok", "%v", err)
	}
}
