package procmgr

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// killedManager runs programs that answer, kills their manager, and returns
// them by name.
func killedManager(t *testing.T, state string, names ...string) map[string]*holder {
	t.Helper()
	line := newLifeline(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	manager := exec.Command(exe)
	manager.Env = append(os.Environ(), fmt.Sprintf("%s=keeper %s %s %s", childEnv, state, line.path, strings.Join(names, " ")))
	require.NoError(t, manager.Start())
	byPid := map[int]*holder{}
	for range names {
		h := line.holder(t)
		byPid[h.pid] = h
	}
	require.NoError(t, manager.Process.Kill())
	manager.Wait()

	children := map[string]*holder{}
	for _, name := range names {
		for pid, h := range byPid {
			env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			require.NoError(t, err)
			if strings.Contains(string(env), "SUPERVISOR_PROCESS_NAME="+name+"\x00") {
				children[name] = h
			}
		}
	}
	require.Len(t, children, len(names))
	return children
}

func TestWhatSurvivedAKilledManagerIsAdopted(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	children := killedManager(t, state, "x", "y", "z")
	killAndAwait(t, children["z"].pid)

	out := newSink()
	x, z := role(t, "x", "stay"), role(t, "z", "stay")
	x.Stdout.Writer = out
	x.AutoRestart = RestartUnexpected
	x.RestartFloor = Zero
	l := run(t, &Options{StateFile: state}, x, z)
	pids := map[string]int{}
	for len(pids) < 2 {
		e := l.awaitEvent(func(e Event) bool { return e.To == Running })
		pids[e.Process] = e.PID
	}
	assert.Equal(t, children["x"].pid, pids["x"], "it is the same")
	assert.True(t, l.status("x").Adopted)
	assert.NotEqual(t, children["z"].pid, pids["z"], "it was started anew")

	io.WriteString(children["x"].conn, "how do you do\n")
	out.await(t, "how do you do\n") // its output is logged again

	// Nobody had asked for y, and nobody harms it.
	l.end()
	assert.True(t, dead(t, children["x"].pid), "it was stopped with the others")
	assert.False(t, dead(t, children["y"].pid))
	t.Run("again", func(t *testing.T) {
		l := run(t, &Options{StateFile: state})
		e := l.awaitEvent(func(e Event) bool { return e.Type == EventSurvivor })
		assert.Equal(t, "PROCESS_SURVIVOR processname:y groupname:y pid:"+fmt.Sprint(children["y"].pid), e.String())
	})
}

func TestTheEndOfASurvivorIsSeen(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	children := killedManager(t, state, "x")
	x := role(t, "x", "stay")
	x.AutoRestart = RestartUnexpected
	x.RestartFloor = Zero
	l := run(t, &Options{StateFile: state}, x)
	require.Equal(t, children["x"].pid, l.await("x", Running).PID)
	children["x"].conn.Close() // it ends by itself
	e := l.await("x", Exited)
	assert.Equal(t, -1, e.ExitStatus, "only its parent can know the true one")
	l.await("x", Running)
	assert.False(t, l.status("x").Adopted)
}

func TestAStateFileIsOfOneManager(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "state")
	run(t, &Options{StateFile: state}, role(t, "x", "stay"))
	err := New(&Options{StateFile: state}).Run(t.Context())
	assert.EqualError(t, err, "procmgr: state file "+state+": another manager uses it")
}

func TestASurvivorMustHaveItsBirthday(t *testing.T) {
	t.Parallel()
	// A process that is no child of an earlier Run, but has the pid of one.
	cmd := exec.Command("cat")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	stat, err := readStat(cmd.Process.Pid)
	require.NoError(t, err)
	state := filepath.Join(t.TempDir(), "state")
	s, _, _, err := openStateFile(state)
	require.NoError(t, err)
	require.NoError(t, s.set("x:x", childRecord{pid: stat.pid, start: stat.start - 1}))
	s.close()

	l := run(t, &Options{StateFile: state}, role(t, "x", "stay"))
	assert.NotEqual(t, stat.pid, l.await("x", Running).PID)
	l.end()
	stdin.Close()
	assert.NoError(t, cmd.Wait(), "it ended of its own accord")
}

