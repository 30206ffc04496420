// Nginxcheck says of an nginx configuration what nginx -t would say, where no
// nginx is installed:
//
//	go run ./examples/nginxcheck /etc/nginx/nginx.conf
//	go run ./examples/nginxcheck -version 1.22.1-9+deb12u11 nginx.conf
//	go run ./examples/nginxcheck -context http/server snippets/tls.conf
//
// It prints all problems, not only the first, with what may be done about them.
// Like nginx -t, it exits with 0 if nginx would start, and with 1 if not.
package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/validate"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, out io.Writer) int {
	flags := flag.NewFlagSet("nginxcheck", flag.ContinueOnError)
	flags.SetOutput(out)
	version := flags.String("version", "", "the nginx to speak for: a `release` or a distribution's package version; the newest stable one without it")
	modules := flags.String("modules", "", "the `modules` that it has, separated by commas; all that are known without it")
	context := flags.String("context", "", "the `blocks` around a fragment, such as http/server; -context guess guesses")
	files := flags.Bool("files", false, "look at the certificates and password files of this host")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		fmt.Fprintln(out, "usage: nginxcheck [flags] FILE")
		flags.PrintDefaults()
		return 2
	}
	name := flags.Arg(0)
	c, _ := nginxconf.LoadFile(name) // what is wrong with it is part of what validate finds
	if c == nil {
		fmt.Fprintf(out, "nginx: [emerg] open() %q failed\n", name)
		return 1
	}
	o := &validate.Options{Version: *version}
	if *modules != "" {
		o.Modules = strings.Split(*modules, ",")
	}
	if *files {
		o.Files = os.DirFS("/")
	}
	switch *context {
	case "":
	case "guess":
		c.Fragment = true
	default:
		o.Context = strings.Split(*context, "/")
	}
	found := validate.Config(c, o)
	for _, d := range found {
		level := "notice"
		switch {
		case d.Level >= slog.LevelError:
			level = "emerg"
		case d.Level >= slog.LevelWarn:
			level = "warn"
		}
		fmt.Fprintf(out, "nginx: [%s] %s in %s:%d\n", level, d.Message, d.Start.Filename, d.Start.Line)
		for _, fix := range d.Fixes {
			fmt.Fprintf(out, "       %s\n", fix.Message)
		}
	}
	if found.Err() != nil {
		fmt.Fprintf(out, "nginx: configuration file %s test failed\n", c.Root.Name)
		return 1
	}
	fmt.Fprintf(out, "nginx: the configuration file %s syntax is ok\n", c.Root.Name)
	fmt.Fprintf(out, "nginx: configuration file %s test is successful\n", c.Root.Name)
	return 0
}
