package supervisorconf

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, src string) *File {
	t.Helper()
	f, err := Parse("s.conf", []byte(src))
	require.NoError(t, err)
	require.Equal(t, src, string(f.Bytes()))
	return f
}

// What Python's configparser makes of each, measured with Supervisor 4.2.5.
func TestValuesAsSupervisorReadsThem(t *testing.T) {
	for src, want := range map[string]string{
		"k=v":                         "v",
		"k = v w  ":                   "v w",
		"k: v":                        "v",
		"k=a:b=c":                     "a:b=c",
		"k=":                          "",
		"k= ; c":                      "",
		"K=v":                         "v",
		"k=x;y":                       "x;y",
		"k=x ;y":                      "x",
		"k=x#y":                       "x#y",
		"k=x\t#y":                     "x",
		"k=x\u00a0#y":                 "x",
		"k=#x":                        "#x",
		"k= #x":                       "",
		"k='a ; b'":                   "'a",
		"k=a;b ;c #d":                 "a;b ;c", // both are looked for in lock step
		"k=a#b #c ;d":                 "a#b #c",
		"k=a;b ;c":                    "a;b",
		"k=x\n  y\n    z\n w":         "x\ny\nz\nw",
		"k=x\n\n  y\n\n\n  z\n\n":     "x\n\ny\n\n\nz",
		"k=x\n; c\n  y\n# d\n  z":     "x\ny\nz",
		"k=x ; c\n  y ; d\n  ; e\n z": "x\ny\nz",
		"k=\n  x\n  y":                "\nx\ny",
		"k=x\n  user=root":            "x\nuser=root",
		"k=x\n  [b]":                  "x\n[b]",
		"k=x\n\x1cy":                  "x\ny", // a file separator is white space to Python
		"k=x\n\u00a0y":                "x\ny",
		"k=x\ry=1":                    "x",
		"k=x\r\n  y\r\n":              "x\ny",
		"k=x\r  y":                    "x\ny",
		"k=x\x0by\u0085z\u2028w":      "x\x0by\u0085z\u2028w", // none of these ends a line
		"k=\u00a0x\u00a0":             "x",
		"k=x\\\nj=y":                  "x\\",
		"k=\"x y\"":                   "\"x y\"",
		"k=x\x00y":                    "x\x00y",
		"k=1\nk=2":                    "2",
		"k=1\n[a]\nk=3":               "3",
		"  k=1\n  k=2\n k=3":          "3",
	} {
		f := parse(t, "[a]\n"+src)
		o := f.Section("a", "").Get("K")
		if assert.NotNil(t, o, src) {
			assert.Equal(t, want, o.Value(), "%q", src)
		}
	}
}

func TestHeadersAsSupervisorReadsThem(t *testing.T) {
	for src, want := range map[string][]string{
		"[a] junk ; c":     {"a"},
		"[a];c":            {"a"},
		"[a:b]c]":          {"a:b]c"},
		"[[a]]":            {"[a]"},
		"[ a ]":            {" a "},
		"[a]\n [b]\n[a]":   {"a", "b", "a"},
		"[a]\nk=v\n [b]":   {"a"}, // a line of the value
		"[a]\n[b\nk=v\n":   nil,   // "[b" has no "="
		"[a]\n[b:c\nk=v\n": {"a"}, // the option "[b"
		"[a ;b]\n":         nil,   // cut at ";", so no header is left
		"[A]\n[DEFAULT]\n": {"A", "DEFAULT"},
	} {
		f, err := Parse("s.conf", []byte(src))
		assert.Equal(t, want == nil, err != nil, "%q: %v", src, err)
		var got []string
		for s := range f.Sections() {
			got = append(got, s.Header())
		}
		if want != nil {
			assert.Equal(t, want, got, "%q", src)
		}
	}
	f := parse(t, "[program:a:b]\n[program:]\n[supervisord]\n")
	s := f.Section("program", "a:b")
	assert.Equal(t, "program", s.Type())
	assert.Equal(t, "a:b", s.Name())
	assert.NotNil(t, f.Section("supervisord", ""))
	assert.Nil(t, f.Section("program", ""))
	assert.NotNil(t, f.Section("program:", ""))
}

