package supervisorconf

import (
	"fmt"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// warnHeader reports what supervisord drops of a header, and of a section that
// stands where nobody reads it.
func (l *loader) warnHeader(typ string, s *Section) {
	if typ != "" && trim(s.tail) != "" {
		before := s.lead[lastLine(s.lead):] + s.raw
		line, _ := nextLine(before + s.tail)
		if cut := commentAt(line); cut >= 0 {
			line = line[:cut]
		}
		if text := trim(line[min(len(before), len(line)):]); text != "" {
			at := s.End()
			end := s.src.position(s.off + len(s.raw) + len(trimRight(line[len(before):])))
			l.warnAt(at, end, "ignored-text", "supervisord ignores what follows the header [%s] on its line", s.Header())
			l.fix("remove it", Edit{Start: at, End: end})
		}
	}
	if strings.Contains(s.Header(), "]") {
		l.warnAt(s.Pos(), s.End(), "long-header", `supervisord reads the header up to its last "]", as %s`, repr(s.Header()))
	}
	if (typ == "supervisorctl" || typ == "ctlplugin") && s.file != l.cfg.Root {
		l.warnAt(s.Pos(), s.End(), "ignored-section", "supervisorctl reads the main file alone: it ignores [%s] in an included file", s.Header())
	}
}

// fix adds a fix to the last warning.
func (l *loader) fix(message string, edits ...Edit) {
	d := l.cfg.Warnings[len(l.cfg.Warnings)-1]
	d.Fixes = append(d.Fixes, Fix{message, edits})
}

// warnUnclosed reports a header that became an option of the section before.
func (l *loader) warnUnclosed(s *Section, o *Option, start, end token.Position) {
	if c, ok := o.cut(); ok && strings.Contains(c.Text, "]") {
		l.warnAt(start, end, "unclosed-header", `supervisord reads this as an option of [%s]: a comment cuts the header before its "]"`, s.Header())
		return
	}
	l.warnAt(start, end, "unclosed-header", `supervisord reads this as an option of [%s]: the header lacks its "]"`, s.Header())
	if !strings.ContainsAny(o.raw, "\n\r]") {
		l.fix(`insert the "]"`, Edit{Start: o.End(), End: o.End(), NewText: "]"})
	}
}

// warnValue reports what supervisord reads of a value in another way than it
// looks: a comment that cuts it, and headers and options that became lines of
// it.
func (l *loader) warnValue(typ string, o *Option) {
	lines := strings.ContainsAny(o.raw, "\n\r")
	if strings.ContainsAny(o.tail, ";#") || lines && strings.ContainsAny(o.raw, ";#") {
		l.warnCut(typ, o)
	}
	if lines {
		l.warnSwallowed(typ, o)
	}
}

// cut returns the first comment behind the beginning of the value.
func (o *Option) cut() (Comment, bool) {
	for c := range o.Comments() {
		if c.Start.Offset >= o.valueOff {
			return c, true
		}
	}
	return Comment{}, false
}

var shellWord = regexp.MustCompile(`^;\s*(?:done|fi|esac|then)\b`)

// warnCut reports a comment that is probably none: it starts within quotes, or
// goes on as a shell does, or as a password may.
func (l *loader) warnCut(typ string, o *Option) {
	info, _ := LookupOption(typ, o.Name())
	if info.Type != TypeCommand && info.Type != TypeString && typ != "rpcinterface" && !strings.ContainsAny(o.raw, `"'`) {
		return
	}
	c, ok := o.cut()
	if !ok {
		return
	}
	before, rest := o.src.text[o.valueOff:c.Start.Offset], o.src.text[c.Start.Offset:]
	line, _ := nextLine(rest)
	switch {
	case openQuote(before, info.Type) && !openQuote(before+line, info.Type): // within quotes
	case info.Type == TypeCommand && shellWord.MatchString(c.Text):
	case isSecret(o.Name()) && len(c.Text) > 1 && !strings.ContainsAny(c.Text, " \t"):
	default:
		return
	}
	l.warnAt(c.Start, c.End, "cut-value", `supervisord cuts the value of %s here: white space before "%s" starts a comment, and quotes do not protect it`, o.Name(), c.Text[:1])
	if info.Type == TypeCommand && c.Text[0] == ';' && isShell(o.Value()) {
		start := len(trimRight(o.src.text[:c.Start.Offset]))
		l.fix(`put the ";" right behind the word before`, Edit{Start: o.src.position(start), End: c.Start})
	}
}

// openQuote tells whether a quote is open at the end of a text.
func openQuote(s string, typ ValueType) bool {
	switch typ {
	case TypeCommand:
		_, message := splitCommand(s)
		return message == "No closing quotation"
	case TypeEnvironment:
		_, message := toPairs(s, true)
		return message == "No closing quotation"
	}
	s = trim(s)
	return s != "" && isQuote(rune(s[0])) && (len(s) == 1 || s[len(s)-1] != s[0])
}

// isShell tells whether a command is one for a shell: "sh -c '…".
func isShell(command string) bool {
	words := fields(command)
	return len(words) > 1 && words[1] == "-c" && slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh"}, path.Base(words[0]))
}

// warnSwallowed reports lines of a value that look like headers or options.
func (l *loader) warnSwallowed(typ string, o *Option) {
	_, n := nextLine(o.raw)
	for off, rest := o.valueOff+n, o.raw[n:]; rest != ""; {
		line, n := nextLine(rest)
		indent := blanks(line)
		text := line[len(indent):]
		if cut := commentAt(line); cut >= 0 {
			text = trimRight(line[len(indent):max(cut, len(indent))])
		}
		at := off + len(indent)
		off, rest = off+n, rest[n:]
		if strings.HasPrefix(text, "[") {
			if i := strings.LastIndexByte(text, ']'); i > 1 && typeOf(text[1:i]) != "" {
				l.warnIndented(o, "swallowed-header", at, len(indent), len(text))
				return // what follows it is in that section
			}
		}
		i := strings.IndexAny(text, "=:")
		if i < 0 {
			continue
		}
		key, value := trimRight(text[:i]), trimLeft(text[i+1:])
		if strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'") {
			continue // a variable
		}
		if _, known := LookupOption(typ, key); known {
			l.warnIndented(o, "swallowed-option", at, len(indent), len(key))
		}
	}
}

