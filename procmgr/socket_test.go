//go:build unix

package procmgr

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dialed returns what a process says to who connects.
func dialed(t *testing.T, network, address string) (string, error) {
	conn, err := net.Dial(network, address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	name, err := io.ReadAll(conn)
	return string(name), err
}

func TestProcessesShareASocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "pm")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	require.NoError(t, os.WriteFile(path, nil, 0o600), "in its way")

	l := run(t, nil)
	out := newSink()
	g := Group{Name: "g", Socket: &Socket{Network: "unix", Address: path, Mode: 0o640, Backlog: 5, Owner: fmt.Sprint(os.Getuid())}}
	for _, name := range []string{"a", "b"} {
		p := role(t, name, "serve")
		p.Stdout.Writer = out
		p.AutoRestart = RestartNever
		g.Programs = append(g.Programs, p)
	}
	require.NoError(t, l.AddGroup(g))
	out.await(t, "up\nup\n")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSocket|0o640, info.Mode())
	name, err := dialed(t, "unix", path)
	require.NoError(t, err)
	assert.Contains(t, "ab", name)
	assert.ErrorIs(t, l.SendStdin("g:a", []byte("x")), ErrNoFile)

	require.NoError(t, l.Stop(t.Context(), "g:a"))
	name, err = dialed(t, "unix", path)
	require.NoError(t, err)
	assert.Equal(t, "b", name)
	require.NoError(t, l.Stop(t.Context(), "g:b"))
	_, err = dialed(t, "unix", path)
	// A child that is being made elsewhere may have the socket for a moment: then
	// the connection is made, and reset.
	assert.Error(t, err, "nobody accepts")
	require.NoError(t, l.Start(t.Context(), "g:a"))
	name, err = dialed(t, "unix", path)
	require.NoError(t, err)
	assert.Equal(t, "a", name)
}

func TestASocketOfTCP(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	s := sharedSocket{Socket: Socket{Network: "tcp", Address: "127.0.0.1:0"}}
	file, err := s.take()
	require.NoError(t, err)
	free, err := net.FileListener(file)
	require.NoError(t, err)
	address := free.Addr().String()
	free.Close()
	s.release()
	require.NoError(t, l.AddGroup(Group{Name: "g", Socket: &Socket{Network: "tcp", Address: address}, Programs: []Program{role(t, "a", "serve")}}))
	name, err := dialed(t, "tcp", address)
	require.NoError(t, err)
	assert.Equal(t, "a", name)
}

func TestASocketThatCannotBeIsASpawnError(t *testing.T) {
	t.Parallel()
	l := run(t, nil)
	p := role(t, "a", "serve")
	p.Manual, p.StartRetries = true, Zero
	address := filepath.Join(t.TempDir(), strings.Repeat("long", 50))
	require.NoError(t, l.AddGroup(Group{Name: "g", Socket: &Socket{Network: "unix", Address: address}, Programs: []Program{p}}))
	err := l.Start(t.Context(), "g:a")
	assert.ErrorIs(t, err, ErrFatal)
	assert.ErrorContains(t, err, "couldn't create socket unix://"+address)
}

func TestBadSocketsAreRefused(t *testing.T) {
	m := New(nil)
	for _, s := range []Socket{
		{}, {Network: "udp", Address: "x"}, {Network: "tcp"}, {Network: "tcp", Address: "x:1", Mode: 0o600},
		{Network: "tcp", Address: "x:1", Owner: "x"}, {Network: "unix", Address: "x", Backlog: -1},
	} {
		assert.Error(t, m.AddGroup(Group{Name: "g", Socket: &s, Programs: []Program{{Name: "x", Command: "x"}}}), "%v", s)
	}
	assert.Error(t, m.AddGroup(Group{Name: "g", Socket: &Socket{Network: "unix", Address: "x"}, Listener: &remote, Programs: []Program{{Name: "x", Command: "x"}}}))
}
