//go:build unix

package procmgr

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// BenchmarkStartStop starts so many programs, waits until all are RUNNING, and
// stops them.
func BenchmarkStartStop(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var programs []Program
			for i := range n {
				programs = append(programs, Program{Name: fmt.Sprint("p", i), Command: "sleep 1000", StartSecs: Zero})
			}
			var started, stopped time.Duration
			for b.Loop() {
				began := time.Now()
				l := run(b, &Options{EventBuffer: 10 * n}, programs...)
				for range n {
					l.awaitEvent(func(e Event) bool { return e.To == Running })
				}
				started += time.Since(began)
				began = time.Now()
				l.end()
				stopped += time.Since(began)
			}
			b.ReportMetric(started.Seconds()*1000/float64(b.N), "start-ms/op")
			b.ReportMetric(stopped.Seconds()*1000/float64(b.N), "stop-ms/op")
		})
	}
}

// BenchmarkRestart is the time from the death of a child to the next one.
func BenchmarkRestart(b *testing.B) {
	l := run(b, nil, Program{Name: "p", Command: "true", StartSecs: Zero, AutoRestart: RestartAlways, RestartFloor: Zero})
	var gaps []time.Duration
	for b.Loop() {
		exit := l.await("p", Exited)
		gaps = append(gaps, l.await("p", Running).Time.Sub(exit.Time))
	}
	reportPercentiles(b, gaps)
}

// BenchmarkRestartFloor is what of this the system and the runtime need.
func BenchmarkRestartFloor(b *testing.B) {
	var gaps []time.Duration
	for b.Loop() {
		began := time.Now()
		p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
		if err != nil {
			b.Fatal(err)
		}
		gaps = append(gaps, time.Since(began))
		p.Wait()
	}
	reportPercentiles(b, gaps)
}

func reportPercentiles(b *testing.B, d []time.Duration) {
	slices.Sort(d)
	b.ReportMetric(d[len(d)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(d[len(d)*99/100].Seconds()*1000, "p99-ms")
}

// BenchmarkStatus asks a thousand processes.
func BenchmarkStatus(b *testing.B) {
	m := New(nil)
	for i := range 1000 {
		if err := m.Add(Program{Name: fmt.Sprint("p", i), Command: "x"}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(m.Status()) != 1000 {
			b.Fatal("not all are there")
		}
	}
}

// BenchmarkLog is a child that writes 4 KiB at a time into a rotated file. For
// figures, let TMPDIR be in memory.
func BenchmarkLog(b *testing.B) {
	const size = 256 << 20
	p := role(b, "x", "pour %d", size)
	p.Manual = true
	p.Stdout = Log{File: b.TempDir() + "/log", Backups: 1000} // to remove one takes milliseconds
	l := run(b, nil, p)
	b.SetBytes(size)
	for b.Loop() {
		if err := l.Start(b.Context(), "x"); err != nil {
			b.Fatal(err)
		}
		l.await("x", Exited)
	}
	if dropped := l.status("x").Dropped; dropped > 0 {
		b.Fatalf("%d bytes were lost", dropped)
	}
}
