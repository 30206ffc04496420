package acl

import (
	"fmt"
	"net/http"
	"strconv"
)

// An Outcome is what one module says of a request in nginx's access phase: the
// access rules, auth_basic, auth_request. Apart from Declined it is an HTTP
// status. Any status not named here is a failure, such as 500 where a password
// file cannot be read: it ends the phase, whatever the others say.
type Outcome int

const (
	Declined     Outcome = 0                       // has no say: no rule matched, authentication is off
	Granted      Outcome = http.StatusOK           // a rule allows, the credentials are good
	Unauthorized Outcome = http.StatusUnauthorized // the credentials are missing or bad
	Forbidden    Outcome = http.StatusForbidden    // a rule denies, authentication refuses
)

// String returns "declined", "granted", "unauthorized" or "forbidden", and the
// number of any other status.
func (o Outcome) String() string {
	switch o {
	case Declined:
		return "declined"
	case Granted:
		return "granted"
	case Unauthorized:
		return "unauthorized"
	case Forbidden:
		return "forbidden"
	}
	return strconv.Itoa(int(o))
}

// MarshalText writes what String returns.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (o *Outcome) UnmarshalText(text []byte) error {
	for _, named := range []Outcome{Declined, Granted, Unauthorized, Forbidden} {
		if named.String() == string(text) {
			*o = named
			return nil
		}
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("acl: no such outcome: %q", text)
	}
	*o = Outcome(n)
	return nil
}

// Outcome returns what the access rules say in the access phase. That no rule
// matched is an outcome of its own.
func (d Decision) Outcome() Outcome {
	switch {
	case d.Rule < 0:
		return Declined
	case d.Action == Allow:
		return Granted
	}
	return Forbidden
}

// A Satisfy is the satisfy directive.
type Satisfy uint8

const (
	SatisfyAll Satisfy = iota // nobody may object: nginx's default
	SatisfyAny                // it is enough that one grants
)

// String returns "all" or "any".
func (s Satisfy) String() string {
	switch s {
	case SatisfyAll:
		return "all"
	case SatisfyAny:
		return "any"
	}
	return fmt.Sprintf("Satisfy(%d)", uint8(s))
}

// MarshalText writes "all" or "any". Any other value is an error.
func (s Satisfy) MarshalText() ([]byte, error) {
	if s > SatisfyAny {
		return nil, fmt.Errorf("acl: no such value of satisfy: %v", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the argument of satisfy. The error is in nginx's words.
func (s *Satisfy) UnmarshalText(text []byte) error {
	switch string(text) {
	case "all":
		*s = SatisfyAll
	case "any":
		*s = SatisfyAny
	default:
		return refusal(`invalid value "` + string(text) + `"`)
	}
	return nil
}

// An Access is how the access phase ends.
type Access struct {
	// Outcome is Granted if the request goes on, else the status of the answer.
	Outcome Outcome `json:"outcome"`
	// By is the index of the outcome that decided. It is -1 if none did: nobody
	// objected, and nobody's word was enough.
	By int `json:"by"`
}

// Decide ends the access phase with what its modules say, in the order in
// which nginx asks them: the access rules, auth_basic, auth_request (nginx
// 1.22: ngx_http_core_access_phase). Under SatisfyAll the first that does not
// grant decides. Under SatisfyAny the first that grants decides; if none does,
// the first Unauthorized, else the last Forbidden. nginx does not ask those
// behind one that ends the phase, so their outcomes do not matter.
//
// A subrequest has no access phase.
func (s Satisfy) Decide(outcomes ...Outcome) Access {
	refused := Access{Granted, -1}
	for i, o := range outcomes {
		switch {
		case o == Declined:
		case o == Granted:
			if s == SatisfyAny {
				return Access{Granted, i}
			}
		case s == SatisfyAny && (o == Forbidden || o == Unauthorized):
			if refused.Outcome != Unauthorized {
				refused = Access{o, i}
			}
		default:
			return Access{o, i}
		}
	}
	return refused
}

// Effective returns the list in force where levels are nested, outermost
// first, and its index: the innermost that has a rule, of any family, replaces
// all others. Without any the list is empty and the index -1.
func Effective(levels ...List) (List, int) {
	for i := len(levels) - 1; i >= 0; i-- {
		if len(levels[i]) > 0 {
			return levels[i], i
		}
	}
	return nil, -1
}
