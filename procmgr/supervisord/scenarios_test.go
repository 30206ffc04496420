//go:build unix

package supervisord

import (
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/procmgr"
)

// stay is a program that ends when its standard input does; stubborn one that
// does not end by TERM, and says when it is ready for that.
const stay = "/bin/cat"

func (d *drive) stubborn() string { return d.sh("trap '' TERM; echo up; exec cat") }

// scenarios are what a server is driven through, by the names of their files in
// testdata.
var scenarios = map[string]func(*drive){
	"api":         scenarioAPI,
	"lifecycle":   scenarioLifecycle,
	"backoff":     scenarioBackoff,
	"faults":      scenarioFaults,
	"groups":      scenarioGroups,
	"logs":        scenarioLogs,
	"stdin":       scenarioStdin,
	"signals":     scenarioSignals,
	"environment": scenarioEnvironment,
	"limits":      scenarioLimits,
	"http":        scenarioHTTP,
	"config":      scenarioConfig,
	"ctl":         scenarioCtl,
	"ctlupdate":   scenarioCtlUpdate,
	"events":      scenarioEvents,
	"shutdown":    scenarioShutdown,
	"restart":     scenarioRestart,
	"usage":       scenarioUsage,
}

func scenarioAPI(d *drive) {
	d.start(d.program("a", stay, "autostart=false"))
	for _, method := range []string{"getAPIVersion", "getVersion", "getSupervisorVersion", "getIdentification", "getState"} {
		d.supervisor(method)
	}
	names := d.call("system.listMethods").([]any)
	for _, name := range names {
		d.call("system.methodSignature", name)
	}
	d.call("system.methodSignature", "supervisor.nope")
	d.call("system.methodHelp", "supervisor.nope")
	d.supervisor("getProcessInfo", "a")
	d.call("system.multicall", []any{
		map[string]any{"methodName": "supervisor.getIdentification", "params": []any{}},
		map[string]any{"methodName": "supervisor.getProcessInfo", "params": []any{"nope"}},
		map[string]any{"methodName": "supervisor.startProcess", "params": []any{"a"}},
		map[string]any{"methodName": "system.multicall", "params": []any{[]any{}}},
		map[string]any{"params": []any{}},
		map[string]any{"methodName": "supervisor.reloadConfig"},
		map[string]any{"methodName": "supervisor.stopProcess", "params": []any{"a", true}},
	})
	d.states()
	for _, method := range []string{"supervisor.nope", "nope.getPID", "supervisor._update", "getPID", "supervisor.getPID.x"} {
		d.call(method)
	}
	d.supervisor("getProcessInfo")
	d.supervisor("getPID", 1)
	info, err := os.Stat(d.file("s"))
	require.NoError(d.t, err)
	d.tell("the socket has mode %v", info.Mode())
}

func scenarioLifecycle(d *drive) {
	exits := func(code string) string { return d.sh("read x; exit " + code) }
	d.start(d.program("auto", stay) + d.program("manual", stay, "autostart=false") +
		d.program("zero", exits("0"), "autostart=false") + d.program("three", exits("3"), "autostart=false") +
		d.program("four", exits("4"), "autostart=false", "exitcodes=0,4") +
		d.program("again", exits("3"), "autorestart=unexpected", "autostart=false") +
		d.program("killed", stay, "autorestart=unexpected", "autostart=false"))
	d.await("success: auto entered RUNNING")
	d.supervisor("getProcessInfo", "auto")
	d.supervisor("startProcess", "manual", false)
	for _, name := range []string{"zero", "three", "four", "zero"} {
		d.supervisor("startProcess", name)
		d.supervisor("sendProcessStdin", name, "\n")
		d.await("exited: " + name)
	}
	d.await("exited: zero", 2)
	d.states()
	d.supervisor("stopProcess", "auto")
	d.supervisor("stopProcess", "manual", false)
	d.await("stopped: manual")
	d.states()
	d.supervisor("startProcess", "again")
	d.supervisor("sendProcessStdin", "again", "\n")
	d.await("success: again", 2) // started again
	d.supervisor("stopProcess", "again")
	d.supervisor("startProcess", "killed")
	d.supervisor("signalProcess", "killed", "KILL")
	d.await("exited: killed")
	d.await("success: killed", 2)
	d.supervisor("stopProcess", "killed")
	d.states()
}

