package procmgr

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
)

// A stateFile remembers the children, for the Run that comes after a manager
// that was killed. Each process has a line, which is overwritten in place: the
// line is in the system's memory once write(2) has returned, and that outlives
// us. What does not outlive the system need not, so nothing is synced; the
// first line tells the boot. A line that was torn names no process that there
// is, since pid and start must belong together.
//
// It is locked as long as it is open: two managers would take each other's
// children for their own.
type stateFile struct {
	mu     sync.Mutex
	file   *os.File
	end    int64
	places map[string]int64 // by process, of its line
}

// A childRecord is a line.
type childRecord struct {
	pid   int
	start uint64    // procStat.start
	pipes [2]uint64 // inode numbers, by Channel; 0: not a pipe of ours
}

const stateTitle = "children of a procmgr.Manager, boot "

// openStateFile opens or makes the file. It returns the children that it
// remembers of this boot, and how many of its lines make no sense.
func openStateFile(path string) (s *stateFile, found map[string]childRecord, odd int, err error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, nil, 0, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, 0, err
	}
	defer func() {
		if err != nil {
			file.Close()
			err = fmt.Errorf("procmgr: state file %s: %w", path, err)
		}
	}()
	// Whoever may write to it may have us kill what he likes.
	info, err := file.Stat()
	if err != nil {
		return nil, nil, 0, err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.Mode().IsRegular() || int(owner) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return nil, nil, 0, errors.New("it must be a regular file that we own and nobody else can write to")
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
		return nil, nil, 0, errors.New("another manager uses it")
	} else if err != nil {
		return nil, nil, 0, os.NewSyscallError("flock", err)
	}
	start := make([]byte, min(int64(len(stateTitle)), info.Size()))
	if _, err := file.ReadAt(start, 0); err != nil {
		return nil, nil, 0, err
	}
	if info.Size() > 0 && string(start) != stateTitle {
		return nil, nil, 0, errors.New("it is something else")
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, 0, err
	}
	s = &stateFile{file: file, places: map[string]int64{}}
	title := stateTitle + string(boot)
	found, odd = s.parse(title, string(data))
	if len(found) == 0 {
		s.places, s.end = map[string]int64{}, int64(len(title))
		if err := file.Truncate(0); err != nil {
			return nil, nil, 0, err
		}
		if _, err := file.WriteAt([]byte(title), 0); err != nil {
			return nil, nil, 0, err
		}
	}
	return s, found, odd, nil
}

func (s *stateFile) parse(title, data string) (found map[string]childRecord, odd int) {
	lines, ok := strings.CutPrefix(data, title)
	if !ok {
		return nil, 0 // of another boot: those children are no more
	}
	found = map[string]childRecord{}
	s.end = int64(len(title))
	for line := range strings.Lines(lines) {
		numbers, name := line[:min(len(line), numbersWidth)], strings.TrimSuffix(line[min(len(line), numbersWidth):], "\n")
		var r childRecord
		_, err := fmt.Sscan(numbers, &r.pid, &r.start, &r.pipes[0], &r.pipes[1])
		switch {
		case err != nil || r.line(name) != line || name == "" || r.pid < 0:
			odd++
			if !strings.HasSuffix(line, "\n") {
				return found, odd // it is overwritten
			}
		case r.pid > 0:
			found[name] = r
			fallthrough
		default:
			s.places[name] = s.end
		}
		s.end += int64(len(line))
	}
	return found, odd
}

const numbersWidth = 10 + 3*21 + 1

// line is always of the same length for the same name.
func (r childRecord) line(name string) string {
	return fmt.Sprintf("%10d %20d %20d %20d %s\n", r.pid, r.start, r.pipes[0], r.pipes[1], name)
}

// set remembers the child of a process; the zero record is none.
func (s *stateFile) set(name string, r childRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := r.line(name)
	at, ok := s.places[name]
	if !ok {
		at = s.end
	}
	n, err := s.file.WriteAt([]byte(line), at)
	if !ok && n > 0 { // a part of it keeps its place, too
		s.places[name] = at
		s.end += int64(len(line))
	}
	return err
}

func (s *stateFile) close() {
	// To close it is not enough: a child that is being made has it, too, until
	// it executes its program.
	syscall.Flock(int(s.file.Fd()), syscall.LOCK_UN)
	s.file.Close()
}
