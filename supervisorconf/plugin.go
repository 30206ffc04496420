package supervisorconf

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A release is what differs between versions of Supervisor.
type release struct {
	importlib bool // 4.3: plug-ins are imported without pkg_resources
	posix     bool // 4.4: environment= knows escapes, is expanded once, and failed imports say why
}

func releaseOf(version string) (release, error) {
	if version == "" {
		return release{true, true}, nil
	}
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(cmp.Or(minor, "0"))
	if err != nil || err2 != nil || a < 0 || b < 0 {
		return release{}, fmt.Errorf("supervisorconf: %q is no version of Supervisor", version)
	}
	if a < 4 {
		return release{}, fmt.Errorf("supervisorconf: Supervisor %s is not known, only 4.0 and later", version)
	}
	return release{importlib: a > 4 || b >= 3, posix: a > 4 || b >= 4}, nil
}

// pySpace is \s of Python's re.
const pySpace = `[\t-\r\x1c- \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`

const (
	pyWord   = `[\pL\pN_.]+`
	specForm = `(` + pyWord + `)` + pySpace + `*(?::` + pySpace + `*(` + pyWord + `)` + pySpace + `*)?(?:(\[.*\])` + pySpace + `*)?$`
)

var (
	pluginSpec   = regexp.MustCompile(`^` + specForm)                                     // importlib.metadata
	namedSpec    = regexp.MustCompile(`^.+?` + pySpace + `*=` + pySpace + `*` + specForm) // pkg_resources, of "x=" and the spec
	pluginModule = regexp.MustCompile(`^[\pL\pN_]+(\.[\pL\pN_]+)*$`)
	pluginExtras = regexp.MustCompile(`^\[\s*(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?(?:\s*,\s*[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)*)?\s*\]$`)
)

// plugin reads the name of a plug-in, asks whether Supervisor could import it,
// and returns it as "module:attribute".
func (l *loader) plugin(c *context, v val) string {
	spec := v.str
	m := pluginSpec.FindStringSubmatch(spec)
	if !l.release.importlib {
		m = namedSpec.FindStringSubmatch("x=" + spec)
	}
	var err error
	switch {
	case l.release.importlib && m == nil:
		err = fmt.Errorf("'NoneType' object has no attribute 'group'")
	case l.release.importlib:
	case m == nil:
		// pkg_resources raises a ValueError of two arguments, which nobody catches.
		l.reject(v, c, "invalid-plugin", fmt.Sprintf(`("EntryPoint must be in 'name=module:attrs [extras]' format", %s)`, repr("x="+spec)))
		return spec
	case m[3] != "" && !pluginExtras.MatchString(m[3]):
		r := []rune(m[3])
		l.reject(v, c, "invalid-plugin", fmt.Sprintf(`Parse error at "%s": Expected string_end`, repr(string(r[:min(8, len(r))]))))
		return spec
	case !pluginModule.MatchString(m[1]):
		l.reject(v, c, "invalid-plugin", fmt.Sprintf("('Invalid module name', %s)", repr(m[1])))
		return spec
	}
	if m != nil {
		if spec = m[1]; m[2] != "" {
			spec += ":" + m[2]
		}
		if l.o.Plugin == nil {
			return spec
		}
		err = l.o.Plugin(spec)
	}
	if err != nil {
		message := fmt.Sprintf("%s cannot be resolved within [%s]", v.str, c.section.name)
		if l.release.posix {
			message += ": " + err.Error()
		}
		l.reject(v, c, "unknown-plugin", message)
	}
	return spec
}

// plugins is get_plugins: it reads the sections whose headers start so.
func (l *loader) plugins(prefix, key string, found func(s *section, factory string, options map[string]string)) {
	for s := range l.of(prefix) {
		c := &context{section: s}
		factory, options := "", map[string]string{}
		if v := l.get(c, key, nil); !v.set {
			l.missing(s, "missing-option", fmt.Sprintf("section [%s] does not specify a %s", s.name, key))
		} else if !v.bad {
			factory = l.plugin(c, v)
		}
		for _, list := range [][]entry{s.entries, l.cfg.defaults.entries} {
			for _, e := range list {
				if _, known := options[e.key]; e.key == key || known {
					continue
				}
				if v := l.get(c, e.key, nil); !v.bad {
					options[e.key] = v.str
				}
			}
		}
		found(s, factory, options)
	}
}
