//go:build unix

package supervisord_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/supervisord"
	"github.com/onehost-go/onehost/supervisorconf"
)

func ExampleServer() {
	host := fstest.MapFS{"supervisord.conf": {Data: []byte(`
[supervisord]

[program:scout]
command=sleep 1000
startsecs=0
stdout_logfile=NONE
`)}}
	config, err := supervisorconf.Load(host, "supervisord.conf", &supervisorconf.LoadOptions{
		IsDir: func(string) bool { return true }, // look at no directory of this host
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := supervisord.New(config, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	events := server.Manager().Events(context.Background())
	go func() {
		if err := server.Run(ctx); err != nil {
			fmt.Println(err)
		}
	}()
	for e := range events { // until Run has returned
		if e.Type == procmgr.EventProcessState {
			fmt.Println(e.Process, e.From, "→", e.To)
		}
		if e.To == procmgr.Running {
			stop()
		}
	}
	// Output:
	// scout STOPPED → STARTING
	// scout STARTING → RUNNING
	// scout RUNNING → STOPPING
	// scout STOPPING → STOPPED
}
