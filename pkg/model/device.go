package model

import "time"

// Device is a browser that a person signed in on, by which guesses of others are told from
// the person's own tries. It grants nothing.
type Device struct {
	ID    string    `json:"id"`   // ULID
	Hash  []byte    `json:"hash"` // SHA-256 of the token that its cookie holds
	Since time.Time `json:"since"`
}
