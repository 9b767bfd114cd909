//go:build unix && !linux

package main

import "syscall"

// maxResident is the most memory that was resident, in bytes.
func maxResident(u *syscall.Rusage) int64 { return int64(u.Maxrss) }
