package rpc

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
	"github.com/onehost-go/onehost/procmgr"
)

var sample = []any{
	0, -7, math.MaxInt32, math.MinInt32, true, false, "", "a\tb\n", "grüß€ 🙂", `<a href="x">&amp;'`, "]]>",
	1.5, -0.25, []any{}, []any{1, "x", []any{true}}, map[string]any{}, map[string]any{"a": 1, "b & <": map[string]any{"c": []any{"d"}}},
	[]byte("\x00\xff binary"), time.Date(2026, 11, 25, 18, 0, 1, 0, time.UTC),
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	b, err := appendCall(nil, "supervisor.x", sample)
	require.NoError(t, err)
	method, args, err := parseCall(string(b))
	require.NoError(t, err)
	require.Equal(t, "supervisor.x", method)
	require.Equal(t, sample, args)
	for _, v := range sample {
		b, err := appendReply(nil, v)
		require.NoError(t, err)
		got, err := parseReply(string(b))
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	_, err = parseReply(string(appendFault(nil, newFault(BadName, "a<b"))))
	require.Equal(t, &Fault{10, "BAD_NAME: a<b"}, err)
}

// A sentence of Python: what we write is what its xmlrpc.client writes, and it
// reads what we write.
func TestOracleXMLOfPython(t *testing.T) {
	python := testenv.Program(t, "python3")
	values := sample[:len(sample)-2] // JSON has none of the last two
	in, err := json.Marshal(values)
	require.NoError(t, err)
	ask := func(script string, args ...string) string {
		out, err := exec.Command(python, append([]string{"-c", script}, args...)...).Output()
		require.NoError(t, err)
		return string(out)
	}
	theirs := ask(`import json, sys, xmlrpc.client as x; sys.stdout.write(x.dumps(tuple(json.loads(sys.argv[1])), "a.b"))`, string(in))
	ours, err := appendCall(nil, "a.b", values)
	require.NoError(t, err)
	require.Equal(t, theirs, string(ours))

	reply, err := appendReply(nil, "\x1b[31mred\x1b[0m \xff\r\n\uFFFE")
	require.NoError(t, err)
	got := ask(`import sys, xmlrpc.client as x; sys.stdout.write(ascii(x.loads(sys.argv[1])[0][0]))`, string(reply))
	require.Equal(t, `'\ufffd[31mred\ufffd[0m \ufffd\r\n\ufffd'`, got)
	fault := ask(`
import sys, xmlrpc.client as x
try: x.loads(sys.argv[1])
except x.Fault as e: sys.stdout.write("%d %s" % (e.faultCode, e.faultString))`, string(appendFault(nil, newFault(NotRunning, "a&b"))))
	require.Equal(t, "70 NOT_RUNNING: a&b", fault)
}

func value(s string) string {
	return "<methodResponse><params><param>" + s + "</param></params></methodResponse>"
}

func TestRepliesOfOthersAreRead(t *testing.T) {
	for in, want := range map[string]any{
		"<value>bare</value>":                                            "bare",
		"<value/>":                                                       "",
		"<value></value>":                                                "",
		"<value><string/></value>":                                       "",
		"<value> <i4> 12 </i4> </value>":                                 12,
		"<value><i8>5000000000</i8></value>":                             5000000000,
		"<value><nil/></value>":                                          nil,
		"<value><boolean>0</boolean></value>":                            false,
		"<value><ex:special>x</ex:special></value>":                      "x",
		"<value><array><data/></array></value>":                          []any{},
		"<value><array/></value>":                                        []any{},
		"<value><struct></struct></value>":                               map[string]any{},
		"<value type='x'><string>a<!-- no -->b</string></value>":         "ab",
		"<value><string>a<![CDATA[<&>]]>b<?pi ?>c</string></value>":      "a<&>bc",
		"<value>&#65;&#x42;&lt;&quot;&apos;</value>":                     `AB<"'`,
		"<!DOCTYPE x><value>y</value>":                                   "y",
		"<value>\x1b[1mbold\x1b[0m \xff\x00 &bell; a & b; 100 %</value>": "\x1b[1mbold\x1b[0m \xff\x00 &bell; a & b; 100 %", // as supervisord sends it
		"<value>a\r\nb</value>":                                          "a\r\nb",
	} {
		got, err := parseReply("\uFEFF<?xml version='1.0' encoding='utf-8'?>\n" + value(in) + "\n")
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
}

func TestBrokenRepliesAreErrors(t *testing.T) {
	for _, in := range []string{
		"", "x", "<", "<a", "<a>", "</a>", "<>", "< a></ a>", "<a/><a/>", "<a/>x", "<!--", "<?", "<![CDATA[", "<a><b></a></b>",
		"<methodResponse/>", "<methodResponse><params/></methodResponse>", value(""), value("<value/><value/>"), value("<x/>"),
		value("<value><int>x</int></value>"), value("<value><int>99999999999999999999</int></value>"), value("<value><double>x</double></value>"),
		value("<value><base64>*</base64></value>"), value("<value><dateTime.iso8601>x</dateTime.iso8601></value>"),
		value("<value><int>1</int><int>2</int></value>"), value("<value><struct><x/></struct></value>"),
		value("<value><struct><member><x/></member></struct></value>"), value("<value><array><x/></array></value>"),
		value("<value><array><data><x/></data></array></value>"), "<methodResponse><params><x/></params></methodResponse>",
		"<methodResponse><fault><value>x</value></fault></methodResponse>", "<methodResponse><fault/></methodResponse>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]>" + value("<value>&b;</value>"),
		value(strings.Repeat("<value><array><data>", 40) + strings.Repeat("</data></array></value>", 40)),
	} {
		_, err := parseReply(in)
		require.Error(t, err, in)
		require.NotErrorAs(t, err, new(*Fault), in)
	}
}

func TestRequestsAreWellFormed(t *testing.T) {
	call := func(s string) string {
		return "<methodCall><methodName>m</methodName><params><param><value>" + s + "</value></param></params></methodCall>"
	}
	for _, in := range []string{"", "<notxml", "<methodCall></methodCall>", "<methodCall><methodName/></methodCall>",
		call("\x00"), call("\x1b"), call("\xff"), call("\uFFFF"), call("&bell;"), call("a & b"), call("&#0;"), call("&#xD800;"), call("]]>")[:40]} {
		_, _, err := parseCall(in)
		require.Error(t, err, in)
	}
	method, args, err := parseCall("<?xml version=\"1.0\"?><methodCall><methodName>supervisor.getState</methodName></methodCall>")
	require.NoError(t, err)
	require.Equal(t, "supervisor.getState", method)
	require.Empty(t, args)
	_, args, err = parseCall(call("\uFFFD &amp; é"))
	require.NoError(t, err)
	require.Equal(t, []any{"\uFFFD & é"}, args)
}

// Text in many pieces, or tags that never end, take time in proportion.
func TestHostileTextIsReadInNoTime(t *testing.T) {
	began := time.Now()
	const n = 1 << 18
	parseReply(value("<value>" + strings.Repeat("a<!---->", n) + "</value>"))
	parseReply(value("<value>" + strings.Repeat("&", n) + "</value>"))
	parseReply(value("<value>" + strings.Repeat("&#", n) + "</value>"))
	parseReply(strings.Repeat("<a>", n))
	parseReply(strings.Repeat("<!-", n))
	parseReply(value("<value><array><data>" + strings.Repeat("<value/>", n) + "</data></array></value>"))
	require.Less(t, time.Since(began), time.Minute)
}

func TestNothingThatXMLLacksIsWritten(t *testing.T) {
	_, err := appendReply(nil, nil)
	require.Error(t, err)
	_, err = appendCall(nil, "m", []any{map[string]any{"a": []any{struct{}{}}}})
	require.Error(t, err)
}

func FuzzParseReply(f *testing.F) {
	for _, v := range sample {
		b, _ := appendReply(nil, v)
		f.Add(string(b))
	}
	f.Add(string(appendFault(nil, newFault(Failed, "x"))))
	f.Fuzz(func(t *testing.T, in string) {
		v, err := parseReply(in)
		if err != nil || v == nil {
			return
		}
		b, err := appendReply(nil, v)
		if err != nil {
			if strings.Contains(err.Error(), "<nil>") { // a <nil/> in an array
				return
			}
			t.Fatal(err)
		}
		again, err := parseReply(string(b))
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		b2, err := appendReply(nil, again)
		if err != nil || string(b) != string(b2) {
			t.Fatalf("%q, then %q: %v", b, b2, err)
		}
	})
}

func FuzzParseCall(f *testing.F) {
	b, _ := appendCall(nil, "supervisor.x", sample)
	f.Add(string(b))
	f.Add("<methodCall><methodName>system.multicall</methodName></methodCall>")
	f.Fuzz(func(t *testing.T, in string) {
		method, args, err := parseCall(in)
		if err != nil {
			return
		}
		for _, text := range texts(append([]any{method}, args...)) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Fatalf("%q was let through", text)
			}
		}
		b, err := appendCall(nil, method, args)
		if err != nil {
			return // <nil/>
		}
		method2, args2, err := parseCall(string(b))
		if err != nil || method2 != method || fmt.Sprintf("%#v", args2) != fmt.Sprintf("%#v", args) {
			t.Fatalf("%q %#v, then %q %#v: %v", method, args, method2, args2, err)
		}
	})
}

func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			all = append(all, texts(e)...)
		}
	case map[string]any:
		for k, e := range v {
			all = append(append(all, k), texts(e)...)
		}
	}
	return all
}

func BenchmarkStatusOf1000(b *testing.B) {
	list := make([]procmgr.Status, 1000)
	for i := range list {
		list[i] = sampleStatus(i)
	}
	reply, err := appendReply(nil, list)
	require.NoError(b, err)
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(reply)))
		b.ReportAllocs()
		for b.Loop() {
			reply, _ = appendReply(reply[:0], list)
		}
	})
	b.Run("read", func(b *testing.B) {
		text := string(reply)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			v, _ := parseReply(text)
			decodeAll(v.([]any), processInfoOf)
		}
	})
}
