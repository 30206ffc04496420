package procmgr

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStartStopFloor is BenchmarkStartStop/1000 with nothing but what the
// system and the runtime need for it: a process descriptor a child, and one
// epoll to wait for them all.
func BenchmarkStartStopFloor(b *testing.B) {
	const n = 1000
	var started, stopped time.Duration
	for b.Loop() {
		began := time.Now()
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			b.Fatal(err)
		}
		epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			b.Fatal(err)
		}
		children := map[int32]*os.Process{}
		for range n {
			p, err := os.StartProcess("/bin/sleep", []string{"sleep", "1000"}, &os.ProcAttr{
				Files: []*os.File{null, null, null}, Sys: &syscall.SysProcAttr{Setpgid: true},
			})
			if err != nil {
				b.Fatal(err)
			}
			children[int32(p.Pid)] = p
			p.WithHandle(func(pidfd uintptr) {
				e := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(p.Pid)}
				err = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(pidfd), &e)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		started += time.Since(began)
		began = time.Now()
		for _, p := range children {
			p.Signal(syscall.SIGTERM)
		}
		events := make([]syscall.EpollEvent, 256)
		for len(children) > 0 {
			k, err := syscall.EpollWait(epoll, events, -1)
			if err != nil && err != syscall.EINTR {
				b.Fatal(err)
			}
			for _, e := range events[:max(k, 0)] {
				children[e.Fd].Wait()
				delete(children, e.Fd)
			}
		}
		stopped += time.Since(began)
		syscall.Close(epoll)
		null.Close()
	}
	b.ReportMetric(started.Seconds()*1000/float64(b.N), "start-ms/op")
	b.ReportMetric(stopped.Seconds()*1000/float64(b.N), "stop-ms/op")
}

// BenchmarkLogFloor is BenchmarkLog without a manager: what is read from a pipe
// is written to a file, which is not rotated.
func BenchmarkLogFloor(b *testing.B) {
	const size = 256 << 20
	p := role(b, "x", "pour %d", size)
	b.SetBytes(size)
	buf := make([]byte, readSize)
	for b.Loop() {
		file, err := os.Create(b.TempDir() + "/log")
		if err != nil {
			b.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		child, err := os.StartProcess(p.Args[0], p.Args, &os.ProcAttr{
			Env: append(os.Environ(), childEnv+"="+p.Environment[childEnv]), Files: []*os.File{nil, w, nil},
		})
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
		growPipe(r.Fd()) // which blocks from here on
		total := 0
		for {
			n, err := r.Read(buf)
			if err != nil {
				break
			}
			if _, err := file.Write(buf[:n]); err != nil {
				b.Fatal(err)
			}
			total += n
		}
		child.Wait()
		r.Close()
		file.Close()
		if total != size {
			b.Fatalf("%d bytes have come", total)
		}
	}
}
