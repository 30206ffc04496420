package house

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/onehost-go/onehost"

// arrows says which rooms of the house each room may import. It is DESIGN.md's
// list, and the only other place where it stands.
var arrows = map[string][]string{
	"nginxconf":      nil,
	"supervisorconf": nil,
	"portmap":        nil,
	"acl":            nil,
	"procmgr":        nil,

	"nginxconf/directive":     nil,
	"nginxconf/value":         nil,
	"nginxconf/validate":      {"nginxconf/directive", "nginxconf/value", "nginxconf"},
	"nginxconf/lint":          {"nginxconf/directive", "nginxconf/value", "nginxconf"},
	"nginxconf/lint/linttest": {"nginxconf/lint", "nginxconf"},
	"nginxconf/route":         {"nginxconf/value", "nginxconf"},
	"nginxconf/crossplane":    {"nginxconf"},

	"supervisorconf/lint":          {"supervisorconf"},
	"supervisorconf/lint/linttest": {"supervisorconf/lint", "supervisorconf"},
	"supervisorconf/inibridge":     {"supervisorconf"},

	"acl/nginxacl": {"acl", "nginxconf", "nginxconf/route", "nginxconf/lint"},

	"portmap/generate": {"portmap", "nginxconf", "supervisorconf"},
	"portmap/discover": {"portmap", "nginxconf", "nginxconf/route", "supervisorconf", "acl/nginxacl", "procmgr/rpc"},
	"portmap/audit":    {"portmap", "nginxconf", "nginxconf/route", "supervisorconf", "acl/nginxacl", "procmgr/rpc"},

	"procmgr/rpc":         {"procmgr"},
	"procmgr/web":         {"procmgr"},
	"procmgr/supervisord": {"procmgr", "procmgr/rpc", "supervisorconf"},
	"procmgr/nginx":       {"nginxconf", "nginxconf/validate"},
}

// testArrows says what the tests of a room may import besides.
var testArrows = map[string][]string{
	"nginxconf/value":     {"nginxconf"}, // its arguments come from somewhere
	"nginxconf/lint":      {"nginxconf/lint/linttest"},
	"supervisorconf/lint": {"supervisorconf/lint/linttest"},
	"acl/nginxacl":        {"nginxconf/lint/linttest", "nginxconf/validate"}, // what nginx refuses, in its words
}

// modules are the direct requirements of the root module.
var modules = []string{"golang.org/x/net", "gopkg.in/ini.v1", testify}

const testify = "github.com/stretchr/testify" // for tests

// A graph holds the packages of the module by their path below it. The
// standard library is left out of it; other modules have a dot in the first
// element of their path, packages of this one have none.
type graph map[string]imports

type imports struct{ code, tests []string }

func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// below splits a path at its internal element: a package below
// nginxconf/internal belongs to nginxconf, one below the top-level internal
// belongs to "".
func below(path string) (owner string, internal bool) {
	before, _, found := strings.Cut("/"+path+"/", "/internal/")
	return strings.Trim(before, "/"), found
}

// violations says where the graph breaks the law. An import goes through
// packages below an internal directory: what those import counts as imported
// by their importer, or they would be a way around.
func violations(g graph) []string {
	var found []string
	report := func(from, kind, to, via, why string) {
		if why == "" {
			return
		}
		if via != "" {
			via = " through " + via
		}
		found = append(found, from+kind+" imports "+to+via+": "+why)
	}
	for from, i := range g {
		owner, internal := below(from)
		_, room := arrows[from]
		if from == "." || !internal && !room && !inside(from, "examples") {
			found = append(found, from+" is no room that the design names")
			continue
		}
		if internal && owner != "" {
			if _, ok := arrows[owner]; !ok && !inside(owner, "examples") {
				found = append(found, from+" belongs to no room that the design names")
				continue
			}
		}
		for to, via := range reached(g, i.code) {
			report(from, "", to, via, judge(from, to, false))
		}
		for to, via := range reached(g, i.tests) {
			report(from, " (test)", to, via, judge(from, to, true))
		}
	}
	slices.Sort(found)
	return found
}

