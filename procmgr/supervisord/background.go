//go:build unix

package supervisord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/onehost-go/onehost/supervisorconf"
)

// background is set in the environment of the process in the background, which
// reports on descriptor 3 until it runs: what it has to say, and nothing but
// allWell when it is up.
const (
	background = "ONEHOST_SUPERVISORD_BACKGROUND"
	allWell    = "\x00"
)

// A report is where the process in the background says what keeps it from
// running, or that all is well.
type report struct{ *os.File }

// inBackground returns the report, or nil in the foreground.
func inBackground() *report {
	if os.Getenv(background) == "" {
		return nil
	}
	os.Unsetenv(background)
	syscall.CloseOnExec(3)
	return &report{os.NewFile(3, "report")}
}

// allIsWell is the last that is said.
func (r *report) allIsWell() {
	io.WriteString(r, allWell)
	r.Close()
}

// goToBackground starts this program again, with the same arguments, in a
// session of its own: Go cannot fork. It returns the exit status once that one
// is up, or has ended.
func goToBackground(name string, args []string, stderr io.Writer) int {
	fail := func(err error) int {
		fmt.Fprintln(stderr, err)
		return 1
	}
	exe, err := os.Executable()
	if err != nil {
		return fail(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	cmd := exec.Command(exe, args...)
	cmd.Args[0] = name
	cmd.Env = append(os.Environ(), background+"=1")
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fail(err)
	}
	said, err := io.ReadAll(r)
	if err != nil {
		return fail(err)
	}
	if said, ok := bytes.CutSuffix(said, []byte(allWell)); ok {
		stderr.Write(said)
		return 0
	}
	stderr.Write(said)
	var ended *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &ended) {
		return max(ended.ExitCode(), 1)
	} else if err != nil {
		return fail(err)
	}
	return 0
}

// settle is what supervisord does once it is in the background.
func (s *Server) settle(sd *supervisorconf.Supervisord) {
	s.logger.Info("daemonizing the supervisord process")
	if dir := sd.Directory; dir != "" {
		if err := os.Chdir(dir); err != nil {
			s.logger.Log(context.Background(), levelCritical, fmt.Sprintf("can't chdir into '%s': %v", dir, err))
		} else {
			s.logger.Info("set current directory: '" + dir + "'")
		}
	}
	syscall.Umask(sd.Umask)
}
