package nginxacl

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/nginxconf"
)

// Client returns the address that the rules in force in the innermost block of
// chain are asked about: the peer's, or the one that a trusted proxy names in
// X-Real-IP (nginx 1.22: ngx_http_realip_module). An error says why that
// cannot be told; the other headers are among the reasons.
func Client(c *nginxconf.Config, chain nginxconf.Context, peer netip.Addr, header http.Header) (netip.Addr, error) {
	trust, _ := c.Effective(chain, "set_real_ip_from")
	if len(trust) == 0 {
		return peer, nil
	}
	var trusted acl.List
	for _, d := range trust {
		if d.NumArgs() != 1 {
			return peer, fmt.Errorf(`%s: invalid number of arguments in "%s" directive`, d.Pos(), d.Name())
		}
		// The two modules read addresses with the same function.
		r, err := acl.ParseRule("allow", d.Arg(0))
		if err != nil || r.All() {
			return peer, fmt.Errorf("%s: %q is a name, which nginx resolves when it starts", d.Pos(), d.Arg(0))
		}
		trusted = append(trusted, r)
	}
	if trusted.Decide(peer).Rule < 0 {
		return peer, nil
	}
	if d := inForce(c, chain, "real_ip_header"); d != nil && d.NumArgs() == 1 && !strings.EqualFold(d.Arg(0), "X-Real-IP") {
		return peer, fmt.Errorf("%s: the client's address comes from %s, which is not read yet", d.Pos(), d.Arg(0))
	}
	if d := inForce(c, chain, "real_ip_recursive"); d != nil && d.NumArgs() == 1 && strings.EqualFold(d.Arg(0), "on") {
		return peer, fmt.Errorf("%s: a recursive search for the client's address is not followed yet", d.Pos())
	}
	values := header.Values("X-Real-IP")
	if len(values) == 0 {
		return peer, nil
	}
	// The last of several addresses, as nginx looks for it; a request's first
	// header of that name is the one it keeps.
	value := strings.TrimRight(values[0], " ,")
	value = value[strings.LastIndexAny(value, " ,")+1:]
	if a, err := netip.ParseAddr(value); err == nil && a.Zone() == "" {
		return a.Unmap(), nil
	}
	if a, err := netip.ParseAddrPort(value); err == nil && a.Addr().Zone() == "" {
		return a.Addr().Unmap(), nil
	}
	if value == "" {
		return peer, nil
	}
	return peer, fmt.Errorf("it is not known how nginx reads the address %q", value)
}
