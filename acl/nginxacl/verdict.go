package nginxacl

import "fmt"

// A Verdict is what becomes of a request.
type Verdict uint8

const (
	Unknown      Verdict = iota // the files do not tell; Explanation.Because says why
	Allowed                     // no rule keeps it out; Explanation.Status may still be that of an error
	Denied                      // 403, or a connection that is closed without an answer
	Unauthorized                // 401
)

var verdicts = [...]string{"unknown", "allowed", "denied", "unauthorized"}

// String returns "unknown", "allowed", "denied" or "unauthorized".
func (v Verdict) String() string {
	if int(v) < len(verdicts) {
		return verdicts[v]
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// MarshalText returns what String does.
func (v Verdict) MarshalText() ([]byte, error) {
	if int(v) >= len(verdicts) {
		return nil, fmt.Errorf("nginxacl: no verdict %d", uint8(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText is the way back.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdicts {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("nginxacl: no verdict %q", text)
}

// verdictOf is the verdict that a status stands for.
func verdictOf(status int) Verdict {
	switch status {
	case 403, 444:
		return Denied
	case 401:
		return Unauthorized
	}
	return Allowed
}
