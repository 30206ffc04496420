package validate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// mixed returns a main file with directives of all of http's modules: what
// nginx looks at first shows where several are wrong.
func (g generator) mixed() string {
	line := func(level string) string {
		for {
			l := ""
			switch g.IntN(6) {
			case 0:
				l = g.httpCore(level)
			case 1, 2:
				l = g.modules(level)
			case 3:
				if level != "location" {
					l = g.ssl(level)
				}
			default:
				l = g.backend(g.pick(backendKinds...), level)
			}
			if l != "" {
				return l
			}
		}
	}
	var s strings.Builder
	lines := func(indent, level string, most int) {
		for range g.IntN(most) {
			fmt.Fprintf(&s, "%s%s\n", indent, line(level))
		}
	}
	s.WriteString("events {\n}\nhttp {\n")
	if g.IntN(2) == 0 {
		s.WriteString(g.upstreamBlock())
	}
	lines("  ", "http", 3)
	for range 1 + g.IntN(2) {
		s.WriteString("  server {\n")
		lines("    ", "server", 3)
		for i := range g.IntN(3) {
			fmt.Fprintf(&s, "    location /%d {\n", i)
			lines("      ", "location", 4)
			s.WriteString("    }\n")
		}
		s.WriteString("  }\n")
	}
	s.WriteString("}\n")
	return s.String()
}

// TestOracleMixed asks the installed nginx about all modules at once.
func TestOracleMixed(t *testing.T) {
	u := newUpstream(t)
	u.keyPair(t)
	rnd, cases := oracleSize(t, 100)
	g := generator{rnd}
	for range cases {
		conf := g.mixed()
		if diff := u.compare(t, conf); diff != "" {
			assert.Fail(t, diff, conf)
		}
	}
}
