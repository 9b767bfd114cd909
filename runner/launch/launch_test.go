package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fake returns options that start this test's own binary in a mode of
// fakeSandbox.
func fake(t *testing.T, mode string) Options {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(fakeMode, mode)
	t.Setenv(Attach, "")
	return Options{Binary: binary, Log: t.Output(), ReadyWithin: time.Minute, StopWithin: time.Minute}
}

func TestStartAndStop(t *testing.T) {
	s, err := Start(t.Context(), fake(t, "works"))
	if err != nil {
		t.Fatal(err)
	}
	dir := s.child.dir
	if got, want := s.Kubeconfig, filepath.Join(dir, "kubeconfig"); got != want {
		t.Errorf("kubeconfig %s, want %s", got, want)
	}
	if got := fmt.Sprint(s.Contexts, s.Gateways, s.VM, s.Attached); got != "[mgmt cluster1 cluster2] map[cluster1:http://127.0.0.1:18001]192.168.64.10false" {
		t.Errorf("got %s", got)
	}
	if s.Err() != nil {
		t.Errorf("it runs, but Err is %v", s.Err())
	}
	pid := s.child.cmd.Process.Pid
	group, err := syscall.Getpgid(pid)
	if err != nil || group != pid {
		t.Errorf("process group %d (%v), want one of its own, %d", group, err, pid)
	}
	for range 2 { // stopping again is harmless
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	<-s.Done()
	if s.Err() != nil {
		t.Errorf("stopped in order, but Err is %v", s.Err())
	}
	if alive(pid) {
		t.Errorf("process %d is still there", pid)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", dir, err)
	}
}

func TestKubeconfigIsPassedOn(t *testing.T) {
	o := fake(t, "works")
	o.Kubeconfig = filepath.Join(t.TempDir(), "config")
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	if s.Kubeconfig != o.Kubeconfig {
		t.Errorf("kubeconfig %s, want %s", s.Kubeconfig, o.Kubeconfig)
	}
}

func TestStartFails(t *testing.T) {
	tests := []struct {
		mode  string
		limit time.Duration
		want  []string
	}{
		{"fails", time.Minute, []string{
			"the sandbox did not start: mgmt: no port is free",
			"standard output:\n\ta line outside of the protocol",
			"standard error:\n\tpanic: a line on standard error",
			"apiserver.log:\n\tE0101 listen: address in use",
		}},
		{"quits", time.Minute, []string{"the sandbox did not start: it ended by itself: exit status 3"}},
		{"silent", 50 * time.Millisecond, []string{"the sandbox did not start: not ready within 50ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			o := fake(t, tt.mode)
			o.ReadyWithin = tt.limit
			t.Setenv("TMPDIR", t.TempDir())
			_, err := Start(t.Context(), o)
			if err == nil {
				t.Fatal("it started")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got\n%s\nwant in it\n%s", err, want)
				}
			}
			left, _ := filepath.Glob(filepath.Join(os.TempDir(), "assay-*"))
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestStartIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	o := fake(t, "silent")
	o.Log = writerFunc(func(line string) {
		if strings.Contains(line, "starting the servers") {
			cancel(errors.New("Ctrl-C"))
		}
	})
	_, err := Start(ctx, o)
	if err == nil || !strings.Contains(err.Error(), "Ctrl-C") {
		t.Errorf("got %v", err)
	}
}

func TestStopKillsWhatDoesNotStop(t *testing.T) {
	o := fake(t, "deaf")
	o.StopWithin = 50 * time.Millisecond
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	pid := s.child.cmd.Process.Pid
	err = s.Stop(t.Context())
	if err == nil || !strings.Contains(err.Error(), "did not stop within 50ms and was killed") {
		t.Errorf("got %v", err)
	}
	if alive(pid) {
		t.Errorf("process %d is still there", pid)
	}
}

func TestSandboxThatEndsByItself(t *testing.T) {
	s, err := Start(t.Context(), fake(t, "works"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	if err := s.child.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Err(); err == nil || !strings.Contains(err.Error(), "it ended by itself: signal: terminated") {
		t.Errorf("got %v", err)
	}
}

// A parent that is killed cannot tidy up: the child must do all of it.
func TestNothingOutlivesAKilledParent(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(binary)
	parent.Env = append(os.Environ(), fakeMode+"=parent", Attach+"=")
	parent.Stderr = t.Output()
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscan(out, &pid, &dir); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatalf("process %d is not there yet", pid)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	await(t, "the end of the child", func() bool { return !alive(pid) })
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", dir, err)
	}
}

func TestShortTempDir(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join("/tmp", strings.Repeat("long", 20)))
	dir, err := shortTempDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if len(dir) > longestDir {
		t.Errorf("%s has %d bytes, want at most %d", dir, len(dir), longestDir)
	}
}

// alive says whether a process exists that is more than a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat("/proc/self"); err == nil {
			return false
		}
	}
	if _, state, ok := strings.Cut(string(stat), ") "); ok {
		return state[0] != 'Z'
	}
	return syscall.Kill(pid, 0) == nil
}

// await waits for a condition; only a condition that never comes takes long.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("no sign of %s for a minute", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type writerFunc func(line string)

func (f writerFunc) Write(p []byte) (int, error) { f(string(p)); return len(p), nil }
