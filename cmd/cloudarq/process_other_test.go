//go:build !linux

package main

// otherProcess is never played here: limits and mounts are Linux's.
func otherProcess() (code int, other bool) { return 0, false }
