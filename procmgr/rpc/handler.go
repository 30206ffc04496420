package rpc

import (
	"context"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/onehost-go/onehost/procmgr"
)

// HandlerOptions are the settings of a handler. A nil *HandlerOptions has all of
// them zero: the processes can be looked at, started and stopped, but there is
// no configuration and no log of the server.
type HandlerOptions struct {
	Identifier string // getIdentification; "supervisor"
	Version    string // getSupervisorVersion; "4.2.5", as which the server behaves

	// Namespaces are those of the methods: "supervisor" if nil, and if there is
	// none only the system.… methods are served. They are the names of the
	// [rpcinterface:x] sections.
	Namespaces []string

	// Username and Password are asked for if Username is not empty. Password
	// may be "{SHA}" and the SHA-1 of one, in hexadecimal.
	Username, Password string

	// MainLog is the server's own log: readLog, clearLog, /mainlogtail.
	MainLog *procmgr.LogFile

	// Reload serves reloadConfig: it reads the configuration, touches no
	// process, and tells what an update would. Its error is the text of
	// CANT_REREAD. AddGroup serves addProcessGroup: it adds a group of what
	// Reload, or the start, has read; the error is procmgr.ErrNoSuchProcess,
	// procmgr.ErrAlreadyAdded or another. Config serves getAllConfigInfo.
	Reload   func(ctx context.Context) (Changes, error)
	AddGroup func(ctx context.Context, name string) error
	Config   func() []ConfigInfo

	// Shutdown and Restart make the server end, or begin anew. They return at
	// once; from then on every call is answered with SHUTDOWN_STATE.
	Shutdown, Restart func()

	MaxRequest int64        // bytes of a request; 16 MiB
	Logger     *slog.Logger // gets what went wrong; nil for none
}

const (
	maxRequest = 16 << 20
	maxAnswer  = 512 << 20 // bytes of a reply: a multicall may ask for anything, many times

	readTimeout  = time.Minute // for a request
	writeTimeout = time.Minute // for a reply, or a part of a log that is followed
)

// NewHandler serves Supervisor's API for a Manager: XML-RPC at /RPC2, and the
// logs at /logtail/ and /mainlogtail. The real supervisorctl is content with it;
// see [Serve] and [ListenUnix] for where it wants to find it.
//
// A call that waits goes on, for the processes, when its client goes away.
// Where a process is asked to do something that fails, the fault has
// Supervisor's number and text. It differs from supervisord in what that cannot
// answer: characters of a log that XML does not have become U+FFFD.
func NewHandler(m *procmgr.Manager, o *HandlerOptions) http.Handler {
	h := &handler{m: m}
	if o != nil {
		h.o = *o
	}
	if h.o.Identifier == "" {
		h.o.Identifier = "supervisor"
	}
	if h.o.Version == "" {
		h.o.Version = "4.2.5"
	}
	if h.o.MaxRequest <= 0 {
		h.o.MaxRequest = maxRequest
	}
	if h.o.Namespaces == nil {
		h.o.Namespaces = []string{"supervisor"}
	}
	h.methods = systemMethods()
	for name, m := range methods() {
		for _, namespace := range h.o.Namespaces {
			h.methods[namespace+"."+name] = m
		}
	}
	return h
}

type handler struct {
	m       *procmgr.Manager
	o       HandlerOptions
	methods map[string]method
	down    atomic.Bool // shutdown or restart was called

	// spare is a buffer for a reply: the status of a thousand processes takes
	// one of a megabyte, many times a minute. A sync.Pool would lose it at every
	// other collection of garbage, which growing a new one brings about.
	spare atomic.Pointer[[]byte]
}

// ServeHTTP takes the same paths as supervisord: for /RPC2 the beginning is
// enough.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.o.Username != "" && !h.authorized(w, r) {
		return
	}
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/RPC2"):
		h.serveCall(w, r)
	case strings.HasPrefix(path, "/logtail/"):
		h.serveLog(w, r, strings.TrimPrefix(path, "/logtail/"))
	case strings.HasPrefix(path, "/mainlogtail"):
		h.serveMainLog(w, r)
	default:
		refuse(w, http.StatusNotFound)
	}
}

func refuse(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

// authorized answers the request itself if it is not.
func (h *handler) authorized(w http.ResponseWriter, r *http.Request) bool {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "basic") {
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
		if err != nil {
			refuse(w, http.StatusBadRequest)
			return false
		}
		user, password, _ := strings.Cut(string(decoded), ":")
		if hash, ok := strings.CutPrefix(h.o.Password, "{SHA}"); ok {
			sum := sha1.Sum([]byte(password))
			password, hash = hex.EncodeToString(sum[:]), strings.TrimSpace(hash)
			if same(user, h.o.Username)&same(password, hash) == 1 {
				return true
			}
		} else if same(user, h.o.Username)&same(password, h.o.Password) == 1 {
			return true
		}
	}
	// Spelt as it always was: to Python's xmlrpc.client that makes a difference.
	w.Header()["WWW-Authenticate"] = []string{`Basic realm="default"`}
	w.Header().Set("Connection", "close")
	refuse(w, http.StatusUnauthorized)
	return false
}

