package pcre

import (
	"strings"
	"testing"
)

// typical patterns of locations, maps and rewrites.
var typical = []string{
	`\.php$`,
	`\.(?:css|js|png|jpe?g|gif|ico|svg|woff2?)$`,
	`^(.+\.php)(/.*)?$`,
	`^/api/v[0-9]+/users/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`,
	`^(?!/\.well-known/)/\.`,
	`(?i)(bot|crawl|spider)`,
	`(?:#.*#|\.(?:bak|conf|dist|fla|in[ci]|log|orig|psd|sh|sql|sw[op])|~)$`,
}

func BenchmarkCheck(b *testing.B) {
	for _, bb := range []struct{ name, pattern string }{
		{"php", typical[0]},
		{"static", typical[1]},
		{"uuid", typical[3]},
		{"named", `^/u/(?<user>[^/]+)/(?<path>.*)$`},
		{"refused", `^/(?:a|b$`},
		{"long", strings.Repeat(`^/(?:a|[b-d]+)\.html$|`, 180)},
		{"references", "(a)(?|b)(?<=" + strings.Repeat("(?1)", 900) + ")"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.pattern)))
			for b.Loop() {
				Check(bb.pattern, false)
			}
		})
	}
}
