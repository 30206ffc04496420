package supervisorconf

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// within fails a test that takes longer than anything that is not endless.
func within(t *testing.T, do func()) {
	t.Helper()
	start := time.Now()
	do()
	require.Less(t, time.Since(start), time.Minute)
}

func TestAMillionSections(t *testing.T) {
	var b strings.Builder
	b.WriteString("[supervisord]\n")
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "[x:%d]\n", i)
	}
	within(t, func() {
		f, err := Parse("x", []byte(b.String()))
		require.NoError(t, err)
		require.Len(t, f.sections, 1_000_001)
		require.NotNil(t, f.Section("x", "999999"))
		c, err := Load(host(main, b.String()), main, nil)
		require.NoError(t, err)
		require.Len(t, c.Warnings, 1_000_000)
	})
}

// An endless file says that it is small.
type endless struct{ fstest.MapFS }

func (e endless) Open(name string) (fs.File, error) {
	f, err := e.MapFS.Open(name)
	if strings.HasSuffix(name, "endless.conf") {
		f = endlessFile{f}
	}
	return f, err
}

type endlessFile struct{ fs.File }

func (endlessFile) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestAFileHasALimitAndSoHasALine(t *testing.T) {
	const limit = "file is larger than 67108864 bytes, which is the most that is read"
	src := slices.Repeat([]byte("x"), maxFileSize+1)
	copy(src, "[a]\nk=")
	f, err := Parse("x.conf", src)
	require.EqualError(t, err, "x.conf:1:1: "+limit+" [too-much]")
	require.Equal(t, len(src), len(f.Bytes()))
	require.False(t, f.Changed())
	require.Empty(t, f.sections)
	_, err = Parse("x.conf", src[:maxFileSize])
	require.NoError(t, err)

	fsys := endless{host("etc/endless.conf", "x", "etc/s.conf", "[supervisord]\n[include]\nfiles=*less.conf\n")}
	_, err = Load(fsys, "etc/endless.conf", nil)
	require.ErrorIs(t, err, errSize)
	require.EqualError(t, err, "supervisorconf: read etc/endless.conf: "+limit)
	c, err := Load(fsys, "etc/s.conf", nil)
	require.EqualError(t, err, "etc/s.conf:3:7: read etc/endless.conf: "+limit+" [too-much]")
	require.Len(t, slices.Collect(c.Files()), 1, "what was not read is no file")
	var _ io.Reader = endlessFile{}
}

func TestVariablesThatNameThemselvesEnd(t *testing.T) {
	o := &LoadOptions{Environ: []string{"PATH=/bin", "A=%(ENV_A)s%(ENV_A)s", "B="}}
	c := loads(t, `environment=PATH="/sbin:%(ENV_PATH)s",B="%(ENV_A)s"
[program:a]
command=%(ENV_PATH)s %(ENV_A)s %(ENV_B)s %(ENV_N)s
process_name=%(process_num)d
numprocs=2000
environment=PATH="/x:%(ENV_PATH)s:%(ENV_PATH)s",N="%(process_num)s:%(ENV_PATH)s"
`, o)
	last := c.Programs[0].Processes[1999]
	assert.Equal(t, "/x:/sbin:/bin:/sbin:/bin", last.Environment["PATH"], "the variables of supervisord, not of the process before")
	// 4.4 reads one level.
	assert.Equal(t, "%(ENV_A)s%(ENV_A)s", c.Supervisord.Environment["B"])
	assert.Equal(t, "/x:/sbin:/bin:/sbin:/bin %(ENV_A)s%(ENV_A)s %(ENV_A)s%(ENV_A)s "+last.Environment["N"], last.Command)

	// A variable that only the program has is there for the next process: it
	// grows, but not without end.
	_, all := refused(t, `[program:a]
command=x
process_name=%(process_num)d
numprocs=90000
environment=B="%(ENV_B)s%(ENV_B)s0123456789"
[program:b]
command=%(ENV_B)s
environment=C="`+strings.Repeat("%(ENV_D)s", 5000)+`"
`, &LoadOptions{Environ: []string{"D=" + strings.Repeat("d", 100_000), "B=b"}})
	assert.Contains(t, all[0], "the result is longer than 16777216 bytes")
}

