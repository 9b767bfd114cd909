//go:build unix

package runner

import (
	"os/exec"
	"syscall"
)

// apart gives a command a process group of its own, so that all that it starts
// can be ended with it, and Ctrl-C in a terminal reaches the run only.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endAll asks a started command and all that it has started to end, or makes
// them. What has ended already is no error.
func endAll(c *exec.Cmd, now bool) {
	signal := syscall.SIGTERM
	if now {
		signal = syscall.SIGKILL
	}
	_ = syscall.Kill(-c.Process.Pid, signal)
}
