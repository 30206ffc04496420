//go:build unix

package rpc

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// signals are those that all unix systems have.
var signals = map[string]syscall.Signal{
	"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "ILL": syscall.SIGILL, "TRAP": syscall.SIGTRAP,
	"ABRT": syscall.SIGABRT, "IOT": syscall.SIGABRT, "BUS": syscall.SIGBUS, "FPE": syscall.SIGFPE, "KILL": syscall.SIGKILL,
	"USR1": syscall.SIGUSR1, "SEGV": syscall.SIGSEGV, "USR2": syscall.SIGUSR2, "PIPE": syscall.SIGPIPE, "ALRM": syscall.SIGALRM,
	"TERM": syscall.SIGTERM, "CHLD": syscall.SIGCHLD, "CLD": syscall.SIGCHLD, "CONT": syscall.SIGCONT, "STOP": syscall.SIGSTOP,
	"TSTP": syscall.SIGTSTP, "TTIN": syscall.SIGTTIN, "TTOU": syscall.SIGTTOU, "URG": syscall.SIGURG, "XCPU": syscall.SIGXCPU,
	"XFSZ": syscall.SIGXFSZ, "VTALRM": syscall.SIGVTALRM, "PROF": syscall.SIGPROF, "WINCH": syscall.SIGWINCH, "IO": syscall.SIGIO,
	"POLL": syscall.SIGIO, "SYS": syscall.SIGSYS,
}

// signalNumber is supervisor.datatypes.signal_number: a number, or a name with
// or without SIG. Of the numbers it knows those that Python has a name for; 0
// is among them, and means what it means to kill(2).
func signalNumber(value string) (sig syscall.Signal, ok bool) {
	name := strings.ToUpper(strings.TrimSpace(value))
	if n, err := strconv.Atoi(name); err == nil {
		last, realtime := 31, runtime.GOOS == "linux"
		return syscall.Signal(n), n >= 0 && n <= last || realtime && (n == 34 || n == 64)
	}
	name = strings.TrimPrefix(name, "SIG")
	if runtime.GOOS == "linux" {
		switch name {
		case "STKFLT":
			return 16, true
		case "PWR":
			return 30, true
		case "RTMIN":
			return 34, true
		case "RTMAX":
			return 64, true
		}
	}
	sig, ok = signals[name]
	return sig, ok
}
