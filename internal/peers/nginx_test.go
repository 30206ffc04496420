package peers

import (
	"bytes"
	"errors"
	"io"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
	"github.com/onehost-go/onehost/nginxconf"
	"github.com/tufanbarisyildirim/gonginx/config"
	"github.com/tufanbarisyildirim/gonginx/dumper"
	"github.com/tufanbarisyildirim/gonginx/parser"
)

// An nginxReader is a library that reads and writes nginx configuration.
type nginxReader struct {
	name string
	// parse returns the tree.
	parse func(src []byte) (any, error)
	// load returns the tree of a file with all it includes.
	load func(name string) (any, error)
	// rewrite parses and prints, with the edit in between if there is one.
	rewrite func(src []byte, e *edit) ([]byte, error)
}

// An edit sets the argument of the first directive of a name that has one
// argument.
type edit struct{ name, value string }

// applies tells whether the text holds such a directive.
func (e *edit) applies(src []byte) bool {
	f, err := nginxconf.Parse("nginx.conf", src)
	return err == nil && e.in(f) != nil
}

func (e *edit) in(f *nginxconf.File) *nginxconf.Directive {
	for d := range f.All() {
		if d.Name() == e.name && d.NumArgs() == 1 {
			return d
		}
	}
	return nil
}

const ours = "nginxconf"

var nginxReaders = []nginxReader{
	{ours, parseOurs, loadOurs, rewriteOurs},
	{"crossplane", parseCrossplane, loadCrossplane, rewriteCrossplane},
	{"gonginx", parseGonginx, loadGonginx, rewriteGonginx},
}

func parseOurs(src []byte) (any, error) { return nginxconf.Parse("nginx.conf", src) }

func loadOurs(name string) (any, error) { return nginxconf.LoadFile(name) }

func rewriteOurs(src []byte, e *edit) ([]byte, error) {
	f, err := nginxconf.Parse("nginx.conf", src)
	if err != nil {
		return nil, err
	}
	if e != nil {
		e.in(f).SetArgs(e.value)
	}
	return f.Bytes(), nil
}

// crossplaneFile uses crossplane's default table of directives. Comments it
// keeps when asked; the others always do.
func crossplaneFile(src []byte, o crossplane.ParseOptions) (*crossplane.Payload, error) {
	o.SingleFile, o.StopParsingOnError, o.ParseComments = true, true, true
	o.Open = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src)), nil }
	p, err := crossplane.Parse("nginx.conf", &o)
	return p, crossplaneError(p, err)
}

func crossplaneError(p *crossplane.Payload, err error) error {
	if err == nil && p.Status != "ok" {
		err = errors.New(p.Status)
	}
	return err
}

func parseCrossplane(src []byte) (any, error) {
	return crossplaneFile(src, crossplane.ParseOptions{})
}

func loadCrossplane(name string) (any, error) {
	p, err := crossplane.Parse(name, &crossplane.ParseOptions{StopParsingOnError: true, ParseComments: true})
	return p, crossplaneError(p, err)
}

func rewriteCrossplane(src []byte, e *edit) ([]byte, error) {
	// Not every text is a main file.
	p, err := crossplaneFile(src, crossplane.ParseOptions{SkipDirectiveContextCheck: true})
	if err != nil {
		return nil, err
	}
	if e != nil {
		setCrossplane(p.Config[0].Parsed, e)
	}
	var out bytes.Buffer
	err = crossplane.Build(&out, p.Config[0], &crossplane.BuildOptions{Indent: 4})
	return out.Bytes(), err
}

func setCrossplane(ds crossplane.Directives, e *edit) bool {
	for _, d := range ds {
		if d.Directive == e.name && len(d.Args) == 1 {
			d.Args[0] = e.value
			return true
		}
		if setCrossplane(d.Block, e) {
			return true
		}
	}
	return false
}

// gonginxFile takes directives that gonginx does not know.
func gonginxFile(src []byte) (*config.Config, error) {
	return parser.NewStringParser(string(src), parser.WithSkipValidDirectivesErr()).Parse()
}

func parseGonginx(src []byte) (any, error) { return gonginxFile(src) }

func loadGonginx(name string) (any, error) {
	p, err := parser.NewParser(name, parser.WithIncludeParsing())
	if err != nil {
		return nil, err
	}
	return p.Parse()
}

func rewriteGonginx(src []byte, e *edit) ([]byte, error) {
	c, err := gonginxFile(src)
	if err != nil {
		return nil, err
	}
	if e != nil {
		setGonginx(c.Block, e)
	}
	return []byte(dumper.DumpConfig(c, dumper.IndentedStyle)), nil
}

func setGonginx(b config.IBlock, e *edit) bool {
	if b == nil {
		return false
	}
	for _, d := range b.GetDirectives() {
		if args := d.GetParameters(); d.GetName() == e.name && len(args) == 1 {
			args[0].SetValue(e.value)
			return true
		}
		if setGonginx(d.GetBlock(), e) {
			return true
		}
	}
	return false
}
