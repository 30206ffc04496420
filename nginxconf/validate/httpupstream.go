package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf/directive"
)

// httpUpstreamReader knows the modules of http that have to do with other
// servers, and those of the secure and the newer protocols: upstream blocks,
// proxy_pass and its kin, ssl, http2, http3.
func httpUpstreamReader(f *directive.Form) reader {
	switch f.Module {
	case "ngx_http_ssl_module":
		return sslReader(f)
	case "ngx_http_v2_module":
		return http2Reader(f)
	case "ngx_http_v3_module":
		return http3Reader(f)
	}
	if strings.HasPrefix(f.Module, "ngx_http_upstream_") {
		return upstreamReader(f)
	}
	for kind := range backends {
		if f.Module == kind.module() {
			return backendReader(f, kind)
		}
	}
	return nil
}
