package supervisorconf_test

import (
	"errors"
	"fmt"
	"os"
	"testing/fstest"

	"github.com/onehost-go/onehost/supervisorconf"
)

// Read what supervisord would run.
func ExampleLoad() {
	host := fstest.MapFS{
		"etc/supervisord.conf": {Data: []byte("[supervisord]\n[include]\nfiles = conf.d/*.conf\n")},
		"etc/conf.d/scout.conf": {Data: []byte(`[program:scout]
command = gunicorn --workers=4 --bind=127.0.0.1:80%(process_num)02d "scout.server.auto:app"
process_name = %(program_name)s-%(process_num)d
numprocs = 2
numprocs_start = 83
stopwaitsecs = 30
`)},
	}
	c, err := supervisorconf.Load(host, "etc/supervisord.conf", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for group, process := range c.Processes() {
		args, _ := process.Args()
		fmt.Printf("%s:%s %q\n", group.Name, process.Name, args)
		fmt.Println("  gets", process.Program.StopWaitSecs, "seconds to stop:", process.Program.Option("stopwaitsecs").Pos())
	}
	// Output:
	// scout:scout-83 ["gunicorn" "--workers=4" "--bind=127.0.0.1:8083" "scout.server.auto:app"]
	//   gets 30 seconds to stop: etc/conf.d/scout.conf:6:1
	// scout:scout-84 ["gunicorn" "--workers=4" "--bind=127.0.0.1:8084" "scout.server.auto:app"]
	//   gets 30 seconds to stop: etc/conf.d/scout.conf:6:1
}

// Change one value and add another. All else stays as it was.
func ExampleSection_Set() {
	f, err := supervisorconf.Parse("scout.conf", []byte(`; the archive runs elsewhere
[program:scout]
command      = gunicorn scout.server.auto:app   ; see the wiki
stopwaitsecs = 10                               ; Gunicorn's workers want 30
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	scout := f.Section("program", "scout")
	scout.Set("stopwaitsecs", "30")
	scout.Set("user", "www-data")
	os.Stdout.Write(f.Bytes())
	// Output:
	// ; the archive runs elsewhere
	// [program:scout]
	// command      = gunicorn scout.server.auto:app   ; see the wiki
	// stopwaitsecs = 30                               ; Gunicorn's workers want 30
	// user         = www-data
}

// Report what keeps supervisord from starting, all of it, and what it drops
// without a word.
func ExampleLoad_errors() {
	host := fstest.MapFS{"etc/supervisord.conf": {Data: []byte(`[supervisord]
logfile_maxbytes = 50M
[program:scout]
command = gunicorn --log=/var/log/%Y.log
autorestrat = true
`)}}
	c, err := supervisorconf.Load(host, "etc/supervisord.conf", nil)
	var problems supervisorconf.Diagnostics
	if errors.As(err, &problems) {
		for _, d := range problems {
			fmt.Println(d)
		}
	}
	for _, d := range c.Warnings {
		fmt.Println(d)
	}
	fmt.Println("supervisord says:", c.Refusal())
	// Output:
	// etc/supervisord.conf:2:20: invalid literal for int() with base 10: '50m' [invalid-value]
	// etc/supervisord.conf:4:11: Format string 'gunicorn --log=/var/log/%Y.log' for 'program:scout.command' is badly formatted: unsupported format character 'Y' (0x59) at index 25 in section 'program:scout' (file: '/etc/supervisord.conf') [bad-format]
	// etc/supervisord.conf:5:1: supervisord ignores the option autorestrat in [program:scout]; did you mean autorestart? [unknown-option]
	// supervisord says: invalid literal for int() with base 10: '50m'
}

// Write a new file.
func ExampleFile_AddSection() {
	f := &supervisorconf.File{Name: "scout.conf"}
	scout, err := f.AddSection("program", "scout")
	if err != nil {
		fmt.Println(err)
		return
	}
	scout.Set("command", `gunicorn --bind="127.0.0.1:8083" scout.server.auto:app`)
	scout.Set("autorestart", "true")
	scout.Set("environment", "\nLANG=\"C.UTF-8\",\nSCOUT_CONFIG=\"/etc/scout.py\"")
	os.Stdout.Write(f.Bytes())
	// Output:
	// [program:scout]
	// command=gunicorn --bind="127.0.0.1:8083" scout.server.auto:app
	// autorestart=true
	// environment=
	//     LANG="C.UTF-8",
	//     SCOUT_CONFIG="/etc/scout.py"
}

// Quotes do not protect what looks like a comment, so no file can hold this.
func ExampleCheckOption() {
	fmt.Println(supervisorconf.CheckOption("command", "sh -c 'sleep 1 ; exec worker'"))
	fmt.Println(supervisorconf.CheckOption("command", "sh -c 'sleep 1; exec worker'"))
	// Output:
	// supervisorconf: the value of command cannot be written: white space before ";" or "#" starts a comment, and quotes do not protect it
	// <nil>
}

// Change one option of a configuration, and show what that changes in its
// files. Save would write them.
func ExampleFile_Diff() {
	host := fstest.MapFS{
		"etc/supervisord.conf": {Data: []byte("[supervisord]\n[include]\nfiles = conf.d/*.conf\n")},
		"etc/conf.d/scout.conf": {Data: []byte(`[program:scout]
command = gunicorn scout.server.auto:app
autorestart = true
stopwaitsecs = 10 ; Gunicorn's workers want 30
user = www-data
`)},
	}
	c, err := supervisorconf.Load(host, "etc/supervisord.conf", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Programs[0].Option("stopwaitsecs").SetValue("30"); err != nil {
		fmt.Println(err)
		return
	}
	for f := range c.Changed() {
		os.Stdout.Write(f.Diff())
	}
	// Output:
	// --- etc/conf.d/scout.conf
	// +++ etc/conf.d/scout.conf
	// @@ -1,5 +1,5 @@
	//  [program:scout]
	//  command = gunicorn scout.server.auto:app
	//  autorestart = true
	// -stopwaitsecs = 10 ; Gunicorn's workers want 30
	// +stopwaitsecs = 30 ; Gunicorn's workers want 30
	//  user = www-data
}

// Build a file out of values. What differs from process to process only by
// its number becomes one section.
func ExampleFile_Add() {
	scout := supervisorconf.NewProgram("scout", "gunicorn --bind=:8083 --access-logformat='%(h)s' scout.server.auto:app")
	scout.Autorestart = supervisorconf.AutorestartAlways
	scout.Processes[0].Environment = map[string]string{"SCOUT_CONFIG": "/etc/scout.py"}

	worker := supervisorconf.NewProgram("worker", "")
	worker.Processes = nil
	for i := range 4 {
		worker.AddProcess(fmt.Sprintf("worker-%d", i), fmt.Sprintf("rq worker --url=redis://localhost/%d", i))
	}

	f := &supervisorconf.File{Name: "scout.conf"}
	for _, d := range []supervisorconf.Definition{scout, worker, supervisorconf.NewGroup("all", scout, worker)} {
		if _, err := f.Add(d); err != nil {
			fmt.Println(err)
			return
		}
	}
	os.Stdout.Write(f.Bytes())
	// Output:
	// [program:scout]
	// command=gunicorn --bind=:8083 --access-logformat='%%(h)s' scout.server.auto:app
	// environment=SCOUT_CONFIG="/etc/scout.py"
	// autorestart=true
	//
	// [program:worker]
	// command=rq worker --url=redis://localhost/%(process_num)d
	// numprocs=4
	// process_name=%(program_name)s-%(process_num)d
	//
	// [group:all]
	// programs=scout,worker
}

// Explain what `supervisorctl update` is going to restart, and why.
func ExampleDiff() {
	load := func(text string) *supervisorconf.Config {
		c, err := supervisorconf.Load(fstest.MapFS{"etc/supervisord.conf": {Data: []byte("[supervisord]\n" + text)}}, "etc/supervisord.conf", nil)
		if err != nil {
			fmt.Println(err)
		}
		return c
	}
	before := load(`environment = TZ="UTC"
[program:scout]
command = gunicorn scout.server.auto:app
[program:nipt]
command = gunicorn nipt.server.auto:app
environment = TZ="Europe/Stockholm"
[program:old]
command = sleep 1
`)
	after := load(`environment = TZ="CET"
loglevel = debug
[program:scout]
command = gunicorn scout.server.auto:app
stopwaitsecs = 30
[program:nipt]
command = gunicorn nipt.server.auto:app
environment = TZ="Europe/Stockholm"
`)
	update := supervisorconf.Diff(before, after)
	for _, change := range update.Changes {
		fmt.Println(change.Action, change.Group)
		for _, cause := range change.Causes {
			fmt.Println(" ", cause)
		}
	}
	for _, p := range update.Pending {
		fmt.Println("not before supervisord restarts:", p)
	}
	// Output:
	// remove old
	// restart scout
	//   etc/supervisord.conf:2:1: environment TZ: UTC -> CET
	//   etc/supervisord.conf:6:1: stopwaitsecs: 10 -> 30
	// not before supervisord restarts: etc/supervisord.conf:3:1: loglevel: info -> debug
}
