package supervisorconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrChanged says that a file is no longer what was read: somebody else
// changed it meanwhile. Nothing was written then.
var ErrChanged = errors.New("the file has changed since it was read")

// Save writes the changed files back, below the directory that the file system
// of [Load] stands for; after [LoadFile], that is the root directory.
//
// Each file is replaced in one step: a new one is written beside it, flushed
// and renamed, with the mode and the owner of the old one. Of a symbolic link,
// the file it leads to is replaced. If one of the files is not what was read
// any more, nothing is written, and the error wraps [ErrChanged]. If a rename
// fails, the files before it are written and those behind it are not.
func (c *Config) Save(dir string) error {
	var pending []*replacement
	defer func() {
		for _, r := range pending {
			r.discard()
		}
	}()
	for f := range c.Changed() {
		r, err := replace(filepath.Join(dir, filepath.FromSlash(f.fsName)), f)
		if err != nil {
			return fmt.Errorf("supervisorconf: %w", err)
		}
		pending = append(pending, r)
	}
	// Once more, now that the slow part is done.
	for _, r := range pending {
		if err := r.unchanged(); err != nil {
			return fmt.Errorf("supervisorconf: %w", err)
		}
	}
	for _, r := range pending {
		if err := r.commit(); err != nil {
			return fmt.Errorf("supervisorconf: %w", err)
		}
	}
	return nil
}

// A replacement is the new text of a file, written beside it.
type replacement struct {
	file *File
	text string
	path string
	temp string // empty once renamed
}

func replace(path string, f *File) (*replacement, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	r := &replacement{file: f, text: string(f.Bytes()), path: path}
	if err := r.unchanged(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// A leading dot: "include conf.d/*" is not to find it.
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	r.temp = temp.Name()
	_, err = temp.WriteString(r.text)
	if err == nil {
		err = keepOwner(temp, info)
	}
	if err == nil {
		err = temp.Chmod(info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		r.discard()
		return nil, err
	}
	return r, nil
}

func (r *replacement) unchanged() error {
	now, err := os.ReadFile(r.path)
	if err != nil {
		return err
	}
	if string(now) != r.file.saved {
		return fmt.Errorf("%s: %w", r.path, ErrChanged)
	}
	return nil
}

func (r *replacement) commit() error {
	if err := os.Rename(r.temp, r.path); err != nil {
		return err
	}
	r.temp = ""
	r.file.saved = r.text
	return syncDir(filepath.Dir(r.path))
}

func (r *replacement) discard() {
	if r.temp != "" {
		_ = os.Remove(r.temp)
	}
}
