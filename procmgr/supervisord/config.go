//go:build unix

package supervisord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"

	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/rpc"
	"github.com/onehost-go/onehost/supervisorconf"
)

// A config is the configuration that was read last, and what runs of it and of
// those before.
type config struct {
	manager *procmgr.Manager
	reload  func() (*supervisorconf.Config, error)

	mu      sync.Mutex
	current *supervisorconf.Config
	active  []*supervisorconf.Group               // in the order in which they were added
	logs    map[*supervisorconf.Process][2]string // where the output of processes goes, by procmgr.Channel
}

// first is the [supervisord] section; what of it may change at all does so with
// a new Server.
func (c *config) first() *supervisorconf.Supervisord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &c.current.Supervisord
}

func (c *config) identifier() string { return identifierOf(c.first()) }

// add makes a group of the Manager.
func (c *config) add(g *supervisorconf.Group) error {
	group, err := convertGroup(c.first(), g)
	if err != nil {
		return err
	}
	if err := c.manager.AddGroup(group); err != nil {
		if errors.Is(err, procmgr.ErrAlreadyAdded) || errors.Is(err, procmgr.ErrShutdown) {
			return err
		}
		return fmt.Errorf("supervisord: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = append(c.active, g)
	if c.logs == nil {
		c.logs = map[*supervisorconf.Process][2]string{}
	}
	for _, p := range g.Processes {
		for _, program := range group.Programs {
			if program.Name == p.Name {
				c.logs[p] = [2]string{program.Stdout.File, program.Stderr.File}
			}
		}
	}
	return nil
}

// forget drops the groups that were removed. The caller holds c.mu.
func (c *config) forget() {
	groups := c.manager.Groups()
	c.active = slices.DeleteFunc(c.active, func(g *supervisorconf.Group) bool {
		_, there := slices.BinarySearch(groups, g.Name)
		if !there {
			for _, p := range g.Processes {
				delete(c.logs, p)
			}
		}
		return !there
	})
}

// Reload reads the configuration and compares it with what runs.
func (c *config) Reload(context.Context) (rpc.Changes, error) {
	if c.reload == nil {
		return rpc.Changes{}, errors.New("the configuration cannot be read again")
	}
	fresh, err := c.reload()
	if fresh != nil && fresh.Refusal() != "" {
		return rpc.Changes{}, errors.New(fresh.Refusal())
	}
	if err != nil {
		return rpc.Changes{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	before := *c.current
	before.Groups = c.active
	c.current = fresh
	var changes rpc.Changes
	for _, g := range supervisorconf.Diff(&before, fresh).Changes {
		switch g.Action {
		case supervisorconf.ActionAdd:
			changes.Added = append(changes.Added, g.Group)
		case supervisorconf.ActionRestart:
			changes.Changed = append(changes.Changed, g.Group)
		case supervisorconf.ActionRemove:
			changes.Removed = append(changes.Removed, g.Group)
		}
	}
	return changes, nil
}

// AddGroup adds a group of the configuration that was read last.
func (c *config) AddGroup(_ context.Context, name string) error {
	c.mu.Lock()
	c.forget()
	g := c.current.Group(name)
	c.mu.Unlock()
	if g == nil {
		return &procmgr.ProcessError{Name: name, Err: procmgr.ErrNoSuchProcess}
	}
	// Looked at before its automatic log files are made.
	if slices.Contains(c.manager.Groups(), name) {
		return &procmgr.ProcessError{Name: name, Err: procmgr.ErrAlreadyAdded}
	}
	return c.add(g)
}

// Info is the configuration that was read last.
func (c *config) Info() []rpc.ConfigInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget()
	groups := c.manager.Groups()
	var all []rpc.ConfigInfo
	for g, p := range c.current.Processes() {
		_, inUse := slices.BinarySearch(groups, g.Name)
		from := p.Program
		info := rpc.ConfigInfo{
			Group: g.Name, Name: p.Name, InUse: inUse, GroupPriority: g.Priority, ProcessPriority: from.Priority,
			Command: p.Command, Directory: p.Directory, UID: -1,
			Autostart: from.Autostart, Autorestart: from.Autorestart.String(),
			StartSecs: from.StartSecs, StartRetries: from.StartRetries, ExitCodes: from.ExitCodes,
			StopSignal: syscall.Signal(from.StopSignal), StopWaitSecs: from.StopWaitSecs, KillAsGroup: from.KillAsGroup,
			RedirectStderr: from.RedirectStderr,
			Stdout:         c.logInfo(p, procmgr.Stdout, p.Stdout), Stderr: c.logInfo(p, procmgr.Stderr, p.Stderr),
			ServerURL: from.ServerURL,
		}
		if from.User != nil {
			info.UID = from.User.UID
		}
		all = append(all, info)
	}
	return all
}

func (c *config) logInfo(p *supervisorconf.Process, channel procmgr.Channel, l supervisorconf.Log) rpc.LogInfo {
	file := string(l.File)
	switch l.File {
	case supervisorconf.LogNone:
		file = ""
	case supervisorconf.LogAuto:
		file = cmp.Or(c.logs[p][channel], "auto")
	}
	return rpc.LogInfo{File: file, MaxBytes: l.MaxBytes, Backups: l.Backups,
		CaptureMaxBytes: l.CaptureMaxBytes, EventsEnabled: l.EventsEnabled, Syslog: l.Syslog}
}
