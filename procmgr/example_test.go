//go:build unix

package procmgr_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"text/tabwriter"
	"time"

	"github.com/onehost-go/onehost/procmgr"
)

// Run a program, wait until it is RUNNING, and end in good order.
func Example() {
	m := procmgr.New(nil)
	err := m.Add(procmgr.Program{
		Name:      "scout",
		Command:   "sleep 1000",
		StartSecs: procmgr.Zero, // RUNNING as soon as it is started
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events := m.Events(context.Background()) // before Run, so as to miss nothing
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	for e := range events { // until Run has returned
		if e.Type == procmgr.EventProcessState {
			fmt.Println(e.Process, "is", e.To)
		}
		if e.To == procmgr.Running {
			cancel()
		}
	}
	fmt.Println("error:", <-done)
	// Output:
	// scout is STARTING
	// scout is RUNNING
	// scout is STOPPING
	// scout is STOPPED
	// error: <nil>
}

// Run three programs, and wait until all of them are RUNNING.
func ExampleManager_Run() {
	m := procmgr.New(nil)
	for i, name := range []string{"scout", "nipt", "gens"} {
		err := m.Add(procmgr.Program{Name: name, Command: "sleep 1000", Priority: 1 + i, StartSecs: procmgr.Zero})
		if err != nil {
			log.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Events(ctx)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	running := 0
	for e := range events {
		if e.To == procmgr.Running {
			fmt.Println(e.Process, "runs")
			if running++; running == 3 {
				break
			}
		}
	}
	cancel()
	fmt.Println("error:", <-done)
	// Output:
	// scout runs
	// nipt runs
	// gens runs
	// error: <nil>
}

// Send a program something, and follow its log.
func ExampleManager_FollowLog() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	m := procmgr.New(nil)
	err = m.Add(procmgr.Program{
		Name:      "cat",
		Command:   "cat",
		StartSecs: procmgr.Zero,
		Stdout:    procmgr.Log{File: dir + "/cat.log"},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Events(ctx)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for e := range events {
		if e.To == procmgr.Running {
			break
		}
	}

	chunks, err := m.FollowLog(ctx, "cat", procmgr.Stdout, 1024)
	if err != nil {
		log.Fatal(err)
	}
	if err := m.SendStdin("cat", []byte("hello\n")); err != nil {
		log.Fatal(err)
	}
	for chunk, err := range chunks {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s", chunk)
		break
	}
	cancel()
	<-done
	// Output:
	// hello
}

// An event listener is a program that is sent what happens. This one is a
// shell script that accepts whatever comes.
func ExampleListener() {
	const script = `while echo READY && read -r header; do
		name=${header##*eventname:}
		head -c "${header##*len:}" >/dev/null
		echo "heard ${name%% *}" >&2
		printf 'RESULT 2\nOK'
	done`
	heard := make(heading, 1)
	m := procmgr.New(nil)
	err := m.AddGroup(procmgr.Group{
		Name:     "ear",
		Listener: &procmgr.Listener{Events: []string{"REMOTE_COMMUNICATION"}},
		Programs: []procmgr.Program{{
			Name:      "ear",
			Args:      []string{"sh", "-c", script},
			StartSecs: procmgr.Zero,
			Stderr:    procmgr.Log{Writer: procmgr.NewLineWriter(heard)},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	m.SendRemoteCommEvent("deploy", "scout 1.2") // waits for the listener
	fmt.Println(<-heard)
	cancel()
	<-done
	// Output:
	// heard REMOTE_COMMUNICATION
}

// heading gets a line with each Write.
type heading chan string

func (h heading) Write(line []byte) (int, error) {
	h <- string(line)
	return len(line), nil
}

// Watch what happens, and restart a program.
func ExampleManager_Restart() {
	m := procmgr.New(nil)
	if err := m.Add(procmgr.Program{Name: "scout", Command: "sleep 1000", StartSecs: procmgr.Zero}); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Events(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	pids := map[int]bool{}
	for e := range events {
		if e.To != procmgr.Running {
			continue
		}
		pids[e.PID] = true
		if len(pids) == 2 {
			break
		}
		if err := m.Restart(ctx, "scout"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("process ids seen:", len(pids))

	cancel()
	<-done
	// Output:
	// process ids seen: 2
}

// A program that ends unexpectedly is reported, and started again.
func ExampleManager_Events() {
	m := procmgr.New(nil)
	err := m.Add(procmgr.Program{
		Name:         "scout",
		Command:      "false",
		StartSecs:    procmgr.Zero,
		RestartFloor: 10 * time.Millisecond, // else a second from start to start
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Events(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()

	exits := 0
	for e := range events {
		if e.To == procmgr.Exited {
			fmt.Printf("%s: %s → %s, exit status %d, expected %t: %s\n", e.Process, e.From, e.To, e.ExitStatus, e.Expected, e.Reason)
			if exits++; exits == 2 {
				break
			}
		}
	}
	cancel()
	<-done
	// Output:
	// scout: RUNNING → EXITED, exit status 1, expected false: Bad exit code 1
	// scout: RUNNING → EXITED, exit status 1, expected false: Bad exit code 1
}

// Print what supervisorctl status prints.
func ExampleManager_Status() {
	m := procmgr.New(nil)
	err := m.AddGroup(procmgr.Group{
		Name: "stage",
		Programs: []procmgr.Program{
			{Name: "nipt", Command: "nosuchcommand", StartRetries: procmgr.Zero},
			{Name: "scout", Command: "sleep 1000", Manual: true},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := m.Events(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	for e := range events {
		if e.Process == "nipt" && e.To == procmgr.Fatal {
			break
		}
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	for _, s := range m.Status() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.FullName(), s.State, s.Description())
	}
	w.Flush()

	err = m.Start(ctx, "stage:nipt")
	fmt.Println(err, errors.Is(err, procmgr.ErrNoFile))

	cancel()
	<-done
	// Output:
	// stage:nipt    FATAL     can't find command 'nosuchcommand'
	// stage:scout   STOPPED   Not started
	// stage:nipt: no such file: can't find command 'nosuchcommand' true
}
