//go:build unix

package procmgr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// A pooltest is a manager with a pool of listeners, whose processes are played
// by the test.
type pooltest struct {
	*world
	heard map[string]*mail // by process: what it was sent
}

func inPool(t *testing.T, l Listener, names []string, test func(p *pooltest)) {
	b := &fakeBackend{}
	heard := map[string]*mail{}
	b.behave = func(name string, c *fakeChild) error {
		heard[name] = &mail{}
		c.write = heard[name].Write
		return nil
	}
	g := Group{Name: "pool", Listener: &l}
	for _, name := range names {
		g.Programs = append(g.Programs, Program{Name: name, StartSecs: Zero})
	}
	inFakeTimeGroups(t, b, func(w *world) { test(&pooltest{w, heard}) }, g)
}

// say is what a process writes.
func (p *pooltest) say(name, text string) {
	p.t.Helper()
	process, err := p.one("pool:" + name)
	require.NoError(p.t, err)
	process.listener.ear()([]byte(text))
}

func (p *pooltest) state(name string) string {
	process, err := p.one("pool:" + name)
	require.NoError(p.t, err)
	process.listener.pool.mu.Lock()
	defer process.listener.pool.mu.Unlock()
	return process.listener.state.String()
}

// took returns what a process was sent since the last call.
func (p *pooltest) took(name string) string {
	synctest.Wait()
	return strings.Join(p.heard["pool:"+name].took(), "|")
}

// mail is what a process was sent, piece by piece.
type mail struct {
	mu     sync.Mutex
	pieces []string
}

func (m *mail) Write(data []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pieces = append(m.pieces, string(data))
	return len(data), nil
}

func (m *mail) took() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	pieces := m.pieces
	m.pieces = nil
	return pieces
}

func (p *pooltest) send(data string) { p.SendRemoteCommEvent("t", data) }

// event is what is sent of the nth event of send.
func event(serial int, data string) string {
	return fmt.Sprintf("ver:3.0 server:supervisor serial:%d pool:pool poolserial:%d eventname:REMOTE_COMMUNICATION len:%d\ntype:t\n%s",
		serial, serial, len("type:t\n"+data), data)
}

var remote = Listener{Events: []string{"REMOTE_COMMUNICATION"}}

func TestAListenerGetsOneEventAtATime(t *testing.T) {
	inPool(t, remote, []string{"a"}, func(p *pooltest) {
		p.send("zero")
		p.send("ünö")
		assert.Equal(t, "", p.took("a"), "it is not ready")
		assert.Equal(t, "ACKNOWLEDGED", p.state("a"))
		p.say("a", "READ")
		p.say("a", "Y\n")
		assert.Equal(t, event(0, "zero"), p.took("a"))
		assert.Equal(t, "BUSY", p.state("a"))
		p.say("a", "RESULT 2\nO")
		p.say("a", "K")
		assert.Equal(t, "ACKNOWLEDGED", p.state("a"))
		assert.Equal(t, "", p.took("a"))
		p.say("a", "READY\n")
		assert.Equal(t, event(1, "ünö"), p.took("a"), "len counts bytes")
		p.say("a", "RESULT 2\nOKREADY\n")
		assert.Equal(t, "READY", p.state("a"))
		p.send("two")
		assert.Equal(t, event(2, "two"), p.took("a"), "at once")
	})
}

func TestAnyListenerThatIsReadyTakesTheNextEvent(t *testing.T) {
	inPool(t, remote, []string{"a", "b"}, func(p *pooltest) {
		p.say("b", "READY\n")
		p.send("zero")
		p.send("one")
		assert.Equal(t, event(0, "zero"), p.took("b"))
		p.say("a", "READY\n")
		assert.Equal(t, event(1, "one"), p.took("a"))
	})
}

func TestARejectedEventIsSentAgain(t *testing.T) {
	inPool(t, remote, []string{"a", "b"}, func(p *pooltest) {
		p.say("a", "READY\n")
		p.send("zero")
		p.send("one")
		p.took("a")
		p.say("a", "RESULT 4\nFAIL")
		assert.Equal(t, "ACKNOWLEDGED", p.state("a"))
		p.say("b", "READY\n")
		assert.Equal(t, event(0, "zero"), p.took("b"), "with the same numbers, before all others")
		p.say("a", "READY\n")
		assert.Equal(t, event(1, "one"), p.took("a"))
	})
}

