package procmgr

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Event tells what happened, once it has. Status shows it at the latest
// when the Event can be read.
type Event struct {
	Type    EventType `json:"type"`
	Time    time.Time `json:"time"`
	Group   string    `json:"group,omitempty"`
	Process string    `json:"process,omitempty"`

	// Of EventProcessState; in other events they are zero, which is Stopped.
	From       State  `json:"from_state"`
	To         State  `json:"to_state"`
	PID        int    `json:"pid,omitempty"`         // To Running, Stopping, Stopped, Exited: that of the child, even if it is no more
	Tries      int    `json:"tries,omitempty"`       // To Starting, Backoff: starts that failed in a row
	ExitStatus int    `json:"exit_status,omitempty"` // To Stopped, Exited: -1 if it ended by a signal
	Expected   bool   `json:"expected,omitempty"`    // To Exited: ExitStatus is one of ExitCodes
	Reason     string `json:"reason,omitempty"`      // To Backoff, Fatal, Exited: what went wrong

	// Of EventOrphansKilled: how many processes; 0 if the system does not tell.
	// Without Process: what processes that were removed had left behind, or what
	// had left its process group (see Options.Subreaper).
	Killed int `json:"killed,omitempty"`

	// Of the events that carry something: the output of a program (bytes, UTF-8
	// or not; PID is the child's), or what SendRemoteCommEvent was given, with
	// its type in CommType.
	Data     string `json:"data,omitempty"`
	CommType string `json:"comm_type,omitempty"`

	// Missed is how many events came before this one and were dropped, since
	// the reader was more than Options.EventBuffer events, or 64 MiB of Data,
	// behind.
	Missed int `json:"missed,omitempty"`
}

// An EventType is a type of Event, with the name it has in Supervisor.
type EventType int

const (
	EventProcessState  EventType = iota + 1 // PROCESS_STATE: a process went from one state to another
	EventGroupAdded                         // PROCESS_GROUP_ADDED
	EventGroupRemoved                       // PROCESS_GROUP_REMOVED
	EventRunning                            // SUPERVISOR_STATE_CHANGE_RUNNING: Run has begun; Start works from here on
	EventStopping                           // SUPERVISOR_STATE_CHANGE_STOPPING: the context of Run is done
	EventOrphansKilled                      // PROCESS_ORPHANS_KILLED, not in Supervisor: what a process left behind was killed
	EventSurvivor                           // PROCESS_SURVIVOR, not in Supervisor: a child of an earlier Run is alive; see Options.StateFile

	EventLogStdout           // PROCESS_LOG_STDOUT: a piece of output, of a Log with Events
	EventLogStderr           // PROCESS_LOG_STDERR
	EventCommunicationStdout // PROCESS_COMMUNICATION_STDOUT: what stood between tags, in a Log with CaptureMaxBytes
	EventCommunicationStderr // PROCESS_COMMUNICATION_STDERR
	EventRemoteCommunication // REMOTE_COMMUNICATION: of Manager.SendRemoteCommEvent

	EventTick5    // TICK_5: every five seconds by the clock
	EventTick60   // TICK_60: every minute
	EventTick3600 // TICK_3600: every hour
)

// eventNames are Supervisor's, by type.
var eventNames = [...]string{
	EventProcessState:        "PROCESS_STATE",
	EventGroupAdded:          "PROCESS_GROUP_ADDED",
	EventGroupRemoved:        "PROCESS_GROUP_REMOVED",
	EventRunning:             "SUPERVISOR_STATE_CHANGE_RUNNING",
	EventStopping:            "SUPERVISOR_STATE_CHANGE_STOPPING",
	EventOrphansKilled:       "PROCESS_ORPHANS_KILLED",
	EventSurvivor:            "PROCESS_SURVIVOR",
	EventLogStdout:           "PROCESS_LOG_STDOUT",
	EventLogStderr:           "PROCESS_LOG_STDERR",
	EventCommunicationStdout: "PROCESS_COMMUNICATION_STDOUT",
	EventCommunicationStderr: "PROCESS_COMMUNICATION_STDERR",
	EventRemoteCommunication: "REMOTE_COMMUNICATION",
	EventTick5:               "TICK_5",
	EventTick60:              "TICK_60",
	EventTick3600:            "TICK_3600",
}

// String returns Supervisor's name, such as "PROCESS_GROUP_ADDED".
func (t EventType) String() string {
	if t > 0 && int(t) < len(eventNames) {
		return eventNames[t]
	}
	return "EventType(" + strconv.Itoa(int(t)) + ")"
}

// MarshalText writes what String returns.
func (t EventType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *EventType) UnmarshalText(text []byte) error {
	if i := slices.Index(eventNames[:], string(text)); i > 0 {
		*t = EventType(i)
		return nil
	}
	return fmt.Errorf("procmgr: %q is no event type", text)
}

// Name returns the name under which Supervisor sends e: that of its Type, and
// of a process state the full one, such as "PROCESS_STATE_EXITED".
func (e Event) Name() string {
	if e.Type == EventProcessState {
		return "PROCESS_STATE_" + e.To.String()
	}
	return e.Type.String()
}

// Is reports whether Supervisor sends e to those who subscribe to name: its
// own name, or that of a kind of events, such as "PROCESS_STATE", "TICK" or
// "EVENT", which is all.
func (e Event) Is(name string) bool {
	switch own := e.Name(); name {
	case own, "EVENT":
		return true
	case "PROCESS_STATE", "PROCESS_COMMUNICATION", "PROCESS_LOG", "PROCESS_GROUP", "SUPERVISOR_STATE_CHANGE", "TICK":
		return strings.HasPrefix(own, name+"_")
	}
	return false
}

