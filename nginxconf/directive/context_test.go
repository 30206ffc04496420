package directive

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseContext(t *testing.T) {
	for path, want := range map[string]Context{
		"":                                     Main,
		"events":                               Events,
		"http":                                 HTTP,
		"http server":                          HTTPServer,
		"http server location":                 HTTPLocation,
		"http server location location":        HTTPLocation,
		"http server location limit_except":    HTTPLimitExcept,
		"http server if":                       HTTPServerIf,
		"http server location location if":     HTTPLocationIf,
		"http upstream":                        HTTPUpstream,
		"stream server":                        StreamServer,
		"stream upstream":                      StreamUpstream,
		"mail server":                          MailServer,
		"rtmp server application recorder":     RTMPRecorder,
		"http acme_issuer":                     ACMEIssuer,
		"server":                               0, // not in main
		"http map":                             0, // holds no directives
		"http server location if location":     0,
		"http server location if limit_except": 0,
		"mail server location":                 0,
		"stream server if":                     0,
	} {
		got, ok := ParseContext(strings.Fields(path)...)
		assert.Equal(t, want, got, path)
		assert.Equal(t, want != 0, ok, path)
	}
}

// ParseContext walks as the forms of the table do.
func TestBlocksOpenWhatParseContextSays(t *testing.T) {
	for f := range All().Forms() {
		if f.Opens == 0 {
			continue
		}
		var opened Context
		for _, s := range steps {
			if s.block == f.Name && s.outer&f.Contexts != 0 {
				opened |= s.inner
				assert.Equal(t, s.inner, f.Inside(s.outer&f.Contexts), f.Name)
			}
		}
		assert.Equal(t, f.Opens, opened, "%s of %s", f.Name, f.Module)
	}
	for _, s := range steps {
		found := false
		for _, f := range All().Lookup(s.block) {
			found = found || f.Contexts&s.outer == s.outer && f.Opens&s.inner != 0
		}
		assert.True(t, found, "%s in %s", s.block, s.outer)
	}
}

func TestTexts(t *testing.T) {
	assert.Equal(t, "http/server", HTTPServer.String())
	assert.Equal(t, "http, http/location", (HTTPLocation | HTTP).String())
	assert.Equal(t, "anywhere", Anywhere.String())
	assert.Equal(t, "", Context(0).String())
	assert.Equal(t, "context 24", Context(1<<24).String())
	for c := range Context(len(contextNames)) {
		for _, set := range []Context{1 << c, 1<<c | HTTP, Anywhere, 0, 1<<24 | 1<<c} {
			text, err := set.MarshalText()
			require.NoError(t, err)
			var back Context
			require.NoError(t, back.UnmarshalText(text), "%s", text)
			assert.Equal(t, set, back)
		}
	}
	assert.EqualError(t, new(Context).UnmarshalText([]byte("http/nowhere")), `unknown context "http/nowhere"`)
	assert.Error(t, new(Context).UnmarshalText([]byte("context 2")), "that one has a name")

	for a, want := range map[Args]string{
		0: "none", Take0: "0", Take1: "1", Take1 | Take2: "1 or 2", Take1 | Take2 | Take3: "1, 2 or 3", Take1 | Take3: "1 or 3",
		AtLeast1: "at least 1", AtLeast2: "at least 2", AnyNumber: "any number", Take0 | AtLeast2: "0 or at least 2", Take7: "7", take8: "at least 8",
	} {
		assert.Equal(t, want, a.String())
		text, err := a.MarshalText()
		require.NoError(t, err)
		var back Args
		require.NoError(t, back.UnmarshalText(text), want)
		assert.Equal(t, a, back, want)
	}
	for _, bad := range []string{"", "8", "x", "1 or", "at least 9", "-1"} {
		assert.EqualError(t, new(Args).UnmarshalText([]byte(bad)), `unknown number of arguments "`+bad+`"`)
	}

	for i := range typeNames {
		text, err := Type(i).MarshalText()
		require.NoError(t, err)
		var back Type
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, Type(i), back)
	}
	assert.Equal(t, "access", Access.String(), "the names are in the order of the constants")
	assert.Equal(t, "type 99", Type(99).String())
	assert.EqualError(t, new(Type).UnmarshalText([]byte("int")), `unknown type "int"`)

	var v Version
	require.NoError(t, v.UnmarshalText([]byte("1.22.1")))
	assert.Equal(t, Version{1, 22, 1}, v)
	require.NoError(t, v.UnmarshalText(nil))
	assert.True(t, v.IsZero())
	assert.Equal(t, "", v.String())
	for _, bad := range []string{"1", "1.2", "1.2.3.4", "1.2.x", "1.2.300", "1.02.3", "+1.2.3", "1..3", " 1.2.3"} {
		assert.EqualError(t, v.UnmarshalText([]byte(bad)), `version "`+bad+`" is not three numbers, as in "1.22.1"`)
	}
	assert.Equal(t, -1, Version{1, 9, 15}.Compare(Version{1, 18, 0}))
	assert.True(t, Version{1, 30, 4}.Stable())
}

func TestTakes(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 2, 7, 8, 9, 300, 1 << 40} {
		assert.Equal(t, n >= 1, AtLeast1.Takes(n), n)
		assert.Equal(t, n >= 0, AnyNumber.Takes(n), n)
		assert.Equal(t, n == 1 || n == 2, (Take1 | Take2).Takes(n), n)
	}
}

func TestFormAsJSON(t *testing.T) {
	f := nginx(t, "1.30.0").Lookup("http2")[0]
	got, err := json.Marshal(f)
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"http2","module":"ngx_http_v2_module","contexts":"http, http/server","args":"1","type":"flag","once":true,"since":"1.25.1"}`, string(got))
	var back Form
	require.NoError(t, json.Unmarshal(got, &back))
	assert.Equal(t, f, back)
}
