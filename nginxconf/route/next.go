package route

import (
	"fmt"
	"maps"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// Next tells what becomes of a request that was granted access where m leads
// to: the places that try_files and index may send it to, where access is
// checked anew, and whether it may be answered here. Which of them it is depends
// on the files there are. An element has an Answer if it is answered on the way,
// as try_files does with "=404". There is none, and here is false, if m has an
// Answer or ends unsure of the location.
func (m *Match) Next() (next []Match, here bool) {
	if !m.open() {
		return nil, false
	}
	l := m.state.level
	if l.tryFiles == nil {
		return m.contents(nil)
	}
	last := l.tryFiles.NumArgs() - 1
	for i := range last {
		f := m.fork()
		text, err := f.Expand(l.tryFiles.Arg(i))
		dir := false
		if err != nil {
			f.unsure(fmt.Sprintf("location: %v in try_files at %v", err, l.tryFiles.Pos()))
			if m.state.handler == nil {
				next = append(next, f)
			}
			here = true
			continue
		}
		if text, dir = strings.CutSuffix(text, "/"); !dir || m.state.handler != nil {
			here = true
			continue
		}
		f.state.path = text
		var stays bool
		next, stays = f.contents(next)
		here = here || stays
	}
	return append(next, m.fallback(l.tryFiles, l.tryFiles.Arg(last))), here
}

// open tells whether m has come to the access phase.
func (m *Match) open() bool {
	if m.Answer != nil || m.state.server == nil || m.state.level == nil {
		return false
	}
	for _, u := range m.Unsure {
		if !strings.HasPrefix(u, "target:") {
			return false
		}
	}
	return true
}

// fork is m as it goes on from the access phase.
func (m *Match) fork() Match {
	f := *m
	f.Answer, f.Target, f.Unsure = nil, nil, nil
	f.state.vars = maps.Clone(m.state.vars)
	f.state.phase = Content
	return f
}

// fallback is the last argument of try_files (nginx 1.22:
// ngx_http_try_files_handler).
func (m *Match) fallback(d *nginxconf.Directive, arg string) Match {
	f := m.fork()
	if code, found := strings.CutPrefix(arg, "="); found {
		n, err := value.ParseNumber(code)
		if err == nil {
			if n < 300 && n != 201 && n != 204 {
				f.unsure(fmt.Sprintf("answer: nginx has no response to try_files with %s at %v", arg, d.Pos()))
				return f
			}
			f.run(f.special(int(n), d, "try_files"))
			return f
		}
	}
	text, err := f.Expand(arg)
	switch {
	case err != nil:
		f.unsure(fmt.Sprintf("location: %v in try_files at %v", err, d.Pos()))
	case strings.HasPrefix(text, "@"):
		f.run(f.named(d, text))
	default:
		path, args, _ := strings.Cut(text, "?")
		f.run(f.redirect(d, path, args))
	}
	return f
}

// contents adds where the index module may send a request to.
func (m *Match) contents(next []Match) (_ []Match, here bool) {
	st := &m.state
	if st.handler != nil || !m.isDirectory() {
		return next, true
	}
	if d := st.level.set.randomIndex; d != nil {
		f := m.fork()
		f.unsure(fmt.Sprintf("location: %s at %v leads to any of the files", d.Name(), d.Pos()))
		return append(next, f), true
	}
	for _, i := range st.level.set.index {
		f := m.fork()
		if strings.Contains(i.name, "$") { // their values are of when they were last asked for
			f.unsure(fmt.Sprintf("location: the variables of %s at %v", i.d, i.d.Pos()))
			return append(next, f), true
		}
		if strings.HasPrefix(i.name, "/") {
			f.run(f.redirect(i.d, i.name, st.args))
			return append(next, f), false
		}
		f.run(f.redirect(i.d, st.path+i.name, st.args))
		next = append(next, f)
	}
	return next, true
}

// Refuse tells what nginx makes of a status that it would give instead of
// going on from where m leads to, such as the 403 of access rules: an Answer
// with that status, or where error_page leads to. Access is checked anew there.
// A Match that has an Answer or ends unsure of the location stays as it is.
func (m *Match) Refuse(status int) Match {
	if !m.open() {
		return *m
	}
	f := m.fork()
	f.state.phase = Access
	f.run(f.special(status, nil, "access"))
	return f
}

// Subrequest tells what becomes of a request of nginx's own on behalf of m, as
// auth_request and mirror make them. No access rules apply to it. It stays as it
// is without a Server.
func (m *Match) Subrequest(uri string) Match {
	if m.state.server == nil {
		return *m
	}
	f := m.fork()
	st := &f.state
	st.path, st.args, _ = strings.Cut(uri, "?")
	st.internal, st.unparsed, st.errorPage = true, false, false
	st.moves, st.status, st.location = maxMoves, 0, ""
	st.method = "GET"
	f.Moves = nil
	f.atServer()
	f.run(serverRewrite)
	return f
}
