//go:build unix

package supervisord

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

func supervisorctl(t testing.TB) string { return testenv.Program(t, "supervisorctl") }

// usage writes down what the server says when it does not start.
func (d *drive) usage(args ...string) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.path, args...)
	cmd.Dir = d.dir
	cmd.Env = d.environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		require.ErrorAs(d.t, err, new(*exec.ExitError))
	}
	said := strings.ReplaceAll(string(out), cmd.Args[0], "PROGRAM")
	var lines []string
	for line := range strings.Lines(said) {
		if !strings.Contains(line, " CRIT ") && !strings.Contains(line, " INFO ") { // of the log
			lines = append(lines, line)
		}
	}
	d.tell("$ supervisord %s\n%s[%d]", strings.Join(args, " "), strings.Join(lines, ""), cmd.ProcessState.ExitCode())
}

func scenarioUsage(d *drive) {
	d.usage("-v")
	d.usage("--version")
	for _, args := range []string{"-x", "--nope", "--log", "-c", "--configuration", "--nodaemon=1", "x y", "-n -n -c x", "-e loud -c x", "-y 5XB -c x",
		"-d /nonexistent -c x", "-l /nonexistent/x -c x", "-m 9 -c x", "-u nobody-of-that-name -c x", "-a many -c x", "-c nope", "-n -c nope"} {
		d.usage(strings.Fields(args)...)
	}
	for _, broken := range []string{"[program:bad]\nstartsecs=1\n", "[program:a]\ncommand=x\nstartsecs=xyz\n", "[eventlistener:a]\ncommand=x\n",
		"[rpcinterface:x]\nsupervisor.rpcinterface_factory=no.such:thing\n", "[inet_http_server]\nport=x\n", "[unix_http_server]\nusername=a\nfile=/tmp/x\n"} {
		d.configure(broken)
		d.usage("-n", "-c", "conf")
	}
	require.NoError(d.t, os.WriteFile(d.file("conf"), []byte("[program:x]\ncommand=x\n"), 0o600))
	d.usage("-n", "-c", "conf")

	d.configure("")
	l, err := net.Listen("unix", d.file("s"))
	require.NoError(d.t, err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.Read(make([]byte, 100))
				c.Write([]byte("x"))
				io.Copy(io.Discard, c) // until it has been read
			}()
		}
	}()
	d.usage("-n", "-c", "conf")
	require.NoError(d.t, l.Close())
}

// A real supervisord takes the socket for one that is left over, and tries to
// remove it for ever.
func TestASocketThatCannotBeMadeIsAnError(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	got := through(t, func(d *drive) {
		require.NoError(d.t, os.WriteFile(d.file("conf"), []byte("[supervisord]\nlogfile=main.log\n[unix_http_server]\nfile="+d.file("none/s")+"\n"), 0o600))
		d.usage("-n", "-c", "conf")
	}, exe)
	require.Equal(t, "$ supervisord -n -c conf\nError: Cannot open an HTTP server: socket.error reported errno.ENOENT (2)\n"+
		"For help, use PROGRAM -h\n[2]\n", got)
}
