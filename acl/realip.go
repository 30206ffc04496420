package acl

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
)

// A RealIP finds the address of a client that comes through proxies, as
// set_real_ip_from, real_ip_header and real_ip_recursive make nginx find it
// (nginx 1.22: ngx_http_realip_module, ngx_http_get_forwarded_addr). The zero
// RealIP trusts nobody: the client is the peer.
//
// A RealIP is not changed by its methods, which may be called from several
// goroutines.
type RealIP struct {
	// Trusted are the peers whose word is taken: those whom it allows by a
	// rule. [ParseTrusted] reads set_real_ip_from. An IPv4-mapped peer is
	// looked up as the IPv4 address it stands for, always; so a rule such as
	// ::ffff:10.0.0.0/104 trusts nobody, as in nginx.
	Trusted *Table
	// Header is the argument of real_ip_header, as it is written there; ""
	// is X-Real-IP. Of "X-Forwarded-For" all the fields of a request are
	// looked at, from the last one on; of any other only the first, even if
	// it is written "x-forwarded-for". "proxy_protocol" is the PROXY header.
	// Before nginx looks, it drops fields whose names hold other bytes than
	// letters, digits and "-", unless ignore_invalid_headers is off, or
	// underscores_in_headers on; that is for the caller to do.
	Header string
	// Recursive is real_ip_recursive: go on from an address that is trusted
	// itself, to the one that it names.
	Recursive bool
	// Version of nginx; "" is the newest. Since 1.27.3 "[2001:db8::1]" is an
	// address, without a port behind it.
	Version string
}

// ParseTrusted reads the argument of set_real_ip_from into a rule for
// [RealIP].Trusted: "unix:", an address or a prefix.
//
// nginx takes anything else for a host name, "all" too, and resolves it when
// it starts. The error is what it says if that fails; a caller that knows the
// addresses of the name makes rules of them instead.
func ParseTrusted(argument string) (Rule, error) {
	r, err := ParseRule("allow", argument)
	if err != nil || r.All() {
		return Rule{}, refusal(`host not found in set_real_ip_from "` + argument + `"`)
	}
	return r, nil
}

// A Trace tells how the address of a client came about.
type Trace struct {
	// Client is the address and port that nginx goes by; the zero Addr is a
	// unix socket, port 0 that none was told.
	Client netip.AddrPort `json:"client"`
	// Replaced reports whether Client is another than the peer, on the word
	// of one. Where it is, nginx keeps the peer in $realip_remote_addr.
	Replaced bool `json:"replaced"`
	// Hops are the words that were taken, in the order they were, so from the
	// peer away.
	Hops []Hop `json:"hops"`
	// Stop is why there are no more.
	Stop Stop `json:"stop"`
}

// A Hop is one word taken: From is trusted, and so To is believed.
type Hop struct {
	From netip.Addr `json:"from"` // the zero Addr is a unix socket
	Rule int        `json:"rule"` // the rule of RealIP.Trusted that trusts it
	// Entry is what From is taken to have written. It stands at Offset in
	// field number Field of the header; both are 0 with the PROXY protocol.
	Entry  string `json:"entry"`
	Field  int    `json:"field"`
	Offset int    `json:"offset"`
	// To is the address and port that nginx reads in Entry. It is zero in the
	// last hop if Stop is StopUnreadable.
	To netip.AddrPort `json:"to"`
}

// String says the hop in words, with long entries cut.
func (h Hop) String() string {
	entry := h.Entry
	if len(entry) > 60 {
		entry = entry[:60] + "…"
	}
	s := fmt.Sprintf("%s is trusted by rule %d and names %q", AddrText(h.From), h.Rule, entry)
	if !h.To.Addr().IsValid() {
		s += ", which is no address"
	}
	return s
}

// A Stop is the reason why the search for a client's address ended.
type Stop uint8

const (
	StopUntrusted  Stop = iota // the address reached is not trusted: it is the client
	StopOff                    // there are no trusted proxies: the peer is the client
	StopNoHeader               // the request has no such header
	StopUnreadable             // the address reached is trusted, but what it names is no address
	StopFirst                  // without Recursive, one word is enough
	StopEnd                    // even the first address in the header is trusted
)

var stops = [...]string{
	"the address is not trusted to name another",
	"no proxies are trusted",
	"there is no such header",
	"no address stands where one is expected",
	"the search is not recursive",
	"all addresses in the header are trusted",
}

// String returns the reason in words.
func (s Stop) String() string {
	if int(s) < len(stops) {
		return stops[s]
	}
	return "Stop(" + strconv.Itoa(int(s)) + ")"
}

