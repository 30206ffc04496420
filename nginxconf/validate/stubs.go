package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

func httpModuleReader(f *directive.Form) reader   { return nil }
func httpUpstreamReader(f *directive.Form) reader { return nil }
func streamReader(f *directive.Form) reader       { return opens(f) }
func mailReader(f *directive.Form) reader         { return opens(f) }
func readStream(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	readBlock(c, b, d, f)
}
func readMail(c *checker, b *block, d *nginxconf.Directive, f *bound) { readBlock(c, b, d, f) }

func opens(f *directive.Form) reader {
	switch {
	case f.Opens != 0:
		return readBlock
	case f.Block:
		return readFree
	}
	return nil
}
