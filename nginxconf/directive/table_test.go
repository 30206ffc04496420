package directive

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func nginx(t testing.TB, version string) *Table {
	t.Helper()
	table, err := Nginx(version)
	require.NoError(t, err)
	return table
}

// What nginx's list of changes says of one release, and was not so in the one
// before.
func TestReleasesDiffer(t *testing.T) {
	form := func(name, version string, in Context) string {
		for _, f := range nginx(t, version).Lookup(name) {
			if f.Contexts&in != 0 {
				return f.Args.String() + " " + f.Type.String()
			}
		}
		return "unknown"
	}
	for _, tt := range []struct {
		name          string
		in            Context
		before, after string
		was, is       string
	}{
		{"http2", HTTPServer, "1.25.0", "1.25.1", "unknown", "1 flag"},
		{"ssl", HTTPServer, "1.25.0", "1.25.1", "1 flag", "unknown"},
		{"http3", HTTPServer, "1.24.0", "1.25.0", "unknown", "1 flag"},
		{"ssl_reject_handshake", HTTPServer, "1.19.3", "1.19.4", "unknown", "1 flag"},
		{"ssl_reject_handshake", StreamServer, "1.25.4", "1.25.5", "unknown", "1 flag"},
		{"keepalive_time", HTTPUpstream, "1.19.9", "1.19.10", "unknown", "1 time_ms"},
		{"keepalive", HTTPUpstream, "1.29.6", "1.29.7", "1 custom", "1 or 2 custom"},
		{"set", StreamServer, "1.19.2", "1.19.3", "unknown", "2 custom"},
		{"pass", StreamServer, "1.25.4", "1.25.5", "unknown", "1 custom"},
		{"proxy_ssl_certificate", HTTPLocation, "1.20.2", "1.21.0", "1 string", "1 complex"},
		{"proxy_limit_rate", HTTPLocation, "1.26.3", "1.27.0", "1 size", "1 complex_size"},
		{"proxy_cookie_flags", HTTPLocation, "1.19.2", "1.19.3", "unknown", "1, 2, 3 or 4 custom"},
		{"http2_recv_timeout", HTTPServer, "1.19.6", "1.19.7", "1 time_ms", "1 custom"},
		{"spdy_pool_size", HTTPServer, "1.19.6", "1.19.7", "1 custom", "unknown"},
		{"mp4_start_key_frame", HTTPLocation, "1.21.3", "1.21.4", "unknown", "1 flag"},
		{"early_hints", HTTPLocation, "1.28.3", "1.29.0", "unknown", "at least 1 predicate"},
		{"max_headers", HTTPServer, "1.29.7", "1.29.8", "unknown", "1 number"},
		{"proxy_protocol", StreamServer, "1.31.3", "1.31.4", "1 flag", "1 enum"},
		{"tunnel_pass", HTTPLocation, "1.30.4", "1.31.0", "unknown", "0 or 1 custom"},
	} {
		assert.Equal(t, tt.was, form(tt.name, tt.before, tt.in), "%s %s", tt.name, tt.before)
		assert.Equal(t, tt.is, form(tt.name, tt.after, tt.in), "%s %s", tt.name, tt.after)
	}
}

