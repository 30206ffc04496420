//go:build unix

package peers

import (
	"testing"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

// BenchmarkValidate parses and checks: crossplane with its table of nginx 1.24
// and the checks of contexts and arguments on, which is as strict as it gets.
func BenchmarkValidate(b *testing.B) {
	for _, in := range []struct {
		name  string
		sites int
	}{{"10MB", fileSites}, {"62lines", 2}} {
		src := sites(in.sites)
		b.Run("file="+in.name+"/by=nginxconf", func(b *testing.B) {
			run(b, len(src), func() {
				f, err := nginxconf.Parse("nginx.conf", src)
				if err != nil {
					b.Fatal(err)
				}
				c := f.Config()
				c.Fragment = false
				if ds := validate.Config(c, nil); ds.Err() != nil { // nginx warns of so many names
					b.Fatal(ds)
				}
			})
		})
		b.Run("file="+in.name+"/by=parse", func(b *testing.B) {
			run(b, len(src), func() {
				if _, err := nginxconf.Parse("nginx.conf", src); err != nil {
					b.Fatal(err)
				}
			})
		})
		b.Run("file="+in.name+"/by=crossplane", func(b *testing.B) {
			run(b, len(src), func() {
				if err := strictCrossplane(src); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
