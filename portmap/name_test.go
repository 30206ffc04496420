package portmap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerNameIsWhatDNSKnows(t *testing.T) {
	for _, c := range []struct{ subdomain, domain, want string }{
		{"scout", "example.se", "scout.example.se"},
		{"Scout", "Example.SE", "scout.example.se"},
		{"scout-archive", "example.se.", "scout-archive.example.se"},
		{"a.b", "example.se", "a.b.example.se"},
		{"scout", "", "scout"},
		{"", "example.se", "example.se"},
		{"bücher", "example.se", "xn--bcher-kva.example.se"},
		{"xn--bcher-kva", "example.se", "xn--bcher-kva.example.se"},
		{"blåbär", "räksmörgås.se", "xn--blbr-noae.xn--rksmrgs-5wao1o.se"},
		{"straße", "example.de", "xn--strae-oqa.example.de"},
		{"ＳＣＯＵＴ", "example.se", "scout.example.se"},
		{"my--app", "example.se", "my--app.example.se"}, // reserved, but in use
		{"10", "example.se", "10.example.se"},
		{strings.Repeat("a", 63), "se", strings.Repeat("a", 63) + ".se"},
	} {
		got, err := Service{Subdomain: c.subdomain, Domain: c.domain}.ServerName()
		require.NoError(t, err, c)
		assert.Equal(t, c.want, got)
	}
}

func TestServerNameRefusesWhatIsNone(t *testing.T) {
	for subdomain, want := range map[string]string{
		"my_app":                  `"my_app.example.se" is no host name: disallowed rune U+005F`,
		"my app":                  `"my app.example.se" is no host name: disallowed rune U+0020`,
		"*":                       `"*.example.se" is no host name: disallowed rune U+002A`,
		"scout/":                  `disallowed rune U+002F`,
		"-scout":                  "a label begins or ends with a hyphen",
		"scout-":                  "a label begins or ends with a hyphen",
		"a..b":                    "invalid label",
		"xn--a":                   "invalid label",
		strings.Repeat("a", 64):   "invalid label",
		strings.Repeat("a.", 150): "is no host name",
		strings.Repeat("ü", 1e6):  "it is too long",
		"\xff":                    "it is not UTF-8",
		"a\nb":                    "is no host name",
	} {
		_, err := Service{Subdomain: subdomain, Domain: "example.se"}.ServerName()
		require.Error(t, err, subdomain)
		assert.Contains(t, err.Error(), want)
		assert.Less(t, len(err.Error()), 250)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err := Service{Domain: "example.se.."}.ServerName()
	assert.EqualError(t, err, `"example.se.." is no host name: a label is empty`)
	_, err = Service{Name: "Redis"}.ServerName()
	assert.EqualError(t, err, `"Redis" has neither subdomain nor domain`)
}

func TestSplitServerNameByThePublicSuffixList(t *testing.T) {
	for host, want := range map[string][2]string{
		"scout.example.se":        {"scout", "example.se"},
		"scout.example.se.":       {"scout", "example.se"},
		"example.se":              {"", "example.se"},
		"a.b.example.co.uk":       {"a.b", "example.co.uk"},
		"example.co.uk":           {"", "example.co.uk"},
		"scout.someone.github.io": {"scout", "someone.github.io"}, // privately managed suffixes count
		"Scout.Example.SE":        {"Scout", "Example.SE"},
		"bücher.räksmörgås.se":    {"bücher", "räksmörgås.se"},
		"bücher。example。se":       {"xn--bcher-kva", "example.se"}, // full stops of another script
		"scout":                   {"scout", ""},
		"scout.lab.internal":      {"scout", "lab.internal"}, // a suffix nobody lists is one label
	} {
		subdomain, domain, err := SplitServerName(host)
		require.NoError(t, err, host)
		assert.Equal(t, want, [2]string{subdomain, domain}, host)
	}
	for host, want := range map[string]string{
		"co.uk":      `"co.uk" is a public suffix, under which domains are registered`,
		"github.io":  "is a public suffix",
		"":           "is no host name",
		"my_app.se":  "is no host name",
		"a..se":      "is no host name",
		"https://se": "is no host name",
	} {
		_, _, err := SplitServerName(host)
		require.Error(t, err, host)
		assert.Contains(t, err.Error(), want)
	}
}

func TestSplitAndServerNameAreInverse(t *testing.T) {
	for _, host := range []string{"scout.example.se", "a.b.c.example.co.uk", "xn--bcher-kva.example.se", "example.se", "scout"} {
		subdomain, domain, err := SplitServerName(host)
		require.NoError(t, err)
		got, err := Service{Subdomain: subdomain, Domain: domain}.ServerName()
		require.NoError(t, err)
		assert.Equal(t, host, got)
	}
}

func TestLookupsFoldNamesAndEnvironments(t *testing.T) {
	m := &Map{Services: []Service{
		{Name: "Scout", Subdomain: "scout", Domain: "example.se", Port: 8083, Environment: "Production"},
		{Name: "Books", Subdomain: "bücher", Port: 8084, Environment: "prod"},
		{Name: "scout", Subdomain: "scout-stage", Port: 8083, Environment: "Staging"},
		{Name: "Odd", Subdomain: "my_app", Port: 8085},
	}}
	for name, want := range map[string]string{
		"SCOUT": "Scout", "scout.example.se": "Scout", "bücher": "Books", "xn--bcher-kva": "Books", "MY_APP": "Odd",
	} {
		s, ok := m.BySubdomain(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, s.Name)
	}
	for _, name := range []string{"", "nipt", "example.se"} {
		_, ok := m.BySubdomain(name)
		assert.False(t, ok, name)
	}

	count := func(seq func(func(Service) bool)) (names []string) {
		for s := range seq {
			names = append(names, s.Name)
		}
		return names
	}
	assert.Equal(t, []string{"Scout", "scout"}, count(m.ByPort(8083)))
	assert.Equal(t, []string{"Scout", "Books"}, count(m.In(Production)))
	assert.Equal(t, []string{"scout"}, count(m.In("STAGE")))
	assert.Equal(t, []string{"Odd"}, count(m.In("")))
	for range m.ByPort(8083) {
		break // an early stop is no panic
	}
}
