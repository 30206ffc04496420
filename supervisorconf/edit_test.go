package supervisorconf

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edited parses src, edits its section [a] and returns the text, which must
// read as the tree says.
func edited(t *testing.T, src string, edit func(f *File, a *Section)) string {
	t.Helper()
	f, err := Parse("s.conf", []byte(src))
	require.NoError(t, err)
	edit(f, f.Section("a", ""))
	again, err := Parse("s.conf", f.Bytes())
	require.NoError(t, err)
	require.Equal(t, values(f), values(again))
	return string(f.Bytes())
}

func TestSetChangesOnlyTheValue(t *testing.T) {
	for _, c := range []struct{ src, value, want string }{
		{"[a]\r\nK  =  v ; why\r\nj=w\r\n", "x y", "[a]\r\nK  =  x y ; why\r\nj=w\r\n"},
		{"[a]\nk=v", "x", "[a]\nk=x"},
		{"[a]\nk=", "x", "[a]\nk=x"},
		{"[a]\nk =\n", "x", "[a]\nk = x\n"},
		{"[a]\nk = v\n", "", "[a]\nk =\n"},
		{"[a]\nk = v\n", "#fff", "[a]\nk =#fff\n"}, // after a blank it were a comment
		{"[a]\n\tk: v\n\n; b\n[b]\n", "x\ny", "[a]\n\tk: x\n\t    y\n\n; b\n[b]\n"},
		{"[a]\nk=v ; why\n", "x\n\ny", "[a]\nk=x\n\n    y ; why\n"},
		{"[a]\nk=a ; 1\n  ; own\n  b ; 2\n\n  c ; 3\n", "a\nB\n\nc", "[a]\nk=a ; 1\n  ; own\n  B ; 2\n\n  c ; 3\n"},
		{"[a]\nk=a ; 1\n  ; own\n  b ; 2\n  c ; 3\n", "a\nc", "[a]\nk=a ; 1\n  ; own\n  c ; 3\n"},
		{"[a]\nk=\n  a\n  c\n", "\na\nb\nc", "[a]\nk=\n  a\n  b\n  c\n"},
		{"[a]\nk=\n  a ; 1\n", "\na\nb", "[a]\nk=\n  a ; 1\n  b\n"},
		{"[a]\nk=x\n  y ; 2\n", "y", "[a]\nk=y ; 2\n"},
		{"[a]\n; c\nk=v ;c #d\n", "a;b", "[a]\n; c\n;c #d\nk=a;b\n"}, // behind it, the comment would start at "#"
		{"[a]\nk=v\n[b]\n[a]\nk=w\n", "x", "[a]\nk=v\n[b]\n[a]\nk=x\n"},
	} {
		got := edited(t, c.src, func(_ *File, a *Section) {
			o := a.Set("k", c.value)
			if assert.NotNil(t, o, "%q", c.src) {
				assert.Equal(t, c.value, o.Value())
			}
		})
		assert.Equal(t, c.want, got, "%q", c.src)
	}
}

func TestSetAddsAnOptionLikeItsNeighbours(t *testing.T) {
	for src, want := range map[string]string{
		"[a]\n":                                  "[a]\nnew=1\n",
		"[a]":                                    "[a]\nnew=1",
		"[a]\r\n":                                "[a]\r\nnew=1\r\n",
		"[a]\nk = v\n":                           "[a]\nk = v\nnew = 1\n",
		"[a]\nk = v":                             "[a]\nk = v\nnew = 1",
		"[a]\n  k: v ; c\n":                      "[a]\n  k: v ; c\n  new: 1\n",
		"[a]\nlonger   = v\n":                    "[a]\nlonger   = v\nnew      = 1\n",
		"[a]\nk=v\n\n; about b\n[b]\nx=1\n":      "[a]\nk=v\nnew=1\n\n; about b\n[b]\nx=1\n",
		"[a]\nk=v\n;off=1\n\n":                   "[a]\nk=v\nnew=1\n;off=1\n\n",
		"[z]\n\tk = v\n[a]\n[b]\nx=1\n":          "[z]\n\tk = v\n[a]\n\tnew = 1\n[b]\nx=1\n",
		"[a]\n  [b]\nx=1\n":                      "[a]\n  new=1\n  [b]\nx=1\n", // less, and [b] would be part of the value
		"[a]\nenvironment = \n  A=1\n[b]\nk=v\n": "[a]\nenvironment = \n  A=1\nnew = 1\n[b]\nk=v\n",
	} {
		assert.Equal(t, want, edited(t, src, func(_ *File, a *Section) { a.Set("new", "1") }), "%q", src)
	}
}

