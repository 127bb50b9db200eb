package secret

import "context"

// holder is a Wrapper whose master keys can be dropped.
type holder interface {
	Hold(ctx context.Context) (release func(), err error)
}

// Hold keeps w from dropping master keys until release, so that a key that was
// wrapped by one can be stored where whoever drops them looks. Whoever stores what
// Generate or Rewrap made, holds w from before that until it is stored. Many may
// hold it at once. Wrappers that drop no keys have nothing to hold.
func Hold(ctx context.Context, w Wrapper) (release func(), err error) {
	if h, ok := w.(holder); ok {
		return h.Hold(ctx)
	}
	return func() {}, nil
}
