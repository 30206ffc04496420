// Package validate says what "nginx -t" would say of a configuration, without
// nginx.
//
//	c, err := nginxconf.LoadFile("/etc/nginx/nginx.conf")
//	…
//	for _, d := range validate.Config(c, nil) {
//		fmt.Println(d)
//	}
//
// It goes over the configuration as nginx does: syntax, names and contexts,
// numbers of arguments, what each directive makes of its arguments, and what
// nginx finds only at the end of a block, as "no servers in upstream". It speaks
// for any release from 1.18.0 on, and for Debian's packages of them. nginx stops
// at the first error; here it is the first in the list, and the others follow.
//
// What the files do not tell it takes to be right: names resolve, certificates
// are there and fit, addresses can be listened on, users exist. [Options] let it
// look. A regular expression is judged as PCRE2 10.42 does.
//
// Where it does not know enough it says nothing: a configuration that nginx
// takes has no error here. Directives of modules that do not come with nginx are
// checked for context and number of arguments, and few for more.
package validate

import (
	"go/token"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// Options say which nginx to speak for, and what it would see of the host. The
// zero value, like nil, is right: the newest stable release, with all modules,
// on a host where all is in place. They are not changed.
type Options struct {
	// Version is a release ("1.22.1") or a distribution's package version,
	// which adds its back-ports ("1.22.1-9+deb12u11"); empty: the newest
	// stable release.
	Version string
	// Modules are the names of those that nginx has, such as
	// "ngx_http_ssl_module"; nil: all that are known.
	Modules []string
	// Files is the host, to look at certificates, password files and the like;
	// nil: they are taken to be there.
	Files fs.FS
	// Resolve looks up a host name; nil: names are taken to resolve.
	Resolve func(host string) error
	// Context is that of a fragment: the names of the blocks around it,
	// outermost first, such as "http", "server". Not nil but empty is the main
	// context. Nil: the main context for a configuration that was loaded, and
	// a guess by the directives that stand in it for a Config.Fragment. Of a
	// fragment, only what it says itself is checked: not that other parts
	// define what it uses, nor what of a server or of events is missing.
	Context []string
}

// Config returns what nginx would complain about, in its words and at its
// places, in the order in which it would come to it: nginx itself stops at the
// first error. What Parse and Load found is part of it. The list is the
// caller's.
func Config(c *nginxconf.Config, o *Options) nginxconf.Diagnostics {
	v := &checker{config: c, commands: map[string]*command{}, last: &recent{}, seed: maphash.MakeSeed()}
	if o != nil {
		v.options = *o
	}
	table, err := directive.Nginx(v.options.Version)
	if err != nil {
		v.report(slog.LevelError, token.Position{}, token.Position{}, "unknown-version", err.Error())
		return v.diags
	}
	if v.options.Modules != nil {
		table = table.Only(v.options.Modules...)
	}
	v.debian = strings.Contains(v.options.Version, "deb") || strings.Contains(v.options.Version, "ubuntu")
	v.table, v.version = table, table.Version()
	v.run()
	return v.diags
}

// run reads the configuration from its main file on.
func (c *checker) run() {
	b, isMain, ok := c.start()
	if !ok {
		return
	}
	c.queue(c.config.Diagnostics())
	c.file(b, c.config.Root)
	for _, f := range c.waitingFiles() {
		c.flush(f, 1<<62)
	}
	if !isMain { // the rest of the configuration is not known
		if c.fragment && c.http != nil {
			for _, s := range c.http.servers {
				c.duplicateLocations(&s.root)
			}
		}
		return
	}
	c.finishMain()
	c.finishPaths()
	c.finishZones()
}