func TestVersionsOfNginx(t *testing.T) {
	for _, tt := range []struct{ version, want string }{
		{"", "1.30.4"}, // the newest stable one
		{"1.22.1", "1.22.1"},
		{"1.31.4", "1.31.4"},
		{"1.22.1-9+deb12u11", "1.22.1"},
		{"1.18.0-6ubuntu14.4", "1.18.0"},
		{"1.24.0-2ubuntu7.3", "1.24.0"},
		{"1:1.20.1-14.el9_2.1", "1.20.1"},
		{"1.26.2-r4", "1.26.2"},
		{"1.27.3-1~bookworm", "1.27.3"},
		{"1.22.7", "1.22.1"}, // never made: the one before
		{"1.99.0", "1.31.4"}, // newer than the table
		{"2.0.0", "1.31.4"},  // likewise
	} {
		assert.Equal(t, tt.want, nginx(t, tt.version).Version().String(), tt.version)
	}
	for _, version := range []string{"1.16.1", "1.17.10-1"} {
		_, err := Nginx(version)
		assert.EqualError(t, err, fmt.Sprintf("nginx version %q is older than 1.18.0, the oldest that is known", version))
	}
	for _, version := range []string{"1.22", "1", "nginx", "1.22.x", "v1.22.1", "1.22.1.1", "-", ":"} {
		_, err := Nginx(version)
		assert.EqualError(t, err, fmt.Sprintf(`nginx version %q is neither a release ("1.22.1") nor that of a package ("1.22.1-9+deb12u11")`, version))
	}
	assert.Same(t, nginx(t, "1.22.1"), nginx(t, "1.22.1-8"), "made once")
	assert.True(t, slices.IsSortedFunc(Releases(), Version.Compare))
	assert.Len(t, Releases(), 69)
}

func TestBackports(t *testing.T) {
	for version, known := range map[string]bool{
		"1.22.1":             false,
		"1.22.1-9":           false,
		"1.22.1-9+deb12u7":   false,
		"1.22.1-9+deb12u8":   true,
		"1.22.1-9+deb12u11":  true,
		"1.22.1-9+deb12u8.1": true,
		"1.24.0-1+deb12u8":   false,
		"1.29.8":             true,
	} {
		assert.Equal(t, known, nginx(t, version).Lookup("max_headers") != nil, version)
	}
	f := nginx(t, "1.22.1-9+deb12u11").Lookup("max_headers")[0]
	assert.Equal(t, "ngx_http_header_count_module", f.Module)
	assert.Equal(t, HTTP|HTTPServer, f.Contexts)
}

// nginx asks its modules in the order of its auto/modules, those that are loaded
// last.
func TestLookupIsInTheOrderOfModules(t *testing.T) {
	var modules []string
	for _, f := range nginx(t, "1.22.1").Lookup("server") {
		modules = append(modules, f.Module)
	}
	assert.Equal(t, []string{
		"ngx_http_core_module", "ngx_http_upstream_module", "ngx_mail_core_module", "ngx_stream_core_module", "ngx_stream_upstream_module",
		"ngx_rtmp_core_module",
	}, modules)
	assert.Nil(t, All().Lookup("serve"))
	assert.Nil(t, All().Lookup("Server"), "case matters")
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := nginx(t, "1.22.1")
	servers, unknown := 0, 0
	n := testing.AllocsPerRun(100, func() {
		servers = len(table.Lookup("server"))
		unknown = len(table.Lookup("server_nam"))
		table.Variable("http_host")
		table.Variable("http_x_forwarded_for_me")
		Nginx("1.22.1")
	})
	assert.Zero(t, n)
	assert.Equal(t, 6, servers)
	assert.Zero(t, unknown)
}

