package lint_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// TestOracleInputsAreAccepted asks the installed nginx to read what the checks
// are tested on, before and after their fixes: a check is for what nginx takes
// without a word.
func TestOracleInputsAreAccepted(t *testing.T) {
	nginx := testenv.Program(t, "nginx")
	if os.Getuid() != 0 {
		testenv.Missing(t, "nginx -t opens port 80, which takes root")
	}
	notHere := map[string]string{
		"NX101/plus.conf":   "auth_jwt is of NGINX Plus",
		"NX203/quic.conf":   "nginx 1.25.0 brought QUIC",
		"NX302/quic.conf":   "nginx 1.25.0 brought QUIC",
		"NX302/mail.conf":   "Debian packs the mail module apart",
		"NX203/ssl-on.conf": "nginx 1.25.1 took the ssl directive out",
	}
	dir := t.TempDir()
	modules := ""
	const stream = "/usr/lib/nginx/modules/ngx_stream_module.so" // where Debian has it
	if _, err := os.Stat(stream); err == nil {
		modules = "load_module " + stream + ";"
	}
	test := func(t *testing.T, name string) {
		out, err := exec.Command(nginx, "-t", "-q", "-p", dir, "-e", "stderr", "-c", name,
			"-g", modules+"pid "+filepath.Join(dir, "pid")+";").CombinedOutput()
		if strings.Contains(string(out), "Address family not supported") {
			t.Skipf("%s", out)
		}
		assert.NoError(t, err, "%s: %s", name, out)
	}
	for _, c := range lint.Default() {
		from := filepath.Join("testdata", c.ID)
		to := filepath.Join(dir, c.ID)
		require.NoError(t, os.CopyFS(to, os.DirFS(from)))
		writeCertificate(t, to)
		inputs, err := filepath.Glob(filepath.Join(to, "*.conf"))
		require.NoError(t, err)
		require.NotEmpty(t, inputs)
		for _, input := range inputs {
			name := c.ID + "/" + filepath.Base(input)
			t.Run(name, func(t *testing.T) {
				if why := notHere[name]; why != "" {
					t.Skip(why)
				}
				config, err := nginxconf.LoadFile(input)
				require.NoError(t, err)
				whole := false
				pass(t, config, func(p *lint.Pass) { whole = p.Whole() })
				if !whole {
					t.Skip("a fragment")
				}
				test(t, input)
				for f := range config.Files() {
					fixed, err := os.ReadFile(f.Name + ".fixed")
					if err == nil {
						require.NoError(t, os.WriteFile(f.Name, fixed, 0o600))
					}
				}
				test(t, input)
			})
		}
	}
}

func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.example"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{
		"c.pem": {Type: "CERTIFICATE", Bytes: cert},
		"k.pem": {Type: "PRIVATE KEY", Bytes: der},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}

// TestOracleStrangersGetIn asks a running nginx about random access lists. An
// address that no rule matches is let in wherever acl-allow-without-deny finds
// fault; and where one is, but everybody is not let in on purpose, the check
// finds fault.
func TestOracleStrangersGetIn(t *testing.T) {
	binary := testenv.Program(t, "nginx")
	seed, cases := testenv.Size(t, 250)
	rnd := mathrand.New(mathrand.NewPCG(seed, 0))

	// nginx takes over a socket that is open already, as a new binary does at
	// an upgrade. So no port is taken in between, and connections made before
	// nginx is up stand in the queue.
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	address := listener.Addr().String()
	file, err := listener.File()
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	defer file.Close()

	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ok"), []byte("ok"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "htpasswd"), nil, 0o644))
	lists := make([]accessCase, cases)
	var servers strings.Builder
	for i := range lists {
		lists[i] = randomAccess(rnd)
		servers.WriteString(lists[i].server(i, address, dir))
	}
	name := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(name, []byte(
		"daemon off; worker_processes 1; user root; pid "+dir+"/pid;\n"+ // without a master, nginx crashes on inherited sockets
			"events { worker_connections 512; }\nhttp {\naccess_log off; error_log "+dir+"/log crit; server_names_hash_max_size 65536;\n"+
			"client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n"+
			servers.String()+"}\n"), 0o644))

	var said strings.Builder
	cmd := exec.Command(binary, "-p", dir, "-e", "stderr", "-c", name)
	cmd.Env = append(os.Environ(), "NGINX=3;")
	cmd.ExtraFiles = []*os.File{file}
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	require.NoError(t, cmd.Start())
	require.NoError(t, syscall.SetNonblock(int(file.Fd()), true)) // nginx takes it for granted
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it takes its worker along
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", said.String())
		}
	}()
	_ = file.Close() // so that nginx's end is the end of the socket

	config, err := nginxconf.LoadFile(name)
	require.NoError(t, err)
	found, err := lint.Run(config, builtIn(t, "NX101"))
	require.NoError(t, err)
	blames := map[int]bool{}
	for _, d := range found {
		blames[d.Start.Line] = true
	}
	reported, open := 0, 0
	line := 5 // of the first server
	for i, c := range lists {
		text := c.server(i, address, dir)
		lines := strings.Count(text, "\n")
		blamed := false
		for n := range lines {
			blamed = blamed || blames[line+n]
		}
		line += lines
		strangerIn := false
		for _, from := range strangers {
			if c.matches(from) {
				continue
			}
			status := request(t, address, from, i)
			// Who is asked for a password got past the rules, unless it is
			// asked in place of them.
			if status == http.StatusOK || status == http.StatusUnauthorized && !strings.EqualFold(c.satisfy, "any") {
				strangerIn = true
			}
		}
		if blamed {
			reported++
		}
		if strangerIn {
			open++
		}
		assert.Equal(t, strangerIn && c.some() && !c.denies6(), blamed, "a stranger gets in: %v\n%s", strangerIn, text)
	}
	t.Logf("%d lists, %d let strangers in, %d reported", len(lists), open, reported)
	if cases >= 250 {
		assert.NotZero(t, reported)
		assert.Less(t, reported, open)
		assert.Less(t, open, len(lists))
	}
}

