//go:build !windows

package main

import (
	"io"
	"os"
)

// moves reports whether the cursor of a terminal can be moved by what is written.
func moves(io.Writer) bool { return os.Getenv("TERM") != "dumb" }
