//go:build unix

package procmgr

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
)

// beFoster is a program with a manager that gets orphans, and with children of
// its own. It runs until its standard input ends, and tells how it goes.
func beFoster(lines string, chosen ...string) {
	start := func(code int) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=exit %d", childEnv, code))
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		return cmd
	}
	own := start(9) // which is dead long before it is waited for

	m := New(&Options{Subreaper: len(chosen) > 0, Logger: slog.New(reapedLines{slog.DiscardHandler})})
	err := m.Add(Program{
		Name: "x", Args: []string{os.Args[0]}, Environment: map[string]string{childEnv: "abandon 4 " + lines}, StartSecs: Zero,
	})
	if err != nil {
		panic(err)
	}
	events := m.Events(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for range 20 {
		if code := start(7); code.Wait() == nil || code.ProcessState.ExitCode() != 7 {
			fmt.Println("stolen:", code.ProcessState)
		}
	}
	io.Copy(io.Discard, os.Stdin)
	cancel()
	for e := range events {
		if e.Type == EventOrphansKilled {
			fmt.Printf("killed %d of '%s'\n", e.Killed, e.Process)
		}
	}
	fmt.Println("Run:", <-done)
	fmt.Println("own:", own.Wait())
}

// reapedLines prints what is logged of orphans.
type reapedLines struct{ slog.Handler }

func (reapedLines) Enabled(context.Context, slog.Level) bool { return true }
func (reapedLines) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "reaped") {
		fmt.Println(r.Message)
	}
	return nil
}
