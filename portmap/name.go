package portmap

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// ServerName returns the full host name, Subdomain and Domain joined by a dot,
// as DNS and nginx's server_name want it: in lower case, and a name such as
// "bücher" in its ASCII form "xn--bcher-kva". Where Domain is empty it is the
// subdomain alone. The error says what keeps it from being a host name.
func (s Service) ServerName() (string, error) {
	host := s.host()
	if host == "" {
		return "", fmt.Errorf("%s has neither subdomain nor domain", quote(s.Name))
	}
	return toASCII(host)
}

// host joins the two parts as they are written.
func (s *Service) host() string {
	if s.Subdomain == "" || s.Domain == "" {
		return s.Subdomain + s.Domain
	}
	return s.Subdomain + "." + s.Domain
}

// SplitServerName splits a host name into subdomain and domain. The domain is
// what somebody registered, one label below a public suffix by the list at
// publicsuffix.org: "scout.example.se" gives "scout" and "example.se",
// "a.b.example.co.uk" gives "a.b" and "example.co.uk". The domain itself has
// an empty subdomain; a single label, such as "scout", is a subdomain whose
// domain is not said. Each part keeps its spelling. A name that is no host
// name, or is itself a public suffix ("co.uk"), is an error.
func SplitServerName(host string) (subdomain, domain string, err error) {
	ascii, err := toASCII(host)
	if err != nil {
		return "", "", err
	}
	name := strings.TrimSuffix(host, ".")
	if !strings.Contains(ascii, ".") {
		return name, "", nil
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(ascii)
	if err != nil {
		return "", "", fmt.Errorf("%s is a public suffix, under which domains are registered", quote(host))
	}
	// The ideographic full stops of UTS 46 part labels as well; only then do
	// the labels not correspond, and the ASCII form has to do.
	labels := strings.Split(name, ".")
	if len(labels) != strings.Count(ascii, ".")+1 {
		labels = strings.Split(ascii, ".")
	}
	n := len(labels) - strings.Count(registered, ".") - 1
	return strings.Join(labels[:n], "."), strings.Join(labels[n:], "."), nil
}

// toASCII checks a host name and returns its ASCII form. The rules are those
// of IDNA for lookup (UTS 46) with letters, digits and hyphens only, lengths
// checked, and hyphens allowed in third and fourth place ("my--app"): they are
// reserved, but in use, and DNS and browsers take them. One final dot is let go.
func toASCII(host string) (string, error) {
	// Punycode takes quadratic time, and a name of more bytes cannot fit DNS's
	// 253: a label needs at least one byte for each of its runes.
	if len(host) > 1024 {
		return "", fmt.Errorf("%s is no host name: it is too long", quote(host))
	}
	if !utf8.ValidString(host) {
		return "", fmt.Errorf("%s is no host name: it is not UTF-8", quote(host)) // idna overlooks it
	}
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.VerifyDNSLength(true))
	ascii, err := profile.ToASCII(host)
	ascii = strings.TrimSuffix(ascii, ".") // DNS's root
	if err == nil {
		for label := range strings.SplitSeq(ascii, ".") {
			if label == "" { // idna lets one pass before a final dot
				err = errors.New("a label is empty")
			}
			if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
				err = errors.New("a label begins or ends with a hyphen")
			}
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s is no host name: %s", quote(host), clip(strings.TrimPrefix(err.Error(), "idna: ")))
	}
	return ascii, nil
}

// foldName returns the form in which names are compared. What is no host name
// is at least compared without case.
func foldName(s string) string {
	if plainName(s) {
		return s
	}
	if ascii, err := toASCII(s); err == nil {
		return ascii
	}
	return strings.ToLower(s)
}

// plainName reports that s is its own ASCII form in the common case, which
// spares the tables of IDNA.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return !strings.HasSuffix(s, ".") && !strings.Contains(s, "xn--")
}
