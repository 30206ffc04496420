//go:build unix

package procmgr

import (
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// command returns the file to execute, and its arguments.
func (p *process) command() (file string, argv []string, err error) {
	if argv, err = p.prog.words(); err != nil {
		return "", nil, err
	}
	file, err = lookup(argv[0], p.searchPath())
	return file, argv, err
}

// searchPath is supervisor.options, ProcessConfig.get_path.
func (p *process) searchPath() []string {
	if path, ok := p.prog.Environment["PATH"]; ok {
		return strings.Split(path, ":")
	}
	for _, kv := range slices.Backward(p.mgr.environ) {
		if path, ok := strings.CutPrefix(kv, "PATH="); ok && path != "" {
			return strings.Split(path, ":")
		}
	}
	return []string{"/bin", "/usr/bin", "/usr/local/bin"}
}

func mayExecute(file string) bool {
	const xOK = 1
	return syscall.Access(file, xOK) == nil
}

// lookup finds the file to execute: supervisor.options, check_execv_args. In a
// PATH the first entry that exists counts, even if it cannot be executed, and
// an empty element is the current directory. path is the value of PATH.
func lookup(name string, path []string) (string, error) {
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = nil
		for _, dir := range path {
			if dir != "" && !strings.HasSuffix(dir, "/") {
				dir += "/"
			}
			candidates = append(candidates, dir+name)
		}
	}
	var info fs.FileInfo
	var err error = fs.ErrNotExist
	file := name
	for _, candidate := range candidates {
		if info, err = os.Stat(candidate); err == nil {
			file = candidate
			break
		}
	}
	switch {
	case err != nil:
		return "", &commandError{ErrNoFile, "can't find command " + pyRepr(file)}
	case info.IsDir():
		return "", &commandError{ErrNotExecutable, "command at " + pyRepr(file) + " is a directory"}
	case info.Mode().Perm()&0o111 == 0:
		return "", &commandError{ErrNotExecutable, "command at " + pyRepr(file) + " is not executable"}
	case !mayExecute(file):
		return "", &commandError{ErrNotExecutable, "no permission to run command " + pyRepr(file)}
	}
	return file, nil
}

// environ returns the child's environment; a later value wins.
func (p *process) environ() []string {
	env := slices.Clone(p.mgr.environ)
	add := func(name, value string) {
		env = slices.DeleteFunc(env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
		env = append(env, name+"="+value)
	}
	add("SUPERVISOR_ENABLED", "1")
	if p.mgr.serverURL != "" {
		add("SUPERVISOR_SERVER_URL", p.mgr.serverURL)
	}
	add("SUPERVISOR_PROCESS_NAME", p.prog.Name)
	add("SUPERVISOR_GROUP_NAME", p.group)
	for _, name := range slices.Sorted(maps.Keys(p.prog.Environment)) {
		add(name, p.prog.Environment[name])
	}
	return env
}

// credential is supervisor.options, drop_privileges.
func credential(name string) (*syscall.Credential, error) {
	if name == "" {
		return nil, nil
	}
	var u *user.User
	if _, err := strconv.Atoi(name); err == nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, message("Can't find uid " + name)
		}
	} else if u, err = user.Lookup(name); err != nil {
		return nil, message("Can't find username " + pyRepr(name))
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	if us := os.Getuid(); us == int(uid) {
		return nil, nil // so that anybody may run a program as himself
	} else if us != 0 {
		return nil, message("Can't drop privilege as nonroot user")
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, message("Could not set groups of effective user")
	}
	groups := []uint32{uint32(gid)}
	for _, id := range ids {
		if g, err := strconv.ParseUint(id, 10, 32); err == nil && g != gid {
			groups = append(groups, uint32(g))
		}
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groups}, nil
}

// setBacklog says anew how many connections may wait.
func setBacklog(f *os.File, n int) (err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if controlErr := raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), n) }); controlErr != nil {
		return controlErr
	}
	return os.NewSyscallError("listen", err)
}

// openOwnSocket opens /dev/stdout and /dev/stderr where they are sockets, as
// under systemd: these cannot be opened by name, and supervisord does not try
// further. failed is the error of that.
func openOwnSocket(path string, failed error) (*os.File, error) {
	fd := map[string]int{"/dev/stdout": 1, "/dev/stderr": 2}[filepath.Clean(path)]
	var stat syscall.Stat_t
	if fd == 0 || syscall.Fstat(fd, &stat) != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return nil, failed
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dup, err := syscall.Dup(fd)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	syscall.CloseOnExec(dup)
	return os.NewFile(uintptr(dup), path), nil
}
