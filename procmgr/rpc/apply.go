package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Plan says what [Client.Apply] is to do. The zero Plan does nothing.
type Plan struct {
	// Update makes the running groups what the configuration says: "reread" and
	// "update" of supervisorctl. Groups are the ones to look at; nil is all.
	Update bool
	Groups []string

	// Restart names what must have been started anew in the end: "process",
	// "group:process", "group:*". What the update starts counts.
	Restart []string

	// DryRun only finds out. The server reads its configuration all the same.
	DryRun bool
}

// An Action is what a step does.
type Action int

const (
	ActionRemove  Action = iota + 1 // stop the processes of a group, and remove it
	ActionUpdate                    // stop the processes of a group, remove it, and add it as it is now configured
	ActionAdd                       // add a group
	ActionRestart                   // stop a process, or those of a group, then start it, or all of them
	ActionStart                     // start a process that an added group does not start by itself
)

var actionNames = []string{"remove", "update", "add", "restart", "start"}

// String returns "remove", "update", "add", "restart" or "start".
func (a Action) String() string {
	if a < ActionRemove || a > ActionStart {
		return fmt.Sprintf("Action(%d)", int(a))
	}
	return actionNames[a-1]
}

// MarshalText writes what String returns.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Action) UnmarshalText(text []byte) error {
	i := slices.Index(actionNames, string(text))
	if i < 0 {
		return fmt.Errorf("rpc: %q is no action", text)
	}
	*a = ActionRemove + Action(i)
	return nil
}

// A Step is a part of what Apply does.
type Step struct {
	Action Action
	Name   string // of the group; for ActionRestart and ActionStart as in Plan.Restart
	Err    error  // of a step that was done: nil, or why it failed
}

// String returns "restart scout", and behind a colon the error, if any.
func (s Step) String() string {
	text := s.Action.String() + " " + s.Name
	if s.Err != nil {
		text += ": " + s.Err.Error()
	}
	return text
}

// Apply reads the configuration, brings the running groups in line with it and
// restarts what is to be restarted, each process once at most: not again after
// the update has done so, and not twice because two names mean it. It returns
// the steps in their order: those it has done, or for a dry run would do.
//
// Before the first step it makes sure that all names are known, after the
// update: a Fault with BadName otherwise, and nothing is done. A step that fails
// keeps the others from nothing; the error then joins those of the steps. As in
// supervisorctl, an added group has been told to start when its step ends, a
// restarted process is RUNNING.
func (c *Client) Apply(ctx context.Context, p Plan) ([]Step, error) {
	steps, err := c.plan(ctx, p)
	if err != nil || p.DryRun {
		return steps, err
	}
	var failed []error
	for i := range steps {
		s := &steps[i]
		if s.Err = ctx.Err(); s.Err == nil {
			s.Err = c.step(ctx, *s)
		}
		if s.Err != nil {
			failed = append(failed, stepError{*s})
		}
	}
	return steps, errors.Join(failed...)
}

// A stepError is the error of a step, with what it was.
type stepError struct{ Step }

func (e stepError) Error() string { return "rpc: " + e.Step.String() }
func (e stepError) Unwrap() error { return e.Err }

// plan returns the steps, without errors.
func (c *Client) plan(ctx context.Context, p Plan) ([]Step, error) {
	var ch Changes
	if p.Update {
		var err error
		if ch, err = c.ReloadConfig(ctx); err != nil {
			return nil, err
		}
	}
	selected := func(groups []string) []string {
		if p.Groups == nil {
			return groups
		}
		return slices.DeleteFunc(groups, func(g string) bool { return !slices.Contains(p.Groups, g) })
	}
	ch = Changes{selected(ch.Added), selected(ch.Changed), selected(ch.Removed)}
	var steps []Step
	for i, groups := range [][]string{ch.Removed, ch.Changed, ch.Added} {
		for _, g := range groups {
			steps = append(steps, Step{Action: ActionRemove + Action(i), Name: g})
		}
	}
	if len(p.Restart) == 0 && (!p.Update || len(p.Groups) == 0) {
		return steps, nil
	}

	running, err := c.AllProcessInfo(ctx)
	if err != nil {
		return nil, err
	}
	configured, err := c.AllConfigInfo(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range p.Groups {
		known := slices.ContainsFunc(running, func(i ProcessInfo) bool { return i.Group == g }) ||
			slices.ContainsFunc(configured, func(i ConfigInfo) bool { return i.Group == g })
		if !known {
			return nil, newFault(BadName, g)
		}
	}
	after, err := restarts(p.Restart, ch, running, configured)
	return append(steps, after...), err
}

// restarts returns the steps after those of an update.
func restarts(names []string, ch Changes, running []ProcessInfo, configured []ConfigInfo) ([]Step, error) {
	isNew := func(group string) bool {
		return slices.Contains(ch.Added, group) || slices.Contains(ch.Changed, group)
	}
	started := map[string]bool{} // by the update
	members := map[string][]string{}
	for _, i := range configured {
		if isNew(i.Group) {
			members[i.Group] = append(members[i.Group], i.Name)
			started[i.FullName()] = i.Autostart
		}
	}
	for _, i := range running {
		if !isNew(i.Group) && !slices.Contains(ch.Removed, i.Group) {
			members[i.Group] = append(members[i.Group], i.Name)
		}
	}

	var whole []string // groups
	for _, name := range names {
		group, process := splitName(name)
		if len(members[group]) == 0 || process != "" && !slices.Contains(members[group], process) {
			return nil, newFault(BadName, name)
		}
		if process == "" {
			whole = append(whole, group)
		}
	}
	var steps []Step
	add := func(action Action, name string) {
		if s := (Step{Action: action, Name: name}); !slices.Contains(steps, s) {
			steps = append(steps, s)
		}
	}
	for _, name := range names {
		group, process := splitName(name)
		switch {
		case isNew(group):
			for _, member := range members[group] {
				full := fullName(group, member)
				if (process == "" || process == member) && !started[full] {
					add(ActionStart, full)
				}
			}
		case process == "":
			add(ActionRestart, group+":*")
		case !slices.Contains(whole, group):
			add(ActionRestart, fullName(group, process))
		}
	}
	return steps, nil
}

// step does what s says.
func (c *Client) step(ctx context.Context, s Step) error {
	group, process := splitName(s.Name)
	switch s.Action {
	case ActionRemove, ActionUpdate:
		if err := c.stopGroup(ctx, s.Name); err != nil {
			return err
		}
		if err := c.RemoveProcessGroup(ctx, s.Name); err != nil || s.Action == ActionRemove {
			return err
		}
		return c.AddProcessGroup(ctx, s.Name)
	case ActionAdd:
		return c.AddProcessGroup(ctx, s.Name)
	case ActionRestart:
		var err error
		if process == "" {
			err = c.stopGroup(ctx, group)
		} else if err = c.StopProcess(ctx, s.Name, true); errors.Is(err, NotRunning) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return c.StartProcess(ctx, s.Name, true)
}

// stopGroup stops what of a group is started. What ends by itself meanwhile has
// stopped.
func (c *Client) stopGroup(ctx context.Context, group string) error {
	results, err := c.StopProcessGroup(ctx, group, true)
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range results {
		if r.Status != NotRunning {
			failed = append(failed, r.Err())
		}
	}
	return errors.Join(failed...)
}
