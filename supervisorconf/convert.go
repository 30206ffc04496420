package supervisorconf

import (
	"fmt"
	"strings"
)

// byteSuffixes are Supervisor's; it knows no other, not even "B".
var byteSuffixes = []struct {
	suffix string
	factor int64
}{{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}}

func isTrue(s string) bool  { return s == "yes" || s == "true" || s == "on" || s == "1" }
func isFalse(s string) bool { return s == "no" || s == "false" || s == "off" || s == "0" }

// The converters are those of supervisor/datatypes.py. Each returns a value,
// or the message of its ValueError.

func toBool(s string) (bool, string) {
	switch l := lower(s); {
	case isTrue(l):
		return true, ""
	case isFalse(l):
		return false, ""
	}
	return false, "not a valid boolean value: " + repr(s)
}

func toInt(s string) (integer, string) { return parseInt(s, 10) }

func toBytes(s string) (integer, string) {
	s = lower(s)
	for _, b := range byteSuffixes {
		if t, ok := strings.CutSuffix(s, b.suffix); ok {
			n, message := parseInt(t, 10)
			return n.times(b.factor), message
		}
	}
	return parseInt(s, 10)
}

func toOctal(s string) (integer, string) {
	n, message := parseInt(s, 8)
	if message != "" {
		message = s + " can not be converted to an octal type"
	}
	return n, message
}

func toExitCodes(s string) ([]int, string) {
	codes := []int{}
	if s == "" {
		return codes, ""
	}
	for part := range strings.SplitSeq(s, ",") {
		n, message := parseInt(part, 10)
		if message != "" || n.big != nil || n.small < 0 || n.small > 255 {
			return nil, "not a valid list of exit codes: " + repr(s)
		}
		codes = append(codes, int(n.small))
	}
	return codes, ""
}

func toAutorestart(s string) (Autorestart, string) {
	switch l := lower(s); {
	case isTrue(l):
		return AutorestartAlways, ""
	case isFalse(l):
		return AutorestartNever, ""
	case l == "unexpected":
		return AutorestartUnexpected, ""
	default:
		return 0, "invalid 'autorestart' value " + repr(l)
	}
}

func toSignal(s string) (Signal, string) {
	n, message := parseInt(s, 10)
	if message != "" {
		name := strings.TrimPrefix(upper(trim(s)), "SIG")
		for _, k := range signalNames {
			if k.name == name {
				return k.number, ""
			}
		}
		if v, ok := signalAccidents[name]; ok {
			return v, ""
		}
		return 0, "value " + repr(s) + " is not a valid signal name"
	}
	if n.big == nil && (n.small >= 0 && n.small <= 31 || n.small == 34 || n.small == 64) {
		return Signal(n.small), ""
	}
	return 0, "value " + repr(s) + " is not a valid signal number"
}

// levelAccident is a name that Supervisor takes for a log level because its
// class of levels has an attribute of that name.
const levelAccident = "__module__"

func toLogLevel(s string) (LogLevel, string) {
	l := lower(s)
	for _, n := range logLevels {
		if n.name == l {
			return n.level, ""
		}
	}
	if l == levelAccident {
		return 0, ""
	}
	return 0, "bad logging level name " + repr(s)
}

func toList(s string) []string {
	if s == "" {
		return nil
	}
	list := strings.Split(s, ",")
	for i := range list {
		list[i] = trim(list[i])
	}
	return list
}

// toName is process_or_group_name.
func toName(s string) (string, string) {
	t := trim(s)
	for _, c := range " :/" {
		if strings.ContainsRune(t, c) {
			return t, fmt.Sprintf("Invalid name: %s because of character: %s", repr(s), repr(string(c)))
		}
	}
	return t, ""
}

func toPort(s string) (int, string) {
	n, message := parseInt(s, 10)
	switch {
	case message != "":
		return 0, message
	case n.clamp64() < 1:
		return 0, n.String() + " is below lower bound (1)"
	case n.clamp64() > 0xffff:
		return 0, n.String() + " is above upper bound (65535)"
	}
	return int(n.small), ""
}

func toInetAddress(s string) (host string, port int, message string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		if port, message = toPort(s); message != "" {
			message = "not a valid port number: " + repr(s) + " "
		}
		return "", port, message
	}
	host, s = lower(s[:i]), s[i+1:]
	if s == "" {
		return "", 0, "no port number specified in ''"
	}
	if host == "*" {
		host = ""
	}
	port, message = toPort(s)
	return host, port, message
}
