//go:build unix

package procmgr

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func captured(max int64, chunks ...string) (logged string, sent []string, lost int) {
	c := &capture{
		max:  max,
		log:  func(b []byte) { logged += string(b) },
		send: func(b []byte) { sent = append(sent, string(b)) },
	}
	for _, chunk := range chunks {
		c.write([]byte(chunk))
	}
	lost = c.end()
	return logged, sent, lost
}

func TestCaptureKeepsMessagesOutOfTheLog(t *testing.T) {
	for _, test := range []struct {
		in     string
		logged string
		sent   []string
		lost   int
	}{
		{in: "", logged: ""},
		{in: "short", logged: "short"},
		{in: "a" + captureBegin + "b" + captureEnd + "c", logged: "ac", sent: []string{"b"}},
		{in: captureBegin + captureEnd, sent: []string{""}},
		{in: captureBegin + "one" + captureEnd + "-" + captureBegin + "two" + captureEnd, logged: "-", sent: []string{"one", "two"}},
		{in: captureEnd, logged: captureEnd},
		{in: captureBegin + captureBegin + captureEnd, sent: []string{captureBegin}},
		{in: "a<!--XSUPERVISOR:BEGI", logged: "a<!--XSUPERVISOR:BEGI"},
		{in: "<<!--XSUPERVISOR:BEGIN-->x" + captureEnd, logged: "<", sent: []string{"x"}},
		{in: "a" + captureBegin + "no end", logged: "a", lost: 6},
	} {
		// In one piece, and byte by byte.
		for _, chunks := range [][]string{{test.in}, strings.Split(test.in, "")} {
			logged, sent, lost := captured(100, chunks...)
			assert.Equal(t, test.logged, logged, "%q", chunks)
			assert.Equal(t, test.sent, sent, "%q", chunks)
			assert.Equal(t, test.lost, lost, "%q", chunks)
		}
	}
}

func TestCaptureKeepsTheEndOfALongMessage(t *testing.T) {
	_, sent, _ := captured(4, captureBegin+"0123", "456", "789"+captureEnd)
	assert.Equal(t, []string{"6789"}, sent)
}

func TestOnlyWhatMayBeATagIsHeldBack(t *testing.T) {
	var logged string
	c := &capture{max: 1, log: func(b []byte) { logged += string(b) }}
	c.write([]byte("prompt> "))
	assert.Equal(t, "prompt> ", logged, "supervisord waits for more than the length of a tag")
	c.write([]byte("<!--X"))
	assert.Equal(t, "prompt> ", logged)
	c.write([]byte("Y"))
	assert.Equal(t, "prompt> <!--XY", logged)
}

func TestEscapesAreStripped(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                      "plain",
		"\x1b[1;31mred\x1b[0m":       "red",
		"a\x1b[2Jb\x1b[Hc":           "abc",
		"\x1b]0;title\a":             "\x1b]0;title\a",
		"\x1b\x1b[mx":                "\x1bx",
		"no end \x1b[123":            "no end ",
		"no escape \x1b":             "no escape \x1b",
		"one\x1b[0K\ntwo\x1b[?25h\n": "one\ntwo\n",
	} {
		for _, chunks := range [][]string{{in}, strings.Split(in, "")} {
			var a ansi
			got := ""
			for _, chunk := range chunks {
				got += string(a.strip([]byte(chunk)))
			}
			got += string(a.end())
			assert.Equal(t, want, got, "%q", chunks)
		}
	}
}

func FuzzCaptureDoesNotDependOnThePieces(f *testing.F) {
	f.Add("a"+captureBegin+"b"+captureEnd+"c", 3)
	f.Add("<!--XSUPERVISOR:<!--XSUPERVISOR:BEGIN-->", 1)
	f.Fuzz(func(t *testing.T, in string, size int) {
		if size <= 0 {
			t.Skip()
		}
		var chunks []string
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		logged, sent, lost := captured(1<<20, in)
		again, sentAgain, lostAgain := captured(1<<20, chunks...)
		assert.Equal(t, logged, again)
		assert.Equal(t, sent, sentAgain)
		assert.Equal(t, lost, lostAgain)
	})
}

