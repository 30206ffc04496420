package inibridge_test

import (
	"fmt"
	"os"

	"github.com/onehost-go/onehost/supervisorconf"
	"github.com/onehost-go/onehost/supervisorconf/inibridge"
	"gopkg.in/ini.v1"
)

const scout = `; the archive runs elsewhere
[program:scout]
command      = sh -c 'sleep 1;exec scout'  ; see the wiki
stopwaitsecs = 10
environment  = LANG="C.UTF-8",
               SCOUT="/etc/scout.py"  # per host
`

// Hand a file to code that speaks ini.v1, and take its changes back. One line
// of the file changes.
func ExampleApply() {
	f, err := supervisorconf.Parse("scout.conf", []byte(scout))
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := inibridge.FromFile(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	// From here on, nobody needs to know Supervisor.
	file.Section("program:scout").Key("stopwaitsecs").SetValue("30")

	if err := inibridge.Apply(f, file); err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(f.Bytes())
	// Output:
	// ; the archive runs elsewhere
	// [program:scout]
	// command      = sh -c 'sleep 1;exec scout'  ; see the wiki
	// stopwaitsecs = 30
	// environment  = LANG="C.UTF-8",
	//                SCOUT="/etc/scout.py"  # per host
}

// Write what code made with ini.v1. Its own WriteTo would put backquotes
// around the command, and Supervisor would look for a program "`sh".
func ExampleWrite() {
	file := ini.Empty()
	program := file.Section("program:scout")
	program.Comment = "made by hand"
	program.Key("command").SetValue("sh -c 'sleep 1;exec scout'")
	program.Key("environment").SetValue("LANG=\"C.UTF-8\",\nSCOUT=\"/etc/scout.py\"")
	if err := inibridge.Write(os.Stdout, file); err != nil {
		fmt.Println(err)
	}

	program.Key("command").SetValue("sh -c 'sleep 1 ; exec scout'")
	fmt.Println(inibridge.Write(os.Stdout, file))
	// Output:
	// ; made by hand
	// [program:scout]
	// command=sh -c 'sleep 1;exec scout'
	// environment=LANG="C.UTF-8",
	//     SCOUT="/etc/scout.py"
	// inibridge: in [program:scout]: supervisorconf: the value of command cannot be written: white space before ";" or "#" starts a comment, and quotes do not protect it
}

// Read what Supervisor reads, comments and continuation lines as it takes them.
func ExampleFromFile() {
	f, err := supervisorconf.Parse("scout.conf", []byte(scout))
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := inibridge.FromFile(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range file.Section("program:scout").Keys() {
		fmt.Printf("%s %q\n", key.Name(), key.Value())
	}
	// Output:
	// command "sh -c 'sleep 1;exec scout'"
	// stopwaitsecs "10"
	// environment "LANG=\"C.UTF-8\",\nSCOUT=\"/etc/scout.py\""
}
