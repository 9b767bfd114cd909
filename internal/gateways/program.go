package gateways

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
)

// Program is a gateway that can be started.
type Program string

// The gateways there are.
const (
	NGINX   Program = "nginx"
	HAProxy Program = "haproxy"
)

// Packages are the Debian packages of the programs that the tests and the
// benchmark of the sampler use, by the name of the program.
var Packages = map[string]string{
	"nginx":   "nginx-light",
	"haproxy": "haproxy",
	"wrk":     "wrk",
}

// Find returns the path of an installed program. The error says how to install it.
func Find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	// Debian installs servers where ordinary users do not look.
	for _, folder := range []string{"/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"} {
		if path, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return path, nil
		}
	}
	return "", &MissingError{program}
}

// MissingError says that a program is not installed, and what would install it.
type MissingError struct{ Program string }

func (e *MissingError) Error() string {
	if p := Packages[e.Program]; p != "" {
		return fmt.Sprintf("%s is not installed: apt-get install %s", e.Program, p)
	}
	return e.Program + " is not installed"
}

// Required is the environment variable that turns a missing gateway from a
// reason to skip a test into a failure: ASSAY_GATEWAYS=required, as CI has it.
const Required = "ASSAY_GATEWAYS"

// Need skips the test when a program is not installed, or fails it when
// ASSAY_GATEWAYS is "required". It takes a *testing.T or *testing.B.
func Need(t interface {
	Helper()
	Skip(...any)
	Fatal(...any)
}, programs ...Program) {
	t.Helper()
	var missing []string
	for _, p := range programs {
		if _, err := Find(string(p)); err != nil {
			missing = append(missing, err.Error())
		}
	}
	switch {
	case len(missing) == 0:
	case os.Getenv(Required) == "required":
		t.Fatal(strings.Join(missing, "; "), "("+Required+" is required)")
	default:
		t.Skip(strings.Join(missing, "; "))
	}
}

// command is how the program is run in the foreground, or only checks its configuration.
func (p Program) command(path, folder string, check bool) []string {
	config := filepath.Join(folder, configFile)
	switch {
	case p == HAProxy && check:
		return []string{path, "-c", "-f", config}
	case p == HAProxy:
		return []string{path, "-db", "-f", config}
	case check:
		return []string{path, "-q", "-t", "-e", "stderr", "-p", folder, "-c", config}
	}
	return []string{path, "-e", "stderr", "-p", folder, "-c", config}
}

// listen is what the configuration says of a socket that the process gets as a
// file descriptor. nginx wants the address, and finds the descriptor by it.
func (p Program) listen(address string, fd int) string {
	if p == HAProxy {
		return fmt.Sprintf("fd@%d", fd)
	}
	return address
}

// whole puts what every configuration needs around the text: nothing outside
// of the folder, no daemon, the log on standard error.
func (p Program) whole(text, folder string, workers int) string {
	if p == HAProxy {
		return fmt.Sprintf("global\n  nbthread %d\n  maxconn 4000\n  log stderr format raw local0 warning\n%s\n", workers, text)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "daemon off;\npid %s/%s;\nerror_log stderr notice;\nworker_processes %d;\n", folder, pidFile, workers)
	if os.Geteuid() == 0 {
		// Else the workers would change to a user who may not enter the folder.
		group := "root"
		if g, err := user.LookupGroupId("0"); err == nil {
			group = g.Name
		}
		fmt.Fprintf(&b, "user root %s;\n", group)
	}
	fmt.Fprint(&b, "events { worker_connections 4000; }\nhttp {\naccess_log off;\n")
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, "%s_temp_path %s/%s;\n", kind, folder, kind)
	}
	fmt.Fprintf(&b, "%s\n}\n", text)
	return b.String()
}
