package nginxacl

import (
	"fmt"
	"io"
	"strings"

	"github.com/onehost-go/onehost/acl"
)

// Changes are what [Diff] finds: first those that let somebody in, then those
// that cannot be judged, then those that shut somebody out.
type Changes []Change

// Open tells whether anybody gains access.
func (cs Changes) Open() bool {
	for i := range cs {
		if cs[i].Opens() {
			return true
		}
	}
	return false
}

// Uncertain tells whether there is anybody of whom it cannot be told.
func (cs Changes) Uncertain() bool {
	for i := range cs {
		if cs[i].Uncertain() {
			return true
		}
	}
	return false
}

// lines are who is affected, a line for each way.
func (c *Change) lines(names acl.Names) []string {
	var all []string
	add := func(set acl.Set, what, more string) {
		if set.IsEmpty() {
			return
		}
		who := names.Describe(set)
		all = append(all, what+": "+who+more)
		if strings.Contains(who, " more prefixes") {
			all = append(all, "exactly: "+exactly(set))
		}
	}
	gain, lose := "gain access", "lose access"
	if c.Gains.Equal(c.Gains.Intersect(c.Before.Reach.Login)) {
		gain = "need no login any more"
	}
	if c.Loses.Equal(c.Loses.Intersect(c.After.Reach.Login)) {
		lose = "need a login now"
	}
	add(c.Gains, gain, "")
	add(c.GainsLogin, "gain access with a login", "")
	add(c.Claims, "gain access by naming a client that has it", "")
	add(c.Through, "gain access, taken for the proxy they come through", "")
	why := c.After.Reach.Because
	if why == "" {
		why = "before the change, " + c.Before.Reach.Because
	}
	add(c.Unsure, "unknown", ", because "+why)
	for _, n := range c.Notes {
		all = append(all, "note: "+n)
	}
	add(c.Loses, lose, "")
	add(c.LosesLogin, "lose access even with a login", "")
	return all
}

// exactly writes a set by its prefixes, or by those that are not in it if they
// are fewer. What fills pages is cut: the set is in the Change.
func exactly(set acl.Set) string {
	in, out := set.String(), set.Complement().String()
	text := in
	if len(out) < len(in) {
		text = "everybody but " + out
	}
	const most = 4000
	if len(text) > most {
		text = text[:strings.LastIndexByte(text[:most], ',')] + ", …"
	}
	return text
}

// Where says which URLs the change is about: "scout.example.se /admin/* on
// 0.0.0.0:443", with how many more there are of each.
func (c *Change) Where() string {
	if len(c.Paths) == 0 && len(c.Before.Chain)+len(c.After.Chain) > 0 {
		return "stream on " + few(c.Listens, 3)
	}
	if len(c.Paths) == 0 {
		return few(c.Listens, 3)
	}
	host := func(h string) string {
		if h == "" {
			return "any other host"
		}
		return h
	}
	var hosts []string
	for _, h := range c.Hosts {
		hosts = append(hosts, host(h))
	}
	s := few(hosts, 3) + " " + few(c.Paths, 3) + " on " + few(c.Listens, 3)
	if len(c.Methods) > 0 {
		s += " for " + few(c.Methods, 9)
	}
	return s
}

// few joins the first n of some words.
func few(all []string, n int) string {
	if len(all) <= n {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:n], ", "), len(all)-n)
}

// WriteText writes the changes for a terminal, with the names of the house for
// the clients.
func (cs Changes) WriteText(w io.Writer, names acl.Names) error {
	var b strings.Builder
	if len(cs) == 0 {
		b.WriteString("nobody gains or loses access\n")
	}
	for i := range cs {
		c := &cs[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s\n", c.Where())
		for _, line := range c.lines(names) {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		fmt.Fprintf(&b, "    before: %s: %s\n", few(c.blocks[0], 3), c.Before.Why())
		for _, also := range c.Before.Also {
			fmt.Fprintf(&b, "            %s\n", also)
		}
		fmt.Fprintf(&b, "    after:  %s: %s\n", few(c.blocks[1], 3), c.After.Why())
		for _, also := range c.After.Also {
			fmt.Fprintf(&b, "            %s\n", also)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes the changes for a pull request.
func (cs Changes) WriteMarkdown(w io.Writer, names acl.Names) error {
	var b strings.Builder
	gains := 0
	for i := range cs {
		if cs[i].Opens() {
			gains++
		}
	}
	switch {
	case len(cs) == 0:
		b.WriteString("Nobody gains or loses access.\n")
	case gains == 0:
		b.WriteString("Nobody gains access.\n")
	default:
		fmt.Fprintf(&b, "**Somebody gains access** (%d of %d changes).\n", gains, len(cs))
	}
	for i := range cs {
		c := &cs[i]
		fmt.Fprintf(&b, "\n### %s\n\n", code(c.Where()))
		for _, line := range c.lines(names) {
			kind, rest, _ := strings.Cut(line, ": ")
			fmt.Fprintf(&b, "- **%s**: %s\n", kind, plain(rest))
		}
		fmt.Fprintf(&b, "- before: %s: %s\n", plain(few(c.blocks[0], 3)), plain(strings.Join(append([]string{c.Before.Why()}, c.Before.Also...), "; ")))
		fmt.Fprintf(&b, "- after: %s: %s\n", plain(few(c.blocks[1], 3)), plain(strings.Join(append([]string{c.After.Why()}, c.After.Also...), "; ")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// code is a text as code in Markdown, whatever is in it.
func code(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + strings.ReplaceAll(s, "\n", " ") + fence
}

// plain is a text in which Markdown sees nothing of its own.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_{}[]<>#+!|~$&", r) {
			b.WriteByte('\\')
		}
		if r == '\n' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
