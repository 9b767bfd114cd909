package gateway

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestRemedy(t *testing.T) {
	for _, c := range []struct {
		cause syscall.Errno
		want  string // a part of it; empty: no word
	}{
		{syscall.EACCES, "net.ipv4.ip_unprivileged_port_start=80"},
		{syscall.EADDRNOTAVAIL, "ifconfig lo0 alias 127.0.0.2 up"},
		{syscall.EADDRINUSE, "choose another port"},
		{syscall.EMFILE, ""},
	} {
		err := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", c.cause)}
		got := remedy(err, "127.0.0.2:80")
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%v: got %q, want %q", c.cause, got, c.want)
		}
	}
}
