package directive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookupAllocatesNothing(t *testing.T) {
	table, err := Nginx("1.22.1")
	require.NoError(t, err)
	n := testing.AllocsPerRun(100, func() {
		if len(table.Lookup("server")) != 5 || table.Lookup("server_nam") != nil {
			t.Error("Lookup is wrong")
		}
		table.Variable("http_host")
	})
	assert.Zero(t, n)
}
