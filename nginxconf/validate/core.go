package validate

import (
	"go/token"
	"log/slog"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// finishMain is what nginx does when it has read all: the init_conf functions
// of the core modules, in the order of ngx_modules[].
func (c *checker) finishMain(b *block) {
	if b.kept("events") == nil {
		// nginx names no place.
		c.report(slog.LevelError, token.Position{Filename: c.config.Root.Name}, token.Position{Filename: c.config.Root.Name},
			"missing-section", `no "events" section in configuration`)
	}
}

// readEvents reads the events block.
func readEvents(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if b.kept("events") != nil {
		c.refuse(d, "is duplicate")
		return
	}
	c.modules = true
	b.keep("events", d)
	c.inside(b, d, directive.Events)
}
