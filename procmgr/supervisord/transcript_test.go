//go:build unix

package supervisord

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/rpc"
)

// The scenarios drive a server from outside, by its API, by the real
// supervisorctl and by signals, and write down what it answers. What the real
// supervisord answers stands in testdata; ours has to answer the same, also
// where Supervisor is not installed.
var update = flag.Bool("update", false, "write down what the installed supervisord answers")

const (
	childEnv = "SUPERVISORD_TEST_CHILD" // makes the test binary a supervisord, or an event listener
	patience = 2 * time.Minute          // on a machine that has much else to do
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(childEnv) == "supervisord", os.Getenv(background) != "":
		os.Unsetenv(childEnv)
		os.Exit(Main(os.Args, os.Stdout, os.Stderr))
	case os.Getenv(childEnv) == "listen":
		listen()
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// listen is an event listener that says on standard error what it hears. It
// rejects the first event that says so.
func listen() {
	rejected := false
	for in := bufio.NewReader(os.Stdin); ; {
		fmt.Print("READY\n")
		header, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fields := map[string]string{}
		for _, f := range strings.Fields(header) {
			name, value, _ := strings.Cut(f, ":")
			fields[name] = value
		}
		n, err := strconv.Atoi(fields["len"])
		if err != nil {
			panic(err)
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(in, payload); err != nil {
			panic(err)
		}
		fmt.Fprintf(os.Stderr, "ver:%s server:%s pool:%s %s %q\n", fields["ver"], fields["server"], fields["pool"], fields["eventname"], payload)
		fmt.Printf("RESULT ")
		if !rejected && strings.Contains(string(payload), "reject") {
			rejected = true
			fmt.Print("4\nFAIL")
		} else {
			fmt.Print("2\nOK")
		}
	}
}

// A drive is a server that is driven through a scenario.
type drive struct {
	t      testing.TB
	dir    string
	path   string // of the server
	own    string // more for [supervisord]
	limit  int    // of descriptors, that the server is started with; 0: as they are
	cmd    *exec.Cmd
	client *rpc.Client
	ended  chan struct{}

	mu    sync.Mutex
	lines []string // of its log
	grown chan struct{}

	told bytes.Buffer
}

func (d *drive) file(name string) string { return filepath.Join(d.dir, name) }

func (d *drive) tell(format string, args ...any) {
	fmt.Fprintln(&d.told, d.normal(fmt.Sprintf(format, args...)))
}

var normal = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`pid:?( ?)[1-9]\d*`), "pid${1}PID"},
	{regexp.MustCompile(`"(pid)":[1-9]\d*`), `"$1":"PID"`},
	{regexp.MustCompile(`"(start|stop|now)":[1-9]\d*`), `"$1":"TIME"`},
	{regexp.MustCompile(`uptime \d:\d\d:\d\d`), "uptime U"},
	{regexp.MustCompile(`[A-Z][a-z][a-z] \d\d \d\d:\d\d [AP]M`), "DATE"},
	{regexp.MustCompile(`(---under test)-[^\s"]+\.log`), "$1-RANDOM.log"},
}

func (d *drive) normal(s string) string {
	s = strings.ReplaceAll(s, d.dir, "DIR")
	s = strings.ReplaceAll(s, os.Args[0], "TEST")
	for _, n := range normal {
		s = n.what.ReplaceAllString(s, n.with)
	}
	return s
}

// configure writes the configuration.
func (d *drive) configure(sections string) {
	conf := fmt.Sprintf("[supervisord]\nlogfile=%s\npidfile=%s\nchildlogdir=%s\nidentifier=under test\nenvironment=GLOBAL=\"from supervisord\"\n%s\n\n"+
		"[unix_http_server]\nfile=%s\n\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\n"+
		"[supervisorctl]\nserverurl=unix://%s\n\n", d.file("main.log"), d.file("pid"), d.dir, d.own, d.file("s"), d.file("s")) + sections
	require.NoError(d.t, os.WriteFile(d.file("conf"), []byte(conf), 0o600))
}

