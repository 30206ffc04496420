package nginxconf

import (
	"io/fs"
	"slices"
	"strings"
)

// glob returns what glob(3) finds for an absolute pattern in the C locale,
// which is how nginx calls it: a leading dot is matched by a dot only, "[!a]"
// and "[[:alpha:]]" work, an unclosed bracket is itself, order is that of the
// bytes of the whole path.
func glob(fsys fs.FS, pattern string) []string {
	found := []string{""}
	for rest := pattern; rest != ""; {
		slashes := rest[:len(rest)-len(strings.TrimLeft(rest, "/"))]
		rest = rest[len(slashes):]
		part, _, _ := strings.Cut(rest, "/")
		rest = rest[len(part):]
		var next []string
		for _, dir := range found {
			dir += slashes
			if part == "" {
				next = append(next, dir)
				continue
			}
			if !strings.ContainsAny(part, "*?[") {
				literal := unescapeGlob(part)
				if _, err := fs.Stat(fsys, fsName(dir+literal)); err == nil {
					next = append(next, dir+literal)
				}
				continue
			}
			entries, err := fs.ReadDir(fsys, fsName(dir))
			if err != nil {
				continue
			}
			for _, e := range entries {
				if matchGlob(part, e.Name()) {
					next = append(next, dir+e.Name())
				}
			}
		}
		found = next
	}
	slices.Sort(found)
	return found
}

func unescapeGlob(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// matchGlob is fnmatch(3) with FNM_PERIOD for one path element.
func matchGlob(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(strings.TrimPrefix(pattern, `\`), ".") {
		return false
	}
	// On a mismatch, the last star takes one byte more: linear in practice,
	// and at most len(pattern) * len(name).
	p, n := 0, 0
	star, starName := -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == '*' {
			star, starName = p, n
			p++
			continue
		}
		if size, ok := matchOne(pattern[p:], name[n]); ok {
			p += size
			n++
			continue
		}
		if star < 0 {
			return false
		}
		starName++
		p, n = star+1, starName
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches the first element of pattern, which is not a star, with c,
// and returns its length.
func matchOne(pattern string, c byte) (size int, ok bool) {
	switch {
	case pattern == "":
		return 0, false
	case pattern[0] == '?':
		return 1, true
	case pattern[0] == '\\' && len(pattern) > 1:
		return 2, pattern[1] == c
	case pattern[0] == '[':
		if size, ok := matchBracket(pattern, c); size > 0 {
			return size, ok
		}
	}
	return 1, pattern[0] == c
}

// matchBracket matches a bracket expression; size is 0 if it is not closed.
func matchBracket(pattern string, c byte) (size int, ok bool) {
	i := 1
	not := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if not {
		i++
	}
	element := func() byte {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		i++
		return pattern[i-1]
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, ok != not
		}
		if name, _, found := strings.Cut(pattern[i:], ":]"); found && strings.HasPrefix(name, "[:") {
			ok = ok || inClass(name[2:], c)
			i += len(name) + 2
			continue
		}
		low := element()
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			i++
			high = element()
		}
		ok = ok || low <= c && c <= high
	}
	return 0, false
}

func inClass(name string, c byte) bool {
	lower, upper, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
	switch name {
	case "alpha":
		return lower || upper
	case "digit":
		return digit
	case "alnum":
		return lower || upper || digit
	case "lower":
		return lower
	case "upper":
		return upper
	case "xdigit":
		return digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
	case "space":
		return c == ' ' || '\t' <= c && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return '!' <= c && c <= '~' && !lower && !upper && !digit
	case "cntrl":
		return c < ' ' || c == 0x7f
	case "print":
		return ' ' <= c && c <= '~'
	case "graph":
		return '!' <= c && c <= '~'
	}
	return false
}