// MarshalText writes the reason in words. Any other value is an error.
func (s Stop) MarshalText() ([]byte, error) {
	if int(s) >= len(stops) {
		return nil, fmt.Errorf("acl: no such reason: %v", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (s *Stop) UnmarshalText(text []byte) error {
	for i, reason := range stops {
		if reason == string(text) {
			*s = Stop(i)
			return nil
		}
	}
	return fmt.Errorf("acl: no such reason: %q", text)
}

// Find returns the address and port that nginx goes by for a request with
// this header from this peer, and whether they replace the peer's. The zero
// Addr is a peer on a unix socket; the zero ProxyHeader is none. The time is
// linear in the length of the header, and nothing is allocated if Header is
// written as package http writes it, or is one of nginx's own.
//
// In a request that package http has read, tabs around a value are gone. nginx
// keeps them, and takes the address for unreadable.
func (r RealIP) Find(peer netip.AddrPort, header http.Header, proxy ProxyHeader) (client netip.AddrPort, replaced bool) {
	client, replaced, _ = r.walk(r.source(), peer, header, &proxy, nil)
	return client, replaced
}

// Explain is Find, and tells how the address came about.
func (r RealIP) Explain(peer netip.AddrPort, header http.Header, proxy ProxyHeader) Trace {
	var t Trace
	t.Client, t.Replaced, t.Stop = r.walk(r.source(), peer, header, &proxy, &t.Hops)
	return t
}

// A source is where RealIP.Header tells to look.
type source struct {
	key   string // as in a http.Header
	all   bool   // fields of it
	proxy bool
}

func (r RealIP) source() source {
	switch r.Header {
	case "", "X-Real-IP":
		return source{key: "X-Real-Ip"}
	case "X-Forwarded-For":
		return source{key: "X-Forwarded-For", all: true}
	case "proxy_protocol":
		return source{proxy: true}
	}
	return source{key: http.CanonicalHeaderKey(r.Header)}
}

func (r *RealIP) walk(from source, peer netip.AddrPort, header http.Header, proxy *ProxyHeader, hops *[]Hop) (client netip.AddrPort, replaced bool, stop Stop) {
	if r.Trusted == nil {
		return peer, false, StopOff
	}
	if from.proxy {
		return r.proxied(peer, proxy, hops)
	}
	fields := header[from.key]
	if len(fields) == 0 {
		return peer, false, StopNoHeader
	}
	if !from.all {
		fields = fields[:1]
	}
	client = peer
	for i := len(fields) - 1; i >= 0; i-- {
		for rest, more := fields[i], true; more; {
			rule := r.trusts(client.Addr())
			if rule < 0 {
				return client, replaced, StopUntrusted
			}
			start, end := lastEntry(rest)
			entry := rest[start:end]
			to, ok := parseAddrPort(entry, false)
			if !ok && entry != "" && entry[0] == '[' && atLeast(r.Version, 1, 27, 3) {
				to, ok = parseAddrPort(entry, true)
			}
			if hops != nil {
				*hops = append(*hops, Hop{client.Addr(), rule, entry, i, start, to})
			}
			if !ok {
				return client, replaced, StopUnreadable
			}
			client, replaced = to, true
			if !r.Recursive {
				return client, true, StopFirst
			}
			if more = start > 0; more {
				rest = rest[:start-1]
			}
		}
	}
	return client, replaced, StopEnd
}

func (r *RealIP) proxied(peer netip.AddrPort, proxy *ProxyHeader, hops *[]Hop) (client netip.AddrPort, replaced bool, stop Stop) {
	if proxy.Version == 0 {
		return peer, false, StopNoHeader
	}
	rule := r.trusts(peer.Addr())
	if rule < 0 {
		return peer, false, StopUntrusted
	}
	ok := proxy.Source.Addr().IsValid()
	if hops != nil {
		hop := Hop{From: peer.Addr(), Rule: rule, Entry: proxy.SourceText}
		if ok {
			hop.To = proxy.Source
		}
		*hops = append(*hops, hop)
	}
	switch {
	case !ok:
		return peer, false, StopUnreadable
	case !r.Recursive:
		return proxy.Source, true, StopFirst
	}
	return proxy.Source, true, StopEnd
}

// trusts returns the rule that trusts an address, or -1.
func (r *RealIP) trusts(a netip.Addr) int {
	d := r.Trusted.Lookup(a.Unmap())
	if d.Action != Allow {
		return -1
	}
	return d.Rule
}

// lastEntry finds the last address of a list that blanks and commas divide.
// These are looked for from the second byte on, so ",192.0.2.1" is an entry.
func lastEntry(s string) (start, end int) {
	end = len(s)
	for end > 1 && (s[end-1] == ' ' || s[end-1] == ',') {
		end--
	}
	for start = end - 1; start > 0; start-- {
		if s[start] == ' ' || s[start] == ',' {
			return start + 1, end
		}
	}
	return 0, end
}
