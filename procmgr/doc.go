// Package procmgr keeps programs running: give a [Manager] the programs, call
// Run, and each is started, watched, restarted when it ends, and stopped in
// order when the context ends.
//
//	m := procmgr.New(&procmgr.Options{Logger: slog.Default()})
//	err := m.Add(procmgr.Program{
//		Name:    "scout",
//		Command: "gunicorn --bind=127.0.0.1:8083 scout.server.auto:app",
//		Stdout:  procmgr.Log{File: "/var/log/scout.log"},
//	})
//	…
//	err = m.Run(ctx) // until ctx is done and all have stopped
//
// It behaves as Supervisor 4.2.5 does, and speaks its language. A [Program]
// names one process; a [Group] holds several; a process is addressed
// "group:process", a whole group "group:*", and a process whose group has its
// own name just "process". A process is STOPPED, STARTING, RUNNING, BACKOFF,
// STOPPING, EXITED, FATAL or UNKNOWN (see [State]), and moves between these by
// Supervisor's rules: it is RUNNING once it has lived for StartSecs; one that
// ends sooner is tried again after one second, then two, then three, and is
// FATAL after StartRetries of these; one that ends later is EXITED, and
// started again as AutoRestart says.
//
// A Program needs a name and a command. Every other field may be left zero and
// then has Supervisor's default; where a real zero is wanted, write [Zero].
//
// What happens can be ranged over in Go ([Manager.Events]), or told to
// programs that speak Supervisor's event listener protocol ([Listener]).
//
// It differs from supervisord where that hurts, and only there:
//
//   - Timers fire when they are due, not up to a second later. What this would
//     turn into a storm of restarts, a program that ends as soon as it runs,
//     is held to one start a second (Program.RestartFloor).
//   - At the end of Run nothing is left: what a program leaves behind in its
//     process group is killed, and reported as an [Event]. While Run goes on,
//     Stop reaches the group only with StopAsGroup or KillAsGroup; the process
//     is then STOPPED when supervisord says so, but Stop returns when the group
//     is empty.
//   - At the end of Run, groups of equal priority stop at the same time, not
//     one after the other.
//   - A manager that was killed is no reason to start a second set of programs
//     (Options.StateFile).
//   - What outlives its parent need not become a zombie, nor outlive Run, even
//     outside of its process group (Options.Subreaper).
//   - A log that blocks or fails holds up nothing but the program that writes
//     it. Log files are rotated at the end of a line.
//   - Stop calls off the restart of a process that has just EXITED, though it
//     still answers ErrNotRunning.
//   - A program whose directory or user does not exist fails to start
//     (BACKOFF) with a message that says so; supervisord finds out only in the
//     child, which then ends with exit status 127.
//   - What programs write is in events as it is; supervisord writes what is no
//     UTF-8 as a Python literal, and counts characters instead of bytes.
//   - With CaptureMaxBytes, output that is shorter than a tag is not held back,
//     and not lost at the end.
//   - A process left UNKNOWN, because it could not be signalled, leaves that
//     state when it ends.
//   - Without a log file the output is dropped; the automatic log files are
//     for those who have a childlogdir.
//
// Every method of a Manager may be called from several goroutines. The package
// runs on Linux, where a child costs no thread, and on other unix systems,
// where it costs one.
package procmgr
