package directive

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLookupAllocatesNothing(t *testing.T) {
	table, err := Nginx("1.22.1")
	require.NoError(t, err)
	servers, unknown := 0, 0
	n := testing.AllocsPerRun(100, func() {
		servers = len(table.Lookup("server"))
		unknown = len(table.Lookup("server_nam"))
		table.Variable("http_host")
	})
	assert.Zero(t, n)
	assert.Equal(t, 6, servers, "of http, mail, stream and rtmp, and of two kinds of upstream")
	assert.Zero(t, unknown)
}
