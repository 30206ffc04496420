package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/value"
)

// readTryFiles reads try_files (nginx 1.22: ngx_http_try_files).
func readTryFiles(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if c.duplicate(b, d, f) {
		return
	}
	last := d.NumArgs()
	for i := 1; i <= last; i++ {
		name := d.Arg(i - 1)
		if strings.IndexByte(name, '$') < 0 {
			continue
		}
		if i < last {
			name = strings.TrimSuffix(name, "/")
		}
		if _, ok := c.http.variables.script(d, i, name); !ok {
			return
		}
	}
	code, ok := strings.CutPrefix(d.Arg(last-1), "=")
	if !ok {
		return
	}
	if strings.IndexByte(code, '$') >= 0 {
		code = code[:len(code)-1] // as nginx counts
	}
	if n, err := value.ParseNumber(code); err != nil || n > 999 {
		c.fail(d, last, "invalid-code", `invalid code "=%s"`, code)
	}
}

// readIndex reads index (nginx 1.22: ngx_http_index_set_index).
func readIndex(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for i := range d.NumArgs() {
		name := d.Arg(i)
		if strings.HasPrefix(name, "/") && i != d.NumArgs()-1 {
			c.warn(d, i+1, "absolute-index", `only the last index in "index" directive should be absolute`)
		}
		if name == "" {
			if !c.since(1, 28, 1) || c.version.Minor == 29 && c.version.Patch < 2 {
				name = d.Arg(0) // whichever is empty
			}
			c.fail(d, i+1, "invalid-index", `index "%s" in "index" directive is invalid`, name)
			return
		}
		if !c.http.variables.text(d, i+1) {
			return
		}
	}
}

// maxSubFilters is how many sub_filter directives a block may have.
const maxSubFilters = 255

// readSubFilter reads sub_filter (nginx 1.22: ngx_http_sub_filter).
func readSubFilter(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	h := c.http
	match := d.Arg(0)
	if match == "" {
		c.fail(d, 1, "invalid-value", "empty search pattern")
		return
	}
	if n, _ := h.subFilters.add(b, d); n >= maxSubFilters {
		c.fail(d, 0, "too-many-patterns", "number of search patterns exceeds 255")
		return
	}
	if strings.IndexByte(match, '$') >= 0 {
		if _, ok := h.variables.script(d, 1, lower(match)); !ok {
			return
		}
	}
	h.variables.text(d, 2)
}

// readMirror reads mirror (nginx 1.22: ngx_http_mirror).
func readMirror(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	off := cstring(d.Arg(0)) == "off"
	if old := b.kept("mirror"); old != nil && (off || cstring(old.Arg(0)) == "off") {
		c.refuse(d, "is duplicate")
	} else if old == nil {
		b.keep("mirror", d)
	}
}

// readImageFilter reads image_filter (nginx 1.22: ngx_http_image_filter).
func readImageFilter(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	bad := 1
	switch kind := cstring(d.Arg(0)); d.NumArgs() {
	case 1:
		if kind == "off" || kind == "test" || kind == "size" {
			return
		}
	case 2:
		if kind == "rotate" {
			bad = 2
			n, variable, ok := c.imageValue(d, 2)
			if !ok || variable || n == 90 || n == 180 || n == 270 {
				return
			}
		}
	case 3:
		if kind != "resize" && kind != "crop" {
			break
		}
		for bad = 2; bad <= 3; bad++ {
			n, variable, ok := c.imageValue(d, bad)
			if !ok {
				return
			}
			if !variable && n == 0 {
				break
			}
		}
		if bad > 3 {
			return
		}
	}
	c.fail(d, bad, "invalid-parameter", `invalid parameter "%s"`, d.Arg(bad-1))
}

// readImageValue reads image_filter_jpeg_quality, image_filter_webp_quality and
// image_filter_sharpen.
func readImageValue(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	n, variable, ok := c.imageValue(d, 1)
	if ok && !variable && (n < 0 || n == 0 && f.Name != "image_filter_sharpen") {
		c.fail(d, 1, "invalid-value", `invalid value "%s"`, d.Arg(0))
	}
}

