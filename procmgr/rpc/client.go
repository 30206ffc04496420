package rpc

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxReply is how many bytes of a reply a client reads: a log of 50 MB, which
// is what a log may have by default, with room to spare.
const maxReply = 256 << 20

// A Client asks one server. Its methods may be called from several goroutines:
// each call that goes on has a connection of its own, so that one that waits
// holds up no other. A call ends early when its context does; the server goes
// on with what it was asked all the same.
//
// The names of processes are as supervisorctl takes them: "process" or
// "group:process", and where it says so "group:*".
type Client struct {
	base   string // "http://localhost", without the path
	header string // Authorization, if any
	http   *http.Client
}

// Dial makes a client of a server: "unix:///run/supervisor.sock" or
// "http://user:password@127.0.0.1:9001". A unix socket may have a user and a
// password too, "unix://user:password@/run/supervisor.sock". The error is about
// the address; nothing is connected before the first call.
func Dial(address string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		// The error of Parse would show it, and so a password.
		return nil, errors.New("rpc: the address of the server is no URL")
	}
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		DialContext:         dialer.DialContext,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
	c := &Client{http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	switch u.Scheme {
	case "unix":
		if u.Host != "" || u.Path == "" {
			return nil, fmt.Errorf("rpc: %s is no unix:// and the path of a socket", u.Redacted())
		}
		path := u.Path
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		c.base = "http://localhost"
	case "http", "https":
		if u.Host == "" {
			return nil, fmt.Errorf("rpc: %s names no host", u.Redacted())
		}
		prefix := strings.TrimSuffix(strings.TrimSuffix(u.EscapedPath(), "/"), "/RPC2")
		c.base = u.Scheme + "://" + u.Host + prefix
	default:
		return nil, fmt.Errorf("rpc: %s starts neither with unix:// nor with http://", u.Redacted())
	}
	if u.User != nil {
		password, _ := u.User.Password()
		c.header = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	}
	return c, nil
}

// Close closes the connections that no call uses.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Call calls any method, also of an [rpcinterface:x] of a plug-in. Arguments
// are of type int, int64, bool, string, []byte, float64, time.Time, []any,
// []string or map[string]any. The result is an int, bool, string, []byte,
// float64, time.Time, []any or map[string]any, or nil if the server says so.
// The error is a [*Fault], an [*HTTPError], or that of the network.
func (c *Client) Call(ctx context.Context, method string, args ...any) (any, error) {
	body, err := appendCall(nil, method, args)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/RPC2", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("rpc: %w", err)
	}
	r.Header.Set("Content-Type", "text/xml")
	if repeatable(method) {
		// Not sent, since it has no value. It lets net/http ask again, on
		// another connection, when the server has closed the one it used.
		r.Header["Idempotency-Key"] = nil
	}
	reply, err := c.send(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	var text strings.Builder
	if n := reply.ContentLength; n > 0 && n <= maxReply {
		text.Grow(int(n))
	}
	if _, err := io.Copy(&text, io.LimitReader(reply.Body, maxReply+1)); err != nil {
		return nil, fmt.Errorf("rpc: %s: %w", method, err)
	}
	if text.Len() > maxReply {
		return nil, fmt.Errorf("rpc: %s: the reply has more than %d bytes", method, maxReply)
	}
	return parseReply(text.String())
}

// repeatable reports whether a method changes nothing.
func repeatable(method string) bool {
	name, ok := strings.CutPrefix(method, "supervisor.")
	if !ok {
		return false
	}
	return strings.HasPrefix(name, "get") || strings.HasPrefix(name, "read") || strings.HasPrefix(name, "tail")
}

// send returns the response if its status is 200.
func (c *Client) send(r *http.Request) (*http.Response, error) {
	if c.header != "" {
		r.Header.Set("Authorization", c.header)
	}
	reply, err := c.http.Do(r)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) { // which says POST and the whole address
			err = bad.Err
		}
		return nil, fmt.Errorf("rpc: %w", err)
	}
	if reply.StatusCode != http.StatusOK {
		io.CopyN(io.Discard, reply.Body, 4096)
		reply.Body.Close()
		return nil, &HTTPError{reply.StatusCode}
	}
	return reply, nil
}

// A Request is one call of a multicall.
type Request struct {
	Method string
	Args   []any
}

// A Reply is what became of one.
type Reply struct {
	Value any   // as from [Client.Call]
	Err   error // a *Fault, or nil
}

// Multicall makes several calls, one after the other, in one request.
func (c *Client) Multicall(ctx context.Context, calls ...Request) ([]Reply, error) {
	list := make([]any, len(calls))
	for i, call := range calls {
		list[i] = map[string]any{"methodName": call.Method, "params": append([]any{}, call.Args...)}
	}
	values, err := call[[]any](ctx, c, "system.multicall", list)
	if err != nil {
		return nil, err
	}
	if len(values) != len(calls) {
		return nil, fmt.Errorf("rpc: system.multicall: %d answers to %d calls", len(values), len(calls))
	}
	replies := make([]Reply, len(values))
	for i, v := range values {
		// Bare, and not in an array of one, as the documentation of Supervisor has it.
		if f := faultOf(v); f != nil {
			replies[i].Err = f
		} else {
			replies[i].Value = v
		}
	}
	return replies, nil
}

// call is Call with a result of one type.
func call[T any](ctx context.Context, c *Client, method string, args ...any) (T, error) {
	v, err := c.Call(ctx, method, args...)
	result, ok := v.(T)
	if err == nil && !ok {
		err = fmt.Errorf("rpc: %s answers with a %T", method, v)
	}
	return result, err
}

// do is Call of a method that answers true.
func (c *Client) do(ctx context.Context, method string, args ...any) error {
	_, err := c.Call(ctx, method, args...)
	return err
}