func scenarioBackoff(d *drive) {
	d.start(d.program("quick", d.sh("exit 0"), "startsecs=3", "startretries=0", "autostart=false") +
		d.program("once", d.sh("exit 1"), "startsecs=3", "startretries=1", "autostart=false") +
		d.program("many", d.sh("exit 1"), "startsecs=3", "startretries=100", "autostart=false") +
		d.program("missing", "/nonexistent/x", "startretries=0"))
	d.await("gave up: missing entered FATAL")
	d.supervisor("startProcess", "quick")
	d.await("gave up: quick entered FATAL")
	d.supervisor("startProcess", "once")
	d.await("gave up: once entered FATAL")
	d.states()
	d.supervisor("startProcess", "many")
	d.supervisor("stopProcess", "many")
}

func scenarioFaults(d *drive) {
	require.NoError(d.t, os.WriteFile(d.file("plain"), nil, 0o600))
	d.start(d.program("a", stay) + d.program("off", stay, "autostart=false") + d.program("missing", d.file("nope"), "autostart=false") +
		d.program("plain", d.file("plain"), "autostart=false") + d.program("dir", d.dir, "autostart=false") +
		d.program("words", `/bin/sh -c "`, "autostart=false") + d.program("slow", stay, "autostart=false", "startsecs=1000"))
	d.await("success: a entered RUNNING")
	for _, method := range []string{"startProcess", "stopProcess", "getProcessInfo", "startProcessGroup", "stopProcessGroup", "clearProcessLogs",
		"removeProcessGroup", "addProcessGroup"} {
		for _, name := range []string{"nope", "a:nope", "nope:*", ""} {
			d.supervisor(method, name)
		}
	}
	d.supervisor("getProcessInfo", "a:*")
	d.supervisor("signalProcess", "nope", "HUP")
	d.supervisor("sendProcessStdin", "nope", "x")
	d.supervisor("readProcessStdoutLog", "nope", 0, 0)
	d.supervisor("tailProcessStdoutLog", "nope", 0, 0)
	for _, name := range []string{"a", "missing", "plain", "dir", "words"} {
		d.supervisor("startProcess", name)
	}
	d.supervisor("stopProcess", "off")
	d.supervisor("signalProcess", "off", "HUP")
	d.supervisor("sendProcessStdin", "off", "x")
	d.supervisor("addProcessGroup", "a")
	d.supervisor("removeProcessGroup", "a")
	d.supervisor("startProcess", "slow", false)
	d.supervisor("startProcess", "slow")
	d.supervisor("stopProcess", "slow")
	d.states()
}

func scenarioGroups(d *drive) {
	d.start("[group:g]\nprograms=one,two,three\n\n" + d.program("one", stay, "autostart=false") + d.program("two", d.file("nope"), "autostart=false") +
		d.program("three", stay, "autostart=false", "priority=1") +
		d.program("w", stay, "numprocs=3", "numprocs_start=1", "process_name=%(program_name)s_%(process_num)02d", "stdout_logfile=NONE") +
		d.program("single", stay, "autostart=false"))
	d.await("success: w_03 entered RUNNING")
	d.states()
	sorted := func(method string, args ...any) { // the order of what comes at the same time is nobody's business
		v, err := d.client.Call(d.t.Context(), "supervisor."+method, args...)
		require.NoError(d.t, err)
		list := v.([]any)
		slices.SortFunc(list, func(a, b any) int {
			return strings.Compare(a.(map[string]any)["name"].(string), b.(map[string]any)["name"].(string))
		})
		d.tell("%s%v", method, args)
		for _, r := range list {
			d.tell("\t%v", r)
		}
	}
	sorted("startProcessGroup", "g")
	sorted("startProcess", "g:*")
	sorted("signalProcessGroup", "g", "CONT")
	sorted("signalProcessGroup", "g", "NOPE")
	sorted("stopProcess", "g:*")
	sorted("stopProcessGroup", "g", true)
	sorted("signalAllProcesses", "CONT")
	sorted("stopAllProcesses")
	sorted("stopAllProcesses")
	sorted("startAllProcesses", false)
	sorted("stopAllProcesses", true)
	sorted("clearAllProcessLogs")
	d.supervisor("stopProcess", "w:w_01")
	d.supervisor("getProcessInfo", "w_01")
	d.states()
}

