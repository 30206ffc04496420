package lint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/lint"
)

func TestModulesOfADirective(t *testing.T) {
	require.Equal(t, []string{"ngx_http_auth_basic_module"}, lint.Modules("auth_basic"))
	require.Equal(t, []string{"ngx_http_lua_module", "ngx_stream_lua_module"}, lint.Modules("content_by_lua_block"))
	require.Contains(t, lint.Modules("allow"), "ngx_http_access_module")
	require.Nil(t, lint.Modules("walled_garden"))
}
