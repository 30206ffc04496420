package supervisord

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgramsInheritTheSignalsThatPythonIgnores(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "supervisord.conf")
	text := fmt.Sprintf(`[supervisord]
logfile=%[1]s/log
pidfile=%[1]s/pid
[program:x]
command=sh -c "grep SigIgn /proc/self/status >%[1]s/status; kill -TERM $PPID; sleep 1000"
`, dir)
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
	assert.Zero(t, Main([]string{"supervisord", "-n", "-c", conf}, io.Discard, os.Stderr))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	require.NoError(t, err)
	var ignored uint64
	_, err = fmt.Sscanf(string(status), "SigIgn: %x", &ignored)
	require.NoError(t, err)
	assert.Equal(t, uint64(1<<(syscall.SIGPIPE-1)|1<<(syscall.SIGXFSZ-1)), ignored)
}
