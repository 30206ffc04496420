package acl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A List is the rules of one level of a configuration, in order: the first
// that matches decides. An empty list lets everybody in.
type List []Rule

// A Decision is what a list says of a client.
type Decision struct {
	Action Action `json:"action"`
	// Rule is the index in the list of the rule that decided. It is -1 if none
	// matched, and Action is then Allow.
	Rule int `json:"rule"`
}

// Decide returns the first rule that matches client, by trying them one after
// the other. It is right for a single question; for many, ask [Compile]'s
// Table, which gives the same answers.
//
// The zero Addr is a client on a unix socket. An IPv6 zone has no bearing.
func (l List) Decide(client netip.Addr) Decision {
	client = client.WithZone("")
	if client.Is4In6() && slices.ContainsFunc(l, Rule.hasIPv4) {
		client = client.Unmap()
	}
	for i, r := range l {
		if r.matches(client) {
			return Decision{r.action(), i}
		}
	}
	return Decision{Allow, -1}
}

// hasIPv4 reports whether nginx files the rule among its IPv4 rules.
func (r Rule) hasIPv4() bool { return r.All() || r.prefix.Addr().Is4() }

func (r Rule) matches(client netip.Addr) bool {
	return r.All() || r.Unix() && !client.IsValid() || r.prefix.Contains(client)
}

// action is r.Action with what is neither Allow nor Deny taken for Deny.
func (r Rule) action() Action { return min(r.Action, Deny) }

// String returns the list as nginx text, a rule a line.
func (l List) String() string {
	var b strings.Builder
	for _, r := range l {
		b.WriteString(r.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// AppendText appends what String returns. A rule that has no text is an error.
func (l List) AppendText(b []byte) ([]byte, error) {
	for i, r := range l {
		var err error
		if b, err = r.AppendText(b); err != nil {
			return b, fmt.Errorf("rule %d: %w", i, err)
		}
		b = append(b, '\n')
	}
	return b, nil
}
