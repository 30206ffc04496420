package procmgr

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestZeroFieldsAreSupervisorsDefaults(t *testing.T) {
	p := Program{Name: "x", Command: "x"}.resolved()
	assert.Equal(t, &Program{
		Name: "x", Command: "x", Umask: inheritUmask, Priority: 999, StartSecs: 1, StartRetries: 3,
		RestartFloor: time.Second, ExitCodes: []int{0}, StopSignal: 15, StopWaitSecs: 10,
		Stdout: Log{MaxBytes: 50 << 20, Backups: 10}, Stderr: Log{MaxBytes: 50 << 20, Backups: 10},
	}, p)
}

func TestZeroIsZero(t *testing.T) {
	given := Program{
		Umask: Zero, Priority: Zero, StartSecs: Zero, StartRetries: Zero, RestartFloor: Zero, StopWaitSecs: Zero,
		Stdout: Log{MaxBytes: Zero, Backups: Zero},
	}
	p := given.resolved()
	assert.Zero(t, p.Umask)
	assert.Zero(t, p.Priority)
	assert.Zero(t, p.StartSecs)
	assert.Zero(t, p.StartRetries)
	assert.Zero(t, p.RestartFloor)
	assert.Zero(t, p.StopWaitSecs)
	assert.Zero(t, p.Stdout)
	assert.Equal(t, Zero, given.StartSecs, "the caller's program is left as it is")
}

func TestResolvedSharesNothingWithTheCaller(t *testing.T) {
	given := Program{Args: []string{"a"}, ExitCodes: []int{1}, Environment: map[string]string{"A": "1"}}
	p := given.resolved()
	given.Args[0], given.ExitCodes[0], given.Environment["A"] = "b", 2, "2"
	assert.Equal(t, []string{"a"}, p.Args)
	assert.Equal(t, []int{1}, p.ExitCodes)
	assert.Equal(t, "1", p.Environment["A"])
}

func TestBadProgramsAreRefused(t *testing.T) {
	for _, test := range []struct {
		says string
		prog Program
	}{
		{"procmgr: a program or group has no name", Program{Command: "x"}},
		{"procmgr: Invalid name: 'a b' because of character: ' '", Program{Name: "a b", Command: "x"}},
		{"procmgr: Invalid name: 'a:b' because of character: ':'", Program{Name: "a:b", Command: "x"}},
		{"procmgr: Invalid name: 'a/b' because of character: '/'", Program{Name: "a/b", Command: "x"}},
		{`procmgr: Invalid name: 'a\nb' because of character: '\n'`, Program{Name: "a\nb", Command: "x"}},
		{"procmgr: program a: it does not specify a command", Program{Name: "a"}},
		{"procmgr: program a: StartSecs -1 is not within 0 and 1000000000", Program{Name: "a", Command: "x", StartSecs: -1}},
		{"procmgr: program a: StopWaitSecs 1000000001 is not within 0 and 1000000000", Program{Name: "a", Command: "x", StopWaitSecs: 1000000001}},
		{"procmgr: program a: StartRetries -2 is not within 0 and 1000000000", Program{Name: "a", Command: "x", StartRetries: -2}},
		{"procmgr: program a: RestartFloor is negative: -1s", Program{Name: "a", Command: "x", RestartFloor: -time.Second}},
		{"procmgr: program a: exit code 256 is not within 0 and 255", Program{Name: "a", Command: "x", ExitCodes: []int{0, 256}}},
		{"procmgr: program a: Umask 01000 is not within 0 and 0777", Program{Name: "a", Command: "x", Umask: 0o1000}},
		{"procmgr: program a: AutoRestart(3) is no AutoRestart", Program{Name: "a", Command: "x", AutoRestart: 3}},
		{"procmgr: program a: 65 is no signal", Program{Name: "a", Command: "x", StopSignal: 65}},
		{`procmgr: program a: "A=B" cannot name an environment variable`, Program{Name: "a", Command: "x", Environment: map[string]string{"A=B": ""}}},
		{"procmgr: program a: a log limit is negative: MaxBytes -5, Backups 0", Program{Name: "a", Command: "x", Stdout: Log{MaxBytes: -5}}},
		{"procmgr: program a: Stderr has a log of its own, but RedirectStderr is set", Program{Name: "a", Command: "x", RedirectStderr: true, Stderr: Log{File: "f"}}},
	} {
		assert.EqualError(t, New(nil).Add(test.prog), test.says)
	}
}

