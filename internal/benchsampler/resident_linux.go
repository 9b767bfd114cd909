package main

import "syscall"

// maxResident is the most memory that was resident, in bytes; Linux counts it
// in KiB (getrusage(2)).
func maxResident(u *syscall.Rusage) int64 { return u.Maxrss << 10 }
