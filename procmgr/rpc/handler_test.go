//go:build unix

package rpc

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/procmgr"
)

// A host is a Manager that runs, with a handler.
type host struct {
	*procmgr.Manager
	dir  string
	http *httptest.Server
	o    *HandlerOptions
}

func (h *host) file(name string) string { return filepath.Join(h.dir, name) }

// serve runs programs whose names tell what they are: cat (started), g:one,
// g:two (not found) and stubborn.
func serve(t testing.TB, o HandlerOptions) *host {
	h := &host{Manager: procmgr.New(nil), dir: t.TempDir(), o: &o}
	cat := procmgr.Program{Name: "cat", Command: "cat", StartSecs: procmgr.Zero, AutoRestart: procmgr.RestartNever, Stdout: procmgr.Log{File: h.file("cat.log")}}
	require.NoError(t, h.Add(cat))
	one, two := cat, cat
	one.Name, one.Manual, one.Stdout = "one", true, procmgr.Log{}
	two = one
	two.Name, two.Command = "two", "/nonexistent/two"
	require.NoError(t, h.AddGroup(procmgr.Group{Name: "g", Programs: []procmgr.Program{one, two}}))
	stubborn := one
	stubborn.Name, stubborn.Command = "stubborn", `sh -c "trap '' TERM; echo up; exec cat"`
	stubborn.Stdout.File, stubborn.StopWaitSecs = h.file("stubborn.log"), 1
	require.NoError(t, h.Add(stubborn))

	ctx, cancel := context.WithCancel(context.Background())
	events := h.Events(ctx)
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	for e := range events {
		if e.To == procmgr.Running {
			break
		}
	}
	h.http = httptest.NewServer(NewHandler(h.Manager, h.o))
	t.Cleanup(func() {
		h.http.CloseClientConnections()
		h.http.Close()
		cancel()
		require.NoError(t, <-done)
	})
	return h
}