func TestBadGroupsAreRefused(t *testing.T) {
	m := New(nil)
	assert.EqualError(t, m.AddGroup(Group{Name: "g"}), "procmgr: group g has no programs")
	x := Program{Name: "x", Command: "x"}
	assert.EqualError(t, m.AddGroup(Group{Name: "g", Programs: []Program{x, x}}), "procmgr: group g has two programs x")
	require.NoError(t, m.AddGroup(Group{Name: "g", Programs: []Program{x}}))
	err := m.AddGroup(Group{Name: "g", Programs: []Program{x}})
	assert.ErrorIs(t, err, ErrAlreadyAdded)
	assert.EqualError(t, err, "g: already added")
	assert.Len(t, m.Status(), 1)
}

func TestNamesAreUpstreams(t *testing.T) {
	for _, test := range []struct {
		value any
		text  string
	}{
		{Stopped, "STOPPED"}, {Starting, "STARTING"}, {Running, "RUNNING"}, {Backoff, "BACKOFF"},
		{Stopping, "STOPPING"}, {Exited, "EXITED"}, {Fatal, "FATAL"}, {Unknown, "UNKNOWN"},
		{RestartUnexpected, "unexpected"}, {RestartAlways, "true"}, {RestartNever, "false"},
		{EventProcessState, "PROCESS_STATE"}, {EventGroupAdded, "PROCESS_GROUP_ADDED"},
		{EventGroupRemoved, "PROCESS_GROUP_REMOVED"}, {EventRunning, "SUPERVISOR_STATE_CHANGE_RUNNING"},
		{EventStopping, "SUPERVISOR_STATE_CHANGE_STOPPING"}, {EventOrphansKilled, "PROCESS_ORPHANS_KILLED"},
		{EventLogStdout, "PROCESS_LOG_STDOUT"}, {EventLogStderr, "PROCESS_LOG_STDERR"},
		{EventCommunicationStdout, "PROCESS_COMMUNICATION_STDOUT"},
		{EventCommunicationStderr, "PROCESS_COMMUNICATION_STDERR"},
		{EventRemoteCommunication, "REMOTE_COMMUNICATION"},
		{EventTick5, "TICK_5"}, {EventTick60, "TICK_60"}, {EventTick3600, "TICK_3600"},
		{Stdout, "stdout"}, {Stderr, "stderr"},
		{ManagerShutdown, "SHUTDOWN"}, {ManagerRestarting, "RESTARTING"}, {ManagerRunning, "RUNNING"}, {ManagerFatal, "FATAL"},
	} {
		got, err := json.Marshal(test.value)
		require.NoError(t, err)
		assert.Equal(t, `"`+test.text+`"`, string(got))
	}
	for state, text := range map[State]string{Stopped: "STOPPED", Fatal: "FATAL", Unknown: "UNKNOWN"} {
		var s State
		require.NoError(t, s.UnmarshalText([]byte(text)))
		assert.Equal(t, state, s)
	}
	var s State
	assert.EqualError(t, s.UnmarshalText([]byte("Running")), `procmgr: "Running" is no process state`)
	var r AutoRestart
	require.NoError(t, r.UnmarshalText([]byte("false")))
	assert.Equal(t, RestartNever, r)
	assert.EqualError(t, r.UnmarshalText([]byte("no")), `procmgr: "no" is no autorestart value`)
	var e EventType
	require.NoError(t, e.UnmarshalText([]byte("PROCESS_GROUP_ADDED")))
	assert.Equal(t, EventGroupAdded, e)
	assert.EqualError(t, e.UnmarshalText([]byte("TICK_7")), `procmgr: "TICK_7" is no event type`)
	require.NoError(t, e.UnmarshalText([]byte("TICK_3600")))
	assert.Equal(t, EventTick3600, e)
	assert.Error(t, e.UnmarshalText(nil))
	var c Channel
	require.NoError(t, c.UnmarshalText([]byte("stderr")))
	assert.Equal(t, Stderr, c)
	assert.Error(t, c.UnmarshalText([]byte("stdin")))
	var ms ManagerState
	require.NoError(t, ms.UnmarshalText([]byte("SHUTDOWN")))
	assert.Equal(t, ManagerShutdown, ms)
	assert.Error(t, ms.UnmarshalText([]byte("STOPPED")))
}

