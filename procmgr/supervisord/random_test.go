//go:build unix

package supervisord

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/internal/testenv"
)

// A randomCall is a method and arguments that often make sense.
func randomCall(rnd *rand.Rand) (method string, args []any) {
	pick := func(list ...any) any { return list[rnd.IntN(len(list))] }
	name := pick("a", "a", "b", "n", "g", "x", "g:x", "g:y", "g:*", "g:", "a:a", "a:*", "a:b", "nope", "nope:*", "", ":", "::", "*", "all", "g:x:y", " a", "A")
	number := func() any { return pick(0, 1, 2, 5, 10, 100, -1, -3, -100, "1", " -2", 1.0, true) }
	signal := pick("CONT", "CONT", "0", "18", 18, "NOPE", "", "SIGCONT", " cont", "65", "40", "-1", "WINCH", "URG")
	switch method = pick("startProcess", "startProcess", "stopProcess", "getProcessInfo", "startProcessGroup", "stopProcessGroup", "signalProcess",
		"signalProcessGroup", "signalAllProcesses", "readProcessStdoutLog", "readProcessStderrLog", "tailProcessStdoutLog", "tailProcessStderrLog",
		"clearProcessLogs", "sendProcessStdin", "addProcessGroup", "removeProcessGroup", "getAllProcessInfo", "getAllConfigInfo", "reloadConfig",
		"startAllProcesses", "getState").(string); method {
	case "startProcess", "stopProcess", "startProcessGroup", "stopProcessGroup":
		args = []any{name}
		if rnd.IntN(2) == 0 {
			args = append(args, pick(true, 1, "yes"))
		}
	case "getProcessInfo", "clearProcessLogs", "addProcessGroup", "removeProcessGroup":
		args = []any{name}
	case "signalProcess", "signalProcessGroup":
		args = []any{name, signal}
	case "signalAllProcesses":
		args = []any{signal}
	case "readProcessStdoutLog", "readProcessStderrLog", "tailProcessStdoutLog", "tailProcessStderrLog":
		args = []any{name, number(), number()}
	case "sendProcessStdin":
		args = []any{name, pick("", 5, true, false)} // text would be in the log, sooner or later
	}
	switch rnd.IntN(30) {
	case 0:
		args = append(args, "more")
	case 1:
		args = args[:max(len(args)-1, 0)]
	}
	return "supervisor." + method, args
}

// TestOracleRandomCalls makes random calls, the same ones, to the installed
// supervisord and to ours.
func TestOracleRandomCalls(t *testing.T) {
	path := testenv.Program(t, "supervisord")
	seed, n := testenv.Size(t, 60)
	exe, err := os.Executable()
	require.NoError(t, err)
	scenario := func(d *drive) {
		quiet := func(name, command string) string { return d.program(name, command, "autostart=false") }
		d.start("[group:g]\nprograms=x,y\n\n" + quiet("x", stay) + quiet("y", d.file("nope")) + quiet("a", stay) + quiet("b", stay) + quiet("n", "/etc/passwd"))
		for rnd := rand.New(rand.NewPCG(seed, 1)); n > 0; n-- {
			method, args := randomCall(rnd)
			v, err := d.client.Call(t.Context(), method, args...)
			list, _ := v.([]any)
			slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			d.answer(method, args, v, err)
		}
	}
	asked := n
	want := through(t, scenario, path)
	n = asked
	require.Equal(t, want, through(t, scenario, exe))
}
