// Customlint checks nginx configurations with the built-in checks and one of
// its own, which takes ten lines: see requestid.go.
//
//	go run ./examples/customlint /etc/nginx/nginx.conf
//
// Each file named is a main file, or a fragment of a configuration; includes
// are followed. Without a file, a small site that comes with the program is
// checked. The exit status is 0 if nothing of level error was found, 1 if
// something was, 2 if a configuration could not be read whole.
package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/lint"
)

//go:embed testdata/site
var site embed.FS

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(files []string, stdout, stderr io.Writer) (status int) {
	load := nginxconf.LoadFile
	if len(files) == 0 {
		files = []string{"testdata/site/nginx.conf"}
		load = func(name string) (*nginxconf.Config, error) { return nginxconf.Load(site, name, nil) }
	}
	for _, name := range files {
		c, err := load(name)
		if c == nil {
			fmt.Fprintln(stderr, "customlint:", err)
			status = 2
			continue
		}
		own := requestID
		found, lintErr := lint.Run(c, append(lint.Default(), &own)...)
		if lintErr != nil {
			fmt.Fprintln(stderr, "customlint:", lintErr)
			status = 2
		}
		if err != nil {
			status = 2
			var problems nginxconf.Diagnostics
			if errors.As(err, &problems) {
				found = append(problems, found...)
				found.Sort()
			}
		}
		for _, d := range found {
			fmt.Fprintf(stdout, "%v: %s: %s [%s]\n", d.Start, level(d.Level), d.Message, d.Code)
		}
		if found.Err() != nil {
			status = max(status, 1)
		}
	}
	return status
}

func level(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warning"
	}
	return "info"
}