// Payload returns what Supervisor sends in e, such as
// "processname:cat groupname:cat from_state:RUNNING expected:0 pid:2766". Data
// is in it as it is; supervisord writes what is no UTF-8 as a Python literal.
func (e Event) Payload() string {
	process := "processname:" + e.Process + " groupname:" + e.Group
	switch e.Type {
	case EventGroupAdded, EventGroupRemoved:
		return "groupname:" + e.Group + "\n"
	case EventOrphansKilled:
		return fmt.Sprintf("%s killed:%d", process, e.Killed)
	case EventSurvivor:
		return fmt.Sprintf("%s pid:%d", process, e.PID)
	case EventLogStdout:
		return fmt.Sprintf("%s pid:%d channel:stdout\n%s", process, e.PID, e.Data)
	case EventLogStderr:
		return fmt.Sprintf("%s pid:%d channel:stderr\n%s", process, e.PID, e.Data)
	case EventCommunicationStdout, EventCommunicationStderr:
		return fmt.Sprintf("%s pid:%d\n%s", process, e.PID, e.Data)
	case EventRemoteCommunication:
		return "type:" + e.CommType + "\n" + e.Data
	case EventTick5, EventTick60, EventTick3600:
		return fmt.Sprintf("when:%d", e.Time.Unix())
	case EventProcessState:
	default:
		return ""
	}
	s := process + " from_state:" + e.From.String()
	switch e.To {
	case Starting, Backoff:
		return fmt.Sprintf("%s tries:%d", s, e.Tries)
	case Running, Stopping, Stopped:
		return fmt.Sprintf("%s pid:%d", s, e.PID)
	case Exited:
		expected := 0
		if e.Expected {
			expected = 1
		}
		return fmt.Sprintf("%s expected:%d pid:%d", s, expected, e.PID)
	}
	return s
}

// String returns the name and the payload.
func (e Event) String() string { return e.Name() + " " + e.Payload() }

// maxEventData is how many bytes of Data are kept for a subscription.
const maxEventData = 64 << 20

// hub hands every event to every subscription, without ever waiting for one.
type hub struct {
	limit  int // events kept for a subscription
	log    func(slog.Level, string)
	mu     sync.Mutex
	subs   map[*subscription]struct{}
	pools  []*pool
	serial int // of the next event that a pool wants
	closed bool
}

// A subscription is one reader's events, oldest first. When it is full, the
// oldest is dropped, as Supervisor's event listener pools do.
type subscription struct {
	queue  []Event // a ring once it has grown to the limit
	first  int
	count  int
	bytes  int // of Data
	missed int
	wake   chan struct{} // holds one token when there may be something new
}

func newHub(limit int, log func(slog.Level, string)) *hub {
	return &hub{limit: limit, log: log, subs: map[*subscription]struct{}{}}
}

func (h *hub) publish(e Event) { h.deliver(e).write(h.log) }

func (h *hub) deliver(e Event) (notes notes) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.push(e, h.limit)
		s.signal()
	}
	wanted := false
	for _, p := range h.pools {
		if p.wants(&e) {
			wanted = true
			notes = append(notes, p.accept(e, h.serial)...)
		}
	}
	if wanted {
		h.serial++
	}
	return notes
}

func (h *hub) attach(p *pool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pools = append(h.pools, p)
}

func (h *hub) detach(p *pool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pools = slices.DeleteFunc(h.pools, func(other *pool) bool { return other == p })
}

// close ends the subscriptions, once they have been read.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		s.signal()
	}
}

func (h *hub) remove(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
	s.queue, s.count = nil, 0
}

// next returns the oldest event, if there is one, and whether more may come.
func (h *hub) next(s *subscription) (e Event, ok, more bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, subscribed := h.subs[s]; !subscribed {
		return Event{}, false, false
	}
	if s.count == 0 {
		return Event{}, false, !h.closed
	}
	e = s.pop()
	e.Missed, s.missed = s.missed, 0
	return e, true, true
}

func (h *hub) subscribe(ctx context.Context) iter.Seq[Event] {
	s := &subscription{wake: make(chan struct{}, 1)}
	h.mu.Lock()
	h.subs[s] = struct{}{}
	h.mu.Unlock()
	// For the reader that never comes.
	unhook := context.AfterFunc(ctx, func() { h.remove(s) })

	return func(yield func(Event) bool) {
		defer h.remove(s)
		defer unhook()
		for ctx.Err() == nil {
			e, ok, more := h.next(s)
			switch {
			case ok:
				if !yield(e) {
					return
				}
			case !more:
				return
			default:
				select {
				case <-s.wake:
				case <-ctx.Done():
				}
			}
		}
	}
}

func (s *subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // it has not looked since the last time
	}
}

func (s *subscription) push(e Event, limit int) {
	for s.count == limit || s.count > 0 && s.bytes+len(e.Data) > maxEventData {
		s.pop()
		s.missed++
	}
	if s.count == len(s.queue) {
		grown := make([]Event, min(limit, max(16, 2*len(s.queue))))
		for i := range s.count {
			grown[i] = s.queue[(s.first+i)%len(s.queue)]
		}
		s.queue, s.first = grown, 0
	}
	s.queue[(s.first+s.count)%len(s.queue)] = e
	s.count++
	s.bytes += len(e.Data)
}

func (s *subscription) pop() Event {
	e := s.queue[s.first]
	s.queue[s.first] = Event{} // and let go of its Data
	s.first = (s.first + 1) % len(s.queue)
	s.count--
	s.bytes -= len(e.Data)
	return e
}
