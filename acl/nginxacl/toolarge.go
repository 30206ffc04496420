package nginxacl

import (
	"strconv"
	"strings"

	"github.com/onehost-go/onehost/nginxconf"
	"github.com/onehost-go/onehost/nginxconf/route"
)

// tooLarge tells of a request with a line that does not fit into one of nginx's
// buffers, and is answered before anything else is looked at (nginx 1.22:
// ngx_http_alloc_large_header_buffer).
func (j *Judge) tooLarge(q *Query, chain nginxconf.Context) *route.Answer {
	longest := len("GET  HTTP/1.1\r\n") + len(q.URI)
	line := longest
	for name, values := range q.Header {
		for _, v := range values {
			longest = max(longest, len(name)+len(": \r\n")+len(v))
		}
	}
	if longest <= 1024 {
		return nil // the smallest size that makes sense
	}
	size := 8 << 10
	var by *nginxconf.Directive
	if ds, _ := j.config.Effective(chain, "large_client_header_buffers"); len(ds) > 0 && ds[0].NumArgs() == 2 {
		by, size = ds[0], sizeOf(ds[0].Arg(1), size)
	}
	switch {
	case line > size:
		return &route.Answer{Status: 414, By: by, Reason: "a request line of " + strconv.Itoa(line) + " bytes"}
	case longest > size:
		return &route.Answer{Status: 400, By: by, Reason: "a header line of " + strconv.Itoa(longest) + " bytes"}
	}
	return nil
}

// sizeOf reads "8k", or returns what is given for what is no size.
func sizeOf(s string, otherwise int) int {
	shift := 0
	switch {
	case strings.HasSuffix(strings.ToLower(s), "k"):
		shift = 10
	case strings.HasSuffix(strings.ToLower(s), "m"):
		shift = 20
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return otherwise
	}
	return int(n) << shift
}
