package main

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// moves reports whether the cursor of a terminal can be moved by what is written, which
// older consoles have to be told.
func moves(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	var mode uint32
	if err := windows.GetConsoleMode(windows.Handle(f.Fd()), &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(windows.Handle(f.Fd()), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
