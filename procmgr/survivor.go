package procmgr

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// A survivor is a child of an earlier Run, whose manager was killed.
type survivor struct {
	childRecord
	started time.Time
}

// stateName is what the state file calls the process.
func (p *process) stateName() string { return p.group + ":" + p.prog.Name }

// adopt is what the owner does first of all.
func (p *process) adopt(s survivor) {
	c, err := p.backend.adopt(p, s)
	if errors.Is(err, os.ErrProcessDone) {
		return // it has just ended
	}
	p.tell(Event{Type: EventSurvivor, PID: s.pid})
	if err != nil {
		p.apply(input{kind: inAdoptFailed, pid: s.pid, text: err.Error()})
		return
	}
	p.child, p.exited = c, c.Exited()
	p.apply(input{kind: inAdopted, pid: s.pid, started: s.started})
}

// claim gives the processes of g their survivors. The caller holds m.mu.
func (m *Manager) claim(g *group) {
	for _, p := range g.processes {
		if s, ok := m.survivors[p.stateName()]; ok {
			p.survivor = &s
			delete(m.survivors, p.stateName())
		}
	}
}

// reportStrangers tells of the survivors that nobody has claimed.
func (m *Manager) reportStrangers() {
	for _, name := range slices.Sorted(maps.Keys(m.survivors)) {
		pid := m.survivors[name].pid
		m.log(slog.LevelWarn, fmt.Sprintf("process %d of an earlier run is alive, but there is no program %s", pid, name))
		group, process, _ := strings.Cut(name, ":")
		m.hub.publish(Event{Type: EventSurvivor, Time: time.Now(), Group: group, Process: process, PID: pid})
	}
}