func TestPayloadsAreSupervisors(t *testing.T) {
	x := Event{Type: EventProcessState, Group: "g", Process: "p", From: Running, PID: 5, Tries: 2}
	for to, want := range map[State]string{
		Starting: "PROCESS_STATE_STARTING processname:p groupname:g from_state:RUNNING tries:2",
		Backoff:  "PROCESS_STATE_BACKOFF processname:p groupname:g from_state:RUNNING tries:2",
		Running:  "PROCESS_STATE_RUNNING processname:p groupname:g from_state:RUNNING pid:5",
		Stopping: "PROCESS_STATE_STOPPING processname:p groupname:g from_state:RUNNING pid:5",
		Stopped:  "PROCESS_STATE_STOPPED processname:p groupname:g from_state:RUNNING pid:5",
		Exited:   "PROCESS_STATE_EXITED processname:p groupname:g from_state:RUNNING expected:0 pid:5",
		Fatal:    "PROCESS_STATE_FATAL processname:p groupname:g from_state:RUNNING",
		Unknown:  "PROCESS_STATE_UNKNOWN processname:p groupname:g from_state:RUNNING",
	} {
		x.To = to
		assert.Equal(t, want, x.String())
	}
	assert.Equal(t, "PROCESS_GROUP_ADDED groupname:g\n", Event{Type: EventGroupAdded, Group: "g"}.String())
	assert.Equal(t, "SUPERVISOR_STATE_CHANGE_RUNNING ", Event{Type: EventRunning}.String())
}

func TestDescriptionsAreSupervisorctls(t *testing.T) {
	now := time.Date(2026, 3, 9, 17, 5, 0, 0, time.Local)
	for _, test := range []struct {
		status Status
		want   string
	}{
		{Status{State: Running, PID: 7, Start: now.Add(-61 * time.Second)}, "pid 7, uptime 0:01:01"},
		{Status{State: Running, PID: 7, Start: now.Add(-10*time.Hour - 2*time.Second)}, "pid 7, uptime 10:00:02"},
		{Status{State: Running, PID: 7, Start: now.Add(-25 * time.Hour)}, "pid 7, uptime 1 day, 1:00:00"},
		{Status{State: Running, PID: 7, Start: now.Add(-49 * time.Hour)}, "pid 7, uptime 2 days, 1:00:00"},
		{Status{State: Running, PID: 7, Start: now.Add(time.Hour)}, "pid 7, uptime 0:00:00"},
		{Status{State: Stopped}, "Not started"},
		{Status{State: Exited, Start: now.Add(-time.Hour), Stop: now}, "Mar 09 05:05 PM"},
		// Stopped in BACKOFF, before anything had run: stop is 0.
		{Status{State: Stopped, Start: now}, time.Unix(0, 0).Format("Jan 02 03:04 PM")},
		{Status{State: Fatal, SpawnErr: "can't find command 'x'"}, "can't find command 'x'"},
		{Status{State: Backoff, Name: "x"}, `unknown error (try "tail x")`},
		{Status{State: Starting, PID: 7}, ""},
		{Status{State: Stopping, PID: 7}, ""},
	} {
		test.status.Now = now
		assert.Equal(t, test.want, test.status.Description())
	}
}

func TestStatusAsJSON(t *testing.T) {
	s := Status{Group: "g", Name: "p", State: Running, PID: 7, Start: epoch, Now: epoch.Add(time.Minute), StdoutLog: "/var/log/p"}
	got, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, `{"group":"g","name":"p","state":"RUNNING","pid":7,"start":"2026-01-02T03:04:05Z",`+
		`"now":"2026-01-02T03:05:05Z","stdout_logfile":"/var/log/p"}`, string(got))
	e := Event{Type: EventProcessState, Time: epoch, Group: "g", Process: "p", From: Running, To: Exited, PID: 7, ExitStatus: 3, Reason: "Bad exit code 3", Missed: 2}
	got, err = json.Marshal(e)
	require.NoError(t, err)
	assert.Equal(t, `{"type":"PROCESS_STATE","time":"2026-01-02T03:04:05Z","group":"g","process":"p","from_state":"RUNNING",`+
		`"to_state":"EXITED","pid":7,"exit_status":3,"reason":"Bad exit code 3","missed":2}`, string(got))
}
