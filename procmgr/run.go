package procmgr

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Run starts the programs, in ascending order of priority, without waiting for
// one to be RUNNING before the next, and keeps them up until ctx is done. Then
// it stops them, in descending order: of the groups with the highest priority
// all processes are told to stop (StopSignal, and after StopWaitSecs KILL),
// and only when they have, and nothing is left of their process groups, those
// with the next lower one. It returns when nothing is left, with no goroutine,
// file descriptor or process remaining.
//
// The error is nil after that, however ctx has ended; it is not if there was
// nothing to do it with, or if Run is called a second time.
func (m *Manager) Run(ctx context.Context) error {
	if err := m.begin(); err != nil {
		return err
	}
	for _, g := range m.sortedGroups() {
		for _, p := range g.processes {
			if ctx.Err() == nil {
				p.ask(ctx, &request{kind: reqAutoStart}, nil)
			}
		}
	}
	m.tick(ctx)
	m.end()
	return nil
}

// tick publishes the ticks until ctx is done: Supervisor's are at the turn of
// each period of the clock, and tell when that was.
func (m *Manager) tick(ctx context.Context) {
	const period = 5 * time.Second // which divides the others
	last := time.Now().Truncate(period)
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		now := time.Now()
		if turn := now.Truncate(period); !turn.Equal(last) { // the clock may have been set back, too
			m.ticked(last, now)
			last = turn
		}
		next.Reset(now.Truncate(period).Add(period).Sub(now))
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
	}
}

// ticked publishes a tick of each period that has turned since last.
func (m *Manager) ticked(last, now time.Time) {
	for _, t := range []struct {
		kind   EventType
		period time.Duration
	}{{EventTick5, 5 * time.Second}, {EventTick60, time.Minute}, {EventTick3600, time.Hour}} {
		if when := now.Truncate(t.period); when.After(last) {
			m.hub.publish(Event{Type: t.kind, Time: when})
		}
	}
}

func (m *Manager) begin() (err error) {
	m.removing.Lock()
	defer m.removing.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.phase != phaseNew {
		return errors.New("procmgr: Run was called before")
	}
	if m.backend == nil {
		if m.backend, m.survivors, err = openBackend(&m.options, m.log); err != nil {
			return err
		}
	}
	m.phase = phaseRunning
	m.hub.publish(Event{Type: EventRunning, Time: time.Now()}) // whoever starts something at that waits for m.mu
	for _, g := range m.groups {
		m.own(g)
	}
	m.reportStrangers()
	return nil
}

func (m *Manager) end() {
	m.removing.Lock()
	m.mu.Lock()
	m.phase = phaseStopping // from here on the groups stay as they are
	m.hub.publish(Event{Type: EventStopping, Time: time.Now()})
	strays := m.strays
	m.mu.Unlock()
	m.removing.Unlock()

	all := m.sortedGroups()
	slices.Reverse(all)
	for groups := all; len(groups) > 0; {
		n := slices.IndexFunc(groups, func(g *group) bool { return g.priority != groups[0].priority })
		if n < 0 {
			n = len(groups)
		}
		m.stopGroups(groups[:n])
		groups = groups[n:]
	}

	for _, g := range all {
		for _, p := range g.processes {
			p.ask(context.Background(), &request{kind: reqQuit}, nil)
		}
	}
	m.owners.Wait()
	const patience = 10 * time.Second
	for _, orphans := range []struct {
		text   string
		killed int
	}{
		{"killed what removed programs left in their process groups", m.backend.sweep(strays, 0, patience)},
		{"killed what programs left outside of their process groups", m.backend.close(patience)},
	} {
		if orphans.killed != 0 {
			m.log(slog.LevelWarn, orphans.text)
			m.hub.publish(Event{Type: EventOrphansKilled, Time: time.Now(), Killed: max(orphans.killed, 0)})
		}
	}
	m.zipper.close()

	m.mu.Lock()
	m.phase = phaseEnded
	m.mu.Unlock()
	m.hub.close()
	close(m.tails.ended)
}

func (m *Manager) stopGroups(groups []*group) {
	var sent []request
	var names []string
	for _, g := range groups {
		for _, p := range slices.Backward(g.processes) {
			r := request{kind: reqShutdown}
			p.ask(context.Background(), &r, nil)
			sent = append(sent, r)
			if p.status.Load().State == Stopping {
				names = append(names, p.prog.Name)
			}
		}
	}
	if len(names) > 0 {
		m.log(slog.LevelInfo, "waiting for "+strings.Join(names, ", ")+" to die")
	}
	for _, r := range sent {
		<-r.settled
	}
}

// sortedGroups returns the groups as they are started.
func (m *Manager) sortedGroups() []*group {
	m.mu.Lock()
	defer m.mu.Unlock()
	var groups []*group
	for _, g := range m.groups {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), strings.Compare(a.name, b.name))
	})
	return groups
}

func (m *Manager) log(l slog.Level, text string) {
	if m.logger != nil {
		m.logger.Log(context.Background(), l, text)
	}
}
