package validate

import (
	"github.com/onehost-go/onehost/nginxconf/directive"
)

func coreReader(f *directive.Form) reader {
	switch f.Name {
	case "http":
		return readHTTP
	case "events":
		return readEvents
	case "include":
		return readInclude
	}
	return opens(f)
}
func httpCoreReader(f *directive.Form) reader {
	if f.Module != "ngx_http_core_module" {
		return nil
	}
	switch f.Name {
	case "server":
		return readHTTPServer
	}
	return opens(f)
}
func httpModuleReader(f *directive.Form) reader   { return nil }
func httpUpstreamReader(f *directive.Form) reader { return nil }
func streamReader(f *directive.Form) reader       { return opens(f) }
func mailReader(f *directive.Form) reader         { return opens(f) }

func opens(f *directive.Form) reader {
	switch {
	case f.Opens != 0:
		return readBlock
	case f.Block:
		return readFree
	}
	return nil
}
