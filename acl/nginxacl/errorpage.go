package nginxacl

import (
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// An errorPage is what error_page makes of a status.
type errorPage struct {
	d *nginxconf.Directive
	// overwrites tells that the status is another one then: status or, if that
	// is 0, what the page itself has.
	overwrites bool
	status     int
	uri        string
}

// errorPage returns the one for a status, the first that names it (nginx 1.22:
// ngx_http_core_error_page).
func (p *Policy) errorPage(status int) (errorPage, bool) {
	for _, d := range p.ErrorPages {
		n := d.NumArgs()
		if n < 2 {
			continue
		}
		page := errorPage{d: d, uri: d.Arg(n - 1)}
		n--
		if how, ok := strings.CutPrefix(d.Arg(n-1), "="); ok && n > 1 {
			page.overwrites = true
			page.status, _ = strconv.Atoi(how)
			n--
		}
		for i := range n {
			if code, err := strconv.Atoi(d.Arg(i)); err == nil && code == status {
				return page, true
			}
		}
	}
	return errorPage{}, false
}

// errorPage follows a refused request to its error page. Without "=" the status
// stays what it is, whatever the page says.
func (j *Judge) errorPage(e *Explanation, p *Policy, _ *route.Match) {
	page, ok := p.errorPage(e.Status)
	if !ok {
		return
	}
	if !page.overwrites || !strings.HasPrefix(page.uri, "/") && !strings.HasPrefix(page.uri, "@") {
		e.about("content", page.d, where(page.d)+": what it leads to is the answer to those who are refused")
		e.Status = 0
		return
	}
	*e = e.unknown("%s: what it leads to is the answer to those who are refused", where(page.d))
}
