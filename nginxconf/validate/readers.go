package validate

import (
	"strings"

	"github.com/onehost-go/onehost/nginxconf/directive"
)

// readerOf returns the code for a form, or nil if its table entry says it all.
func readerOf(f *directive.Form) reader {
	if r := moduleReader(f); r != nil {
		return r
	}
	switch { // of a module that nobody here knows
	case f.Opens != 0:
		return readBlock
	case f.Block:
		return readFree
	}
	return nil
}

// moduleReader asks those who know modules: each is in the file of its modules.
func moduleReader(f *directive.Form) reader {
	switch {
	case f.Contexts == directive.Main: // a block of a core module, "http" too
		return coreReader(f)
	case strings.HasPrefix(f.Module, "ngx_stream_"):
		return streamReader(f)
	case strings.HasPrefix(f.Module, "ngx_mail_"):
		return mailReader(f)
	case !strings.HasPrefix(f.Module, "ngx_http_"):
		return coreReader(f)
	}
	for _, of := range [...]func(*directive.Form) reader{httpCoreReader, httpModuleReader, httpUpstreamReader} {
		if r := of(f); r != nil {
			return r
		}
	}
	return nil
}
