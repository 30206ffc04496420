package nginxconf

import (
	"io"
	"io/fs"
	"iter"
	"slices"
)

// A Config is a file with all it includes. A file that is included twice is
// one *File that stands in two contexts, so the context belongs to the walk,
// not to the file.
type Config struct {
	// Root is the main file.
	Root *File
	// Prefix is what paths other than those of includes are relative to: what
	// LoadOptions gave, else the directory of the main file. It is absolute.
	Prefix string
	// Fragment tells that Root is not a main file but a part of one, to stand
	// in a context that is not known: what [File.Config] returns. Load reads
	// main files; set it on the Config of a file such as conf.d/site.conf.
	Fragment bool

	fsys     fs.FS
	files    []*File
	dumped   []dumped
	includes map[*Directive][]*File
	diags    Diagnostics
}

// A dumped is a file by a name that nginx -T gives it. Two names of one file
// are two files to nginx.
type dumped struct {
	path string
	file *File
}

// Dump writes what nginx -T writes: all files in the order in which nginx
// first reads them, each below a comment with its absolute path.
func (c *Config) Dump(w io.Writer) error {
	for _, d := range c.dumped {
		text := append([]byte("# configuration file "+d.path+":\n"), d.file.Bytes()...)
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// A Context is the blocks around a directive, outermost first. It is empty in
// the main context. It is not modified after it was yielded.
type Context []*Directive

// Config returns a configuration of this file alone, for what works on one: a
// fragment to be linted, a file from memory. Its includes are not followed; its
// Diagnostics are those of Parse.
func (f *File) Config() *Config {
	return &Config{
		Root: f, Prefix: "/", Fragment: true,
		files: []*File{f}, dumped: []dumped{{"/" + f.Name, f}}, diags: f.diags,
	}
}

// FS returns the host's root directory as Load was given it, for what else the
// configuration names: password files, certificates. It is that of this host
// after LoadFile, and nil if the Config is of a file from memory.
func (c *Config) FS() fs.FS { return c.fsys }

// Files ranges over the files, in the order in which nginx first reads them.
func (c *Config) Files() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for _, f := range c.files {
			if !yield(f) {
				return
			}
		}
	}
}

// File returns the file of that name, or nil.
func (c *Config) File(name string) *File {
	for _, f := range c.files {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Diagnostics returns what is wrong with the syntax of the files and with
// their includes, in the order in which nginx would come to it.
func (c *Config) Diagnostics() Diagnostics { return c.diags }

// Included ranges over the files that an include directive names, in nginx's
// order.
func (c *Config) Included(d *Directive) iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for _, f := range c.includes[d] {
			if !yield(f) {
				return
			}
		}
	}
}

// Changed ranges over the files whose text is another than what was read, or
// saved since.
func (c *Config) Changed() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for _, f := range c.files {
			if f.Changed() && !yield(f) {
				return
			}
		}
	}
}

// All ranges over all directives with the blocks around them, depth first: an
// include directive itself, then in its place what it includes. Of blocks in
// one another, only the first 12,000 are entered; Load reports deeper ones.
func (c *Config) All() iter.Seq2[*Directive, Context] {
	return func(yield func(*Directive, Context) bool) {
		var walk func(b *Body, ctx Context) bool
		walk = func(b *Body, ctx Context) bool {
			for d := range c.expand(b) {
				if !yield(d, ctx) {
					return false
				}
				if d.body != nil && d.body.Len() > 0 && len(ctx) < maxDepth {
					// Clipped: who appends to a context gets a copy.
					if !walk(d.body, slices.Clip(append(ctx, d))) {
						return false
					}
				}
			}
			return true
		}
		walk(&c.Root.Body, nil)
	}
}

// In ranges over the directives of the innermost block of a chain, or of the
// main context if the chain is empty, with includes expanded as in
// [Config.All].
func (c *Config) In(chain Context) iter.Seq[*Directive] {
	if len(chain) == 0 {
		return c.expand(&c.Root.Body)
	}
	return c.within(chain[len(chain)-1])
}

func (c *Config) within(d *Directive) iter.Seq[*Directive] {
	if d.body == nil {
		return func(func(*Directive) bool) {}
	}
	return c.expand(d.body)
}

// Find is [Body.Find] with includes expanded: a step finds a directive whether
// it stands in a block itself or in a file included there.
func (c *Config) Find(path ...string) iter.Seq[*Directive] {
	return find(path, c.In(nil), c.within)
}

// Query is [Body.Query] with includes expanded.
func (c *Config) Query(path string) iter.Seq[*Directive] { return c.Find(splitPath(path)...) }

// expand ranges over the directives of a body and of the files included there.
func (c *Config) expand(b *Body) iter.Seq[*Directive] {
	return func(yield func(*Directive) bool) { c.expandTo(b, yield) }
}

func (c *Config) expandTo(b *Body, yield func(*Directive) bool) bool {
	for d := range b.Directives() {
		if !yield(d) {
			return false
		}
		for _, f := range c.includes[d] {
			if !c.expandTo(&f.Body, yield) {
				return false
			}
		}
	}
	return true
}

// Effective returns the directives of the given names that are in force in the
// innermost block of chain, and the chain of the block that they stand in: the
// nearest one that has any. That is nginx's rule for lists and for single
// values: a block with one of them inherits none.
func (c *Config) Effective(chain Context, names ...string) ([]*Directive, Context) {
	for n := len(chain); n >= 0; n-- {
		var found []*Directive
		for d := range c.In(chain[:n]) {
			if slices.Contains(names, d.Name()) {
				found = append(found, d)
			}
		}
		if len(found) > 0 {
			return found, chain[:n:n]
		}
	}
	return nil, nil
}
