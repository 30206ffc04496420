package value_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf/value"
)

func ExampleParseBackend() {
	for _, s := range []string{"unix:/run/php/php-fpm.sock", "suwsgi://127.0.0.1:3031", "backend", "127.0.0.1:9000/x"} {
		b, err := value.ParseBackend(s, "uwsgi", "suwsgi")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(b.Address())
	}
	// Output:
	// unix /run/php/php-fpm.sock
	// tcp 127.0.0.1:3031
	// tcp backend:0
	// invalid host in upstream "127.0.0.1:9000/x"
}

func TestABackendMayHaveOneOfTheSchemes(t *testing.T) {
	b, err := value.ParseBackend("GRPCS://[::1]:50051", "grpc", "grpcs")
	require.NoError(t, err)
	assert.Equal(t, value.Backend{Scheme: "grpcs", Host: "[::1]", Addr: netip.IPv6Loopback(), Port: 50051, PortText: "50051"}, b)
	_, err = value.ParseBackend("grpc://a:1")
	assert.EqualError(t, err, `invalid host in upstream "grpc://a:1"`)
	_, err = value.ParseBackend("grpc://a:0", "grpc")
	assert.EqualError(t, err, `invalid port in upstream "a:0"`)
}

// Addresses as nginx reads them in proxy_bind.
func TestAnAddressMayComeWithAPort(t *testing.T) {
	for s, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:0", "127.0.0.1:80": "127.0.0.1:80", "::1": "[::1]:0", "[::1]:80": "[::1]:80",
		"[127.0.0.1]:80": "127.0.0.1:80", // nginx does not mind
		"[::1]":          "[::1]:0",      // since nginx 1.27.3
		"[::1":           "", "[": "", "[::1]80": "", "127.0.0.1:0": "", "127.0.0.1:65536": "", "127.0.0.1:": "", "a": "", "a:80": "", "": "", ":80": "", "[]:80": "",
	} {
		got, ok := value.ParseAddrPort(s)
		assert.Equal(t, want != "", ok, s)
		if want != "" && ok {
			assert.Equal(t, want, got.String(), s)
		}
	}
}
