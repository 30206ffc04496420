//go:build unix

package procmgr

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// beShortOfDescriptors starts a program with more and more free descriptors,
// and tells from how many on it can be.
func beShortOfDescriptors() {
	m := New(nil)
	program := Program{Name: "x", Command: "cat", StartSecs: Zero, StartRetries: Zero, Manual: true, Stdout: Log{File: os.DevNull, Events: true}}
	patient := program
	patient.Name, patient.StartRetries = "patient", 0
	leaver := Program{Name: "leaver", Command: "sh -c 'sleep 1000 & exit 0'", StartSecs: Zero}
	for _, p := range []Program{program, patient, leaver} {
		if err := m.Add(p); err != nil {
			panic(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	events := m.Events(ctx)
	go func() { done <- m.Run(ctx) }()
	for e := range events {
		if e.Process == "leaver" && e.To == Exited {
			break
		}
	}
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	fill := func() (full []*os.File) {
		for {
			f, err := os.Open(os.DevNull)
			if err != nil {
				return full
			}
			full = append(full, f)
		}
	}
	full := fill()
	events = m.Events(ctx)
	fmt.Println(m.Start(ctx, "patient"))
	for free := range full {
		closeAll(full[:free])
		err := m.Start(ctx, "x")
		if err == nil {
			fmt.Println("started")
			break
		}
		fmt.Println(err)
		if again := fill(); len(again) != free {
			fmt.Printf("of %d free descriptors %d are left\n", free, len(again))
			break
		} else {
			copy(full, again)
		}
	}
	closeAll(full)
	for e := range events {
		if e.Process == "patient" && e.Type == EventProcessState && e.To == Running {
			fmt.Println("patient, too")
			break
		}
	}
	fill()
	events = m.Events(context.Background())
	cancel()
	for e := range events {
		if e.Type == EventOrphansKilled {
			fmt.Printf("killed %d of %s\n", e.Killed, e.Process)
		}
	}
	fmt.Println(<-done)
}

func TestWithoutDescriptorsAStartFailsAndNothingElse(t *testing.T) {
	t.Parallel()
	p := role(t, "x", "emfile")
	out := newSink()
	p.Stdout.Writer = out
	l := run(t, nil, p)
	l.await("x", Exited)
	assert.Regexp(t, `^patient: spawn error: too many open files to spawn 'patient'\n`+
		`(x: spawn error, given up: too many open files to spawn 'x'\n){4,20}`+
		`started\npatient, too\nkilled [01] of leaver\n<nil>\n$`, out.String())
}