func (h *host) client(t testing.TB) *Client {
	c, err := Dial(h.http.URL)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func (h *host) post(t *testing.T, body string, header ...string) *http.Response {
	r, err := http.NewRequest(http.MethodPost, h.http.URL+"/RPC2", strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	reply, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	reply.Body.Close()
	return reply
}

func TestOnlyRequestsAreAnswered(t *testing.T) {
	h := serve(t, HandlerOptions{MaxRequest: 1000})
	call := func(method string, args ...any) string {
		b, err := appendCall(nil, method, args)
		require.NoError(t, err)
		return string(b)
	}
	require.Equal(t, 400, h.post(t, "<notxml").StatusCode)
	require.Equal(t, 400, h.post(t, "<methodCall></methodCall>").StatusCode)
	require.Equal(t, 413, h.post(t, call("supervisor.getProcessInfo", strings.Repeat("x", 1000))).StatusCode)
	reply := h.post(t, call("supervisor.getPID"))
	require.Equal(t, 200, reply.StatusCode)
	require.Equal(t, "text/xml", reply.Header.Get("Content-Type"))
	for path, status := range map[string]int{"/": 404, "/RPC2": 400, "/logtail": 404, "/logtail/": 404, "/logtail/nope": 404,
		"/logtail/cat/x": 404, "/logtail/g:*": 404, "/logtail/g:one": 404, "/logtail/cat/stderr": 404, "/mainlogtail": 404} {
		reply, err := http.Get(h.http.URL + path)
		require.NoError(t, err)
		reply.Body.Close()
		require.Equal(t, status, reply.StatusCode, path)
	}
}

func TestAPasswordIsAskedFor(t *testing.T) {
	for password, stored := range map[string]string{
		"pass:word": "pass:word", "thepassword": "{SHA}82ab876d1387bfafe46cc1c8a2ef074eae50cb1d",
	} {
		h := serve(t, HandlerOptions{Username: "me", Password: stored})
		ask := func(userinfo string) error {
			c, err := Dial(strings.Replace(h.http.URL, "//", "//"+userinfo, 1))
			require.NoError(t, err)
			defer c.Close()
			_, err = c.Tail(t.Context(), "cat", procmgr.Stderr)
			require.Error(t, err) // 401 or 404
			_, err2 := c.PID(t.Context())
			if err2 != nil {
				require.Equal(t, err, err2)
			}
			return err2
		}
		require.NoError(t, ask("me:"+strings.Replace(password, ":", "%3A", 1)+"@"))
		for _, wrong := range []string{"", "me:wrong@", "other:" + password + "@", "me:@", "me@", "me:" + stored[1:] + "@"} {
			require.ErrorIs(t, ask(strings.NewReplacer("{", "%7B", "}", "%7D", ":word", "%3Aword2").Replace(wrong)), ErrUnauthorized, wrong)
		}
		reply := h.post(t, "", "Authorization", "Basic *")
		require.Equal(t, 400, reply.StatusCode)
		reply = h.post(t, "", "Authorization", "Digest x")
		require.Equal(t, 401, reply.StatusCode)
		require.Equal(t, `Basic realm="default"`, reply.Header.Get("WWW-Authenticate"))
		w := httptest.NewRecorder()
		NewHandler(h.Manager, h.o).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		require.Contains(t, w.Header(), "WWW-Authenticate", "to Python's xmlrpc.client the case matters")
	}
}

func TestArgumentsHaveTheirTypes(t *testing.T) {
	h := serve(t, HandlerOptions{})
	c, ctx := h.client(t), t.Context()
	for _, r := range []Request{
		{"supervisor.getPID", []any{1}}, {"supervisor.getProcessInfo", nil}, {"supervisor.getProcessInfo", []any{1}}, {"supervisor.getProcessInfo", []any{"a", "b"}},
		{"supervisor.readLog", []any{"x", 0}}, {"supervisor.readLog", []any{[]any{}, 0}}, {"supervisor.sendProcessStdin", []any{"cat", 1}},
		{"supervisor.startProcess", []any{}}, {"supervisor.startProcess", []any{"cat", true, true}}, {"system.multicall", nil}, {"system.multicall", []any{1}},
	} {
		_, err := c.Call(ctx, r.Method, r.Args...)
		require.ErrorIs(t, err, IncorrectParameters, "%v", r)
	}
	for _, name := range []string{"nope", "supervisor.nope", "supervisor", "supervisor._update", "other.getPID", "system.listMethods.x", ""} {
		_, err := c.Call(ctx, name)
		if name == "" {
			require.Equal(t, &HTTPError{400}, err)
			continue
		}
		require.ErrorIs(t, err, UnknownMethod, name)
	}
	require.NoError(t, c.do(ctx, "supervisor.signalProcess", "cat", 18), "a number may be one")
	_, err := c.Call(ctx, "supervisor.readProcessLog", "cat", "0", 0.0)
	require.NoError(t, err, "as Python's int takes them")
}

func TestEveryMethodTellsAboutItself(t *testing.T) {
	h := serve(t, HandlerOptions{})
	c, ctx := h.client(t), t.Context()
	names, err := c.ListMethods(ctx)
	require.NoError(t, err)
	require.Len(t, names, len(methods())+4)
	for _, name := range names {
		help, err := c.MethodHelp(ctx, name)
		require.NoError(t, err)
		signature, err := c.MethodSignature(ctx, name)
		require.NoError(t, err)
		require.Contains(t, help, "@return "+signature[0])
		require.Equal(t, len(signature)-1, strings.Count(help, "@param "))
	}
	_, err = c.MethodSignature(ctx, "supervisor.nope")
	require.Equal(t, &Fault{SignatureUnsupported, "SIGNATURE_UNSUPPORTED"}, err)
}

func TestTheNamespaceMayBeAnother(t *testing.T) {
	c, ctx := serve(t, HandlerOptions{Namespaces: []string{"other"}}).client(t), t.Context()
	_, err := c.Call(ctx, "other.getPID")
	require.NoError(t, err)
	_, err = c.PID(ctx)
	require.ErrorIs(t, err, UnknownMethod)
	c = serve(t, HandlerOptions{Namespaces: []string{}}).client(t)
	names, err := c.ListMethods(ctx)
	require.NoError(t, err)
	require.Len(t, names, 4)
}

func TestMulticallAnswersEachCall(t *testing.T) {
	h := serve(t, HandlerOptions{Identifier: "me"})
	c, ctx := h.client(t), t.Context()
	v, err := c.Call(ctx, "system.multicall", []any{
		map[string]any{"methodName": "supervisor.getIdentification"},
		map[string]any{"methodName": "supervisor.getProcessInfo", "params": []any{"nope"}},
		map[string]any{"methodName": "supervisor.startProcess", "params": []any{"g:one"}},
		map[string]any{"methodName": "system.multicall", "params": []any{[]any{}}},
		map[string]any{"params": []any{}},
		map[string]any{"methodName": "supervisor.getPID", "params": "x"},
		7,
	})
	require.NoError(t, err)
	fault := func(code Code, text string) any { return map[string]any{"faultCode": int(code), "faultString": text} }
	require.Equal(t, []any{
		"me", fault(BadName, "BAD_NAME: nope"), true,
		fault(IncorrectParameters, "INCORRECT_PARAMETERS: Recursive system.multicall forbidden"),
		fault(IncorrectParameters, "INCORRECT_PARAMETERS: No methodName"),
		fault(IncorrectParameters, "INCORRECT_PARAMETERS"),
		fault(IncorrectParameters, "INCORRECT_PARAMETERS: a call is a struct"),
	}, v)
}

func TestALogIsSentAsXMLHasIt(t *testing.T) {
	h := serve(t, HandlerOptions{})
	c, ctx := h.client(t), t.Context()
	follow, err := c.Tail(ctx, "cat", procmgr.Stdout)
	require.NoError(t, err)
	defer follow.Close()
	require.NoError(t, c.SendProcessStdin(ctx, "cat", "\x1b[1m\xff grüße\r\n"))
	line, err := bufio.NewReader(follow).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "\x1b[1m\xff grüße\r\n", line, "byte for byte where it is no XML")
	text, err := c.ReadProcessLog(ctx, "cat", procmgr.Stdout, 0, 0)
	require.NoError(t, err)
	require.Equal(t, "\uFFFD[1m\uFFFD grüße\r\n", text)

	require.NoError(t, os.Truncate(h.file("cat.log"), 0))
	follow2, err := c.Tail(ctx, "cat", procmgr.Stdout)
	require.NoError(t, err)
	defer follow2.Close()
	require.NoError(t, c.SendProcessStdin(ctx, "cat", "x\n"))
	line, err = bufio.NewReader(follow2).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "x\n", line)
}

