package portmap

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// users returns the two tables of the first users, faults included.
func users(t testing.TB) *Document {
	t.Helper()
	src, err := os.ReadFile("testdata/services.md")
	require.NoError(t, err)
	d, err := ParseMarkdown("services.md", src)
	require.NoError(t, err)
	return d
}

func lines(ds Diagnostics) []string {
	s := make([]string, len(ds))
	for i, d := range ds {
		s[i] = strings.ToLower(d.Level.String()) + " " + d.Error()
	}
	return s
}

func codes(ds Diagnostics) []string {
	s := make([]string, len(ds))
	for i, d := range ds {
		s[i] = d.Code
	}
	return s
}

func TestUsersTableHasTwoFaultsAndOneCure(t *testing.T) {
	d := users(t)
	found := d.Map().Check(nil)
	assert.Equal(t, []string{
		`warn services.md:23:48: port 7073 of nipt-stage breaks the convention "stage = production − 1010" (in 5 of 6 services): nipt has 8082, so it should be 7072 [stage-offset-broken]`,
		`error services.md:24:48: port 7073 is listed twice: scout-stage here, and nipt-stage (services.md:23:48) [port-listed-twice]`,
	}, lines(found))

	// Either way it is the row that breaks the convention which moves.
	for _, f := range found {
		require.Len(t, f.Fixes, 1)
		assert.Equal(t, "set the port of nipt-stage to 7072", f.Fixes[0].Message)
		mended := users(t)
		require.NoError(t, mended.Apply(f.Fixes[0]))
		assert.Equal(t, strings.Replace(string(d.Bytes()), "nipt-stage            | 7073", "nipt-stage            | 7072", 1), string(mended.Bytes()))
		assert.Empty(t, mended.Check(nil))
	}
}

// service is a row in short: "Name sub[.domain] port [bind]".
func service(environment, row string) Service {
	f := strings.Fields(row)
	s := Service{Name: f[0], Subdomain: f[1], Environment: environment}
	s.Subdomain, s.Domain, _ = strings.Cut(f[1], ".")
	if p, err := ParsePort(f[2]); err == nil {
		s.Port = p
	} else {
		s.Socket = strings.Trim(f[2], "-")
	}
	if len(f) > 3 {
		s.Bind = f[3]
	}
	return s
}

func mapOf(production, stage string) *Map {
	m := &Map{}
	for _, e := range []struct{ env, rows string }{{Production, production}, {Stage, stage}} {
		for row := range strings.SplitSeq(e.rows, ",") {
			if strings.TrimSpace(row) != "" {
				m.Services = append(m.Services, service(e.env, row))
			}
		}
	}
	return m
}

