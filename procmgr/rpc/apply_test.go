//go:build unix

package rpc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func stepStrings(steps []Step) []string {
	list := []string{}
	for _, s := range steps {
		list = append(list, s.String())
	}
	return list
}

func TestOracleApply(t *testing.T) {
	t.Parallel()
	program := func(name, more string) string {
		return "[program:" + name + "]\ncommand=/bin/cat\nstartsecs=0\n" + quiet + more + "\n"
	}
	before := "[group:g]\nprograms=x,y\n\n" + program("x", "") + program("y", "") + program("a", "") + program("b", "") + program("c", "")
	d := runSupervisord(t, before)
	c, ctx := d.client(), t.Context()
	pids := func() map[string]int {
		all, err := c.AllProcessInfo(ctx)
		require.NoError(t, err)
		m := map[string]int{}
		for _, i := range all {
			m[i.FullName()] = i.PID
		}
		return m
	}
	for _, name := range []string{"a", "b", "c", "x", "y"} {
		d.await("success: " + name + " entered RUNNING")
	}
	old := pids()

	steps, err := c.Apply(ctx, Plan{Update: true})
	require.NoError(t, err)
	require.Empty(t, steps, "nothing has changed")

	d.configure("[group:g]\nprograms=x,y\n\n" + program("x", "") + program("y", "") + program("a", "") +
		program("b", "stopwaitsecs=3\n") + program("d", "autostart=false\n") + program("e", ""))
	plan := Plan{Update: true, Restart: []string{"b", "a", "d", "a", "g:x", "g:*", "g:y", "e"}, DryRun: true}
	want := []string{"remove c", "update b", "add d", "add e", "restart a", "start d", "restart g:*"}
	steps, err = c.Apply(ctx, plan)
	require.NoError(t, err)
	require.Equal(t, want, stepStrings(steps))
	require.Equal(t, old, pids(), "a dry run touches nothing")

	for _, p := range []Plan{
		{Update: true, Restart: []string{"a", "c"}},       // gone after the update
		{Update: true, Restart: []string{"a", "g:nope"}},  //
		{Restart: []string{"a", "d"}},                     // not there without one
		{Update: true, Groups: []string{"a", "nope"}},     //
		{Restart: []string{"a", "nope:*"}, DryRun: false}, //
	} {
		_, err := c.Apply(ctx, p)
		require.ErrorIs(t, err, BadName)
	}
	require.Equal(t, old, pids(), "nor does a plan that cannot be done")

	plan.DryRun = false
	steps, err = c.Apply(ctx, plan)
	require.NoError(t, err)
	require.Equal(t, want, stepStrings(steps))
	for _, name := range []string{"b", "e"} { // added groups are only told to start
		d.await("success: " + name + " entered RUNNING")
	}
	fresh := pids()
	require.NotContains(t, fresh, "c")
	for name, pid := range fresh {
		require.NotEqual(t, old[name], pid)
	}
	d.mu.Lock()
	log := strings.Join(d.lines, "\n")
	d.mu.Unlock()
	for name, n := range map[string]int{"a": 2, "b": 2, "c": 1, "d": 1, "e": 1, "x": 2, "y": 2} {
		require.Equal(t, n, strings.Count(log, "spawned: '"+name+"'"), "each process once")
	}

	d.configure(program("a", "priority=7\n") + program("b", "priority=7\n"))
	steps, err = c.Apply(ctx, Plan{Update: true, Groups: []string{"b"}})
	require.NoError(t, err)
	require.Equal(t, []string{"update b"}, stepStrings(steps))

	d.configure(program("a", "priority=7\n") + program("b", "priority=8\n") + "[program:f]\ncommand=/nonexistent/f\nautostart=false\n" + quiet)
	steps, err = c.Apply(ctx, Plan{Update: true, Restart: []string{"f", "b"}})
	require.ErrorIs(t, err, NoFile, "one step fails, the others are done")
	require.EqualError(t, err, "rpc: start f: NO_FILE: can't find command '/nonexistent/f'")
	require.Equal(t, []string{"remove g", "remove d", "remove e", "update a", "update b", "add f", "start f: NO_FILE: can't find command '/nonexistent/f'"}, stepStrings(steps))
}

func TestAnActionHasItsName(t *testing.T) {
	for a := ActionRemove; a <= ActionStart; a++ {
		text, err := a.MarshalText()
		require.NoError(t, err)
		var back Action
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, a, back)
	}
	require.Error(t, new(Action).UnmarshalText([]byte("Action(9)")))
	require.Equal(t, "Action(9)", Action(9).String())
}
