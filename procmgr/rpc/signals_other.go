//go:build !unix

package rpc

import "syscall"

// signalNumber knows no signal where a Manager runs nothing.
func signalNumber(string) (sig syscall.Signal, ok bool) { return 0, false }
