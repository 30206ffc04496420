//go:build unix

package peers

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cpuTime is what this process has used of all processors so far, the
// collector included.
func cpuTime(t testing.TB) time.Duration {
	var r syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// heap returns the bytes that are in use once all garbage is gone. It takes two
// collections: what has a finalizer, or lies in a sync.Pool, outlives the first.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// kept returns the bytes that what make returns keeps in use.
func kept(make func() any) float64 {
	before := heap()
	v := make()
	after := heap()
	runtime.KeepAlive(v)
	return after - before
}

// run is the loop of a benchmark whose op reads size bytes. It reports the
// bytes read in a second of processor time, which other programs of the machine
// disturb less than the clock.
func run(b *testing.B, size int, op func()) {
	b.ReportAllocs()
	b.SetBytes(int64(size))
	runtime.GC()
	start := cpuTime(b)
	for b.Loop() {
		op()
	}
	used := (cpuTime(b) - start).Seconds()
	b.ReportMetric(float64(size)*float64(b.N)/1e6/used, "MB/cpu-s")
	b.ReportMetric(used*1e3/float64(b.N), "cpu-ms/op")
}
