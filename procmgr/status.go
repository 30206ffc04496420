package procmgr

import (
	"fmt"
	"time"
)

// A Status is what a process was like when it was asked: the struct of
// Supervisor's getProcessInfo. It is a copy; nothing changes it afterwards.
type Status struct {
	Group      string    `json:"group"`
	Name       string    `json:"name"`
	State      State     `json:"state"`
	PID        int       `json:"pid,omitempty"`         // 0: no child
	Adopted    bool      `json:"adopted,omitempty"`     // the child is of an earlier Run; see Options.StateFile
	Start      time.Time `json:"start,omitzero"`        // of the latest start; zero: never
	Stop       time.Time `json:"stop,omitzero"`         // of the latest end; zero: never
	Now        time.Time `json:"now"`                   // when this was asked
	ExitStatus int       `json:"exit_status,omitempty"` // of the latest end; -1: by a signal; 0 also while nothing is known
	SpawnErr   string    `json:"spawnerr,omitempty"`    // why the latest start failed, or that the exit status was unexpected
	Tries      int       `json:"tries,omitempty"`       // starts that failed in a row

	StdoutLog string `json:"stdout_logfile,omitempty"`
	StderrLog string `json:"stderr_logfile,omitempty"`
	Dropped   int64  `json:"dropped,omitempty"`   // bytes of output that its log did not take
	LogError  string `json:"log_error,omitempty"` // why its output is not logged at the moment: "stdout: no space left on device"
}

// FullName returns the name that Start and the others know the process by:
// "group:process", or just "process" if its group has the same name.
func (s Status) FullName() string { return fullName(s.Group, s.Name) }

func fullName(group, process string) string {
	if group == process {
		return process
	}
	return group + ":" + process
}

// Description returns what supervisorctl prints behind the state: the pid and
// the uptime, the time of the end, or what went wrong.
func (s Status) Description() string {
	switch s.State {
	case Running:
		return fmt.Sprintf("pid %d, uptime %s", s.PID, uptime(s.Now.Sub(s.Start)))
	case Fatal, Backoff:
		if s.SpawnErr != "" {
			return s.SpawnErr
		}
		return fmt.Sprintf(`unknown error (try "tail %s")`, s.Name)
	case Stopped, Exited:
		if s.Start.IsZero() {
			return "Not started"
		}
		if s.Stop.IsZero() { // stopped in BACKOFF before anything ran
			return time.Unix(0, 0).Format("Jan 02 03:04 PM")
		}
		return s.Stop.Local().Format("Jan 02 03:04 PM")
	}
	return ""
}

// uptime formats d as Python's timedelta does.
func uptime(d time.Duration) string {
	secs := max(int64(d/time.Second), 0)
	clock := fmt.Sprintf("%d:%02d:%02d", secs/3600%24, secs/60%60, secs%60)
	switch days := secs / 86400; days {
	case 0:
		return clock
	case 1:
		return "1 day, " + clock
	default:
		return fmt.Sprintf("%d days, %s", days, clock)
	}
}
