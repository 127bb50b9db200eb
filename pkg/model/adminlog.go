package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// ActorKind is what kind of thing acts.
type ActorKind string

// The kinds of actors.
const (
	ActorPerson   ActorKind = "person"   // by a session
	ActorToken    ActorKind = "token"    // an API token
	ActorOperator ActorKind = "operator" // an IAM principal, or whoever owns the data directory
	ActorSystem   ActorKind = "system"   // the installation itself
)

// Actor is who changes something.
type Actor struct {
	Kind ActorKind `json:"kind" enum:"person,token,operator,system"`
	ID   string    `json:"id"`             // of the person or token, or the ARN of the principal
	Name string    `json:"name,omitempty"` // as it was then: an e-mail address, a token's name
}

// Change is who changes a record, from where and by what. One without an action is what
// the installation does by itself, or the local command: no admin log speaks of it.
type Change struct {
	Actor   Actor
	Address string // that the request came from; empty if it came from no network
	Action  string // the operation of the API, "update-connection"
	At      time.Time
}

// AdminEntry is what the admin log of an organization says of a change. Each entry has
// the hash of the one before, so that none can be altered, added or taken away alone.
type AdminEntry struct {
	Seq     int64           `json:"seq" doc:"1 is the organization's first"`
	ID      string          `json:"id"`
	At      time.Time       `json:"at"`
	Actor   Actor           `json:"actor"`
	Address string          `json:"address,omitempty" doc:"That the request came from"`
	Action  string          `json:"action" doc:"The operation, as the OpenAPI document names it" example:"update-connection"`
	Object  string          `json:"object" doc:"What was changed" example:"connection/01KBA0"`
	Before  json.RawMessage `json:"before,omitempty" doc:"What it was, without secrets; left out of what is new. Of fields that are longer than 4 KiB it has size and digest"`
	After   json.RawMessage `json:"after,omitempty" doc:"What it is since, without secrets; left out of what is gone"`
	Prev    string          `json:"prev" doc:"Hash of the entry before; empty of the first"`
	Hash    string          `json:"hash" doc:"SHA-256, in hex, of the entry's JSON without this field"`
}

// Sum is the hash that an entry should have.
func (e AdminEntry) Sum() (string, error) {
	e.Hash = ""
	data, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("hash entry %s of the admin log: %w", e.ID, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Follows says what is wrong with an entry that comes after another, the zero entry before
// the first. It does not look at that one's own hash.
func (e AdminEntry) Follows(before AdminEntry) error {
	sum, err := e.Sum()
	switch {
	case err != nil:
		return err
	case e.Seq != before.Seq+1:
		return fmt.Errorf("entry %d is missing", before.Seq+1)
	case e.Prev != before.Hash:
		return fmt.Errorf("entry %d does not follow the one before it", e.Seq)
	case e.Hash != sum:
		return fmt.Errorf("entry %d is not what was written", e.Seq)
	}
	return nil
}
