package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// mergeBackend hands down what the blocks say of a backend, and looks at what
// comes of it, as nginx does at the end of the http block (nginx 1.22:
// ngx_http_proxy_merge_loc_conf and its kin). Blocks that say nothing are as
// the block around them, which was looked at. What the http block says counts
// for a server that is without it, and not by itself.
func (c *checker) mergeBackend(h *httpMain, kind backend) {
	root := h.backends[kind]
	if root == nil || kind == tunnelBackend || kind == memcachedBackend {
		return
	}
	c.late = h.block.d
	var silent *backendConf
	for _, s := range h.servers {
		if n := s.root.block.backend(kind); n != nil {
			c.mergeBackends(root, n)
		} else if silent == nil {
			silent = &backendConf{kind: kind}
			c.merge(root, silent)
		}
	}
	c.late = nil
}

func (c *checker) mergeBackends(up, n *backendConf) {
	c.merge(up, n)
	for inner := n.last; inner != nil; {
		inner = inner.next
		c.mergeBackends(n, inner)
		if inner == n.last {
			break
		}
	}
}

// merge makes n complete with what up says, and looks at it.
func (c *checker) merge(up, n *backendConf) {
	// A block that says nothing about hidden headers has the table of the block
	// around it, whatever sizes it sets.
	n.hiddenDone = up.hiddenDone && (n.more == nil || n.more.hide == nil && n.more.show == nil)
	switch {
	case n.more == nil:
		n.more = up.more
	case up.more != nil:
		n.more.merge(up.more)
	}
	m := n.more
	first := m != nil && !m.done
	if first {
		m.done = true
		c.mergeMore(n.kind, m)
	}
	if n.secure && m != nil && m.tls != nil {
		c.secureBackend(n.kind, m.tls)
	}
	if first {
		if !n.hiddenDone {
			c.hiddenHeaders(n.kind, m)
		}
		if m.body != nil && !m.bodyDone {
			m.bodyDone = true
			c.http.variables.script(m.body, 1, m.body.Arg(0))
		}
	}
	if !n.hiddenDone {
		n.hiddenDone = true
		same := m == nil || up.more != nil && m.hide == up.more.hide && m.show == up.more.show || up.more == nil && m.hide == nil && m.show == nil
		up.hiddenDone = up.hiddenDone || same // of the http block, which others inherit
	}
	c.mergeHeaders(up, n)
}

// merge makes m complete with what up says.
func (m *backendMore) merge(up *backendMore) {
	if m.store == on {
		m.cache = off
	}
	if m.cache == on {
		m.store = off
	}
	m.store = m.store.or(up.store)
	if m.cache == unset {
		m.cache, m.cacheZone = up.cache, up.cacheZone
	}
	m.hasKey = m.hasKey || up.hasKey
	for _, to := range [...]struct{ own, up **nginxconf.Directive }{
		{&m.buffers, &up.buffers}, {&m.bufferSize, &up.bufferSize}, {&m.busySize, &up.busySize}, {&m.tempSize, &up.tempSize},
		{&m.writeSize, &up.writeSize}, {&m.hashSize, &up.hashSize}, {&m.bucketSize, &up.bucketSize}, {&m.body, &up.body},
	} {
		*to.own = either(*to.own, *to.up)
	}
	m.bodyDone = m.body == up.body && up.bodyDone
	if m.hide == nil {
		m.hide = up.hide
	}
	if m.show == nil {
		m.show = up.show
	}
	if m.tls == nil {
		m.tls = up.tls
	} else if up.tls != nil {
		m.tls.merge(up.tls)
	}
}

// mergeMore looks at the sizes and the cache that are in force in a block.
func (c *checker) mergeMore(kind backend, m *backendMore) {
	if m.store == on { // of the block itself, which nothing was merged into
		m.cache = off
	}
	if kind == grpcBackend {
		return
	}
	c.bufferSizes(kind, m)
	if z := m.cacheZone; m.cache == on && z != nil && !z.init {
		c.failLate("unknown-zone", `"%s_cache" zone "%s" is unknown`, kind, z.name)
	}
	if m.cache == on && !m.hasKey && kind != proxyBackend {
		c.warnLate("missing-cache-key", `no "%s_cache_key" for "%s_cache"`, kind, kind)
	}
}

