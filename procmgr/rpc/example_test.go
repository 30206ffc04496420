//go:build unix

package rpc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/rpc"
)

// server is what the examples talk to: scout, which says what it is told. Any
// supervisord would do: its address is in supervisorctl's configuration,
// serverurl=unix:///run/supervisor.sock.
func server(o *rpc.HandlerOptions) (address string, stop func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	m := procmgr.New(nil)
	err = m.Add(procmgr.Program{
		Name: "scout", Command: "cat", Manual: true, StartSecs: procmgr.Zero,
		Stdout: procmgr.Log{File: dir + "/scout.log"},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Events(ctx)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for e := range events {
		if e.Type == procmgr.EventRunning {
			break
		}
	}
	s := httptest.NewServer(rpc.NewHandler(m, o))
	return s.URL, func() {
		s.CloseClientConnections()
		s.Close()
		cancel()
		<-done
		os.RemoveAll(dir)
	}
}

// Drive a supervisord.
func ExampleDial() {
	address, stop := server(nil)
	defer stop()
	ctx := context.Background()

	c, err := rpc.Dial(address) // or "unix:///run/supervisor.sock"
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.StartProcess(ctx, "scout", true); err != nil {
		log.Fatal(err)
	}
	all, err := c.AllProcessInfo(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range all {
		fmt.Println(p.FullName(), p.State)
	}
	err = c.StartProcess(ctx, "scout", true)
	fmt.Println(err)
	fmt.Println(errors.Is(err, rpc.AlreadyStarted))
	// Output:
	// scout RUNNING
	// ALREADY_STARTED: scout
	// true
}

// Follow a log, and send its process something to write.
func ExampleClient_Tail() {
	address, stop := server(nil)
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := rpc.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	if err := c.StartProcess(ctx, "scout", true); err != nil {
		log.Fatal(err)
	}

	follow, err := c.Tail(ctx, "scout", procmgr.Stdout) // until ctx ends, or it is closed
	if err != nil {
		log.Fatal(err)
	}
	defer follow.Close()
	if err := c.SendProcessStdin(ctx, "scout", "one\ntwo\n"); err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(follow); lines.Scan(); {
		fmt.Println(lines.Text())
		if lines.Text() == "two" {
			break
		}
	}
	// Output:
	// one
	// two
}

// See what an update of the configuration would do, and what it would restart.
func ExampleClient_Apply() {
	address, stop := server(&rpc.HandlerOptions{
		// What a supervisord finds out when it reads its files again.
		Reload: func(context.Context) (rpc.Changes, error) {
			return rpc.Changes{Added: []string{"nipt"}, Changed: []string{"trailblazer"}}, nil
		},
		Config: func() []rpc.ConfigInfo {
			return []rpc.ConfigInfo{{Group: "nipt", Name: "nipt", Autostart: true}, {Group: "trailblazer", Name: "trailblazer", Autostart: true}}
		},
	})
	defer stop()
	c, err := rpc.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	plan := rpc.Plan{
		Update:  true,
		Restart: []string{"scout", "trailblazer"}, // the update restarts the latter already
		DryRun:  true,
	}
	steps, err := c.Apply(context.Background(), plan)
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range steps {
		fmt.Println(step)
	}
	// Output:
	// update trailblazer
	// add nipt
	// restart scout
}

// Let supervisorctl, and others, drive the processes of your own program.
func ExampleNewHandler() {
	m := procmgr.New(nil)
	err := m.Add(procmgr.Program{Name: "scout", Command: "cat"})
	if err != nil {
		log.Fatal(err)
	}
	h := rpc.NewHandler(m, &rpc.HandlerOptions{Identifier: "onehost", Username: "me", Password: "secret"})
	// To serve it where supervisorctl looks for it:
	//
	//	l, err := rpc.ListenUnix("/run/onehost.sock", 0o700, -1, -1)
	//	err = rpc.Serve(ctx, l, h)

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/RPC2", nil))
	fmt.Println(w.Code)
	// Output: 401
}
