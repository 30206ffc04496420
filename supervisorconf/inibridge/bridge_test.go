package inibridge

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/onehost-go/onehost/supervisorconf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/ini.v1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// files are those of testdata, and the real ones beside the module if they are
// there.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, text := range readArchive(t, "testdata/files.txtar") {
		all[name] = []byte(strings.NewReplacer("␍", "\r", "␠", "\u00a0", "␜", "\x1c").Replace(text))
	}
	for _, name := range real(t) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all[filepath.Base(name)] = text
	}
	return all
}

// real returns the names of the real files, or none.
func real(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "supervisor", "real", "*"))
	require.NoError(t, err)
	return slices.DeleteFunc(names, func(name string) bool { return filepath.Base(name) == "README.md" })
}

// readArchive reads the files of a txtar archive.
func readArchive(t testing.TB, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	all := map[string]string{}
	current := ""
	for line := range strings.Lines(string(text)) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(head, " --\n") {
			current = strings.TrimSuffix(head, " --\n")
			all[current] = ""
		} else if current != "" {
			all[current] += line
		}
	}
	return all
}

// A said is a header and the options below it.
type said struct {
	Header  string
	Options [][2]string
}

// ofINI is what an *ini.File says.
func ofINI(f *ini.File) []said {
	var all []said
	for _, s := range f.Sections() {
		one := said{s.Name(), [][2]string{}}
		for _, k := range s.Keys() {
			one.Options = append(one.Options, [2]string{k.Name(), k.Value()})
		}
		if s.Name() != "DEFAULT" || len(one.Options) > 0 {
			all = append(all, one)
		}
	}
	return all
}

// ofFile is what Supervisor reads in a file: a dict of dicts.
func ofFile(f *supervisorconf.File) []said {
	var all []said
	defaults := said{"DEFAULT", [][2]string{}}
	for s := range f.Sections() {
		one := &defaults
		if s.Header() != "DEFAULT" {
			i := slices.IndexFunc(all, func(other said) bool { return other.Header == s.Header() })
			if i < 0 {
				i, all = len(all), append(all, said{s.Header(), [][2]string{}})
			}
			one = &all[i]
		}
		for o := range s.Options() {
			i := slices.IndexFunc(one.Options, func(kv [2]string) bool { return kv[0] == o.Name() })
			if i < 0 {
				i, one.Options = len(one.Options), append(one.Options, [2]string{o.Name()})
			}
			one.Options[i][1] = o.Value()
		}
	}
	if len(defaults.Options) > 0 {
		all = slices.Insert(all, 0, defaults)
	}
	return all
}

func TestMemoryIsExactAndSoIsTheWayBack(t *testing.T) {
	exact := 0
	for name, src := range files(t) {
		f, _ := supervisorconf.Parse(name, src)
		file, err := FromFile(f)
		require.NoError(t, err, name)
		want := ofFile(f)
		require.Equal(t, want, ofINI(file), name)

		require.NoError(t, Apply(f, file), name)
		require.Equal(t, string(src), string(f.Bytes()), "%s: what says the same is not touched", name)

		text, err := AppendText([]byte("x"), file)
		if err != nil { // of testdata: no file can say it in the usual way
			require.Contains(t, name, "unwritable", "%v", err)
			require.Equal(t, "x", string(text))
			continue
		}
		back, err := supervisorconf.Parse(name, text[1:])
		require.NoError(t, err, name)
		require.Equal(t, want, ofFile(back), name)
		again, err := FromFile(back)
		require.NoError(t, err)
		require.Equal(t, want, ofINI(again), name)
		for _, s := range file.Sections() {
			for _, k := range s.Keys() {
				require.Equal(t, k.Comment, again.Section(s.Name()).Key(k.Name()).Comment, "%s: comments stay at their options", name)
			}
		}
		exact++
	}
	t.Logf("%d files, %d of them real, come out exactly and are written back", exact, len(real(t)))
}

