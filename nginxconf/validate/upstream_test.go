package validate_test

import (
	"cmp"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// oracleSize returns the seed and the number of cases of a differential test.
func oracleSize(t *testing.T, cases int) (*rand.Rand, int) {
	t.Helper()
	seed, cases := testenv.Size(t, cases)
	return rand.New(rand.NewPCG(seed, 0)), cases
}

// An upstream is the installed nginx, or the one that ORACLE_NGINX names, in a
// network of its own: nginx -t opens the sockets that it is told to listen on.
type upstream struct {
	dir, version string
	modules      string            // load_module directives
	beside       map[string]string // further files beside the main one
	knows        []string          // the modules that it has, for Options.Modules
	files        fs.FS             // what we may look at; nil: nothing
}

// A nginx of another version has other words; the tests that ask it say so.
func newUpstream(t *testing.T) *upstream {
	t.Helper()
	for _, name := range []string{nginxProgram(), "unshare", "ip"} {
		testenv.Program(t, name)
	}
	u := &upstream{dir: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(u.dir, "logs"), 0o700)) // where nginx logs by default, if nothing else was said when it was built
	out, err := u.command("-v").CombinedOutput()
	if err != nil {
		testenv.Missing(t, "nginx cannot be run in a network of its own: %s", out)
	}
	m := regexp.MustCompile(`nginx/([0-9.]+)`).FindSubmatch(out)
	require.NotNil(t, m, "%s", out)
	u.version = string(m[1])
	if nginxProgram() != "nginx" {
		return u
	}
	if deb, err := exec.Command("dpkg-query", "-W", "-f=${Version}", "nginx").Output(); err == nil && strings.HasPrefix(string(deb), u.version+"-") {
		u.version = string(deb)
	}
	for _, name := range []string{"ngx_stream_module", "ngx_mail_module"} {
		so := filepath.Join("/usr/lib/nginx/modules", name+".so")
		if _, err := os.Stat(so); err == nil {
			u.modules += "load_module " + so + ";"
		}
	}
	return u
}

// nginxProgram returns the nginx to ask. One that is not the installed one has its
// modules built in.
func nginxProgram() string { return cmp.Or(os.Getenv("ORACLE_NGINX"), "nginx") }

func (u *upstream) command(args ...string) *exec.Cmd {
	cmd := exec.Command("unshare", append([]string{"-n", "sh", "-c", `ip link set lo up; exec "$0" "$@"`, nginxProgram()}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	return cmd
}

var emerg = regexp.MustCompile(`(?s).*\[emerg\] (?:\d+#\d+: )?(.*?)(?: in (\S*):(\d+))?\nnginx: configuration file `)

var critical = regexp.MustCompile(`\[crit\] (?:\d+#\d+: )?(.*?)()()\nnginx: configuration file `)

// wordless is what is left when nginx refuses without a reason.
const wordless = "test failed"

// ask returns what nginx -t says of a main file, and the line it names, 0 for
// none. The message is empty if nginx takes the configuration.
func (u *upstream) ask(t *testing.T, conf string) (message string, line int) {
	t.Helper()
	name := filepath.Join(u.dir, "nginx.conf")
	require.NoError(t, os.WriteFile(name, []byte(conf), 0o600))
	for name, text := range u.beside {
		require.NoError(t, os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o600))
	}
	log := []string{"-e", "stderr"}
	globals := "pid nginx.pid;" + u.modules
	if strings.HasPrefix(u.version, "1.18.") { // which has no -e
		log, globals = nil, globals+"error_log stderr;"
	}
	out, err := u.command(append(log, "-t", "-p", u.dir, "-c", name, "-g", globals)...).CombinedOutput()
	if err == nil {
		return "", 0
	}
	m := emerg.FindSubmatch(out)
	if m == nil { // it fails when it has read all
		m = critical.FindSubmatch(out)
	}
	if m == nil && strings.Contains(string(out), wordless) {
		return wordless, 0
	}
	require.NotNil(t, m, "%s\n%s", conf, out)
	line, _ = strconv.Atoi(string(m[3]))
	return string(m[1]), line
}

// first returns the first error that we find in a main file of that name.
func (u *upstream) first(t *testing.T, conf string) *nginxconf.Diagnostic {
	t.Helper()
	name := strings.TrimPrefix(filepath.Join(u.dir, "nginx.conf"), "/")
	host := fstest.MapFS{name: {Data: []byte(conf)}}
	for beside, text := range u.beside {
		host[path.Join(path.Dir(name), beside)] = &fstest.MapFile{Data: []byte(text)}
	}
	c, _ := nginxconf.Load(host, name, nil)
	for _, d := range validate.Config(c, &validate.Options{Version: u.version, Modules: u.knows, Resolve: noNames, Files: u.files}) {
		if d.Level == slog.LevelError {
			return d
		}
	}
	return nil
}

// noNames resolves what nginx can in a network of its own.
func noNames(host string) error {
	if strings.EqualFold(host, "localhost") {
		return nil
	}
	return errors.New("no such host")
}

// compare asks both and returns what differs, or nothing.
func (u *upstream) compare(t *testing.T, conf string) string {
	t.Helper()
	message, line := u.ask(t, conf)
	return u.differs(message, line, u.first(t, conf))
}

// differs returns how our first error is another than nginx's, or nothing.
func (u *upstream) differs(message string, line int, ours *nginxconf.Diagnostic) string {
	switch {
	case message == "" && ours == nil:
		return ""
	case message == "":
		return "nginx takes it, we say: " + ours.Error()
	case ours == nil:
		return "nginx says: " + message
	case message == wordless:
		return ""
	case strings.ReplaceAll(message, "\n", `\n`) != ours.Message || line != 0 && line != ours.Start.Line:
		return "nginx says: " + message + " (line " + strconv.Itoa(line) + "), we say: " + ours.Error()
	}
	return ""
}