// same compares in a time that does not tell where two differ.
func same(a, b string) int {
	x, y := sha1.Sum([]byte(a)), sha1.Sum([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// keptReply is the size of the largest buffer that is kept.
const keptReply = 4 << 20

// serveCall answers one XML-RPC request.
func (h *handler) serveCall(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuse(w, http.StatusBadRequest)
		return
	}
	// The deadlines are not those of http.Server: a call may wait for long
	// between the request and the reply.
	connection := http.NewResponseController(w)
	connection.SetReadDeadline(time.Now().Add(readTimeout))
	var text strings.Builder
	_, err := io.Copy(&text, http.MaxBytesReader(w, r.Body, h.o.MaxRequest))
	connection.SetReadDeadline(time.Time{})
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status)
		return
	}
	name, given, err := parseCall(text.String())
	if err != nil {
		h.log(slog.LevelError, "XML-RPC request is invalid: "+err.Error())
		refuse(w, http.StatusBadRequest)
		return
	}
	value, err := h.call(r.Context(), name, given)
	var reply []byte
	if spare := h.spare.Swap(nil); spare != nil {
		reply = (*spare)[:0]
	}
	if err == nil {
		reply, err = appendReply(reply, value)
	}
	if f := asFault(err); f != nil {
		reply, err = appendFault(reply, f), nil
	}
	if cap(reply) <= keptReply {
		defer h.spare.Store(&reply)
	}
	if len(reply) > maxAnswer {
		err = errors.New("the reply is too long")
	}
	if err != nil {
		if r.Context().Err() == nil {
			h.log(slog.LevelError, "XML-RPC method "+name+": "+err.Error())
		}
		refuse(w, http.StatusInternalServerError)
		return
	}
	connection.SetWriteDeadline(time.Now().Add(writeTimeout))
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	w.Write(reply)
	connection.SetWriteDeadline(time.Time{})
}

// call calls a method. The error is a *Fault, that of ctx, or a mistake.
func (h *handler) call(ctx context.Context, name string, given []any) (any, error) {
	m, ok := h.methods[name]
	if !ok {
		return nil, bare(UnknownMethod)
	}
	a, fault := m.convert(given)
	if len(given) > len(m.params) || len(given) < len(m.params)-m.optional {
		return nil, fault
	}
	// The type of an argument shows, in Python, when something is made of it.
	if !m.always && h.ending() {
		return nil, bare(ShutdownState)
	}
	if fault != nil {
		return nil, fault
	}
	return m.run(h, ctx, a)
}

func (h *handler) ending() bool {
	return h.down.Load() || h.m.State() < procmgr.ManagerRunning
}

func (h *handler) log(l slog.Level, text string) {
	if h.o.Logger != nil {
		h.o.Logger.Log(context.Background(), l, text)
	}
}

// asFault returns the fault that err is, or nil.
func asFault(err error) *Fault {
	f, _ := errors.AsType[*Fault](err)
	return f
}

