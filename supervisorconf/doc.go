// Package supervisorconf reads, edits and writes Supervisor's configuration,
// and says what supervisord makes of it.
//
// Load a configuration with all that it includes, to see what would run:
//
//	c, err := supervisorconf.LoadFile("/etc/supervisor/supervisord.conf")
//	for group, process := range c.Processes() {
//		fmt.Println(group.Name, process.Name, process.Command)
//	}
//
// Parse one file, to look at it or to change it:
//
//	f, err := supervisorconf.Parse("scout.conf", src)
//	f.Section("program", "scout").Set("stopwaitsecs", "30")
//	out := f.Bytes()
//
// # The file
//
// [Parse] reads lines exactly as Supervisor does, never fails half-way, and
// [File.Bytes] gives back any input byte for byte. What an edit does not
// concern stays as it was, and what it adds looks like its neighbours.
//
// What has changed is in [File.Diff], and [Config.Save] writes it. [File.Add]
// makes sections out of Go values, such that Supervisor reads the same values
// back.
//
// # The configuration
//
// [Load] makes of the files what supervisord would: every option with its
// default, its type and the names in it expanded, numprocs processes of each
// program, all in Supervisor's order. The error is nil exactly when supervisord
// would start, it is in Supervisor's words, and it names the place. What
// supervisord drops without a word is in [Config.Warnings].
//
// [Config.Supervisorctl] is what supervisorctl takes from the same file. What
// there is to set, of which type, in which unit and with which default, is in
// [KnownOptions].
//
// [Diff] compares two configurations as supervisord does when it is told to
// update: which groups it is going to restart, and because of which options.
//
// Where Supervisor is odd, so is Load. The judges are Supervisor 4.2.5 and the
// source of 4.4.0, both with CPython 3.11; CPython 3.13 and later look for
// comments in another way where a line has both ";" and "#". Events that a
// plug-in registers are not known. What nobody can know from files is taken to
// be the usual: supervisord runs as root on Linux, in UTF-8, and its temporary
// directory is /tmp unless its environment says otherwise.
//
// # Words
//
// They are Supervisor's: a [program:x] makes a homogeneous process group of
// numprocs processes, a [group:x] gathers programs, and a process is addressed
// as group:process.
//
// A tree or a [Config] may be read by several goroutines at a time, and edited
// by one while no other reads.
package supervisorconf
