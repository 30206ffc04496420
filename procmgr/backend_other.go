//go:build !unix

package procmgr

import (
	"errors"
	"os"
	"runtime"
)

func newBackend() (backend, error) {
	return nil, errors.New("procmgr: programs can be run on unix only, not on " + runtime.GOOS)
}

func checkPlatform(*Program) error { return nil }

func isProcessDone(err error) bool { return err == nil }

func setBacklog(*os.File, int) error { return nil }
