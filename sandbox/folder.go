package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"github.com/meshassay/assay/sandbox/apiserver"
)

// folder is where a sandbox keeps its files. Keys and data (state) are of one
// run only: they go at its end, or at the next begin if it was killed. Logs
// stay.
type folder struct {
	dir        string
	own        bool // it goes as a whole: a temporary one, or one given with --remove-dir
	keep       bool // it stays all the same, for its logs
	lock       *os.File
	log        *os.File
	kubeconfig string
}

func openFolder(s settings) (*folder, error) {
	f := &folder{own: s.dir == "" || s.removeDir}
	var err error
	if s.dir == "" {
		f.dir, err = os.MkdirTemp("", "assay-sandbox-")
	} else if f.dir, err = filepath.Abs(s.dir); err == nil {
		err = os.MkdirAll(f.dir, 0o700)
	}
	if err != nil {
		return nil, err
	}
	if err := f.prepare(s.kubeconfig); err != nil {
		if s.dir == "" { // a given one may be another sandbox's
			err = errors.Join(err, os.RemoveAll(f.dir))
		}
		return nil, err
	}
	return f, nil
}

// prepare takes the folder and makes it ready for a new run.
func (f *folder) prepare(kubeconfig string) error {
	if err := f.take(); err != nil {
		return err
	}
	if kubeconfig == "" {
		kubeconfig = filepath.Join(f.dir, "kubeconfig")
	}
	var err error
	if f.kubeconfig, err = filepath.Abs(kubeconfig); err != nil {
		return err
	}
	if err := apiserver.CheckKubeconfig(f.kubeconfig); err != nil {
		return err
	}
	if err := os.RemoveAll(f.state("")); err != nil {
		return err
	}
	if err := os.MkdirAll(f.state("etcd"), 0o700); err != nil {
		return err
	}
	return f.openLogs()
}

// take makes sure that no other sandbox uses the folder. The lock goes with
// the process, however it ends.
func (f *folder) take() error {
	var err error
	f.lock, err = os.OpenFile(filepath.Join(f.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := io.ReadAll(f.lock)
		f.lock.Close()
		return fmt.Errorf("folder %s is in use by the sandbox with process id %s: name another with --dir", f.dir, pid)
	}
	if err := f.lock.Truncate(0); err != nil {
		return err
	}
	_, err = fmt.Fprint(f.lock, os.Getpid())
	return err
}

// openLogs sends the logs of all parts to files, also what parts write to
// standard error without asking, and what the Go runtime writes at a crash.
func (f *folder) openLogs() error {
	// Kubernetes' log would be appended to an earlier sandbox's.
	if err := os.RemoveAll(f.logFile("kubernetes")); err != nil {
		return err
	}
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	for _, setting := range [][2]string{
		{"logtostderr", "false"}, {"alsologtostderr", "false"}, {"stderrthreshold", "FATAL"},
		{"log_file", f.logFile("kubernetes")},
	} {
		if err := flags.Set(setting[0], setting[1]); err != nil {
			return fmt.Errorf("log setting %s: %w", setting[0], err)
		}
	}
	var err error
	f.log, err = os.OpenFile(f.logFile("sandbox"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	stderr, err := os.OpenFile(f.logFile("stderr"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Dup2(int(stderr.Fd()), int(os.Stderr.Fd())); err != nil {
		return fmt.Errorf("standard error: %w", err)
	}
	log.SetOutput(f.log)
	slog.SetDefault(slog.New(slog.NewTextHandler(f.log, nil)))
	return nil
}

// state is a path below what goes with the run.
func (f *folder) state(name string) string { return filepath.Join(f.dir, "state", name) }

// logFile is the path of the log of a part.
func (f *folder) logFile(part string) string { return filepath.Join(f.dir, part+".log") }

// close removes what is of this run only.
func (f *folder) close() error {
	klog.Flush()
	err := errors.Join(os.RemoveAll(f.state("")), f.log.Close())
	if f.own && !f.keep {
		err = errors.Join(err, os.RemoveAll(f.dir))
	}
	return errors.Join(err, f.lock.Close())
}
