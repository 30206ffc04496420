package lint

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"log/slog"

	"github.com/onehost-go/onehost/nginxconf"
)

// A Check looks for one kind of fault. It is a plain value: copy it to change
// it, make one to add to those of [Default].
type Check struct {
	// ID is the check's number in the catalogue, such as "NX101". It is never
	// given to another check. One of your own may have none.
	ID string
	// Name is a slug such as "acl-allow-without-deny": the Code of what the
	// check reports.
	Name string
	// Doc says in its first sentence what is wrong with what is found, then
	// what is not reported, and how to mend it.
	Doc string
	// Level is that of the findings: slog.LevelError, LevelWarn or LevelInfo.
	Level slog.Level
	// Run looks through a configuration and reports to the Pass. It does not
	// change the configuration. An error means that the check could not do its
	// work, not that it found something.
	Run func(*Pass) error
}

// Default returns the built-in checks. The slice and the checks in it are
// made for the caller, who may change both.
func Default() []*Check {
	return []*Check{
		allowWithoutDeny(),
		hostHeaderMissing(),
		forwardedHeadersMissing(),
		localhostName(),
		implicitDefaultServer(),
	}
}

// Run runs the checks over a configuration and returns what they found, in
// the order of [nginxconf.Diagnostics.Sort]; without checks, it finds nothing.
// What was found twice, because a file is included twice, is reported once.
// What comments ignore is left out.
//
// The error joins those of the checks, each wrapped with the check's name. The
// findings are complete but for those of the checks that failed.
//
// What Load found wrong with the configuration is not repeated: that is in
// [nginxconf.Config.Diagnostics]. Places are those of the text as it was read:
// after an edit, read again before you lint.
//
// A panic of a check is not caught: it is a fault in the check, and its stack
// says where. Several Runs may read one configuration at a time.
func Run(c *nginxconf.Config, checks ...*Check) (nginxconf.Diagnostics, error) {
	s := &session{
		config:  c,
		seen:    map[finding]bool{},
		levels:  map[levelKey][]*nginxconf.Directive{},
		texts:   map[*nginxconf.File]string{},
		anchors: map[anchorKey]*nginxconf.Directive{},
	}
	ran := map[string]bool{}
	var errs []error
	for _, check := range checks {
		if check.Name == "" || check.Run == nil {
			errs = append(errs, fmt.Errorf("lint: check %q has no Name or no Run", cmp.Or(check.ID, check.Name)))
			continue
		}
		if err := check.Run(&Pass{Check: check, Config: c, session: s}); err != nil {
			errs = append(errs, fmt.Errorf("lint: check %s: %w", check.Name, err))
			continue
		}
		ran[check.Name] = true
		if check.ID != "" {
			ran[check.ID] = true
		}
	}
	s.ignore(ran)
	s.found.Sort()
	return s.found, errors.Join(errs...)
}

// A session is what the checks of one Run share.
type session struct {
	config *nginxconf.Config
	found  nginxconf.Diagnostics
	by     []*Check // who found it; as long as found
	seen   map[finding]bool

	// What was asked for once.
	levels    map[levelKey][]*nginxconf.Directive
	texts     map[*nginxconf.File]string // "" if it was edited
	anchors   map[anchorKey]*nginxconf.Directive
	sockets   *sockets
	upstreams map[upstreamKey][]*nginxconf.Directive
}

// A finding is what makes two diagnostics the same.
type finding struct {
	start, end    token.Position
	code, message string
}

func (s *session) add(by *Check, d *nginxconf.Diagnostic) {
	key := finding{d.Start, d.End, d.Code, d.Message}
	if s.seen[key] {
		return
	}
	s.seen[key] = true
	s.found = append(s.found, d)
	s.by = append(s.by, by)
}
