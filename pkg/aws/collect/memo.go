package collect

import (
	"sync"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// Memo reads what several resources share, such as a parameter group, once. The zero
// Memo is ready for use, also by many at once.
type Memo[T any] struct {
	mu   sync.Mutex
	read map[string]func() fact.Of[T]
}

// Once is what read gave for the key when it was first asked for.
func (m *Memo[T]) Once(key string, read func() fact.Of[T]) fact.Of[T] {
	m.mu.Lock()
	shared, begun := m.read[key]
	if !begun {
		if m.read == nil {
			m.read = map[string]func() fact.Of[T]{}
		}
		shared = sync.OnceValue(read)
		m.read[key] = shared
	}
	m.mu.Unlock()
	return shared()
}
