package value

import (
	"errors"
	"fmt"
	"strings"
)

// A NameKind says how a server name is compared with the host of a request.
type NameKind uint8

const (
	ExactName    NameKind = iota // "www.example.com"; "" is a request without a host
	LeadingStar                  // "*.example.com": one label or more before
	LeadingDot                   // ".example.com": example.com, and what LeadingStar takes
	TrailingStar                 // "www.example.*": one label or more behind
	RegexName                    // "~^www\d+\.example\.com$"
	HostName                     // "$hostname": what the machine is called
	// BadWildcard is a name with a star or dots in a place where nginx cannot
	// use them. It says so only if a second server has the same socket:
	// invalid server name or wildcard "a*.example.com" on 0.0.0.0:80.
	BadWildcard
)

var nameKinds = [...]string{
	ExactName: "exact", LeadingStar: "leading-star", LeadingDot: "leading-dot", TrailingStar: "trailing-star",
	RegexName: "regex", HostName: "hostname", BadWildcard: "bad-wildcard",
}

// String returns a word for the kind: "leading-star".
func (k NameKind) String() string {
	if int(k) < len(nameKinds) {
		return nameKinds[k]
	}
	return fmt.Sprintf("NameKind(%d)", uint8(k))
}

// MarshalText returns what String does.
func (k NameKind) MarshalText() ([]byte, error) {
	if int(k) >= len(nameKinds) {
		return nil, fmt.Errorf("value: no kind of server name has the number %d", uint8(k))
	}
	return []byte(nameKinds[k]), nil
}

// UnmarshalText reads what MarshalText writes.
func (k *NameKind) UnmarshalText(text []byte) error {
	for i, s := range nameKinds {
		if s == string(text) {
			*k = NameKind(i)
			return nil
		}
	}
	return fmt.Errorf("value: %q is no kind of server name", text)
}

// A ServerName is one argument of a server_name directive.
type ServerName struct {
	Kind NameKind
	// Name is the name in lower case, without "*.", "." or ".*" if that is its
	// kind; or the regular expression as written, without "~". It is empty if
	// the kind is HostName.
	Name string
	// Caseless tells of a regular expression that nginx compiles it without
	// regard to case: it does so if the expression has an upper-case letter.
	// Hosts are in lower case by then.
	Caseless bool
}

// String returns the name as [ParseServerName] reads it.
func (n ServerName) String() string {
	switch n.Kind {
	case LeadingStar:
		return "*." + n.Name
	case LeadingDot:
		return "." + n.Name
	case TrailingStar:
		return n.Name + ".*"
	case RegexName:
		return "~" + n.Name
	case HostName:
		return "$hostname"
	}
	return n.Name
}

// ParseServerName reads one argument of a server_name directive.
func ParseServerName(s string) (ServerName, error) {
	switch {
	case strings.HasPrefix(s, "*") && (len(s) < 3 || s[1] != '.'), s == ".":
		return ServerName{}, fmt.Errorf(`server name "%s" is invalid`, s)
	case s == "~":
		return ServerName{}, errors.New(`empty regex in server name "~"`)
	case strings.HasPrefix(s, "~"):
		upper := strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) >= 0
		return ServerName{Kind: RegexName, Name: s[1:], Caseless: upper}, nil
	case lower(s) == "$hostname":
		return ServerName{Kind: HostName}, nil
	}
	s = lower(s)
	stars := strings.Count(s, "*")
	// The order of ngx_hash_add_key: ".example.*" is a dot name whose last
	// label happens to be a star.
	switch {
	case stars > 1 || strings.Contains(s, "..") || strings.IndexByte(s, 0) >= 0:
		return ServerName{Kind: BadWildcard, Name: s}, nil
	case strings.HasPrefix(s, "."):
		return ServerName{Kind: LeadingDot, Name: s[1:]}, nil
	case strings.HasPrefix(s, "*."):
		return ServerName{Kind: LeadingStar, Name: s[2:]}, nil
	case len(s) > 2 && strings.HasSuffix(s, ".*"):
		return ServerName{Kind: TrailingStar, Name: s[:len(s)-2]}, nil
	case stars > 0:
		return ServerName{Kind: BadWildcard, Name: s}, nil
	}
	return ServerName{Name: s}, nil
}

// lower is strings.ToLower for ASCII alone, which is all that nginx knows.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