func TestAConfigComesThroughWithItsIncludes(t *testing.T) {
	load := &supervisorconf.LoadOptions{
		Version: "4.2.5", HostNodeName: "h1", IsDir: func(string) bool { return true },
		Environ: []string{"HOME=/root", "PATH=/bin"},
	}
	loaded := 0
	for name, src := range files(t) {
		for _, fsys := range []fstest.MapFS{
			{"etc/s.conf": {Data: src}},
			{"etc/s.conf": {Data: []byte("[supervisord]\n[include]\nfiles=d/*\n")}, "etc/d/x.conf": {Data: src}},
		} {
			c, err := supervisorconf.Load(fsys, "etc/s.conf", load)
			if err != nil {
				continue
			}
			file, err := FromConfig(c)
			require.NoError(t, err)
			require.False(t, file.HasSection("include"))
			again, err := ToConfig(fsys, "etc/s.conf", file, load)
			if strings.Contains(name, "unwritable") {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err, name)
			want, got := c.Resolved(), again.Resolved()
			want.Infos, got.Infos = nil, nil // of files included
			want.Warnings, got.Warnings = nil, nil
			require.Equal(t, want, got, name)
			loaded++
		}
	}
	require.NotZero(t, loaded)
	t.Logf("%d configurations", loaded)
}

func TestOtherFilesOfTheHostAreThereForToConfig(t *testing.T) {
	file := ini.Empty()
	file.Section("supervisord").Key("directory").SetValue("/srv")
	file.Section("include").Key("files").SetValue("d/*.conf")
	host := fstest.MapFS{"etc/s.conf": {Data: []byte("oops")}, "etc/d/a.conf": {Data: []byte("[program:a]\ncommand=a\n")}, "srv": {Mode: 1<<31 | 0o755}}
	c, err := ToConfig(host, "etc/s.conf", file, nil)
	require.NoError(t, err)
	require.NotNil(t, c.Group("a"))
	require.Equal(t, "/srv", c.Supervisord.Directory)

	_, err = ToConfig(nil, "etc/s.conf", file, nil)
	require.ErrorContains(t, err, "/srv is not an existing directory")
	file.Section("supervisord").DeleteKey("directory")
	c, err = ToConfig(nil, "etc/s.conf", file, nil)
	require.NoError(t, err)
	require.Len(t, c.Warnings, 1, "the include matches nothing")
}

// The claims of the package's documentation.
func TestWhatWriteToDamages(t *testing.T) {
	write := func(f *ini.File) string {
		var b strings.Builder
		_, err := f.WriteTo(&b)
		require.NoError(t, err)
		return b.String()
	}
	read := func(text string) (string, error) {
		f, err := supervisorconf.Parse("x", []byte(text))
		if s := f.Section("program:a", ""); s != nil && s.Get("k") != nil {
			return s.Get("k").Value(), err
		}
		return "", err
	}
	plain := func(value string) *ini.File {
		f := ini.Empty()
		f.Section("program:a").Key("k").SetValue(value)
		return f
	}
	for _, c := range []struct{ value, reads, fails string }{
		{value: "nginx -g 'daemon off;'", reads: "`nginx -g 'daemon off;'`"},
		{value: "a#b", reads: "`a#b`"},
		{value: "say `date`", reads: "\"\"\"say `date`\"\"\""},
		{value: " x", reads: `" x"`},
		{value: "A=\"1\",\nB=\"2\"", reads: `"""A="1",`}, // B becomes an option
		{value: "a\nb", reads: `"""a`, fails: "Source contains parsing errors"},
		{value: "%(here)s/x", reads: "%(here)s/x"},
		{value: `"x"`, reads: `"x"`},
	} {
		got, err := read(write(plain(c.value)))
		assert.Equal(t, c.reads, got)
		if c.fails == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, c.fails)
		}
		text, err := AppendText(nil, plain(c.value))
		if c.value == " x" {
			assert.ErrorContains(t, err, "white space at the end of a line is not read")
			continue
		}
		require.NoError(t, err)
		got, err = read(string(text))
		assert.NoError(t, err)
		assert.Equal(t, c.value, got)
	}

	// With the options of this package, a ";" is no reason for quotes.
	f, err := supervisorconf.Parse("x", []byte("[program:a]\nk=nginx -g 'daemon off;'\n"))
	require.NoError(t, err)
	ours, err := FromFile(f)
	require.NoError(t, err)
	got, err := read(write(ours))
	require.NoError(t, err)
	assert.Equal(t, "nginx -g 'daemon off;'", got)

	defaults := ini.Empty()
	defaults.Section("").Key("user").SetValue("x")
	_, err = read(write(defaults))
	assert.ErrorContains(t, err, "File contains no section headers")
	text, err := AppendText(nil, defaults)
	require.NoError(t, err)
	assert.Equal(t, "[DEFAULT]\nuser=x\n", string(text))

	// Key.String is no way to read.
	f, err = supervisorconf.Parse("x", []byte("[program:a]\nk=%(here)s\nhere=/x\n"))
	require.NoError(t, err)
	ours, err = FromFile(f)
	require.NoError(t, err)
	assert.Equal(t, "/x", ours.Section("program:a").Key("k").String())
	assert.Equal(t, "%(here)s", ours.Section("program:a").Key("k").Value())
}