// imageValue reads word i of d as a number, or as text with variables: a "-" is
// -1, and what is no number is 0 (nginx: ngx_http_image_filter_value).
func (c *checker) imageValue(d *nginxconf.Directive, i int) (n int64, variable, ok bool) {
	s := d.Arg(i - 1)
	if strings.IndexByte(s, '$') >= 0 {
		_, ok = c.http.variables.script(d, i, s)
		return 0, true, ok
	}
	if s == "-" {
		return -1, false, true
	}
	n, _ = value.ParseNumber(s)
	return n, false, true
}

// browsers are those that modern_browser knows, in any case.
var browsers = [...]string{"opera", "msie", "gecko", "safari", "konqueror"}

// readModernBrowser reads modern_browser (nginx 1.22: ngx_http_modern_browser).
func readModernBrowser(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	name := d.Arg(0)
	if d.NumArgs() == 1 {
		if cstring(name) != "unlisted" {
			c.refuse(d, "invalid value") // nginx stops without a word
		}
		return
	}
	if !oneOf(lower(cstring(name)), browsers[:]) {
		c.fail(d, 1, "unknown-browser", `unknown browser name "%s"`, name)
		return
	}
	version := d.Arg(1)
	for i := range len(version) {
		if k := version[i]; k != '.' && (k < '0' || k > '9') {
			c.fail(d, 2, "invalid-version", `invalid browser version "%s"`, version)
			return
		}
	}
}

// readDegradation reads degradation (nginx 1.22: ngx_http_degradation).
func readDegradation(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	v := d.Arg(0)
	size, ok := strings.CutPrefix(v, "sbrk=")
	if !ok {
		c.fail(d, 1, "invalid-parameter", `invalid parameter "%s"`, v)
		return
	}
	if _, err := value.ParseSize(size); err != nil {
		c.fail(d, 1, "invalid-parameter", `invalid sbrk size "%s"`, v)
	}
}

// readPowerOfTwo reads gzip_window and gzip_hash, which are one of seven or nine
// sizes from 512 on (nginx 1.22: ngx_http_gzip_window, ngx_http_gzip_hash).
func readPowerOfTwo(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.slot(b, d, f) {
		return
	}
	most, text := int64(32<<10), "must be 512, 1k, 2k, 4k, 8k, 16k, or 32k"
	if f.Name == "gzip_hash" {
		most, text = 128<<10, "must be 512, 1k, 2k, 4k, 8k, 16k, 32k, 64k, or 128k"
	}
	if n, _ := value.ParseSize(d.Arg(0)); n < 512 || n > most || n&(n-1) != 0 {
		c.refuse(d, text)
	}
}

// readGzipLevel reads gzip_comp_level.
func readGzipLevel(c *checker, b *block, d *nginxconf.Directive, f *bound) { c.bounded(b, d, f, 1, 9) }

// readGeoIP reads the databases of ngx_http_geoip_module.
func readGeoIP(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if !c.duplicate(b, d, f) && d.NumArgs() == 2 && cstring(d.Arg(1)) != "utf8" {
		c.fail(d, 2, "invalid-parameter", `invalid parameter "%s"`, d.Arg(1))
	}
}

// readPerl reads perl. What stands in it is Perl's affair.
func readPerl(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	if b.kept("perl") != nil {
		c.fail(d, 1, "duplicate-directive", `duplicate perl handler "%s"`, d.Arg(0))
		return
	}
	b.keep("perl", d)
}

// readPerlSet reads perl_set.
func readPerlSet(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.http.variables.dollarDefine(d, 1)
}

// readXSLTStylesheet reads xslt_stylesheet, without its file.
func readXSLTStylesheet(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	for i := 2; i <= d.NumArgs(); i++ {
		if !c.http.variables.text(d, i) {
			return
		}
	}
}

// readXSLTParam reads xslt_param and xslt_string_param.
func readXSLTParam(c *checker, b *block, d *nginxconf.Directive, f *bound) {
	c.http.variables.text(d, 2)
}
