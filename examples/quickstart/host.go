package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/portmap"
	"github.com/onehost-go/onehost/portmap/generate"
	"github.com/onehost-go/onehost/procmgr"
	"github.com/onehost-go/onehost/procmgr/supervisord"
	"github.com/onehost-go/onehost/supervisorconf"
)

// A host is the services and what stands in front of them, on loopback.
type host struct {
	o    *options
	s    *screen
	dir  string
	m    *portmap.Map
	root *x509.Certificate

	second      bool // one can ask from 127.0.0.2 here
	http, https netip.AddrPort
	conf        string // nginx.conf
	door        *door  // nil if nginx is in front

	server  *supervisord.Server
	manager *procmgr.Manager
	cancel  context.CancelFunc
	done    chan error // gets what Run returns

	pids    map[int]string // every child there ever was; read it once watched is closed
	watched chan struct{}
}

// prepare renders the configuration a second time, on ports that are free here.
func prepare(o *options, s *screen, dir string, m *portmap.Map) (*host, error) {
	h := &host{o: o, s: s, dir: filepath.Join(dir, "run"), m: &portmap.Map{}}
	h.m.Services = append(h.m.Services, m.Services...)
	h.second = !o.oneLoopback && secondLoopback()
	ports, err := freePorts(len(m.Services) + 2)
	if err != nil {
		return nil, err
	}
	if o.own {
		if err := checkFree(m); err != nil {
			return nil, err
		}
	} else {
		for i := range h.m.Services {
			h.m.Services[i].Port = ports[i+2]
		}
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	h.http = netip.AddrPortFrom(loopback, uint16(ports[0]))
	h.https = netip.AddrPortFrom(loopback, uint16(ports[1]))

	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"log", "tls", "nginx/tmp"} {
		if err := os.MkdirAll(filepath.Join(h.dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	certificate, key := filepath.Join(h.dir, "tls", "house.crt"), filepath.Join(h.dir, "tls", "house.key")
	if h.root, err = makeCertificate(o.domain, certificate, key); err != nil {
		return nil, err
	}
	files, err := generate.Tree(h.m, &generate.Options{
		Domain: o.domain,
		HTTP:   h.http.String(), HTTPS: h.https.String(),
		Certificate: certificate, CertificateKey: key,
		Rules:  rules(o),
		LogDir: filepath.Join(h.dir, "log"),
		Command: func(s portmap.Service, bind string) string {
			return fmt.Sprintf("%s service --name=%s --bind=%s", word(program), word(s.Name), bind)
		},
	})
	if err != nil {
		return nil, err
	}
	if err := writeTree(h.dir, files); err != nil {
		return nil, err
	}
	h.conf = filepath.Join(h.dir, "nginx", "nginx.conf")
	if err := h.edit(); err != nil {
		return nil, err
	}
	return h, nil
}

// word quotes a word of a command line for Supervisor.
func word(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "%", "%%").Replace(s) + `"`
}

// edit adds to nginx.conf what keeps an nginx to its own directory, and, where
// there is no second loopback address to ask from, a proxy that is trusted.
func (h *host) edit() error {
	src, err := os.ReadFile(h.conf)
	if err != nil {
		return err
	}
	f, err := nginxconf.Parse(h.conf, src)
	if err != nil {
		return err
	}
	for http := range f.Find("http") {
		var text strings.Builder
		text.WriteString("access_log off;\n")
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			fmt.Fprintf(&text, "%s_temp_path tmp/%s;\n", kind, kind)
		}
		if !h.second {
			text.WriteString("set_real_ip_from 127.0.0.1;\nreal_ip_header X-Real-IP;\n")
		}
		if err := http.Body().InsertText(0, text.String()); err != nil {
			return err
		}
	}
	return os.WriteFile(h.conf, f.Bytes(), 0o644)
}

// start starts the services and what stands in front, and waits until all run.
func (h *host) start(ctx context.Context) error {
	front := "the front door"
	packages := "procmgr/supervisord, procmgr, nginxconf/route, acl/nginxacl, acl"
	if h.o.nginx {
		front, packages = "nginx", "procmgr/supervisord, procmgr"
	}
	h.s.heading("Run it: services, and "+front+" before them", packages)
	if err := testNginx(ctx, h.s, h.conf, filepath.Join(h.dir, "nginx")); err != nil {
		return err
	}
	config, err := supervisorconf.Load(os.DirFS(h.dir), "supervisor/supervisord.conf", &supervisorconf.LoadOptions{
		Dir: h.dir, IsDir: func(string) bool { return true },
	})
	if err != nil {
		return err
	}
	if h.server, err = supervisord.New(config, nil); err != nil {
		return err
	}
	h.manager = h.server.Manager()
	if h.o.nginx {
		nginx, err := exec.LookPath("nginx")
		if err != nil {
			return fmt.Errorf("-nginx: %w", err)
		}
		// It starts last and stops first.
		err = h.manager.Add(procmgr.Program{
			Name: "nginx", Priority: 1000, StopSignal: syscall.SIGQUIT,
			Args:   []string{nginx, "-c", h.conf, "-p", filepath.Join(h.dir, "nginx"), "-g", nginxGlobals + " daemon off;"},
			Stderr: procmgr.Log{File: filepath.Join(h.dir, "log", "nginx.log")},
		})
		if err != nil {
			return err
		}
	} else {
		if h.door, err = openDoor(h.conf, h.http, h.https, filepath.Join(h.dir, "log", "door.log")); err != nil {
			return err
		}
	}

	// The manager stops by stop alone, so that it stops in order whatever ends ctx.
	managed, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.cancel = cancel
	h.done = make(chan error, 1)
	h.watch(context.WithoutCancel(ctx))
	waiting, release := context.WithCancel(ctx)
	defer release()
	events := h.manager.Events(waiting)
	began := time.Now()
	go func() { h.done <- h.server.Run(managed) }()
	if err := h.allRunning(waiting, events); err != nil {
		return err
	}
	h.s.ok("%d processes run after %.1f s; %s listens on %s and %s", len(h.manager.Status()), time.Since(began).Seconds(), front, h.http, h.https)
	return nil
}

// watch remembers every process there is, to see in the end that none is left.
// The events end when the manager does.
func (h *host) watch(ctx context.Context) {
	events := h.manager.Events(ctx)
	h.pids, h.watched = map[int]string{}, make(chan struct{})
	go func() {
		defer close(h.watched)
		for e := range events {
			if e.PID > 0 {
				h.pids[e.PID] = e.Process
			}
		}
	}()
}

// allRunning waits until every process runs, or one cannot.
func (h *host) allRunning(ctx context.Context, events func(func(procmgr.Event) bool)) error {
	missing := map[string]bool{}
	for _, st := range h.manager.Status() {
		missing[st.FullName()] = true
	}
	for e := range events {
		if e.Type != procmgr.EventProcessState {
			continue
		}
		switch e.To {
		case procmgr.Running:
			delete(missing, fullName(e))
		case procmgr.Backoff, procmgr.Fatal:
			return h.died(e)
		}
		if len(missing) == 0 {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New("the processes stopped before all of them ran")
}

// died says why a process does not run, with what it said itself.
func (h *host) died(e procmgr.Event) error {
	said, _ := os.ReadFile(filepath.Join(h.dir, "log", e.Process+".log"))
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return fmt.Errorf("%s does not stay up: %s %s", e.Process, e.Reason, lines[len(lines)-1])
}

// stop stops everything in order and sees that nothing is left.
func (h *host) stop() error {
	if h.cancel == nil {
		if h.door != nil {
			return h.door.close()
		}
		return nil
	}
	h.s.heading("Stop it", "procmgr")
	var err error
	if h.door != nil {
		err = h.door.close()
	}
	n := len(h.manager.Status())
	began := time.Now()
	h.cancel()
	err = errors.Join(err, <-h.done)
	<-h.watched
	for pid, name := range h.pids {
		if alive(pid) {
			err = errors.Join(err, fmt.Errorf("%s (pid %d) is still there", name, pid))
		}
	}
	if err == nil {
		h.s.ok("%d processes stopped in %.1f s; of the %d there were, none is left", n, time.Since(began).Seconds(), len(h.pids))
	}
	return err
}

// fullName is how a process is addressed.
func fullName(e procmgr.Event) string {
	return procmgr.Status{Group: e.Group, Name: e.Process}.FullName()
}
