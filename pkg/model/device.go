package model

import "time"

// Device is a browser that somebody signed in on.
type Device struct {
	Hash Hidden    // of the cookie that it has
	At   time.Time // of the last sign-in
}
