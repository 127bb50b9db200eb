package model

import "slices"

// Digest tells what was written from anything else: a SHA-256 and a length.
type Digest struct {
	SHA256 string `json:"sha256"` // of the bytes as they are stored, in hexadecimal
	Size   int64  `json:"size"`   // bytes
}

// Object is what was stored in the blob store under a key. One without a digest was
// written before digests were kept, and is what it is.
type Object struct {
	Key string `json:"key"`
	Digest
	// Before is what lay there until then, of what is stored again and again while its
	// writer works: whoever died between noting an object and storing it left the one
	// before. A zero digest stands for nothing.
	Before *Digest `json:"before,omitempty"`
}

// Known reports whether it is known what was written.
func (o Object) Known() bool { return o.SHA256 != "" }

// Is reports whether content of a digest is what was written; of the zero Digest,
// whether nothing may be there.
func (o Object) Is(d Digest) bool { return d == o.Digest || o.Before != nil && d == *o.Before }

// WithObjects adds objects to others, in place of those of the same keys.
func WithObjects(all []Object, more ...Object) []Object {
	all = slices.Clone(all)
	for _, o := range more {
		if at := slices.IndexFunc(all, func(other Object) bool { return other.Key == o.Key }); at >= 0 {
			all[at] = o
		} else {
			all = append(all, o)
		}
	}
	return all
}

// Object is what the task's attempts stored under a key; without a digest, if its record
// does not say.
func (t Task) Object(key string) Object {
	if at := slices.IndexFunc(t.Objects, func(o Object) bool { return o.Key == key }); at >= 0 {
		return t.Objects[at]
	}
	return Object{Key: key}
}
