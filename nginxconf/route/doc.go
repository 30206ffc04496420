// Package route says which server, which location and which backend of an
// nginx configuration serve a request, without nginx.
//
//	c, err := nginxconf.LoadFile("/etc/nginx/nginx.conf")
//	r, err := route.New(c)
//	m, err := r.Match(route.Request{
//		Listen: netip.MustParseAddrPort("192.0.2.1:443"), TLS: true,
//		ServerName: "scout.example.se", Host: "scout.example.se", URI: "/cases",
//	})
//	m.Location          // the location block, with file and line
//	m.Answer            // what replies before access is checked: return, a redirect
//	m.Target.URI        // what the backend of proxy_pass is asked for
//
// It decides as nginx 1.22 on Linux does: server names, locations, regular
// expressions, the directives of the rewrite module, maps, error pages. It says
// in [Match.Unsure] what it does not decide: tests of files, scripts, a regular
// expression with recursion. It never guesses, and what nginx would not come to
// leaves nothing unsure.
//
// A Match ends where access is checked. [Match.Next] goes on from there once it
// was granted, to where try_files and index may lead, and [Match.Refuse] to the
// error page if it was not.
//
// A [Router] knows only what the files say and what a [Request] holds. So a
// request is taken to have a well-formed header, to keep within the limits that
// nginx may set on rates and on the size of the header, and to bring a client
// certificate where one is demanded.
package route
