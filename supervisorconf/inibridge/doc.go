// Package inibridge carries Supervisor's configuration to and from the
// *ini.File of gopkg.in/ini.v1, for tools that already speak it.
//
//	f, err := supervisorconf.Parse("scout.conf", src)
//	file, err := inibridge.FromFile(f)
//	file.Section("program:scout").Key("stopwaitsecs").SetValue("30")
//	err = inibridge.Apply(f, file) // changes one line of f
//
// In memory an *ini.File is exact: each section, option and value is what
// Supervisor reads. Ask for values with Key.Value: Key.String replaces %(name)s
// by the value of another key, which Supervisor does not.
//
// # Do not load or save with ini.v1
//
// ini.Load reads other values than Supervisor does, in 9 of 100 real files with
// its default options. And what [ini.File.WriteTo] and SaveTo write, Supervisor
// does not read back:
//
//	value                   WriteTo                  Supervisor reads
//	nginx -g 'daemon off;'  `nginx -g 'daemon off;'`  a program called "`nginx"
//	A="1",⏎B="2"            """A="1",⏎B="2""""       nothing: it refuses the file, or takes B for an option
//	say `date`              """say `date`"""          three quotes at both ends
//	white space at an end   quotes around it          the quotes
//	(a [DEFAULT] section)   no header                 nothing: it refuses the file
//
// The first is so unless the file was made with IgnoreInlineComment, as those of
// this package are. White space at the ends is lost in any file, which
// WriteTo does not say. Of 201 real files that ini.v1 carried from Supervisor's
// own values, 195 come out of WriteTo with the same values if they were made
// here, and 182 if they were made by default.
//
// Besides, a file that ini.v1 read and wrote has lost its blank lines, its
// indentation, the spaces around "=", repeated options, comments inside values
// and at the end of the file; comments behind a value stand above it. [Apply]
// keeps all of these, and [AppendText] writes a new file that Supervisor reads
// back equal, or says why there can be none.
package inibridge
