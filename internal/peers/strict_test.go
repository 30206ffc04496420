package peers

import (
	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// strictCrossplane is crossplane with all its checks on, and the tables of
// nginx 1.24 and geoip2 instead of those of the commercial version.
func strictCrossplane(src []byte) error {
	_, err := crossplaneFile(src, crossplane.ParseOptions{
		ErrorOnUnknownDirectives: true,
		DirectiveSources:         []crossplane.MatchFunc{crossplane.MatchOss124, crossplane.MatchGeoip2Latest},
	})
	return err
}
