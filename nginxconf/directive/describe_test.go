package directive

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestComplete(t *testing.T) {
	table := nginx(t, "1.22.1").Own()
	assert.Equal(t, []string{"proxy_pass", "proxy_pass_header", "proxy_pass_request_body", "proxy_pass_request_headers"},
		table.Complete(HTTPLocation, "proxy_pass"))
	assert.Equal(t, []string{"proxy_pass"}, table.Complete(HTTPLocationIf, "proxy_pass"))
	assert.Equal(t, []string{"events", "http", "include", "mail", "stream"},
		slices.DeleteFunc(table.Complete(Main, ""), func(s string) bool {
			return !slices.Contains([]string{"events", "http", "include", "mail", "stream", "server"}, s)
		}))
	assert.Equal(t, []string{"server"}, table.Complete(HTTPUpstream, "serv"))
	assert.Empty(t, table.Complete(HTTP, "zzz"))
	assert.Empty(t, table.Complete(0, ""))
	assert.Contains(t, table.Complete(Anywhere, "in"), "include")
	assert.True(t, slices.IsSorted(table.Complete(HTTP, "")))
}

func TestDescribe(t *testing.T) {
	table := nginx(t, "")
	d, ok := table.Describe("keepalive_timeout", HTTPUpstream)
	assert.True(t, ok)
	assert.Equal(t, "60s", d.Default)
	assert.Equal(t, "ngx_http_upstream_keepalive_module", d.Forms[0].Module)

	d, ok = table.Describe("keepalive_timeout", HTTPServer)
	assert.True(t, ok)
	assert.Equal(t, "75s", d.Default)
	assert.Contains(t, d.Text, "client")

	d, ok = table.Describe("server", Anywhere)
	assert.True(t, ok)
	assert.Len(t, d.Forms, 6)

	d, ok = table.Describe("xslt_last_modified", Anywhere)
	assert.True(t, ok)
	assert.Empty(t, d.Text, "not one of those that are described")

	_, ok = table.Describe("server", HTTPLocation)
	assert.False(t, ok, "not allowed there")
	_, ok = table.Describe("serve", Anywhere)
	assert.False(t, ok)
}

func TestDocsAreWellKept(t *testing.T) {
	assert.True(t, slices.IsSortedFunc(docs[:], func(a, b docRow) int { return strings.Compare(a.name, b.name) }))
	names := make(map[string]bool)
	for i, d := range docs {
		names[d.name] = true
		forms := slices.DeleteFunc(slices.Clone(All().Lookup(d.name)), func(f Form) bool { return d.in != 0 && f.Contexts&d.in == 0 })
		assert.NotEmpty(t, forms, "%s in %s is unknown", d.name, d.in)
		assert.True(t, strings.HasSuffix(d.text, "."), "%s: a text is a sentence", d.name)
		assert.Less(t, len(d.text), 120, "%s: one line", d.name)
		if d.def != "" && d.def != `""` {
			n := len(strings.Fields(d.def))
			assert.True(t, slices.ContainsFunc(forms, func(f Form) bool { return f.Args.Takes(n) }), "%s %s", d.name, d.def)
			for _, f := range forms {
				if f.Type == Enum && f.Last.IsZero() {
					assert.Contains(t, f.Values, d.def, d.name)
				}
			}
		}
		if i > 0 && docs[i-1].name == d.name {
			assert.NotZero(t, docs[i-1].in, "%s: the general one comes last", d.name)
		}
	}
	assert.GreaterOrEqual(t, len(names), 150)
}

func TestNear(t *testing.T) {
	table := nginx(t, "1.22.1")
	for name, want := range map[string]string{
		"proxy_set_headr":   "proxy_set_header",
		"proxy_set_headers": "proxy_set_header",
		"server-name":       "server_name",
		"Server_Name":       "server_name",
		"lsiten":            "listen",
		"lisen":             "listen",
		"locaton":           "location",
		"ssl_certficate":    "ssl_certificate",
		"add_headers":       "add_header",
		"worker_process":    "worker_processes",
		"rewrit":            "rewrite",
		"servername":        "server_name",
		"retrun":            "return",
		"upstreams":         "upstream",
		"client_max_body":   "client_max_body_size",
		"more_set_header":   "more_set_headers",
		"iff":               "if",
	} {
		near := table.Near(name)
		if assert.NotEmpty(t, near, name) {
			assert.Equal(t, want, near[0], "%s: %v", name, near)
		}
		assert.LessOrEqual(t, len(near), 3)
	}
	for _, name := range []string{"", "listen", "qwertyuiop", "x", "}", strings.Repeat("proxy_", 1000), "\xff\xfe"} {
		assert.Empty(t, table.Near(name), name)
	}
}

func TestReplacements(t *testing.T) {
	ssl := Replacements("ssl")
	if assert.Len(t, ssl, 1) {
		assert.Equal(t, "listen … ssl;", ssl[0].Instead)
		assert.Equal(t, Version{1, 25, 1}, ssl[0].Gone)
		assert.Nil(t, nginx(t, ssl[0].Gone.String()).Own().Lookup("ssl"))
	}
	h2 := Replacements("listen")
	if assert.Len(t, h2, 1) {
		assert.Equal(t, "http2", h2[0].Parameter)
		assert.False(t, h2[0].Due(Version{1, 25, 0}), "there is nothing else to write yet")
		assert.True(t, h2[0].Due(Version{1, 25, 1}))
		assert.True(t, h2[0].Due(Version{}))
	}
	assert.Nil(t, Replacements("server_name"))

	// What is gone is gone in the table, and what to write instead is known.
	for _, r := range replacements {
		for _, f := range All().Lookup(r.Name) {
			if r.Parameter == "" && !r.Gone.IsZero() {
				assert.Positive(t, r.Gone.Compare(f.Last), r.Name)
				assert.False(t, f.In(r.Gone), r.Name)
			}
		}
		if r.Instead == "" {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(r.Instead, ";"), " ")
		forms := All().Lookup(name)
		assert.True(t, slices.ContainsFunc(forms, func(f Form) bool {
			return f.Contexts&r.Contexts != 0 && f.Last.IsZero() && f.Since.Compare(r.Since) <= 0
		}),
			"%s: %s is not there", r.Name, r.Instead)
	}
}
