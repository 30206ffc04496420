package nginxacl

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSamplesOfRegularExpressions(t *testing.T) {
	for expr, want := range map[string][]string{
		`\.(php|inc)$`:            {".inc", ".php"},
		`^/api/v[0-9]+/x{2,3}`:    {"/api/v0/xx"},
		`/\.(?!well-known)`:       {"/."},
		`^/(?<id>[a-f]+)/(?>a+)b`: {"/a/ab"},
		`a++b\++`:                 {"ab+"},
		`(?i)^/Admin`:             {"/ADMIN"},
		`x?y*`:                    {"", "x", "xy", "y"},
		`(?R)`:                    nil,
		`[^\x00-\x7f]`:            {"\u0080"},
	} {
		require.Equal(t, want, samples(expr), expr)
	}
}

func TestHostsOfServerNames(t *testing.T) {
	for name, want := range map[string][]string{
		"A.example":          {"a.example"},
		"*.example":          {"any-other-name.example"},
		".example":           {"example", "any-other-name.example"},
		"www.example.*":      {"www.example.invalid"},
		"~^(a|b)\\.example$": {"a.example"},
		"_":                  nil,
		"$hostname":          nil,
		"":                   {""},
	} {
		require.Equal(t, want, hostsOf(name), name)
	}
}
