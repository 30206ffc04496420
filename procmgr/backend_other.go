//go:build !unix

package procmgr

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"time"
)

func openBackend(*Options, func(slog.Level, string)) (backend, map[string]survivor, error) {
	return nil, nil, errors.New("procmgr: programs can be run on unix only, not on " + runtime.GOOS)
}

func checkPlatform(*Program) error { return nil }

func isProcessDone(err error) bool { return err == nil }

// A stream is never there.
type stream struct{ file *LogFile }

func (*stream) state(time.Time) string { return "" }

func openOwnSocket(_ string, failed error) (*os.File, error) { return nil, failed }

func setBacklog(*os.File, int) error { return nil }

type childRecord struct{ pid int }
