package validate

import (
	"slices"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// variables are those of the http or of the stream module: what is defined in
// the configuration, and what is used of what is not.
type variables struct {
	c       *checker
	area    directive.Context // directive.HTTP or directive.Stream
	defined map[string]*variable
	used    map[string]bool // names that were looked up, defined or not
	recent  [slots]string   // some of them: an array before the map, as checker.recent
	last    script          // many sites have the same, such as "https://$host$request_uri"
	unknown []use           // the first use of each name that was not defined then
	longest longName        // among those that the configuration defines

	sizes hashSizes            // of the hash of variables
	sized *nginxconf.Directive // the directive that set one of them
}

// A variable is one that the configuration defines, or that a module does and
// the configuration changes.
type variable struct {
	fixed bool // nginx: not NGX_HTTP_VAR_CHANGEABLE
}

// A longName is where the configuration defines a variable of that length.
type longName struct {
	length int
	d      *nginxconf.Directive
	word   int
}

// A use is a place where a variable is used.
type use struct {
	name string
	d    *nginxconf.Directive
	word int
}

func newVariables(c *checker, area directive.Context) variables {
	return variables{c: c, area: area, defined: map[string]*variable{}, used: map[string]bool{}}
}

// builtin are nginx's own modules that hardly any nginx lacks. Their variables
// are there; those of another module may be free to define.
var builtin = [...]string{
	"ngx_http_core_module", "ngx_http_upstream_module", "ngx_http_ssl_module", "ngx_http_v2_module",
	"ngx_http_realip_module", "ngx_http_proxy_module", "ngx_http_fastcgi_module", "ngx_http_gzip_filter_module",
	"ngx_http_ssi_filter_module", "ngx_http_browser_module", "ngx_http_userid_filter_module",
	"ngx_http_referer_module", "ngx_http_limit_conn_module", "ngx_http_limit_req_module",
	"ngx_http_stub_status_module", "ngx_http_secure_link_module", "ngx_http_slice_filter_module",
	"ngx_stream_core_module", "ngx_stream_upstream_module", "ngx_stream_ssl_module", "ngx_stream_realip_module",
	"ngx_stream_limit_conn_module", "ngx_stream_ssl_preread_module",
}

// known returns the variable of a module, of that name in lower case, that a
// directive would define anew, or nil.
func (v *variables) known(name string) *variable {
	k, ok := v.c.table.Variable(name)
	if !ok || k.Area&v.area == 0 || k.Prefix {
		return nil
	}
	if v.c.options.Modules == nil && !slices.Contains(builtin[:], k.Module) {
		return nil
	}
	return &variable{fixed: !k.Changeable}
}

// define adds a variable, as ngx_http_add_variable does; fixed if none may
// define it again. Word i of d names it, name is without the "$". It tells
// whether that was possible, and reports it if not.
func (v *variables) define(d *nginxconf.Directive, i int, name string, fixed bool) bool {
	if name == "" {
		v.c.fail(d, i, "invalid-variable", `invalid variable name "$"`)
		return false
	}
	key := lower(name)
	old := v.defined[key]
	if old == nil {
		if old = v.known(key); old != nil {
			v.defined[key] = old
		}
	}
	if old == nil {
		v.defined[key] = &variable{fixed: fixed}
		if len(key) > v.longest.length {
			v.longest = longName{len(key), d, i}
		}
		return true
	}
	if old.fixed {
		v.c.fail(d, i, "duplicate-variable", `the duplicate "%s" variable`, name)
		return false
	}
	return true
}

// use notes that word i of d uses a variable: once all is read, it must be
// there (nginx: ngx_http_get_variable_index). It tells whether that is a name,
// and reports it if not.
func (v *variables) use(d *nginxconf.Directive, i int, name string) bool {
	last := &v.recent[slotOf(name)]
	if *last == name && name != "" {
		return true
	}
	*last = name
	if v.used[name] {
		return true
	}
	if name == "" {
		v.c.fail(d, i, "invalid-variable", `invalid variable name "$"`)
		return false
	}
	v.used[name] = true
	key := lower(name)
	if key != name {
		if v.used[key] {
			return true
		}
		v.used[key] = true
	}
	if v.defined[key] != nil {
		return true
	}
	if known, ok := v.c.table.Variable(key); ok && known.Area&v.area != 0 {
		return true
	}
	v.unknown = append(v.unknown, use{key, d, i})
	return true
}

// finish reports the variables that are used and that nothing defines. nginx
// names no place; ours is that of the first use.
func (v *variables) finish() {
	for _, u := range v.unknown {
		if v.defined[u.name] == nil {
			v.c.fail(u.d, u.word, "unknown-variable", `unknown "%s" variable`, u.name)
		}
	}
	at, word := v.longest.d, v.longest.word
	maxSize, bucketSize := v.sizes.or(1024, cacheLine)
	if text := hashRefusal("variables_hash", hashEntry(v.longest.length), maxSize, bucketSize); text != "" {
		if at == nil {
			at, word = v.sized, 1
		}
		v.c.fail(at, word, "hash-size", "%s", text)
	}
}

// readVariablesHash reads variables_hash_max_size and
// variables_hash_bucket_size.
func readVariablesHash(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := c.variables(b)
	v.sized = d
	c.numberOnce(d, v.sizes.of(f))
}

// A script is a text that was read without complaint.
type script struct {
	text      string
	variables int
}

// script reads word i of d as text with variables in it, such as "$host$1"
// (nginx: ngx_http_script_compile; that of stream is alike). It returns how many
// variables there are, captures included, and reports what is wrong; ok is
// false then.
func (v *variables) script(d *nginxconf.Directive, i int, s string) (n int, ok bool) {
	if s == v.last.text {
		return v.last.variables, true
	}
	text := s
	for {
		at := strings.IndexByte(s, '$')
		if at < 0 {
			if n > 0 {
				v.last = script{text, n}
			}
			return n, true
		}
		s = s[at+1:]
		if s == "" {
			v.c.fail(d, i, "invalid-variable", "invalid variable name")
			return n, false
		}
		n++
		if '1' <= s[0] && s[0] <= '9' {
			s = s[1:]
			continue
		}
		bracket := s[0] == '{'
		if bracket {
			s = s[1:]
		}
		end := 0
		for end < len(s) && isVariable[s[end]] {
			end++
		}
		name := s[:end]
		switch {
		case bracket && s == "":
			v.c.fail(d, i, "invalid-variable", "invalid variable name")
			return n, false
		case bracket && (end == len(s) || s[end] != '}'):
			v.c.fail(d, i, "invalid-variable", `the closing bracket in "%s" variable is missing`, name)
			return n, false
		case name == "":
			v.c.fail(d, i, "invalid-variable", "invalid variable name")
			return n, false
		}
		if bracket {
			end++
		}
		s = s[end:]
		v.use(d, i, name)
	}
}

// isVariable holds the bytes of a variable's name.
var isVariable = func() (set [256]bool) {
	for c := range 256 {
		set[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
	}
	return set
}()

// variables returns those of the module that the block b belongs to, or nil.
func (c *checker) variables(b *block) *variables {
	switch {
	case b.context&inHTTP != 0 && c.http != nil:
		return &c.http.variables
	case b.context&inStream != 0 && c.stream != nil:
		return &c.stream.variables
	}
	return nil
}

// complex reads the arguments of a directive as texts with variables. It
// returns how many variables they have.
func (c *checker) complex(b *block, d *nginxconf.Directive) (variables int, ok bool) {
	v := c.variables(b)
	if v == nil {
		return 0, true
	}
	for i := range d.NumArgs() {
		n, ok := v.script(d, i+1, d.Arg(i))
		if !ok {
			return 0, false
		}
		variables += n
	}
	return variables, true
}
