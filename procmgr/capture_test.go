package procmgr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
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
		"one\x1b[0K\ntwo\x1b[?25h\n": "one\ntwo\n",
	} {
		for _, chunks := range [][]string{{in}, strings.Split(in, "")} {
			var a ansi
			got := ""
			for _, chunk := range chunks {
				got += string(a.strip([]byte(chunk)))
			}
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