func TestWhatNoFileCanHoldIsRefused(t *testing.T) {
	for value, why := range map[string]string{
		"a ; b":      "starts a comment",
		"'a #b'":     "starts a comment",
		" a":         "white space at the end",
		"a\u00a0":    "white space at the end",
		"a\n b":      "white space at the end",
		"a\n":        "empty lines",
		"a\n#b":      "is a comment",
		"a\rb":       "carriage return",
		"caf\xe9":    "UTF-8",
		"a\n\n;c\nd": "is a comment",
	} {
		assert.ErrorContains(t, CheckOption("k", value), why, "%q", value)
		got := edited(t, "[a]\nk=v\n", func(_ *File, a *Section) {
			assert.Nil(t, a.Set("k", value))
			assert.Nil(t, a.Set("new", value))
			assert.Error(t, a.Get("k").SetValue(value))
		})
		assert.Equal(t, "[a]\nk=v\n", got)
	}
	for _, key := range []string{"", "a=b", "a:b", " a", "a\nb", ";a", "[a]", "a #b", "\xff"} {
		assert.Error(t, CheckOption(key, "v"), "%q", key)
		assert.Nil(t, parse(t, "[a]\n").Section("a", "").Set(key, "v"))
	}
	for _, value := range []string{"", "#a", ";", "a;b", "x\n\ny", `"`, "%", "a\x00b"} {
		assert.NoError(t, CheckOption("k", value), "%q", value)
	}
}

func TestRemoveKeepsDetachedComment(t *testing.T) {
	src := "[a]\n; detached\n\n; about k\nk=v ; c\n  more\n; about j\nj=w\n\n; tail\n"
	got := edited(t, src, func(_ *File, a *Section) { a.Get("k").Remove() })
	assert.Equal(t, "[a]\n; detached\n\n; about j\nj=w\n\n; tail\n", got)
	got = edited(t, src, func(_ *File, a *Section) { a.Get("j").Remove() })
	assert.Equal(t, "[a]\n; detached\n\n; about k\nk=v ; c\n  more\n\n; tail\n", got)
}

func TestRemoveSection(t *testing.T) {
	src := "; file\n\n; about a\n[a]\nk=v\n\n; about b\n[b]\nx=1\n\n[c]\ny=2\n"
	assert.Equal(t, "; file\n\n; about b\n[b]\nx=1\n\n[c]\ny=2\n", edited(t, src, func(f *File, a *Section) { a.Remove() }))
	assert.Equal(t, "; file\n\n; about a\n[a]\nk=v\n\n[c]\ny=2\n", edited(t, src, func(f *File, _ *Section) { f.Section("b", "").Remove() }))
	assert.Equal(t, "; file\n\n; about a\n[a]\nk=v\n\n; about b\n[b]\nx=1\n", edited(t, src, func(f *File, _ *Section) { f.Section("c", "").Remove() }))
	// Without [b] between them, "  [c]" would be a line of the value of k.
	assert.Equal(t, "[a]\nk=v\n[c]\n", edited(t, "[a]\nk=v\n[b]\n  [c]\n", func(f *File, _ *Section) { f.Section("b", "").Remove() }))
}