func scenarioLogs(d *drive) {
	d.start(d.program("a", d.sh("printf 0123456789ABCDEFGHIJ; printf oops >&2; exec cat"), "stderr_logfile="+d.file("a.err")) +
		d.program("both", d.sh("echo o1; echo e1 >&2; echo o2; exec cat"), "redirect_stderr=true") +
		d.program("none", stay, "stdout_logfile=NONE") + d.program("auto", stay, "stdout_logfile=AUTO") +
		d.program("never", stay, "autostart=false"))
	d.await("success: never|success: none entered RUNNING")
	d.awaitLog("a", procmgr.Stdout, "J")
	d.awaitLog("a", procmgr.Stderr, "oops")
	d.awaitLog("both", procmgr.Stdout, "o2")
	for _, part := range [][2]any{{0, 0}, {2, 3}, {15, 0}, {15, 100}, {100, 5}, {-5, 0}, {-500, 0}, {-5, 3}, {0, -1}} {
		d.supervisor("readProcessStdoutLog", "a", part[0], part[1])
	}
	for _, part := range [][2]any{{0, 20}, {0, 100}, {0, 5}, {20, 100}, {0, 0}, {10, 5}, {25, 5}, {-3, 5}} {
		d.supervisor("tailProcessStdoutLog", "a", part[0], part[1])
	}
	d.supervisor("readProcessLog", "a", 2, 3)
	d.supervisor("tailProcessLog", "a", 0, 5)
	d.supervisor("readProcessStderrLog", "a", 0, 0)
	d.supervisor("tailProcessStderrLog", "a", 0, 100)
	d.supervisor("readProcessStdoutLog", "both", 0, 0)
	d.supervisor("readProcessStderrLog", "both", 0, 0)
	d.supervisor("readProcessStdoutLog", "none", 0, 0)
	d.supervisor("tailProcessStdoutLog", "none", 0, 10)
	d.supervisor("readProcessStdoutLog", "never", 0, 0)
	d.supervisor("tailProcessStdoutLog", "never", 0, 10)
	d.supervisor("getProcessInfo", "auto")
	d.supervisor("getProcessInfo", "none")
	d.supervisor("clearProcessLogs", "a")
	d.supervisor("readProcessStdoutLog", "a", 0, 0)
	d.supervisor("sendProcessStdin", "a", "more <&> äöü\n")
	d.awaitLog("a", procmgr.Stdout, "\n")
	d.supervisor("readProcessStdoutLog", "a", 0, 0)
	d.supervisor("stopProcess", "a")
	d.supervisor("clearProcessLog", "a")
	d.supervisor("readProcessStdoutLog", "a", 0, 0)
	d.supervisor("startProcess", "a")
	d.awaitLog("a", procmgr.Stdout, "J")
	d.show("a.out")
	require.NoError(d.t, os.Rename(d.file("a.out"), d.file("moved")))
	d.signal(syscall.SIGUSR2)
	d.await("supervisord logreopen")
	d.supervisor("sendProcessStdin", "a", "after\n")
	d.awaitLog("a", procmgr.Stdout, "after")
	d.show("a.out")
	d.show("moved")
	d.supervisor("readLog", -5, 3)
	d.supervisor("clearLog")
	d.supervisor("readLog", 0, 0)
}

func scenarioStdin(d *drive) {
	d.start(d.program("cat", stay))
	d.await("success: cat entered RUNNING")
	d.supervisor("sendProcessStdin", "cat", "hello\n")
	d.supervisor("sendProcessStdin", "cat", "grüß€\n")
	d.supervisor("sendProcessStdin", "cat", 5)
	d.awaitLog("cat", procmgr.Stdout, "€\n")
	d.show("cat.out")
	d.supervisor("sendProcessStdin", "cat:*", "x")
}

func scenarioSignals(d *drive) {
	trap := d.sh("trap 'echo u1' USR1; trap 'echo hup' HUP; trap 'echo term; exit 7' TERM; echo up; while read x; do :; done; while :; do sleep 0.05; done")
	d.start(d.program("a", trap) + d.program("b", stay, "autostart=false"))
	d.awaitUp("a")
	d.supervisor("signalProcess", "a", "USR1")
	d.awaitLog("a", procmgr.Stdout, "u1")
	d.supervisor("signalProcess", "a", "SIGHUP")
	d.awaitLog("a", procmgr.Stdout, "hup")
	for _, signal := range []any{"0", "CONT", "18", 18, "NOPE", "99", "33", "-1", ""} {
		d.supervisor("signalProcess", "a", signal)
	}
	d.supervisor("signalProcess", "b", "CONT")
	d.supervisor("signalProcess", "a:*", "CONT")
	d.supervisor("signalAllProcesses", "0")
	d.supervisor("stopProcess", "a")
	d.states()
	d.show("a.out")
}

