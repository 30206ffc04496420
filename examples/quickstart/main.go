// Quickstart does onehost's main job on a table of services, and ends: it
// reads the table, says what is wrong with it, writes the configuration of
// nginx and Supervisor, runs the services behind a front door that reads that
// configuration as nginx does, sends requests, kills a service, and stops.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -table my.md -dir /tmp/host -serve
//
// Nothing needs to be installed. If nginx is, it is asked whether it accepts
// the files; with -nginx it is the front door.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed services.md
var services []byte

func main() {
	if len(os.Args) > 1 && os.Args[1] == "service" {
		os.Exit(serviceMain(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(code)
}

// options are what the command line says.
type options struct {
	table  string
	domain string
	dir    string
	keep   bool
	serve  bool
	nginx  bool
	own    bool
	allow  []string

	oneLoopback bool // for tests: as where 127.0.0.1 is the only loopback address
}

func parseFlags(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	allow := "127.0.0.1"
	fl := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	fl.SetOutput(stderr)
	fl.StringVar(&o.table, "table", "", "the Markdown `file` with the tables; empty: the one built in")
	fl.StringVar(&o.domain, "domain", "example.se", "the `domain` of the services")
	fl.StringVar(&o.dir, "dir", "", "write the files into this `directory`, and leave them there")
	fl.BoolVar(&o.keep, "keep", false, "leave the files where they are")
	fl.BoolVar(&o.serve, "serve", false, "stay up until Ctrl-C")
	fl.BoolVar(&o.nginx, "nginx", false, "put the installed nginx in front")
	fl.BoolVar(&o.own, "own-ports", false, "run the services on the ports of the table, not on free ones")
	fl.StringVar(&allow, "allow", allow, "the addresses that may in, separated by commas")
	if err := fl.Parse(args); err != nil {
		return nil, err
	}
	if fl.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fl.Arg(0))
	}
	for a := range strings.SplitSeq(allow, ",") {
		a = strings.TrimSpace(a)
		if _, err := netip.ParseAddr(a); err != nil {
			if _, err := netip.ParsePrefix(a); err != nil {
				return nil, fmt.Errorf("-allow: %q is no address and no prefix", a)
			}
		}
		o.allow = append(o.allow, a)
	}
	return o, nil
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	o, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	s := newScreen(stdout, getenv)
	if !o.serve {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, 30*time.Second, errors.New("it took longer than 30 seconds"))
		defer cancel()
	}
	if err := demo(ctx, o, s); err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
			err = cause
		}
		s.failed(err)
		return 1
	}
	return 0
}

// demo goes through the steps. Whatever it starts has ended when it returns.
func demo(ctx context.Context, o *options, s *screen) (err error) {
	began := time.Now()
	s.title("onehost: one server, many web services")

	m, err := readTable(o, s)
	if err != nil {
		return err
	}

	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "onehost-"); err != nil {
			return err
		}
		if !o.keep {
			defer os.RemoveAll(dir)
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if err := writeHost(o, s, dir, m); err != nil {
		return err
	}

	h, err := prepare(o, s, dir, m)
	if err != nil {
		return err
	}
	if err := h.start(ctx); err != nil {
		return errors.Join(err, h.stop())
	}
	err = h.tour(ctx, o)
	if err == nil && o.serve {
		h.serveUntil(ctx)
	}
	if stopErr := h.stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}

	s.blank()
	where := "The files were in " + dir + "; -keep leaves them there."
	if o.keep || o.dir != "" {
		where = "The files are in " + dir + "."
	}
	s.line("Done in %.1f s. %s", time.Since(began).Seconds(), where)
	return nil
}
