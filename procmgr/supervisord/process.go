//go:build unix

package supervisord

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/onehost-go/onehost/supervisorconf"
)

// takeOver sets the user and the limits of this process. It returns lines for
// the log; the error is for the usage.
func takeOver(sd *supervisorconf.Supervisord, first bool) (infos []string, err error) {
	if u := sd.User; u != nil {
		if err := dropPrivileges(u); err != nil {
			return nil, err
		}
		infos = append(infos, fmt.Sprintf("Set uid to user %d succeeded", u.UID))
	}
	if !first {
		return infos, nil
	}
	for _, l := range []struct {
		resource, min       int
		name, about, option string
	}{
		{syscall.RLIMIT_NOFILE, sd.MinFDs, "RLIMIT_NOFILE", "file descriptors", "minfds"},
		{rlimitNproc, sd.MinProcs, "RLIMIT_NPROC", "processes", "minprocs"},
	} {
		if l.resource < 0 {
			continue
		}
		raised, hard, err := raise(l.resource, l.min)
		if err != nil {
			return nil, refusal(fmt.Sprintf("The minimum number of %s required to run this process is %d as per the \"%s\" command-line argument or config file setting. "+
				"The current environment will only allow you to open %s %s.", l.about, l.min, l.option, hard, l.about))
		}
		if raised {
			infos = append(infos, fmt.Sprintf("Increased %s limit to %d", l.name, l.min))
		}
	}
	return infos, nil
}

// raise raises a limit to at least min, for us and for the children.
func raise(resource, min int) (raised bool, hard string, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(resource, &limit); err != nil {
		return false, "", err
	}
	soft := limit.Cur
	if resource == syscall.RLIMIT_NOFILE {
		soft = inherited(soft)
	}
	if min < 0 || soft >= uint64(min) {
		return false, "", nil
	}
	hard = strconv.FormatUint(limit.Max, 10)
	limit.Max = max(limit.Max, uint64(min))
	limit.Cur = uint64(min)
	return true, hard, syscall.Setrlimit(resource, &limit)
}

// inherited returns how many descriptors the children may have. Go raises the
// limit of the process itself, and gives its children the one it found; only a
// child can tell.
func inherited(own uint64) uint64 {
	out, err := exec.Command("/bin/sh", "-c", "ulimit -Sn").Output()
	if err != nil {
		return own
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return own // "unlimited"
	}
	return n
}

// dropPrivileges is supervisor.options, drop_privileges.
func dropPrivileges(to *supervisorconf.User) error {
	u, err := user.LookupId(strconv.Itoa(to.UID))
	if err != nil {
		return refusal(fmt.Sprintf("Can't find uid %d", to.UID))
	}
	switch os.Getuid() {
	case to.UID:
		return nil
	case 0:
	default:
		return refusal("Can't drop privilege as nonroot user")
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	groups := []int{gid}
	ids, err := u.GroupIds()
	if err != nil {
		return refusal("Could not set groups of effective user")
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n != gid {
			groups = append(groups, n)
		}
	}
	if err := syscall.Setgroups(groups); err != nil {
		return refusal("Could not set groups of effective user")
	}
	if err := syscall.Setgid(gid); err != nil {
		return refusal("Could not set group id of effective user")
	}
	return syscall.Setuid(to.UID)
}
