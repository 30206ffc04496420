// Review says what a change of an nginx configuration opens up: for every URL,
// the addresses that gain or lose access, and the rules that make the
// difference.
//
//	go run ./examples/review before after
//	go run ./examples/review -format markdown -names networks.txt old/nginx.conf new/nginx.conf
//
// It takes two directories with an nginx.conf, or two files. It exits with 1
// if somebody gains access, 0 if nobody does, and 2 if it cannot tell: a
// configuration is not one, or -strict is given and what decides about somebody
// cannot be judged from the files.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("review", flag.ContinueOnError)
	flags.SetOutput(errs)
	format := flags.String("format", "text", "how to write it: text or `markdown`")
	namesFile := flags.String("names", "", "a `file` with names for networks, \"office = 192.0.2.0/24\" a line")
	strict := flags.Bool("strict", false, "exit with 2 if there is something that cannot be judged, and nobody else gains access")
	flags.Usage = func() {
		fmt.Fprintln(errs, "usage: review [flags] BEFORE AFTER")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 2 || *format != "text" && *format != "markdown" {
		flags.Usage()
		return 2
	}
	changes, err := review(flags.Arg(0), flags.Arg(1))
	if err == nil {
		err = write(out, changes, *format, *namesFile)
	}
	switch {
	case err != nil:
		fmt.Fprintln(errs, "review:", err)
		return 2
	case changes.Open():
		return 1
	case *strict && changes.Uncertain():
		return 2
	}
	return 0
}

// review compares two configurations.
func review(before, after string) (nginxacl.Changes, error) {
	b, err := load(before)
	if err != nil {
		return nil, err
	}
	a, err := load(after)
	if err != nil {
		return nil, err
	}
	return nginxacl.Diff(b, a)
}

// load reads a configuration, or the nginx.conf of a directory.
func load(name string) (*nginxconf.Config, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, "nginx.conf")
	}
	return nginxconf.LoadFile(name)
}

func write(out io.Writer, changes nginxacl.Changes, format, namesFile string) error {
	var names acl.Names
	if namesFile != "" {
		text, err := os.ReadFile(namesFile)
		if err != nil {
			return err
		}
		if names, err = acl.ParseNames(namesFile, text); err != nil {
			return err
		}
	}
	if format == "markdown" {
		return changes.WriteMarkdown(out, names)
	}
	return changes.WriteText(out, names)
}