func TestAnEventThatWasNotAnsweredIsSentAgain(t *testing.T) {
	inPool(t, remote, []string{"a", "b"}, func(p *pooltest) {
		p.say("a", "READY\n")
		p.send("zero")
		p.took("a")
		p.say("a", "RESULT 2\nO")
		require.NoError(t, p.Stop(background, "pool:a"))
		p.say("b", "READY\n")
		assert.Equal(t, event(0, "zero"), p.took("b"))
		require.NoError(t, p.Start(background, "pool:a"))
		assert.Equal(t, "ACKNOWLEDGED", p.state("a"))
		p.say("a", "READY\n")
		p.send("one")
		assert.Equal(t, event(1, "one"), p.took("a"), "what the last one had begun to say is forgotten")
	})
}

func TestAListenerThatViolatesTheProtocolGetsNoMoreEvents(t *testing.T) {
	for name, speech := range map[string][]string{
		"no READY":       {"hello\n"},
		"READY twice":    {"READY\nREADY\n"},
		"noise":          {"READY\n", "x"},
		"no number":      {"READY\n", "event", "RESULT two\n"},
		"negative":       {"READY\n", "event", "RESULT -1\n"},
		"huge":           {"READY\n", "event", "RESULT 999999999999\n"},
		"line too long":  {"READY\n", "event", strings.Repeat("x", maxResult)},
		"handler failed": {"READY\n", "event", "RESULT 3\nbug"},
	} {
		t.Run(name, func(t *testing.T) {
			l := remote
			l.Handler = func(e Event, result []byte) error {
				if string(result) == "bug" {
					return errors.New("bug")
				}
				return nil
			}
			inPool(t, l, []string{"a", "b"}, func(p *pooltest) {
				for _, s := range speech {
					if s == "event" {
						p.send("zero")
						continue
					}
					p.say("a", s)
				}
				assert.Equal(t, "UNKNOWN", p.state("a"))
				p.took("a")
				p.say("a", "READY\n")
				p.send("more")
				assert.Equal(t, "", p.took("a"))
				p.say("b", "READY\n")
				assert.NotEmpty(t, p.took("b"), "another gets what it had")
				require.NoError(t, p.Restart(background, "pool:a"))
				assert.Equal(t, "ACKNOWLEDGED", p.state("a"))
			})
		})
	}
}

// supervisord does not look at the word before the length.
func TestResultNeedNotBeSpelledOut(t *testing.T) {
	inPool(t, remote, []string{"a"}, func(p *pooltest) {
		p.say("a", "READY\n")
		p.send("zero")
		p.say("a", "Result:2\nOK")
		assert.Equal(t, "ACKNOWLEDGED", p.state("a"))
	})
}

func TestTheOldestEventIsDropped(t *testing.T) {
	l := remote
	l.BufferSize = 2
	inPool(t, l, []string{"a"}, func(p *pooltest) {
		for _, data := range []string{"zero", "one", "two"} {
			p.send(data)
		}
		p.say("a", "READY\n")
		assert.Equal(t, event(1, "one"), p.took("a"))
		p.send("three") // one waits already
		p.say("a", "RESULT 4\nFAIL")
		p.say("a", "READY\n")
		assert.Equal(t, event(1, "one"), p.took("a"), "what was rejected comes first, and pushes out the next")
		p.say("a", "RESULT 2\nOKREADY\n")
		assert.Equal(t, event(3, "three"), p.took("a"))
	})
}

func TestAListenerMustBeRunning(t *testing.T) {
	b := &fakeBackend{}
	var heard mail
	b.behave = func(_ string, c *fakeChild) error {
		c.write = heard.Write
		return nil
	}
	g := Group{Name: "pool", Listener: &remote, Programs: []Program{{Name: "a", StartSecs: 3}}}
	inFakeTimeGroups(t, b, func(w *world) {
		p := &pooltest{world: w}
		p.send("zero")
		p.say("a", "READY\n")
		assert.Empty(t, heard.took(), "it is STARTING")
		w.pass(3 * time.Second)
		assert.Equal(t, []string{event(0, "zero")}, heard.took())
	}, g)
}