// faultFor is the fault for an error of a Manager about a process or group, as
// Supervisor has it.
func faultFor(err error, name string) error {
	if err == nil {
		return nil
	}
	if f := asFault(err); f != nil {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	reason := ""
	if of, ok := errors.AsType[*procmgr.ProcessError](err); ok {
		reason = of.Reason
	}
	for _, m := range meanings {
		if !errors.Is(err, m.err) {
			continue
		}
		switch m.code {
		case ShutdownState:
			return bare(m.code)
		case NoFile, NotExecutable:
			return newFault(m.code, reason)
		case Failed:
			return newFault(m.code, name+" is in an unknown process state")
		}
		return newFault(m.code, name)
	}
	if reason == "" {
		reason = err.Error()
	}
	return newFault(Failed, reason)
}

// systemMethods are those about the methods.
func systemMethods() map[string]method {
	name := []param{{"string", "name"}}
	return map[string]method{
		"system.listMethods":     {"the names of all methods", "array", nil, 0, true, (*handler).listMethods},
		"system.methodHelp":      {"what a method is for", "string", name, 0, true, (*handler).methodHelp},
		"system.methodSignature": {"the type of the result of a method, and those of its parameters", "array", name, 0, true, (*handler).methodSignature},
		"system.multicall": {
			"make several calls, one after the other: structs of methodName and params; their results, or structs of faultCode and faultString",
			"array", []param{{"any", "calls"}}, 0, true, (*handler).multicall,
		},
	}
}

func (h *handler) listMethods(context.Context, args) (any, error) {
	return slices.Sorted(maps.Keys(h.methods)), nil
}

func (h *handler) methodHelp(_ context.Context, a args) (any, error) {
	m, ok := h.methods[a.str(0)]
	if !ok {
		return nil, bare(SignatureUnsupported)
	}
	var text strings.Builder
	text.WriteString(m.help + "\n\n")
	for _, p := range m.params {
		text.WriteString("@param " + p.shown() + " " + p.name + "\n")
	}
	text.WriteString("@return " + m.returns + " result\n")
	return text.String(), nil
}

// shown is the type of a parameter as XML-RPC calls it.
func (p param) shown() string {
	switch p.name {
	case "chars":
		return "string"
	case "calls":
		return "array"
	}
	return p.kind
}

func (h *handler) methodSignature(_ context.Context, a args) (any, error) {
	m, ok := h.methods[a.str(0)]
	if !ok {
		return nil, bare(SignatureUnsupported)
	}
	types := []string{m.returns}
	for _, p := range m.params {
		types = append(types, p.shown())
	}
	return types, nil
}

// multicall answers with bare results, unlike others.
func (h *handler) multicall(ctx context.Context, a args) (any, error) {
	calls, ok := a[0].([]any)
	if !ok {
		return nil, bare(IncorrectParameters)
	}
	list := make([]any, 0, len(calls))
	size := 0
	for _, c := range calls {
		v, err := h.oneOfMany(ctx, c)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			f := asFault(err)
			if f == nil {
				f = newFault(Failed, err.Error())
			}
			v = f.structure()
		}
		// Written once only to know how long it is: that is cheaper than to
		// hold what no reply may be.
		b, err := appendValue(nil, v)
		if size += len(b); err != nil || size > maxAnswer {
			return nil, errors.Join(err, errors.New("the reply is too long"))
		}
		list = append(list, encoded(b))
	}
	return list, nil
}

func (h *handler) oneOfMany(ctx context.Context, v any) (any, error) {
	s, ok := v.(map[string]any)
	if !ok {
		return nil, newFault(IncorrectParameters, "a call is a struct")
	}
	name, ok := s["methodName"].(string)
	if !ok {
		return nil, newFault(IncorrectParameters, "No methodName")
	}
	if name == "system.multicall" {
		return nil, newFault(IncorrectParameters, "Recursive system.multicall forbidden")
	}
	given, ok := s["params"].([]any)
	if s["params"] != nil && !ok {
		return nil, bare(IncorrectParameters)
	}
	return h.call(ctx, name, given)
}

// serveLog follows the log of a process: "name", "name/stdout", "name/stderr".
func (h *handler) serveLog(w http.ResponseWriter, r *http.Request, path string) {
	name, channel, found := strings.Cut(path, "/")
	c := procmgr.Stdout
	if found && c.UnmarshalText([]byte(channel)) != nil {
		refuse(w, http.StatusNotFound)
		return
	}
	s, err := h.one(name)
	if err != nil {
		refuse(w, http.StatusNotFound)
		return
	}
	h.follow(w, r, logOf(s, c), func(ctx context.Context) (chunks, error) { return h.m.FollowLog(ctx, name, c, followFrom) })
}

func (h *handler) serveMainLog(w http.ResponseWriter, r *http.Request) {
	if h.o.MainLog == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	h.follow(w, r, h.o.MainLog.Path(), func(ctx context.Context) (chunks, error) { return h.o.MainLog.Follow(ctx, followFrom) })
}

// followFrom is how many bytes before its end a log that is followed begins.
const followFrom = 1024

type chunks = func(yield func([]byte, error) bool)

// follow is supervisor.http.tail_f_producer. It ends with the request.
func (h *handler) follow(w http.ResponseWriter, r *http.Request, path string, open func(context.Context) (chunks, error)) {
	if r.Method != http.MethodGet {
		refuse(w, http.StatusBadRequest)
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		refuse(w, http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	follow, err := open(ctx)
	if err != nil {
		refuse(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // nginx passes it on as it comes
	connection := http.NewResponseController(w)
	send := func(b []byte) bool {
		connection.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := w.Write(b)
		return err == nil && connection.Flush() == nil
	}
	if !send(nil) { // the header, even if the log is empty
		return
	}
	for b, err := range follow {
		if errors.Is(err, procmgr.ErrTruncated) {
			b, err = []byte("==> File truncated <==\n"), nil
		}
		if err != nil || !send(b) {
			return
		}
	}
}