func (l *loader) warnIndented(o *Option, code string, at, indent, size int) {
	start := o.src.position(at)
	l.warnAt(start, o.src.position(at+size), code, "supervisord reads this line as part of the value of %s: it is indented", o.Name())
	l.fix("remove the indentation", Edit{Start: o.src.position(at - indent), End: start, NewText: o.indent()})
}

// warnLost reports what supervisord drops of an environment.
func (l *loader) warnLost(v val, pairs []pair, lost []loss) {
	type seen struct{ o *Option }
	if len(lost) == 0 && !repeated(pairs) {
		return
	}
	if v.option == nil || l.reported[seen{v.option}] {
		return
	}
	values := map[string]string{}
	var messages []string
	for _, p := range pairs {
		if other, twice := values[p.key]; twice && other != p.value {
			messages = append(messages, fmt.Sprintf("supervisord takes the last of several values of %s", repr(p.key)))
		}
		values[p.key] = p.value
	}
	code := "overridden-variable"
	for _, x := range lost {
		code = "lost-in-environment"
		after := repr(x.after)
		switch {
		case x.comment:
			messages = append(messages, fmt.Sprintf(`supervisord drops what follows "#" behind the value of %s: it wants quotes`, after))
		case x.comma:
			messages = append(messages, fmt.Sprintf("supervisord takes what follows the value of %s for the comma", after))
		default:
			messages = append(messages, fmt.Sprintf("supervisord drops what follows the value of %s: it wants quotes", after))
		}
	}
	if len(messages) > 0 {
		l.reported[seen{v.option}] = true
		l.warnAt(v.option.ValuePos(), v.option.End(), code, "%s", strings.Join(messages, "; "))
	}
}

