package acl

import (
	"errors"
	"fmt"
	"go/token"
	"net/netip"
	"strings"
)

// An Action is what a rule does with the clients it matches.
type Action uint8

// The two actions, named like nginx's directives. Any other value denies.
const (
	Allow Action = iota
	Deny
)

// String returns "allow" or "deny".
func (a Action) String() string {
	switch a {
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// MarshalText writes "allow" or "deny". Any other value is an error.
func (a Action) MarshalText() ([]byte, error) {
	if a > Deny {
		return nil, fmt.Errorf("acl: no such action: %v", a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads "allow" or "deny", in lower case as nginx wants them.
func (a *Action) UnmarshalText(text []byte) error {
	switch string(text) {
	case "allow":
		*a = Allow
	case "deny":
		*a = Deny
	default:
		return refusal(`unknown directive "` + string(text) + `"`)
	}
	return nil
}

// A Rule is one allow or deny directive: an action, and an address, a prefix,
// "all" or "unix:". It is a small comparable value, made by ParseRule. The
// zero Rule matches no client.
type Rule struct {
	Action Action
	Pos    token.Position // where the rule stands; zero if it is not from a file

	hostBits bool
	argument string // as written
	prefix   netip.Prefix
}

// ParseRule returns the rule that nginx makes of a directive: action is its
// name, argument its only argument, after quotes and escapes are resolved.
//
// Addresses are read as nginx's ngx_ptocidr reads them, which is not what
// package netip does: "..." is 0.0.0.0, "010.0.0.1" is 10.0.0.1, and
// 255.255.255.255 is refused. Bits behind the prefix length are cleared, see
// [Rule.HostBits]. The error is in nginx's words.
func ParseRule(action, argument string) (Rule, error) {
	r := Rule{argument: argument}
	if err := r.Action.UnmarshalText([]byte(action)); err != nil {
		return Rule{}, err
	}
	if r.All() || r.Unix() {
		return r, nil
	}
	var ok bool
	if r.prefix, r.hostBits, ok = parsePrefix(argument); !ok {
		return Rule{}, refusal(`invalid parameter "` + argument + `"`)
	}
	return r, nil
}

// MustParseRule is ParseRule for rules that are part of a program. It panics
// where ParseRule returns an error.
func MustParseRule(action, argument string) Rule {
	r, err := ParseRule(action, argument)
	if err != nil {
		panic(fmt.Sprintf("acl: %s %s: %v", action, argument, err))
	}
	return r
}

// IsValid reports whether r was made by ParseRule. It is false for the zero
// Rule.
func (r Rule) IsValid() bool { return r.argument != "" }

// Argument returns the argument as it was written.
func (r Rule) Argument() string { return r.argument }

// Prefix returns the addresses the rule speaks of, without host bits; a single
// address is a prefix of full length. It is the zero Prefix for "all" and
// "unix:".
//
// An IPv6 prefix may lie within ::ffff:0:0/96. It matches IPv4-mapped clients
// only in a list without any IPv4 rule.
func (r Rule) Prefix() netip.Prefix { return r.prefix }

// All reports whether the rule speaks of every client of every family.
func (r Rule) All() bool { return r.argument == "all" }

// Unix reports whether the rule speaks of the clients on unix sockets, all of
// them: nginx knows no path here.
func (r Rule) Unix() bool { return r.argument == "unix:" }

// HostBits reports whether the rule was written with bits behind the prefix
// length, as in 10.0.0.1/8. nginx clears them and warns, see [Rule.Warning].
func (r Rule) HostBits() bool { return r.hostBits }

// Warning returns what nginx warns of when it reads the rule: "low address
// bits of 10.0.0.1/8 are meaningless", or nothing.
func (r Rule) Warning() string {
	if !r.hostBits {
		return ""
	}
	return "low address bits of " + r.argument + " are meaningless"
}

// String returns the rule as nginx text, with the argument as written:
// "deny 10.0.0.0/8;".
func (r Rule) String() string {
	if !r.IsValid() {
		return "invalid rule"
	}
	return r.Action.String() + " " + r.argument + ";"
}

// AppendText appends what String returns. The zero Rule, and an action that
// nginx does not have, is an error.
func (r Rule) AppendText(b []byte) ([]byte, error) {
	if !r.IsValid() {
		return b, errors.New("acl: the zero Rule has no text")
	}
	action, err := r.Action.MarshalText()
	if err != nil {
		return b, err
	}
	b = append(b, action...)
	b = append(b, ' ')
	b = append(b, r.argument...)
	return append(b, ';'), nil
}

// MarshalText is AppendText to nil, so that a rule is a string in JSON. Its
// place is not part of the text.
func (r Rule) MarshalText() ([]byte, error) { return r.AppendText(nil) }

// UnmarshalText reads what MarshalText writes; more blanks, and no semicolon,
// are fine. It reads no quotes and no comments.
func (r *Rule) UnmarshalText(text []byte) error {
	words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(string(text)), ";"))
	if len(words) == 0 {
		return errors.New("acl: no rule in empty text")
	}
	if len(words) != 2 {
		return refusal(`invalid number of arguments in "` + words[0] + `" directive`)
	}
	rule, err := ParseRule(words[0], words[1])
	if err != nil {
		return err
	}
	*r = rule
	return nil
}

// refusal is an error in nginx's words, cut where nginx cuts them
// (NGX_MAX_CONF_ERRSTR).
func refusal(message string) error {
	return errors.New(message[:min(len(message), 1024)])
}