// supervisord's own dispatcher sends the same messages, and logs the same text
// but for what it holds back at the end.
func TestOracleCapture(t *testing.T) {
	python := testenv.Python(t)
	rnd, n := oracleCases(t, 300)
	words := []string{captureBegin, captureEnd, "<!--XSUPERVISOR:", "-->", "<", "text", "\n", "\x1b[1;31m", "\x1b", "[0m", "m"}
	type output struct {
		Logged string
		Sent   []string
	}
	var outputs [][]string
	for range n {
		var chunks []string
		for range 1 + rnd.IntN(8) {
			chunk := ""
			for range rnd.IntN(4) {
				chunk += words[rnd.IntN(len(words))]
			}
			cut := rnd.IntN(len(chunk) + 1)
			chunks = append(chunks, chunk[:cut], chunk[cut:])
		}
		outputs = append(outputs, append(chunks, captureEnd+captureBegin+captureEnd, strings.Repeat(".", 2*len(captureBegin))))
	}
	input, err := json.Marshal(outputs)
	require.NoError(t, err)
	const script = `
import json, sys
from supervisor import dispatchers, events
class Any:
    def __init__(self, **kw): self.__dict__.update(kw)
    def __getattr__(self, _): return lambda *a, **k: None
sent = []
events.callbacks.append((events.ProcessCommunicationEvent, lambda e: sent.append(e.data.decode())))
for chunks in json.load(sys.stdin):
    from supervisor import loggers
    options = Any(logger=Any(), strip_ansi=False, loglevel=20, getLogger=lambda: loggers.Logger())
    config = Any(name='a', options=options, stdout_logfile=None, stdout_logfile_maxbytes=0, stdout_logfile_backups=0,
        stdout_syslog=False, stdout_capture_maxbytes=100000, stdout_events_enabled=False, stderr_events_enabled=False)
    d = dispatchers.POutputDispatcher(Any(config=config, pid=1), events.ProcessCommunicationStdoutEvent, 0)
    logged = []
    d.normallog = d.childlog = Any(info=lambda b: logged.append(b.decode()), handlers=[])
    del sent[:]
    for text in chunks:
        options.readfd = lambda fd: text.encode()
        if text:
            d.handle_read_event()
    print(json.dumps({'Logged': ''.join(logged), 'Sent': sent}))
`
	cmd := exec.Command(python, "-c", script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	answer, err := cmd.Output()
	require.NoError(t, err)
	answers := json.NewDecoder(bytes.NewReader(answer))
	for _, chunks := range outputs {
		want := output{}
		require.NoError(t, answers.Decode(&want))
		logged, sent, _ := captured(100000, chunks...)
		if sent == nil {
			sent = []string{}
		}
		assert.Equal(t, want, output{logged, sent}, "%q", chunks)
	}
}

func TestOracleStripEscapes(t *testing.T) {
	python := testenv.Python(t)
	rnd, n := oracleCases(t, 300)
	const letters = "\x1b\x1b[[0;mHJx\n"
	var texts []string
	for range n {
		var text strings.Builder
		for range rnd.IntN(20) {
			text.WriteByte(letters[rnd.IntN(len(letters))])
		}
		texts = append(texts, text.String())
	}
	input, err := json.Marshal(texts)
	require.NoError(t, err)
	cmd := exec.Command(python, "-c", `
import json, sys
from supervisor.dispatchers import stripEscapes
json.dump([stripEscapes(t.encode()).decode() for t in json.load(sys.stdin)], sys.stdout)
`)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	answer, err := cmd.Output()
	require.NoError(t, err)
	var want []string
	require.NoError(t, json.Unmarshal(answer, &want))
	for i, text := range texts {
		var a ansi
		assert.Equal(t, want[i], string(append(a.strip([]byte(text)), a.end()...)), "%q", text)
	}
}