func (g given) or(up given) given {
	if g == unset {
		return up
	}
	return g
}

func either(d, up *nginxconf.Directive) *nginxconf.Directive {
	if d == nil {
		return up
	}
	return d
}

// bufferSizes compares the sizes of buffers and temporary files. nginx counts
// in 64 bits, without a sign.
func (c *checker) bufferSizes(kind backend, m *backendMore) {
	if m.buffers == nil && m.bufferSize == nil && m.busySize == nil && m.tempSize == nil && m.writeSize == nil {
		return
	}
	num, each := uint64(8), uint64(pageSize)
	if d := m.buffers; d != nil {
		i, _ := value.ParseNumber(d.Arg(0))
		size, _ := value.ParseSize(d.Arg(1))
		num, each = uint64(i), uint64(size)
	}
	size := max(sizeOf(m.bufferSize, pageSize), each)
	busy := sizeOf(m.busySize, 2*size)
	write := sizeOf(m.writeSize, 2*size)
	temp := sizeOf(m.tempSize, 1<<30)
	const code = "buffer-size"
	k := kind.String()
	largest := `the maximum of the value of "` + k + `_buffer_size" and one of the "` + k + `_buffers"`
	switch {
	case num < 2:
		c.failLate(code, `there must be at least 2 "%s_buffers"`, k)
	case busy < size:
		c.failLate(code, `"%s_busy_buffers_size" must be equal to or greater than %s`, k, largest)
	case busy > (num-1)*each:
		c.failLate(code, `"%s_busy_buffers_size" must be less than the size of all "%s_buffers" minus one buffer`, k, k)
	case write < size:
		c.failLate(code, `"%s_temp_file_write_size" must be equal to or greater than %s`, k, largest)
	case temp != 0 && temp < size:
		c.failLate(code, `"%s_max_temp_file_size" must be equal to zero to disable temporary files usage or must be equal to or greater than %s`, k, largest)
	}
}

// sizeOf returns the size that d, which was read before, sets.
func sizeOf(d *nginxconf.Directive, otherwise uint64) uint64 {
	if d == nil {
		return otherwise
	}
	size, _ := value.ParseSize(d.Arg(0))
	return uint64(size)
}

// The names that nginx adds to those of the configuration.
var (
	proxyHeaders      = hashedNames("Host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Keep-Alive", "Expect", "Upgrade")
	proxyCacheHeaders = append(proxyHeaders[:len(proxyHeaders):len(proxyHeaders)],
		hashedNames("If-Modified-Since", "If-Unmodified-Since", "If-None-Match", "If-Match", "Range", "If-Range")...)
	grpcHeaders   = hashedNames("Content-Length", "TE", "Host", "Connection", "Transfer-Encoding", "Keep-Alive", "Expect", "Upgrade")
	cacheParams   = hashedNames("IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE", "IF_NONE_MATCH", "IF_MATCH", "RANGE", "IF_RANGE") // with HTTP_ before them
	accelHeaders  = []string{"X-Accel-Expires", "X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering", "X-Accel-Charset"}
	hiddenHeaders = [backends][]string{
		proxyBackend:   append([]string{"Date", "Server", "X-Pad"}, accelHeaders...),
		fastcgiBackend: append([]string{"Status"}, accelHeaders...),
		uwsgiBackend:   accelHeaders,
		scgiBackend:    append([]string{"Status"}, accelHeaders...),
		grpcBackend:    append([]string{"Date", "Server"}, accelHeaders...),
	}
)

// hashSizes returns the limits of the tables of header names.
func (m *backendMore) hashSizes() (maxSize, bucketSize uint64) {
	maxSize, bucketSize = 512, 64
	if m == nil {
		return maxSize, bucketSize
	}
	if d := m.hashSize; d != nil {
		i, _ := value.ParseNumber(d.Arg(0))
		maxSize = uint64(i)
	}
	if d := m.bucketSize; d != nil {
		i, _ := value.ParseNumber(d.Arg(0))
		bucketSize = (uint64(i) + cacheLine - 1) &^ (cacheLine - 1)
	}
	return maxSize, bucketSize
}