// reached returns the direct imports and those that internal packages among
// them bring along, each with the internal package that brings it.
func reached(g graph, direct []string) map[string]string {
	via := make(map[string]string)
	queue := slices.Clone(direct)
	for _, to := range direct {
		via[to] = ""
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if _, internal := below(next); !internal {
			continue
		}
		for _, to := range g[next].code {
			if _, seen := via[to]; !seen {
				via[to] = next
				queue = append(queue, to)
			}
		}
	}
	return via
}

// judge says why from may not import to, "" if it may.
func judge(from, to string, test bool) string {
	owner, internal := below(from)
	if thirdParty(to) {
		known := func(m string) bool { return inside(to, m) }
		switch {
		case !slices.ContainsFunc(modules, known):
			return "not a direct requirement"
		case inside(to, testify) && !test && !internal:
			return "that is for tests"
		}
		return ""
	}
	if toOwner, ok := below(to); ok {
		if toOwner == "" && !test && !internal {
			return "the top-level internal is for generators and tests"
		}
		return "" // the Go command keeps other rooms out
	}
	room := from
	if internal {
		room = owner
	}
	switch {
	case to == room: // an external test, or a helper of the room's tests
		return ""
	case inside(to, "examples") && !inside(from, "examples"):
		return "examples are programs"
	case room == "", inside(room, "examples"):
		return "" // generators, test helpers and examples may join what they like
	case slices.Contains(arrows[room], to), test && slices.Contains(testArrows[room], to):
		return ""
	case !strings.Contains(room, "/"):
		return "the five packages know nothing of each other, nor of the packages below them"
	}
	return "no arrow of the design leads there"
}

