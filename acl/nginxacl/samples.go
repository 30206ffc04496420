package nginxacl

import (
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
)

// anyName is for hosts and paths that no name of a configuration is meant for.
const anyName = "any-other-name"

// hostsOf returns hosts that a server name is for.
func hostsOf(name string) []string {
	name = strings.ToLower(name)
	switch {
	case strings.HasPrefix(name, "~"):
		return samples(name[1:])
	case strings.HasPrefix(name, "*."):
		return []string{anyName + name[1:]}
	case strings.HasPrefix(name, "."):
		return []string{name[1:], anyName + name}
	case strings.HasSuffix(name, ".*"):
		return []string{name[:len(name)-1] + "invalid"}
	case name == "_", name == "$hostname":
		return nil // the first is nobody's host, the second is not known
	}
	return []string{name}
}

// A locationName is the arguments of a location.
type locationName struct {
	modifier, name string
	at             *place // nil: it only leads somewhere
}

// nameOf takes a location's arguments apart, which may be glued together.
func nameOf(d *nginxconf.Directive) locationName {
	switch d.NumArgs() {
	case 1:
		for _, m := range []string{"=", "^~", "~*", "~"} {
			if name, ok := strings.CutPrefix(d.Arg(0), m); ok {
				return locationName{modifier: m, name: name}
			}
		}
		return locationName{name: d.Arg(0)}
	case 2:
		return locationName{modifier: d.Arg(0), name: d.Arg(1)}
	}
	return locationName{}
}

func (n locationName) isRegex() bool { return n.modifier == "~" || n.modifier == "~*" }
func (n locationName) isNamed() bool { return n.modifier == "" && strings.HasPrefix(n.name, "@") }

// What an unreasonable configuration is cut down to.
const (
	maxPaths    = 20_000 // for a pair of servers
	maxPrefixes = 256    // below which a regular expression is looked for
	maxSamples  = 8      // of a regular expression
)

// pathsOf returns paths that lead to all of the locations, and past the ones
// around them: what is at a name, what is below it, and what regular
// expressions take away from there. They are not all if there are too many.
func pathsOf(names []locationName) (_ []string, all bool) {
	paths := []string{"/", "/" + anyName}
	prefixes := []string{"/"}
	var regexes []string
	for _, n := range names {
		switch {
		case n.isNamed() || n.name == "":
		case n.isRegex():
			regexes = append(regexes, n.name)
		case n.modifier == "=":
			paths = append(paths, n.name)
		default:
			prefixes = append(prefixes, n.name)
			paths = append(paths, n.name, n.name+anyName)
			if !strings.HasSuffix(n.name, "/") {
				paths = append(paths, n.name+"/"+anyName)
			}
		}
	}
	slices.Sort(prefixes)
	prefixes = slices.Compact(prefixes)
	all = len(prefixes) <= maxPrefixes || len(regexes) == 0
	prefixes = prefixes[:min(len(prefixes), maxPrefixes)]
	for _, re := range regexes {
		for _, s := range samples(re) {
			if strings.HasPrefix(s, "/") {
				paths = append(paths, s, s+anyName)
			}
			for _, p := range prefixes {
				paths = append(paths, p+strings.TrimPrefix(s, "/"), p+anyName+s, p+strings.TrimPrefix(s, "/")+anyName)
			}
		}
	}
	seen := map[string]bool{}
	paths = slices.DeleteFunc(paths, func(p string) bool {
		drop := seen[p] || !strings.HasPrefix(p, "/")
		seen[p] = true
		return drop
	})
	if len(paths) > maxPaths {
		return paths[:maxPaths], false
	}
	return paths, all
}

// samples returns some texts that a regular expression matches, or none if it
// is written in a way that Go does not know. What looks ahead and behind is left
// out, so they may not match after all.
func samples(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		re, err = syntax.Parse(plainer(expr), syntax.Perl)
	}
	if err != nil {
		return nil
	}
	all := sample(re, 0)
	slices.Sort(all)
	return slices.Compact(all)
}

// plainer takes out of a regular expression of PCRE what Go has not: assertions
// such as "(?!well-known)", atomic groups, possessive quantifiers.
func plainer(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		rest := expr[i:]
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteString(rest[:2])
			i++
		case strings.HasPrefix(rest, "(?!"), strings.HasPrefix(rest, "(?="), strings.HasPrefix(rest, "(?<!"), strings.HasPrefix(rest, "(?<="):
			i += groupEnd(rest)
		case strings.HasPrefix(rest, "(?>"):
			b.WriteString("(?:")
			i += 2
		case rest[0] == '+' && i > 0 && strings.IndexByte("+*?}", expr[i-1]) >= 0 && (i < 2 || expr[i-2] != '\\'):
		default:
			b.WriteByte(rest[0])
		}
	}
	return b.String()
}

// groupEnd returns where the group ends that s starts with.
func groupEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s) - 1
}

// sample returns texts that an expression matches, apart from what it says of
// their ends.
func sample(re *syntax.Regexp, depth int) []string {
	if depth > 100 {
		return nil
	}
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		return []string{string(oneOf(re.Rune))}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x"}
	case syntax.OpCapture, syntax.OpPlus:
		return sample(re.Sub[0], depth+1)
	case syntax.OpStar, syntax.OpQuest:
		return append([]string{""}, cutTo(sample(re.Sub[0], depth+1), 1)...)
	case syntax.OpRepeat:
		one := cutTo(sample(re.Sub[0], depth+1), 1)
		if re.Min == 0 || len(one) == 0 {
			return append([]string{""}, one...)
		}
		return []string{strings.Repeat(one[0], re.Min)}
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, sample(sub, depth+1)...)
		}
		return cutTo(all, maxSamples)
	case syntax.OpConcat:
		all := []string{""}
		for _, sub := range re.Sub {
			var next []string
			for _, tail := range sample(sub, depth+1) {
				for _, head := range all {
					if len(head)+len(tail) < 1024 {
						next = append(next, head+tail)
					}
				}
			}
			all = cutTo(next, maxSamples)
		}
		return all
	case syntax.OpNoMatch:
		return nil
	}
	return []string{""} // the start, an end, a word boundary
}

func cutTo(all []string, n int) []string { return all[:min(n, len(all))] }

// oneOf returns a character of a class, a plain one if there is any.
func oneOf(ranges []rune) rune {
	for _, plain := range [][2]rune{{'a', 'z'}, {'0', '9'}, {'A', 'Z'}, {'-', '.'}, {'!', '~'}} {
		for i := 0; i+1 < len(ranges); i += 2 {
			if low, high := max(ranges[i], plain[0]), min(ranges[i+1], plain[1]); low <= high {
				return low
			}
		}
	}
	if len(ranges) == 0 {
		return 'x'
	}
	return ranges[0]
}
