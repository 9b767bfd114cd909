//go:build !linux

package gateways

import "syscall"

// endWithParent can promise nothing here: only Linux tells a child that its
// parent has died.
func endWithParent() *syscall.SysProcAttr { return nil }
