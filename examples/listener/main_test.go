//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/procmgr"
)

// TestMain lets the test binary be the listener.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "be the listener" {
		main()
		return
	}
	os.Exit(m.Run())
}

// told gets a line with each Write.
type told chan string

func (c told) Write(line []byte) (int, error) {
	c <- string(line)
	return len(line), nil
}

func TestItTellsWhatHasEndedAndWhatCannotBeStarted(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	lines := make(told, 10)
	m := procmgr.New(nil)
	require.NoError(t, m.AddGroup(procmgr.Group{
		Name:     "watch",
		Listener: &procmgr.Listener{Events: []string{"PROCESS_STATE"}},
		Programs: []procmgr.Program{{
			Name: "watch", Args: []string{exe, "be the listener"}, StartSecs: procmgr.Zero, Stderr: procmgr.Log{Writer: procmgr.NewLineWriter(lines)},
		}},
	}))
	once := procmgr.Program{StartSecs: procmgr.Zero, StartRetries: procmgr.Zero, AutoRestart: procmgr.RestartNever}
	fine, broken, missing := once, once, once
	fine.Name, fine.Command = "fine", "true"
	broken.Name, broken.Command, broken.Priority = "broken", "false", 1000
	missing.Name, missing.Command, missing.Priority = "missing", "/nonexistent", 1001
	for _, p := range []procmgr.Program{fine, broken, missing} {
		require.NoError(t, m.Add(p))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	got := []string{<-lines, <-lines}
	cancel()
	require.NoError(t, <-done)
	text := strings.Join(got, "\n")
	require.Regexp(t, `broken:broken, which was process \d+, has ended`, text)
	require.Contains(t, text, "missing:missing cannot be started")
}

func TestABrokenHeaderEndsIt(t *testing.T) {
	var out, report bytes.Buffer
	require.Error(t, listen(strings.NewReader("ver:3.0 len:x\n"), &out, &report))
	require.Error(t, listen(strings.NewReader("ver:3.0 len:5\nab"), &out, &report))
	require.Error(t, listen(strings.NewReader("ver:3.0"), &out, &report))
	require.NoError(t, listen(strings.NewReader(""), &out, &report))
}
