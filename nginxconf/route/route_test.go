package route

import (
	"io/fs"
	"testing/fstest"
)

// mapFS is files with their texts.
type mapFS map[string]string

func (m mapFS) Open(name string) (fs.File, error) {
	files := fstest.MapFS{}
	for name, text := range m {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files.Open(name)
}