func TestRemovedNodesStandNowhere(t *testing.T) {
	f := parse(t, "[a]\nk=v\n")
	a := f.Section("a", "")
	o := a.Get("k")
	o.Remove()
	o.Remove()
	assert.Nil(t, o.Section())
	assert.Nil(t, a.Get("k"))
	a.Remove()
	a.Remove()
	assert.Nil(t, a.File())
	assert.Nil(t, f.Section("a", ""))
	assert.NotNil(t, a.Set("k", "v"))
	assert.Empty(t, f.Bytes())
	assert.True(t, f.Changed())
}

func TestAddSection(t *testing.T) {
	for src, want := range map[string]string{
		"":                        "[program:web]\ncommand=x\n",
		"; just a comment":        "; just a comment\n\n[program:web]\ncommand=x\n",
		"[a]\nk = v":              "[a]\nk = v\n\n[program:web]\ncommand = x\n",
		"[a]\r\nk=v\r\n":          "[a]\r\nk=v\r\n\r\n[program:web]\r\ncommand=x\r\n",
		"[a]\nk=v\n[b]\n":         "[a]\nk=v\n[b]\n[program:web]\ncommand=x\n",
		"[a]\nk=v\n\n[b]\nj=w\n":  "[a]\nk=v\n\n[b]\nj=w\n\n[program:web]\ncommand=x\n",
		"[a]\nk=v\n[b]\n; end\n":  "[a]\nk=v\n[b]\n; end\n\n[program:web]\ncommand=x\n",
		"[a]\nk=v\n\n":            "[a]\nk=v\n\n[program:web]\ncommand=x\n",
		"[program:web]\n[a]\nk=v": "[program:web]\ncommand=x\n[a]\nk=v",
	} {
		got := edited(t, src, func(f *File, _ *Section) {
			s, err := f.AddSection("program", "web")
			require.NoError(t, err)
			s.Set("command", "x")
			assert.Same(t, s, f.Section("program", "web"))
		})
		assert.Equal(t, want, got, "%q", src)
	}
	f := &File{Name: "new.conf"}
	for _, name := range []string{"a\nb", "a ;b", "a\xff"} {
		_, err := f.AddSection("program", name)
		assert.Error(t, err, "%q", name)
	}
	_, err := f.AddSection("", "")
	assert.Error(t, err)
	assert.Empty(t, f.Bytes())
	s, err := f.AddSection("program", "a]b")
	require.NoError(t, err)
	assert.Equal(t, "a]b", s.Name())
	assert.Zero(t, s.Pos())
}

func TestRangingSurvivesEdits(t *testing.T) {
	got := edited(t, "[a]\nk=1\nl=2\nm=3\n", func(_ *File, a *Section) {
		for o := range a.Options() {
			if o.Key() != "l" {
				o.Remove()
				a.Set("n"+o.Key(), o.Value())
			}
		}
	})
	assert.Equal(t, "[a]\nl=2\nnk=1\nnm=3\n", got)
}

func TestCommentsOfEditedNodesHaveNoPlace(t *testing.T) {
	f := parse(t, "; 1\n\n[a]\n; 2\nk=v\n\n; 3\nj=w ; 4\n")
	a := f.Section("a", "")
	a.Get("k").Remove()
	var got []string
	for c := range f.Comments() {
		got = append(got, strings.TrimSpace(c.Text+" "+c.Start.String()))
	}
	assert.Equal(t, []string{"; 1 s.conf:1:1", "; 3 -", "; 4 s.conf:8:5"}, got)

	f = parse(t, "[a]\nk=1\n  ; in\n  2 ; behind\n")
	k := f.Section("a", "").Get("k")
	require.NoError(t, k.SetValue("longer\n2"))
	comments := slices.Collect(k.Comments())
	require.Len(t, comments, 2)
	assert.Zero(t, comments[0].Start, "the text around it has changed")
	assert.Equal(t, "s.conf:4:5", comments[1].Start.String())
}
