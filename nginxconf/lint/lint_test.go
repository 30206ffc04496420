package lint_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/lint"
	"github.com/onehost-go/onehost/nginxconf/lint/linttest"
)

// builtIn returns the built-in check of that ID.
func builtIn(t testing.TB, id string) *lint.Check {
	t.Helper()
	all := lint.Default()
	i := slices.IndexFunc(all, func(c *lint.Check) bool { return c.ID == id })
	require.GreaterOrEqual(t, i, 0, "no check %s", id)
	return all[i]
}

// Each check has inputs below testdata that say what it must find, and what it
// must leave alone.
func TestChecks(t *testing.T) {
	for _, c := range lint.Default() {
		t.Run(c.ID, func(t *testing.T) { linttest.Run(t, c, os.DirFS("testdata/"+c.ID)) })
	}
}
