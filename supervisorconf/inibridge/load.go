package inibridge

import (
	"bytes"
	"io/fs"
	"path"
	"time"

	"github.com/onehost-go/onehost/supervisorconf"
	"gopkg.in/ini.v1"
)

// ToConfig returns what supervisord would make of f if it were the file name of
// fsys, see [supervisorconf.Load]. A nil fsys holds nothing else: there is
// nothing to include then, and no directory exists unless o.IsDir says so.
// Positions are those in the text that [AppendText] writes.
func ToConfig(fsys fs.FS, name string, f *ini.File, o *supervisorconf.LoadOptions) (*supervisorconf.Config, error) {
	text, err := AppendText(nil, f)
	if err != nil {
		return nil, err
	}
	return supervisorconf.Load(&overlay{fsys, name, text}, name, o)
}

// An overlay is a file system in which one file says something else.
type overlay struct {
	fs   fs.FS
	name string
	text []byte
}

func (l *overlay) below(op, name string) (fs.FS, error) {
	if l.fs == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return l.fs, nil
}

func (l *overlay) Open(name string) (fs.File, error) {
	if name == l.name {
		return &file{*bytes.NewReader(l.text), l.info()}, nil
	}
	below, err := l.below("open", name)
	if err != nil {
		return nil, err
	}
	return below.Open(name)
}

func (l *overlay) Stat(name string) (fs.FileInfo, error) {
	if name == l.name {
		return l.info(), nil
	}
	below, err := l.below("stat", name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(below, name)
}

func (l *overlay) Lstat(name string) (fs.FileInfo, error) {
	if name == l.name {
		return l.info(), nil
	}
	below, err := l.below("lstat", name)
	if err != nil {
		return nil, err
	}
	return fs.Lstat(below, name)
}

func (l *overlay) ReadLink(name string) (string, error) {
	below, err := l.below("readlink", name)
	if err != nil {
		return "", err
	}
	return fs.ReadLink(below, name)
}

func (l *overlay) info() fs.FileInfo { return info{path.Base(l.name), int64(len(l.text))} }

// A file is the one that says something else.
type file struct {
	bytes.Reader
	info fs.FileInfo
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

type info struct {
	name string
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return 0o600 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }
