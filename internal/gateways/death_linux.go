package gateways

import "syscall"

// endWithParent has the kernel ask a child to end when this process dies, even
// by SIGKILL. nginx's first process then ends its workers; killed itself, it
// would leave them behind.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