// awaitUp returns when a process that says so is up.
func (d *drive) awaitUp(name string) {
	d.await("success: " + name + " entered RUNNING")
	d.awaitLog(name, procmgr.Stdout, "up")
}

func scenarioEnvironment(d *drive) {
	require.NoError(d.t, os.Mkdir(d.file("cwd"), 0o755))
	require.NoError(d.t, os.Mkdir(d.file("bin"), 0o755))
	require.NoError(d.t, os.WriteFile(d.file("bin/tool"), []byte("#!/bin/sh\necho tool; echo up; exec cat\n"), 0o755))
	d.start("[group:g]\nprograms=env\n\n" +
		d.program("env", d.sh("env | grep -v -e ^SUPERVISORD_TEST_CHILD= -e ^PYTHON -e ^PWD= -e ^OLDPWD= -e ^_= -e ^SHLVL= | sort; echo up; exec cat"),
			`environment=A="x,y z",B=plain,D="%(program_name)s-%(process_num)d",GLOBAL="mine"`) +
		d.program("inherit", d.sh("echo $GLOBAL $FROM_OUTSIDE; echo up; exec cat")) +
		d.program("where", d.sh("pwd; umask; echo up; exec cat"), "directory="+d.file("cwd"), "umask=027") +
		d.program("words", `/bin/sh -c 'printf "<%%s>" "a b" "c" "%(program_name)s %(here)s %(ENV_FROM_OUTSIDE)s 100%%"; echo up; exec cat'`) +
		d.program("tool", "tool", `environment=PATH="`+d.file("bin")+`:/usr/bin:/bin"`) +
		d.program("descriptors", d.sh(`for i in 0 1 2 3 4 5 6 7 8 9 11 12; do [ -e /proc/$$/fd/$i ] && echo $i; done; while read line; do case "$line" in SigBlk*) echo $line;; esac; done </proc/$$/status; echo up; exec cat`)))
	for _, name := range []string{"g:env", "inherit", "where", "words", "tool", "descriptors"} {
		d.await("success: " + strings.TrimPrefix(name, "g:") + " entered RUNNING")
		d.awaitLog(name, procmgr.Stdout, "up\n")
		d.show(strings.TrimPrefix(name, "g:") + ".out")
	}
}

func scenarioLimits(d *drive) {
	d.limit, d.own = 300, "minfds=400"
	d.start(d.program("descriptors", d.sh("ulimit -Sn; echo up; exec cat")))
	d.awaitUp("descriptors")
	d.show("descriptors.out")
}

func scenarioHTTP(d *drive) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(d.t, err)
	address := l.Addr().String()
	require.NoError(d.t, l.Close())
	d.start("[inet_http_server]\nport=" + address + "\nusername=me\npassword={SHA}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n\n" +
		d.program("a", d.sh("echo 0123456789; echo up; exec cat")) + d.program("none", stay, "stdout_logfile=NONE"))
	d.awaitUp("a")
	ask := func(method, path, password, body string) {
		r, err := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
		require.NoError(d.t, err)
		if password != "" {
			r.SetBasicAuth("me", password)
		}
		reply, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(d.t, err)
		defer reply.Body.Close()
		d.tell("%s %s %q: %d", method, path, password, reply.StatusCode)
		for _, name := range []string{"WWW-Authenticate", "Content-Type", "Transfer-Encoding"} {
			value := reply.Header.Get(name)
			if name == "Transfer-Encoding" {
				value = strings.Join(reply.TransferEncoding, " ")
			}
			if value != "" && (reply.StatusCode == 200 || name == "WWW-Authenticate") {
				d.tell("\t%s: %s", name, value)
			}
		}
		if reply.StatusCode == 200 {
			got := make([]byte, 100)
			n, _ := io.ReadAtLeast(reply.Body, got, 14)
			d.tell("\t%.14q", got[:n])
		}
	}
	const state = "<methodCall><methodName>supervisor.getState</methodName></methodCall>"
	for _, path := range []string{"/RPC2", "/logtail/a", "/mainlogtail", "/"} {
		ask("GET", path, "", "")
		ask("GET", path, "wrong", "")
	}
	ask("POST", "/RPC2", "", state)
	ask("POST", "/RPC2", "password", state)
	ask("POST", "/RPC2/and/more", "password", state)
	ask("GET", "/RPC2", "password", "")
	ask("POST", "/RPC2", "password", "<no")
	ask("POST", "/RPC2", "password", "<methodCall/>")
	for _, path := range []string{"a", "a/stdout", "a/stderr", "a/nope", "a:a/stdout", "a:*", "a%2Fstdout", "none", "nope"} {
		ask("GET", "/logtail/"+path, "password", "")
	}
	ask("POST", "/logtail/a", "password", "")
}

