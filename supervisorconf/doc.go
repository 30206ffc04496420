// Package supervisorconf reads, edits and writes Supervisor's configuration,
// and says what supervisord makes of it.
//
// Parse one file to look at it or to change it:
//
//	f, err := supervisorconf.Parse("scout.conf", src)
//	f.Section("program", "scout").Set("stopwaitsecs", "30")
//	out := f.Bytes()
//
// [Parse] reads lines exactly as Supervisor does, never fails half-way, and
// [File.Bytes] gives back any input byte for byte. What an edit does not
// concern stays as it was, and what it adds looks like its neighbours.
//
// The words are Supervisor's: a [program:x] makes a homogeneous process group
// of numprocs processes, a [group:x] gathers programs, and a process is
// addressed as group:process.
//
// A tree may be read by several goroutines at a time, and edited by one while
// no other reads.
package supervisorconf