func TestStateFile(t *testing.T) {
	t.Parallel()
	open := func(path string) (*stateFile, map[string]childRecord, int) {
		s, found, odd, err := openStateFile(path)
		require.NoError(t, err)
		t.Cleanup(s.close)
		return s, found, odd
	}
	path := filepath.Join(t.TempDir(), "state")
	s, found, odd := open(path)
	assert.Empty(t, found)
	assert.Zero(t, odd)
	a := childRecord{pid: 12, start: 345, pipes: [2]uint64{6, 7}}
	b := childRecord{pid: 8}
	require.NoError(t, s.set("g:å", a))
	require.NoError(t, s.set("b:b", b))
	require.NoError(t, s.set("c:c", b))
	require.NoError(t, s.set("b:b", childRecord{}))
	s.close()

	s, found, odd = open(path)
	assert.Equal(t, map[string]childRecord{"g:å": a, "c:c": b}, found)
	assert.Zero(t, odd)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	for range 100 {
		require.NoError(t, s.set("b:b", a))
		require.NoError(t, s.set("c:c", childRecord{}))
	}
	s.close()
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Len(t, after, len(before), "each process has its place")

	// What cannot be understood is told, and harms nothing else.
	after = append(after, "rubbish\n     12 torn"...)
	require.NoError(t, os.WriteFile(path, after, 0o600))
	s, found, odd = open(path)
	assert.Equal(t, map[string]childRecord{"g:å": a, "b:b": a}, found)
	assert.Equal(t, 2, odd)
	require.NoError(t, s.set("d:d", b))
	s.close()
	_, found, odd = open(path)
	assert.Equal(t, map[string]childRecord{"g:å": a, "b:b": a, "d:d": b}, found)
	assert.Equal(t, 1, odd, "the torn line has been overwritten")
}

func FuzzStateFile(f *testing.F) {
	const title = stateTitle + "x\n"
	f.Add(childRecord{pid: 1, start: 2}.line("a:a") + "odd\n" + childRecord{}.line("b:b"))
	f.Add(childRecord{pid: 1, start: 2}.line("a:a")[:40])
	f.Fuzz(func(t *testing.T, lines string) {
		s := &stateFile{places: map[string]int64{}}
		found, _ := s.parse(title, title+lines)
		require.LessOrEqual(t, s.end, int64(len(title+lines)))
		for name, at := range s.places {
			line := (title + lines)[at : at+int64(len(found[name].line(name)))]
			require.True(t, strings.HasSuffix(line, " "+name+"\n"), "%q", line)
		}
		for name, r := range found {
			require.Contains(t, s.places, name)
			require.Contains(t, lines, r.line(name))
		}
	})
}

func TestAStateFileOfAnotherBootIsForgotten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	us, _ := readStat(os.Getpid())
	old := stateTitle + "0c5a1d52-7e1c-4b25-9b45-1c1f7c4c2f0e\n" + childRecord{pid: us.pid, start: us.start}.line("x:x")
	require.NoError(t, os.WriteFile(path, []byte(old), 0o600))
	s, found, odd, err := openStateFile(path)
	require.NoError(t, err)
	s.close()
	assert.Empty(t, found)
	assert.Zero(t, odd)
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(now), "x:x")
}

func TestAForeignStateFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "notes")
	const text = "children of ours are no business of yours"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	err := New(&Options{StateFile: path}).Run(t.Context())
	assert.EqualError(t, err, "procmgr: state file "+path+": it is something else")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text, string(data), "it is untouched")

	open := filepath.Join(dir, "open")
	require.NoError(t, os.WriteFile(open, nil, 0o600))
	require.NoError(t, os.Chmod(open, 0o666))
	err = New(&Options{StateFile: open}).Run(t.Context())
	assert.ErrorContains(t, err, "nobody else can write to")

	err = New(&Options{StateFile: filepath.Join(dir, "no", "dir")}).Run(t.Context())
	assert.ErrorIs(t, err, os.ErrNotExist)
	err = New(&Options{StateFile: "/dev/null"}).Run(t.Context())
	assert.ErrorContains(t, err, "regular file")
}
