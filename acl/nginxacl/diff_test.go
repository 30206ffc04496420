package nginxacl_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
)

// diffOf is the difference of two configurations as text. The servers of both
// stand in http blocks.
func diffOf(t testing.TB, before, after string) (nginxacl.Changes, string) {
	t.Helper()
	changes, err := nginxacl.Diff(load(t, "events {}\nhttp {\n"+before+"\n}\n"), load(t, "events {}\nhttp {\n"+after+"\n}\n"))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, changes.WriteText(&b, acl.Names{}))
	return changes, b.String()
}

func TestANewLocationWithOneRuleOpensTheRest(t *testing.T) {
	changes, text := diffOf(t, `server { listen 80; server_name a; allow 192.0.2.0/24; deny all; location / { proxy_pass http://127.0.0.1:1; } }`,
		`server { listen 80; server_name a; allow 192.0.2.0/24; deny all; location / { proxy_pass http://127.0.0.1:1; }
location /metrics { allow ::1; proxy_pass http://127.0.0.1:1; } }`)
	require.True(t, changes.Open())
	t.Log("\n" + text)
}
