package validate

import "github.com/onehost-go/onehost/nginxconf"

// A headerList is a list of *_set_header or *_param, by its last directive.
// Lists of the same names and values are one, whatever blocks they stand in, so
// that what holds of one need not be looked at again: most sites set the same.
type headerList struct {
	d           *nginxconf.Directive
	name, value string
	before      *headerList

	longer *headerList // a list with one more, the latest
	beside *headerList // another one with the same before

	looked, cacheLooked bool // with nginx's own sizes of tables: see checker.headers
}

// maxBeside is how many lists a new one is compared with. Values that differ
// from site to site would make it many.
const maxBeside = 16

// addHeader adds a directive to the list of n.
func (c *checker) addHeader(n *backendConf, d *nginxconf.Directive) {
	before := n.headers
	if before == nil {
		before = &c.http.noHeaders[n.kind]
	}
	name, value := d.Arg(0), d.Arg(1)
	l := before.longer
	for i := 0; l != nil && (l.name != name || l.value != value); i++ {
		if l = l.beside; i == maxBeside {
			l = nil
		}
	}
	if l == nil {
		l = &headerList{d: d, name: name, value: value, before: before, beside: before.longer}
		before.longer = l
	}
	n.headers = l
}

// inOrder returns the directives of a list, the first first.
func (l *headerList) inOrder() []*headerList {
	n := 0
	for at := l; at != nil && at.d != nil; at = at.before {
		n++
	}
	list := make([]*headerList, n)
	for ; n > 0; n-- {
		list[n-1] = l
		l = l.before
	}
	return list
}
