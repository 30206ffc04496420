package rpc

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnAddressIsChecked(t *testing.T) {
	for address, want := range map[string]string{
		"":                             "rpc:  starts neither with unix:// nor with http://",
		"/run/supervisor.sock":         "rpc: /run/supervisor.sock starts neither with unix:// nor with http://",
		"ftp://u:secret@h":             "rpc: ftp://u:xxxxx@h starts neither with unix:// nor with http://",
		"unix://":                      "rpc: unix: is no unix:// and the path of a socket",
		"unix://run/supervisor.sock":   "rpc: unix://run/supervisor.sock is no unix:// and the path of a socket",
		"http://":                      "rpc: http: names no host",
		"http://u:secret%zz@127.0.0.1": "rpc: the address of the server is no URL",
	} {
		_, err := Dial(address)
		require.EqualError(t, err, want, address)
	}
}

func TestNobodyThereIsAnErrorOfTheNetwork(t *testing.T) {
	c, err := Dial("unix://" + t.TempDir() + "/nope")
	require.NoError(t, err)
	_, err = c.PID(t.Context())
	require.ErrorContains(t, err, "rpc: dial unix")
	require.NotErrorAs(t, err, new(*Fault))
}

func answering(t *testing.T, h http.HandlerFunc) *Client {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := Dial(s.URL + "/prefix/RPC2")
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestARequestIsOnePostWithItsUser(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b, _ := appendReply(nil, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Idempotency-Key")+strings.Split(string(body), "\n")[2])
		w.Write(b)
	})
	got, err := c.Identification(t.Context())
	require.NoError(t, err)
	require.Equal(t, "POST /prefix/RPC2 text/xml <methodName>supervisor.getIdentification</methodName>", got)
}

func TestAnswersThatMakeNoSenseAreErrors(t *testing.T) {
	reply := ""
	c := answering(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, reply) })
	ctx := t.Context()
	ask := func() []error {
		var errs []error
		add := func(_ any, err error) { errs = append(errs, err) }
		add(c.PID(ctx))
		add(c.State(ctx))
		add(c.ReloadConfig(ctx))
		add(c.AllProcessInfo(ctx))
		add(c.ProcessInfo(ctx, "x"))
		add(c.TailProcessLog(ctx, "x", 0, 0, 0))
		add(c.Multicall(ctx, Request{"a", nil}))
		return errs
	}
	for _, v := range []any{"text", []any{1, 2, 3, 4}, map[string]any{"x": 1}} {
		b, err := appendReply(nil, v)
		require.NoError(t, err)
		reply = string(b)
		failed := 0
		for _, err := range ask() {
			if err != nil {
				failed++
			}
		}
		require.GreaterOrEqual(t, failed, 5, "%v", v)
	}
	for _, reply = range []string{"", "<", "no xml", "<a/>"} {
		for _, err := range ask() {
			require.Error(t, err)
		}
	}
}

func TestMulticallTakesNothingThatIsNotThere(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := appendReply(nil, []any{[]any{"in an array"}, newFault(BadName, "x").structure()})
		w.Write(b)
	})
	replies, err := c.Multicall(t.Context(), Request{"a", nil}, Request{"b", []any{1}})
	require.NoError(t, err)
	require.Equal(t, []Reply{{Value: []any{"in an array"}}, {Err: &Fault{BadName, "BAD_NAME: x"}}}, replies)
	_, err = c.Multicall(t.Context(), Request{"a", nil})
	require.Error(t, err)
}

func TestCodesHaveTheirNames(t *testing.T) {
	for code := range codeNames {
		text, err := code.MarshalText()
		require.NoError(t, err)
		var back Code
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, code, back)
	}
	require.Error(t, new(Code).UnmarshalText([]byte("NOPE")))
	require.Equal(t, "Code(5)", Code(5).Error())
}