func TestAListenerThatHasClosedItsInputIsPassedOver(t *testing.T) {
	inPool(t, remote, []string{"a", "b"}, func(p *pooltest) {
		process, err := p.one("pool:a")
		require.NoError(t, err)
		process.listener.start(brokenPipe{})
		p.say("a", "READY\n")
		p.say("b", "READY\n")
		p.send("zero")
		assert.Equal(t, "READY", p.state("a"))
		assert.Equal(t, event(0, "zero"), p.took("b"))
	})
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestListenersAreStartedFirstAndStoppedLast(t *testing.T) {
	b := &fakeBackend{}
	var heard mail
	b.behave = func(name string, c *fakeChild) error {
		c.write = heard.Write
		return nil
	}
	pool := Group{Name: "pool", Listener: &Listener{Events: []string{"EVENT"}}, Programs: []Program{{Name: "l", StartSecs: Zero}}}
	inFakeTimeGroups(t, b, func(w *world) {
		assert.Equal(t, "start pool:l, start x", b.took())
		p := &pooltest{world: w}
		names := func() (names []string) {
			for range 50 {
				p.say("l", "READY\n")
				synctest.Wait()
				sent := heard.took()
				if len(sent) == 0 {
					return names
				}
				_, rest, _ := strings.Cut(sent[0], "eventname:")
				name, _, _ := strings.Cut(rest, " ")
				names = append(names, name)
				p.say("l", "RESULT 2\nOK")
			}
			return names
		}
		assert.Equal(t, []string{
			"PROCESS_GROUP_ADDED", "PROCESS_GROUP_ADDED", "SUPERVISOR_STATE_CHANGE_RUNNING",
			"PROCESS_STATE_STARTING", "PROCESS_STATE_RUNNING", "PROCESS_STATE_STARTING", "PROCESS_STATE_RUNNING",
		}, names())
		w.cancel()
		synctest.Wait()
		assert.Equal(t, "terminated x, terminated pool:l, close", b.took())
		sent := heard.took()
		require.NotEmpty(t, sent)
		assert.Contains(t, sent[0], "eventname:SUPERVISOR_STATE_CHANGE_STOPPING len:0\n")
	}, pool, Group{Name: "x", Programs: []Program{{Name: "x", StartSecs: Zero}}})
}

func TestARemovedPoolGetsNothing(t *testing.T) {
	inPool(t, remote, []string{"a"}, func(p *pooltest) {
		require.NoError(t, p.Stop(background, "pool:a"))
		require.NoError(t, p.Remove("pool"))
		assert.Empty(t, p.hub.pools)
		p.send("x")
	})
}

// supervisord's own dispatcher hears the same, in the same pieces.
func TestOracleListenerProtocol(t *testing.T) {
	python := testenv.Python(t)
	rnd, n := oracleCases(t, 300)
	words := []string{"READY\n", "RESULT 2\nOK", "RESULT 4\nFAIL", "RESULT 1\nx", "RESULT 2", "\n", "O", "K", "READY", "RESULT two\n", "x", "RESULT  2 \nOK"}
	var speeches [][]string
	for range n {
		var speech []string
		for range 1 + rnd.IntN(6) {
			text := words[rnd.IntN(len(words))]
			if rnd.IntN(2) == 0 { // mostly what makes sense
				text = words[rnd.IntN(3)]
			}
			cut := rnd.IntN(len(text) + 1)
			speech = append(speech, text[:cut], text[cut:])
		}
		speeches = append(speeches, speech)
	}
	input, err := json.Marshal(speeches)
	require.NoError(t, err)
	const script = `
import json, sys
from supervisor import dispatchers, events
from supervisor.states import EventListenerStates as S, getEventListenerStateDescription as name
class Any:
    def __init__(self, **kw): self.__dict__.update(kw)
    def __getattr__(self, _): return lambda *a, **k: None
rejected = []
events.callbacks.append((events.EventRejectedEvent, lambda e: rejected.append(1)))
for speech in json.load(sys.stdin):
    options = Any(logger=Any(), strip_ansi=False)
    group = Any(config=Any(result_handler=dispatchers.default_handler))
    process = Any(config=Any(name='a', options=options, stdout_logfile=None), group=group)
    d = dispatchers.PEventListenerDispatcher(process, 'stdout', 0)
    del rejected[:]
    states = []
    for text in speech:
        options.readfd = lambda fd: text.encode()
        if text:
            d.handle_read_event()
        states.append('%s %d' % (name(process.listener_state), len(rejected)))
        if process.listener_state == S.READY:
            process.listener_state = S.BUSY
            process.event = 1
    print(json.dumps(states))
`
	cmd := exec.Command(python, "-c", script)
	cmd.Stderr = os.Stderr
	cmd.Stdin = bytes.NewReader(input)
	output, err := cmd.Output()
	require.NoError(t, err)
	answers := json.NewDecoder(bytes.NewReader(output))
	for _, speech := range speeches {
		var want, got []string
		require.NoError(t, answers.Decode(&want))
		p := newPool(New(nil), "pool", remote)
		x := newProcess(New(nil), "pool", (&Program{Name: "a"}).resolved())
		x.status.Store(&Status{State: Running})
		l := newListener(p, x)
		rejected := 0
		hear := l.ear()
		for _, text := range speech {
			hear([]byte(text))
			rejected += len(p.buffer)
			p.buffer = nil
			got = append(got, fmt.Sprint(l.state, " ", rejected))
			if l.state == ready {
				l.start(io.Discard)
				p.accept(Event{Type: EventRemoteCommunication}, 0)
				l.start(nil)
			}
		}
		assert.Equal(t, want, got, "%q", speech)
	}
}

func TestBadListenersAreRefused(t *testing.T) {
	m := New(nil)
	add := func(l Listener, redirect bool) error {
		return m.AddGroup(Group{Name: "l", Listener: &l, Programs: []Program{{Name: "l", Command: "x", RedirectStderr: redirect}}})
	}
	assert.EqualError(t, add(Listener{}, false), "procmgr: group l listens to no events")
	assert.EqualError(t, add(Listener{Events: []string{"TICK", "TICK_7"}}, false), `procmgr: group l listens to "TICK_7", which is no event`)
	assert.Error(t, add(Listener{Events: []string{""}}, false))
	assert.Error(t, add(Listener{Events: []string{"TICK"}, BufferSize: -1}, false))
	assert.Error(t, add(Listener{Events: []string{"TICK"}}, true))
	assert.NoError(t, add(Listener{Events: []string{"EVENT", "PROCESS_STATE_EXITED", "PROCESS_LOG", "PROCESS_LOG_STDERR"}}, false))
}

func TestKindsOfEvents(t *testing.T) {
	exited := Event{Type: EventProcessState, To: Exited}
	for _, name := range []string{"EVENT", "PROCESS_STATE", "PROCESS_STATE_EXITED"} {
		assert.True(t, exited.Is(name), name)
	}
	for _, name := range []string{"PROCESS_STATE_STOPPED", "PROCESS", "PROCESS_LOG", "TICK", ""} {
		assert.False(t, exited.Is(name), name)
	}
	orphans := Event{Type: EventOrphansKilled}
	assert.False(t, (&pool{Listener: Listener{Events: []string{"EVENT"}}}).wants(&orphans), "it is none of Supervisor's")
	assert.True(t, (&pool{Listener: Listener{Events: []string{"PROCESS_ORPHANS_KILLED"}}}).wants(&orphans))
}

func FuzzListenerProtocol(f *testing.F) {
	f.Add("READY\nRESULT 2\nOKREADY\n", 3)
	f.Add("READY\nRESULT 4\nFAIL", 100)
	f.Add("RESULT", 1)
	f.Fuzz(func(t *testing.T, speech string, size int) {
		if size <= 0 {
			t.Skip()
		}
		m := New(nil)
		p := newPool(m, "pool", remote)
		x := newProcess(m, "pool", (&Program{Name: "a"}).resolved())
		x.status.Store(&Status{State: Running})
		l := newListener(p, x)
		l.start(io.Discard)
		p.accept(Event{Type: EventRemoteCommunication}, 0)
		hear := l.ear()
		for speech != "" {
			n := min(size, len(speech))
			hear([]byte(speech[:n]))
			speech = speech[n:]
			// The event is in one place, or was accepted.
			if l.event != nil {
				assert.Equal(t, busy, l.state)
				assert.Empty(t, p.buffer)
			} else {
				assert.NotEqual(t, busy, l.state)
				assert.LessOrEqual(t, len(p.buffer), 1)
			}
		}
		l.end()
		assert.LessOrEqual(t, len(p.buffer), 1)
	})
}