// program is a section with what is the same for most.
func (d *drive) program(name, command string, more ...string) string {
	return fmt.Sprintf("[program:%s]\ncommand=%s\nstartsecs=0\nautorestart=false\nstdout_logfile=%s\nstderr_logfile=NONE\n%s\n\n",
		name, command, d.file(name+".out"), strings.Join(more, "\n"))
}

// sh is a command that runs a script.
func (d *drive) sh(script string) string {
	f, err := os.CreateTemp(d.dir, "*.sh")
	require.NoError(d.t, err)
	_, err = f.WriteString(script)
	require.NoError(d.t, err)
	require.NoError(d.t, f.Close())
	return "/bin/sh " + f.Name()
}

// start returns when the server answers.
func (d *drive) start(sections string) {
	d.configure(sections)
	d.cmd = exec.Command(d.path, "-n", "-c", d.file("conf"))
	if d.limit > 0 {
		d.cmd = exec.Command("/bin/sh", "-c", fmt.Sprintf(`ulimit -Sn %d && exec "$0" "$@"`, d.limit), d.path, "-n", "-c", d.file("conf"))
	}
	d.cmd.Dir = d.dir
	d.cmd.Env = d.environ()
	out, err := d.cmd.StdoutPipe()
	require.NoError(d.t, err)
	d.cmd.Stderr = d.cmd.Stdout
	require.NoError(d.t, d.cmd.Start())
	d.ended = make(chan struct{})
	go func() {
		defer close(d.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			d.mu.Lock()
			d.lines = append(d.lines, lines.Text())
			d.mu.Unlock()
			select {
			case d.grown <- struct{}{}:
			default:
			}
		}
	}()
	d.t.Cleanup(func() {
		// All programs end when their standard input does.
		d.cmd.Process.Kill()
		<-d.ended
		d.cmd.Wait()
		if d.t.Failed() {
			d.t.Logf("the server said\n%s", strings.Join(d.lines, "\n"))
		}
	})
	d.await("supervisord started with pid")
	d.client, err = rpc.Dial("unix://" + d.file("s"))
	require.NoError(d.t, err)
	d.t.Cleanup(func() { d.client.Close() })
}

func (d *drive) environ() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC", "PYTHONUNBUFFERED=1", "LC_ALL=C.UTF-8", "FROM_OUTSIDE=yes", "PYTHONWARNINGS=ignore",
		childEnv + "=supervisord"}
}

// await returns when a line of the log matches, or so many do.
func (d *drive) await(pattern string, times ...int) {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	want := 1
	if len(times) > 0 {
		want = times[0]
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	found := 0
	for seen := 0; ; {
		d.mu.Lock()
		for ; seen < len(d.lines); seen++ {
			if re.MatchString(d.lines[seen]) {
				found++
			}
		}
		d.mu.Unlock()
		if found >= want {
			return
		}
		select {
		case <-d.grown:
		case <-d.ended:
			d.t.Fatalf("the server has ended, and its log does not say %s", pattern)
		case <-limit.C:
			d.t.Fatalf("the log says %s %d times, not %d", pattern, found, want)
		}
	}
}

// call calls a method of the API, and writes down the answer.
func (d *drive) call(method string, args ...any) any {
	v, err := d.client.Call(d.t.Context(), method, args...)
	d.answer(method, args, v, err)
	return v
}

func (d *drive) answer(method string, args []any, v any, err error) {
	given, _ := json.Marshal(args)
	text, _ := json.Marshal(v)
	answer := string(text)
	if err != nil {
		var f *rpc.Fault
		require.ErrorAs(d.t, err, &f, "%s%s", method, given)
		answer = fmt.Sprintf("fault %d %s", f.Code, f.Text)
	}
	d.tell("%s%s\n\t%s", method, given, answer)
}

func (d *drive) supervisor(method string, args ...any) any {
	return d.call("supervisor."+method, args...)
}

// states writes down the state of every process.
func (d *drive) states() {
	all, err := d.client.AllProcessInfo(d.t.Context())
	require.NoError(d.t, err)
	for _, p := range all {
		d.tell("%s %v %d %q %q", p.FullName(), p.State, p.ExitStatus, p.SpawnErr, p.Description)
	}
}

// ctl runs the real supervisorctl.
func (d *drive) ctl(args ...string) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, supervisorctl(d.t), append([]string{"-c", d.file("conf")}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "PYTHONIOENCODING=utf-8"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.ErrorAs(d.t, err, new(*exec.ExitError))
	}
	d.tell("$ supervisorctl %s\n%s[%d]", strings.Join(args, " "), out, cmd.ProcessState.ExitCode())
}

