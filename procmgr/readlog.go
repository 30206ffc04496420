package procmgr

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// ErrBadArguments: an offset and a length that do not go together
// (BAD_ARGUMENTS).
var ErrBadArguments = errors.New("bad arguments")

// readMax is how much of a log is returned at once.
const readMax = 256 << 20

// ReadLogFile returns length bytes of a file, from offset on: all that follow
// if length is 0, nothing from behind the end of the file. A negative offset,
// with length 0, asks for so many bytes at the end. The error is
// ErrBadArguments, that of the file, or that it would be more than 256 MiB. It
// is supervisor.options.readFile.
func ReadLogFile(path string, offset, length int64) ([]byte, error) {
	if length < 0 || offset < 0 && length != 0 {
		return nil, ErrBadArguments
	}
	f, size, err := openToRead(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if offset < 0 {
		length = min(size, -max(offset, -size))
		offset = size - length
		if length == 0 {
			return nil, nil
		}
	}
	return readAt(f, offset, length)
}

// openToRead opens a log, and returns its size. What is no regular file has
// nothing to read, or would give it to us instead of others; supervisord fails
// to seek in it.
func openToRead(path string) (*os.File, int64, error) {
	// Without O_NONBLOCK, a FIFO without a writer would hold us up.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.Mode().IsRegular():
		return f, info.Size(), nil
	case filepath.Clean(path) == os.DevNull:
		return f, 0, nil
	default:
		err = fmt.Errorf("procmgr: %s is no regular file", path)
	}
	f.Close()
	return nil, 0, err
}

// readAt reads length bytes, or what there is; all if length is 0.
func readAt(f *os.File, offset, length int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	rest := max(0, info.Size()-offset)
	if length == 0 {
		length = rest
	}
	if length = min(length, rest); length > readMax {
		return nil, fmt.Errorf("procmgr: %d bytes are not read at once from %s", length, f.Name())
	}
	return io.ReadAll(io.NewSectionReader(f, offset, length))
}

// TailLogFile returns the last length bytes of a file, and its size: the
// offset to ask with next time, for what has been written meanwhile. With that
// offset it returns what is new, but not more than length bytes; if there was
// more, overflow says so. A file that cannot be read is empty, at the offset
// asked for. It is supervisor.options.tailFile, which also returns what is
// before offset, if there are less than length bytes behind it.
func TailLogFile(path string, offset, length int64) (data []byte, size int64, overflow bool) {
	f, size, err := openToRead(path)
	if err != nil {
		return nil, offset, false
	}
	defer f.Close()
	const far = 1 << 61 // no sum of two overflows
	asked := offset
	offset, length = max(-far, min(offset, far)), max(-far, min(length, far))
	if size > offset+length {
		overflow = true
		offset = size - 1
	}
	if offset+length > size {
		if offset > size-1 {
			length = 0
		}
		offset = size - length
	}
	if offset, length = max(offset, 0), max(length, 0); length > 0 {
		if data, err = readAt(f, offset, length); err != nil {
			return nil, asked, false
		}
	}
	return data, size, overflow
}
