package directive

import (
	"slices"
	"strings"
)

// optional are the modules of nginx that are built only when asked for, as the
// options of its configure script spell them.
var optional = [...]string{
	"http_ssl", "http_v2", "http_v3", "http_realip", "http_addition", "http_xslt", "http_image_filter", "http_geoip",
	"http_sub", "http_dav", "http_flv", "http_mp4", "http_gunzip", "http_gzip_static", "http_auth_request",
	"http_random_index", "http_secure_link", "http_degradation", "http_slice", "http_stub_status", "http_perl",
	"mail_ssl", "stream_ssl", "stream_realip", "stream_geoip", "stream_ssl_preread", "google_perftools",
}

// Built returns a table with the modules that nginx has if it was built with
// these arguments of its configure script, on Linux. They are what "nginx -V"
// prints, and all of its output will do. Dynamic modules count as present.
//
// Modules that do not come with nginx stay: the arguments do not tell their
// names. Single directives that depend on another module, such as
// proxy_ssl_verify on http_ssl, stay with their module.
func (t *Table) Built(arguments string) *Table {
	given := make(map[string]bool)
	for _, word := range strings.Fields(arguments) {
		option, value, _ := strings.Cut(word, "=")
		if value == "" || value == "dynamic" || option == "--with-pcre" || option == "--with-openssl" {
			given[option] = true
		}
	}
	addons := t.addons()
	return t.filter(func(module string) bool { return addons[module] || built(module, given) })
}

func built(module string, given map[string]bool) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(module, "ngx_"), "_module")
	switch name {
	case "kqueue", "devpoll", "eventport", "iocp":
		return false
	case "thread_pool":
		return given["--with-threads"]
	case "regex":
		return !given["--without-pcre"]
	case "openssl", "openssl_cache":
		return given["--with-http_ssl_module"] || given["--with-http_v3_module"] || given["--with-mail_ssl_module"] || given["--with-stream_ssl_module"]
	case "quic_bpf":
		return given["--with-http_v3_module"] && !given["--without-quic_bpf_module"]
	case "http_header_count": // a back-port of Debian's
		return true
	}

	area, _, _ := strings.Cut(name, "_")
	switch area {
	case "http":
		if given["--without-http"] {
			return false
		}
	case "mail", "stream":
		if !given["--with-"+area] {
			return false
		}
	}

	// The options leave "filter" out, but for that of images.
	if name != "http_image_filter" {
		name = strings.TrimSuffix(name, "_filter")
	}
	if slices.Contains(optional[:], name) {
		return given["--with-"+name+"_module"]
	}
	return !given["--without-"+name+"_module"]
}