func TestErrorsAreSupervisorsWordsWithTheirPlace(t *testing.T) {
	for src, want := range map[string]string{
		"a=1\nb=2\n[s]\n":            `s.conf:1:1: File contains no section headers. file: 's.conf', line: 1 'a=1\n' [missing-section-header]`,
		"\ufeff[s]\nk=v\n":           `s.conf:1:1: File contains no section headers. file: 's.conf', line: 1 '\ufeff[s]\n' [byte-order-mark]`,
		"[s]\nk=caf\xe9\n":           `s.conf:2:6: 'utf-8' codec can't decode byte 0xe9 in position 9: invalid continuation byte [bad-encoding]`,
		"[s]\nk=v\n  x\nautostart\n": `s.conf:4:1: Source contains parsing errors: 's.conf' [line  4]: 'autostart\n' [parsing-error]`,
		"[s]\n a\n=v\n\tit's":        "s.conf:2:2: Source contains parsing errors: 's.conf' [line  2]: ' a\\n' [parsing-error]\ns.conf:3:1: Source contains parsing errors: 's.conf' [line  3]: '=v\\n' [parsing-error]\ns.conf:4:2: Source contains parsing errors: 's.conf' [line  4]: \"\\tit's\" [parsing-error]",
		"[s]\nk=v\nbad\n  more\n[t]": `s.conf:3:1: Source contains parsing errors: 's.conf' [line  3]: 'bad\n' [parsing-error]`,
	} {
		f, err := Parse("s.conf", []byte(src))
		require.Error(t, err, "%q", src)
		assert.Equal(t, want, err.Error())
		assert.Equal(t, src, string(f.Bytes()))
		var ds Diagnostics
		require.True(t, errors.As(err, &ds))
		var d *Diagnostic
		require.True(t, errors.As(err, &d), "each finding can be reached")
	}
}

func TestTreeIsKeptBehindErrors(t *testing.T) {
	f, err := Parse("s.conf", []byte("\ufeff[s]\nk=v\noops\n  its continuation\nj=w\n"))
	require.Error(t, err)
	assert.Equal(t, "v", f.Section("s", "").Get("k").Value())
	assert.Equal(t, "w", f.Section("s", "").Get("j").Value())
}

func TestByteOrderMarkHasAFix(t *testing.T) {
	_, err := Parse("s.conf", []byte("\ufeff[s]\n"))
	var d *Diagnostic
	require.True(t, errors.As(err, &d))
	require.Len(t, d.Fixes, 1)
	e := d.Fixes[0].Edits[0]
	assert.Equal(t, [3]any{0, 3, ""}, [3]any{e.Start.Offset, e.End.Offset, e.NewText})
}

// Python decodes 8,192 bytes at a time, and its positions count from there.
func TestBadByteIsCountedAsPythonDoes(t *testing.T) {
	pad := "[s]\n#" + strings.Repeat("x", 8192)
	_, err := Parse("s.conf", []byte(pad+"\xff"))
	assert.ErrorContains(t, err, "can't decode byte 0xff in position 5: invalid start byte")
	_, err = Parse("s.conf", []byte("[s]\n\xe4\xbd"))
	assert.ErrorContains(t, err, "can't decode bytes in position 0-1: unexpected end of data")
	// A line that was read before stops it earlier.
	f, _ := Parse("s.conf", []byte("x\n"+pad+"\xff"))
	assert.True(t, strings.HasPrefix(f.faults.refusal("s.conf"), "File contains no section headers."))
}

func TestPositionsAreBytesFromOne(t *testing.T) {
	f := parse(t, "; é\r\n\r[a]\r\n  é = x\r\n   y ; c\n")
	s := f.Section("a", "")
	o := s.Get("É")
	assert.Equal(t, "s.conf:3:1", s.Pos().String())
	assert.Equal(t, "s.conf:3:4", s.End().String())
	assert.Equal(t, "s.conf:4:3", o.Pos().String())
	assert.Equal(t, "s.conf:4:8", o.ValuePos().String())
	assert.Equal(t, "s.conf:5:5", o.End().String())
}

