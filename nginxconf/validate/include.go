package validate

import "github.com/onehost-go/onehost/nginxconf"

// readInclude reads the files of an include in its place. That one cannot be
// read, Load has reported.
func readInclude(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for file := range c.config.Included(d) {
		if c.deep == maxDepth {
			return
		}
		c.deep++
		c.file(b, file)
		c.deep--
	}
}

// readFree reads a block in which any words are right.
func readFree(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if d.Body() != nil { // Lua between braces is an argument
		c.words(d, func(*nginxconf.Directive) {})
	}
}
