package route

import "fmt"

// A Phase is a step of nginx's way with a request.
type Phase uint8

const (
	ReadRequest   Phase = iota // the request line and the header
	ServerRewrite              // the rewrite directives of the server
	FindConfig                 // the location is looked for
	Rewrite                    // the rewrite directives of the location
	Access                     // access was refused, see Match.Refuse
	Content                    // access was granted, see Match.Next
)

var phases = [...]string{"read-request", "server-rewrite", "find-config", "rewrite", "access", "content"}

// String returns the phase in the words of nginx's source: "server-rewrite".
func (p Phase) String() string {
	if int(p) < len(phases) {
		return phases[p]
	}
	return fmt.Sprintf("Phase(%d)", uint8(p))
}

// MarshalText returns what String does.
func (p Phase) MarshalText() ([]byte, error) {
	if int(p) >= len(phases) {
		return nil, fmt.Errorf("route: no phase %d", uint8(p))
	}
	return []byte(p.String()), nil
}

// UnmarshalText is the way back.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, name := range phases {
		if name == string(text) {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("route: no phase %q", text)
}