func TestComments(t *testing.T) {
	f := parse(t, "# top\n\n[a] ; head\n ; above\nk=#v\n  w ;in\n  ;own\n  x ; behind\n;end")
	var got []string
	for c := range f.Comments() {
		got = append(got, c.Start.String()+" "+c.Text)
	}
	assert.Equal(t, []string{"s.conf:1:1 # top", "s.conf:3:5 ; head", "s.conf:4:2 ; above", "s.conf:6:5 ;in", "s.conf:7:3 ;own", "s.conf:8:5 ; behind", "s.conf:9:1 ;end"}, got)

	o := f.Section("a", "").Get("k")
	assert.Equal(t, "#v\nw\nx", o.Value())
	assert.Len(t, slices.Collect(o.Comments()), 4)
	assert.Len(t, slices.Collect(f.Section("a", "").Comments()), 2)
}

func TestOptionNamesAreComparedInLowerCase(t *testing.T) {
	f := parse(t, "[a]\nComMand=x\nİ=1\nΑΣ=2\n")
	s := f.Section("a", "")
	assert.Equal(t, "ComMand", s.Get("COMMAND").Key())
	assert.Equal(t, "command", s.Get("COMMAND").Name())
	assert.Equal(t, "i̇", s.Get("İ").Name())
	assert.Equal(t, "ας", s.Get("αΣ").Name())
	assert.Nil(t, s.Get("i"))
}

func TestExpand(t *testing.T) {
	f := parse(t, "[program:web]\ncommand=run --n=%(process_num)02d %(ENV_X)s 100%%\nuser=%(who)s\ndirectory=100%\n")
	s := f.Section("program", "web")
	got, err := s.Get("command").Expand(map[string]string{"process_num": "7", "ENV_X": "%(x)s"})
	require.NoError(t, err)
	assert.Equal(t, "run --n=07 %(x)s 100%", got)

	_, err = s.Get("user").Expand(map[string]string{"here": "/", "ENV_A": ""})
	assert.EqualError(t, err, `s.conf:3:6: Format string '%(who)s' for 'program:web.user' contains names ('who') which cannot be expanded. Available names: ENV_A, here [unknown-name]`)
	_, err = s.Get("directory").Expand(nil)
	assert.EqualError(t, err, `s.conf:4:11: Format string '100%' for 'program:web.directory' is badly formatted: incomplete format [bad-format]`)
}

func TestOneBigLineIsReadInLinearTime(t *testing.T) {
	big := strings.Repeat("a;b#", 1<<20)
	f := parse(t, "[a]\nk="+big)
	assert.Equal(t, big, f.Section("a", "").Get("k").Value())
	f = parse(t, "[a]\r"+strings.Repeat("k=v\r", 1<<18))
	assert.Len(t, f.Section("a", "").options, 1<<18)
}

func TestDiagnosticJSON(t *testing.T) {
	_, err := Parse("s.conf", []byte("\ufeff[s]\n"))
	out, err := json.Marshal(err)
	require.NoError(t, err)
	assert.Equal(t, `[{"start":{"file":"s.conf","offset":0,"line":1,"column":1},"end":{"file":"s.conf","offset":3,"line":1,"column":4},"level":"ERROR","code":"byte-order-mark","message":"File contains no section headers. file: 's.conf', line: 1 '\\ufeff[s]\\n'","fixes":[{"message":"remove the byte order mark","edits":[{"start":{"file":"s.conf","offset":0,"line":1,"column":1},"end":{"file":"s.conf","offset":3,"line":1,"column":4},"new_text":""}]}]}]`, string(out))
}

func TestParseAllocatesLessThanOncePerOption(t *testing.T) {
	src := manyPrograms(200)
	allocs := testing.AllocsPerRun(5, func() { _, _ = Parse("s.conf", src) })
	assert.Less(t, allocs, 200*10.0)
	f, _ := Parse("s.conf", src)
	assert.LessOrEqual(t, testing.AllocsPerRun(5, func() { f.Bytes() }), 1.0)
}