func TestComposedTables(t *testing.T) {
	base := nginx(t, "1.22.1")
	before := slices.Collect(base.Forms())

	own := base.With(Form{Name: "hello", Module: "ngx_http_hello_module", Contexts: HTTPLocation, Args: Take1},
		Form{Name: "listen", Module: "ngx_http_hello_module", Contexts: HTTPLocation, Args: Take0})
	require.Len(t, own.Lookup("hello"), 1)
	listen := own.Lookup("listen")
	assert.Equal(t, "ngx_http_hello_module", listen[len(listen)-1].Module, "what is added comes last")
	assert.Contains(t, slices.Collect(own.Modules()), "ngx_http_hello_module")
	assert.Equal(t, base.Version(), own.Version())
	_, ok := own.Variable("host")
	assert.True(t, ok)

	vars := own.WithVariables(Variable{Name: "hello_", Area: HTTP, Module: "ngx_http_hello_module", Prefix: true}, Variable{Name: "host", Area: HTTP, Changeable: true})
	v, ok := vars.Variable("hello_world")
	assert.True(t, ok)
	assert.Equal(t, "hello_", v.Name)
	v, _ = vars.Variable("host")
	assert.True(t, v.Changeable)
	v, _ = own.Variable("host")
	assert.False(t, v.Changeable)
	assert.NotNil(t, vars.Lookup("hello"))

	assert.Nil(t, own.Without("ngx_http_hello_module").Lookup("hello"))
	assert.NotNil(t, own.Own().Lookup("hello"), "it may come with the nginx that is meant")
	assert.Nil(t, base.Own().Lookup("more_set_headers"))
	assert.NotNil(t, base.Own().Lookup("xslt_stylesheet"), "dynamic, but nginx's own")

	few := base.Only("ngx_stream_core_module", "ngx_http_core_module", "ngx_no_module")
	assert.Equal(t, []string{"ngx_http_core_module", "ngx_stream_core_module"}, slices.Collect(few.Modules()))
	assert.NotNil(t, few.Lookup("server"))
	assert.Nil(t, few.Lookup("gzip"))
	v, ok = few.Variable("remote_addr")
	assert.True(t, ok)
	assert.Equal(t, HTTP|Stream, v.Area)
	_, ok = few.Variable("gzip_ratio")
	assert.False(t, ok)
	v, _ = base.Without("ngx_http_core_module").Variable("remote_addr")
	assert.Equal(t, Stream, v.Area)

	assert.Equal(t, before, slices.Collect(base.Forms()), "base is as it was")
}

func TestBuilt(t *testing.T) {
	table := nginx(t, "1.28.0").Built("configure arguments: --prefix=/etc/nginx --with-http_ssl_module --with-stream=dynamic " +
		"--with-http_xslt_module=dynamic --without-http_scgi_module --with-cc-opt='-O2 -g' --with-pcre=../pcre2")
	for name, known := range map[string]bool{
		"listen": true, "ssl_certificate": true, "proxy_pass": true, "gzip": true, "xslt_stylesheet": true, "pcre_jit": true,
		"preread_timeout": true, "epoll_events": true, "sub_filter": false, "ssl_preread": false, "scgi_pass": false, "http2": false,
		"starttls": false, "thread_pool": false, "kqueue_events": false, "perl": false, "stub_status": false,
		"more_set_headers": true,
	} {
		assert.Equal(t, known, table.Lookup(name) != nil, name)
	}
	assert.Nil(t, nginx(t, "1.28.0").Built("--without-http").Own().Lookup("location"))
}

func TestVariables(t *testing.T) {
	table := nginx(t, "1.22.1")
	for name, want := range map[string]string{
		"host":            "http false",
		"Host":            "http false",
		"HTTP_X":          "http http_",
		"remote_addr":     "http, stream false",
		"protocol":        "stream false",
		"args":            "http true",
		"uri":             "http false",
		"http_x_real_ip":  "http http_",
		"http_host":       "http false", // not of the family: it is a variable of its own
		"arg_page":        "http arg_",
		"cookie_":         "http cookie_",
		"sent_http_x":     "http sent_http_",
		"upstream_http_x": "http upstream_http_",
		"ssl_curve":       "http, stream true",
		"echo_it":         "http true",
		"brotli_ratio":    "http false",
	} {
		v, ok := table.Variable(name)
		require.True(t, ok, name)
		got := fmt.Sprint(v.Area, " ", v.Changeable)
		if v.Prefix {
			got = fmt.Sprint(v.Area, " ", v.Name)
		}
		assert.Equal(t, want, got, name)
	}
	for _, name := range []string{"", "hosts", "request_port", "proxy_add_via", "1"} {
		_, ok := table.Variable(name)
		assert.False(t, ok, name)
	}
	v, ok := table.Variable("http_" + strings.Repeat("x", 300))
	assert.True(t, ok && v.Prefix)
	for v := range All().Variables() {
		assert.LessOrEqual(t, len(v.Name), 64)
		assert.Equal(t, strings.ToLower(v.Name), v.Name)
	}
	v, ok = All().Variable("request_port")
	assert.True(t, ok)
	assert.Equal(t, Version{1, 29, 3}, v.Since)
	_, ok = nginx(t, "1.29.3").Variable("request_port")
	assert.True(t, ok)
}