// The figures of the package's documentation.
func TestHowManyRealFilesWriteToDamages(t *testing.T) {
	names := real(t)
	if len(names) == 0 {
		t.Skip("no real files beside the module")
	}
	same := map[string]int{}
	for _, name := range names {
		src, err := os.ReadFile(name)
		require.NoError(t, err)
		f, err := supervisorconf.Parse(name, src)
		require.NoError(t, err)
		ours, err := FromFile(f)
		require.NoError(t, err)
		plain := ini.Empty()
		for _, s := range ofINI(ours) {
			section, err := plain.NewSection(s.Header)
			require.NoError(t, err)
			for _, kv := range s.Options {
				_, err := section.NewKey(kv[0], kv[1])
				require.NoError(t, err)
			}
		}
		for by, file := range map[string]*ini.File{"made here": ours, "by default": plain} {
			var b bytes.Buffer
			_, err := file.WriteTo(&b)
			require.NoError(t, err)
			if back, err := supervisorconf.Parse(name, b.Bytes()); err == nil && assert.ObjectsAreEqual(ofFile(f), ofFile(back)) {
				same[by]++
			}
		}
		loaded, err := ini.Load(src)
		if err == nil && assert.ObjectsAreEqual(ofFile(f), ofINI(loaded)) {
			same["ini.Load"]++
		}
	}
	assert.Equal(t, map[string]int{"made here": 195, "by default": 182, "ini.Load": 182}, same, "of %d", len(names))
}

func TestApplyChangesOnlyTheLinesConcerned(t *testing.T) {
	golden := readArchive(t, "testdata/apply.txtar")
	edits := map[string]func(*ini.File){
		"one value": func(f *ini.File) { f.Section("program:scout").Key("stopwaitsecs").SetValue("30") },
		"a line of a value": func(f *ini.File) {
			k := f.Section("program:scout").Key("environment")
			k.SetValue(strings.Replace(k.Value(), "sv_SE", "C", 1))
		},
		"new option":      func(f *ini.File) { f.Section("program:scout").Key("USER").SetValue("www-data") },
		"new section":     func(f *ini.File) { f.Section("program:nipt").Key("command").SetValue("nipt") },
		"removed option":  func(f *ini.File) { f.Section("program:scout").DeleteKey("autostart") },
		"removed section": func(f *ini.File) { f.DeleteSection("program:archive") },
		"several": func(f *ini.File) {
			f.DeleteSection("program:archive")
			f.Section("program:scout").Key("command").SetValue("scout --quiet")
			f.Section("DEFAULT").Key("autorestart").SetValue("true")
		},
	}
	src := golden["supervisord.conf"]
	for name, edit := range edits {
		f, err := supervisorconf.Parse("supervisord.conf", []byte(src))
		require.NoError(t, err)
		file, err := FromFile(f)
		require.NoError(t, err)
		edit(file)
		require.NoError(t, Apply(f, file), name)
		got := changes(src, string(f.Bytes()))
		if !*update {
			assert.Equal(t, golden[name], got, name)
		}
		golden[name] = got
		again, err := FromFile(f)
		require.NoError(t, err)
		assert.ElementsMatch(t, ofINI(file), ofINI(again), name)
	}
	if *update {
		text := "What each edit of TestApplyChangesOnlyTheLinesConcerned changes.\n-- supervisord.conf --\n" + src
		for _, name := range slices.Sorted(maps.Keys(edits)) {
			text += "-- " + name + " --\n" + golden[name]
		}
		require.NoError(t, os.WriteFile("testdata/apply.txtar", []byte(text), 0o644))
	}
}

// changes lists the lines that went and those that came, in order.
func changes(before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	lcs := make([][]int, len(a)+1)
	for i := range lcs {
		lcs[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if lcs[i][j] = max(lcs[i+1][j], lcs[i][j+1]); a[i] == b[j] {
				lcs[i][j] = lcs[i+1][j+1] + 1
			}
		}
	}
	var out strings.Builder
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && lcs[i+1][j] >= lcs[i][j+1]:
			fmt.Fprintf(&out, "%d -%s", i+1, a[i])
			i++
		default:
			fmt.Fprintf(&out, "%d +%s", i+1, b[j])
			j++
		}
	}
	return out.String()
}

