package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// mergeBackend hands down what the blocks say of a backend, and looks at what
// comes of it, as nginx does at the end of the http block (nginx 1.22:
// ngx_http_proxy_merge_loc_conf and its kin). Blocks that say nothing are as
// the block around them, which was looked at; only a server that says nothing
// may be the first to have what the http block says.
func (c *checker) mergeBackend(h *httpMain, kind backend) {
	root := h.backends[kind]
	if root == nil || kind == tunnelBackend || kind == memcachedBackend {
		return
	}
	c.late = h.block.d
	var silent *backendConf
	for _, s := range h.servers {
		n := s.block.backend(kind)
		if n != nil {
			c.mergeBackends(root, n)
		} else if silent == nil {
			silent = &backendConf{kind: kind, block: s.block}
			c.merge(root, silent, true)
		}
	}
	c.late = nil
}

func (c *checker) mergeBackends(up, n *backendConf) {
	c.merge(up, n, up == c.http.backends[n.kind])
	for _, inner := range n.children {
		c.mergeBackends(n, inner)
	}
}

// merge makes n complete with what up says, which is complete itself unless it
// is of the http block: then top is true.
func (c *checker) merge(up, n *backendConf, top bool) {
	if n.store == on {
		n.cache = off
	}
	if n.cache == on {
		n.store = off
	}
	n.store = n.store.or(up.store)
	if n.kind != grpcBackend {
		c.mergeSizes(up, n, top)
		c.mergeCache(up, n, top)
	}
	c.mergeTLS(up, n)
	n.hashSize = either(n.hashSize, up.hashSize)
	n.bucketSize = either(n.bucketSize, up.bucketSize)
	c.mergeHidden(up, n)
	c.mergeBody(up, n)
	c.mergeHeaders(up, n)
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

func (c *checker) mergeSizes(up, n *backendConf, top bool) {
	own := n.buffers != nil || n.bufferSize != nil || n.busySize != nil || n.tempSize != nil || n.writeSize != nil
	n.buffers = either(n.buffers, up.buffers)
	n.bufferSize = either(n.bufferSize, up.bufferSize)
	n.busySize = either(n.busySize, up.busySize)
	n.tempSize = either(n.tempSize, up.tempSize)
	n.writeSize = either(n.writeSize, up.writeSize)
	if own || top {
		c.bufferSizes(n)
	}
}

// bufferSizes compares the sizes of buffers and temporary files. nginx counts
// in 64 bits, without a sign.
func (c *checker) bufferSizes(n *backendConf) {
	num, each := uint64(8), uint64(pageSize)
	if d := n.buffers; d != nil {
		i, _ := value.ParseNumber(d.Arg(0))
		size, _ := value.ParseSize(d.Arg(1))
		num, each = uint64(i), uint64(size)
	}
	size := max(sizeOf(n.bufferSize, pageSize), each)
	busy := sizeOf(n.busySize, 2*size)
	write := sizeOf(n.writeSize, 2*size)
	temp := sizeOf(n.tempSize, 1<<30)
	const code = "buffer-size"
	k := n.kind.String()
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

func (c *checker) mergeCache(up, n *backendConf, top bool) {
	own := n.cache != unset || top
	if n.cache == unset {
		n.cache, n.cacheZone = up.cache, up.cacheZone
	}
	n.hasKey = n.hasKey || up.hasKey
	if z := n.cacheZone; own && z != nil && !z.init {
		c.failLate("unknown-zone", `"%s_cache" zone "%s" is unknown`, n.kind, z.name)
	}
	if n.cache == on && !n.hasKey && n.kind != proxyBackend {
		c.warnLate("missing-cache-key", `no "%s_cache_key" for "%s_cache"`, n.kind, n.kind)
	}
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
func (n *backendConf) hashSizes() (maxSize, bucketSize uint64) {
	maxSize, bucketSize = 512, 64
	if d := n.hashSize; d != nil {
		i, _ := value.ParseNumber(d.Arg(0))
		maxSize = uint64(i)
	}
	if d := n.bucketSize; d != nil {
		i, _ := value.ParseNumber(d.Arg(0))
		bucketSize = (uint64(i) + cacheLine - 1) &^ (cacheLine - 1)
	}
	return maxSize, bucketSize
}

// mergeHidden looks at the names of the headers that clients do not see
// (nginx 1.22: ngx_http_upstream_hide_headers_hash).
func (c *checker) mergeHidden(up, n *backendConf) {
	if n.hide == nil && n.show == nil {
		n.hide, n.show, n.hideDone = up.hide, up.show, up.hideDone
		if n.hideDone {
			return
		}
	} else {
		if n.hide == nil {
			n.hide = up.hide
		}
		if n.show == nil {
			n.show = up.show
		}
	}
	n.hideDone = true
	if n.hide == up.hide && n.show == up.show {
		up.hideDone = true
	}
	if n.hide == nil && n.show == nil && n.hashSize == nil && n.bucketSize == nil {
		return
	}
	names := make([]string, 0, 16)
	names = append(names, hiddenHeaders[n.kind]...)
	at := len(names)
	for l := n.hide; l != nil; l = l.next {
		names = append(names, cstring(l.d.Arg(0)))
	}
	hide := make([]hashed, 0, len(names))
next:
	for i, name := range names {
		for _, other := range names[:min(i, at)] {
			if strings.EqualFold(name, other) {
				continue next
			}
		}
		for l := n.show; l != nil; l = l.next {
			if strings.EqualFold(name, cstring(l.d.Arg(0))) {
				continue next
			}
		}
		hide = append(hide, hashedName(name))
	}
	table := n.kind.String() + "_headers_hash"
	if n.kind != proxyBackend && n.kind != grpcBackend {
		table = n.kind.String() + "_hide_headers_hash"
	}
	maxSize, bucketSize := n.hashSizes()
	c.hash(table, hide, maxSize, bucketSize)
}

// mergeBody reads the text of proxy_set_body.
func (c *checker) mergeBody(up, n *backendConf) {
	if n.body == nil {
		n.body, n.bodyDone = up.body, up.bodyDone
	}
	if n.body != nil && !n.bodyDone {
		c.http.variables.script(n.body, 1, n.body.Arg(0))
		n.bodyDone, up.bodyDone = true, up.bodyDone || up.body == n.body
	}
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
	if n.cache == on && !n.cacheHeadersDone {
		c.headers(n, true)
		n.cacheHeadersDone = true
	}
	if inherits && !up.headersDone {
		up.headersDone, up.cacheHeadersDone = n.headersDone, n.cacheHeadersDone
	}
}

func (c *checker) headers(n *backendConf, cache bool) {
	set := n.kind == proxyBackend || n.kind == grpcBackend
	if n.headers == nil && !cache && n.hashSize == nil && n.bucketSize == nil {
		return // nginx's own fit
	}
	h := c.http
	ds := h.headerList[:0]
	for l := n.headers; l != nil; l = l.next {
		ds = append(ds, l.d)
	}
	names := h.headerNames[:0]
	ok := true
	for i := len(ds) - 1; i >= 0 && ok; i-- {
		d := ds[i]
		name, v := d.Arg(0), d.Arg(1)
		if !set {
			name, cut := strings.CutPrefix(name, "HTTP_")
			if cut = cut && name != ""; cut {
				names = append(names, hashedName(name))
			}
			if cut && v == "" {
				continue
			}
		} else {
			names = append(names, hashedName(name))
			if v == "" {
				continue
			}
		}
		_, ok = h.variables.script(d, 2, v)
	}
	h.headerList, h.headerNames = ds, names
	if !ok {
		return
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
	maxSize, bucketSize := n.hashSizes()
	if set {
		c.hash(n.kind.String()+"_headers_hash", names, maxSize, bucketSize)
	} else {
		c.hash(n.kind.String()+"_params_hash", names, 512, 64)
	}
}
