package directive

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// A Context is a set of contexts: places where a directive may stand. It is
// comparable, and its zero value is the empty set. Bits 24 to 31 are free for
// the contexts of your own modules (see Table.With).
type Context uint32

// The contexts, named after the blocks that open them. HTTPLocation is every
// location, however deeply nested; HTTPServerIf and HTTPLocationIf are the "if"
// blocks of the rewrite module in a server and in a location. The last ones
// belong to modules that do not come with nginx.
const (
	Main Context = 1 << iota
	Events
	HTTP
	HTTPServer
	HTTPLocation
	HTTPUpstream
	HTTPServerIf
	HTTPLocationIf
	HTTPLimitExcept
	Mail
	MailServer
	Stream
	StreamServer
	StreamUpstream
	RTMP // nginx-rtmp-module
	RTMPServer
	RTMPApplication
	RTMPRecorder
	OTelExporter // otel_exporter in http
	ACMEIssuer   // acme_issuer in http

	// Anywhere is where "include" may stand: every context.
	Anywhere Context = 1<<32 - 1
)

// contextNames are in the order of the constants.
var contextNames = [...]string{
	"main", "events",
	"http", "http/server", "http/location", "http/upstream", "http/server/if", "http/location/if", "http/limit_except",
	"mail", "mail/server",
	"stream", "stream/server", "stream/upstream",
	"rtmp", "rtmp/server", "rtmp/application", "rtmp/recorder",
	"http/otel_exporter", "http/acme_issuer",
}

// steps says which block opens what: the blocks that hold directives, as a way
// from the main context to each other one.
var steps = [...]struct {
	outer Context
	block string
	inner Context
}{
	{Main, "http", HTTP},
	{HTTP, "server", HTTPServer},
	{HTTPServer | HTTPLocation, "location", HTTPLocation},
	{HTTP, "upstream", HTTPUpstream},
	{HTTPServer, "if", HTTPServerIf},
	{HTTPLocation, "if", HTTPLocationIf},
	{HTTPLocation, "limit_except", HTTPLimitExcept},
	{Main, "events", Events},
	{Main, "stream", Stream},
	{Stream, "server", StreamServer},
	{Stream, "upstream", StreamUpstream},
	{Main, "mail", Mail},
	{Mail, "server", MailServer},
	{Main, "rtmp", RTMP},
	{RTMP, "server", RTMPServer},
	{RTMPServer, "application", RTMPApplication},
	{RTMPApplication, "recorder", RTMPRecorder},
	{HTTP, "otel_exporter", OTelExporter},
	{HTTP, "acme_issuer", ACMEIssuer},
}

// ParseContext returns the context at a place, given the names of the blocks
// around it, outermost first: "http", "server", "location", "if" is
// HTTPLocationIf; no name at all is Main. It reports false if there is no such
// place, or if the innermost block holds no directives, such as "map".
func ParseContext(path ...string) (Context, bool) {
	at := Main
next:
	for _, name := range path {
		for _, s := range steps {
			if s.outer&at != 0 && s.block == name {
				at = s.inner
				continue next
			}
		}
		return 0, false
	}
	return at, true
}

// String returns the names of the contexts, such as "http/server" or "main",
// joined by ", ". A context of your own is "context 24".
func (c Context) String() string {
	switch {
	case c == Anywhere:
		return "anywhere"
	case bits.OnesCount32(uint32(c)) == 1:
		return c.name()
	}
	var names []string
	for rest := c; rest != 0; rest &= rest - 1 {
		names = append(names, (rest & -rest).name())
	}
	return strings.Join(names, ", ")
}

// name returns the name of a single context.
func (c Context) name() string {
	if i := bits.TrailingZeros32(uint32(c)); i < len(contextNames) {
		return contextNames[i]
	} else {
		return "context " + strconv.Itoa(i)
	}
}

// Names returns the names of the contexts, in the order of the constants; of
// Anywhere it is all of the named ones.
func (c Context) Names() []string {
	var names []string
	for i, name := range contextNames {
		if c>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// MarshalText returns String.
func (c Context) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Context) UnmarshalText(text []byte) error {
	if string(text) == "anywhere" {
		*c = Anywhere
		return nil
	}
	var set Context
	if len(text) > 0 {
		for name := range strings.SplitSeq(string(text), ",") {
			bit, ok := contextNamed(strings.TrimSpace(name))
			if !ok {
				return fmt.Errorf("unknown context %q", name)
			}
			set |= bit
		}
	}
	*c = set
	return nil
}

func contextNamed(name string) (Context, bool) {
	for i, n := range contextNames {
		if n == name {
			return 1 << i, true
		}
	}
	number, _ := strings.CutPrefix(name, "context ")
	if i, err := strconv.Atoi(number); err == nil && i >= len(contextNames) && i < 32 {
		return 1 << i, true
	}
	return 0, false
}
