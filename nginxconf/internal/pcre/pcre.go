// Package pcre says what PCRE2 says when nginx compiles a regular expression,
// without PCRE2: whether it is refused, in which words and where, and which
// capture groups it has.
//
// It follows PCRE2 10.42, the release of Debian 12, as it is built there (links
// of two bytes, Unicode 14, lines end in LF), with what nginx asks for: bytes
// and no option but PCRE2_CASELESS. The pattern itself may ask for more, such
// as (*UTF8). Later releases accept more, for instance {,3} as a quantifier and
// lookbehinds of varying length.
//
// Reading goes in the three steps of PCRE2, because a mistake of the first step
// is told before one of the second, wherever they stand: [scanner.scan] reads
// the pattern, [scanner.lookbehinds] measures what stands in lookbehinds,
// [scanner.layout] looks up what the references refer to and how much room the
// compiled pattern takes.
package pcre

import (
	"slices"
	"strconv"
	"strings"
)

// Info is what nginx asks of an expression that PCRE2 accepts.
type Info struct {
	// Captures is the number of the highest capture group.
	Captures int

	// Names has the names of groups in the order of PCRE2's name table, which
	// is sorted by bytes. A name that several groups bear is there for each.
	Names []string

	// Unsure says that the pattern has something that this package does not
	// judge. It is then accepted, and Captures and Names may lack something.
	Unsure bool
}

// An Error is a refusal in PCRE2's words.
type Error struct {
	Message string
	Offset  int // in bytes, from 0 to the length of the pattern

	beyond bool // PCRE2 reports a byte more than the length
}

// Error returns the message and the offset.
func (e *Error) Error() string {
	return e.Message + " at offset " + strconv.Itoa(e.Offset)
}

// Nginx returns what nginx says when it meets e, which Check returned for
// pattern, up to the " in " and the place in the configuration. nginx has room
// for 1024 bytes of it (NGX_MAX_CONF_ERRSTR).
func (e *Error) Nginx(pattern string) string {
	s := "pcre2_compile() failed: " + e.Message + " in \"" + pattern + "\""
	if e.Offset < len(pattern) || e.beyond {
		// What is beyond the pattern is mostly zero.
		rest, _, _ := strings.Cut(pattern[e.Offset:], "\x00") // as C prints it
		s += " at \"" + rest + "\""
	}
	return s[:min(len(s), 1024)]
}

// Check reads pattern as pcre2_compile does for nginx. A nil error means that
// PCRE2 accepts it, or that Info.Unsure is set. The error is never a guess.
//
// Whether case matters changes next to nothing in what PCRE2 accepts: a few
// bytes in the size that a pattern compiles to. Check may be called from several
// goroutines. It takes time in proportion to the length of the pattern.
func Check(pattern string, caseless bool) (Info, *Error) {
	if len(pattern) > maxPattern {
		return Info{Unsure: true}, nil
	}
	p := scanner{s: pattern, open: -1, copies: 1}
	if caseless {
		p.opts = optI
	}
	err := p.start()
	if err == ok {
		err = p.scan()
	}
	if err == ok && p.lookbehind {
		err = p.lookbehinds()
	}
	if err == ok && (p.refers || p.large()) {
		err = p.layout()
	}
	if err != ok && !p.unsure {
		return Info{}, &Error{err.String(), min(p.errAt, len(pattern)), p.errAt > len(pattern)}
	}
	info := Info{Captures: p.groups, Unsure: p.unsure}
	if len(p.names) > 0 {
		info.Names = make([]string, len(p.names))
		for i := range p.names {
			info.Names[i] = p.text(&p.names[i])
		}
		slices.Sort(info.Names)
	}
	return info, nil
}

// maxPattern keeps offsets within 32 bits. nginx's words are 4096 bytes at most.
const maxPattern = 1 << 28
