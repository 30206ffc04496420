//go:build unix

package peers

import (
	"os"
	"path/filepath"
	"testing"
)

// What the compiler must take for used.
var found int

// BenchmarkParse is a file of 10 MB with 13,300 sites, and one of 62 lines with
// two of them.
func BenchmarkParse(b *testing.B) {
	for _, in := range []struct {
		name  string
		sites int
	}{{"10MB", fileSites}, {"62lines", 2}} {
		src := sites(in.sites)
		b.Run("file="+in.name+"/by=words", func(b *testing.B) {
			run(b, len(src), func() {
				n, _, err := words(src)
				if err != nil {
					b.Fatal(err)
				}
				found += n
			})
		})
		for _, r := range nginxReaders {
			b.Run("file="+in.name+"/by="+r.name, func(b *testing.B) {
				parse := func() any {
					tree, err := r.parse(src)
					if err != nil {
						b.Fatal(err)
					}
					return tree
				}
				keeps := kept(parse)
				run(b, len(src), func() { parse() })
				if in.sites == fileSites {
					b.ReportMetric(keeps/1e6, "kept-MB")
				}
			})
		}
	}
}

// BenchmarkIncludes is a configuration of 5,000 files, one site each. By
// "words", they are only read and scanned.
func BenchmarkIncludes(b *testing.B) {
	const files = 5_000
	name, size := writeSites(b, files)
	b.Run("by=words", func(b *testing.B) {
		run(b, size, func() {
			names, err := filepath.Glob(filepath.Join(filepath.Dir(name), "conf.d", "*.conf"))
			if err != nil || len(names) != files {
				b.Fatal(len(names), err)
			}
			for _, name := range append(names, name) {
				src, err := os.ReadFile(name)
				if err != nil {
					b.Fatal(err)
				}
				n, _, err := words(src)
				if err != nil {
					b.Fatal(err)
				}
				found += n
			}
		})
	})
	for _, r := range nginxReaders {
		b.Run("by="+r.name, func(b *testing.B) {
			load := func() any {
				tree, err := r.load(name)
				if err != nil {
					b.Fatal(err)
				}
				return tree
			}
			keeps := kept(load)
			run(b, size, func() { load() })
			b.ReportMetric(keeps/1e6, "kept-MB")
		})
	}
}
