package main

import "syscall"

// maxResident is 0, for unknown: Windows does not tell it here.
func maxResident(*syscall.Rusage) int64 { return 0 }
