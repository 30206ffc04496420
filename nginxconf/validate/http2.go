package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// http2Reader knows the directives of ngx_http_v2_module.
func http2Reader(f *directive.Form) reader {
	switch f.Name {
	case "http2_recv_buffer_size":
		return readReceiveBuffer
	case "http2_pool_size":
		return readPoolSize
	case "http2_body_preread_size":
		return readPrereadSize
	case "http2_streams_index_size":
		return readStreamsIndex
	case "http2_chunk_size":
		return readChunkSize
	case "http2_push":
		if f.Since.IsZero() {
			return readPush
		}
		return obsolete("")
	case "http2_push_preload":
		if !f.Since.IsZero() {
			return obsolete("")
		}
	}
	if strings.HasPrefix(f.Name, "spdy_") {
		return readSPDY
	}
	if f.Type == directive.Custom {
		return obsolete(obsoleteHTTP2[f.Name])
	}
	return nil
}

// obsoleteHTTP2 says what takes the place of directives that do nothing any
// more.
var obsoleteHTTP2 = map[string]string{
	"http2_max_requests":    "keepalive_requests",
	"http2_max_field_size":  "large_client_header_buffers",
	"http2_max_header_size": "large_client_header_buffers",
	"http2_recv_timeout":    "client_header_timeout",
	"http2_idle_timeout":    "keepalive_timeout",
}

func obsolete(instead string) reader {
	return func(c *checker, b *block, d *nginxconf.Directive, f *bound) {
		if instead == "" {
			c.warn(d, 0, "obsolete-directive", `the "%s" directive is obsolete, ignored`, d.Name())
		} else {
			c.warn(d, 0, "obsolete-directive", `the "%s" directive is obsolete, use the "%s" directive instead`, d.Name(), instead)
		}
	}
}

// readSPDY reads the directives of a module that was gone before nginx 1.18.
func readSPDY(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.warn(d, 0, "obsolete-directive", `invalid directive "%s": ngx_http_spdy_module was superseded by ngx_http_v2_module`, d.Name())
}

// sized reads a size and returns it.
func (c *checker) sized(b *block, d *nginxconf.Directive, f *bound) (int64, bool) {
	if !c.slot(b, d, f) {
		return 0, false
	}
	size, err := value.ParseSize(d.Arg(0))
	return size, err == nil
}

func readReceiveBuffer(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	least := int64(2 * 16) // NGX_HTTP_V2_STATE_BUFFER_SIZE
	if c.since(1, 25, 3) {
		least = 16
	}
	if size, ok := c.sized(b, d, f); ok && size <= least {
		c.refuse(d, "value is too small")
	}
}

func readPrereadSize(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	const most = 1<<31 - 1 // NGX_HTTP_V2_MAX_WINDOW
	if size, ok := c.sized(b, d, f); ok && size > most {
		c.fail(d, 1, "invalid-value", "the maximum body preread buffer size is %d", most)
	}
}

func readStreamsIndex(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.slot(b, d, f) {
		return
	}
	if n, err := value.ParseNumber(d.Arg(0)); err == nil && (n == 0 || n&(n-1) != 0) {
		c.refuse(d, "must be a power of two")
	}
}

func readChunkSize(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if size, ok := c.sized(b, d, f); ok && size == 0 {
		c.fail(d, 1, "invalid-value", "the http2 chunk size cannot be zero")
	}
}

// readPush reads http2_push (nginx 1.22: ngx_http_v2_push).
func readPush(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	const without = "http2_push off"
	pushes, none := b.kept("http2_push") != nil, b.kept(without) != nil
	switch {
	case cstring(d.Arg(0)) == "off" && pushes:
		c.refuse(d, `"off" parameter cannot be used with URI`)
	case cstring(d.Arg(0)) == "off" && none:
		c.refuse(d, "is duplicate")
	case cstring(d.Arg(0)) == "off":
		b.keep(without, d)
	case none:
		c.refuse(d, `URI cannot be used with "off" parameter`)
	default:
		if !pushes {
			b.keep("http2_push", d)
		}
		c.http.variables.script(d, 1, d.Arg(0))
	}
}

// http3Reader knows the directives of ngx_http_v3_module.
func http3Reader(f *directive.Form) reader {
	if f.Name == "quic_host_key" {
		return readHostKey
	}
	return nil
}

// readHostKey reads quic_host_key (nginx 1.25: ngx_http_quic_host_key).
func readHostKey(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) || c.options.Files == nil {
		return
	}
	name := cstring(d.Arg(0))
	text, err := c.hostFile(name)
	number, reason := openError(err)
	switch {
	case number != "":
		c.fail(d, 1, "missing-file", `open() "%s" failed (%s: %s)`, c.confName(name), number, reason)
	case err == nil && len(text) == 0:
		c.fail(d, 1, "invalid-file", `"%s" zero key size`, c.confName(name))
	}
}
