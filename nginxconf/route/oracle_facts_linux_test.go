package route

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// TestOracleFacts asks nginx for the facts that the tests of scripts state.
func TestOracleFacts(t *testing.T) {
	testenv.Program(t, "nginx")
	for _, f := range []fact{rewrites, conditions, ifs, pages, mapped} {
		socket, err := testenv.Listen(netip.MustParseAddrPort("127.0.0.1:0"), false)
		require.NoError(t, err)
		conf := strings.ReplaceAll(f.http, "server { ", fmt.Sprintf("server { listen 127.0.0.1:%d; port_in_redirect off; ", socket.Addr.Port()))
		conf = strings.ReplaceAll(conf, "server {\n", fmt.Sprintf("server { listen 127.0.0.1:%d;\n", socket.Addr.Port()))
		stop := startNginx(t, t.TempDir(), conf, []testenv.Socket{socket})
		c := &client{addr: socket.Addr}
		for url, want := range f.want {
			if strings.HasPrefix(want, "unsure") || strings.HasPrefix(want, "->") || strings.HasPrefix(want, "files") {
				continue
			}
			_, err := c.connect(t)
			require.NoError(t, err)
			host, path, _ := strings.Cut(url, "/")
			got := c.ask(t, "GET", fmt.Sprintf("GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host))
			require.NotNil(t, got, url)
			m := Match{Answer: &Answer{Status: got.StatusCode, Location: got.Header.Get("Location"), Body: got.body}}
			if strings.HasPrefix(got.body, "<html>") {
				m.Answer.Body = ""
			}
			assert.Equal(t, want, says(m), url)
		}
		c.close()
		stop()
	}
}
