//go:build unix

// Supervisord is a supervisord: it takes the same configuration and the same
// options, and the real supervisorctl drives it.
//
//	go run ./examples/supervisord -n -c supervisord.conf
//	supervisorctl -c supervisord.conf status
package main

import (
	"os"

	"github.com/onehost-go/onehost/procmgr/supervisord"
)

func main() {
	os.Exit(supervisord.Main(os.Args, os.Stdout, os.Stderr))
}