func TestTheMainLogIsServed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "main.log")
	log, err := procmgr.OpenLog(procmgr.Log{File: file})
	require.NoError(t, err)
	defer log.Close()
	c, ctx := serve(t, HandlerOptions{MainLog: log}).client(t), t.Context()
	io.WriteString(log, "0123456789")
	follow, err := c.TailMain(ctx)
	require.NoError(t, err)
	defer follow.Close()
	got := make([]byte, 10)
	_, err = io.ReadFull(follow, got)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(got))
	io.WriteString(log, "ab")
	_, err = io.ReadFull(follow, got[:2])
	require.NoError(t, err)
	require.Equal(t, "ab", string(got[:2]))
	text, err := c.ReadLog(ctx, -3, 0)
	require.NoError(t, err)
	require.Equal(t, "9ab", text)
	_, err = c.ReadLog(ctx, -3, 1)
	require.Equal(t, &Fault{BadArguments, "BAD_ARGUMENTS"}, err)
	require.NoError(t, c.ClearLog(ctx))
	text, err = c.ReadLog(ctx, 0, 0)
	require.NoError(t, err)
	require.Empty(t, text)
	require.NoError(t, os.Remove(file))
	_, err = c.ReadLog(ctx, 0, 0)
	require.Equal(t, &Fault{NoFile, "NO_FILE: " + file}, err)
}

