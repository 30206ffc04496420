package procmgr

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests are not parallel: they count what the whole process has.

func openFiles(t *testing.T) int {
	names, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(names)
}

func threads() (n int) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "Threads: %d", &n)
	}
	return n
}

// ours returns the children of this process, dead or alive.
func ours(t *testing.T) (pids []int) {
	all, err := allProcesses()
	require.NoError(t, err)
	for _, s := range all {
		if s.parent == os.Getpid() {
			pids = append(pids, s.pid)
		}
	}
	return pids
}

// endurance is how many of something a test takes: all if somebody has the time.
func endurance(some, all int) int {
	if os.Getenv("PROCMGR_ENDURANCE") != "" {
		return all
	}
	return some
}

func TestNothingIsLeakedByRestarts(t *testing.T) {
	dir := t.TempDir()
	p := Program{
		Name: "x", Command: "sh -c 'echo a line; exit 1'", StartSecs: Zero, AutoRestart: RestartAlways, RestartFloor: Zero,
		Stdout: Log{File: filepath.Join(dir, "log")},
	}
	before := openFiles(t)
	l := run(t, &Options{StateFile: filepath.Join(dir, "state"), Subreaper: true}, p)
	files, goroutines := 0, 0
	for i := range endurance(300, 10_000) {
		l.await("x", Running)
		if i == 100 {
			files, goroutines = openFiles(t), runtime.NumGoroutine()
		}
	}
	// Between two starts a child has its seven descriptors or none.
	assert.InDelta(t, files, openFiles(t), 9)
	assert.InDelta(t, goroutines, runtime.NumGoroutine(), 9)
	assert.LessOrEqual(t, len(ours(t)), 1)
	l.end()
	assert.InDelta(t, before, openFiles(t), 3, "the runtime keeps an epoll and an eventfd")
	assert.Empty(t, ours(t))
	info, err := os.Stat(filepath.Join(dir, "state"))
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(500))
}

func TestManyChildren(t *testing.T) {
	n := endurance(200, 1000)
	var programs []Program
	for i := range n {
		programs = append(programs, Program{
			Name: fmt.Sprint("x", i), Command: "sleep 1000", StartSecs: Zero, RedirectStderr: i%2 == 0,
			Stdout: Log{File: filepath.Join(t.TempDir(), "log")},
		})
	}
	memory := func() int64 {
		for range 2 { // what is in a sync.Pool outlives the first
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse + m.StackInuse)
	}
	files, ts, mem, goroutines := openFiles(t), threads(), memory(), runtime.NumGoroutine()
	l := run(t, &Options{EventBuffer: 10 * n}, programs...)
	for range n {
		l.awaitEvent(func(e Event) bool { return e.Type == EventProcessState && e.To == Running })
	}
	assert.Len(t, ours(t), n)
	assert.LessOrEqual(t, threads()-ts, 16, "a child costs no thread")
	assert.LessOrEqual(t, openFiles(t)-files, 4*n+10, "its standard input, its output, the log, itself")
	assert.LessOrEqual(t, runtime.NumGoroutine()-goroutines, 2*n+10, "its owner, and that of its output")
	assert.LessOrEqual(t, (memory()-mem)/int64(n), int64(24<<10), "bytes a child")
	l.end()
	assert.Empty(t, ours(t))
	assert.InDelta(t, files, openFiles(t), 3)
}

func TestAnUnreadableDirectoryCanBeOpened(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	require.NoError(t, os.Mkdir(dir, 0))
	p := Program{Name: "x", Command: "sleep 1000", StartSecs: Zero, Directory: dir}
	if os.Getuid() == 0 {
		p.User = "nobody" // nothing is unreadable to root
		for _, d := range []string{dir + "/..", dir + "/../.."} {
			require.NoError(t, os.Chmod(d, 0o755))
		}
	}
	l := run(t, nil, p)
	e := l.await("x", Backoff)
	assert.ErrorContains(t, fmt.Errorf("%s", e.Reason), "couldn't chdir to "+dir)
	assert.ErrorContains(t, fmt.Errorf("%s", e.Reason), syscall.EACCES.Error())
	require.NoError(t, os.Chmod(dir, 0o755))
	l.await("x", Running)
}
