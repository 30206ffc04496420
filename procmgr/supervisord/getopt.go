//go:build unix

package supervisord

import (
	"fmt"
	"slices"
	"strings"
)

// A flagInfo is an option of supervisord's command line.
type flagInfo struct {
	short byte // 0: none
	long  string
	value bool
}

var flags = []flagInfo{
	{'h', "help", false}, {'?', "", false}, {'c', "configuration", true}, {'v', "version", false}, {'n', "nodaemon", false},
	{'u', "user", true}, {'m', "umask", true}, {'d', "directory", true}, {'l', "logfile", true}, {'y', "logfile_maxbytes", true},
	{'z', "logfile_backups", true}, {'e', "loglevel", true}, {'j', "pidfile", true}, {'i', "identifier", true}, {'q', "childlogdir", true},
	{'a', "minfds", true}, {0, "minprocs", true}, {'k', "nocleanup", false}, {'t', "strip_ansi", false}, {'s', "silent", false},
}

// A flagValue is one that was given, by its long name.
type flagValue struct{ name, shown, value string }

// getopt is Python's getopt.getopt: short options may stand together, long ones
// be shortened.
func getopt(args []string) (given []flagValue, rest []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			break
		}
		args = args[1:]
		if arg == "--" {
			break
		}
		if long, ok := strings.CutPrefix(arg, "--"); ok {
			name, value, hasValue := strings.Cut(long, "=")
			f, err := longFlag(name)
			switch {
			case err != nil:
				return nil, nil, err
			case f.value && !hasValue && len(args) == 0:
				return nil, nil, fmt.Errorf("option --%s requires argument", f.long)
			case f.value && !hasValue:
				value, args = args[0], args[1:]
			case !f.value && hasValue:
				return nil, nil, fmt.Errorf("option --%s must not have an argument", f.long)
			}
			given = append(given, flagValue{f.long, "--" + f.long, value})
			continue
		}
		for cluster := arg[1:]; cluster != ""; {
			i := slices.IndexFunc(flags, func(f flagInfo) bool { return f.short == cluster[0] })
			if i < 0 {
				return nil, nil, fmt.Errorf("option -%c not recognized", cluster[0])
			}
			f := flags[i]
			v := flagValue{f.long, "-" + string(rune(f.short)), ""}
			cluster = cluster[1:]
			if f.value {
				switch {
				case cluster != "":
					v.value, cluster = cluster, ""
				case len(args) == 0:
					return nil, nil, fmt.Errorf("option -%c requires argument", f.short)
				default:
					v.value, args = args[0], args[1:]
				}
			}
			given = append(given, v)
		}
	}
	return given, args, nil
}

func longFlag(name string) (flagInfo, error) {
	var found []flagInfo
	for _, f := range flags {
		if f.long == name && name != "" {
			return f, nil
		}
		if f.long != "" && strings.HasPrefix(f.long, name) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		return flagInfo{}, fmt.Errorf("option --%s not recognized", name)
	case 1:
		return found[0], nil
	}
	return flagInfo{}, fmt.Errorf("option --%s not a unique prefix", name)
}
