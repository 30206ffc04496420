package procmgr

import (
	"context"
	"fmt"
	"iter"
	"strconv"
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
	// Without Process: what processes that were removed had left behind.
	Killed int `json:"killed,omitempty"`

	// Missed is how many events came before this one and were dropped, since
	// the reader was more than Options.EventBuffer events behind.
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
)

// String returns Supervisor's name, such as "PROCESS_GROUP_ADDED".
func (t EventType) String() string {
	switch t {
	case EventProcessState:
		return "PROCESS_STATE"
	case EventGroupAdded:
		return "PROCESS_GROUP_ADDED"
	case EventGroupRemoved:
		return "PROCESS_GROUP_REMOVED"
	case EventRunning:
		return "SUPERVISOR_STATE_CHANGE_RUNNING"
	case EventStopping:
		return "SUPERVISOR_STATE_CHANGE_STOPPING"
	case EventOrphansKilled:
		return "PROCESS_ORPHANS_KILLED"
	}
	return "EventType(" + strconv.Itoa(int(t)) + ")"
}

// MarshalText writes what String returns.
func (t EventType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *EventType) UnmarshalText(text []byte) error {
	for known := EventProcessState; known <= EventOrphansKilled; known++ {
		if known.String() == string(text) {
			*t = known
			return nil
		}
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

// Payload returns what Supervisor sends in e, such as
// "processname:cat groupname:cat from_state:RUNNING expected:0 pid:2766".
func (e Event) Payload() string {
	switch e.Type {
	case EventGroupAdded, EventGroupRemoved:
		return "groupname:" + e.Group + "\n"
	case EventProcessState, EventOrphansKilled:
	default:
		return ""
	}
	s := "processname:" + e.Process + " groupname:" + e.Group
	if e.Type == EventOrphansKilled {
		return fmt.Sprintf("%s killed:%d", s, e.Killed)
	}
	s += " from_state:" + e.From.String()
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

// hub hands every event to every subscription, without ever waiting for one.
type hub struct {
	limit  int // events kept for a subscription
	mu     sync.Mutex
	subs   map[*subscription]struct{}
	closed bool
}

// A subscription is one reader's events, oldest first. When it is full, the
// oldest is dropped, as Supervisor's event listener pools do.
type subscription struct {
	queue  []Event // a ring once it has grown to the limit
	first  int
	count  int
	missed int
	wake   chan struct{} // holds one token when there may be something new
}

func newHub(limit int) *hub {
	return &hub{limit: limit, subs: map[*subscription]struct{}{}}
}

func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.push(e, h.limit)
		s.signal()
	}
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
	return s.pop(), true, true
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
	if s.count == limit {
		s.missed++
		s.first = (s.first + 1) % limit
		s.count--
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
}

func (s *subscription) pop() Event {
	e := s.queue[s.first]
	s.first = (s.first + 1) % len(s.queue)
	s.count--
	e.Missed, s.missed = s.missed, 0
	return e
}
