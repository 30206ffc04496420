package supervisorconf

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// ofPlugins are options that plug-ins read from the sections of programs.
var ofPlugins = []string{"dependent_startup*"}

// typeOf returns the type of section that supervisord takes a header for, or
// "".
func typeOf(header string) string {
	switch header {
	case "supervisord", "supervisorctl", "include", "DEFAULT":
		return header
	}
	for _, typ := range []string{"program", "fcgi-program", "eventlistener", "group", "rpcinterface", "ctlplugin"} {
		if strings.HasPrefix(header, typ+":") {
			return typ
		}
	}
	for _, typ := range []string{"inet_http_server", "unix_http_server"} {
		if strings.HasPrefix(header, typ) {
			return typ
		}
	}
	return ""
}

// warn reports what supervisord passes over without a word.
func (l *loader) warn() {
	for _, f := range l.cfg.files {
		for _, s := range f.sections {
			typ := typeOf(s.Header())
			l.warnHeader(typ, s)
			if typ == "" {
				l.warnSection(s)
				continue
			}
			for _, o := range s.options {
				l.warnOption(typ, s, o)
				l.warnValue(typ, o)
			}
		}
	}
	l.warnReplaced()
	l.warnCorrupted()
	l.warnGroups()
}

func (l *loader) warnSection(s *Section) {
	at := len(l.cfg.Warnings)
	l.warnAt(s.Pos(), s.End(), "unknown-section", "supervisord ignores the section [%s]", s.Header())
	typ, name, named := strings.Cut(s.Header(), ":")
	if !named { // "[program x]"
		typ, name, _ = strings.Cut(trim(typ), " ")
	}
	near := l.nearest(lower(trim(typ)), maps.Keys(knownOptions))
	if name = trim(name); near == "" || name == "" && wantsName(near) {
		return
	}
	header := near
	if wantsName(near) {
		header += ":" + name
	}
	d := l.cfg.Warnings[at]
	d.Message += fmt.Sprintf("; did you mean [%s]?", header)
	d.Fixes = []Fix{{"rename it to [" + header + "]", []Edit{{d.Start, d.End, "[" + header + "]"}}}}
}

func (l *loader) warnOption(typ string, s *Section, o *Option) {
	list := knownOptions[typ]
	name := o.Name()
	if list == nil {
		return
	}
	if _, ok := LookupOption(typ, name); ok {
		return
	}
	for _, plugin := range slices.Concat(ofPlugins, l.o.PluginOptions) {
		if prefix, ok := strings.CutSuffix(plugin, "*"); name == plugin || ok && strings.HasPrefix(name, prefix) {
			return
		}
	}
	start, end := o.Pos(), o.Pos()
	end.Offset += len(o.key)
	end.Column += len(o.key)
	if strings.HasPrefix(o.key, "[") {
		l.warnUnclosed(s, o, start, end)
		return
	}
	at := len(l.cfg.Warnings)
	l.warnAt(start, end, "unknown-option", "supervisord ignores the option %s in [%s]", o.key, s.Header())
	d := l.cfg.Warnings[at]
	if near := l.nearest(name, names(list)); near != "" {
		d.Message += "; did you mean " + near + "?"
		d.Fixes = []Fix{{"rename it to " + near, []Edit{{start, end, near}}}}
		return
	}
	for _, other := range []string{"program", "supervisord", "eventlistener", "fcgi-program", "unix_http_server", "inet_http_server", "supervisorctl"} {
		if _, ok := LookupOption(other, name); ok {
			if wantsName(other) {
				other += ":x"
			}
			d.Message += fmt.Sprintf("; it belongs into [%s]", other)
			return
		}
	}
}

func names(list []OptionInfo) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, o := range list {
			if !yield(o.Name) {
				return
			}
		}
	}
}

// wantsName tells whether a type of section is followed by a colon and a name.
func wantsName(typ string) bool { return typeOf(typ) == "" }

// nearest returns the known name that a misspelt one is most like, or "" if it
// is like none: one letter in three may be wrong.
func (l *loader) nearest(name string, all iter.Seq[string]) string {
	best, distance := "", len(name)/3+1
	if l.suggested++; l.suggested > maxSuggested || len(name) > 40 {
		return ""
	}
	for known := range all {
		if d := editDistance(name, known); d < distance || d == distance && known < best {
			best, distance = known, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with the
// next.
func editDistance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
