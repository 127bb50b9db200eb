// Package stack makes real resources of a SAM template in the emulator, and says
// what became of it.
package stack
