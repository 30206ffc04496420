package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/procmgr"
)

var (
	friend   = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	stranger = netip.AddrFrom4([4]byte{127, 0, 0, 2})
)

// secondLoopback tells whether one can ask from 127.0.0.2: on Linux, yes; on
// other systems only 127.0.0.1 is there.
func secondLoopback() bool {
	l, err := net.Listen("tcp", netip.AddrPortFrom(stranger, 0).String())
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// A question is a request, with what one expects of it.
type question struct {
	from   netip.Addr
	url    string // scheme and host as people type them
	host   string
	tls    bool
	status int // 0: no answer
}

// tour sends requests and kills a service.
func (h *host) tour(ctx context.Context, o *options) error {
	if len(h.m.Services) == 0 {
		return errors.New("there is no service to ask")
	}
	first := famous(h.m.Services)
	named := first
	if named.Domain == "" {
		named.Domain = o.domain
	}
	name, err := named.ServerName()
	if err != nil {
		return err
	}
	h.s.heading("Ask", "net/http, and acl/nginxacl for the reasons")
	config, err := nginxconf.LoadFile(h.conf)
	if err != nil {
		return err
	}
	expect := map[netip.Addr]int{}
	for _, from := range []netip.Addr{friend, stranger} {
		expect[from] = http.StatusForbidden
		for _, a := range o.allow {
			if p, err := netip.ParsePrefix(a); a == from.String() || err == nil && p.Contains(from) {
				expect[from] = http.StatusOK
			}
		}
	}
	for _, q := range []question{
		{friend, "https://" + name + "/", name, true, expect[friend]},
		{stranger, "https://" + name + "/", name, true, expect[stranger]},
		{friend, "http://" + name + "/cases?id=7", name, false, http.StatusMovedPermanently},
		{friend, "https://nobody." + o.domain + "/", "nobody." + o.domain, true, 0},
	} {
		if err := h.ask(ctx, config, q); err != nil {
			return err
		}
	}
	return h.kill(ctx, first)
}

// ask sends one request, and says what came back and why.
func (h *host) ask(ctx context.Context, config *nginxconf.Config, q question) error {
	at := h.http
	if q.tls {
		at = h.https
	}
	header := http.Header{}
	source := q.from
	if q.from == stranger && !h.second {
		source = friend // the trusted proxy
		header.Set("X-Real-IP", stranger.String())
	}
	status, said, location, err := h.get(ctx, source, at, q, header)
	if err != nil {
		return fmt.Errorf("%s from %s: %w", q.url, q.from, err)
	}

	_, path, _ := strings.Cut(q.url, "//")
	uri := path[strings.IndexByte(path, '/'):]
	e, err := nginxacl.Explain(config, nginxacl.Query{
		Client: source, Listen: at, TLS: q.tls, Host: q.host, Method: http.MethodGet, URI: uri, Header: header,
	})
	if err != nil {
		return err
	}
	answer := fmt.Sprint(status)
	switch {
	case status == 0:
		answer, said = "closed", "no answer"
	case location != "":
		said = "→ " + location
	case status != http.StatusOK:
		said = http.StatusText(status)
	}
	h.s.item("%-9s  %-42s %s  %s", q.from, q.url, h.coloured(status, fmt.Sprintf("%-6s", answer)), strings.TrimSpace(said))
	h.s.item("           %s", h.s.faint("because "+h.reason(e)))
	if status != q.status {
		return fmt.Errorf("%s from %s: the answer is %d, not %d", q.url, q.from, status, q.status)
	}
	refused := status == http.StatusForbidden || status == 0
	if allowed := e.Verdict == nginxacl.Allowed; e.Verdict == nginxacl.Unknown || allowed == refused {
		return fmt.Errorf("%s from %s: the answer is %d, but nginxacl says %s: %s", q.url, q.from, status, e.Verdict, e.Because)
	}
	return nil
}

func (h *host) coloured(status int, text string) string {
	switch {
	case status == 0 || status >= 400:
		return h.s.red(text)
	case status >= 300:
		return h.s.amber(text)
	}
	return h.s.green(text)
}

// reason says why, with the rule and its line.
func (h *host) reason(e nginxacl.Explanation) string {
	why := e.Because
	if e.Rule != nil {
		why = fmt.Sprintf("%s: %s by %s", e.Rule.Pos, e.Verdict, e.Rule)
	}
	return strings.ReplaceAll(why, filepath.Dir(h.conf)+string(filepath.Separator), "")
}

// get sends a request from an address to one. Status 0 is a connection closed
// without an answer.
func (h *host) get(ctx context.Context, from netip.Addr, to netip.AddrPort, q question, header http.Header) (status int, body, location string, err error) {
	roots := x509.NewCertPool()
	roots.AddCert(h.root)
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", to.String())
		},
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, nil)
	if err != nil {
		return 0, "", "", err
	}
	r.Header = header
	response, err := transport.RoundTrip(r)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return 0, "", "", nil
	}
	if err != nil {
		return 0, "", "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	return response.StatusCode, string(text), response.Header.Get("Location"), err
}

// kill kills a service and shows it come back.
func (h *host) kill(ctx context.Context, s portmap.Service) error {
	h.s.heading("Kill "+s.Subdomain+", and see it come back", "procmgr")
	watching, stop := context.WithCancel(ctx)
	defer stop()
	events := h.manager.Events(watching)
	began := time.Now()
	if err := h.manager.Signal(s.Subdomain, syscall.SIGKILL); err != nil {
		return err
	}
	back := false
	for e := range events {
		if e.Type != procmgr.EventProcessState || e.Process != s.Subdomain {
			continue
		}
		pid := ""
		if e.PID > 0 {
			pid = fmt.Sprintf("  pid %d", e.PID)
		}
		h.s.item("%6.3f s  %s %s → %s%s", time.Since(began).Seconds(), e.Process, e.From, e.To, pid)
		switch e.To {
		case procmgr.Fatal:
			return h.died(e)
		case procmgr.Running:
			back = true
		}
		if back {
			break
		}
	}
	if !back {
		return errors.Join(fmt.Errorf("%s did not come back", s.Subdomain), ctx.Err())
	}
	h.status()
	return nil
}

// status prints the status table, in two columns.
func (h *host) status() {
	all := h.manager.Status()
	rows := (len(all) + 1) / 2
	cell := func(st procmgr.Status) string {
		return fmt.Sprintf("%-22s %s  %-26s", st.FullName(), h.s.green(st.State.String()), st.Description())
	}
	for i := range rows {
		line := cell(all[i])
		if i+rows < len(all) {
			line += "  " + cell(all[i+rows])
		}
		h.s.item("%s", strings.TrimRight(line, " "))
	}
}

// serveUntil leaves everything up.
func (h *host) serveUntil(ctx context.Context) {
	h.s.blank()
	h.s.line("Serving until Ctrl-C. For example:")
	host := "scout." + h.o.domain
	h.s.line("  curl --cacert %s --resolve %s:%d:127.0.0.1 https://%s:%d/", filepath.Join(h.dir, "tls", "house.crt"), host, h.https.Port(), host, h.https.Port())
	<-ctx.Done()
}
