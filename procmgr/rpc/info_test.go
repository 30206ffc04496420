package rpc

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/procmgr"
)

func sampleStatus(i int) procmgr.Status {
	now := time.Unix(1_800_000_000, 0)
	return procmgr.Status{
		Group: fmt.Sprintf("p%04d", i), Name: fmt.Sprintf("p%04d", i), State: procmgr.Running, PID: 10_000 + i,
		Start: now.Add(-time.Hour), Now: now, StdoutLog: "/var/log/out.log", StderrLog: "/var/log/err.log",
	}
}

// over returns v as the other side has it.
func over(t *testing.T, v any) map[string]any {
	b, err := appendReply(nil, v)
	require.NoError(t, err)
	got, err := parseReply(string(b))
	require.NoError(t, err)
	return got.(map[string]any)
}

func TestAStatusArrivesWhole(t *testing.T) {
	s := sampleStatus(1)
	s.Group, s.State, s.Stop, s.SpawnErr, s.ExitStatus, s.PID = "g", procmgr.Exited, s.Now, "Bad exit code 3", 3, 0
	got := processInfoOf(over(t, s))
	require.Equal(t, ProcessInfo{
		Group: "g", Name: "p0001", Description: s.Description(), Start: s.Start, Stop: s.Stop, Now: s.Now, State: procmgr.Exited,
		SpawnErr: "Bad exit code 3", ExitStatus: 3, StdoutLog: "/var/log/out.log", StderrLog: "/var/log/err.log",
	}, got)
	require.Equal(t, "g:p0001", got.FullName())

	never := processInfoOf(over(t, procmgr.Status{Group: "a", Name: "a", Now: s.Now}))
	require.True(t, never.Start.IsZero())
	require.Equal(t, "Not started", never.Description)

	late := over(t, procmgr.Status{Now: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.Equal(t, 1<<31-1, late["now"], "as supervisord: XML-RPC integers end in 2038")
}

func TestAConfigurationArrivesWhole(t *testing.T) {
	c := ConfigInfo{
		Group: "g", Name: "a", InUse: true, GroupPriority: 1, ProcessPriority: 2, Command: "sleep 1000", Directory: "/srv", UID: 33,
		Autostart: true, StartSecs: 3, StartRetries: 4, ExitCodes: []int{0, 2}, StopSignal: 15, StopWaitSecs: 5, KillAsGroup: true, RedirectStderr: true,
		Stdout:    LogInfo{"/var/log/a", 50 << 20, 10, 1024, true, true},
		Stderr:    LogInfo{"/var/log/b", 1, 2, 3, true, false},
		ServerURL: "auto",
	}
	require.Equal(t, c, configInfoOf(over(t, c.structure())))
	c.UID, c.Directory, c.ServerURL, c.Stdout.File = -1, "", "", ""
	over := over(t, c.structure())
	require.Equal(t, []any{"none", "none", "none", "none"}, []any{over["uid"], over["directory"], over["serverurl"], over["stdout_logfile"]})
	require.Equal(t, c, configInfoOf(over))
	for sent, want := range map[any]string{true: "true", false: "false", "unexpected": "unexpected"} {
		over["autorestart"] = sent // of Supervisor 4.4
		require.Equal(t, want, configInfoOf(over).Autorestart)
	}
}
