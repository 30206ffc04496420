package procmgr

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrphansAreReapedAndNobodyElse(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	require.NoError(t, err)
	foster := func(t *testing.T, chosen string, command ...string) (tells *bufio.Scanner, family []*holder, end func()) {
		lines := []*lifeline{newLifeline(t), newLifeline(t)}
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = append(os.Environ(), childEnv+"=foster "+lines[0].path+" "+lines[1].path+chosen, "GORACE=atexit_sleep_ms=0")
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			stdin.Close()
			cmd.Wait()
		})
		for i := range 8 {
			family = append(family, lines[i%2].holder(t))
		}
		return bufio.NewScanner(stdout), family, func() { stdin.Close() }
	}
	// die lets half of the orphans in the process group end, and half of those
	// elsewhere, and waits until they are reaped.
	die := func(t *testing.T, tells *bufio.Scanner, family []*holder) (left []*holder) {
		ended := map[string]bool{}
		for i, h := range family {
			if i < 4 {
				ended[fmt.Sprintf("reaped unknown pid %d (exit status 0)", h.pid)] = true
				h.conn.Close()
			} else {
				left = append(left, h)
			}
		}
		for len(ended) > 0 && tells.Scan() {
			if strings.HasSuffix(tells.Text(), "(exit status 0)") && !ended[tells.Text()] {
				continue // their parents, if these are orphans, too
			}
			require.Contains(t, ended, tells.Text())
			delete(ended, tells.Text())
		}
		require.Empty(t, ended, "they are not reaped")
		return left
	}
	rest := func(tells *bufio.Scanner) (lines []string) {
		for tells.Scan() {
			if !strings.HasPrefix(tells.Text(), "reaped") {
				lines = append(lines, tells.Text())
			}
		}
		return lines
	}

	t.Run("subreaper", func(t *testing.T) {
		t.Parallel()
		tells, family, end := foster(t, " chosen", exe)
		left := die(t, tells, family)
		end()
		assert.Equal(t, []string{"killed 2 of 'x'", "killed 2 of ''", "Run: <nil>", "own: exit status 9"}, rest(tells))
		for _, h := range left {
			assert.True(t, dead(t, h.pid))
		}
	})

	t.Run("process 1", func(t *testing.T) {
		t.Parallel()
		namespace := []string{"unshare", "--fork", "--pid", "--kill-child", "--mount-proc"}
		if err := exec.Command(namespace[0], append(namespace[1:], "true")...).Run(); err != nil {
			t.Skip("process namespaces cannot be made: ", err)
		}
		tells, family, end := foster(t, "", append(namespace, exe)...)
		left := die(t, tells, family)
		end()
		assert.Equal(t, []string{"killed 2 of 'x'", "Run: <nil>", "own: exit status 9"}, rest(tells))
		for _, h := range left {
			h.awaitDeath(t) // with process 1
		}
	})
}