// strangers are addresses of this host, one in each quarter of 127.0.0.0/8.
var strangers = []string{"127.10.0.1", "127.70.0.1", "127.140.0.1", "127.200.0.1"}

type accessRule struct{ action, argument string }

// An accessCase is a list of rules, and what stands around it.
type accessCase struct {
	rules            []accessRule
	satisfy          string // with a user file beside it
	outerAuth        string // auth_basic of the server
	auth             string // auth_basic of the location
	userFile         bool
	rulesAtTheServer bool
}

// The rest is all that is not in 127.0.0.0/8.
var rest = strings.Fields("0.0.0.0/2 64.0.0.0/3 96.0.0.0/4 112.0.0.0/5 120.0.0.0/6 124.0.0.0/7 126.0.0.0/8 128.0.0.0/1")

func randomAccess(rnd *mathrand.Rand) accessCase {
	pick := func(words string) string {
		list := strings.Split(words, ",")
		return list[rnd.IntN(len(list))]
	}
	var c accessCase
	quarters := 0
	for _, q := range strings.Fields("127.0.0.0/10 127.64.0.0/10 127.128.0.0/10 127.192.0.0/10") {
		if rnd.IntN(3) > 0 {
			c.rules = append(c.rules, accessRule{pick("allow,deny"), q})
			quarters++
		}
	}
	// With all of 127.0.0.0/8 spoken for, a stranger would have to come from
	// the rest, which is not on this host.
	if quarters == 4 || rnd.IntN(3) == 0 {
		action := pick("allow,deny")
		for _, prefix := range rest {
			c.rules = append(c.rules, accessRule{action, prefix})
		}
	}
	for range rnd.IntN(3) {
		c.rules = append(c.rules, accessRule{pick("allow,allow,deny"),
			pick("192.0.2.1,192.0.2.0/24,2001:db8::/32,::1,unix:")})
	}
	switch rnd.IntN(8) {
	case 0:
		c.rules = append(c.rules, accessRule{pick("allow,deny"), "all"})
	case 1:
		c.rules = append(c.rules, accessRule{pick("allow,deny"), pick("0.0.0.0/0,::/0")})
	}
	rnd.Shuffle(len(c.rules), func(i, j int) { c.rules[i], c.rules[j] = c.rules[j], c.rules[i] })
	c.satisfy = pick(",,all,any,ANY")
	c.outerAuth = pick(",,off,staff")
	c.auth = pick(",,off,staff")
	c.userFile = rnd.IntN(4) > 0
	c.rulesAtTheServer = rnd.IntN(2) == 0
	return c
}

func (c *accessCase) server(i int, address, dir string) string {
	var rules strings.Builder
	for _, r := range c.rules {
		fmt.Fprintf(&rules, "%s %s;\n", r.action, r.argument)
	}
	var outer, inner strings.Builder
	if c.rulesAtTheServer {
		outer.WriteString(rules.String())
	} else {
		inner.WriteString(rules.String())
	}
	if c.satisfy != "" {
		fmt.Fprintf(&outer, "satisfy %s;\n", c.satisfy)
	}
	if c.outerAuth != "" {
		fmt.Fprintf(&outer, "auth_basic %s;\n", c.outerAuth)
	}
	if c.auth != "" {
		fmt.Fprintf(&inner, "auth_basic %s;\n", c.auth)
	}
	if c.userFile {
		outer.WriteString("auth_basic_user_file " + dir + "/htpasswd;\n")
	}
	return fmt.Sprintf("server {\nlisten %s;\nserver_name s%d;\nroot %s;\n%slocation / {\n%s}\n}\n", address, i, dir, outer.String(), inner.String())
}

// matches tells whether a rule speaks of an address.
func (c *accessCase) matches(from string) bool {
	addr := netip.MustParseAddr(from)
	for _, r := range c.rules {
		if r.argument == "all" {
			return true
		}
		if p, err := netip.ParsePrefix(r.argument); err == nil && p.Contains(addr) {
			return true
		}
	}
	return false
}

// some tells whether an allow lets in some, not all.
func (c *accessCase) some() bool {
	for _, r := range c.rules {
		if r.action == "allow" && r.argument != "all" && !strings.HasSuffix(r.argument, "/0") {
			return true
		}
	}
	return false
}

// denies6 tells whether IPv6 is closed: then a list that leaves IPv4 open is
// the affair of another check.
func (c *accessCase) denies6() bool {
	for _, r := range c.rules {
		if r.argument == "all" || r.argument == "::/0" {
			return r.action == "deny"
		}
	}
	return false
}

// request returns the status that server i answers an address with.
func request(t *testing.T, address, from string, i int) int {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp4", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /ok HTTP/1.0\r\nHost: s%d\r\n\r\n", i)
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer answer.Body.Close()
	return answer.StatusCode
}