// What each form says fits together.
func TestFormsAreConsistent(t *testing.T) {
	for f := range All().Forms() {
		name := f.Name + " of " + f.Module
		assert.NotZero(t, f.Contexts, name)
		assert.NotZero(t, f.Args, name)
		assert.True(t, f.Opens == 0 || f.Block, name)
		assert.True(t, f.Last.IsZero() || f.Since.Compare(f.Last) <= 0, name)
		assert.False(t, f.Addon && (!f.Since.IsZero() || !f.Last.IsZero()), name)
		switch f.Type {
		case Enum, Bitmask:
			// Those of methods and headers are longer than they are useful, and the
			// input leaves them out.
			assert.True(t, len(f.Values) > 0 || f.Type == Bitmask, name)
			assert.True(t, f.Args.Takes(1), name)
		case Flag, String, Size, Number, TimeMS, TimeS, Offset, Complex, ComplexSize:
			if f.Name != "subs_line_buffer_size" { // its module asks for two, and reads one
				assert.True(t, f.Args.Takes(1), name)
			}
		case KeyVal, Buffers:
			assert.Equal(t, Take2, f.Args, name)
		}
		for _, outer := range f.Contexts.Names() {
			var c Context
			require.NoError(t, c.UnmarshalText([]byte(outer)))
			if in := f.Inside(c); in != 0 {
				assert.Equal(t, in, in&-in, "%s opens one context in %s", name, outer)
			}
		}
	}
	seen := make(map[string]bool)
	for _, v := range Releases() {
		for f := range nginx(t, v.String()).Forms() {
			key := v.String() + f.Module + f.Name + f.Contexts.String()
			assert.False(t, seen[key], "two forms of %s in %s", f.Name, v)
			seen[key] = true
		}
	}
}

// A program that uses the table is at most 300 kB larger than one that does
// not.
func TestCostOfTheTable(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	dir := t.TempDir()
	size := func(name, src string) int64 {
		main, out := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(main, []byte(src), 0o666))
		said, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, main).CombinedOutput()
		require.NoError(t, err, "%s", said)
		info, err := os.Stat(out)
		require.NoError(t, err)
		return info.Size()
	}
	// Both have what most programs have anyway.
	without := size("without", "package main\nimport (\"fmt\"; \"slices\"; \"strings\"; \"sync\")\n"+
		"var f = sync.OnceValue(func() string { s := strings.Split(\"b a\", \" \"); slices.Sort(s); return fmt.Sprint(s) })\nfunc main() { fmt.Println(f()) }\n")
	with := size("with", "package main\nimport (\"fmt\"; \"github.com/onehost-go/onehost/nginxconf/directive\")\n"+
		"func main() { t, err := directive.Nginx(\"1.22.1\"); fmt.Println(t.Lookup(\"listen\"), err); v, _ := t.Variable(\"host\"); fmt.Println(v); "+
		"d, _ := t.Describe(\"gzip\", directive.HTTP); fmt.Println(d, t.Near(\"x\"), t.Complete(directive.HTTP, \"\"), directive.Replacements(\"ssl\")) }\n")
	t.Logf("the table costs %d kB", (with-without)/1000)
	assert.Less(t, with-without, int64(300_000))
}

func BenchmarkLookup(b *testing.B) {
	table := nginx(b, "1.22.1")
	for b.Loop() {
		table.Lookup("proxy_set_header")
	}
}

func BenchmarkRelease(b *testing.B) { // what the first question costs
	k := load()
	for b.Loop() {
		k.all.release(Version{1, 22, 1})
	}
}

func BenchmarkNear(b *testing.B) {
	table := nginx(b, "1.22.1")
	for b.Loop() {
		table.Near("proxy_set_headr")
	}
}