func TestWithoutAConfigurationThereIsNone(t *testing.T) {
	c, ctx := serve(t, HandlerOptions{}).client(t), t.Context()
	_, err := c.ReloadConfig(ctx)
	require.ErrorIs(t, err, CantReread)
	require.ErrorIs(t, c.AddProcessGroup(ctx, "cat"), BadName)
	_, err = c.ReadLog(ctx, 0, 0)
	require.Equal(t, &Fault{NoFile, "NO_FILE"}, err)
	require.ErrorIs(t, c.ClearLog(ctx), NoFile)
	all, err := c.AllConfigInfo(ctx)
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestTheConfigurationIsAskedFor(t *testing.T) {
	o := HandlerOptions{
		Reload: func(context.Context) (Changes, error) {
			return Changes{Added: []string{"a"}, Changed: nil, Removed: []string{"b", "c"}}, nil
		},
		AddGroup: func(_ context.Context, name string) error {
			if name == "a" {
				return nil
			}
			return &procmgr.ProcessError{Name: name, Err: procmgr.ErrAlreadyAdded}
		},
		Config: func() []ConfigInfo {
			return []ConfigInfo{{Name: "b", Group: "x"}, {Name: "a", Group: "y"}, {Name: "b", Group: "a"}}
		},
	}
	c, ctx := serve(t, o).client(t), t.Context()
	ch, err := c.ReloadConfig(ctx)
	require.NoError(t, err)
	require.Equal(t, Changes{[]string{"a"}, []string{}, []string{"b", "c"}}, ch)
	require.NoError(t, c.AddProcessGroup(ctx, "a"))
	require.Equal(t, &Fault{AlreadyAdded, "ALREADY_ADDED: b"}, c.AddProcessGroup(ctx, "b"))
	all, err := c.AllConfigInfo(ctx)
	require.NoError(t, err)
	var names []string
	for _, i := range all {
		names = append(names, i.FullName())
	}
	require.Equal(t, []string{"y:a", "x:b", "a:b"}, names, "by the name alone")
}

func TestACallThatWaitsHoldsUpNoOther(t *testing.T) {
	h := serve(t, HandlerOptions{})
	c, ctx := h.client(t), t.Context()
	events := h.Events(ctx)
	require.NoError(t, c.StartProcess(ctx, "stubborn", true))
	log, err := c.Tail(ctx, "stubborn", procmgr.Stdout)
	require.NoError(t, err)
	defer log.Close()
	_, err = io.ReadFull(log, make([]byte, 3)) // "up": TERM is ignored
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- c.StopProcess(ctx, "stubborn", true) }()
	for e := range events {
		if e.To == procmgr.Stopping {
			break
		}
	}
	i, err := c.ProcessInfo(ctx, "stubborn")
	require.NoError(t, err)
	require.Equal(t, procmgr.Stopping, i.State)
	require.Equal(t, &Fault{NotRunning, "NOT_RUNNING: stubborn"}, c.StopProcess(ctx, "stubborn", true))
	require.NoError(t, <-done)
}

func TestAfterShutdownNothingElseIsAnswered(t *testing.T) {
	for _, restart := range []bool{false, true} {
		called := ""
		c, ctx := serve(t, HandlerOptions{Shutdown: func() { called = "shutdown" }, Restart: func() { called = "restart" }}).client(t), t.Context()
		if restart {
			require.NoError(t, c.Restart(ctx))
			require.Equal(t, "restart", called)
		} else {
			require.NoError(t, c.Shutdown(ctx))
			require.Equal(t, "shutdown", called)
		}
		_, err := c.State(ctx)
		require.Equal(t, &Fault{ShutdownState, "SHUTDOWN_STATE"}, err)
		require.ErrorIs(t, c.StartProcess(ctx, "cat", true), ShutdownState)
		_, err = c.Call(ctx, "supervisor.getPID", 1)
		require.ErrorIs(t, err, IncorrectParameters, "how many they are is looked at first")
		require.NoError(t, c.SendRemoteCommEvent(ctx, "a", "b"))
		_, err = c.ListMethods(ctx)
		require.NoError(t, err)
	}
}

