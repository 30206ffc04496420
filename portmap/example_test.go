package portmap_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/onehost-go/onehost/portmap"
)

// Read the tables of a page and say what is wrong with them.
func ExampleParseMarkdown() {
	src, err := os.ReadFile("testdata/services.md")
	if err != nil {
		log.Fatal(err)
	}
	doc, err := portmap.ParseMarkdown("services.md", src)
	if err != nil {
		log.Fatal(err) // each row that cannot be read, with its place
	}
	m := doc.Map()
	fmt.Println(len(m.Services), "services")
	for _, d := range m.Check(nil) {
		fmt.Println(d.Position(), d.Level, d.Code)
		for _, fix := range d.Fixes {
			fmt.Println("   ", fix.Message)
		}
	}
	// Output:
	// 15 services
	// services.md:23:48 WARN stage-offset-broken
	//     set the port of nipt-stage to 7072
	// services.md:24:48 ERROR port-listed-twice
	//     set the port of nipt-stage to 7072
}

// A faulty table is reported as a whole, and still read as far as it goes.
func ExampleParseMarkdown_faults() {
	const src = `
| service | subdomain | port  |
|---------|-----------|-------|
| NIPT    | nipt      | 80820 |
| Scout   | scout     | 8083  |
| Scout 2 | scout     | http  |
`
	doc, err := portmap.ParseMarkdown("services.md", []byte(src))
	var found portmap.Diagnostics
	if errors.As(err, &found) {
		for _, d := range found {
			fmt.Println(d)
		}
	}
	fmt.Println(len(doc.Map().Services), "rows")
	// Output:
	// services.md:4:25: port 80820 is above 65535 [port-invalid]
	// services.md:6:13: subdomain scout is listed twice: here for "Scout 2", and for "Scout" at services.md:5:13 [subdomain-listed-twice]
	// services.md:6:25: port "http" is not a number [port-invalid]
	// 3 rows
}

// Set a port: one cell changes, and nothing else.
func ExampleDocument_SetPort() {
	const src = `
| Service  | Subdomain | Port   | Owner       |
|----------|-----------|--------|-------------|
| **NIPT** | nipt      | ` + "`8082`" + ` | [Ann](/ann) |
| Scout    | scout     | 8083   |             |
`
	doc, err := portmap.ParseMarkdown("services.md", []byte(src))
	if err != nil {
		log.Fatal(err)
	}
	if err := doc.SetPort("nipt", 9000); err != nil {
		log.Fatal(err)
	}
	after := strings.Split(string(doc.Bytes()), "\n")
	for i, line := range strings.Split(src, "\n") {
		if line != after[i] {
			fmt.Printf("-%s\n+%s\n", line, after[i])
		}
	}
	// Output:
	// -| **NIPT** | nipt      | `8082` | [Ann](/ann) |
	// +| **NIPT** | nipt      | `9000` | [Ann](/ann) |
}

// Mend what a check has found, where it offers how.
func ExampleDocument_Apply() {
	src, err := os.ReadFile("testdata/services.md")
	if err != nil {
		log.Fatal(err)
	}
	doc, err := portmap.ParseMarkdown("services.md", src)
	if err != nil {
		log.Fatal(err)
	}
	// Positions are those of the text, so each fix is followed by a new check.
	for found := doc.Check(nil); len(found) > 0 && len(found[0].Fixes) > 0; found = doc.Check(nil) {
		fmt.Println(found[0].Fixes[0].Message)
		if err := doc.Apply(found[0].Fixes[0]); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(len(doc.Check(nil)), "findings left")
	// Output:
	// set the port of nipt-stage to 7072
	// 0 findings left
}

// Add a service to both environments, on ports that fit.
func ExampleMap_NextFree() {
	src, err := os.ReadFile("testdata/services.md")
	if err != nil {
		log.Fatal(err)
	}
	doc, err := portmap.ParseMarkdown("services.md", src)
	if err != nil {
		log.Fatal(err)
	}
	port, err := doc.Map().NextFree(portmap.Production)
	if err != nil {
		log.Fatal(err)
	}
	err = doc.Add(portmap.Service{Name: "Trends", Subdomain: "trends", Port: port, Environment: portmap.Production})
	if err != nil {
		log.Fatal(err)
	}
	stage := portmap.Service{Name: "Trends", Subdomain: "trends-stage", Environment: portmap.Stage}
	if stage.Port, err = doc.Map().Suggest(stage, nil); err != nil {
		log.Fatal(err)
	}
	if err := doc.Add(stage); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(doc.Bytes())) {
		if strings.Contains(line, "Trends") {
			fmt.Print(line)
		}
	}
	// Output:
	// | Trends             | trends          | 8089 |
	// | Trends             | trends-stage          | 7079 |
}

// Hold a map to the rules of the house.
func ExampleMap_Check() {
	m := &portmap.Map{Services: []portmap.Service{
		{Name: "NIPT", Subdomain: "nipt", Port: 8082, Environment: portmap.Production},
		{Name: "NIPT", Subdomain: "nipt-stage", Port: 7073, Environment: portmap.Stage},
		{Name: "Wiki", Subdomain: "wiki", Port: 9090, Environment: portmap.Production},
	}}
	for _, d := range m.Check(&portmap.CheckOptions{
		Offset: -1010,
		Ranges: map[string]portmap.Range{portmap.Production: {First: 8000, Last: 8999}},
	}) {
		fmt.Println(d)
	}
	// Output:
	// port 9090 of wiki is outside the ports of production, 8000–8999 [port-out-of-range]
	// port 7073 of nipt-stage breaks the convention "stage = production − 1010" (as stated): nipt has 8082, so it should be 7072 [stage-offset-broken]
}

func ExampleMap_INI() {
	m := &portmap.Map{Services: []portmap.Service{
		{Name: "Scout (Archive)", Subdomain: "scout-archive", Domain: "example.se", Port: 8084},
	}}
	text, err := m.INI()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output:
	// [Scout (Archive)]
	// subdomain = scout-archive
	// port      = 8084
	// domain    = example.se
}

func ExampleService_ServerName() {
	s := portmap.Service{Subdomain: "Bücher", Domain: "example.se"}
	name, err := s.ServerName()
	fmt.Println(name, err)
	// Output: xn--bcher-kva.example.se <nil>
}

func ExampleSplitServerName() {
	subdomain, domain, err := portmap.SplitServerName("scout.example.co.uk")
	fmt.Println(subdomain, domain, err)
	// Output: scout example.co.uk <nil>
}
