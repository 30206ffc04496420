package supervisorconf

import (
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// glob is Python's glob.glob for an absolute pattern: "*", "?" and "[a-z]" or
// "[!a-z]", neither "~" nor braces; a dot at the start of a name is matched by
// a dot alone. Names come in no order.
func (l *loader) glob(pattern string) []string {
	if len(pattern) > maxPattern {
		return nil
	}
	return l.globDir(pattern, false)
}

func (l *loader) globDir(pattern string, dirsOnly bool) []string {
	i := strings.LastIndexByte(pattern, '/') + 1
	dir, base := pattern[:i], pattern[i:]
	if t := strings.TrimRight(dir, "/"); t != "" {
		dir = t
	}
	if !hasMagic(pattern) {
		if base != "" && l.exists(pattern) || base == "" && l.existsDir(dir) {
			return []string{pattern}
		}
		return nil
	}
	dirs := []string{dir}
	if dir != pattern && hasMagic(dir) {
		dirs = l.globDir(dir, true)
	}
	var found []string
	for _, d := range dirs {
		// "/*/../*/../*/.." has more matches than there are atoms.
		// A path costs by its length: each ".." in it is looked at.
		if l.read += pathCost * (1 + len(d)); l.read > maxRead {
			return nil
		}
		if !hasMagic(base) {
			if base == "" && l.existsDir(d) || base != "" && l.exists(joinPath(d, base)) {
				found = append(found, joinPath(d, base))
			}
			continue
		}
		for _, e := range l.list(d) {
			name := e.Name()
			if strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".") || !fnmatch(base, name) {
				continue
			}
			if p := joinPath(d, name); !dirsOnly || l.existsDir(p) {
				found = append(found, p)
			}
		}
	}
	return found
}

func hasMagic(s string) bool { return strings.ContainsAny(s, "*?[") }

// walkable tells whether the directories that ".." goes up from are there, as
// the kernel asks.
func (l *loader) walkable(p string) bool {
	at := "/"
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			if !l.statDir(at) {
				return false
			}
		}
		at = path.Join(at, part)
	}
	return true
}

func (l *loader) exists(p string) bool {
	_, err := fs.Lstat(l.fsys, l.fsName(p)) // a broken link is there
	return err == nil && l.walkable(p)
}

func (l *loader) statDir(p string) bool {
	info, err := fs.Stat(l.fsys, l.fsName(p))
	return err == nil && info.IsDir()
}

func (l *loader) existsDir(p string) bool { return l.statDir(p) && l.walkable(p) }

func (l *loader) list(dir string) []fs.DirEntry {
	name := l.fsName(dir)
	entries, ok := l.dirs[name]
	if !ok {
		entries, _ = fs.ReadDir(l.fsys, name) // one that cannot be read is empty
		l.dirs[name] = entries
	}
	if !l.walkable(dir) {
		return nil
	}
	l.read += pathCost * len(entries)
	return entries
}

// fnmatch is Python's fnmatch.fnmatchcase.
func fnmatch(pattern, name string) bool {
	// Where to go back to: the last "*", and what it has eaten so far.
	star, eaten := -1, 0
	p, n := 0, 0
	for n < len(name) {
		r, size := utf8.DecodeRuneInString(name[n:])
		if p < len(pattern) {
			if pattern[p] == '*' {
				star, eaten = p, n
				p++
				continue
			}
			if ok, width := matchOne(pattern[p:], r); ok {
				p += width
				n += size
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, size = utf8.DecodeRuneInString(name[eaten:])
		eaten += size
		p, n = star+1, eaten
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches one character with the start of pattern, which is width
// bytes long.
func matchOne(pattern string, r rune) (ok bool, width int) {
	c, size := utf8.DecodeRuneInString(pattern)
	switch c {
	case '?':
		return true, size
	case '[':
		end := 1
		if strings.HasPrefix(pattern[end:], "!") {
			end++
		}
		if strings.HasPrefix(pattern[end:], "]") {
			end++
		}
		i := strings.IndexByte(pattern[end:], ']')
		if i < 0 {
			break // a bracket like any character
		}
		set := pattern[1 : end+i]
		not := strings.HasPrefix(set, "!")
		return inSet(strings.TrimPrefix(set, "!"), r) != not, end + i + 1
	}
	return c == r, size
}

// inSet tells whether r is in a set such as "a-z_". A range that runs
// backwards is empty.
func inSet(set string, r rune) bool {
	rs := []rune(set)
	for i := 0; i < len(rs); i++ {
		if i+2 < len(rs) && rs[i+1] == '-' {
			if rs[i] <= r && r <= rs[i+2] {
				return true
			}
			i += 2
			continue
		}
		if rs[i] == r {
			return true
		}
	}
	return false
}