func scenarioConfig(d *drive) {
	d.start("[group:g]\nprograms=a\npriority=7\n\n" + d.program("a", stay, "priority=5", "stopsignal=INT", "exitcodes=0,2", "directory=/", "umask=022") +
		d.program("b", stay, "autostart=false", "stdout_logfile=AUTO") + d.program("c", stay, "stdout_logfile_maxbytes=2KB ; comment", "stdout_syslog=false"))
	d.await("success: c entered RUNNING")
	d.supervisor("getAllConfigInfo")
	d.supervisor("reloadConfig")
	d.configure(d.program("b", stay, "autostart=false", "stdout_logfile=AUTO", "priority=3") + d.program("c", stay, "stdout_logfile_maxbytes=2KB", "stdout_syslog=false") +
		d.program("d", stay, "autostart=false", "stdout_logfile=AUTO") + d.program("e", stay))
	d.supervisor("reloadConfig")
	d.supervisor("reloadConfig")
	d.supervisor("getAllConfigInfo")
	d.supervisor("getProcessInfo", "d")
	d.supervisor("addProcessGroup", "d")
	d.supervisor("addProcessGroup", "d")
	d.supervisor("addProcessGroup", "g")
	d.supervisor("addProcessGroup", "e")
	d.await("success: e entered RUNNING")
	d.supervisor("removeProcessGroup", "g")
	d.supervisor("stopProcessGroup", "g")
	d.supervisor("removeProcessGroup", "g")
	d.supervisor("removeProcessGroup", "b")
	d.supervisor("reloadConfig")
	d.supervisor("addProcessGroup", "b")
	d.supervisor("reloadConfig")
	d.states()
	for _, broken := range []string{"[program:bad]\nstartsecs=1\n", d.program("a", stay, "startsecs=xyz"), "[group:x]\nprograms=nope\n", "no section\n[x\n"} {
		d.configure(broken)
		d.supervisor("reloadConfig")
	}
	d.states()
}

func scenarioCtl(d *drive) {
	testCtl(d)
	d.start("[group:g]\nprograms=x,y\n\n" + d.program("x", stay, "autostart=false") + d.program("y", stay, "autostart=false") +
		d.program("a", d.sh("printf '0123456789\\n'; echo e >&2; echo up; exec cat"), "stderr_logfile="+d.file("a.err")) +
		d.program("false", "/bin/false", "startsecs=3", "startretries=0", "autostart=false") + d.program("missing", d.file("nope"), "autostart=false") +
		d.program("a_name_that_is_longer_than_thirty_letters", stay, "autostart=false"))
	d.awaitUp("a")
	d.ctl("status", "a")
	d.ctl("status", "nope", "nope:*", "g:*")
	d.ctl("start", "a", "false", "missing", "nope", "nope:*")
	d.session("start g:x", "start g:y", "stop g:x g:x", "restart g:y", "signal CONT a", "signal NOPE a", "signal CONT nope",
		"tail a", "tail -4 a", "tail a stderr", "tail nope", "clear a", "clear nope", "version", "avail", "add a nope", "remove a", "remove nope",
		"stop a", "start a", "stop a g:y", "status", "bogus")
	d.ctl("stop", "nope")
}

// testCtl ends a test that has no supervisorctl, before its server is started.
func testCtl(d *drive) { supervisorctl(d.t) }

func scenarioCtlUpdate(d *drive) {
	testCtl(d)
	d.start(d.program("a", stay) + d.program("b", stay) + d.program("c", stay))
	d.await("success: c entered RUNNING")
	d.session("reread", "update")
	d.configure(d.program("a", stay) + d.program("b", stay, "stopwaitsecs=3") + d.program("d", stay))
	d.session("reread", "update", "update nope", "avail")
	d.await("success: d entered RUNNING")
	d.await("success: b entered RUNNING", 2)
	d.configure("[program:bad]\n")
	d.session("reread", "update", "stop a", "remove a", "status")
	d.ctl("shutdown")
	d.end()
	d.ctl("status")
}