// hiddenHeaders looks at the names of the headers that clients do not see
// (nginx 1.22: ngx_http_upstream_hide_headers_hash).
func (c *checker) hiddenHeaders(kind backend, m *backendMore) {
	if m.hide == nil && m.show == nil && m.hashSize == nil && m.bucketSize == nil {
		return // nginx's own fit
	}
	names := make([]string, 0, 16)
	names = append(names, hiddenHeaders[kind]...)
	for l := m.hide; l != nil; l = l.next {
		names = append(names, cstring(l.d.Arg(0)))
	}
	hide := make([]hashed, 0, len(names))
next:
	for i, name := range names {
		for _, other := range names[:i] {
			if strings.EqualFold(name, other) {
				continue next
			}
		}
		for l := m.show; l != nil; l = l.next {
			if strings.EqualFold(name, cstring(l.d.Arg(0))) {
				continue next
			}
		}
		hide = append(hide, hashedName(name))
	}
	table := kind.String() + "_headers_hash"
	if kind != proxyBackend && kind != grpcBackend {
		table = kind.String() + "_hide_headers_hash"
	}
	maxSize, bucketSize := m.hashSizes()
	c.hash(table, hide, maxSize, bucketSize)
}

// mergeHeaders reads the values of *_set_header or *_param (nginx 1.22:
// ngx_http_proxy_init_headers, ngx_http_fastcgi_init_params).
func (c *checker) mergeHeaders(up, n *backendConf) {
	inherits := n.headers == nil
	if inherits {
		n.headers, n.headersDone, n.cacheHeadersDone = up.headers, up.headersDone, up.cacheHeadersDone
	}
	if !n.headersDone {
		c.headers(n, false)
		n.headersDone = true
	}
	if n.more != nil && n.more.cache == on && !n.cacheHeadersDone {
		c.headers(n, true)
		n.cacheHeadersDone = true
	}
	if inherits && n.headers != nil && !up.headersDone { // servers share none but those of the http block
		up.headersDone, up.cacheHeadersDone = n.headersDone, n.cacheHeadersDone
	}
}

// headers looks at a list of headers, unless one that is the same was looked
// at.
func (c *checker) headers(n *backendConf, cache bool) {
	plain := n.more == nil || n.more.hashSize == nil && n.more.bucketSize == nil
	if n.headers == nil && !cache && plain {
		return // nginx's own fit
	}
	h := c.http
	if plain && n.headers != nil {
		looked := &n.headers.looked
		if cache {
			looked = &n.headers.cacheLooked
		}
		if *looked {
			return
		}
		*looked = true
	}
	set := n.kind == proxyBackend || n.kind == grpcBackend
	names := h.headerNames[:0]
	list := n.headers.inOrder()
	hostFirst := set && c.since(1, 31, 4)
	if hostFirst {
		for _, l := range list {
			if strings.EqualFold(l.name, "Host") {
				if _, ok := h.variables.script(l.d, 2, l.value); !ok {
					return
				}
			}
		}
	}
	for _, l := range list {
		name, isHeader := l.name, true
		if hostFirst && strings.EqualFold(name, "Host") {
			continue
		}
		if !set { // only headers are in the table
			name, isHeader = strings.CutPrefix(name, "HTTP_")
			isHeader = isHeader && name != ""
		}
		if isHeader {
			names = append(names, hashedName(name))
		}
		if l.value == "" && isHeader {
			continue // it is not sent
		}
		if _, ok := h.variables.script(l.d, 2, l.value); !ok {
			return
		}
	}
	var more []hashed
	switch {
	case n.kind == grpcBackend:
		more = grpcHeaders
	case n.kind == proxyBackend && cache:
		more = proxyCacheHeaders
	case n.kind == proxyBackend:
		more = proxyHeaders
	case cache:
		more = cacheParams
	}
	own := len(names)
next:
	for _, m := range more {
		for _, name := range names[:own] {
			if name == m {
				continue next
			}
		}
		names = append(names, m)
	}
	h.headerNames = names
	maxSize, bucketSize := n.more.hashSizes()
	if set {
		c.hash(n.kind.String()+"_headers_hash", names, maxSize, bucketSize)
	} else {
		c.hash(n.kind.String()+"_params_hash", names, 512, 64)
	}
}
