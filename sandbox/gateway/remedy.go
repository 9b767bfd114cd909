package gateway

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// remedy says what would help against a listener's error; empty where nothing is
// known to.
func remedy(err error, address string) string {
	at, bad := netip.ParseAddrPort(address)
	if bad != nil {
		return ""
	}
	switch {
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf("; this user may not listen at port %d: choose one from 1024 up, or allow it (Linux: sudo sysctl net.ipv4.ip_unprivileged_port_start=%d)", at.Port(), at.Port())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("; this machine has no address %s: add it (macOS: sudo ifconfig lo0 alias %s up), or use 127.0.0.1", at.Addr(), at.Addr())
	case errors.Is(err, syscall.EADDRINUSE):
		return "; something else listens there: end that, or choose another port"
	}
	return ""
}
