package route

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onehost-go/onehost/nginxconf"
)

func TestStreamServers(t *testing.T) {
	r, err := New(load(t, `events { }
stream {
	deny 192.0.2.1;
	upstream Db { server 10.0.0.1:5432; server 10.0.0.2:5432 backup; }
	server { listen 5432; proxy_pass db; allow 10.0.0.0/8; deny all; }
	server { listen 127.0.0.1:5432; proxy_pass unix:/run/db.sock; }
	server { listen 53 udp; proxy_pass 10.0.0.3:53; }
	server { listen 443; proxy_pass $ssl_preread_server_name:443; }
	server { listen [::]:444 ssl proxy_protocol; return "$remote_addr\n"; }
	server { listen unix:/run/s.sock; proxy_pass localhost:1; }
	server { listen 445 ssl; server_name a; }
	server { listen 445 ssl; server_name b; }
	server { listen localhost:446; }
}
http { server { listen 80; } }`))
	require.NoError(t, err)
	ask := func(q StreamRequest) Match {
		m, err := r.MatchStream(q)
		require.NoError(t, err)
		return m
	}
	at := func(s string) StreamRequest { return StreamRequest{Listen: netip.MustParseAddrPort(s)} }

	m := ask(at("192.0.2.7:5432"))
	assert.Equal(t, "nginx.conf:5:2", m.Server.Pos().String())
	require.Len(t, m.Chain, 2)
	rules, level := r.c.Effective(m.Chain, "allow", "deny")
	assert.Len(t, rules, 2)
	assert.Len(t, level, 2)
	servers := m.Target.Servers(r.c)
	require.Len(t, servers, 2)
	assert.Equal(t, "10.0.0.2", servers[1].Host)
	assert.True(t, servers[1].Backup)

	m = ask(at("127.0.0.1:5432"))
	network, address := m.Target.Address()
	assert.Equal(t, "unix /run/db.sock", network+" "+address)
	assert.Nil(t, m.Target.Servers(r.c))
	_, err = m.Target.URL()
	assert.Error(t, err)
	h, err := m.BackendHeader()
	assert.NoError(t, err)
	assert.Nil(t, h)
	assert.Nil(t, m.AddedHeaders())

	q := at("192.0.2.7:53")
	_, err = r.MatchStream(q)
	assert.ErrorIs(t, err, ErrNoServer)
	q.UDP = true
	_, address = ask(q).Target.Address()
	assert.Equal(t, "10.0.0.3:53", address)

	assert.Equal(t, []string{"target: the variables of proxy_pass at nginx.conf:8:23 are not known"}, ask(at("192.0.2.7:443")).Unsure)
	assert.Nil(t, ask(at("[::1]:444")).Target)
	assert.Equal(t, "localhost", ask(StreamRequest{Unix: "/run/s.sock"}).Target.Backend.Host)
	assert.Equal(t, []string{"server: 2 servers listen on 0.0.0.0:445, and the name of the TLS handshake decides"}, ask(at("192.0.2.7:445")).Unsure)
	assert.Equal(t, []string{"server: listen localhost:446; at nginx.conf:13:11: the name is not resolved"}, ask(at("127.0.0.1:446")).Unsure)
	_, err = r.MatchStream(at("192.0.2.7:80"))
	assert.ErrorIs(t, err, ErrNoServer, "that is a server of http")

	_, err = New(load(t, "stream { server { listen 1 http2000; } }"))
	var ds nginxconf.Diagnostics
	require.ErrorAs(t, err, &ds)
	assert.Equal(t, `invalid parameter "http2000"`, ds[0].Message)
}
