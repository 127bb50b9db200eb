package collect

// Looked is how many bytes were looked at.
func (s *Search) Looked() int { return SearchLimit - s.left }
