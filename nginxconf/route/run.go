package route

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// A phase is what nginx does next with a request.
type phase uint8

const (
	proceed       phase = iota // with the script
	serverRewrite              // the rewrite directives of the server
	findLocation
	rewritePhase // those of the location
	postRewrite  // another location, if they changed the URI
	access
	done
)

// maxMoves is how often nginx looks for a location again, plus one
// (NGX_HTTP_MAX_URI_CHANGES).
const maxMoves = 11

// run takes a request from one phase to the access phase, or to an answer.
func (m *Match) run(p phase) {
	st := &m.state
	for p != done {
		switch p {
		case serverRewrite:
			st.phase = ServerRewrite
			st.validLocation = true
			p = m.rewritePhase(&st.server.level, st.server.script, st.server.set.serverScript, findLocation)
		case findLocation:
			st.phase = FindConfig
			p = m.locate()
		case rewritePhase:
			st.phase = Rewrite
			l := st.level
			if l == &st.server.level { // its directives had their turn
				p = m.rewritePhase(l, nil, l.set.script, postRewrite)
			} else {
				p = m.rewritePhase(l, l.script, l.set.script, postRewrite)
			}
		case postRewrite:
			if !st.changed {
				p = access
				break
			}
			if st.moves--; st.moves == 0 {
				p = m.special(500, nil, "rewrite cycle")
				break
			}
			m.atServer()
			p = findLocation
		case access:
			st.phase = Access
			m.content()
			p = done
		}
	}
	m.finish()
}

// rewritePhase runs what a level has for a phase: the rewrite module comes
// before Lua.
func (m *Match) rewritePhase(l *level, s script, lua *nginxconf.Directive, then phase) phase {
	if len(s) > 0 {
		if to := m.script(s, proceed); to != proceed {
			return to
		}
	}
	if lua != nil {
		m.unsure(fmt.Sprintf("answer: %s at %v is not decided", lua.Name(), lua.Pos()))
		return done
	}
	return then
}

// at puts a level in force.
func (m *Match) at(l *level) {
	m.state.level, m.Chain = l, l.context()
	if l.handler != nil {
		m.state.handler, m.state.backend = l.handler, l.backend
	}
}

// atServer puts the server in force, before a location is looked for.
func (m *Match) atServer() {
	m.state.level = &m.state.server.level
	m.Chain = m.state.server.context()
	m.Location = nil
}

// enter puts a location in force, or its limit_except (nginx 1.22:
// ngx_http_update_location_config).
func (m *Match) enter(l *level) {
	m.state.handler, m.state.backend = nil, false
	if l.except != nil && !l.except.allows(m.state.method) {
		l = l.except.level
	}
	m.at(l)
}

// locate is the find-location phase.
func (m *Match) locate() phase {
	st := &m.state
	st.changed = false
	top := &st.server.level
	l, how, unsure := m.find(top, st.path)
	if unsure != "" {
		m.unsure(unsure)
		return done
	}
	m.Location = nil
	if l != top {
		m.Location = l.d
	}
	st.level, m.Chain = l, l.context()
	if l.set.internal && !st.internal {
		return m.special(404, nil, "internal")
	}
	m.enter(l)
	switch {
	case l.set.maxBody > 0 && st.length > l.set.maxBody:
		st.length = -1
		return m.special(413, nil, "client_max_body_size")
	case how == byRedirect:
		st.location = escapeURI(l.name())
		if st.args != "" {
			st.location += "?" + st.args
		}
		return m.special(301, nil, "slash redirect")
	}
	return rewritePhase
}

// find returns the location of a path at or below l, or l itself (nginx 1.22:
// ngx_http_core_find_location). It looks below first, and then tries the
// regular expressions from the innermost level outwards. "^~" is about its own
// level alone.
func (m *Match) find(l *level, path string) (loc *level, how found, unsure string) {
	if l.inner == nil {
		return l, nothing, ""
	}
	if odd := l.inner.odd; odd != nil {
		return nil, nothing, fmt.Sprintf("location: versions of nginx differ in what they make of the long name of the location at %v", odd.d.Pos())
	}
	loc, noRegex := l, false
	inner, how := l.inner.find(path)
	switch how {
	case byName, byRedirect:
		return inner, how, ""
	case byPrefix:
		noRegex = inner.modifier == value.NoRegex
		loc, how, unsure = m.find(inner, path)
		if how == byName || how == byRedirect || unsure != "" {
			return loc, how, unsure
		}
	}
	if !noRegex {
		for _, r := range l.inner.regex {
			matched, err := m.state.exec(r.regex, path)
			if err != nil {
				return nil, nothing, "location: " + r.regex.doubt(err)
			}
			if matched {
				loc, _, unsure = m.find(r, path)
				return loc, byName, unsure
			}
		}
	}
	return loc, byPrefix, ""
}

func (e *except) allows(method string) bool {
	return slices.Contains(e.methods, method)
}

// redirect starts anew with another URI (nginx 1.22:
// ngx_http_internal_redirect).
func (m *Match) redirect(by *nginxconf.Directive, uri, args string) phase {
	st := &m.state
	m.move(by, uri)
	if st.moves--; st.moves == 0 {
		return m.special(500, nil, "redirection cycle")
	}
	st.path, st.args = uri, args
	st.internal, st.unparsed = true, false
	m.atServer()
	return serverRewrite
}

