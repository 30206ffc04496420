package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"os"
	"strings"
	"sync"

	"github.com/onehost-go/onehost/acl"
	"github.com/onehost-go/onehost/acl/nginxacl"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// A door is what nginx would be: it serves a configuration, with server and
// location chosen as nginx does, and its IP rules applied.
type door struct {
	config *nginxconf.Config
	router *route.Router
	log    *slog.Logger
	file   *os.File
	server *http.Server
	served sync.WaitGroup

	mu    sync.Mutex
	gates map[*nginxconf.Directive]*gate
}

// A gate is the rules in force in a block, compiled.
type gate struct {
	policy nginxacl.Policy
	table  *acl.Table
}

// openDoor serves the configuration on the two addresses, the second with TLS.
func openDoor(conf string, plain, secure netip.AddrPort, logFile string) (d *door, err error) {
	d = &door{gates: map[*nginxconf.Directive]*gate{}}
	if d.config, err = nginxconf.LoadFile(conf); err != nil {
		return nil, err
	}
	if d.router, err = route.New(d.config); err != nil {
		return nil, err
	}
	certificate, err := d.certificate()
	if err != nil {
		return nil, err
	}
	if d.file, err = os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return nil, err
	}
	d.log = slog.New(slog.NewTextHandler(d.file, nil))
	d.server = &http.Server{Handler: d, ErrorLog: log.New(io.Discard, "", 0)}
	for _, at := range []netip.AddrPort{plain, secure} {
		l, err := net.Listen("tcp", at.String())
		if err != nil {
			return nil, errors.Join(err, d.close())
		}
		if at == secure {
			l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
		}
		d.served.Go(func() {
			if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				d.log.Error("serving ended", "error", err)
			}
		})
	}
	return d, nil
}

// certificate loads the house's: all sites have the same.
func (d *door) certificate() (tls.Certificate, error) {
	var files [2]string
	for i, name := range []string{"ssl_certificate", "ssl_certificate_key"} {
		for c := range d.config.Find("http", "server", name) {
			files[i] = c.Arg(0)
			break
		}
	}
	return tls.LoadX509KeyPair(files[0], files[1])
}

func (d *door) close() error {
	err := d.server.Shutdown(context.Background())
	d.served.Wait()
	return errors.Join(err, d.file.Close())
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := route.FromHTTP(r)
	peer := q.Client
	m, err := d.router.Match(q)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if len(m.Unsure) > 0 {
		d.fail(w, r, fmt.Errorf("it is not certain what nginx would do: %s", strings.Join(m.Unsure, "; ")))
		return
	}
	if m.Answer != nil {
		answer(w, m.Answer)
		return
	}
	q.Client, err = nginxacl.Client(d.config, m.Chain, peer, r.Header)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	g, err := d.gate(m.Chain)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	if decision := g.table.Lookup(q.Client); decision.Action == acl.Deny {
		rule := g.policy.List[decision.Rule]
		d.log.Warn("access forbidden by rule", "client", q.Client, "host", r.Host, "uri", r.RequestURI, "rule", rule, "at", rule.Pos)
		http.Error(w, "403 Forbidden", http.StatusForbidden)
		return
	}
	if m.Target == nil {
		http.NotFound(w, r) // the sites of a table only proxy
		return
	}
	// Once more with the client's address, which the headers speak of.
	if m, err = d.router.Match(q); err != nil {
		d.fail(w, r, err)
		return
	}
	d.proxy(w, r, &m)
}

// answer sends what nginx replies before it looks at access rules.
func answer(w http.ResponseWriter, a *route.Answer) {
	if a.Status == 444 {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	if a.Location != "" {
		w.Header().Set("Location", a.Location)
	}
	w.WriteHeader(a.Status)
	body := a.Body
	if body == "" && a.Status >= 300 {
		body = fmt.Sprintf("%d %s\n", a.Status, http.StatusText(a.Status))
	}
	_, _ = io.WriteString(w, body)
}

// gate returns the rules in force in the innermost block of chain.
func (d *door) gate(chain nginxconf.Context) (*gate, error) {
	block := chain[len(chain)-1]
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.gates[block]; g != nil {
		return g, nil
	}
	policy, err := nginxacl.For(d.config, chain)
	if err != nil {
		return nil, err
	}
	g := &gate{policy, acl.Compile(policy.List)}
	d.gates[block] = g
	return g, nil
}

// proxy passes the request on, with the header fields that the configuration
// sets.
func (d *door) proxy(w http.ResponseWriter, r *http.Request, m *route.Match) {
	header, err := m.BackendHeader()
	if err != nil {
		d.fail(w, r, err)
		return
	}
	to, err := m.Target.URL()
	if err != nil {
		d.fail(w, r, err)
		return
	}
	network, address := m.Target.Pass.Address()
	proxy := httputil.ReverseProxy{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var dialer net.Dialer
				return dialer.DialContext(ctx, network, address)
			},
			DisableKeepAlives: true,
		},
		ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelError),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Header, p.Out.Host = to, header, header.Get("Host")
		},
	}
	proxy.ServeHTTP(w, r)
}

func (d *door) fail(w http.ResponseWriter, r *http.Request, err error) {
	d.log.Error("cannot serve", "host", r.Host, "uri", r.RequestURI, "error", err)
	http.Error(w, err.Error(), http.StatusInternalServerError)
}
