package directive

import "slices"

// A Replacement says what to write instead of a directive, or of a parameter of
// one, that newer releases warn of or no longer know.
type Replacement struct {
	Name      string  `json:"name"`                // the directive
	Parameter string  `json:"parameter,omitempty"` // the argument that it is about; empty: the directive itself
	Contexts  Context `json:"contexts"`            // where
	Instead   string  `json:"instead,omitempty"`   // what to write, with "…" for what stays; empty: nothing takes its place

	// Since is the first release that has what to write instead, Gone the first
	// one that refuses the old way. Zero: all known ones have it, none refuses.
	Since Version `json:"since,omitzero"`
	Gone  Version `json:"gone,omitzero"`
}

// Due tells whether release v has what to write instead. The zero Version is
// the newest.
func (r *Replacement) Due(v Version) bool { return v.IsZero() || v.Compare(r.Since) >= 0 }

// Replacements returns what is known of a directive: nil in the usual case that
// it is as good as ever. Directives that older releases had, before the oldest
// one known here, are among them.
func Replacements(name string) []Replacement {
	var found []Replacement
	for _, r := range replacements {
		if r.Name == name {
			found = append(found, r)
		}
	}
	return slices.Clip(found)
}

// The zero Since of what is older than the table, and the versions of Gone
// before it, are from nginx's list of changes.
var replacements = [...]Replacement{
	{Name: "listen", Parameter: "http2", Contexts: HTTPServer, Instead: "http2 on;", Since: Version{1, 25, 1}},
	{Name: "ssl", Contexts: HTTP | HTTPServer | Mail | MailServer, Instead: "listen … ssl;", Gone: Version{1, 25, 1}},

	{Name: "http2_push", Contexts: HTTP | HTTPServer | HTTPLocation, Since: Version{1, 25, 1}},
	{Name: "http2_push_preload", Contexts: HTTP | HTTPServer | HTTPLocation, Since: Version{1, 25, 1}},
	{Name: "http2_max_concurrent_pushes", Contexts: HTTP | HTTPServer, Since: Version{1, 25, 1}},
	{Name: "http2_recv_timeout", Contexts: HTTP | HTTPServer, Instead: "client_header_timeout …;", Since: Version{1, 19, 7}},
	{Name: "http2_idle_timeout", Contexts: HTTP | HTTPServer, Instead: "keepalive_timeout …;", Since: Version{1, 19, 7}},
	{Name: "http2_max_requests", Contexts: HTTP | HTTPServer, Instead: "keepalive_requests …;", Since: Version{1, 19, 7}},
	{Name: "http2_max_field_size", Contexts: HTTP | HTTPServer, Instead: "large_client_header_buffers …;", Since: Version{1, 19, 7}},
	{Name: "http2_max_header_size", Contexts: HTTP | HTTPServer, Instead: "large_client_header_buffers …;", Since: Version{1, 19, 7}},

	{Name: "proxy_downstream_buffer", Contexts: Stream | StreamServer, Instead: "proxy_buffer_size …;"},
	{Name: "proxy_upstream_buffer", Contexts: Stream | StreamServer, Instead: "proxy_buffer_size …;"},

	{Name: "spdy_recv_buffer_size", Contexts: HTTP, Instead: "http2_recv_buffer_size …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_pool_size", Contexts: HTTP | HTTPServer, Instead: "http2_pool_size …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_max_concurrent_streams", Contexts: HTTP | HTTPServer, Instead: "http2_max_concurrent_streams …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_streams_index_size", Contexts: HTTP | HTTPServer, Instead: "http2_streams_index_size …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_recv_timeout", Contexts: HTTP | HTTPServer, Instead: "client_header_timeout …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_keepalive_timeout", Contexts: HTTP | HTTPServer, Instead: "keepalive_timeout …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_chunk_size", Contexts: HTTP | HTTPServer | HTTPLocation, Instead: "http2_chunk_size …;", Gone: Version{1, 19, 7}},
	{Name: "spdy_headers_comp", Contexts: HTTP | HTTPServer, Gone: Version{1, 19, 7}},

	{Name: "limit_zone", Contexts: HTTP, Instead: "limit_conn_zone … zone=…;", Gone: Version{1, 7, 6}},

	{Name: "js_include", Contexts: HTTP | Stream, Instead: "js_import …;"},
	{Name: "init_by_lua", Contexts: HTTP | Stream, Instead: "init_by_lua_block { … }"},
	{Name: "init_worker_by_lua", Contexts: HTTP | Stream, Instead: "init_worker_by_lua_block { … }"},
	{Name: "set_by_lua", Contexts: HTTPServer | HTTPLocation | HTTPServerIf | HTTPLocationIf, Instead: "set_by_lua_block … { … }"},
	{Name: "rewrite_by_lua", Contexts: HTTP | HTTPServer | HTTPLocation | HTTPLocationIf, Instead: "rewrite_by_lua_block { … }"},
	{Name: "access_by_lua", Contexts: HTTP | HTTPServer | HTTPLocation | HTTPLocationIf, Instead: "access_by_lua_block { … }"},
	{Name: "content_by_lua", Contexts: HTTPLocation | HTTPLocationIf | StreamServer, Instead: "content_by_lua_block { … }"},
	{Name: "header_filter_by_lua", Contexts: HTTP | HTTPServer | HTTPLocation | HTTPLocationIf, Instead: "header_filter_by_lua_block { … }"},
	{Name: "body_filter_by_lua", Contexts: HTTP | HTTPServer | HTTPLocation | HTTPLocationIf, Instead: "body_filter_by_lua_block { … }"},
	{Name: "log_by_lua", Contexts: HTTP | HTTPServer | HTTPLocation | HTTPLocationIf, Instead: "log_by_lua_block { … }"},
}
