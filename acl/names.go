package acl

import (
	"errors"
	"fmt"
	"go/token"
	"net/netip"
	"strings"
	"unicode"
)

// A Named set is clients that people have a word for: "office", "vpn".
type Named struct {
	Name string
	Set  Set
}

// Names are the words for clients, in the order in which answers use them.
type Names []Named

// ParseNames reads names, a line each:
//
//	office = 192.0.2.0/24, 2001:db8:1::/48   # first floor
//	vpn    = 10.8.0.0/16
//	staff  = office vpn
//
// What stands behind "=" is as in [ParseSet]; a name of a line above is fine
// too, and a second line of a name adds to it. A name consists of letters,
// digits, '-', '_' and '.', and begins with a letter. All errors are reported,
// joined, each with its place; the names of the other lines are returned with
// them.
func ParseNames(filename string, src []byte) (Names, error) {
	var names Names
	var errs []error
	line := 0
	for text := range strings.Lines(string(src)) {
		line++
		text, _, _ = strings.Cut(text, "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		fail := func(column int, format string, args ...any) {
			pos := token.Position{Filename: filename, Line: line, Column: column + 1}
			errs = append(errs, fmt.Errorf("%v: %w", pos, fmt.Errorf(format, args...)))
		}
		left, right, found := strings.Cut(text, "=")
		name := strings.TrimSpace(left)
		begin := len(left) - len(strings.TrimLeftFunc(left, unicode.IsSpace))
		switch {
		case !found:
			fail(begin, `want "name = addresses"`)
			continue
		case !isName(name):
			fail(begin, "%q is not a name", name)
			continue
		}
		var set Set
		ok := true
		for word, at := range words(right) {
			s, err := names.parse(word)
			if err != nil {
				fail(len(left)+1+at, "%w", err)
				ok = false
			}
			set = set.Union(s)
		}
		if !ok {
			continue
		}
		if at := names.index(name); at >= 0 {
			names[at].Set = names[at].Set.Union(set)
		} else {
			names = append(names, Named{name, set})
		}
	}
	return names, errors.Join(errs...)
}

func isName(s string) bool {
	for i, r := range s {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)) {
			return false
		}
	}
	return s != "" && s != "all" && s != "nobody"
}

func (n Names) index(name string) int {
	for i, named := range n {
		if named.Name == name {
			return i
		}
	}
	return -1
}

func (n Names) parse(word string) (Set, error) {
	if at := n.index(word); at >= 0 {
		return n[at].Set, nil
	}
	return ParseSet(word)
}

// String returns the names in the form that ParseNames reads.
func (n Names) String() string {
	var b strings.Builder
	for _, named := range n {
		fmt.Fprintf(&b, "%s = %s\n", named.Name, named.Set)
	}
	return b.String()
}

// Of returns the names whose sets contain the client, in order. The zero Addr
// is a client on a unix socket.
func (n Names) Of(client netip.Addr) []string {
	var of []string
	for _, named := range n {
		if named.Set.Contains(client) {
			of = append(of, named.Name)
		}
	}
	return of
}

// Describe says who is in the set as people speak: "office, vpn and
// 192.0.2.7", "part of lab (10.3.0.0/16)", "everybody but vpn", "nobody". Of
// many prefixes it tells the first and how many more there are, so it is to be
// read, not to be parsed.
func (n Names) Describe(s Set) string {
	others := s.Complement()
	switch {
	case s.IsEmpty():
		return "nobody"
	case others.IsEmpty():
		return "everybody"
	}
	parts, rest := n.parts(s), n.parts(others)
	if len(rest) < len(parts) {
		return "everybody but " + enumerate(rest)
	}
	return enumerate(parts)
}

// parts are what Describe enumerates.
func (n Names) parts(s Set) []string {
	known := append(n[:len(n):len(n)],
		Named{"all IPv4", SetOf(netip.PrefixFrom(netip.IPv4Unspecified(), 0))},
		Named{"all IPv6", SetOf(netip.PrefixFrom(netip.IPv6Unspecified(), 0))},
		Named{"unix sockets", UnixClients()})
	var within Names
	for _, named := range known {
		if !named.Set.IsEmpty() && named.Set.Minus(s).IsEmpty() {
			within = append(within, named)
		}
	}
	var parts []string
	rest := s
	for i, named := range within {
		needless := false // for a wider name says it too
		for k, other := range within {
			if k != i && named.Set.Minus(other.Set).IsEmpty() && (k < i || !other.Set.Equal(named.Set)) {
				needless = true
			}
		}
		if !needless && !rest.Intersect(named.Set).IsEmpty() {
			parts = append(parts, named.Name)
			rest = rest.Minus(named.Set)
		}
	}
	for _, named := range n {
		if common := rest.Intersect(named.Set); !common.IsEmpty() {
			parts = append(parts, "part of "+named.Name+" ("+strings.Join(few(common.words()), ", ")+")")
			rest = rest.Minus(common)
		}
	}
	return append(parts, few(rest.words())...)
}

// few shortens an enumeration that nobody would read.
func few(words []string) []string {
	const most = 6
	if len(words) <= most {
		return words
	}
	return append(words[:most-1:most-1], fmt.Sprintf("%d more prefixes", len(words)-most+1))
}

func enumerate(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	end := len(parts) - 1
	return strings.Join(parts[:end], ", ") + " and " + parts[end]
}