// session gives supervisorctl commands on its standard input. It starts with
// the status.
func (d *drive) session(commands ...string) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, supervisorctl(d.t), "-c", d.file("conf"))
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "PYTHONIOENCODING=utf-8", "HOME=" + d.dir}
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	require.NoError(d.t, err, "%s", out)
	answers := strings.Split(string(out), "supervisor> ")
	d.tell("$ supervisorctl\n%s", answers[0])
	for i, answer := range answers[1:] {
		if i < len(commands) {
			d.tell("> %s\n%s", commands[i], answer)
		}
	}
}

// awaitLog returns when the log of a process holds text.
func (d *drive) awaitLog(name string, c procmgr.Channel, text string) {
	d.t.Helper()
	log, err := d.client.Tail(d.t.Context(), name, c)
	require.NoError(d.t, err)
	defer log.Close()
	limit := time.AfterFunc(patience, func() { log.Close() })
	defer limit.Stop()
	var got []byte
	for buf := make([]byte, 4096); !bytes.Contains(got, []byte(text)); {
		n, err := log.Read(buf)
		got = append(got, buf[:n]...)
		require.NoError(d.t, err, "the log of %s is %q, and does not hold %q", name, got, text)
	}
}

// show writes down a file.
func (d *drive) show(name string) {
	b, err := os.ReadFile(d.file(name))
	if err != nil {
		d.tell("%s: none", name)
		return
	}
	d.tell("%s:\n%s", name, b)
}

// end waits for the server to end.
func (d *drive) end() {
	d.t.Helper()
	limit := time.AfterFunc(patience, func() { d.cmd.Process.Kill() })
	defer limit.Stop()
	<-d.ended
	d.cmd.Wait()
	d.tell("the server exits with %d", d.cmd.ProcessState.ExitCode())
	for _, name := range []string{"s", "pid"} {
		if _, err := os.Lstat(d.file(name)); err == nil {
			d.tell("%s is left", name)
		}
	}
}

func (d *drive) signal(sig syscall.Signal) { require.NoError(d.t, d.cmd.Process.Signal(sig)) }

// through drives a server through a scenario, and returns what was written
// down.
func through(t *testing.T, scenario func(*drive), path string) string {
	dir, err := os.MkdirTemp("", "pm") // t.TempDir is too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	d := &drive{t: t, dir: dir, path: path, grown: make(chan struct{}, 1)}
	scenario(d)
	return d.told.String()
}

func golden(name string) string { return filepath.Join("testdata", name+".txt") }

func TestSupervisordAnswersAsTheRealOne(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(golden(name))
			require.NoError(t, err)
			require.Equal(t, string(want), through(t, scenario, exe))
		})
	}
}

// TestOracleSupervisord asks the installed one the same: ORACLE_CASES of the
// scenarios, or with -update all.
func TestOracleSupervisord(t *testing.T) {
	path := testenv.Program(t, "supervisord")
	out, err := exec.Command(path, "-v").Output()
	require.NoError(t, err)
	if strings.TrimSpace(string(out)) != version {
		testenv.Missing(t, "supervisord is %s, and testdata is of %s", strings.TrimSpace(string(out)), version)
	}
	names := slices.Sorted(maps.Keys(scenarios))
	if seed, n := testenv.Size(t, 6); !*update {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		names = names[:min(n, len(names))]
	}
	for _, name := range names {
		scenario := scenarios[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := through(t, scenario, path)
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden(name), []byte(got), 0o644))
				return
			}
			want, err := os.ReadFile(golden(name))
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}