func TestWhatNoFileCanHoldChangesNothing(t *testing.T) {
	const src = "[program:a]\ncommand=x ; y\n\n[program:b]\n"
	for value, want := range map[string]string{
		"x ;y":    `inibridge: in [program:a]: supervisorconf: the value of command cannot be written: white space before ";" or "#" starts a comment, and quotes do not protect it`,
		" x":      "inibridge: in [program:a]: supervisorconf: the value of command cannot be written: white space at the end of a line is not read",
		"x\n;y":   `inibridge: in [program:a]: supervisorconf: the value of command cannot be written: a line that starts with ";" or "#" is a comment`,
		"x\xff":   "inibridge: in [program:a]: supervisorconf: the value of command cannot be written: it is not UTF-8",
		"x\n\n":   "inibridge: in [program:a]: supervisorconf: the value of command cannot be written: empty lines at the end are not read",
		"p\rssss": "inibridge: in [program:a]: supervisorconf: the value of command cannot be written: a carriage return is read as a newline",
	} {
		f, err := supervisorconf.Parse("x", []byte(src))
		require.NoError(t, err)
		file, err := FromFile(f)
		require.NoError(t, err)
		file.DeleteSection("program:b")
		file.Section("program:a").Key("command").SetValue(value)
		assert.EqualError(t, Apply(f, file), want)
		assert.Equal(t, src, string(f.Bytes()))
		_, err = ToFile("x", file)
		assert.EqualError(t, err, want)
	}
	for header, want := range map[string]string{"a\nb": `inibridge: a header cannot be "a\nb"`, "a]\nk": `inibridge: a header cannot be "a]\nk"`} {
		file := ini.Empty()
		file.Section(header).Key("k").SetValue("secret")
		assert.EqualError(t, Write(&bytes.Buffer{}, file), want)
		assert.EqualError(t, Apply(&supervisorconf.File{}, file), want)
	}
	file := ini.Empty()
	file.Section("s").Key("a=b").SetValue("x")
	assert.EqualError(t, Write(&bytes.Buffer{}, file), `inibridge: in [s]: supervisorconf: an option cannot be named "a=b"`)
}

func TestShapesThatSupervisorDoesNotKnow(t *testing.T) {
	f, err := ini.LoadSources(ini.LoadOptions{UnparseableSections: []string{"raw"}}, []byte("[raw]\nbody\n"))
	require.NoError(t, err)
	_, err = AppendText(nil, f)
	assert.EqualError(t, err, "inibridge: the raw body of [raw] has no options")

	f, err = ini.LoadSources(ini.LoadOptions{AllowShadows: true}, []byte("[a]\nk=1\nk=2\n"))
	require.NoError(t, err)
	text, err := AppendText(nil, f)
	require.NoError(t, err)
	assert.Equal(t, "[a]\nk=2\n", string(text), "the last counts")

	f, err = ini.LoadSources(ini.LoadOptions{AllowNestedValues: true}, []byte("[a]\nk=\n  x\n  y\n"))
	require.NoError(t, err)
	_, err = AppendText(nil, f)
	assert.EqualError(t, err, "inibridge: k in [a] has nested values, which Supervisor does not know")
}

func TestTooManyNamesAreAnErrorNotAnHour(t *testing.T) {
	for _, text := range []string{strings.Repeat("[DEFAULT]\n", 30_000), strings.Repeat("[a]\nk=v\n", 15_000)} {
		f, err := supervisorconf.Parse("x", []byte(text))
		require.NoError(t, err)
		_, err = FromFile(f)
		require.NoError(t, err, "the same name over and over is one")
	}
	var sections, keys strings.Builder
	keys.WriteString("[a]\n")
	for i := range maxNames + 1 {
		fmt.Fprintf(&sections, "[program:%d]\n", i)
		fmt.Fprintf(&keys, "k%d=v\n", i)
	}
	for text, want := range map[string]string{
		sections.String(): "inibridge: an *ini.File is too slow for more than 20000 sections",
		keys.String():     "inibridge: an *ini.File is too slow for more than 20000 options in [a]",
	} {
		f, err := supervisorconf.Parse("x", []byte(text))
		require.NoError(t, err)
		_, err = FromFile(f)
		assert.EqualError(t, err, want)
		assert.EqualError(t, Apply(f, ini.Empty()), want)
	}
}