func TestIncludesThatMatchThemselvesEnd(t *testing.T) {
	for _, files := range []string{
		"*.conf", "*.conf *.conf ../etc/*.conf ./././*.conf [s]*.conf",
		strings.Repeat("*.conf ", 500),
		"%(here)s/../*/*.conf",
	} {
		text := "[supervisord]\n[include]\nfiles=" + files + "\n"
		within(t, func() {
			c, err := Load(host("etc/s.conf", text, "etc/t.conf", text+"[program:t]\ncommand=t\n"), "etc/s.conf", nil)
			require.NoError(t, err)
			require.Len(t, slices.Collect(c.Files()), 2)
			require.Len(t, c.Programs, 1)
		})
	}
	fsys := fstest.MapFS{}
	for i := range 20 {
		fsys[fmt.Sprintf("d%d/x.conf", i)] = &fstest.MapFile{}
	}
	for _, pattern := range []string{strings.Repeat("/*/..", 30) + "/*", strings.Repeat("/../*", 30) + "/x.conf"} {
		fsys["s.conf"] = &fstest.MapFile{Data: []byte("[supervisord]\n[include]\nfiles=" + pattern + "\n")}
		within(t, func() {
			_, err := Load(fsys, "s.conf", nil)
			require.ErrorContains(t, err, "s.conf:3:7: the includes are more than this package reads [too-much]")
		})
	}
}

func TestNumbersOfAnySizeAreReadOrRefused(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("9", n) }
	c := loads(t, "minfds="+digits(4300)+"\n[program:a]\ncommand=x\nstartsecs=-"+digits(4300)+"\numask="+strings.Repeat("7", 10_000)+"\n", nil)
	assert.Contains(t, marshal(t, c.Resolved()), `"startsecs":-`+digits(4300)+",")
	_, all := refused(t, "minfds="+digits(4301)+"\nlogfile_maxbytes="+digits(5000)+"GB\n[program:a]\ncommand=x\nnumprocs="+digits(4300)+"\nprocess_name=%(process_num)d\nexitcodes="+digits(4301)+
		"\n[program:b]\ncommand=x\nnumprocs=-"+digits(4300)+"\n[program:c]\ncommand=x\nnumprocs=100002\nprocess_name=%(process_num)d\n", nil)
	for i, want := range []string{
		"Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits",
		"Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits",
		"more than 100000 processes are not expanded by this package in section 'program:a'",
		"not a valid list of exit codes: '999",
		"more than 100000 processes are not expanded by this package in section 'program:c'",
	} {
		assert.Contains(t, all[i], want)
	}
}

func TestTextThatIsNoText(t *testing.T) {
	for text, want := range map[string]string{
		"\ufeff[supervisord]\n":       "etc/supervisord.conf:1:1: File contains no section headers. file: '/etc/supervisord.conf', line: 1 '\\ufeff[supervisord]\\n' [byte-order-mark]",
		"[supervisord]\n# caf\xe9\n":  "etc/supervisord.conf:2:6: 'utf-8' codec can't decode byte 0xe9 in position 19: invalid continuation byte [bad-encoding]",
		"[supervisord]\r# x\r[a\rb\r": "etc/supervisord.conf:3:1: Source contains parsing errors: '/etc/supervisord.conf' [line  3]: '[a\\n' [parsing-error]\netc/supervisord.conf:4:1: Source contains parsing errors: '/etc/supervisord.conf' [line  4]: 'b\\n' [parsing-error]",
		"\x00\xff\xfe":                "etc/supervisord.conf:1:1: File contains no section headers. file: '/etc/supervisord.conf', line: 1 '\\x00\\udcff\\udcfe' [missing-section-header]\netc/supervisord.conf:1:2: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte [bad-encoding]",
		"":                            "etc/supervisord.conf:1:1: .ini file does not include supervisord section [missing-section]",
	} {
		_, err := Load(host(main, text), main, nil)
		assert.EqualError(t, err, want)
	}
	c, err := Load(host(main, "[supervisord]\rloglevel=debug\r[program:a]\rcommand=x\r y\r\n\tz\n"), main, nil)
	require.NoError(t, err)
	assert.Equal(t, LogDebug, c.Supervisord.LogLevel)
	assert.Equal(t, "x\ny\nz", c.Programs[0].Processes[0].Command)
}
