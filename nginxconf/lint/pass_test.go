package lint_test

import (
	"go/token"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

// pass calls do with a Pass over c and returns what it reported.
func pass(t *testing.T, c *nginxconf.Config, do func(*lint.Pass)) nginxconf.Diagnostics {
	t.Helper()
	found, err := lint.Run(c, &lint.Check{Name: "test", Run: func(p *lint.Pass) error { do(p); return nil }})
	require.NoError(t, err)
	return found
}

func args(ds []*nginxconf.Directive) []string {
	var list []string
	for _, d := range ds {
		list = append(list, d.Name()+" "+d.Arg(0))
	}
	return list
}

func TestEffectiveIsTheWholeListOfTheNearestBlock(t *testing.T) {
	c := load(t,
		"nginx.conf", `http {
			allow 10.0.0.1;
			index a;
			server {
				mark server;
				include deny.conf;
				allow 10.0.0.2;
				include deny.conf;
				location / { mark inherits; if ($x) { mark if; } }
				location /own { mark own; allow 10.0.0.3; index b; }
			}
			server { mark outer; }
		}`,
		"deny.conf", "deny 10.0.0.9;\n")
	type at struct {
		rules []string
		block string
	}
	got := map[string]at{}
	indexes := map[string][]string{}
	pass(t, c, func(p *lint.Pass) {
		for d, ctx := range p.All("mark") {
			for range 2 { // the second answer is remembered
				rules, in := p.Effective(ctx, "allow", "deny")
				got[d.Arg(0)] = at{args(rules), in[len(in)-1].String()[:8]}
				index, _ := p.Effective(ctx, "index")
				indexes[d.Arg(0)] = args(index)
			}
			none, in := p.Effective(ctx, "satisfy")
			assert.Empty(t, none)
			assert.Nil(t, in)
		}
	})
	server := at{[]string{"deny 10.0.0.9", "allow 10.0.0.2", "deny 10.0.0.9"}, "server {"}
	assert.Equal(t, map[string]at{
		"server": server, "inherits": server, "if": server,
		"own":   {[]string{"allow 10.0.0.3"}, "location"},
		"outer": {[]string{"allow 10.0.0.1"}, "http {\n\t"},
	}, got)
	assert.Equal(t, map[string][]string{
		"server": {"index a"}, "inherits": {"index a"}, "if": {"index a"}, "own": {"index b"}, "outer": {"index a"},
	}, indexes)
}

func TestWhole(t *testing.T) {
	for text, want := range map[string]bool{
		"":                           false,
		"server { listen 80; }":      false,
		"server { http { } }":        false,
		"user www;":                  false,
		"events {}":                  true,
		"http { server { } }":        true,
		"include included.conf;":     true,
		"stream { server { } } a b;": false,
	} {
		pass(t, load(t, "x.conf", text, "included.conf", "events { }"), func(p *lint.Pass) {
			assert.Equal(t, want, p.Whole(), text)
		})
	}
}

func TestAllComesTwiceToWhatIsIncludedTwice(t *testing.T) {
	c := load(t, "nginx.conf", "server { include a.conf; }\nlocation { include a.conf; }", "a.conf", "a { b; }\nc;\n")
	var got, every []string
	pass(t, c, func(p *lint.Pass) {
		for d, ctx := range p.All("b", "c") {
			s := d.Name()
			for _, block := range ctx {
				s += " in " + block.Name()
			}
			got = append(got, s)
		}
		for d := range p.All() {
			every = append(every, d.Name())
		}
		for range p.All("b") { // and one may leave
			break
		}
	})
	assert.Equal(t, []string{"b in server in a", "c in server", "b in location in a", "c in location"}, got)
	assert.Equal(t, []string{"server", "include", "a", "b", "c", "location", "include", "a", "b", "c"}, every)
}

func TestReportSpansNameToLastArgument(t *testing.T) {
	c := load(t, "x.conf", "a;\n  server\n    one\n    two {\n b; }\n")
	found := pass(t, c, func(p *lint.Pass) {
		p.Report(nil, nil, "nothing listens")
		for d := range p.All("a", "server") {
			p.Report(d, nil, "100%% of %s", d.Name())
		}
	})
	require.Len(t, found, 3)
	assert.Equal(t, []string{"x.conf: nothing listens [test]", "x.conf:1:1: 100% of a [test]", "x.conf:2:3: 100% of server [test]"}, lines(found))
	assert.Equal(t, token.Position{Filename: "x.conf", Offset: 1, Line: 1, Column: 2}, found[1].End)
	assert.Equal(t, token.Position{Filename: "x.conf", Offset: 27, Line: 4, Column: 8}, found[2].End)
}

// What an edit wrote has no place: the finding names its file, without a fix.
func TestReportOfEditedDirective(t *testing.T) {
	c := load(t, "x.conf", "\nold a;\nlist b;\n")
	c.Root.At(1).SetArgs("b", "c")
	c.Root.Append(nginxconf.New("made", "d"))
	found := pass(t, c, func(p *lint.Pass) {
		for d := range p.All() {
			assert.Nil(t, p.InsertAfter(d, "more;"))
			assert.Nil(t, p.ReplaceArg(d, 0, "x"))
			p.Report(d, &nginxconf.Fix{Message: "try", Edits: p.InsertAfter(d, "more;")}, "%s", d.Name())
		}
	})
	assert.Equal(t, []string{"x.conf: made [test]", "x.conf:2:1: old [test]", "x.conf:3:1: list [test]"}, lines(found))
	for _, d := range found {
		assert.Empty(t, d.Fixes)
	}
}