func scenarioEvents(d *drive) {
	listener := "[eventlistener:l]\ncommand=" + os.Args[0] + "\nenvironment=" + childEnv + "=\"listen\"\nevents=EVENT\nbuffer_size=1000\n" +
		"startsecs=0\nstdout_logfile=NONE\nstderr_logfile=" + d.file("heard") + "\n\n"
	d.start(listener)
	d.await("success: l entered RUNNING")
	d.configure(listener + d.program("a", d.sh(`read x; printf 'before<!--XSUPERVISOR:BEGIN-->secret<!--XSUPERVISOR:END-->after, and enough of it for Supervisor to look at it\n'; exec cat`), "stdout_capture_maxbytes=1MB") +
		d.program("talk", d.sh("read x; echo $x; exec cat"), "stdout_events_enabled=true") + d.program("five", d.sh("read x; exit 5"), "autostart=false") +
		d.program("quick", d.sh("exit 1"), "startsecs=3", "startretries=0", "autostart=false"))
	d.supervisor("reloadConfig")
	d.supervisor("sendRemoteCommEvent", "type", "some data")
	d.supervisor("sendRemoteCommEvent", "type", "reject this once")
	d.supervisor("addProcessGroup", "a")
	d.awaitLog("l", procmgr.Stderr, "RUNNING \"processname:a")
	d.supervisor("sendProcessStdin", "a", "go\n")
	d.awaitLog("l", procmgr.Stderr, "PROCESS_COMMUNICATION_STDOUT")
	d.awaitLog("a", procmgr.Stdout, "after")
	d.supervisor("stopProcess", "a")
	d.supervisor("removeProcessGroup", "a")
	d.supervisor("addProcessGroup", "talk")
	d.awaitLog("l", procmgr.Stderr, "RUNNING \"processname:talk")
	d.supervisor("sendProcessStdin", "talk", "words\n")
	d.awaitLog("l", procmgr.Stderr, "PROCESS_LOG_STDOUT") // the log may be written before it
	d.supervisor("addProcessGroup", "five")
	d.supervisor("startProcess", "five")
	d.supervisor("sendProcessStdin", "five", "\n")
	d.await("exited: five")
	d.supervisor("addProcessGroup", "quick")
	d.supervisor("startProcess", "quick")
	d.awaitLog("l", procmgr.Stderr, "PROCESS_STATE_FATAL")
	b, err := os.ReadFile(d.file("heard"))
	require.NoError(d.t, err)
	for line := range strings.Lines(string(b)) {
		// Ticks come when they come, and its own events too.
		if !strings.Contains(line, "TICK_") && !strings.Contains(line, "processname:l ") {
			d.tell("%s", strings.TrimSuffix(line, "\n"))
		}
	}
	d.show("a.out")
}

func scenarioShutdown(d *drive) {
	order := func(name string) string {
		return d.sh("trap 'echo " + name + " >>" + d.file("order") + "; exit 0' TERM; echo up; while :; do sleep 0.02; done")
	}
	d.start(d.program("a", order("a"), "priority=10") + d.program("b", order("b"), "priority=30") + d.program("c", order("c"), "priority=20") +
		d.program("stubborn", d.stubborn(), "priority=1", "stopwaitsecs=3"))
	for _, name := range []string{"a", "b", "c", "stubborn"} {
		d.awaitUp(name)
	}
	d.supervisor("shutdown")
	for _, method := range []string{"getState", "getAllProcessInfo", "shutdown", "restart", "reloadConfig"} {
		d.supervisor(method)
	}
	d.supervisor("startProcess", "a")
	d.supervisor("sendRemoteCommEvent", "a", "b")
	d.end()
	d.show("order")
}

func scenarioRestart(d *drive) {
	d.start(d.program("a", stay))
	d.await("success: a entered RUNNING")
	d.configure(d.program("a", stay) + d.program("new", stay))
	d.supervisor("restart")
	d.await("success: new entered RUNNING")
	d.states()
	d.configure(d.program("newer", stay))
	d.signal(syscall.SIGHUP)
	d.await("success: newer entered RUNNING")
	d.states()
	d.signal(syscall.SIGTERM)
	d.end()
}