// repeated tells whether a variable comes twice.
func repeated(pairs []pair) bool {
	if len(pairs) > 32 {
		return true // perhaps
	}
	for i, p := range pairs {
		for _, q := range pairs[:i] {
			if p.key == q.key {
				return true
			}
		}
	}
	return false
}

// warnReplaced reports options that a later one overrides.
func (l *loader) warnReplaced() {
	for _, o := range l.replaced {
		h := o.up.Header()
		typ := typeOf(h)
		s := l.cfg.sections[h]
		if typ == "DEFAULT" {
			s = l.cfg.defaults
		}
		e := s.find(o.Name())
		if e != nil && e.option.up.file != o.up.file && (typ == "include" || typ == "supervisorctl" || typ == "ctlplugin") {
			continue // there, it is not read
		}
		if _, known := LookupOption(typ, o.Name()); e == nil || e.option == o || e.option.Value() == o.Value() || !known && knownOptions[typ] != nil || typ == "" || l.reported[o] {
			continue
		}
		l.reported[o] = true
		l.warnAt(o.Pos(), o.End(), "overridden-option", "supervisord takes the %s of [%s] from %s", o.Name(), h, e.option.Pos())
		start := o.off - len(o.lead[lastLine(o.lead):])
		l.fix("remove it", Edit{Start: o.src.position(start), End: o.src.position(o.endOff + len(o.tail))})
	}
}

// warnCorrupted reports where an include made "%%(here)s" a path behind a "%".
func (l *loader) warnCorrupted() {
	for _, o := range l.corrupted {
		typ := typeOf(o.up.Header())
		if _, known := LookupOption(typ, o.Name()); known || typ == "rpcinterface" || typ == "DEFAULT" {
			l.warnAt(o.ValuePos(), o.End(), "corrupted-here", "because of [include], supervisord replaces %s even behind a %%: the value of %s has a %% before the path", hereFormat, o.Name())
		}
	}
}

// warnGroups reports groups, processes and sockets that do not come about.
func (l *loader) warnGroups() {
	first := map[string]*Group{}
	for _, g := range l.cfg.Groups {
		node := g.section.node
		if other := first[g.Name]; other != nil {
			l.warnAt(node.Pos(), node.End(), "duplicate-group", "supervisord drops this group: [%s] makes another of the name %s", other.section.name, g.Name)
		} else {
			first[g.Name] = g
		}
		names := map[string]bool{}
		for _, p := range g.Processes {
			if key := "process\x00" + g.section.name + "\x00" + p.Name; names[p.Name] && p.Name != "" && !l.reported[key] {
				l.reported[key] = true
				l.warnAt(node.Pos(), node.End(), "duplicate-process", "supervisord runs only the last of the processes called %s in the group %s", repr(p.Name), g.Name)
			}
			names[p.Name] = true
		}
	}
	for _, p := range l.cfg.Programs {
		if p.Kind != KindProgram || typeOf(p.section.name) != "fcgi-program" {
			continue
		}
		for _, key := range []string{"socket", "socket_backlog", "socket_mode", "socket_owner"} {
			if o := p.Option(key); o != nil && !l.reported[o] {
				l.reported[o] = true
				l.warnAt(o.Pos(), o.End(), "ignored-socket", "supervisord ignores %s: the processes of an fcgi-program in a [group:x] get no socket", key)
			}
		}
	}
}

// fixCommas offers a fix for an include that matches nothing, if it is for its
// commas.
func (l *loader) fixCommas(o *Option, pattern string) {
	if at := len(l.cfg.Warnings) - 1; at >= 0 && strings.Contains(pattern, ",") && !strings.ContainsAny(o.raw, "\n\r") {
		if d := l.cfg.Warnings[at]; d.Code == "no-include" && len(d.Fixes) == 0 {
			l.fix("put spaces between the patterns", Edit{Start: o.ValuePos(), End: o.End(), NewText: strings.ReplaceAll(strings.ReplaceAll(o.raw, ", ", " "), ",", " ")})
		}
	}
}