func TestCheckFindsWhatContradicts(t *testing.T) {
	for _, c := range []struct {
		what              string
		production, stage string
		want              []string // code: part of the message
	}{
		{"nothing", "a a 8080, b b 8081", "a a-stage 7070", nil},
		{"a port twice in one environment", "a a 8080, b b 8080", "", []string{"port-listed-twice: port 8080 is listed twice: b here, and a"}},
		{"a port in both environments", "a a 8080", "a a-stage 8080", []string{"port-listed-twice: a-stage here, and a"}},
		{"three on one port", "a a 8080, b b 8080, c c 8080", "", []string{"port-listed-twice: b here, and a", "port-listed-twice: c here, and a"}},
		{"one program under two names", "a a 8080, a a-old 8080", "", nil},
		{"a stranger beside two names", "a a 8080, a a-old 8080, b b 8080", "", []string{"port-listed-twice: b here, and a"}},
		{"two loopback addresses", "a a 8080 127.0.0.1, b b 8080 127.0.0.2", "", nil},
		{"both families", "a a 8080 127.0.0.1, b b 8080 ::1", "", nil},
		{"a wildcard and an address", "a a 8080 127.0.0.1, b b 8080 0.0.0.0", "", []string{"port-listed-twice: b here, and a"}},
		{"an address nobody said", "a a 8080 127.0.0.1, b b 8080", "", []string{"port-listed-twice: b here, and a"}},
		{"a bind with a port", "a a 8080 127.0.0.1:8080", "", []string{`bind-invalid: bind "127.0.0.1:8080" is no address`}},
		{"a subdomain twice", "a x 8080, b X 8081", "", []string{"subdomain-listed-twice: subdomain X is listed twice"}},
		{"a subdomain in both environments", "a x 8080", "a x 7070", []string{"subdomain-listed-twice: subdomain x"}},
		{"one subdomain in two domains", "a x.example.se 8080", "a x.example.org 7070", nil},
		{"one name, two spellings of the script", "a bücher 8080, b xn--bcher-kva 8081", "", []string{"subdomain-listed-twice: subdomain xn--bcher-kva"}},
		{"no host names", "a a_b 8080, b c.-d 8081", "", []string{`subdomain-invalid: subdomain "a_b" is no host name`, `domain-invalid: domain "-d" is no host name`}},
		{"a name in two cases", "Scout scout 8080, scout scout-two 8081", "", []string{`service-listed-twice: "scout" and "Scout" (another place) differ by case only`}},
		{"a name in two cases, in two environments", "Scout scout 8080", "scout scout-stage 7070", nil},
		{"a service twice", "a a 8080, a b 8081", "", []string{`service-listed-twice: "a" is listed twice in one environment, with different ports`}},
		{"a socket twice", "a a /run/a.sock, b b /run/a.sock, c c /run/c.sock", "", []string{"socket-listed-twice: socket /run/a.sock is listed twice: b here, and a"}},
		{"neither port nor socket", "a a -", "", []string{"port-missing: a has no port"}},
		{"ports of others", "a a 80, b b 1023, c c 1024, d d 5432, e e 9001, f f 32767, g g 32768, h h 60999, i i 61000", "", []string{
			"port-unsuited: port 80 of a is privileged: below 1024 a program needs root", "port-unsuited: 1023",
			"port-unsuited: port 5432 of d is usually that of PostgreSQL", "port-unsuited: port 9001 of e is usually that of Supervisor",
			"port-unsuited: port 32768 of g lies in the ephemeral range 32768–60999", "port-unsuited: 60999",
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			found := mapOf(c.production, c.stage).Check(nil)
			got := slices.Clone(c.want)
			if !assert.Len(t, found, len(c.want), "%s", found) {
				return
			}
			for i, d := range found {
				code, message, _ := strings.Cut(got[i], ": ")
				assert.Equal(t, code, d.Code)
				assert.Contains(t, d.Message, message)
				assert.Empty(t, d.Fixes, "there is no text to mend")
				wantLevel := slog.LevelError
				if slices.Contains([]string{"service-listed-twice", "port-unsuited"}, code) {
					wantLevel = slog.LevelWarn
				}
				assert.Equal(t, wantLevel, d.Level)
			}
		})
	}
}

func TestCheckHoldsTheHouseToItsOwnRules(t *testing.T) {
	m := mapOf("a a 8080, b b 9090, c c 443", "a a-stage 7070, b b-stage 7080")
	o := &CheckOptions{
		Offset:   -1010,
		Reserved: []Port{8080},
		Ranges:   map[string]Range{"prod": {8000, 8999}, "stage": {7000, 7079}},
		Allow:    []Port{443},
	}
	assert.Equal(t, []string{
		"error port 8080 of a is reserved [port-reserved]",
		"error port 9090 of b is outside the ports of production, 8000–8999 [port-out-of-range]",
		"error port 443 of c is outside the ports of production, 8000–8999 [port-out-of-range]",
		"error port 7080 of b-stage is outside the ports of stage, 7000–7079 [port-out-of-range]",
		`warn port 7080 of b-stage breaks the convention "stage = production − 1010" (as stated): b has 9090, so it should be 8080, which a has [stage-offset-broken]`,
	}, lines(m.Check(o)))
	assert.Equal(t, map[string]Range{"prod": {8000, 8999}, "stage": {7000, 7079}}, o.Ranges, "options are not written to")

	assert.Equal(t, []string{"port-unsuited"}, codes(mapOf("a a 50000", "").Check(nil)))
	assert.Empty(t, mapOf("a a 50000", "").Check(&CheckOptions{Ephemeral: Range{49152, 49999}}))
	assert.Equal(t, []string{"port-unsuited"}, codes(mapOf("a a 49152", "").Check(&CheckOptions{Ephemeral: Range{49152, 49999}})))
}