func inside(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func TestViolations(t *testing.T) {
	for name, tt := range map[string]struct {
		graph graph
		want  []string
	}{
		"lawful": {graph: graph{
			"nginxconf":               {code: []string{"nginxconf/internal/scan"}, tests: []string{"nginxconf", testify + "/assert", "internal/upstream"}},
			"nginxconf/internal/scan": {tests: []string{"nginxconf"}},
			"nginxconf/lint":          {code: []string{"nginxconf", "nginxconf/value"}, tests: []string{"nginxconf/lint", "nginxconf/lint/linttest"}},
			"portmap":                 {code: []string{"golang.org/x/net/idna", "gopkg.in/ini.v1"}},
			"portmap/generate":        {code: []string{"portmap", "nginxconf", "supervisorconf"}},
			"examples":                {tests: []string{"nginxconf", "portmap"}},
			"examples/quickstart":     {code: []string{"portmap/generate", "procmgr", "examples/quickstart/internal/door"}},
			"internal/house":          {tests: []string{testify + "/assert"}},
			"internal/upstream":       {code: []string{"nginxconf", testify + "/require"}, tests: []string{"acl"}},
		}},
		"one of the five imports another": {
			graph: graph{"supervisorconf": {code: []string{"nginxconf"}}},
			want:  []string{"supervisorconf imports nginxconf: the five packages know nothing of each other, nor of the packages below them"},
		},
		"its test does": {
			graph: graph{"acl": {tests: []string{"nginxconf"}}},
			want:  []string{"acl (test) imports nginxconf: the five packages know nothing of each other, nor of the packages below them"},
		},
		"one of the five imports a package below itself": {
			graph: graph{"nginxconf": {code: []string{"nginxconf/value"}}},
			want:  []string{"nginxconf imports nginxconf/value: the five packages know nothing of each other, nor of the packages below them"},
		},
		"an internal package is no way around": {
			graph: graph{
				"nginxconf":            {code: []string{"nginxconf/internal/a"}},
				"nginxconf/internal/a": {code: []string{"nginxconf/internal/b"}},
				"nginxconf/internal/b": {code: []string{"acl"}},
			},
			want: []string{
				"nginxconf imports acl through nginxconf/internal/b: the five packages know nothing of each other, nor of the packages below them",
				"nginxconf/internal/a imports acl through nginxconf/internal/b: the five packages know nothing of each other, nor of the packages below them",
				"nginxconf/internal/b imports acl: the five packages know nothing of each other, nor of the packages below them",
			},
		},
		"nor back to the room above": {
			graph: graph{
				"nginxconf/value":      {code: []string{"nginxconf/internal/a"}},
				"nginxconf/internal/a": {code: []string{"nginxconf"}},
			},
			want: []string{"nginxconf/value imports nginxconf through nginxconf/internal/a: no arrow of the design leads there"},
		},
		"nor is a test helper": {
			graph: graph{
				"portmap":           {tests: []string{"internal/upstream"}},
				"internal/upstream": {code: []string{"nginxconf"}},
			},
			want: []string{"portmap (test) imports nginxconf through internal/upstream: the five packages know nothing of each other, nor of the packages below them"},
		},
		"code imports a test helper": {
			graph: graph{"acl": {code: []string{"internal/upstream"}}},
			want:  []string{"acl imports internal/upstream: the top-level internal is for generators and tests"},
		},
		"an example does": {
			graph: graph{"examples/quickstart": {code: []string{"internal/upstream"}}},
			want:  []string{"examples/quickstart imports internal/upstream: the top-level internal is for generators and tests"},
		},
		"a bridge imports another bridge": {
			graph: graph{"nginxconf/route": {code: []string{"nginxconf/validate"}}},
			want:  []string{"nginxconf/route imports nginxconf/validate: no arrow of the design leads there"},
		},
		"linttest is for tests": {
			graph: graph{"acl/nginxacl": {code: []string{"nginxconf/lint/linttest"}}},
			want:  []string{"acl/nginxacl imports nginxconf/lint/linttest: no arrow of the design leads there"},
		},
		"an example is imported": {
			graph: graph{"procmgr": {tests: []string{"examples/quickstart"}}},
			want:  []string{"procmgr (test) imports examples/quickstart: examples are programs"},
		},
		"a module that go.mod does not require": {
			graph: graph{
				"acl":                 {code: []string{"github.com/gaissmai/bart"}},
				"examples/quickstart": {code: []string{"golang.org/x/term"}},
				"portmap":             {code: []string{"golang.org/x/networking"}},
			},
			want: []string{
				"acl imports github.com/gaissmai/bart: not a direct requirement",
				"examples/quickstart imports golang.org/x/term: not a direct requirement",
				"portmap imports golang.org/x/networking: not a direct requirement",
			},
		},
		"testify outside of tests": {
			graph: graph{"nginxconf/lint/linttest": {code: []string{testify + "/assert"}}},
			want:  []string{"nginxconf/lint/linttest imports " + testify + "/assert: that is for tests"},
		},
		"a room that nobody designed": {
			graph: graph{".": {}, "nginxconf/util": {}, "pkg/internal/a": {}},
			want: []string{
				". is no room that the design names",
				"nginxconf/util is no room that the design names",
				"pkg/internal/a belongs to no room that the design names",
			},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, violations(tt.graph)) })
	}
}

func TestArrowsLeadToRooms(t *testing.T) {
	for _, table := range []map[string][]string{arrows, testArrows} {
		for from, tos := range table {
			assert.Contains(t, arrows, from)
			for _, to := range tos {
				assert.Contains(t, arrows, to)
			}
		}
	}
}

func TestImportLaw(t *testing.T) {
	files(t) // go test sees only what this process opens, not what go list does
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			g := list(t, goos)
			require.Contains(t, g, "internal/house")
			assert.Empty(t, violations(g))
		})
	}
}

// list asks the Go command for the graph. With -deps it also names packages
// that ./... passes over, such as one below testdata; with -e it still lists a
// package that has no file for goos.
func list(t *testing.T, goos string) graph {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	g := make(graph)
	for dec := json.NewDecoder(out); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if inside(p.ImportPath, module) {
			g[local(p.ImportPath)] = imports{ours(p.Imports), ours(slices.Concat(p.TestImports, p.XTestImports))}
		}
	}
	require.NoError(t, cmd.Wait(), stderr.String())
	return g
}

// local returns the path below the module, "." for its root.
func local(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// ours leaves the standard library out.
func ours(paths []string) []string {
	set := make(map[string]bool)
	for _, p := range paths {
		if thirdParty(p) {
			set[local(p)] = true
		}
	}
	return slices.Collect(maps.Keys(set))
}