func TestSignalsHaveNamesAndNumbers(t *testing.T) {
	for value, want := range map[string]syscall.Signal{"HUP": 1, "SIGHUP": 1, "hup": 1, "sigterm": 15, " TERM ": 15, "1": 1, "15": 15, "0": 0, "CLD": syscall.SIGCHLD} {
		sig, ok := signalNumber(value)
		require.True(t, ok, value)
		require.Equal(t, want, sig, value)
	}
	for _, value := range []string{"", "NOPE", "-1", "32", "33", "65", "1000", "SIG", "SIGSIGHUP"} {
		_, ok := signalNumber(value)
		require.False(t, ok, value)
	}
}

func TestASignalOfAGroupFailsForEachProcess(t *testing.T) {
	c, ctx := serve(t, HandlerOptions{}).client(t), t.Context()
	for _, signal := range []string{"NOPE", "0", "CONT"} {
		want := Result{"cat", "cat", Success, "OK"}
		if signal == "NOPE" {
			want = Result{"cat", "cat", BadSignal, "BAD_SIGNAL: NOPE"}
		}
		results, err := c.SignalAllProcesses(ctx, signal)
		require.NoError(t, err)
		require.Equal(t, []Result{want}, results)
		results, err = c.SignalProcessGroup(ctx, "cat", signal)
		require.NoError(t, err)
		require.Equal(t, []Result{want}, results)
		_, err = c.SignalProcessGroup(ctx, "nope", signal)
		require.Equal(t, &Fault{BadName, "BAD_NAME: nope"}, err)
		require.Equal(t, &Fault{BadName, "BAD_NAME: nope:*"}, c.SignalProcess(ctx, "nope:*", signal))
	}
	require.NoError(t, c.SignalProcess(ctx, "cat", "0"))
	require.Equal(t, &Fault{NotRunning, "NOT_RUNNING: g:one"}, c.SignalProcess(ctx, "g:one", "0"))
}

func TestAUnixSocketHasItsModeAndReplacesAStaleOne(t *testing.T) {
	dir, err := os.MkdirTemp("", "pm")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	stale.SetUnlinkOnClose(false)
	stale.Close()

	l, err := ListenUnix(path, 0o770, -1, -1)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o770), info.Mode().Perm())
	_, err = ListenUnix(path, 0o700, -1, -1)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary socket is left")

	m := procmgr.New(nil)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, NewHandler(m, nil)) }()
	c, err := Dial("unix://" + path)
	require.NoError(t, err)
	defer c.Close()
	pid, err := c.PID(ctx)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), pid)
	cancel()
	require.NoError(t, <-served)
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = ListenUnix(filepath.Join(dir, "no", "such"), 0o700, -1, -1)
	require.Error(t, err)
	l, err = ListenUnix(path, 0o700, -1, -1)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, l.Close())
	_, err = os.Stat(path)
	require.NoError(t, err, "what is not ours stays")
}

func TestServeEndsTheLogsThatAreFollowed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "main.log")
	log, err := procmgr.OpenLog(procmgr.Log{File: file})
	require.NoError(t, err)
	defer log.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, NewHandler(procmgr.New(nil), &HandlerOptions{MainLog: log})) }()
	c, err := Dial("http://" + l.Addr().String())
	require.NoError(t, err)
	follow, err := c.TailMain(t.Context())
	require.NoError(t, err)
	cancel()
	require.NoError(t, <-served)
	_, err = io.Copy(io.Discard, follow)
	require.NoError(t, err, "the stream has an end")
	require.NoError(t, follow.Close())
}

// Whatever is sent, a handler answers.
func FuzzHandler(f *testing.F) {
	m := procmgr.New(nil)
	for name, m := range methods() {
		given := make([]any, len(m.params))
		for i := range given {
			given[i] = []any{"cat", 1, true}[i%3]
		}
		b, _ := appendCall(nil, "supervisor."+name, given)
		f.Add(string(b))
		b, _ = appendCall(nil, "system.multicall", []any{[]any{map[string]any{"methodName": "supervisor." + name, "params": given}}})
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		NewHandler(m, nil).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/RPC2", strings.NewReader(body)))
		switch w.Code {
		case 200:
			if _, err := parseReply(w.Body.String()); err != nil && asFault(err) == nil {
				t.Fatal(err)
			}
		case 400, 413:
		default:
			t.Fatal(fmt.Sprint(w.Code), w.Body.String())
		}
	})
}