func TestConventionNeedsThreeQuartersOfFour(t *testing.T) {
	for _, c := range []struct {
		production, stage string
		want              string // empty: none
	}{
		{"a a 8080, b b 8081, c c 8082, d d 8083", "a a-stage 7070, b b-stage 7071, c c-stage 7072, d d-stage 7073", "stage = production − 1010 in 4 of 4 services"},
		{"a a 8080, b b 8081, c c 8082, d d 8083", "a a-stage 7070, b b-stage 7071, c c-stage 7072, d d-stage 7070", "stage = production − 1010 in 3 of 4 services"},
		{"a a 8080, b b 8081, c c 8082, d d 8083", "a a-stage 7070, b b-stage 7071, c c-stage 7073, d d-stage 7070", ""},
		{"a a 8080, b b 8081, c c 8082", "a a-stage 7070, b b-stage 7071, c c-stage 7072", ""}, // three pairs are too few
		{"a a 8080, b b 8081, c c 8082, d d 8083", "a a-stage 9080, b b-stage 9081, c c-stage 9082, d d-stage 9083", "stage = production + 1000 in 4 of 4 services"},
		{"a a 80, b b 81, c c 82, d d 83", "a a-stage 80, b b-stage 81, c c-stage 82, d d-stage 83", ""}, // no rule can be that
		{"", "", ""},
	} {
		got, ok := mapOf(c.production, c.stage).Convention(nil)
		if c.want == "" {
			assert.False(t, ok, "%s / %s", c.production, c.stage)
			continue
		}
		assert.True(t, ok)
		assert.Equal(t, c.want, got.String()+" "+got.evidence())
	}
	got, ok := mapOf("a a 8080, b b 8081", "a a-stage 7070, b b-stage 7072").Convention(&CheckOptions{Offset: -1010})
	assert.True(t, ok)
	assert.Equal(t, Convention{Offset: -1010, Follow: 1, Pairs: 2, Stated: true}, got)
}

func TestTwinsAreFoundBySubdomainThenByName(t *testing.T) {
	pairs := func(m *Map) (got []string) {
		for i, j := range m.plan(nil).twin {
			got = append(got, m.Services[j].Subdomain+"~"+m.Services[i].Subdomain)
		}
		slices.Sort(got)
		return got
	}
	assert.Equal(t, []string{"a~A-Stage", "b~b-staging", "c~c"},
		pairs(mapOf("x a 1, y b 2, z c.example.se 3", "q A-Stage 4, r b-staging 5, s c.example.org 6")))
	assert.Equal(t, []string{"one~other"}, pairs(mapOf("Scout one 1", "scout other 2")))
	assert.Empty(t, pairs(mapOf("Scout one 1, Scout two 3", "scout other 2")), "a name that is not the only one of its kind")
	assert.Empty(t, pairs(mapOf("Scout one 1", "scout other 2, scout another 3")))
	assert.Equal(t, []string{"a~a-stage"}, pairs(mapOf("x a 1", "y a-stage 2, z a-staging 3")), "one twin each")
	assert.Empty(t, pairs(mapOf("x a 1", "y -stage 2, z b-stage /run/b.sock")))

	// Without a word on the environment, the subdomain's ending decides.
	m := mapOf("x a 1, y a-stage 2", "")
	for i := range m.Services {
		m.Services[i].Environment = ""
	}
	assert.Equal(t, []string{"a~a-stage"}, pairs(m))
}

