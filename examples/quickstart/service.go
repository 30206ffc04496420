package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// serviceMain is what stands in for Gunicorn: a web service that says who it
// is and what the proxy told it, until TERM.
func serviceMain(args []string) int {
	fl := flag.NewFlagSet("service", flag.ContinueOnError)
	name := fl.String("name", "", "what it says it is")
	bind := fl.String("bind", "", "host:port or unix:path")
	if err := fl.Parse(args); err != nil {
		return 2
	}
	network, address := "tcp", *bind
	if path, ok := strings.CutPrefix(*bind, "unix:"); ok {
		network, address = "unix", path
	}
	l, err := net.Listen(network, address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Printf("%s listens on %s\n", *name, *bind)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s for %s\n", r.Method, r.URL.Path, r.Header.Get("X-Real-IP"))
		fmt.Fprintf(w, "%s here, for %s by %s on %s\n", *name, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Host)
	})}
	context.AfterFunc(ctx, func() { _ = server.Shutdown(context.Background()) })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