// named goes to a named location (nginx 1.22: ngx_http_named_location).
func (m *Match) named(by *nginxconf.Directive, name string) phase {
	st := &m.state
	m.move(by, name)
	if st.moves--; st.moves == 0 {
		return m.special(500, nil, "redirection cycle")
	}
	if st.path == "" { // a rewrite has made it so
		return m.special(500, nil, "empty URI in redirect to named location")
	}
	for _, n := range st.server.named {
		if n.name == name {
			st.internal, st.changed = true, false
			m.Location = n.level.d
			m.enter(n.level)
			return rewritePhase
		}
	}
	return m.special(500, nil, "no such named location")
}

// move notes a change of the URI.
func (m *Match) move(by *nginxconf.Directive, to string) {
	m.Moves = append(m.Moves[:len(m.Moves):len(m.Moves)], Move{by, to})
}

// special ends a request with a status, unless an error_page has something
// else for it (nginx 1.22: ngx_http_finalize_request,
// ngx_http_special_response_handler).
func (m *Match) special(status int, by *nginxconf.Directive, reason string) phase {
	st := &m.state
	switch status {
	case 408, 444, 499:
		m.Answer = &Answer{Status: status, By: by, Reason: reason, Phase: m.state.phase}
		return done
	}
	st.status = status
	set := st.level.set
	if !st.errorPage && len(set.errorPages) > 0 && st.moves != 0 {
		st.errorPage = !set.recursive
		for i := range set.errorPages {
			if set.errorPages[i].status == status {
				return m.page(&set.errorPages[i], reason)
			}
		}
	}
	switch status {
	case 494, 495, 496, 497: // numbers of its own for what goes out as 400
		st.status = 400
	}
	m.reply(by, reason)
	return done
}

// page follows an error_page (nginx 1.22: ngx_http_send_error_page).
func (m *Match) page(p *errorPage, reason string) phase {
	st := &m.state
	if p.overwrite >= 0 {
		st.status = p.overwrite
	}
	uri, err := m.Expand(p.text)
	if err != nil {
		m.unsure(fmt.Sprintf("answer: %v in error_page at %v", err, p.d.Pos()))
		return done
	}
	switch {
	case strings.HasPrefix(uri, "/"):
		path, args, _ := strings.Cut(uri, "?")
		if st.method != http.MethodHead {
			st.method = http.MethodGet
		}
		return m.redirect(p.d, path, args)
	case strings.HasPrefix(uri, "@"):
		return m.named(p.d, uri)
	}
	switch p.overwrite {
	case 301, 302, 303, 307, 308:
	default:
		st.status = 302
	}
	st.location = uri
	m.reply(p.d, reason)
	return done
}

// reply answers with what there is.
func (m *Match) reply(by *nginxconf.Directive, reason string) {
	m.Answer = &Answer{Status: m.state.status, Location: m.absolute(m.state.location), By: by, Reason: reason, Phase: m.state.phase}
}

// returned answers as a return directive says (nginx 1.22:
// ngx_http_script_return_code, ngx_http_send_response).
func (m *Match) returned(o *op) phase {
	st := &m.state
	v := value.Return{Status: int(o.status), Text: o.text}
	if v.Status >= 400 && v.Text == "" {
		return m.special(v.Status, o.d, "return")
	}
	st.length = -1
	text, err := m.Expand(v.Text)
	if errors.Is(err, errCaptures) {
		m.unsure(fmt.Sprintf("answer: %v in return at %v", err, o.d.Pos()))
		return done
	}
	if v.IsRedirect() {
		if err == nil {
			st.location = text
			return m.special(v.Status, o.d, "return")
		}
		if p := m.special(v.Status, o.d, "return"); m.Answer != nil {
			m.Answer.Location = ""
			m.unsure(fmt.Sprintf("answer: %v in return at %v", err, o.d.Pos()))
			return p
		}
		m.unsure(fmt.Sprintf("answer: %v in return at %v", err, o.d.Pos()))
		return done
	}
	if st.status == 0 {
		st.status = v.Status
	}
	m.reply(o.d, "return")
	if err != nil {
		m.unsure(fmt.Sprintf("answer: %v in return at %v", err, o.d.Pos()))
	}
	m.Answer.Body = text
	return done
}

// absolute makes the Location field of a path (nginx 1.22:
// ngx_http_header_filter).
func (m *Match) absolute(location string) string {
	l := m.state.level
	if !strings.HasPrefix(location, "/") || !l.set.absoluteRedirect {
		return location
	}
	srv, q := m.state.server, &m.state.q
	host := m.state.host
	switch {
	case l.set.nameInRedirect && srv.firstUnknown:
		m.unsure("answer: the name of the machine is not known")
		return ""
	case l.set.nameInRedirect:
		host = srv.first
	case host == "" && q.Unix != "":
		host = "unix:" + q.Unix
	case host == "" && q.Listen.Addr().IsUnspecified():
		m.unsure("answer: the address that the client connected to is not known")
		return ""
	case host == "":
		host = q.Listen.Addr().String() // an IPv6 address goes without brackets
	}
	scheme, usual := "http", uint16(80)
	if q.TLS {
		scheme, usual = "https", 443
	}
	port := ""
	if p := q.Listen.Port(); l.set.portInRedirect && q.Unix == "" && p != usual {
		port = fmt.Sprintf(":%d", p)
	}
	return scheme + "://" + host + port + location
}

// finish fills in what is public of the state.
func (m *Match) finish() {
	st := &m.state
	m.Path, m.Args = st.path, st.args
	m.Status = st.status
	if m.Answer != nil {
		m.Status = 0
	}
	m.Captures = nil
	for i := 0; i+1 < len(st.captures); i += 2 {
		m.Captures = append(m.Captures, group(st.captures, st.captured, i/2))
	}
}