func TestConventionFixIsNotOfferedOntoATakenPort(t *testing.T) {
	const src = "production\n\n|service|subdomain|port|\n|-|-|-|\n|a|a|8080|\n|b|b|8081|\n|c|c|8082|\n|d|d|8083|\n|e|e|7073|\n\n" +
		"stage\n\n|service|subdomain|port|\n|-|-|-|\n|a|a-stage|7070|\n|b|b-stage|7071|\n|c|c-stage|7072|\n|d|d-stage|7077|\n"
	d, err := ParseMarkdown("s.md", []byte(src))
	require.NoError(t, err)
	found := d.Check(nil)
	require.Equal(t, []string{"stage-offset-broken"}, codes(found))
	assert.Contains(t, found[0].Message, "so it should be 7073, which e (s.md:9:6) has")
	assert.Empty(t, found[0].Fixes)
}

func TestPortTwiceWithoutConventionMovesTheLaterRow(t *testing.T) {
	const src = "|service|subdomain|port|\n|-|-|-|\n|a|a|8080|\n|b|b|8080|\n|c|c|8081|\n"
	d, err := ParseMarkdown("s.md", []byte(src))
	require.NoError(t, err)
	found := d.Check(nil)
	require.Equal(t, []string{"port-listed-twice"}, codes(found))
	require.Len(t, found[0].Fixes, 1)
	require.NoError(t, d.Apply(found[0].Fixes[0]))
	assert.Equal(t, strings.Replace(src, "|b|b|8080|", "|b|b|8082|", 1), string(d.Bytes()))
	assert.Empty(t, d.Check(nil))
}

func TestNextFree(t *testing.T) {
	d := users(t)
	for environment, want := range map[string]Port{
		Production: 8089, "prod": 8089, "": 8089,
		// 7072, 7074, 7077 and 7078 belong to services of production by the convention.
		Stage: 7079, "STAGING": 7079,
	} {
		got, err := d.Map().NextFree(environment)
		require.NoError(t, err)
		assert.Equal(t, want, got, environment)
	}
	for _, c := range []struct {
		what              string
		production, stage string
		environment       string
		want              string
	}{
		{"the lowest gap", "a a 8080, b b 8082", "", Production, "8081"},
		{"the biggest block", "a a 80, b b 8080, c c 8081, d d 27017", "", Production, "8082"},
		{"never one of another environment", "a a 8080", "b b 8081, c c 8082", Production, "no free port for production in 8080–8080"},
		{"not one that is somebody else's", "a a 8999, b b 9000", "", Production, "9002"},
		{"not an ephemeral one", "a a 32766, b b 32767", "", Production, "61000"},
		{"not past the end", "a a 65534, b b 65535", "", Production, "no free port for production in 65534–65535"},
		{"an environment of its own name", "a a 8080", "b b 7070", "Test", "no service of test has a port, so there is no range to take one from: state it"},
		{"an empty map", "", "", Production, "no service of production has a port, so there is no range to take one from: state it"},
		{"services on sockets alone", "a a /run/a.sock", "", Production, "no service of production has a port, so there is no range to take one from: state it"},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, err := mapOf(c.production, c.stage).NextFree(c.environment)
			if err != nil {
				assert.EqualError(t, err, c.want)
				assert.Equal(t, strings.HasPrefix(c.want, "no free port"), errors.Is(err, ErrNoFreePort))
				return
			}
			assert.Equal(t, c.want, got.String())
		})
	}
}

