package validate

import (
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/directive"
)

// httpModules is what the modules of this file keep of the http block. Each
// keeps what it must find again when all is read, in the order of reading, and
// nothing for a block that does not ask for it.
type httpModules struct {
	hashes      coreHashes
	types       mimeTypes
	charsets    charsets
	secureLinks []secureLink
	subFilters  perBlock[*nginxconf.Directive]
	referers    map[*block]*referers
}

// httpModuleReader knows the modules of http that are neither its core nor
// talk to another server.
func httpModuleReader(f *directive.Form) reader {
	switch f.Module {
	case "ngx_http_core_module":
		return coreHashReader(f)
	case "ngx_http_log_module":
		return logReader(f)
	case "ngx_http_limit_req_module", "ngx_http_limit_conn_module":
		return limitReader(f)
	case "ngx_http_map_module", "ngx_http_split_clients_module":
		return mapReader(f)
	case "ngx_http_referer_module":
		return refererReader(f)
	}
	if r := addonReader(f); r != nil {
		return r
	}
	switch f.Name {
	case "set":
		return readSet
	case "rewrite":
		return readRewrite
	case "return":
		return readReturn
	case "if":
		return readIf
	case "geo":
		return readGeo
	case "charset", "source_charset":
		return readCharset
	case "charset_map":
		return readCharsetMap
	case "gzip_types", "ssi_types", "charset_types", "xslt_types", "sub_filter_types", "addition_types",
		"brotli_types", "zstd_types", "subs_filter_types":
		return readMIMETypes
	case "allow", "deny":
		return readAccess
	case "set_real_ip_from":
		return readRealIPFrom
	case "real_ip_header":
		return once
	case "geoip_proxy":
		return readNetwork
	case "geoip_country", "geoip_city", "geoip_org":
		return readGeoIP
	case "auth_basic_user_file":
		return readUserFile
	case "auth_request":
		return once
	case "auth_request_set":
		return readSet
	case "add_header", "add_trailer":
		return readAddHeader
	case "expires":
		return readExpires
	case "userid_expires":
		return readUserIDExpires
	case "userid_mark":
		return readUserIDMark
	case "secure_link", "secure_link_md5", "secure_link_secret":
		return readSecureLink
	case "try_files":
		return readTryFiles
	case "index":
		return readIndex
	case "sub_filter":
		return readSubFilter
	case "mirror":
		return readMirror
	case "image_filter":
		return readImageFilter
	case "image_filter_jpeg_quality", "image_filter_webp_quality", "image_filter_sharpen":
		return readImageValue
	case "modern_browser":
		return readModernBrowser
	case "degradation":
		return readDegradation
	case "gzip_window", "gzip_hash":
		return readPowerOfTwo
	case "gzip_comp_level":
		return readGzipLevel
	case "perl":
		return readPerl
	case "perl_set":
		return readPerlSet
	case "xslt_stylesheet":
		return readXSLTStylesheet
	case "xslt_param", "xslt_string_param":
		return readXSLTParam
	case "xml_entities":
		return once
	}
	return nil
}