func TestNextFreeUnderStatedRules(t *testing.T) {
	m := users(t).Map()
	for _, c := range []struct {
		o           *CheckOptions
		environment string
		want        string
	}{
		{&CheckOptions{Reserved: []Port{8089, 7080}}, Production, "8091"}, // 8090's twin would be 7080
		{&CheckOptions{Ranges: map[string]Range{"test": {6000, 6010}}}, "test", "6000"},
		{&CheckOptions{Ranges: map[string]Range{Stage: {7070, 7078}}}, Stage, "no free port for stage in 7070–7078"},
		{&CheckOptions{Ranges: map[string]Range{"test": {80, 90}}}, "test", "no free port for test in 80–90"},
		{&CheckOptions{Ranges: map[string]Range{"test": {0, 90}}, Allow: []Port{81}}, "test", "81"},
		{&CheckOptions{Ranges: map[string]Range{"test": {7, 6}}}, "test", "no free port for test in 7–6"},
	} {
		got, err := m.NextFreeWith(c.environment, c.o)
		if err != nil {
			assert.EqualError(t, err, c.want)
			assert.ErrorIs(t, err, ErrNoFreePort)
			continue
		}
		assert.Equal(t, c.want, got.String())
	}

	// Stage has no ports yet: a stated convention gives it its block.
	m = mapOf("a a 8080, b b 8081", "")
	got, err := m.NextFreeWith(Stage, &CheckOptions{Offset: -1010})
	require.NoError(t, err)
	assert.Equal(t, Port(7072), got, "7070 and 7071 are those of a and b")
	m = mapOf("", "a a-stage 7070")
	got, err = m.NextFreeWith(Production, &CheckOptions{Offset: -1010})
	require.NoError(t, err)
	assert.Equal(t, Port(8081), got)
	for _, offset := range []int{-8080, 70000, -1 << 62, 1 << 62} {
		_, err = mapOf("a a 8080", "").NextFreeWith(Stage, &CheckOptions{Offset: offset})
		assert.Error(t, err)
	}
}

func TestSuggestFollowsTheTwin(t *testing.T) {
	m := users(t).Map()
	for _, c := range []struct {
		s    Service
		want string
	}{
		{service(Stage, "Genotype genotype-stage -"), "7077"},
		{service(Stage, "Archive scout-archive-stage -"), "7074"},
		{service(Stage, "microbial other -"), "7078"},
		{service(Stage, "NIPT nipt-stage -"), "7072"},
		{service(Stage, "Scout scout-stage -"), `no free port: by "stage = production − 1010" scout-stage gets 7073, which nipt-stage (services.md:23:48) has`},
		{service(Stage, "New new-stage -"), "7079"},
		{service(Production, "New new -"), "8089"},
	} {
		got, err := m.Suggest(c.s, nil)
		if err != nil {
			assert.EqualError(t, err, c.want)
			assert.ErrorIs(t, err, ErrNoFreePort)
			continue
		}
		assert.Equal(t, c.want, got.String(), c.s.Subdomain)
	}
	got, err := mapOf("", "a a-stage 7070").Suggest(service(Production, "a a -"), &CheckOptions{Offset: -1010})
	require.NoError(t, err)
	assert.Equal(t, Port(8080), got)
	_, err = mapOf("a a 500", "").Suggest(service(Stage, "a a-stage -"), &CheckOptions{Offset: -1010})
	assert.ErrorIs(t, err, ErrNoFreePort)
}

// The naive twin of port-listed-twice: each service is held against each
// earlier one. The fast one may name another of several, but finds the same
// services unless one program with two names is among them.
func TestCheckFindsTheClashesThatComparingAllFinds(t *testing.T) {
	binds := []string{"", "0.0.0.0", "127.0.0.1", "127.0.0.2", "::1", "10.1.2.3"}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := &Map{}
		want := map[int]bool{}
		for i := range 20 {
			s := Service{Name: fmt.Sprint(i), Subdomain: fmt.Sprint("s", i), Port: Port(8000 + r.IntN(6)), Bind: binds[r.IntN(len(binds))]}
			a, _ := reachOf(s.Bind)
			for _, o := range m.Services {
				if b, _ := reachOf(o.Bind); s.Port == o.Port && a.overlaps(b) {
					want[i] = true
				}
			}
			m.Services = append(m.Services, s)
		}
		got := map[int]bool{}
		for _, d := range m.Check(nil) {
			require.Equal(t, "port-listed-twice", d.Code)
			for i, s := range m.Services {
				if strings.Contains(d.Message, ": "+s.Subdomain+" here") {
					got[i] = true
				}
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), "seed %d", seed)
	}
}

func BenchmarkCheck(b *testing.B) {
	m := &Map{}
	for i := range 10_000 {
		m.Services = append(m.Services, Service{
			Name: fmt.Sprint("n", i), Subdomain: fmt.Sprint("s", i), Port: 8080, Bind: fmt.Sprintf("10.0.%d.%d", i/256, i%256),
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if found := m.Check(nil); len(found) > 0 {
			b.Fatal(found)
		}
	}
}
